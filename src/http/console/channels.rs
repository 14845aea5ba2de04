//! The page of channels, which deliver the records of streams to buckets and tables.

use super::actions::{Action, Outcome};
use super::fields::bad;
use super::forms::Form;
use super::page::{self, Section};
use super::parts::{self, Tone, badge, drawer, status};
use super::visit::{Visit, stream_path};
use super::{characters, numbers};
use crate::engine::channel::Channel;
use crate::limits;
use crate::world::{RealDeadline, Timestamp};
use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};
use std::time::Duration;

/// Answers with the page of channels: a table of the channels with their figures, and buttons that
/// flush or delete a channel.
pub(super) async fn page(visit: Visit) -> Response {
    let now = visit.admin.engine.world.clock.now();
    let most = limits::CONSOLE_ROWS;
    let engine = &visit.admin.engine;
    let (channels, is_cut) = engine.list_channels(&visit.scope, None, most, |_| true);
    let content = html! {
        h1 { "Channels" }
        div id="channels" data-live {
            @if channels.is_empty() {
                (parts::empty("There is no channel in this account and region. A channel delivers the records of a stream to a bucket; CreateChannel makes one, and so does the setup file (--setup).", ""))
            } @else {
                (parts::table("Channels", &html! {
                    th scope="col" { "Name" } th scope="col" { "Status" } th scope="col" { "Stream" }
                    th scope="col" { "Destination" } th scope="col" class="num" { "Buffered" }
                    th scope="col" class="num" { "Lag" } th scope="col" class="num" { "Delivered" }
                    th scope="col" class="num" { "Objects" } th scope="col" class="num" { "Failed attempts" }
                    th scope="col" { "Last error" } th scope="col" { span class="unseen" { "Actions" } }
                }, &html! { @for channel in &channels { (row(&visit, channel, now)) } }))
            }
            @if is_cut { p class="muted" { "The first " (most) " channels are shown." } }
        }
    };
    page::respond(&visit, Section::Channels, "Channels", content)
}

fn row(visit: &Visit, channel: &Channel, now: Timestamp) -> Markup {
    let described = channel.describe();
    let figures = channel.figures(now);
    let stream = &*channel.stream.arn.name;
    let lag_ms = i64::try_from(figures.lag_ms).unwrap_or(i64::MAX);
    let reason = described.reason.or(figures.last_error).unwrap_or_default();
    html! {
        tr id={ "channel-" (channel.name) } {
            th scope="row" { (channel.name) }
            td { (status(described.status.as_str())) }
            td { a href=(visit.link(&stream_path(stream, "records"))) { (stream) } }
            td { (channel.kind.as_str()) }
            td class="num" { (numbers::count(figures.buffered)) }
            td class="num" { (numbers::duration(lag_ms)) }
            td class="num" { (numbers::count(figures.records)) " (" (numbers::bytes(figures.bytes)) ")" }
            td class="num" { (numbers::count(figures.objects)) }
            td class="num" {
                @if figures.failed_attempts > 0 { (badge(Tone::Bad, &figures.failed_attempts.to_string())) }
                @else { "0" }
            }
            td class="wrap" { (characters::visible(&reason)) }
            td class="end" { div class="buttons nowrap" {
                (Form::new(visit, &format!("flush/{}", channel.name)).open(&html! {
                    button aria-label={ "Flush " (channel.name) } { "Flush" }
                }))
                (delete(visit, channel))
            } }
        }
    }
}

fn delete(visit: &Visit, channel: &Channel) -> Markup {
    let form = Form::operation(visit, "DeleteChannel").open(&html! {
        p { "Delete the channel " b { (channel.name) } "?" }
        input type="hidden" name="ChannelARN" value=(channel.arn);
        button class="danger" { "Delete " (channel.name) }
    });
    drawer(
        &format!("delete-channel-{}", channel.name),
        "Delete…",
        &form,
    )
}

/// Delivers the records that a channel has buffered.
pub(super) async fn flush(visit: Visit, Path(name): Path<String>, action: Action) -> Response {
    let outcome = flush_named(&visit, &name).await;
    action.answer(&visit, outcome)
}

async fn flush_named(visit: &Visit, name: &str) -> Outcome {
    let channel = visit.admin.engine.find_channel_named(&visit.scope, name);
    let channel = channel.ok_or_else(|| bad(&format!("there is no channel {name}")))?;
    let deadline = RealDeadline::lasting(Duration::from_millis(limits::WAIT_MS));
    match deadline.with(channel.flush()).await {
        Some(Ok(())) => Ok("The buffered records are delivered.".to_owned()),
        Some(Err(error)) => Err(bad(&error.to_string())),
        None => Err(bad("the delivery is still in progress")),
    }
}
