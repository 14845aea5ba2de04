//! Steps of consumers: they register, subscribe, close subscriptions, and receive events.

use super::machine::Ground;
use super::oracle::{Foretold, Record};
use super::read::records;
use super::{NAMES, Simulation};
use crate::lab::{Events, Pushed, Request, arn_of, cbor};
use minikin::internals::operation::Entry;
use serde_json::{Value, json};

/// Names of the consumers that can exist for each stream.
pub(super) const CONSUMERS: [&str; 2] = ["one", "two"];
/// Maximum duration of a subscription.
const LIFE_MS: u64 = 300_000;
/// Time without records after which an event without records is sent.
const SILENCE_MS: u64 = 5_000;
/// Maximum number of concurrent subscriptions.
const MOST: usize = 8;

/// A subscription to a shard, and its position.
#[derive(Debug)]
pub(super) struct Subscribed {
    pub(super) stream: &'static str,
    consumer: &'static str,
    pub(super) shard: usize,
    /// Number of the shard's records before the position.
    position: usize,
    /// True if the consumer was deregistered. The subscription continues.
    pub(super) departed: bool,
    began_ms: u64,
    last_ms: u64,
    /// The continuation sequence number of the last event.
    continuation: String,
    /// The exception that ends the subscription.
    pub(super) ends: Option<&'static str>,
    pub(super) events: Events,
}

/// The continuation sequence number of a subscription, and the number of records up to it.
#[derive(Debug)]
pub(super) struct Bookmark {
    pub(super) stream: &'static str,
    pub(super) shard: usize,
    pub(super) position: usize,
    pub(super) number: String,
}

impl Subscribed {
    fn is_at(&self, place: (&str, &str, usize)) -> bool {
        !self.departed && (self.stream, self.consumer, self.shard) == place
    }

    /// The time of the next event without records.
    pub(super) fn due_ms(&self) -> u64 {
        (self.last_ms + SILENCE_MS).min(self.began_ms + LIFE_MS)
    }

    fn bookmark(&self) -> Bookmark {
        Bookmark {
            stream: self.stream,
            shard: self.shard,
            position: self.position,
            number: self.continuation.clone(),
        }
    }
}

impl Simulation {
    pub(super) async fn register(&mut self) {
        let (name, consumer) = (self.name(), *self.chance.one_of(&CONSUMERS));
        let foretold = self.oracle.register(name, consumer);
        let body = json!({"StreamARN": arn_of(name), "ConsumerName": consumer});
        if let Some(answer) = self.call("RegisterStreamConsumer", body, foretold).await {
            let registered = &answer["Consumer"];
            assert_eq!(registered["ConsumerARN"], self.consumer_arn(name, consumer));
            assert_eq!(registered["ConsumerStatus"], "CREATING");
        }
    }

    pub(super) async fn deregister(&mut self) {
        let (name, consumer) = (self.name(), *self.chance.one_of(&CONSUMERS));
        let body = match self.chance.below(2) {
            0 => json!({"ConsumerARN": self.consumer_arn(name, consumer)}),
            _ => json!({"StreamARN": arn_of(name), "ConsumerName": consumer}),
        };
        let foretold = self.oracle.deregister(name, consumer);
        self.call("DeregisterStreamConsumer", body, foretold).await;
        if foretold.is_ok() {
            let theirs = |one: &&mut Subscribed| (one.stream, one.consumer) == (name, consumer);
            let theirs = self.subscribed.iter_mut().filter(theirs);
            theirs.for_each(|one| one.departed = true);
        }
    }

    pub(super) async fn subscribe(&mut self) {
        if self.subscribed.len() >= MOST {
            return self.hang_up().await;
        }
        let mut streams = self.oracle.streams.values();
        if streams.all(|stream| stream.consumers.is_empty()) && self.chance.below(9) > 0 {
            return self.register().await;
        }
        let place = self.some_place();
        let (name, consumer, shard) = place;
        let foretold = self.oracle.subscribe(name, consumer, shard);
        let before = self.subscribed.iter_mut().find(|one| one.is_at(place));
        if let Some(before) = before.filter(|_| foretold.is_ok()) {
            before.ends = Some("ResourceInUseException");
        }
        self.begin_to_hear(place, foretold).await;
    }

    /// A consumer and a shard to subscribe to: mostly a registered consumer and an open shard.
    fn some_place(&self) -> (&'static str, &'static str, usize) {
        if !self.subscribed.is_empty() && self.chance.below(5) == 0 {
            let taken = self.chance.one_of(&self.subscribed);
            return (taken.stream, taken.consumer, taken.shard);
        }
        let streams = NAMES.into_iter().filter_map(|name| {
            let stream = self.oracle.streams.get(name)?;
            Some(
                stream
                    .consumers
                    .keys()
                    .map(move |consumer| (name, *consumer)),
            )
        });
        let registered: Vec<_> = streams.flatten().collect();
        let (name, consumer) = match registered.len() {
            0 => (self.name(), CONSUMERS[0]),
            _ if self.chance.below(9) == 0 => (self.name(), *self.chance.one_of(&CONSUMERS)),
            _ => *self.chance.one_of(&registered),
        };
        let open = self.oracle.streams.get(name).map(|stream| stream.open());
        let shard = match open {
            Some(open) if self.chance.below(3) > 0 => *self.chance.one_of(&open),
            _ => self.some_shard(name),
        };
        (name, consumer, shard)
    }

    async fn begin_to_hear(
        &mut self,
        place: (&'static str, &'static str, usize),
        foretold: Foretold,
    ) {
        let (stream, consumer, shard) = place;
        let (kind, position, start) = self.some_position(stream, shard);
        let start = json!({
            "Type": kind, "Timestamp": start.time_s, "SequenceNumber": start.number,
        });
        let body = json!({
            "ConsumerARN": self.consumer_arn(stream, consumer), "ShardId": shard.to_string(),
            "StartingPosition": start,
        });
        let text = body.to_string();
        let request = if self.chance.below(2) == 0 {
            Request::json("SubscribeToShard", &text)
        } else {
            let shape = Entry::find("SubscribeToShard").unwrap().input;
            Request::cbor("SubscribeToShard", &cbor::of_json(&text, shape))
        };
        let begun = self.machine.subscribe(&request).await;
        let refusal = begun.as_ref().err().map(|answer| answer.refusal().kind);
        let outcome = refusal.as_deref().map_or(Ok(()), Err);
        let attempt = format!("{consumer} subscribes to {stream} {shard} {kind} {position}");
        self.trace.push(format!("{attempt}: {outcome:?}"));
        assert_eq!(outcome, foretold, "{body}\n{}", self.story());
        let now_ms = self.oracle.now_ms;
        if let Ok(events) = begun {
            self.oracle.subscribed(stream, consumer, shard);
            self.subscribed.push(Subscribed {
                stream,
                consumer,
                shard,
                position,
                departed: false,
                began_ms: now_ms,
                last_ms: now_ms,
                continuation: String::new(),
                ends: None,
                events,
            });
        }
    }

    /// Closes the connection of a subscriber, which ends its subscription.
    pub(super) async fn hang_up(&mut self) {
        if self.subscribed.is_empty() {
            return;
        }
        let at = self.chance.below(self.subscribed.len());
        let one = self.subscribed.swap_remove(at);
        self.trace
            .push(format!("{} {} hangs up", one.stream, one.shard));
        self.keep_place(&one);
        drop(one);
        self.until_subscriptions_end().await;
    }

    pub(super) async fn hang_up_all(&mut self) {
        self.oracle.forget_subscriptions();
        for one in std::mem::take(&mut self.subscribed) {
            self.keep_place(&one);
        }
        self.until_subscriptions_end().await;
    }

    /// Drops all subscriptions without a wait for their end, because the machine stops anyway.
    pub(super) fn hang_up_all_at_once(&mut self) {
        self.oracle.forget_subscriptions();
        for one in std::mem::take(&mut self.subscribed) {
            self.keep_place(&one);
        }
    }

    async fn until_subscriptions_end(&self) {
        self.machine.settle().await;
        assert_eq!(self.machine.subscriptions(), self.subscribed.len());
    }

    /// Receives the events of all subscriptions.
    pub(super) async fn hear(&mut self) {
        for mut one in std::mem::take(&mut self.subscribed) {
            match self.hear_one(&mut one).await {
                true => self.subscribed.push(one),
                false => self.keep_place(&one),
            }
        }
    }

    /// Receives the events of one subscription. Returns true if the subscription continues.
    async fn hear_one(&mut self, one: &mut Subscribed) -> bool {
        let now_ms = self.oracle.now_ms;
        let place = format!("{} of {} {}", one.consumer, one.stream, one.shard);
        let gone = Some("ResourceNotFoundException");
        let stream = self.oracle.streams.get(one.stream);
        if let Some(kind) = one.ends.or(gone.filter(|_| stream.is_none())) {
            self.trace.push(format!("{place}: {kind}"));
            let event = one.events.next().await;
            assert_eq!(
                event,
                Pushed::Exception(kind.to_owned()),
                "{}",
                self.story()
            );
            return self.hear_end(one).await;
        }
        if now_ms >= one.began_ms + LIFE_MS {
            self.trace.push(format!("{place}: its time is over"));
            return self.hear_end(one).await;
        }
        let expected = stream.unwrap().readable(one.shard, one.position, now_ms);
        let expected = expected.to_vec();
        if !self.hear_records(one, &expected).await {
            return false;
        }
        let shard = &self.oracle.streams[one.stream].shards[one.shard];
        one.position = shard.records.len();
        if shard.closed_s.is_some() {
            self.trace.push(format!("{place}: its shard ends"));
            let children = self.child_shards(one.stream, one.shard);
            let behind_ms = shard.behind_at_end_ms(now_ms);
            let last =
                json!({"ChildShards": children, "MillisBehindLatest": behind_ms, "Records": []});
            let Some(event) = self.next_event(one).await else {
                return false;
            };
            assert_eq!(event, last, "{}", self.story());
            return self.hear_end(one).await;
        }
        if now_ms >= one.last_ms + SILENCE_MS {
            let Some(event) = self.next_event(one).await else {
                return false;
            };
            assert_eq!(
                (&event["Records"], &event["MillisBehindLatest"]),
                (&json!([]), &json!(0))
            );
            self.go_on(one, &event);
        }
        true
    }

    /// Receives the expected records. Returns false if a fault ended the subscription.
    async fn hear_records(&mut self, one: &mut Subscribed, expected: &[Record]) -> bool {
        let mut got = Vec::new();
        while got.len() < expected.len() {
            let Some(event) = self.next_event(one).await else {
                return false;
            };
            let some = records(&event);
            let last = some
                .last()
                .unwrap_or_else(|| panic!("{event}\n{}", self.story()));
            assert_eq!(event["ContinuationSequenceNumber"], last.number.as_str());
            let arrived_ms = last.arrival_ms;
            got.extend(some);
            let behind_ms = match got.len() < expected.len() {
                true => (self.oracle.now_ms - arrived_ms).max(1),
                false => {
                    let shard = &self.oracle.streams[one.stream].shards[one.shard];
                    shard.behind_at_end_ms(self.oracle.now_ms)
                }
            };
            // If threads commit, an event may be created before the next one of several requests is
            // appended.
            let threads = matches!(self.machine.ground, Ground::Directory(_));
            let sent_ms = &event["MillisBehindLatest"];
            let right = *sent_ms == behind_ms || threads && *sent_ms == 0;
            assert!(right, "{sent_ms} of {behind_ms}\n{}", self.story());
            self.go_on(one, &event);
        }
        assert_eq!(got, expected, "{one:?}\n{}", self.story());
        if !got.is_empty() {
            let data: Vec<_> = got.iter().map(|record| record.data.trim_end()).collect();
            let place = format!("{} of {} {}", one.consumer, one.stream, one.shard);
            self.trace.push(format!("{place} is pushed {data:?}"));
        }
        true
    }

    /// The next event. None if a fault occurs instead.
    async fn next_event(&mut self, one: &mut Subscribed) -> Option<Value> {
        match one.events.next().await {
            Pushed::Event(event) => Some(event),
            ended if self.trouble => {
                let internal = Pushed::Exception("InternalFailureException".to_owned());
                let cut = ended == Pushed::Torn || ended == Pushed::End;
                assert!(cut || ended == internal, "{ended:?}\n{}", self.story());
                self.trace
                    .push(format!("{} {}: {ended:?}", one.stream, one.shard));
                self.failed = true;
                None
            }
            other => panic!("{other:?}\n{one:?}\n{}", self.story()),
        }
    }

    /// Checks that the continuation sequence number never decreases. It may stay the same: before
    /// the first second of a new shard, all events without records have the number of this second.
    fn go_on(&self, one: &mut Subscribed, event: &Value) {
        let number = event["ContinuationSequenceNumber"].as_str().unwrap();
        assert!(
            number >= one.continuation.as_str(),
            "{number} {one:?}\n{}",
            self.story()
        );
        number.clone_into(&mut one.continuation);
        one.last_ms = self.oracle.now_ms;
    }

    async fn hear_end(&self, one: &mut Subscribed) -> bool {
        assert_eq!(one.events.next().await, Pushed::End, "{}", self.story());
        false
    }

    /// Checks, after the emulator has stopped, that all subscriptions ended without another event.
    pub(super) async fn hear_the_end(&mut self) {
        self.oracle.forget_subscriptions();
        for mut one in std::mem::take(&mut self.subscribed) {
            self.hear_end(&mut one).await;
            self.keep_place(&one);
        }
    }

    /// Notes the position of a subscription, so that a later one can continue there.
    fn keep_place(&mut self, one: &Subscribed) {
        if !one.continuation.is_empty() {
            self.bookmarks.push(one.bookmark());
        }
    }

    pub(super) fn consumer_arn(&self, name: &str, consumer: &str) -> String {
        let stream = self.oracle.streams.get(name);
        let known = stream.and_then(|stream| stream.consumers.get(consumer));
        let created_s = known.map_or(7, |known| known.created_s);
        format!("{}/consumer/{consumer}:{created_s}", arn_of(name))
    }
}
