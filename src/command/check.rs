//! `minikin check`: what of a data directory is intact, and with `--repair` a way out.

use crate::model::{SequenceNumber, ShardId};
use crate::store::{self, Damage, Report, ShardReport};
use crate::world::Timestamp;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Nothing is damaged, or nothing any more.
const SOUND: u8 = 0;
/// Something is damaged.
const DAMAGED: u8 = 1;
/// It cannot be said.
const UNKNOWN: u8 = 2;

/// What to check.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The data directory; no minikin may be running on it
    #[arg(value_name = "FOLDER")]
    directory: PathBuf,

    /// Move what is damaged to the folder aside in it, and write anew what of that is intact
    #[arg(long)]
    repair: bool,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let directory = &arguments.directory;
    let done = if arguments.repair {
        store::repair(directory).map(|repaired| {
            let mut text = String::new();
            if !repaired.done.is_empty() {
                text = told(directory, &repaired.before, true);
                text.push_str("\nrepaired:\n");
                for step in &repaired.done {
                    push_line(&mut text, 1, step);
                }
                text.push('\n');
            }
            text.push_str(&told(directory, &repaired.after, true));
            (text, repaired.after.damage.is_empty())
        })
    } else {
        store::check(directory)
            .map(|report| (told(directory, &report, false), report.damage.is_empty()))
    };
    match done {
        Ok((text, is_sound)) => {
            // Not print, which panics when the reader, such as head, has seen enough.
            let _ = io::stdout().write_all(text.as_bytes());
            ExitCode::from(if is_sound { SOUND } else { DAMAGED })
        }
        Err(error) => {
            eprintln!("minikin: {error}");
            ExitCode::from(UNKNOWN)
        }
    }
}

/// A report for people.
fn told(directory: &Path, report: &Report, repairing: bool) -> String {
    let mut text = String::new();
    let shards = report.streams.iter().flat_map(|stream| &stream.shards);
    let (records, bytes) = shards.fold((0, 0), |(records, bytes), shard| {
        (records + shard.records, bytes + shard.bytes)
    });
    let first = format!(
        "{}: opened {}; intact: {}, {}, {bytes} bytes in {}",
        directory.display(),
        counted(report.openings, "time"),
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
        let line = format!("{records} of streams that are not known: deleted ones, as a rule");
        push_line(&mut text, 1, &line);
    }
    for note in &report.notes {
        push_line(&mut text, 0, &format!("note: {note}"));
    }
    for Damage {
        path,
        problem,
        cost,
    } in &report.damage
    {
        let line = format!("DAMAGED {}: {problem}", path.display());
        push_line(&mut text, 0, &line);
        push_line(&mut text, 1, &format!("costs at most: {cost}"));
    }
    if report.damage.is_empty() {
        push_line(&mut text, 0, "nothing is damaged");
    } else if !repairing {
        let way_out = format!(
            "`minikin check --repair {}` sets the damage aside and brings back what of it is intact",
            directory.display()
        );
        push_line(&mut text, 0, &way_out);
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
            let arrived_s = u64::try_from(arrival.seconds()).unwrap_or_default();
            let number = SequenceNumber {
                created_s: shard.created_s,
                shard: shard.index,
                index,
                time_s: arrived_s.max(shard.created_s),
            };
            let _ = write!(line, ", {word} {} ({number})", written(arrival));
        }
    }
    line
}

fn written(at: Timestamp) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.millis()) * 1_000_000);
    let text = at.ok().and_then(|at| at.format(&Rfc3339).ok());
    text.unwrap_or_else(|| "a time that cannot be".to_owned())
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
    fn a_report_says_what_is_intact_and_what_is_not() {
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
            path: "gen-000000/slabs/128".into(),
            problem: "it is missing".to_owned(),
            cost: "1 of its 3 leaves".to_owned(),
        };
        let report = Report {
            openings: 1,
            generations: 1,
            streams: vec![stream],
            nameless_records: 0,
            notes: vec!["cut".to_owned()],
            damage: vec![damage],
        };
        let text = told(Path::new("data"), &report, false);
        let expected = "\
data: opened 1 time; intact: 1 stream, 2 records, 90 bytes in 1 generation
  orders (000000000000, us-east-1)
    shardId-000000000001: 2 records, 90 bytes, from 2023-11-14T22:13:21Z (";
        assert!(text.starts_with(expected), "{text}");
        let rest = "\
note: cut
DAMAGED gen-000000/slabs/128: it is missing
  costs at most: 1 of its 3 leaves
`minikin check --repair data` sets the damage aside and brings back what of it is intact
";
        assert!(text.ends_with(rest), "{text}");
    }
}
