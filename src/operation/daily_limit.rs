//! Limits on the number of changes of a stream within 24 hours.

use crate::error::Error;
use crate::limits::{self, Limit};
use crate::world::Timestamp;

/// A limit on changes of one kind to a stream within 24 hours.
pub(super) struct DailyLimit<'a> {
    /// Name of the limit for the option `--limit`.
    pub name: &'static str,
    /// Largest number of changes within 24 hours.
    pub most: Limit,
    /// Beginning of the error message.
    pub subject: &'a str,
}

/// Counts a change made at `now`, or refuses it when the limit is reached. `made` holds the times
/// of earlier changes, in milliseconds since 1970.
pub(super) fn count_today(
    made: &mut Vec<i64>,
    limit: &DailyLimit<'_>,
    now: Timestamp,
) -> Result<(), Error> {
    made.retain(|moment| now.millis_since(Timestamp::from_millis(*moment)) < limits::DAY_MS);
    if let Some(most) = limit.most {
        if made.len() as u64 >= most {
            return Err(Error::too_often_a_day(limit.subject, limit.name, most));
        }
        made.push(now.millis());
    }
    Ok(())
}
