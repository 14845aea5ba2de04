//! Requests as bytes, and the little that is looked for in answers, without parsing either.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::{memchr, memmem};
use minikin::Clock;
use minikin::internals::world::Random;
use serde_json::json;
use std::net::SocketAddr;
use time::OffsetDateTime;
use time::macros::format_description;

const JSON: &str = "application/x-amz-json-1.1";
const CBOR: &str = "application/x-amz-cbor-1.1";
/// The placeholder of a partition key in a template. Data in base64 cannot contain `<`, and random
/// bytes do not contain these 16.
const PLACE: &[u8; 16] = b"<partition-key!>";

/// A request for `operation` with a body of JSON.
pub(super) fn json(address: SocketAddr, operation: &str, body: &serde_json::Value) -> Vec<u8> {
    json_text(address, operation, &body.to_string())
}

/// The same with a body that is written already.
pub(super) fn json_text(address: SocketAddr, operation: &str, body: &str) -> Vec<u8> {
    request(address, JSON, operation, body.as_bytes())
}

/// A request to a path of Lambda's API or one of minikin's own. `line` is its method and its path.
pub(super) fn rest(address: SocketAddr, line: &str, body: &str) -> Vec<u8> {
    whole(
        address,
        (line, "lambda", "application/json"),
        "",
        body.as_bytes(),
    )
}

/// A request for an operation of Kinesis.
fn request(address: SocketAddr, content_type: &str, operation: &str, body: &[u8]) -> Vec<u8> {
    let target = format!("X-Amz-Target: Kinesis_20131202.{operation}\r\n");
    whole(address, ("POST /", "kinesis", content_type), &target, body)
}

/// A whole request, of its method and path, the service in its signature and its content type. The
/// signature looks like one and is none.
fn whole(
    address: SocketAddr,
    (line, service, content_type): (&str, &str, &str),
    headers: &str,
    body: &[u8],
) -> Vec<u8> {
    let date = date();
    let day = date.get(..8).unwrap_or_default();
    let mut request = format!(
        "{line} HTTP/1.1\r\n\
         Host: {address}\r\n\
         Content-Type: {content_type}\r\n\
         Content-Length: {}\r\n\
         {headers}\
         X-Amz-Date: {date}\r\n\
         Authorization: AWS4-HMAC-SHA256 \
         Credential=AKIAIOSFODNN7EXAMPLE/{day}/us-east-1/{service}/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature={:064x}\r\n\
         User-Agent: minikin-bench/{}\r\n\r\n",
        body.len(),
        0,
        env!("CARGO_PKG_VERSION"),
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}

/// The time now as a signature writes it.
fn date() -> String {
    let layout = format_description!("[year][month][day]T[hour][minute][second]Z");
    let now = OffsetDateTime::from_unix_timestamp(Clock::System.wall_time().seconds());
    let now = now.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    now.format(layout).unwrap_or_default()
}

/// A put that is built once and sent again and again under new partition keys.
#[derive(Debug)]
pub(super) struct Template {
    request: Vec<u8>,
    /// The positions of the partition keys.
    keys: Vec<usize>,
    random: Random,
}

impl Template {
    /// PutRecord of `payload` bytes.
    pub(super) fn put_record(address: SocketAddr, stream: &str, payload: usize) -> Self {
        let random = Random::system();
        let body = json!({
            "StreamName": stream,
            "Data": STANDARD.encode(noise(&random, payload)),
            "PartitionKey": String::from_utf8_lossy(PLACE),
        });
        Self::new(json(address, "PutRecord", &body), random)
    }

    /// PutRecords of `batch` times `payload` bytes, in JSON.
    pub(super) fn put_records(
        address: SocketAddr,
        stream: &str,
        batch: usize,
        payload: usize,
    ) -> Self {
        let random = Random::system();
        let record = |_| {
            json!({
                "Data": STANDARD.encode(noise(&random, payload)),
                "PartitionKey": String::from_utf8_lossy(PLACE),
            })
        };
        let records: Vec<_> = (0..batch).map(record).collect();
        let body = json!({ "StreamName": stream, "Records": records });
        Self::new(json(address, "PutRecords", &body), random)
    }

    /// The same in CBOR.
    ///
    /// # Errors
    /// When the body cannot be written, which only a lack of memory brings about.
    pub(super) fn put_records_cbor(
        address: SocketAddr,
        stream: &str,
        batch: usize,
        payload: usize,
    ) -> Result<Self, String> {
        use ciborium::Value;
        let random = Random::system();
        let text = |text: &str| Value::Text(text.to_owned());
        let record = |_| {
            Value::Map(vec![
                (text("Data"), Value::Bytes(noise(&random, payload))),
                (text("PartitionKey"), text(&String::from_utf8_lossy(PLACE))),
            ])
        };
        let members = vec![
            (text("StreamName"), text(stream)),
            (
                text("Records"),
                Value::Array((0..batch).map(record).collect()),
            ),
        ];
        let mut body = Vec::new();
        ciborium::into_writer(&Value::Map(members), &mut body)
            .map_err(|error| error.to_string())?;
        let request = request(address, CBOR, "PutRecords", &body);
        Ok(Self::new(request, random))
    }

    fn new(request: Vec<u8>, random: Random) -> Self {
        let keys = memmem::find_iter(&request, PLACE).collect();
        Self {
            request,
            keys,
            random,
        }
    }

    /// The records that each request holds.
    pub(super) fn records(&self) -> u64 {
        self.keys.len() as u64
    }

    /// Gives every record a new partition key.
    pub(super) fn renew(&mut self) {
        for &at in &self.keys {
            let key = hexadecimal(self.random.number());
            self.request[at..at + key.len()].copy_from_slice(&key);
        }
    }

    /// The request as it is now.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.request
    }
}

fn hexadecimal(number: u64) -> [u8; PLACE.len()] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    std::array::from_fn(|at| DIGITS[(number >> (60 - 4 * at) & 15) as usize])
}

/// Bytes that nothing compresses.
fn noise(random: &Random, length: usize) -> Vec<u8> {
    let numbers = (0..length.div_ceil(8)).flat_map(|_| random.number().to_le_bytes());
    numbers.take(length).collect()
}

/// Number of failed records in the answer to a PutRecords, in JSON or CBOR.
pub(super) fn failed_records(body: &[u8]) -> u64 {
    const NAME: &[u8] = b"FailedRecordCount";
    // Some emulators leave the count out when it is 0.
    let Some(at) = memmem::rfind(body, NAME) else {
        return 0;
    };
    let value = &body[at + NAME.len()..];
    if let Some(text) = value.strip_prefix(b"\"") {
        let digits = text.iter().skip_while(|byte| !byte.is_ascii_digit());
        let digits = digits.take_while(|byte| byte.is_ascii_digit());
        return digits.fold(0, |number, digit| {
            number * 10 % 1_000_000 + u64::from(digit - b'0')
        });
    }
    match *value {
        [small @ 0..24, ..] => u64::from(small),
        [24, byte, ..] => u64::from(byte),
        [25, high, low, ..] => u64::from(u16::from_be_bytes([high, low])),
        _ => 0,
    }
}

/// Number of records in the answer to a GetRecords.
pub(super) fn records_in(body: &[u8]) -> u64 {
    memmem::find_iter(body, b"\"SequenceNumber\"").count() as u64
}

/// The last text named `name` in JSON. What comes after it is not read.
pub(super) fn last_text(body: &[u8], name: &str) -> Option<String> {
    let quoted = format!("\"{name}\"");
    let after = &body[memmem::rfind(body, quoted.as_bytes())? + quoted.len()..];
    let open = memchr(b'"', after)?;
    let between = |byte: &u8| matches!(byte, b':' | b' ');
    if !after[..open].iter().all(between) {
        return None;
    }
    // Decodes the escapes: some emulators' iterators have line breaks in them.
    let texts = serde_json::Deserializer::from_slice(&after[open..]);
    texts.into_iter().next()?.ok()
}

/// All texts named `name` in JSON, with their escapes.
pub(super) fn texts<'a>(body: &'a [u8], name: &str) -> Vec<&'a str> {
    let quoted = format!("\"{name}\":\"");
    let text = |at: usize| {
        let text = &body[at + quoted.len()..];
        std::str::from_utf8(&text[..memchr(b'"', text)?]).ok()
    };
    memmem::find_iter(body, quoted.as_bytes())
        .filter_map(text)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOWHERE: &str = "127.0.0.1:1";

    #[test]
    fn renewing_changes_the_keys_and_nothing_else() {
        let address = NOWHERE.parse().unwrap();
        let cbor = Template::put_records_cbor(address, "s", 3, 30).unwrap();
        let templates = [
            (Template::put_record(address, "s", 30), 1),
            (Template::put_records(address, "s", 3, 30), 3),
            (cbor, 3),
        ];
        for (mut template, records) in templates {
            assert_eq!(template.records(), records);
            template.renew();
            let before = template.bytes().to_vec();
            assert_eq!(memmem::find(&before, PLACE), None);
            template.renew();
            let differs = |at: &usize| before[*at] != template.bytes()[*at];
            let changed: Vec<usize> = (0..before.len()).filter(differs).collect();
            let in_a_key = |at: &usize| {
                template
                    .keys
                    .iter()
                    .any(|key| (*key..key + 16).contains(at))
            };
            assert!(!changed.is_empty() && changed.iter().all(in_a_key));
        }
    }

    #[test]
    fn a_template_is_a_whole_request() {
        let mut template = Template::put_record(NOWHERE.parse().unwrap(), "s", 5);
        template.renew();
        let text = std::str::from_utf8(template.bytes()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())));
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(
            STANDARD
                .decode(body["Data"].as_str().unwrap())
                .unwrap()
                .len(),
            5
        );
        assert_eq!(body["PartitionKey"].as_str().unwrap().len(), 16);
    }

    #[test]
    fn failures_are_counted_in_both_formats() {
        let count = failed_records;
        assert_eq!(count(br#"{"FailedRecordCount":0,"Records":[]}"#), 0);
        assert_eq!(count(br#"{"Records":[],"FailedRecordCount": 120}"#), 120);
        assert_eq!(count(br#"{"Records":[]}"#), 0);
        assert_eq!(count(b"\xa1\x71FailedRecordCount\x05"), 5);
        assert_eq!(count(b"\xa1\x71FailedRecordCount\x18\x64\xff"), 100);
        assert_eq!(count(b"\xa1\x71FailedRecordCount\x19\x01\xf4"), 500);
    }

    #[test]
    fn the_last_text_of_a_name_is_found() {
        let body = br#"{"N":"a","Records":[{"N": "b"}],"M":null,"O":1}"#;
        let last = |name| last_text(body, name);
        assert_eq!(last("N").as_deref(), Some("b"));
        assert_eq!((last("M"), last("P")), (None, None));
        assert_eq!(
            texts(br#"[{"N":"a"},{"N":"b","M":"c"},{"N":"#, "N"),
            ["a", "b"]
        );
        let escaped = last_text(br#"{"N":"a\n\"b"}, and no JSON"#, "N");
        assert_eq!(escaped.as_deref(), Some("a\n\"b"));
    }
}
