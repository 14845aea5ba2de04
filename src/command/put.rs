//! `minikin put`, and the code with which `minikin put` and `minikin generate` send records in
//! batches.

use super::client::{Client, Connection, path_part};
use super::outcome::{Answer, Failure};
use super::print::{self, Form};
use serde_json::{Value, json};
use std::io::{self, BufRead};

/// Maximum number of records in one request to put records.
const BATCH_RECORDS: usize = 500;
/// A batch of at least this many bytes is sent, even with fewer than `BATCH_RECORDS` records.
const BATCH_BYTES: usize = 4 << 20;

/// The arguments of `minikin put`.
#[derive(Debug, clap::Args)]
pub(super) struct Put {
    /// The stream's name or ARN
    stream: String,
    /// The data of one record [default: every line of standard input is a record]
    data: Option<String>,
    /// The partition key, or a JSON pointer into each record, such as /customer/id [default: the
    /// number of the record]
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

/// Puts one record, or one record for each line of standard input.
pub(super) fn run(arguments: &Put) -> Result<Answer, Failure> {
    let client = Client::new(&arguments.connection)?;
    let mut batch = Batch::new(&client, &arguments.stream);
    let key = arguments.key.as_deref();
    let form = Form::of_output(arguments.connection.server.json);
    if let Some(data) = &arguments.data {
        batch.add(&key_of(key, data, 1)?, data)?;
        return batch.end()?.report(form);
    }
    for (line, number) in io::stdin().lock().lines().zip(1..) {
        let line = line.map_err(|error| Failure::Usage(format!("standard input: {error}")));
        match line.and_then(|line| Ok((key_of(key, &line, number)?, line))) {
            Ok((key, line)) => batch.add(&key, &line)?,
            Err(unusable) => {
                // Send the records from the lines before the unusable line, and print the usual
                // report about these records.
                batch.end()?.report(form)?;
                return Err(unusable);
            }
        }
    }
    batch.end()?.report(form)
}

/// The partition key of a record. Without `key`, the partition key is the record's number. If `key`
/// begins with a slash, the partition key is the member of the JSON record that `key` points to.
/// Otherwise the partition key is `key` itself.
fn key_of(key: Option<&str>, data: &str, number: u64) -> Result<String, Failure> {
    let Some(key) = key else {
        return Ok(number.to_string());
    };
    if !key.starts_with('/') {
        return Ok(key.to_owned());
    }
    let refused = |text: &str| Failure::Usage(format!("record {number}: {text}"));
    let record: Value =
        serde_json::from_str(data).map_err(|error| refused(&format!("not JSON: {error}")))?;
    match record.pointer(key) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Null) | None => Err(refused(&format!("the record has no member at {key}"))),
        Some(other) => Ok(other.to_string()),
    }
}

/// The numbers of records that the emulator has accepted and refused so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sent {
    pub(super) put: u64,
    pub(super) refused: u64,
}

impl Sent {
    /// Prints the numbers of accepted and refused records, and the likely reason for the refusals.
    pub(super) fn report(self, form: Form) -> Result<Answer, Failure> {
        let Self { put, refused } = self;
        print::line(&match form.for_people {
            true => format!("{put} records put, {refused} refused"),
            false => json!({"put": put, "refused": refused}).to_string(),
        })?;
        if self.refused == 0 {
            return Ok(Answer::Yes);
        }
        eprintln!(
            "minikin: {} records were refused, as a rule by the write limits of the shards: use \
             more shards, or start the emulator with --profile fast",
            self.refused
        );
        Ok(Answer::No)
    }
}

/// The records that the next request will send to the emulator.
pub(super) struct Batch<'a> {
    client: &'a Client,
    path: String,
    lines: Vec<u8>,
    records: usize,
    pub(super) sent: Sent,
}

impl<'a> Batch<'a> {
    pub(super) fn new(client: &'a Client, stream: &str) -> Self {
        Self {
            client,
            path: format!("streams/{}/records", path_part(stream)),
            lines: Vec::new(),
            records: 0,
            sent: Sent::default(),
        }
    }

    /// Adds a record to the batch. Sends the batch once it has enough records or bytes.
    pub(super) fn add(&mut self, key: &str, text: &str) -> Result<(), Failure> {
        let record = json!({"PartitionKey": key, "Text": text});
        self.lines.extend(record.to_string().into_bytes());
        self.lines.push(b'\n');
        self.records += 1;
        if self.records >= BATCH_RECORDS || self.lines.len() >= BATCH_BYTES {
            self.send()?;
        }
        Ok(())
    }

    /// Sends the records in the batch in one request. Does nothing if the batch is empty.
    pub(super) fn send(&mut self) -> Result<(), Failure> {
        if self.records == 0 {
            return Ok(());
        }
        let lines = std::mem::take(&mut self.lines);
        let answer = self.client.post_lines(&self.path, lines.into())?;
        let failed = answer.get("FailedRecordCount").and_then(Value::as_u64);
        let failed = failed.unwrap_or_default();
        self.sent.put += self.records as u64 - failed;
        self.sent.refused += failed;
        self.records = 0;
        Ok(())
    }

    /// Sends the records that are still in the batch. Returns the numbers of accepted and refused
    /// records since the batch was made.
    pub(super) fn end(mut self) -> Result<Sent, Failure> {
        self.send()?;
        Ok(self.sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_text_or_points_into_the_record() {
        let record = r#"{"customer": {"id": 7}, "name": "x"}"#;
        let key = |key| key_of(key, record, 3).ok();
        assert_eq!(key(None).as_deref(), Some("3"));
        assert_eq!(key(Some("k")).as_deref(), Some("k"));
        assert_eq!(key(Some("/customer/id")).as_deref(), Some("7"));
        assert_eq!(key(Some("/name")).as_deref(), Some("x"));
        assert_eq!(key(Some("/none")), None);
        assert!(key_of(Some("/a"), "text", 1).is_err());
    }
}
