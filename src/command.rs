//! The command line: reads the arguments and runs the command.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "commands print their results"
)]

mod change;
mod check;
mod client;
mod generate;
mod health;
mod limits;
mod logging;
mod look;
mod outcome;
mod print;
mod progress;
mod put;
mod serve;
mod signal;
mod snapshot;
mod tail;
mod template;

use crate::options::{self, Options};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::process::ExitCode;

/// A local Amazon Kinesis Data Streams.
///
/// Every option is also an environment variable, MINIKIN_…, and a key in the file of --config.
#[derive(Debug, Parser)]
#[command(name = "minikin", version, args_conflicts_with_subcommands = true)]
struct Line {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the emulator; minikin without a command does the same
    Serve(Options),
    /// Ask a running emulator if it is ready; the exit status is 0 for a ready emulator, and 1
    /// otherwise
    Health(health::Arguments),
    /// Check a data directory without changing it; the exit status is 0 for an undamaged directory,
    /// 1 for a damaged one, and 2 if the check is not possible
    Check(check::Arguments),
    /// List the limits with their values and sources
    Limits(Options),
    /// List the streams of a running emulator
    Streams(look::Plain),
    /// List the queues of a running emulator
    Queues(look::Plain),
    /// Put a record, or the lines of standard input
    Put(put::Put),
    /// Show the records of a stream
    Records(look::Records),
    /// Follow a stream: show its records as they arrive
    Tail(tail::Tail),
    /// Wait until a stream has received a number of records; the exit status is 1 if the time runs
    /// out first
    Wait(look::Wait),
    /// Drop all records of a stream
    Clear(change::Clear),
    /// Remove everything from a running emulator: streams, queues, mappings and fault rules
    Reset(change::Reset),
    /// List, add or clear fault rules
    Fault(change::FaultArguments),
    /// Show the clock, or move a virtual clock
    Clock(change::ClockArguments),
    /// Save everything in a running emulator to a file, or load such a file
    Snapshot(snapshot::Snapshot),
    /// Put records that are generated from a template
    Generate(generate::Generate),
    /// Print the completion script for a shell
    Completions {
        /// The shell to print the script for
        shell: clap_complete::Shell,
    },
}

/// Runs the command that the command line names.
pub fn run() -> ExitCode {
    let translated = options::other_tools::translate(std::env::args_os().collect());
    let read = options::parse(Line::command(), translated.line, |name| {
        std::env::var_os(name)
    })
    .and_then(|matches| Line::from_arg_matches(&matches));
    let line = match read {
        Ok(line) => line,
        Err(error) => {
            // clap reports --help and --version as errors, too. Their texts are printed to stdout,
            // and the exit status is 0.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match line.command.unwrap_or(Command::Serve(line.options)) {
        Command::Serve(options) => {
            logging::set_up(&options.log, options.log_format);
            let variable = |name: &str| std::env::var_os(name);
            options::other_tools::log(variable, &translated.ignored);
            serve::run(options)
        }
        Command::Health(arguments) => health::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Limits(options) => limits::run(&options),
        Command::Streams(arguments) => outcome::exit(look::streams(&arguments)),
        Command::Queues(arguments) => outcome::exit(look::queues(&arguments)),
        Command::Put(arguments) => outcome::exit(put::run(&arguments)),
        Command::Records(arguments) => outcome::exit(look::records(&arguments)),
        Command::Tail(arguments) => outcome::exit(tail::run(&arguments)),
        Command::Wait(arguments) => outcome::exit(look::wait(&arguments)),
        Command::Clear(arguments) => outcome::exit(change::clear(&arguments)),
        Command::Reset(arguments) => outcome::exit(change::reset(&arguments)),
        Command::Fault(arguments) => outcome::exit(change::fault(&arguments)),
        Command::Clock(arguments) => outcome::exit(change::clock(&arguments)),
        Command::Snapshot(arguments) => outcome::exit(snapshot::run(&arguments)),
        Command::Generate(arguments) => outcome::exit(generate::run(&arguments)),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Line::command(), "minikin", &mut script);
            let script = String::from_utf8_lossy(&script);
            outcome::exit(print::line(script.trim_end()).map(|()| outcome::Answer::Yes))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn read(line: &str) -> Line {
        let line = line.split(' ').map(OsString::from).collect();
        let matches = options::parse(Line::command(), line, |_| None).unwrap();
        Line::from_arg_matches(&matches).unwrap()
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Line::command().debug_assert();
    }

    #[test]
    fn commands_about_the_whole_emulator_refuse_a_region_with_the_reason() {
        for line in [
            "reset",
            "clock",
            "clock advance 5",
            "fault list",
            "fault add kind=throttle",
            "snapshot save file",
        ] {
            read(&format!(
                "minikin {line} --json --endpoint http://127.0.0.1:1"
            ));
            for part in ["--region eu-west-1", "--account 111122223333"] {
                let line = format!("minikin {line} {part}");
                let line = line.split(' ').map(OsString::from).collect();
                let refused = options::parse(Line::command(), line, |_| None).unwrap_err();
                assert_eq!(refused.exit_code(), 2);
                let text = refused.to_string();
                assert!(text.contains("about the whole emulator"), "{text}");
            }
        }
        read("minikin streams --region eu-west-1 --account 111122223333");
    }

    #[test]
    fn no_command_is_serve() {
        assert!(
            matches!(read("minikin --port 5"), Line { command: None, options } if options.port == 5)
        );
        let Some(Command::Serve(options)) = read("minikin serve --port 6").command else {
            panic!("serve is a command");
        };
        assert_eq!(options.port, 6);
    }
}
