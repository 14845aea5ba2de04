//! `/_minikin/clock`: shows the clock, and moves a virtual clock.

use super::access::Permitted;
use super::own_body::OwnBody;
use super::state::{Admin, json, problem};
use crate::limits;
use crate::world::{Clock, Timestamp};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json as value;

/// A move of a virtual clock. The clock never goes back.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Move {
    /// Moves the clock to this time, in milliseconds since the epoch.
    SetMs(i64),
    /// Moves the clock forward by this many milliseconds.
    AdvanceMs(i64),
}

const MOVES: &str = r#"say {"advance_ms": N} or {"set_ms": N}"#;
const BACKWARDS: &str = "the clock never goes back";
const TOO_LATE: &str = "the clock ends where the year 2400 begins";
const LAST_MOMENT: Timestamp = Timestamp::from_millis(limits::LAST_MOMENT_MS);

pub(super) async fn read_clock(State(admin): State<Admin>, _permitted: Permitted) -> Response {
    reading(&admin.engine.world.clock)
}

pub(super) async fn move_clock(
    State(admin): State<Admin>,
    _permitted: Permitted,
    body: OwnBody,
) -> Response {
    let clock = &admin.engine.world.clock;
    let Clock::Virtual(virtual_clock) = clock else {
        let text = "the clock is the machine's; start with --clock virtual to move it";
        return problem(StatusCode::CONFLICT, text);
    };
    let target = target(clock.now(), &body.bytes);
    // The move may take long, and the body is not needed any more. Dropping it releases its budget.
    drop(body);
    let target = match target {
        Ok(target) => target,
        Err(text) => return problem(StatusCode::BAD_REQUEST, text),
    };
    virtual_clock.advance_to(target).await;
    match admin.engine.save_time().await {
        Ok(()) => reading(clock),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// The time to which a request moves the clock.
fn target(now: Timestamp, body: &[u8]) -> Result<Timestamp, &'static str> {
    let target = match serde_json::from_slice(body) {
        Ok(Move::SetMs(ms)) => Timestamp::from_millis(ms),
        Ok(Move::AdvanceMs(ms)) if ms >= 0 => now.plus_millis(ms),
        Ok(Move::AdvanceMs(_)) => return Err(BACKWARDS),
        Err(_) => return Err(MOVES),
    };
    if target < now {
        Err(BACKWARDS)
    } else if target > LAST_MOMENT {
        Err(TOO_LATE)
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
