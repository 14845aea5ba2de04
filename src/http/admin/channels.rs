//! Minikin's own paths about channels: `channels` lists the channels, and `channels/NAME/flush`
//! delivers the buffered records of one channel.

use super::access::Permitted;
use super::listing::every_page;
use super::own_body::OwnBody;
use super::path_part::PathPart;
use super::query::Query;
use super::state::{Admin, Refused, json, unknown_path};
use super::stream_path::{Actions, not_found};
use crate::engine::channel::Channel;
use crate::limits;
use crate::model::ChannelArn;
use crate::world::{RealDeadline, Timestamp};
use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json as value};
use std::sync::Arc;
use std::time::Duration;

const ACTIONS: Actions = Actions {
    get: &[],
    post: &["flush"],
};

/// Routes the requests to `/_minikin/channels` and below.
pub(super) fn routes() -> Router<Admin> {
    Router::new()
        .route("/_minikin/channels", get(list))
        .route("/_minikin/channels/{*path}", post(change))
}

/// Answers with the JSON objects of all channels of an account in a region.
async fn list(
    State(admin): State<Admin>,
    _permitted: Permitted,
    mut query: Query,
) -> Result<Response, Refused> {
    let account_region = query.account_region(&admin)?;
    query.end()?;
    let now = admin.engine.world.clock.now();
    let engine = &admin.engine;
    let all = every_page(
        |after, most| engine.list_channels(&account_region, after, most, |_| true),
        |channel| channel.name.to_string(),
        |channel| overview(channel, now),
    );
    Ok(json(&value!({ "channels": all })))
}

/// The JSON object of a channel in the list of channels. Members without a value are null.
fn overview(channel: &Channel, now: Timestamp) -> Value {
    let described = channel.describe();
    let figures = channel.figures(now);
    value!({
        "ChannelName": &*channel.name,
        "ChannelARN": channel.arn.to_string(),
        "ChannelId": &*channel.arn.id,
        "ChannelStatus": described.status.as_str(),
        "ChannelStatusReason": described.reason,
        "ChannelDestinationType": channel.kind.as_str(),
        "StreamName": &*channel.stream.arn.name,
        "StreamARN": channel.stream.arn.to_string(),
        "Account": channel.arn.scope.account.to_string(),
        "Region": channel.arn.scope.region.as_str(),
        "DataFreshnessInSeconds": described.settings.freshness_s,
        "BufferedRecords": figures.buffered,
        "FreshnessLagMs": figures.lag_ms,
        "DeliveredRecords": figures.records,
        "DeliveredObjects": figures.objects,
        "DeliveredBytes": figures.bytes,
        "FailedRecords": figures.failed_records,
        "ExpiredRecords": figures.expired_records,
        "FailedAttempts": figures.failed_attempts,
        "LastError": figures.last_error,
    })
}

/// Answers a POST request to `channels/NAME/ACTION`. The only action is `flush`.
async fn change(
    State(admin): State<Admin>,
    _permitted: Permitted,
    (method, uri): (Method, Uri),
    PathPart(path): PathPart,
    mut query: Query,
    body: OwnBody,
) -> Result<Response, Refused> {
    let (name, action) = ACTIONS.split(&method, &uri, &path)?;
    let channel = find(&admin, &mut query, name)?;
    query.end()?;
    match action {
        "flush" => {
            body.expect_none()?;
            flush(&channel).await
        }
        _ => Err(unknown_path(&uri)),
    }
}

/// Finds a channel by its ARN, or by its name in the account and region of the query string.
fn find(admin: &Admin, query: &mut Query, name: &str) -> Result<Arc<Channel>, Refused> {
    let account_region = query.account_region(admin)?;
    let found = match ChannelArn::parse(name) {
        Some(arn) => admin.engine.find_channel(&arn),
        None => admin.engine.find_channel_named(&account_region, name),
    };
    found.ok_or_else(|| not_found("channel", name, &account_region))
}

/// Delivers the records that the channel has buffered, and answers after the delivery. Answers with
/// an error if the delivery fails or takes longer than `limits::WAIT_MS` milliseconds.
async fn flush(channel: &Channel) -> Result<Response, Refused> {
    let deadline = RealDeadline::lasting(Duration::from_millis(limits::WAIT_MS));
    match deadline.with(channel.flush()).await {
        Some(Ok(())) => Ok(StatusCode::NO_CONTENT.into_response()),
        Some(Err(error)) => Err(Refused::new(StatusCode::CONFLICT, &error.to_string())),
        None => {
            let text = "the delivery is still in progress";
            Err(Refused::new(StatusCode::REQUEST_TIMEOUT, text))
        }
    }
}
