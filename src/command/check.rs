//! `minikin check`: reports the contents and the damage of a data directory, without changing it.

use crate::model::{SequenceNumber, ShardId};
use crate::store::{self, Damage, Report, ShardReport};
use crate::world::Timestamp;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Exit status of `check` if the data directory has no damage.
const WHOLE: u8 = 0;
/// Exit status of `check` if the data directory is damaged.
const DAMAGED: u8 = 1;
/// Exit status of `check` if the data directory cannot be checked.
const UNKNOWN: u8 = 2;

/// The arguments of `minikin check`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The data directory; no minikin may be running on it
    #[arg(value_name = "FOLDER")]
    directory: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let directory = &arguments.directory;
    match store::check(directory) {
        Ok(report) => {
            let text = report_text(directory, &report);
            // Ignore a failed write: a reader such as `head` may have closed the pipe. `print!`
            // would panic.
            let _ = io::stdout().write_all(text.as_bytes());
            ExitCode::from(if report.damage.is_empty() {
                WHOLE
            } else {
                DAMAGED
            })
        }
        Err(error) => {
            eprintln!("minikin: {error}");
            ExitCode::from(if error.is_damage() { DAMAGED } else { UNKNOWN })
        }
    }
}

fn report_text(directory: &Path, report: &Report) -> String {
    let mut text = String::new();
    let shards = report.streams.iter().flat_map(|stream| &stream.shards);
    let (records, bytes) = shards.fold((0, 0), |(records, bytes), shard| {
        (records + shard.records, bytes + shard.bytes)
    });
    let first = format!(
        "{}: opened {}; intact: {}, {}, {bytes} bytes in {}",
        directory.display(),
        counted(report.next_run, "time"),
        counted(report.streams.len() as u64, "stream"),
        counted(records, "record"),
        counted(report.generations as u64, "generation"),
    );
    push_line(&mut text, 0, &first);
    for stream in &report.streams {
        let name = format!("{} ({}, {})", stream.name, stream.account, stream.region);
        push_line(&mut text, 1, &name);
        for shard in &stream.shards {
            push_line(&mut text, 2, &shard_line(shard));
        }
    }
    if report.nameless_records > 0 {
        let records = counted(report.nameless_records, "record");
        let line = format!("{records} of unknown streams (usually deleted streams)");
        push_line(&mut text, 1, &line);
    }
    for note in &report.notes {
        push_line(&mut text, 0, &format!("note: {note}"));
    }
    for Damage { path, problem } in &report.damage {
        let line = format!("DAMAGED {}: {problem}", path.display());
        push_line(&mut text, 0, &line);
    }
    if report.damage.is_empty() {
        push_line(&mut text, 0, "nothing is damaged");
    }
    text
}

fn shard_line(shard: &ShardReport) -> String {
    let mut line = format!(
        "{}: {}",
        ShardId::new(shard.index),
        counted(shard.records, "record")
    );
    if let (Some(first), Some(last)) = (shard.first, shard.last) {
        let _ = write!(line, ", {} bytes", shard.bytes);
        for (word, (index, arrival)) in [("from", first), ("to", last)] {
            let number = SequenceNumber::of_record(shard.created_s, shard.index, index, arrival);
            let _ = write!(line, ", {word} {} ({number})", written(arrival));
        }
    }
    line
}

fn written(at: Timestamp) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.millis()) * 1_000_000);
    let text = at.ok().and_then(|at| at.format(&Rfc3339).ok());
    text.unwrap_or_else(|| "an invalid time".to_owned())
}

fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

fn push_line(text: &mut String, depth: usize, line: &str) {
    text.push_str(&"  ".repeat(depth));
    text.push_str(line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StreamReport;

    #[test]
    fn a_report_lists_readable_records_and_damage() {
        let at = |ms| Timestamp::from_millis(ms);
        let shard = ShardReport {
            index: 1,
            created_s: 1_700_000_000,
            records: 2,
            bytes: 90,
            first: Some((7, at(1_700_000_001_000))),
            last: Some((9, at(1_700_000_002_500))),
        };
        let stream = StreamReport {
            account: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            name: "orders".to_owned(),
            shards: vec![shard],
        };
        let damage = Damage {
            path: "gen-000000".into(),
            problem: "1 of 3 segments cannot be read".to_owned(),
        };
        let report = Report {
            next_run: 1,
            generations: 1,
            streams: vec![stream],
            nameless_records: 0,
            notes: vec!["cut".to_owned()],
            damage: vec![damage],
        };
        let text = report_text(Path::new("data"), &report);
        let expected = "\
data: opened 1 time; intact: 1 stream, 2 records, 90 bytes in 1 generation
  orders (000000000000, us-east-1)
    shardId-000000000001: 2 records, 90 bytes, from 2023-11-14T22:13:21Z (";
        assert!(text.starts_with(expected), "{text}");
        let rest = "\
note: cut
DAMAGED gen-000000: 1 of 3 segments cannot be read
";
        assert!(text.ends_with(rest), "{text}");
    }
}
