//! Inputs that are stories: several requests, one after the other.
//!
//! A line `--` separates steps. The first line of a step is the name of an operation, a blank, and
//! a letter for the format; the rest is the body. An unknown name selects an operation by its
//! checksum, so that a changed byte still calls an operation. The body of `advance` is the number
//! of milliseconds that pass. In a body `$ITERATOR`, `$TOKEN`, `$NUMBER`, `$CONSUMER`,
//! `$QUEUE`, `$HANDLE` and `$CHANNEL` stand for the last answers: a fuzzer does not guess these.

use minikin::internals::operation::{Entry, OPERATIONS};
use serde_json::Value;

/// Maximum number of requests in one story. Further requests are left out.
const MOST_STEPS: usize = 12;
/// Time that one step may let pass.
const LONGEST_MS: i64 = 3 * 86_400_000;

/// A part of a story.
pub enum Step<'a> {
    /// A request: the operation, the format and the body.
    Call(&'static Entry, u8, &'a [u8]),
    /// Time passes.
    Advance(i64),
}

/// The steps of an input.
pub fn steps(input: &[u8]) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut rest = Some(input);
    while let Some(text) = rest.take_if(|_| steps.len() < MOST_STEPS) {
        const BETWEEN: &[u8] = b"\n--\n";
        let end = text
            .windows(BETWEEN.len())
            .position(|bytes| bytes == BETWEEN);
        let (step, more) = text.split_at(end.unwrap_or(text.len()));
        rest = more.get(BETWEEN.len()..);
        steps.push(step_of(step));
    }
    steps
}

fn step_of(text: &[u8]) -> Step<'_> {
    let mut lines = text.splitn(2, |byte| *byte == b'\n');
    let head = lines.next().unwrap_or_default();
    let body = lines.next().unwrap_or_default();
    if head == b"advance" {
        let ms = str::from_utf8(body).ok().and_then(|text| text.parse().ok());
        return Step::Advance(i64::clamp(ms.unwrap_or(1_000), 0, LONGEST_MS));
    }
    let mut words = head.split(|byte| *byte == b' ');
    let name = words.next().unwrap_or_default();
    let known = str::from_utf8(name).ok().and_then(Entry::find);
    let entry = known.unwrap_or_else(|| {
        let at = crc32fast::hash(name) as usize % OPERATIONS.len();
        &OPERATIONS[at]
    });
    let way = words.next().and_then(|word| word.first());
    Step::Call(entry, way.copied().unwrap_or_default(), body)
}

/// The last answer.
#[derive(Default)]
pub struct Answered {
    iterator: Option<String>,
    token: Option<String>,
    number: Option<String>,
    consumer: Option<String>,
    queue: Option<String>,
    handle: Option<String>,
    channel: Option<String>,
}

impl Answered {
    /// Looks for what later requests may name.
    pub fn note(&mut self, answer: &Value) {
        match answer {
            Value::Object(members) => {
                for (name, value) in members {
                    self.note_member(name, value);
                    self.note(value);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.note(item)),
            _ => {}
        }
    }

    fn note_member(&mut self, name: &str, value: &Value) {
        let kept = match name {
            "ShardIterator" | "NextShardIterator" => &mut self.iterator,
            "NextToken" => &mut self.token,
            "SequenceNumber" => &mut self.number,
            "ConsumerARN" => &mut self.consumer,
            "QueueARN" => &mut self.queue,
            "ReceiptHandle" => &mut self.handle,
            "ChannelARN" => &mut self.channel,
            _ => return,
        };
        *kept = value.as_str().map(str::to_owned);
    }

    fn placeholders(&self) -> [(&'static str, Option<&String>); 7] {
        [
            ("$ITERATOR", self.iterator.as_ref()),
            ("$TOKEN", self.token.as_ref()),
            ("$NUMBER", self.number.as_ref()),
            ("$CONSUMER", self.consumer.as_ref()),
            ("$QUEUE", self.queue.as_ref()),
            ("$HANDLE", self.handle.as_ref()),
            ("$CHANNEL", self.channel.as_ref()),
        ]
    }

    /// Replaces the placeholders of a text by their values.
    pub fn fill(&self, text: &str) -> String {
        let known = self.placeholders().into_iter();
        known.fold(text.to_owned(), |text, (name, value)| match value {
            Some(value) => text.replace(name, value),
            None => text,
        })
    }

    /// Replaces the placeholders in the texts of a CBOR item by their values.
    pub fn fill_item(&self, item: &mut ciborium::Value) {
        match item {
            ciborium::Value::Text(text) => *text = self.fill(text),
            ciborium::Value::Tag(_, inner) => self.fill_item(inner),
            ciborium::Value::Array(items) => items.iter_mut().for_each(|item| self.fill_item(item)),
            ciborium::Value::Map(entries) => {
                entries
                    .iter_mut()
                    .for_each(|(_, value)| self.fill_item(value));
            }
            _ => {}
        }
    }
}
