//! The HTTP client with which the commands talk to our own paths (`/_minikin/…`) of a running
//! emulator.

use super::outcome::Failure;
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::time::Duration;
use ureq::http::{Response, Uri};
use ureq::{Agent, Body, RequestBuilder};

/// Time limit of connecting, in seconds. Answers have no time limit.
const CONNECT_SECONDS: u64 = 5;

/// The options that say which emulator a command talks to, and how.
#[derive(Debug, clap::Args)]
pub(super) struct Server {
    /// The address of the emulator
    #[arg(long, global = true, value_name = "URL")]
    #[arg(default_value = "http://127.0.0.1:4567")]
    #[arg(env = "MINIKIN_ENDPOINT", value_parser = http_url)]
    endpoint: String,

    /// The --admin-token of the emulator; needed when the emulator runs on another machine
    #[arg(long, global = true, value_name = "TOKEN")]
    #[arg(env = "MINIKIN_ADMIN_TOKEN", hide_env_values = true)]
    admin_token: Option<String>,

    /// Print one JSON document on each line, also on a terminal
    #[arg(long, global = true)]
    pub(super) json: bool,
}

/// The options of a command about the streams of one account and region.
#[derive(Debug, clap::Args)]
pub(super) struct Connection {
    #[command(flatten)]
    pub(super) server: Server,

    /// The account of the streams [default: the account of the emulator]
    #[arg(long, value_name = "ID")]
    account: Option<String>,

    /// The region of the streams [default: the region of the emulator]
    #[arg(long, value_name = "NAME")]
    region: Option<String>,
}

/// The options of a command about the whole emulator. It takes neither an account nor a region, and
/// says so.
#[derive(Debug, clap::Args)]
pub(super) struct WholeConnection {
    #[command(flatten)]
    pub(super) server: Server,

    #[arg(long = "account", global = true, hide = true, value_parser = no_part)]
    _account: Option<String>,

    #[arg(long = "region", global = true, hide = true, value_parser = no_part)]
    _region: Option<String>,
}

/// A client of one emulator's own paths.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    endpoint: String,
    authorization: Option<String>,
    /// The account and the region, which are added to the query of every request.
    query: Vec<(&'static str, String)>,
}

impl Client {
    /// A client for paths about the streams of one account and region.
    pub(super) fn new(connection: &Connection) -> Self {
        let account = connection.account.clone().map(|id| ("account", id));
        let region = connection.region.clone().map(|name| ("region", name));
        Self {
            query: account.into_iter().chain(region).collect(),
            ..Self::whole(&connection.server)
        }
    }

    /// A client for paths about the whole emulator.
    pub(super) fn whole(server: &Server) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(CONNECT_SECONDS)))
            .build();
        let token = server.admin_token.as_ref();
        Self {
            agent: config.new_agent(),
            endpoint: server.endpoint.trim_end_matches('/').to_owned(),
            authorization: token.map(|token| format!("Bearer {token}")),
            query: Vec::new(),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}/_minikin/{path}", self.endpoint)
    }

    fn prepared<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        let request = request.query_pairs(self.query.iter().map(|(name, value)| (*name, value)));
        match &self.authorization {
            Some(authorization) => request.header("authorization", authorization),
            None => request,
        }
    }

    fn answer(&self, sent: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, Failure> {
        let answer = sent.map_err(|error| Failure::unreachable(&self.endpoint, &error))?;
        let status = answer.status();
        if status.is_success() || status.as_u16() == 408 {
            return Ok(answer);
        }
        let text = answer.into_body().read_to_string().unwrap_or_default();
        let message = serde_json::from_str::<Value>(&text)
            .ok()
            .and_then(|body| Some(body.get("message")?.as_str()?.to_owned()));
        Err(Failure::Refused(message.unwrap_or_else(|| {
            format!("the emulator answers {status}: {}", text.trim())
        })))
    }

    /// Sends GET with the given query, and returns the JSON document of the answer.
    pub(super) fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        document(self.open(path, query)?)
    }

    /// Sends GET with the given query, and returns the answer with its body unread.
    pub(super) fn open(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Response<Body>, Failure> {
        let request = self.agent.get(self.url(path));
        let request = request.query_pairs(query.iter().copied());
        self.answer(self.prepared(request).call())
    }

    /// Sends GET for a stream of server-sent events, and returns the answer with its body unread.
    /// The events begin after the one with the id `last_id`.
    pub(super) fn follow(
        &self,
        path: &str,
        query: &[(&str, &str)],
        last_id: Option<&str>,
    ) -> Result<Response<Body>, Failure> {
        let request = self.agent.get(self.url(path));
        let mut request = request.query_pairs(query.iter().copied());
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        self.answer(self.prepared(request).call())
    }

    /// Sends POST, and returns the status and the JSON document of the answer.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<(u16, Value), Failure> {
        let request = self.prepared(self.agent.post(self.url(path)));
        let request = request.header("content-type", "application/json");
        let answer = self.answer(request.send(body.to_string()))?;
        let status = answer.status().as_u16();
        Ok((status, document(answer)?))
    }

    /// Sends a file as the body of a PUT.
    pub(super) fn put_file(&self, path: &str, file: &File) -> Result<(), Failure> {
        let request = self.prepared(self.agent.put(self.url(path)));
        self.answer(request.send(file)).map(drop)
    }

    pub(super) fn delete(&self, path: &str) -> Result<(), Failure> {
        let request = self.prepared(self.agent.delete(self.url(path)));
        self.answer(request.call()).map(drop)
    }

    /// Sends POST with one JSON document on each line, and returns the JSON document of the answer.
    pub(super) fn post_lines(&self, path: &str, lines: &[u8]) -> Result<Value, Failure> {
        let request = self.prepared(self.agent.post(self.url(path)));
        let request = request.header("content-type", "application/x-ndjson");
        document(self.answer(request.send(lines))?)
    }
}

/// Refuses an account or a region of a command about the whole emulator.
fn no_part(_: &str) -> Result<String, String> {
    Err("this command is about the whole emulator, with all its accounts and regions".to_owned())
}

/// Checks the address of an emulator.
fn http_url(text: &str) -> Result<String, String> {
    let url = text.parse::<Uri>().map_err(|error| error.to_string())?;
    if url.scheme_str() != Some("http") || url.authority().is_none() {
        return Err("an endpoint is http://HOST:PORT; TLS is not needed here".to_owned());
    }
    Ok(text.to_owned())
}

/// The JSON document of an answer; null if the body is empty.
fn document(answer: Response<Body>) -> Result<Value, Failure> {
    let mut text = String::new();
    let read = answer.into_body().into_reader().read_to_string(&mut text);
    read.map_err(|error| Failure::broken(&error))?;
    if text.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text).map_err(|error| Failure::broken(&error))
}

/// Encodes the name or ARN of a stream as one segment of a URL's path.
pub(super) fn path_part(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_http_url() {
        for url in [
            "http://127.0.0.1:4567",
            "http://minikin:80/",
            "http://[::1]:1",
        ] {
            assert_eq!(http_url(url), Ok(url.to_owned()));
        }
        for url in [
            "zz",
            "localhost:4567",
            "https://localhost:4567",
            "",
            "http://",
        ] {
            assert!(http_url(url).is_err(), "{url}");
        }
    }
}
