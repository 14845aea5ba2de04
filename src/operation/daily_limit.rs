//! Limits on the number of changes of a stream within 24 hours.

use crate::error::Error;
use crate::limits::{self, Limit};
use crate::world::Timestamp;

/// Counts a change that is made to a stream at `now`. `made` lists the times of the changes that
/// were counted earlier, in milliseconds since 1970. If `most` changes were counted in the last 24
/// hours, returns the error that `refusal` creates, and does not count the change.
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
