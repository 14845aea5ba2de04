//! The end of a command: its exit status, and its message for the user.

use std::fmt;
use std::process::ExitCode;

/// Exit status of a command that was carried out with a negative result, such as a `wait` that
/// reached its time limit.
const NO: u8 = 1;
/// Exit status when the arguments or the input are invalid.
const USAGE: u8 = 2;
/// Exit status when no emulator answers.
const UNREACHABLE: u8 = 3;
/// Exit status when the emulator refuses the request.
const REFUSED: u8 = 4;

/// The result of a command that was carried out. The exit status is 0 for a positive result and 1
/// for a negative result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
}

/// The reason for which a command was not carried out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The arguments or the input are invalid.
    Usage(String),
    /// No emulator answers, or its answer cannot be read.
    Unreachable(String),
    /// The emulator refuses the request. The text is the emulator's message.
    Refused(String),
    /// The reader of standard output, such as `head`, has closed the pipe. This counts as success.
    ReaderGone,
}

impl Failure {
    pub(super) fn unreachable(endpoint: &str, error: &impl fmt::Display) -> Self {
        Self::Unreachable(format!("no emulator answers at {endpoint}: {error}"))
    }

    /// Makes the failure for an answer that ends early or is not valid JSON.
    pub(super) fn broken(error: &impl fmt::Display) -> Self {
        Self::Unreachable(format!("the answer cannot be read: {error}"))
    }
}

/// Prints the reason if the command failed, and returns the exit status of the command.
pub(super) fn exit(result: Result<Answer, Failure>) -> ExitCode {
    let (status, text) = match result {
        Ok(Answer::Yes) | Err(Failure::ReaderGone) => return ExitCode::SUCCESS,
        Ok(Answer::No) => return ExitCode::from(NO),
        Err(Failure::Usage(text)) => (USAGE, text),
        Err(Failure::Unreachable(text)) => (UNREACHABLE, text),
        Err(Failure::Refused(text)) => (REFUSED, text),
    };
    eprintln!("minikin: {text}");
    ExitCode::from(status)
}
