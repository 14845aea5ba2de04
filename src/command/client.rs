//! The HTTP client of the commands. It sends requests to minikin's own paths (`/_minikin/…`) on a
//! running emulator.

use super::outcome::Failure;
use crate::outbound::{Address, BlockingAnswer, BlockingBody, BlockingClient, BlockingRequest};
use bytes::Bytes;
use serde_json::Value;
use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

/// The options of every command that talks to a running emulator: the address of the emulator, the
/// admin token and the form of the output.
#[derive(Debug, clap::Args)]
pub(super) struct ServerOptions {
    /// The address of the emulator
    #[arg(long, global = true, value_name = "URL")]
    #[arg(default_value = "http://127.0.0.1:4567")]
    #[arg(env = "MINIKIN_ENDPOINT", value_parser = http_url)]
    endpoint: Address,

    /// The --admin-token of the emulator; needed when the emulator runs on another machine
    #[arg(long, global = true, value_name = "TOKEN")]
    #[arg(env = "MINIKIN_ADMIN_TOKEN", hide_env_values = true)]
    admin_token: Option<String>,

    /// Print one JSON document on each line, also on a terminal
    #[arg(long, global = true)]
    pub(super) json: bool,
}

/// The options of a command about the streams of one account and region. They include the options
/// of every command that talks to an emulator.
#[derive(Debug, clap::Args)]
pub(super) struct Connection {
    #[command(flatten)]
    pub(super) server: ServerOptions,

    /// The account of the streams [default: the account of the emulator]
    #[arg(long, value_name = "ID")]
    account: Option<String>,

    /// The region of the streams [default: the region of the emulator]
    #[arg(long, value_name = "NAME")]
    region: Option<String>,
}

/// The options of a command about the whole emulator. `--account` and `--region` are refused with
/// an explanation.
#[derive(Debug, clap::Args)]
pub(super) struct WholeConnection {
    #[command(flatten)]
    pub(super) server: ServerOptions,

    #[arg(long = "account", global = true, hide = true, value_parser = refuse_account_or_region)]
    _account: Option<String>,

    #[arg(long = "region", global = true, hide = true, value_parser = refuse_account_or_region)]
    _region: Option<String>,
}

/// Sends requests to minikin's own paths on one emulator.
#[derive(Debug)]
pub(super) struct Client {
    http: BlockingClient,
    endpoint: String,
    authorization: Option<String>,
    /// The parameters `account` and `region`, which the client adds to the query string of every
    /// request.
    query: Vec<(&'static str, String)>,
}

impl Client {
    /// Makes a client for commands about the streams of one account and region.
    pub(super) fn new(connection: &Connection) -> Result<Self, Failure> {
        let account = connection.account.clone().map(|id| ("account", id));
        let region = connection.region.clone().map(|name| ("region", name));
        Ok(Self {
            query: account.into_iter().chain(region).collect(),
            ..Self::whole(&connection.server)?
        })
    }

    /// Makes a client for commands about the whole emulator.
    pub(super) fn whole(server: &ServerOptions) -> Result<Self, Failure> {
        let endpoint = server.endpoint.url.clone();
        let http = BlockingClient::new(server.endpoint.clone())
            .map_err(|error| Failure::unreachable(&endpoint, &error))?;
        let token = server.admin_token.as_ref();
        Ok(Self {
            http,
            endpoint,
            authorization: token.map(|token| format!("Bearer {token}")),
            query: Vec::new(),
        })
    }

    /// Sends a request to the emulator. Returns the answer if its status is 2xx or 408. Status 408
    /// is not a failure: it means that a wait of the emulator has reached its time limit.
    fn send(
        &self,
        method: &'static str,
        path: &str,
        query: &[(&str, &str)],
        header: Option<(&'static str, &str)>,
        body: BlockingBody,
    ) -> Result<BlockingAnswer<'_>, Failure> {
        let mut path = format!("/_minikin/{path}");
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query)
            .extend_pairs(&self.query)
            .finish();
        if !query.is_empty() {
            path = format!("{path}?{query}");
        }
        let token = self.authorization.as_deref();
        let token = token.map(|token| ("authorization", token));
        let headers: Vec<_> = header.into_iter().chain(token).collect();
        let answer = self.http.send(&BlockingRequest {
            method,
            path: &path,
            headers: &headers,
            body,
        });
        let answer = answer.map_err(|error| Failure::unreachable(&self.endpoint, &error))?;
        if answer.status.is_success() || answer.status.as_u16() == 408 {
            return Ok(answer);
        }
        Err(refusal(answer))
    }

    /// Sends GET with the given query, and returns the JSON document of the answer.
    pub(super) fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        document(self.open(path, query)?)
    }

    /// Sends GET with the given query. Returns the answer once its head has arrived. The caller can
    /// read each part of the body as soon as the part arrives.
    pub(super) fn open(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<BlockingAnswer<'_>, Failure> {
        self.send("GET", path, query, None, nothing())
    }

    /// Sends GET for server-sent events. Returns the answer once its head has arrived. If `last_id`
    /// is given, the emulator sends only the events after the event with this id. Otherwise the
    /// query determines the first event.
    pub(super) fn follow(
        &self,
        path: &str,
        query: &[(&str, &str)],
        last_id: Option<&str>,
    ) -> Result<BlockingAnswer<'_>, Failure> {
        let header = last_id.map(|id| ("last-event-id", id));
        self.send("GET", path, query, header, nothing())
    }

    /// Sends POST, and returns the status of the answer and the JSON document in its body.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<(u16, Value), Failure> {
        let answer = self.post_bytes(path, "application/json", body.to_string().into())?;
        Ok((answer.status.as_u16(), document(answer)?))
    }

    /// Sends POST with `lines` as the body. Each line is one JSON document. Returns the JSON
    /// document in the answer's body.
    pub(super) fn post_lines(&self, path: &str, lines: Bytes) -> Result<Value, Failure> {
        document(self.post_bytes(path, "application/x-ndjson", lines)?)
    }

    fn post_bytes(
        &self,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> Result<BlockingAnswer<'_>, Failure> {
        let header = ("content-type", content_type);
        self.send("POST", path, &[], Some(header), BlockingBody::Bytes(body))
    }

    /// Sends PUT with the contents of a file as the body. Calls `sent` with the number of bytes of
    /// each part of the file, when the connection takes the part.
    pub(super) fn put_file(
        &self,
        path: &str,
        file: File,
        sent: impl Fn(usize) + Send + Sync + 'static,
    ) -> Result<(), Failure> {
        let body = BlockingBody::File(file.into(), Arc::new(sent));
        self.send("PUT", path, &[], None, body).map(drop)
    }

    pub(super) fn delete(&self, path: &str) -> Result<(), Failure> {
        self.send("DELETE", path, &[], None, nothing()).map(drop)
    }
}

fn nothing() -> BlockingBody {
    BlockingBody::Bytes(Bytes::new())
}

/// Refuses `--account` and `--region` in a command about the whole emulator.
fn refuse_account_or_region(_: &str) -> Result<String, String> {
    Err("this command is about the whole emulator, with all its accounts and regions".to_owned())
}

/// Parses the URL of an emulator. `http://` is added to a text without a scheme, and any other
/// scheme is refused.
fn http_url(text: &str) -> Result<Address, String> {
    let url = match text.split_once("://") {
        Some(("http", _)) => text.to_owned(),
        Some(_) => return Err("an endpoint is http://HOST:PORT; TLS is not needed here".to_owned()),
        None => format!("http://{text}"),
    };
    Address::read(&url, None).map_err(|error| error.0)
}

/// Converts an answer with an error status to a failure with the message in the answer.
fn refusal(mut answer: BlockingAnswer<'_>) -> Failure {
    let mut text = String::new();
    // Show the part of the answer that arrived before the connection failed.
    let _cut_off = answer.read_to_string(&mut text);
    let message = serde_json::from_str::<Value>(&text)
        .ok()
        .and_then(|body| Some(body.get("message")?.as_str()?.to_owned()));
    let whole = || format!("the emulator answers {}: {}", answer.status, text.trim());
    Failure::Refused(message.unwrap_or_else(whole))
}

/// Parses the body of an answer as JSON. An empty body gives null.
fn document(mut answer: BlockingAnswer<'_>) -> Result<Value, Failure> {
    let mut text = String::new();
    let read = answer.read_to_string(&mut text);
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
            assert_eq!(http_url(url).map(|address| address.url).as_deref(), Ok(url));
        }
        let short = http_url("localhost:4567").map(|address| address.url);
        assert_eq!(short.as_deref(), Ok("http://localhost:4567"));
        for url in ["https://localhost:4567", "", "http://"] {
            assert!(http_url(url).is_err(), "{url}");
        }
    }
}
