//! The operations that create the setup's streams, queues, channels, consumers and records when the
//! emulator starts. These operations make the same checks as the service's operations, but have no
//! delays and no rate limits.

use super::call::read_input;
use super::context::Context;
use super::create_channel::{self, CreateChannel};
use super::create_queue::{self, CreateQueue};
use super::create_stream::{self, CreateStream};
use super::kms_key::check_key;
use super::offered_record::hash_key;
use super::register_stream_consumer::{RegisterStreamConsumer, check_consumer};
use super::retention::check_hours;
use super::table::Entry;
use crate::engine::channel::Channel;
use crate::engine::queue::Queue;
use crate::engine::{PreparedStreams, PutSettings, Stream, StreamState};
use crate::error::{Error, KeyPurpose};
use crate::model::NewRecord;
use crate::wire::{Format, Shape};
use bytes::Bytes;
use serde_json::json;
use std::sync::Arc;

/// Prepares a stream of the setup. `members` is the JSON of a CreateStream request. The stream is
/// ACTIVE immediately. `None` as `retention_hours` means the default retention period. `None` as
/// `key_id` means that the stream is not encrypted.
///
/// # Errors
/// The name of the refused member, and the exception that CreateStream, the change of the retention
/// period or the start of the encryption would answer. The name is empty for every exception of
/// CreateStream.
pub(crate) fn prepare_at_start(
    context: &Context,
    prepared: &mut PreparedStreams,
    members: String,
    retention_hours: Option<u32>,
    key_id: Option<&str>,
) -> Result<Arc<Stream>, (&'static str, Error)> {
    let refused = |error| ("", error);
    let input = read_input::<CreateStream>(context, &Bytes::from(members), Format::Json);
    let made = input.and_then(|input| create_stream::new_stream(context, input));
    let (arn, mut stream) = made.map_err(refused)?;
    stream.at_once = true;
    if let Some(hours) = retention_hours {
        let hours = check_hours(i32::try_from(hours).unwrap_or(i32::MAX));
        let hours = hours.map_err(|error| ("RetentionPeriodHours", error))?;
        stream.settings.retention_hours = hours;
    }
    if let Some(key) = key_id {
        let checked = check_key(context, key, &arn, KeyPurpose::Describe);
        checked.map_err(|error| ("KeyId", error))?;
        stream.settings.key_id = Some(key.to_owned());
    }
    let shards = stream.shards.into();
    let created = prepared.prepare(arn.clone(), stream);
    created.map_err(|error| refused(create_stream::refusal(error, &arn, shards)))
}

/// Adds the prepared streams of the setup, except the streams whose names are taken. Returns the
/// added streams when they are durable.
///
/// # Errors
/// A refused stream, and the exception that CreateStream would answer.
pub(crate) async fn add_at_start(
    prepared: &mut PreparedStreams,
) -> Result<Vec<Arc<Stream>>, (Arc<Stream>, Error)> {
    prepared.add_new().await.map_err(|(stream, error)| {
        let shards = stream.look(StreamState::open_shards_count);
        let error = create_stream::refusal(error, &stream.arn, shards);
        (stream, error)
    })
}

pub fn create_stream_shape() -> &'static Shape {
    shape("CreateStream")
}

pub fn create_queue_shape() -> &'static Shape {
    shape("CreateQueue")
}

pub fn create_channel_shape() -> &'static Shape {
    shape("CreateChannel")
}

fn shape(operation: &str) -> &'static Shape {
    let entry = Entry::find(operation);
    entry.expect("the table has every operation").input
}

/// Names the settings in which an existing stream differs from a CreateStream request, apart from
/// the number of shards. `members` is the JSON of the request. The request may be invalid, because
/// the stream exists already.
pub fn stream_differences(
    context: &Context,
    stream: &Stream,
    members: String,
) -> Vec<&'static str> {
    let input = read_input::<CreateStream>(context, &Bytes::from(members), Format::Json);
    let wanted = input.and_then(|input| create_stream::new_stream(context, input));
    let Ok((_, wanted)) = wanted else {
        return Vec::new();
    };
    stream.look(|state| {
        let has = &state.settings;
        let wanted_settings = &wanted.settings;
        let checks = [
            (
                has.on_demand != wanted_settings.on_demand,
                "another capacity mode",
            ),
            (
                has.max_record_kib != wanted_settings.max_record_kib,
                "another maximum record size",
            ),
            (
                has.auto_distribution != wanted_settings.auto_distribution,
                "another record distribution",
            ),
            (
                has.warm_throughput_mibps != wanted_settings.warm_throughput_mibps,
                "another warm throughput",
            ),
            (
                state.tags != wanted.tags.into_iter().collect(),
                "other tags",
            ),
        ];
        let differing = checks.into_iter().filter(|(differs, _)| *differs);
        differing.map(|(_, name)| name).collect()
    })
}

/// The result of an attempt to create a queue or a channel of the setup.
#[derive(Debug)]
pub(crate) enum StartItem<T> {
    /// The queue or channel was created. A queue is ACTIVE, and a channel is ACTIVE or FAILED.
    Created(Arc<T>),
    /// A queue or channel with this name exists already. The list names the settings in which the
    /// existing queue or channel differs from the setup.
    Existing(Arc<T>, Vec<&'static str>),
}

/// Creates a queue of the setup, unless a queue with this name exists. `members` is the JSON of a
/// CreateQueue request.
///
/// # Errors
/// The exception that CreateQueue would answer.
pub(crate) async fn create_queue_at_start(
    context: &Context,
    name: &str,
    members: String,
) -> Result<StartItem<Queue>, Error> {
    let input = read_input::<CreateQueue>(context, &Bytes::from(members), Format::Json)?;
    let account_region = create_queue::account_and_region(context, &input);
    if let Some(queue) = context.engine.find_queue_named(&account_region, name) {
        let differences = create_queue::differences(&queue, &input)?;
        return Ok(StartItem::Existing(queue, differences));
    }
    let created = create_queue::create(context, input, true).await;
    created.map(|(queue, _)| StartItem::Created(queue))
}

/// Creates a channel of the setup, unless a channel with this name exists. `members` is the JSON of
/// a CreateChannel request.
///
/// # Errors
/// The exception that CreateChannel would answer. A channel that was created and is FAILED gives no
/// error.
pub(crate) async fn create_channel_at_start(
    context: &Context,
    name: &str,
    members: String,
) -> Result<StartItem<Channel>, Error> {
    let input = read_input::<CreateChannel>(context, &Bytes::from(members), Format::Json)?;
    let account_region = create_channel::account_and_region(context, &input);
    if let Some(channel) = context.engine.find_channel_named(&account_region, name) {
        let differences = create_channel::differences(&channel, &input)?;
        return Ok(StartItem::Existing(channel, differences));
    }
    let channel = create_channel::create(context, input, true).await?;
    Ok(StartItem::Created(channel))
}

/// Registers a consumer of a prepared stream of the setup. The consumer is ACTIVE immediately.
///
/// # Errors
/// The exception that RegisterStreamConsumer would answer.
pub fn register_at_start(context: &Context, stream: &Stream, name: &str) -> Result<(), Error> {
    let members = json!({"StreamARN": stream.arn.to_string(), "ConsumerName": name}).to_string();
    read_input::<RegisterStreamConsumer>(context, &Bytes::from(members), Format::Json)?;
    let engine = &context.engine;
    engine.register_prepared(stream, name, |state: &StreamState, committed| {
        check_consumer(&stream.arn, state, &engine.limits, committed, name)
    })
}

/// A record that the setup puts into a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartRecord {
    /// The partition key, 1 to 256 characters.
    pub partition_key: String,
    /// The explicit hash key in decimal digits. It selects the shard instead of the partition key.
    pub explicit_hash_key: Option<String>,
    /// The data of the record, not encoded.
    pub data: Vec<u8>,
}

/// Puts records of the setup into a prepared stream, without the write limits. The records become
/// durable before the stream.
///
/// # Errors
/// The index of the first record that is refused, and the exception for this record.
pub async fn put_at_start(
    context: &Context,
    stream: &Stream,
    records: Vec<StartRecord>,
) -> Result<(), (usize, Error)> {
    let routed = route_records(&stream.put_settings(), records)?;
    let put = stream.append_unlimited(&context.engine, &routed).await;
    put.map_err(|at| (at, Error::internal()))
}

/// Computes the hash keys of the setup's records, and checks the sizes of the records.
///
/// # Errors
/// The index of the first record that is refused, and the exception for this record.
pub fn route_records(
    settings: &PutSettings,
    records: Vec<StartRecord>,
) -> Result<Vec<NewRecord>, (usize, Error)> {
    let routed = records.into_iter().enumerate().map(|(at, record)| {
        let size = (record.data.len() + record.partition_key.len()) as u64;
        let limit = settings.max_record_bytes;
        if size > limit {
            let text = format!("a record has at most {limit} bytes, and this one has {size}");
            return Err((at, Error::invalid(text)));
        }
        routed(settings, record).map_err(|error| (at, error))
    });
    routed.collect()
}

fn routed(settings: &PutSettings, record: StartRecord) -> Result<NewRecord, Error> {
    let explicit = record.explicit_hash_key.as_deref();
    let hash_key = hash_key(settings, (Some(&record.partition_key), explicit))?;
    Ok(NewRecord {
        partition_key: Some(record.partition_key.into()),
        hash_key,
        data: Bytes::from(record.data),
    })
}
