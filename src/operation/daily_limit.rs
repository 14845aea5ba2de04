//! Limits on the number of changes of a stream within 24 hours.

use crate::error::Error;
use crate::limits::{self, Limit};
use crate::world::Timestamp;

/// Counts a change of a stream at the time `now`. `made` lists the times of the earlier changes
/// that were counted, in milliseconds since 1970. Does not count the change if `most` changes were
/// counted in the last 24 hours, and returns the error that `refusal` creates.
pub(super) fn count_today(
    made: &mut Vec<i64>,
    most: Limit,
    now: Timestamp,
    refusal: impl FnOnce(u64) -> Error,
) -> Result<(), Error> {
    made.retain(|moment| now.millis_since(Timestamp::from_millis(*moment)) < limits::DAY_MS);
    if let Some(most) = most {
        if made.len() as u64 >= most {
            return Err(refusal(most));
        }
        made.push(now.millis());
    }
    Ok(())
}
