//! The client of a running emulator's own paths, for the commands that people type.

use super::outcome::Failure;
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::time::Duration;
use ureq::http::Response;
use ureq::{Agent, Body, RequestBuilder};

/// Time for a connection, in seconds. Answers may take as long as they take.
const CONNECT_SECONDS: u64 = 5;

/// The emulator that a command talks to.
#[derive(Debug, clap::Args)]
pub(super) struct Connection {
    /// The emulator's address
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4567")]
    #[arg(env = "MINIKIN_ENDPOINT")]
    endpoint: String,

    /// The emulator's --admin-token, where it is on another machine
    #[arg(
        long,
        value_name = "TOKEN",
        env = "MINIKIN_ADMIN_TOKEN",
        hide_env_values = true
    )]
    admin_token: Option<String>,

    /// The account of the streams, where it is not the emulator's own
    #[arg(long, value_name = "ID")]
    account: Option<String>,

    /// The region of the streams, where it is not the emulator's own
    #[arg(long, value_name = "NAME")]
    region: Option<String>,

    /// Print one JSON document a line, also on a terminal
    #[arg(long)]
    pub(super) json: bool,
}

/// A connection to the own paths of one emulator.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    endpoint: String,
    authorization: Option<String>,
    /// The account and the region, as parts of every query.
    query: Vec<(&'static str, String)>,
}

impl Client {
    pub(super) fn new(connection: &Connection) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(CONNECT_SECONDS)))
            .build();
        let account = connection.account.clone().map(|id| ("account", id));
        let region = connection.region.clone().map(|name| ("region", name));
        Self {
            agent: config.new_agent(),
            endpoint: connection.endpoint.trim_end_matches('/').to_owned(),
            authorization: connection
                .admin_token
                .as_ref()
                .map(|token| format!("Bearer {token}")),
            query: account.into_iter().chain(region).collect(),
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

    /// The document that `path` answers to GET, with these members in the query.
    pub(super) fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        document(self.open(path, query)?)
    }

    /// The answer of `path` to GET, to be read as it comes.
    pub(super) fn open(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Response<Body>, Failure> {
        let request = self.agent.get(self.url(path));
        let request = request.query_pairs(query.iter().copied());
        self.answer(self.prepared(request).call())
    }

    /// The events of `path` after the one with this id, to be read as they come.
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

    /// The status and the document that `path` answers to POST.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<(u16, Value), Failure> {
        let request = self.prepared(self.agent.post(self.url(path)));
        let request = request.header("content-type", "application/json");
        let answer = self.answer(request.send(body.to_string()))?;
        let status = answer.status().as_u16();
        Ok((status, document(answer)?))
    }

    /// Sends a file by PUT.
    pub(super) fn put_file(&self, path: &str, file: &File) -> Result<(), Failure> {
        let request = self.prepared(self.agent.put(self.url(path)));
        self.answer(request.send(file)).map(drop)
    }

    /// Sends DELETE.
    pub(super) fn delete(&self, path: &str) -> Result<(), Failure> {
        let request = self.prepared(self.agent.delete(self.url(path)));
        self.answer(request.call()).map(drop)
    }

    /// The document that `path` answers to a POST of lines.
    pub(super) fn post_lines(&self, path: &str, lines: &[u8]) -> Result<Value, Failure> {
        let request = self.prepared(self.agent.post(self.url(path)));
        let request = request.header("content-type", "application/x-ndjson");
        document(self.answer(request.send(lines))?)
    }
}

/// The JSON of an answer; null for an empty one.
fn document(answer: Response<Body>) -> Result<Value, Failure> {
    let mut text = String::new();
    let read = answer.into_body().into_reader().read_to_string(&mut text);
    read.map_err(|error| Failure::broken(&error))?;
    if text.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text).map_err(|error| Failure::broken(&error))
}

/// A stream's name or ARN as a part of a path.
pub(super) fn path_part(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}
