//! Limits on how often a stream may be changed within 24 hours.

use crate::error::Error;
use crate::limits::{self, Limit};
use crate::world::Timestamp;

/// A limit on how often in 24 hours a stream may be changed in one way.
pub(super) struct DailyLimit<'a> {
    /// The name that `--limit` takes.
    pub name: &'static str,
    /// How often.
    pub most: Limit,
    /// What its refusal says first.
    pub told: &'a str,
}

/// Counts a change that may be made so many times in 24 hours.
pub(super) fn count_today(
    made: &mut Vec<i64>,
    limit: &DailyLimit<'_>,
    now: Timestamp,
) -> Result<(), Error> {
    made.retain(|moment| now.millis_since(Timestamp::from_millis(*moment)) < limits::DAY_MS);
    if let Some(most) = limit.most {
        if made.len() as u64 >= most {
            return Err(Error::too_often_a_day(limit.told, limit.name, most));
        }
        made.push(now.millis());
    }
    Ok(())
}
