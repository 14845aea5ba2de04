//! The command line.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "commands print their results"
)]

mod check;
mod health;
mod limits;
mod logging;
mod serve;
mod signal;

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
    /// Run the emulator; this is also what minikin does without a command
    Serve(Options),
    /// Ask a running emulator if it is ready; the exit status is the answer
    Health(health::Arguments),
    /// Check a data directory without changing it; the exit status is 0 when it is whole, 1 when it is damaged, 2 when it cannot be checked
    Check(check::Arguments),
    /// List the limits with their values and sources
    Limits(Options),
}

/// Runs the command of the command line.
pub fn run() -> ExitCode {
    let line = std::env::args_os().collect();
    let read = options::parse(Line::command(), line, |name| std::env::var_os(name))
        .and_then(|matches| Line::from_arg_matches(&matches));
    let line = match read {
        Ok(line) => line,
        Err(error) => {
            // Help and version are errors to clap too, printed to stdout with status 0.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match line.command.unwrap_or(Command::Serve(line.options)) {
        Command::Serve(options) => {
            logging::set_up(&options.log, options.log_format);
            serve::run(options)
        }
        Command::Health(arguments) => health::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Limits(options) => limits::run(&options),
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
