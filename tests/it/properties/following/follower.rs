//! A follower of a shard: the records that it has seen, and their comparison with the expected
//! records.

use super::Record;
use crate::lab::{Events, Lab, Pushed, Request, Stream};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::ops::RangeInclusive;

/// The permitted numbers of the shard's records before a position.
pub(super) type Skips = RangeInclusive<usize>;

pub(super) struct Follower {
    pub(super) consumer: usize,
    skips: Skips,
    /// The sequence number and the data of each record that the follower has seen.
    seen: Vec<(String, String)>,
    /// None after the subscription has ended, or if the follower polls.
    events: Option<Events>,
}

impl Follower {
    pub(super) async fn begin(lab: &Lab, consumer: usize, body: &Value, skips: Skips) -> Self {
        let call = Request::json("SubscribeToShard", &body.to_string());
        let begun = Events::begin(lab.connect().await, &call).await;
        Self {
            consumer,
            skips,
            seen: Vec::new(),
            events: Some(begun.unwrap_or_else(|answer| panic!("{body}: {}", answer.text()))),
        }
    }

    /// Receives events up to the record with this data, or to the end of the shard.
    pub(super) async fn hear(mut self, last: String) -> Self {
        let events = self.events.as_mut().unwrap();
        loop {
            let Pushed::Event(event) = events.next().await else {
                panic!(
                    "neither a record nor the shard's end after {}",
                    self.seen.len()
                )
            };
            let before = self.seen.len();
            for record in event["Records"].as_array().unwrap() {
                self.seen.push(number_and_data(record));
            }
            if event.get("ChildShards").is_some() {
                assert_eq!(events.next().await, Pushed::End);
                self.events = None;
                return self;
            }
            if is_last(&self.seen[before..], &last) {
                return self;
            }
        }
    }

    /// Polls for records from the oldest one on, up to the record with this data or to the end of
    /// the shard.
    pub(super) async fn ask(stream: Stream, shard: String, skips: Skips, last: String) -> Self {
        let mut seen = Vec::new();
        let mut next = Some(stream.horizon(&shard).await);
        while let Some(iterator) = next {
            let got = stream.get(&iterator).await;
            let data = |record: &aws_sdk_kinesis::types::Record| {
                (
                    record.sequence_number.clone(),
                    STANDARD.encode(&record.data),
                )
            };
            seen.extend(got.records.iter().map(data));
            next = got.next_shard_iterator;
            if got.records.is_empty() {
                // Let other tasks run: a follower that polls without a pause would starve them.
                tokio::task::yield_now().await;
            }
            let done = got.millis_behind_latest == Some(0) && is_last(&seen, &last);
            next = next.filter(|_| !done);
        }
        Self {
            consumer: usize::MAX,
            skips,
            seen,
            events: None,
        }
    }

    pub(super) fn goes_on(&self) -> bool {
        self.events.is_some()
    }

    /// Checks that the follower has seen all acknowledged records after its position.
    pub(super) fn check(&self, all: &[Record]) {
        let first = self.seen.first();
        let skipped = first.map_or(all.len(), |(number, _)| {
            all.iter()
                .position(|record| record.number == *number)
                .unwrap()
        });
        assert!(
            self.skips.contains(&skipped),
            "{skipped} of {:?}",
            self.skips
        );
        let expected = all[skipped..].iter();
        let expected: Vec<_> = expected
            .map(|record| (&record.number, &record.data))
            .collect();
        let seen: Vec<_> = self
            .seen
            .iter()
            .map(|(number, data)| (number, data))
            .collect();
        assert!(expected == seen, "{} of {}", seen.len(), expected.len());
    }
}

fn number_and_data(record: &Value) -> (String, String) {
    let text = |member: &str| record[member].as_str().unwrap().to_owned();
    (text("SequenceNumber"), text("Data"))
}

/// True if the last of these records has this data.
fn is_last(records: &[(String, String)], data: &str) -> bool {
    records.last().is_some_and(|(_, last)| last == data)
}
