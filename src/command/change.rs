//! `minikin clear`, `reset`, `clock` and `fault`: commands that change a running emulator.

use super::client::{Client, Connection, WholeConnection, path_part};
use super::outcome::{Answer, Failure};
use super::print::{self, Form};
use crate::options::{json_of_text, rule_of_text};
use serde_json::{Value, json};

/// The arguments of `minikin clear`.
#[derive(Debug, clap::Args)]
pub(super) struct Clear {
    /// The stream's name or ARN
    stream: String,
    #[command(flatten)]
    connection: Connection,
}

/// The arguments of `minikin reset`.
#[derive(Debug, clap::Args)]
pub(super) struct Reset {
    /// Create again everything that was created at the start: streams, event source mappings and
    /// fault rules
    #[arg(long)]
    setup: bool,
    #[command(flatten)]
    connection: WholeConnection,
}

/// The arguments of `minikin clock`.
#[derive(Debug, clap::Args)]
pub(super) struct ClockArguments {
    #[command(subcommand)]
    change: Option<ClockChange>,
    #[command(flatten)]
    connection: WholeConnection,
}

#[derive(Debug, clap::Subcommand)]
enum ClockChange {
    /// Advance a virtual clock by a time
    Advance {
        /// The time to advance by, in milliseconds
        ms: u64,
    },
    /// Advance a virtual clock to a moment
    Set {
        /// The moment: RFC 3339, or seconds or milliseconds since 1970
        #[arg(value_parser = time)]
        time: crate::world::Timestamp,
    },
}

/// The arguments of `minikin fault`.
#[derive(Debug, clap::Args)]
pub(super) struct FaultArguments {
    #[command(subcommand)]
    change: FaultChange,
    #[command(flatten)]
    connection: WholeConnection,
}

#[derive(Debug, clap::Subcommand)]
enum FaultChange {
    /// List the rules, each with the number of times that it has fired
    List,
    /// Add a rule
    Add {
        /// The rule, as JSON or as kind=…,percent=…,operations=A+B
        rule: String,
    },
    /// Remove all rules
    Clear,
}

pub(super) fn clear(arguments: &Clear) -> Result<Answer, Failure> {
    let path = format!("streams/{}/clear", path_part(&arguments.stream));
    let client = Client::new(&arguments.connection)?;
    client.post(&path, &json!({})).map(|_| Answer::Yes)
}

pub(super) fn reset(arguments: &Reset) -> Result<Answer, Failure> {
    let client = Client::whole(&arguments.connection.server)?;
    let body = json!({"setup": arguments.setup});
    client.post("reset", &body).map(|_| Answer::Yes)
}

pub(super) fn clock(arguments: &ClockArguments) -> Result<Answer, Failure> {
    let client = Client::whole(&arguments.connection.server)?;
    let answer = match &arguments.change {
        None => client.get("clock", &[])?,
        Some(ClockChange::Advance { ms }) => client.post("clock", &json!({"advance_ms": ms}))?.1,
        Some(ClockChange::Set { time }) => {
            let ms = time.millis();
            client.post("clock", &json!({"set_ms": ms}))?.1
        }
    };
    let form = Form::of_output(arguments.connection.server.json);
    print::line(&clock_line(form, &answer))?;
    Ok(Answer::Yes)
}

/// Formats the emulator's answer about its clock. A line for people has the time and the kind of
/// the clock. A line for programs is JSON.
fn clock_line(form: Form, answer: &Value) -> String {
    let now_ms = answer.get("now_ms").and_then(Value::as_i64);
    let kind = answer.get("clock").and_then(Value::as_str);
    match (now_ms, kind) {
        (Some(ms), Some(kind)) if form.for_people => {
            let now = crate::world::Timestamp::from_millis(ms).to_rfc3339();
            format!("{now} ({kind} clock)")
        }
        _ => answer.to_string(),
    }
}

pub(super) fn fault(arguments: &FaultArguments) -> Result<Answer, Failure> {
    let client = Client::whole(&arguments.connection.server)?;
    let answer = match &arguments.change {
        FaultChange::List => client.get("faults", &[])?,
        FaultChange::Add { rule } => client.post("faults", &rule_of(rule)?)?.1,
        FaultChange::Clear => return client.delete("faults").map(|()| Answer::Yes),
    };
    let columns = [
        ("ID", "id"),
        ("KIND", "kind"),
        ("OPERATIONS", "operations"),
        ("STREAM", "stream"),
        ("PERCENT", "percent"),
        ("HITS", "hits"),
    ];
    let rules = answer.get("faults").and_then(Value::as_array);
    let rules = rules.map(Vec::as_slice).unwrap_or_default();
    print::rows(
        Form::of_output(arguments.connection.server.json),
        &columns,
        rules,
    )?;
    Ok(Answer::Yes)
}

/// Converts the text of fault rules to a JSON document. The text is the JSON of one rule or of a
/// list of rules, or one rule in the short form `kind=…,percent=…,operations=A+B`.
fn rule_of(text: &str) -> Result<Value, Failure> {
    let usage = |reason: String| Failure::Usage(format!("the rule cannot be read: {reason}"));
    if text.trim_start().starts_with(['{', '[']) {
        return json_of_text(text).map_err(|problem| usage(problem.to_string()));
    }
    let rule = rule_of_text(text).map_err(|problem| usage(problem.to_string()))?;
    serde_json::to_value(rule).map_err(|error| usage(error.to_string()))
}

fn time(text: &str) -> Result<crate::world::Timestamp, String> {
    crate::world::Timestamp::parse(text).ok_or_else(|| {
        "a time is 2026-01-31T12:00:00Z, or seconds or milliseconds since 1970".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_see_the_time_of_the_clock() {
        let answer = json!({"clock": "virtual", "now_ms": 1_769_860_800_000_i64});
        let form = Form::of_output(true);
        assert_eq!(clock_line(form, &answer), answer.to_string());
        let form = Form {
            for_people: true,
            ..form
        };
        let line = "2026-01-31T12:00:00Z (virtual clock)";
        assert_eq!(clock_line(form, &answer), line);
    }

    #[test]
    fn a_rule_is_json_or_names_and_values() {
        let expected = json!({
            "kind": "delay", "delay_ms": 5, "percent": 2.5, "operations": ["PutRecord", "PutRecords"],
        });
        let short = "kind=delay,delay_ms=5,percent=2.5,operations=PutRecord+PutRecords";
        assert_eq!(rule_of(short), Ok(expected.clone()));
        assert_eq!(rule_of(&expected.to_string()), Ok(expected));
        for (text, reason) in [
            (
                "delay",
                "delay: write a rule as kind=…,percent=…,operations=A+B or as JSON",
            ),
            ("{", "line 1: the JSON ends too early"),
        ] {
            let usage = format!("the rule cannot be read: {reason}");
            assert_eq!(rule_of(text), Err(Failure::Usage(usage)));
        }
    }
}
