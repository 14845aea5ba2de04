//! `minikin generate`: puts records that are generated from a template, at a given rate.

use super::client::{Client, Connection};
use super::outcome::{Answer, Failure};
use super::print::Form;
use super::put::Batch;
use super::template::{DEFAULT, Template};
use crate::limits;
use crate::options::bounded_file;
use crate::world::{Random, Stopwatch};
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

/// Time in milliseconds between two requests of `minikin generate`, if the option `--rate` is set.
const STEP_MS: u64 = 100;
/// Time between two updates of the progress line.
const PROGRESS: Duration = Duration::from_millis(200);

/// The arguments of `minikin generate`.
#[derive(Debug, clap::Args)]
pub(super) struct Generate {
    /// The stream's name or ARN
    stream: String,
    /// The number of records to put
    #[arg(long, value_name = "N")]
    records: u64,
    /// The number of records a second [default: as many as the emulator takes]
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u64).range(1..))]
    rate: Option<u64>,
    /// The template of the records, or @FILE. Placeholders: {{uuid}}, {{counter [FIRST [STEP]]}},
    /// {{int LOW HIGH}}, {{float LOW HIGH [DECIMALS]}}, {{bool}}, {{now}}, {{now-ms}}, {{choice
    /// WORD[:WEIGHT] …}}, {{name}}, {{first-name}}, {{last-name}}, {{email}}, {{user}}, {{city}},
    /// {{country}}, {{sentence}}
    #[arg(long, value_name = "T")]
    template: Option<String>,
    /// The template of the partition keys
    #[arg(long, value_name = "T", default_value = "{{uuid}}")]
    key: String,
    /// The seed of all random choices: the same seed generates the same records, apart from times
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    #[command(flatten)]
    connection: Connection,
}

pub(super) fn run(arguments: &Generate) -> Result<Answer, Failure> {
    let template = template(arguments.template.as_deref())?;
    let key = Template::parse(&arguments.key)
        .map_err(|reason| Failure::Usage(format!("--key: {reason}")))?;
    let random = arguments.seed.map_or_else(Random::system, Random::seeded);
    let client = Client::new(&arguments.connection)?;
    let mut batch = Batch::new(&client, &arguments.stream);
    let mut pace = Pace::start(arguments.rate, arguments.records);
    for number in 0..arguments.records {
        batch.add(&key.fill(number, &random), &template.fill(number, &random))?;
        if pace.is_due(number + 1) {
            batch.send()?;
            pace.wait(number + 1);
        }
    }
    let sent = batch.end()?;
    pace.end();
    sent.report(Form::of_output(arguments.connection.server.json))
}

fn template(given: Option<&str>) -> Result<Template, Failure> {
    let read;
    let text = match given {
        None => DEFAULT,
        Some(text) => match text.strip_prefix('@') {
            None => text,
            Some(path) => {
                let path = PathBuf::from(path);
                let refused =
                    |error: io::Error| Failure::Usage(format!("{}: {error}", path.display()));
                read = bounded_file::text(&path, limits::OPTION_FILE_BYTES).map_err(refused)?;
                read.trim_end_matches('\n')
            }
        },
    };
    Template::parse(text).map_err(|reason| Failure::Usage(format!("--template: {reason}")))
}

/// Delays the records so that they are sent no faster than the given rate. Shows a progress line if
/// stderr is a terminal.
struct Pace {
    begun: Stopwatch,
    rate: Option<u64>,
    records: u64,
    shown: Option<Duration>,
}

impl Pace {
    fn start(rate: Option<u64>, records: u64) -> Self {
        Self {
            begun: Stopwatch::start(),
            rate,
            records,
            shown: io::stderr().is_terminal().then_some(Duration::ZERO),
        }
    }

    /// True if the records that were generated since the last request have to be sent now. `number`
    /// is the number of records that were generated since the start.
    fn is_due(&self, number: u64) -> bool {
        let step = |rate: u64| (rate * STEP_MS / 1000).max(1);
        self.rate
            .is_some_and(|rate| number.is_multiple_of(step(rate)))
            || (self.rate.is_none() && number.is_multiple_of(500))
    }

    /// Waits until the given rate permits `number` records since the start, and updates the
    /// progress line.
    fn wait(&mut self, number: u64) {
        if let Some(rate) = self.rate {
            let due = Duration::from_secs_f64(number as f64 / rate as f64);
            std::thread::sleep(due.saturating_sub(self.begun.elapsed()));
        }
        let elapsed = self.begun.elapsed();
        if self.shown.is_some_and(|shown| elapsed >= shown + PROGRESS) {
            self.shown = Some(elapsed);
            let rate = number as f64 / elapsed.as_secs_f64();
            eprint!("\r{number} of {} records, {rate:.0}/s ", self.records);
            let _ = io::stderr().flush();
        }
    }

    fn end(&self) {
        if self.shown.is_some_and(|shown| !shown.is_zero()) {
            eprintln!();
        }
    }
}
