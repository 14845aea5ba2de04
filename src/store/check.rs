//! What is whole in a data directory and what is not, without opening it and without writing to it.

mod report;
mod survey;

pub use report::{Damage, Report, ShardReport, StreamReport};
pub(crate) use survey::{OLDER, Survey, lacks_commits, metadata};

use super::open::{self, OpenError};
use std::path::Path;

/// Reads everything in a data directory. Blocking.
///
/// # Errors
/// When nothing can be said: there is no such directory, it is not one of ours or of another
/// version, another process has it, or it may not be read.
pub fn check(directory: &Path) -> Result<Report, OpenError> {
    let (lock, stamp) = open::visit(directory)?;
    let survey = Survey::of(directory, stamp)?;
    drop(lock);
    Ok(survey.report())
}
