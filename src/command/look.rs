//! `minikin streams`, `queues`, `records` and `wait`: commands that read from a running emulator.

use super::client::{Client, Connection, path_part};
use super::outcome::{Answer, Failure};
use super::print::{self, Colour, Form};
use serde_json::{Value, json};

/// The arguments of `minikin streams` and `minikin queues`, which have no options of their own.
#[derive(Debug, clap::Args)]
pub(super) struct Plain {
    #[command(flatten)]
    connection: Connection,
}

/// The arguments of `minikin records`.
#[derive(Debug, clap::Args)]
pub(super) struct Records {
    /// The stream's name or ARN
    stream: String,
    /// The position of the first record: trim_horizon, latest, a time (RFC 3339, or seconds since
    /// 1970) or a sequence number
    #[arg(long, value_name = "POSITION")]
    from: Option<String>,
    /// Show the records of this shard only
    #[arg(long, value_name = "ID")]
    shard: Option<String>,
    /// Show the records with this partition key only
    #[arg(long)]
    key: Option<String>,
    /// Show only the records with this text in their data
    #[arg(long)]
    text: Option<String>,
    /// Show at most this number of records
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    #[command(flatten)]
    connection: Connection,
}

/// The arguments of `minikin wait`.
#[derive(Debug, clap::Args)]
pub(super) struct Wait {
    /// The stream's name or ARN
    stream: String,
    /// The number of records to wait for, counted since the stream was last cleared
    #[arg(long, value_name = "N")]
    records: u64,
    /// The longest time to wait, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 10_000)]
    timeout_ms: u64,
    #[command(flatten)]
    connection: Connection,
}

pub(super) fn streams(arguments: &Plain) -> Result<Answer, Failure> {
    let columns = [
        ("STREAM", "StreamName"),
        ("STATUS", "StreamStatus"),
        ("MODE", "StreamMode"),
        ("SHARDS", "OpenShardCount"),
        ("RECORDS", "Records"),
        ("BYTES", "Bytes"),
        ("CONSUMERS", "ConsumerCount"),
    ];
    list(&arguments.connection, "streams", &columns)
}

pub(super) fn queues(arguments: &Plain) -> Result<Answer, Failure> {
    let columns = [
        ("QUEUE", "QueueName"),
        ("STREAM", "StreamName"),
        ("STATUS", "QueueStatus"),
        ("VISIBLE", "Visible"),
        ("IN FLIGHT", "InFlight"),
        ("DEAD LETTER", "DeadLetter"),
        ("RECEIVED", "Received"),
        ("ACKNOWLEDGED", "Acknowledged"),
    ];
    list(&arguments.connection, "queues", &columns)
}

/// Gets a list from the emulator and prints its items as rows. `name` is the path of the list, and
/// also the member of the answer that contains the list.
fn list(connection: &Connection, name: &str, columns: &[print::Column]) -> Result<Answer, Failure> {
    let answer = Client::new(connection)?.get(name, &[])?;
    let rows = answer.get(name).and_then(Value::as_array);
    let rows = rows.map(Vec::as_slice).unwrap_or_default();
    print::rows(Form::of_output(connection.server.json), columns, rows)?;
    Ok(Answer::Yes)
}

/// Shows the stored records of a stream.
pub(super) fn records(arguments: &Records) -> Result<Answer, Failure> {
    let mut query = Vec::new();
    query.extend(arguments.shard.as_deref().map(|shard| ("shard", shard)));
    query.extend(arguments.from.as_deref().map(|from| ("from", from)));
    query.extend(arguments.key.as_deref().map(|key| ("key", key)));
    query.extend(arguments.text.as_deref().map(|text| ("text", text)));
    let limit = arguments.limit.unwrap_or(u64::MAX);
    print_records(&arguments.connection, &arguments.stream, &query, limit)
}

/// Prints the stored records of a stream, page by page, until `limit` records are printed.
pub(super) fn print_records(
    connection: &Connection,
    stream: &str,
    query: &[(&str, &str)],
    limit: u64,
) -> Result<Answer, Failure> {
    let client = Client::new(connection)?;
    let form = Form::of_output(connection.server.json);
    let path = format!("streams/{}", path_part(stream));
    let mut next: Option<String> = None;
    let mut printed = 0;
    loop {
        let mut page = query.to_vec();
        page.extend(next.as_deref().map(|next| ("next", next)));
        let answer = client.get(&format!("{path}/records"), &page)?;
        let records = answer.get("Records").and_then(Value::as_array);
        for record in records.into_iter().flatten() {
            print::line(&record_line(form, record))?;
            printed += 1;
            if printed == limit {
                return Ok(Answer::Yes);
            }
        }
        next = answer
            .get("Next")
            .and_then(Value::as_str)
            .map(str::to_owned);
        if next.is_none() {
            return Ok(Answer::Yes);
        }
    }
}

/// Formats a record as one line of output. A line for people has the time, the shard, the partition
/// key and the data. If the record comes from a tail, the line also has the lag. A line for
/// programs is JSON.
pub(super) fn record_line(form: Form, record: &Value) -> String {
    if !form.for_people {
        return record.to_string();
    }
    let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
    let time = match record.get("ApproximateArrivalTimestamp") {
        Some(Value::String(time)) => time.clone(),
        Some(time) => time.to_string(),
        None => String::new(),
    };
    let lag_ms = record.get("LagMs").and_then(Value::as_u64);
    let lag = lag_ms.map(|ms| format!(" +{ms} ms")).unwrap_or_default();
    let shard = text("ShardId").trim_start_matches("shardId-");
    let shard = match shard.trim_start_matches('0') {
        "" => "0",
        number => number,
    };
    let key = print::printable(text("PartitionKey"));
    format!(
        "{} {} {} {}",
        form.paint(Colour::Dim, &format!("{time}{lag}")),
        form.paint(Colour::Cyan, shard),
        form.paint(Colour::Green, &key),
        data_text(record)
    )
}

/// The data of a record in a readable form: JSON, text, the user records of an aggregated record,
/// or base64.
fn data_text(record: &Value) -> String {
    if let Some(json) = record.get("Json") {
        return json.to_string();
    }
    if let Some(text) = record.get("Text").and_then(Value::as_str) {
        return print::printable(text);
    }
    if let Some(records) = record.get("Aggregated").and_then(Value::as_array) {
        let texts: Vec<String> = records.iter().map(data_text).collect();
        return format!("{} user records: {}", records.len(), texts.join(" | "));
    }
    let data = record.get("Data").and_then(Value::as_str);
    format!("base64 {}", data.unwrap_or_default())
}

/// Waits until the stream has received the given number of records.
pub(super) fn wait(arguments: &Wait) -> Result<Answer, Failure> {
    let client = Client::new(&arguments.connection)?;
    let path = format!("streams/{}/wait", path_part(&arguments.stream));
    let body = json!({"records": arguments.records, "timeout_ms": arguments.timeout_ms});
    let (status, answer) = client.post(&path, &body)?;
    let form = Form::of_output(arguments.connection.server.json);
    if form.for_people {
        let had = answer
            .get("records")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        print::line(&format!("{had} of {} records", arguments.records))?;
    } else {
        print::line(&answer.to_string())?;
    }
    Ok(match status {
        408 => Answer::No,
        _ => Answer::Yes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_a_tail_is_shown_with_its_lag() {
        let form = Form {
            for_people: true,
            ..Form::of_output(true)
        };
        let mut record = json!({
            "ShardId": "shardId-000000000012", "PartitionKey": "k", "Text": "a",
            "ApproximateArrivalTimestamp": "2026-01-31T12:00:00.000Z", "LagMs": 17,
        });
        let line = "2026-01-31T12:00:00.000Z +17 ms 12 k a";
        assert_eq!(record_line(form, &record), line);
        record["LagMs"].take();
        assert_eq!(record_line(form, &record), line.replace(" +17 ms", ""));
    }

    #[test]
    fn data_is_shown_as_a_person_reads_it() {
        assert_eq!(data_text(&json!({"Json": {"a": 1}})), r#"{"a":1}"#);
        assert_eq!(data_text(&json!({"Text": "a\tb"})), "a\\tb");
        assert_eq!(data_text(&json!({"Data": "AAE="})), "base64 AAE=");
        let aggregate = json!({"Aggregated": [{"Text": "a"}, {"Text": "b"}]});
        assert_eq!(data_text(&aggregate), "2 user records: a | b");
    }
}
