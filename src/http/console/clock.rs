//! The page of the emulator's clock.

use super::actions::{Action, Outcome};
use super::fields::{Fields, bad};
use super::forms::Form;
use super::page::{self, Section};
use super::parts::{self, figure, time};
use super::visit::Visit;
use crate::http::admin::Refused;
use crate::limits;
use crate::world::{Clock, Timestamp};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

/// The buttons that advance the clock: the label of each button, and its step in milliseconds.
const STEPS: [(&str, i64); 6] = [
    ("1 second", 1_000),
    ("1 minute", 60_000),
    ("5 minutes", 300_000),
    ("1 hour", 3_600_000),
    ("1 day", 86_400_000),
    ("7 days", 604_800_000),
];

/// Answers with the page of the emulator's clock: its time, and the forms that move a virtual
/// clock.
pub(super) async fn page(visit: Visit) -> Response {
    let clock = &visit.admin.engine.world.clock;
    let is_virtual = matches!(clock, Clock::Virtual(_));
    let content = html! {
        h1 { "Clock" }
        dl class="figures" id="clock" data-live {
            (figure("Emulator's time (UTC)", &time(clock.now())))
            (figure("Machine's time (UTC)", &time(clock.wall_time())))
            (figure("Kind", &html! { (if is_virtual { "virtual: it stands until it is moved" } else { "the machine's clock" }) }))
        }
        @if is_virtual { (moves(&visit)) } @else {
            (parts::empty("The clock is the machine's. With a virtual clock, time stands still until a test moves it: retention, iterators and visibility timeouts end when you say so. Start minikin with:",
                "minikin --clock virtual"))
        }
    };
    page::respond(&visit, Section::Clock, "Clock", content)
}

fn moves(visit: &Visit) -> Markup {
    html! {
        section class="card" {
            h2 { "Advance" }
            div class="buttons" {
                @for (label, ms) in STEPS {
                    (Form::new(visit, "clock").open(&html! {
                        input type="hidden" name="advance" value=(ms);
                        button { "+ " (label) }
                    }))
                }
            }
            (Form::new(visit, "clock").in_row().open(&html! {
                label { span { "Hours" } input name="hours" type="number" min="0" step="any" required; }
                button class="primary" { "Advance" }
            }))
        }
        section class="card" {
            h2 { "Set" }
            (Form::new(visit, "clock").in_row().open(&html! {
                label { span { "Time, not before the present" } input name="set" required placeholder="2030-01-31T12:00:00Z"; }
                button class="primary" { "Set the clock" }
            }))
        }
    }
}

/// Moves the virtual clock to the time in the form, or forward by the step in the form.
pub(super) async fn move_clock(visit: Visit, mut action: Action) -> Response {
    let outcome = advance(&visit, &mut action.fields).await;
    action.answer(&visit, outcome)
}

async fn advance(visit: &Visit, fields: &mut Fields) -> Outcome {
    let engine = &visit.admin.engine;
    let Clock::Virtual(clock) = &engine.world.clock else {
        let text = "the clock is the machine's; start with --clock virtual to move it";
        return Err(Refused::new(StatusCode::CONFLICT, text));
    };
    let now = engine.world.clock.now();
    let target = target(fields, now)?;
    if target < now {
        return Err(bad("the clock never goes back"));
    }
    if target > Timestamp::from_millis(limits::LAST_MOMENT_MS) {
        return Err(bad("the clock ends where the year 2400 begins"));
    }
    clock.advance_to(target).await;
    let saved = engine.save_time().await;
    saved.map_err(|error| Refused::new(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()))?;
    Ok(format!(
        "It is {} now.",
        super::numbers::moment(engine.world.clock.now())
    ))
}

fn target(fields: &mut Fields, now: Timestamp) -> Result<Timestamp, Refused> {
    if let Some(text) = fields.take("set") {
        return Timestamp::parse(&text)
            .ok_or_else(|| bad("a time is written 2026-01-31T12:00:00Z"));
    }
    if let Some(text) = fields.take("hours") {
        let hours: f64 = text.parse().map_err(|_| bad("hours is a number"))?;
        return Ok(now.plus_millis((hours * 3_600_000.0) as i64));
    }
    let ms: i64 = fields
        .need("advance")?
        .parse()
        .map_err(|_| bad("advance is a number"))?;
    Ok(now.plus_millis(ms))
}
