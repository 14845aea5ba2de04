//! Requests in both formats, into the whole server.
//!
//! Two servers with the same seed get the same requests. The second gets them in the other format,
//! in another spelling, or with a repeated member, which only the explaining reader accepts. Both
//! servers must give the same answers.

use super::document::{as_json, cbor, cbor_of, json_of, plain};
use super::event_stream::read_frame;
use super::script::{Answered, Step, steps};
use super::server::{Answer, Bed};
use bytes::Bytes;
use ciborium::Value;
use http_body_util::Full;
use hyper::Request;
use minikin::Authentication;
use minikin::internals::operation::Entry;
use minikin::internals::wire::{Format, Node, parses};
use serde_json::{Value as Json, json};
use std::borrow::Cow;

/// Greatest depth of a document that is spelled in other ways. Each reader has its own limit.
const DEPTH: usize = 64;
/// The beginning of every story.
const BEGINNING: &[(&str, &str)] = &[
    ("CreateStream", r#"{"StreamName":"orders","ShardCount":2}"#),
    (
        "RegisterStreamConsumer",
        r#"{"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/orders","ConsumerName":"reader"}"#,
    ),
    (
        "PutRecord",
        r#"{"StreamName":"orders","Data":"Zmlyc3Q=","PartitionKey":"key"}"#,
    ),
];

/// Stories in JSON.
pub fn json_request(input: &[u8]) {
    story(input, Format::Json);
}

/// Stories in CBOR.
pub fn cbor_request(input: &[u8]) {
    story(input, Format::Cbor);
}

/// Stories in RPC v2 CBOR.
pub fn rpc_v2_request(input: &[u8]) {
    story(input, Format::RpcV2Cbor);
}

/// Sends the requests of a story. Returns the status of the last answer.
pub fn story(input: &[u8], format: Format) -> Option<u64> {
    let beds = [(); 2].map(|()| Bed::new(Authentication::Structure, Vec::new()));
    let mut answered = Answered::default();
    for (name, body) in BEGINNING {
        let entry = Entry::find(name).unwrap();
        for bed in &beds {
            let answer = bed.ask(request(entry, 0, Format::Json, body.as_bytes().to_vec()));
            let value = check(entry, 0, Format::Json, &answer);
            assert_eq!(answer.status, 200, "{value}");
            answered.note(&value);
        }
    }
    let mut status = None;
    for step in steps(input) {
        match step {
            Step::Advance(ms) => beds.iter().for_each(|bed| bed.advance(ms)),
            Step::Call(entry, way, body) => {
                let body = filled(format, body, &answered);
                // A body without a format cannot be written in another one.
                let other = (way != b'p')
                    .then(|| otherwise(entry, format, &body))
                    .flatten();
                let (other_format, other_body) = other.unwrap_or_else(|| (format, body.to_vec()));
                let asked = request(entry, way, format, body.to_vec());
                let value = check(entry, way, format, &beds[0].ask(asked));
                if is_routed(way) && value[0] == 200 && !body.is_empty() {
                    assert!(parses(format, &body), "only the fast reader takes it");
                }
                let asked = request(entry, way, other_format, other_body);
                let other = check(entry, way, other_format, &beds[1].ask(asked));
                assert_eq!(value, other, "{} says another thing otherwise", entry.name);
                answered.note(&value);
                status = value[0].as_u64();
            }
        }
    }
    status
}

/// The body with values of earlier answers in place of its placeholders.
fn filled<'a>(format: Format, body: &'a [u8], answered: &Answered) -> Cow<'a, [u8]> {
    if !body.contains(&b'$') {
        return Cow::Borrowed(body);
    }
    match format {
        Format::Json => match str::from_utf8(body) {
            Ok(text) => Cow::Owned(answered.fill(text).into_bytes()),
            Err(_) => Cow::Borrowed(body),
        },
        Format::Cbor | Format::RpcV2Cbor => match ciborium::from_reader::<Value, _>(body) {
            Ok(mut item) => {
                answered.fill_item(&mut item);
                Cow::Owned(cbor(&item))
            }
            Err(_) => Cow::Borrowed(body),
        },
    }
}

/// The same request in another spelling. The request alone decides the spelling.
fn otherwise(entry: &Entry, format: Format, body: &[u8]) -> Option<(Format, Vec<u8>)> {
    let choice = crc32fast::hash(body) % 3;
    match format {
        Format::Json => json_otherwise(entry, body, choice),
        Format::Cbor => cbor_otherwise(body, choice).map(|body| (Format::Cbor, body)),
        // CBOR 1.1 has another unit of times, so the protocol stays.
        Format::RpcV2Cbor => cbor_otherwise(body, choice).map(|body| (format, body)),
    }
}

/// True if a request that is sent in this way reaches its operation.
fn is_routed(way: u8) -> bool {
    !b"goxpst".contains(&way)
}

fn json_otherwise(entry: &Entry, body: &[u8], choice: u32) -> Option<(Format, Vec<u8>)> {
    let node: Node = serde_json::from_slice(body).ok()?;
    if depth(body) > DEPTH {
        return None;
    }
    match choice {
        0 => Some((Format::Cbor, cbor(&cbor_of(&node, Some(entry.input))?))),
        choice => Some((Format::Json, json_of(&node, choice == 1).into_bytes())),
    }
}

fn cbor_otherwise(body: &[u8], choice: u32) -> Option<Vec<u8>> {
    let mut item: Value = ciborium::from_reader(body).ok()?;
    if choice == 0
        && let Value::Map(entries) = &mut item
    {
        entries.extend(entries.last().cloned());
    }
    Some(cbor(&item))
}

fn depth(body: &[u8]) -> usize {
    body.iter()
        .filter(|byte| matches!(byte, b'[' | b'{'))
        .count()
}

/// A request with these bytes, sent in one of many ways.
fn request(entry: &Entry, way: u8, format: Format, body: Vec<u8>) -> Request<Full<Bytes>> {
    let method = match way {
        b'g' => "GET",
        b'o' => "OPTIONS",
        _ => "POST",
    };
    let key = if way == b'a' { "111111111111" } else { "AKIA" };
    let content_type = match way {
        b'p' => "application/json".to_owned(),
        b'x' => "text/plain".to_owned(),
        b'c' => format!(" {};charset=UTF-8", format.content_type().to_uppercase()),
        _ => format.content_type().to_owned(),
    };
    let service = if way == b's' {
        "Other"
    } else {
        "Kinesis_20131202"
    };
    let path = match format {
        Format::RpcV2Cbor => format!("/service/{service}/operation/{}", entry.name),
        _ => "/".to_owned(),
    };
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost:4567")
        .header("content-type", content_type)
        .header("x-amz-date", "20231114T221320Z");
    if format == Format::RpcV2Cbor {
        request = request.header("smithy-protocol", "rpc-v2-cbor");
    }
    if way != b't' {
        request = request.header("x-amz-target", format!("{service}.{}", entry.name));
    }
    if matches!(way, b'o' | b'w') {
        request = request.header("origin", "http://localhost");
    }
    if way != b'u' {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={key}/20231114/us-east-1/kinesis/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature=0123456789abcdef"
        );
        request = request.header("authorization", authorization);
    }
    request.body(Full::from(body)).unwrap()
}

/// Calls an operation in JSON. Returns the status and the answer.
pub fn call(bed: &Bed, name: &str, body: &Json) -> (u64, Json) {
    let entry = Entry::find(name).unwrap();
    let asked = request(entry, 0, Format::Json, body.to_string().into_bytes());
    let value = check(entry, 0, Format::Json, &bed.ask(asked));
    let answer = value[1].get(0).cloned().unwrap_or_default();
    (value[0].as_u64().unwrap(), answer)
}

/// Checks that an answer is one, and tells it in terms of JSON.
fn check(entry: &Entry, way: u8, asked: Format, answer: &Answer) -> Json {
    let (name, routed) = (entry.name, is_routed(way));
    let known = match answer.status {
        200 | 400 | 413 => true,
        403 | 404 => !routed,
        // The service, too, fails over the oldest sequence numbers, of which 0 is one.
        500 => ["GetShardIterator", "SubscribeToShard"].contains(&name),
        _ => false,
    };
    assert!(known, "{name} {answer:?}");
    let values: Vec<Json> = match answer.content_type.as_deref() {
        Some("application/vnd.amazon.eventstream") => {
            assert_eq!((name, answer.status), ("SubscribeToShard", 200));
            assert!(!answer.parts.is_empty(), "the greeting comes at once");
            answer.parts.iter().map(|frame| read_frame(frame)).collect()
        }
        Some("application/json") => answer.parts.iter().map(|body| json_value(body)).collect(),
        Some(kind) => {
            let format = [Format::Json, Format::Cbor, Format::RpcV2Cbor]
                .into_iter()
                .find(|format| format.content_type() == kind)
                .expect("an answer's type is one that we know");
            assert!(format == asked || answer.status != 200, "{name} {answer:?}");
            answer
                .parts
                .iter()
                .map(|body| value(format, body))
                .collect()
        }
        // An operation without output has no type in RPC v2.
        None if asked == Format::RpcV2Cbor && answer.status == 200 => Vec::new(),
        None => {
            let text = answer.parts.concat();
            vec![Json::from(String::from_utf8(text).expect("XML is text"))]
        }
    };
    if routed && answer.status == 400 {
        let kind = values[0]["__type"].as_str().expect("a refusal says which");
        let kind = kind.rsplit('#').next().unwrap_or(kind);
        let whole = kind.ends_with("Exception") || kind == "KMSOptInRequired";
        assert!(whole && values.len() == 1, "{name} {values:?}");
    }
    json!([answer.status, values])
}

/// The value of a body or a payload.
pub fn value(format: Format, body: &[u8]) -> Json {
    match format {
        Format::Json => json_value(body),
        Format::Cbor | Format::RpcV2Cbor => {
            let mut rest = body;
            let item: Value = ciborium::from_reader(&mut rest).expect("an answer is an item");
            assert!(rest.is_empty(), "nothing stands behind an answer");
            plain(as_json(&item))
        }
    }
}

fn json_value(body: &[u8]) -> Json {
    plain(serde_json::from_slice(body).expect("an answer is a document"))
}
