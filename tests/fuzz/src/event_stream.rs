//! Frames of event streams: ours are read by the SDK's own reader, and ours alone.

use super::requests::value;
use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder, read_message_from};
use aws_smithy_types::event_stream::Message;
use bytes::BytesMut;
use minikin::internals::wire::{Format, frame};
use serde_json::{Value, json};

/// Maximum number of headers of one frame, because the SDK's reader limits their bytes.
const MOST_HEADERS: usize = 8;

/// The message of a frame of ours, in terms of JSON.
pub fn read_frame(frame: &[u8]) -> Value {
    let mut rest = frame;
    let message = read_message_from(&mut rest).expect("a frame of ours is read");
    assert!(rest.is_empty(), "a frame is one message");
    let header = |name: &str| text_of(&message, name);
    let kind = header(":content-type").expect("a message says what it is in");
    let format = [Format::Json, Format::Cbor, Format::RpcV2Cbor]
        .into_iter()
        .find(|format| format.content_type() == kind)
        .expect("a message is in a format that we know");
    let names = [":message-type", ":event-type", ":exception-type"].map(header);
    json!([names, value(format, message.payload())])
}

fn text_of(message: &Message, name: &str) -> Option<String> {
    let mut headers = message.headers().iter();
    let header = headers.find(|header| header.name().as_str() == name)?;
    let text = header.value().as_string().expect("our headers are texts");
    Some(text.as_str().to_owned())
}

/// Headers and payload survive encoding and decoding, also in parts; a changed byte is detected.
///
/// The input is lines `name:value`, an empty line, and the payload.
pub fn event_stream(input: &[u8]) {
    let (headers, payload) = parts(input);
    let bytes = frame(&headers, |message| message.extend_from_slice(payload));
    let mut rest = &bytes[..];
    let message = read_message_from(&mut rest).expect("a frame of ours is read");
    assert!(rest.is_empty());
    assert_eq!(message.payload().as_ref(), payload);
    assert_eq!(message.headers().len(), headers.len());
    for (header, (name, value)) in message.headers().iter().zip(&headers) {
        assert_eq!(header.name().as_str(), *name);
        assert_eq!(header.value().as_string().unwrap().as_str(), *value);
    }
    let choice = crc32fast::hash(input) as usize;
    check_parts(&bytes, choice);
    let mut changed = bytes;
    let at = choice % changed.len();
    changed[at] ^= 1 << (choice % 8);
    let reread = read_message_from(&mut &changed[..]);
    assert!(reread.is_err(), "a changed byte is noticed");
}

/// Two frames behind each other, which arrive cut in two.
fn check_parts(frame: &[u8], choice: usize) {
    let both = frame.repeat(2);
    let (first, second) = both.split_at(choice % both.len());
    let mut decoder = MessageFrameDecoder::new();
    let mut buffer = BytesMut::from(first);
    let mut messages = 0;
    for more in [second, &[]] {
        while let DecodedFrame::Complete(_) = decoder.decode_frame(&mut buffer).unwrap() {
            messages += 1;
        }
        buffer.extend_from_slice(more);
    }
    assert_eq!((messages, buffer.len()), (2, 0));
}

fn parts(input: &[u8]) -> (Vec<(&str, &str)>, &[u8]) {
    let mut headers = Vec::new();
    let mut rest = input;
    while headers.len() < MOST_HEADERS {
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            break;
        };
        let line = str::from_utf8(&rest[..end]).ok();
        let Some((name, value)) = line.and_then(|line| line.split_once(':')) else {
            break;
        };
        rest = &rest[end + 1..];
        // A name that a frame cannot hold is none of ours.
        if (1..256).contains(&name.len()) && value.len() < 1 << 15 {
            headers.push((name, value));
        }
    }
    (headers, rest.strip_prefix(b"\n").unwrap_or(rest))
}
