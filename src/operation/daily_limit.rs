//! Limits on how often a stream may be changed within 24 hours.

use crate::error::Error;
use crate::limits::{self, Limit};
use crate::world::Timestamp;

/// A limit on changes of one kind to a stream within 24 hours.
pub(super) struct DailyLimit<'a> {
    /// The name that `--limit` takes.
    pub name: &'static str,
    /// The number of changes in 24 hours.
    pub most: Limit,
    /// The beginning of the error message.
    pub subject: &'a str,
}

/// Counts a change made now, or refuses it; `made` holds the moments of earlier ones.
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
