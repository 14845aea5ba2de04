//! --compare: the same scenarios at several servers in turn, and their ratios to the first.
//!
//! The servers take turns within a round, and each round begins with another server, so that other
//! work of the machine affects all servers alike. The result is the median of the rounds.

mod rows;

use super::endpoint::Endpoint;
use super::table::grouped;
use super::{Arguments, Run, Scenario, measure_at, say, within};
use rows::{Outcome, Round, Row};
use std::str::FromStr;
use std::time::Duration;

/// More servers would not fit on a line.
const MAX_SERVERS: usize = 8;
const MAX_NAME_CHARACTERS: usize = 24;
/// Time that a measurement may take to create a stream and to fill it.
const TIME_AROUND: Duration = Duration::from_secs(120);
/// The depths of getdeep have bounds of their own, below this one.
const DEEP_TIME: Duration = Duration::from_secs(1800);

/// A server, and what the table calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    name: String,
    endpoint: Endpoint,
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, url) = text
            .split_once('=')
            .ok_or("a server to compare is written NAME=URL")?;
        let fits = (1..=MAX_NAME_CHARACTERS).contains(&name.chars().count());
        // A bar would end the cell.
        if !fits || name.contains(|letter: char| letter.is_control() || letter == '|') {
            return Err(format!(
                "a name has 1 to {MAX_NAME_CHARACTERS} printable characters"
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            endpoint: url.parse()?,
        })
    }
}

/// Measures and prints all.
///
/// # Errors
/// When the arguments do not fit together, or every server failed in everything.
pub(super) async fn run(arguments: &Arguments) -> Result<(), String> {
    let rows = measure(arguments).await?;
    let names = names(arguments);
    match arguments.json {
        true => rows.iter().for_each(|row| say(&row.json(&names))),
        false => say(&rows::table(&names, &rows)),
    }
    match rows.iter().any(Row::has_figures) {
        true => Ok(()),
        false => Err("nothing could be measured".to_owned()),
    }
}

fn names(arguments: &Arguments) -> Vec<&str> {
    let servers = arguments.compare.iter();
    servers.map(|server| server.name.as_str()).collect()
}

/// Measures one scenario after the other, at all servers.
async fn measure(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for scenario in scenarios(arguments)? {
        let outcomes = in_turn(scenario, arguments).await;
        rows.extend(rows::rows(scenario, &outcomes));
    }
    Ok(rows)
}

/// The scenarios asked for, or all that can be compared.
fn scenarios(arguments: &Arguments) -> Result<Vec<Scenario>, String> {
    if arguments.compare.len() > MAX_SERVERS {
        return Err(format!("at most {MAX_SERVERS} servers can be compared"));
    }
    let alone = [Scenario::Startup, Scenario::Memory];
    if let Some(own) = alone.iter().find(|own| arguments.scenarios.contains(own)) {
        let name = own.name();
        return Err(format!(
            "{name} looks into the server's process and is not compared"
        ));
    }
    Ok(match arguments.scenarios.as_slice() {
        // Not getdeep: filling the deepest shard takes a slow server very long. Not what only some
        // servers have.
        [] => vec![
            Scenario::Put1,
            Scenario::Put500,
            Scenario::Put500Cbor,
            Scenario::Get,
            Scenario::Streams,
        ],
        some => some.to_vec(),
    })
}

/// Takes a scenario round the servers; an outcome for each of them.
async fn in_turn(scenario: Scenario, arguments: &Arguments) -> Vec<Outcome> {
    let servers = &arguments.compare;
    let mut outcomes: Vec<Outcome> = servers.iter().map(|_| Ok(Vec::new())).collect();
    for round in 0..usize::from(arguments.rounds) {
        for turn in 0..servers.len() {
            let at = (round + turn) % servers.len();
            let (server, outcome) = (&servers[at], &mut outcomes[at]);
            // A server that failed once is not measured again.
            let Ok(rounds) = outcome else { continue };
            let measured = once(scenario, server, arguments).await;
            progress(scenario, round, server, &measured);
            match measured {
                Ok(figures) => rounds.push(figures),
                Err(failure) => *outcome = Err(failure),
            }
        }
    }
    outcomes
}

/// Measures one scenario at one server within a time limit. A refusal is often faster than the real
/// work, so one failed request fails the measurement.
async fn once(scenario: Scenario, server: &Named, arguments: &Arguments) -> Result<Round, String> {
    let measuring = match scenario {
        Scenario::GetDeep => DEEP_TIME,
        _ => Duration::from_secs(arguments.seconds),
    };
    let limit = TIME_AROUND + measuring;
    let run = Run::new(server.endpoint.0, None, arguments);
    let measured = within(limit, measure_at(scenario, run)).await;
    let figures =
        measured.unwrap_or_else(|| Err(format!("it took more than {} s", limit.as_secs())))?;
    match figures.iter().find(|figures| figures.errors > 0) {
        Some(failing) => Err(format!(
            "{} of {} requests failed: {}",
            failing.errors,
            failing.requests + failing.errors,
            failing.first_error.as_deref().unwrap_or_default()
        )),
        None => Ok(figures
            .into_iter()
            .map(|figures| {
                (
                    figures.part.clone().unwrap_or_default(),
                    scenario.rate(&figures),
                )
            })
            .collect()),
    }
}

/// Tells people, on stderr, how far it is.
fn progress(scenario: Scenario, round: usize, server: &Named, measured: &Result<Round, String>) {
    let said = match measured {
        Ok(parts) => {
            let rates: Vec<String> = parts.iter().map(|(_, rate)| grouped(*rate)).collect();
            format!("{} {}", rates.join(" "), scenario.unit())
        }
        Err(failure) => format!("failed: {failure}"),
    };
    let (name, scenario) = (&server.name, scenario.name());
    eprintln!("{scenario}, round {}, {name}: {said}", round + 1);
}

#[cfg(test)]
mod tests;
