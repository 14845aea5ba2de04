//! `/_minikin/clock`: shows the clock, and moves a virtual clock.

use super::access::Permitted;
use super::own_body::OwnBody;
use super::query::{NoQuery, refused};
use super::state::{Admin, Refused, failed, json};
use crate::limits;
use crate::world::{Clock, Timestamp};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json as value;

const MOVES: &str = "one of advance_ms and set_ms";
const BACKWARDS: &str = "the clock never goes back";
const TOO_LATE: &str = "the clock ends where the year 2400 begins";
const LAST_MOMENT: Timestamp = Timestamp::from_millis(limits::LAST_MOMENT_MS);

pub(super) async fn read_clock(
    State(admin): State<Admin>,
    _permitted: Permitted,
    _query: NoQuery,
) -> Response {
    reading(&admin.engine.world.clock)
}

pub(super) async fn move_clock(
    State(admin): State<Admin>,
    _permitted: Permitted,
    _query: NoQuery,
    body: OwnBody,
) -> Result<Response, Refused> {
    let clock = &admin.engine.world.clock;
    let Clock::Virtual(virtual_clock) = clock else {
        let text = "the clock is the machine's; start with --clock virtual to move it";
        return Err(Refused::new(StatusCode::CONFLICT, text));
    };
    let target = target(clock.now(), &body)?;
    // The move may take long. Drop the body now, because its permit of the in-flight budget is not
    // needed any more.
    drop(body);
    virtual_clock.advance_to(target).await;
    let saved = admin.engine.save_time().await;
    saved.map_err(|error| failed(&error))?;
    Ok(reading(clock))
}

/// The time that a request moves the virtual clock to: `set_ms`, in milliseconds since 1970, or the
/// time `advance_ms` milliseconds after `now`.
fn target(now: Timestamp, body: &OwnBody) -> Result<Timestamp, Refused> {
    let mut members = body.members(MOVES)?;
    let (set, advance) = (members.millis("set_ms")?, members.millis("advance_ms")?);
    members.end()?;
    let target = match (set, advance) {
        (Some(ms), None) => Timestamp::from_millis(ms),
        (None, Some(ms)) if ms >= 0 => now.plus_millis(ms),
        (None, Some(_)) => return Err(refused(BACKWARDS)),
        _ => return Err(refused(&format!("the body is a JSON object with {MOVES}"))),
    };
    if target < now {
        Err(refused(BACKWARDS))
    } else if target > LAST_MOMENT {
        Err(refused(TOO_LATE))
    } else {
        Ok(target)
    }
}

fn reading(clock: &Clock) -> Response {
    let kind = if matches!(clock, Clock::Virtual(_)) {
        "virtual"
    } else {
        "system"
    };
    json(&value!({ "clock": kind, "now_ms": clock.now().millis() }))
}
