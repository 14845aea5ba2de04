//! The end of a command: its exit status, and the sentence for people.

use std::fmt;
use std::process::ExitCode;

/// Exit status of a command whose answer is no.
const NO: u8 = 1;
/// Exit status of a command line that cannot be carried out.
const USAGE: u8 = 2;
/// Exit status when no emulator answers.
const UNREACHABLE: u8 = 3;
/// Exit status when the emulator refuses.
const REFUSED: u8 = 4;

/// The end of a command that was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
}

/// The reason why a command was not carried out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The arguments or the input cannot be used.
    Usage(String),
    /// No emulator answers.
    Unreachable(String),
    /// The emulator refuses, with a sentence.
    Refused(String),
    /// The reader of standard output has closed it and wants no more.
    ReaderGone,
}

impl Failure {
    pub(super) fn unreachable(endpoint: &str, error: &impl fmt::Display) -> Self {
        Self::Unreachable(format!("no emulator answers at {endpoint}: {error}"))
    }

    /// An answer that ends early or is none.
    pub(super) fn broken(error: &impl fmt::Display) -> Self {
        Self::Unreachable(format!("the answer cannot be read: {error}"))
    }
}

/// Prints the reason why a command failed, and returns its exit status.
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
