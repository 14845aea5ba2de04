//! The program: a command line around the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    minikin::internals::run()
}
