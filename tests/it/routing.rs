//! Requests on their way from a connection to an operation, and the answers.

mod bodies;
mod browsers;
mod connections;
mod credentials;
mod formats;
mod rpc_v2;
mod tls;
mod unroutable;

use crate::lab::Answer;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The headers of every answer of the protocol.
const USUAL: [&str; 5] = [
    "content-length",
    "content-type",
    "date",
    "x-amz-id-2",
    "x-amzn-requestid",
];

/// Checks the form of the ids in an answer.
fn check_ids(answer: &Answer) {
    let id = answer.header("x-amzn-requestid").expect("a request id");
    let groups: Vec<usize> = id.split('-').map(str::len).collect();
    assert_eq!(groups, [8, 4, 4, 4, 12], "{id}");
    let lower = |byte: u8| byte == b'-' || byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    assert!(id.bytes().all(lower), "{id}");
    let extended = answer.header("x-amz-id-2").expect("an extended id");
    let bytes = STANDARD.decode(extended).expect("base64");
    assert!((64..=80).contains(&bytes.len()), "{extended}");
}

/// Checks that an answer has the usual headers and no others.
pub(crate) fn check_usual(answer: &Answer) {
    check_ids(answer);
    assert_eq!(answer.header_names(), USUAL);
    let length = answer.body.len().to_string();
    assert_eq!(answer.header("content-length"), Some(length.as_str()));
    let date = answer.header("date").unwrap();
    assert!(date.len() == 29 && date.ends_with(" GMT"), "{date}");
}
