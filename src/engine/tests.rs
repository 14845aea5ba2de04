//! Tests that the time of the emulator does not go back when the machine's clock is set back. Also
//! tests that a request is completed even if its future is dropped.

use super::{
    Behaviour, ConsumerStatus, Engine, NewStream, PutFailure, Stream, consumer_status, new_settings,
};
use crate::limits::{Limits, Profile};
use crate::model::{
    AccountId, AccountRegion, HashKey, NewRecord, Region, SequenceNumber, ShardId, ShardIterator,
    StreamArn, StreamMode, StreamStatus,
};
use crate::store::{Durability, Settings, Store, StoreError};
use crate::world::{Clock, Random, RealDeadline, ShiftedClock, World};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

const HOUR_MS: u64 = 3_600_000;

/// The longest real time that a test waits for an event.
const LIMIT: Duration = Duration::from_secs(60);

/// Calls `ask` repeatedly until it returns a value. Fails the test after `LIMIT`.
async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(value) = ask().await {
                return value;
            }
            tokio::task::yield_now().await;
        }
    };
    let found = RealDeadline::lasting(LIMIT).with(asking).await;
    found.unwrap_or_else(|| panic!("waited {LIMIT:?} in vain for {what}"))
}

/// A stream, and an engine whose clock is two hours ahead of the machine's clock.
struct Stepped {
    clock: Arc<ShiftedClock>,
    engine: Arc<Engine>,
    stream: Arc<Stream>,
}

impl Stepped {
    async fn start() -> Self {
        Self::start_on(Settings::default()).await
    }

    async fn start_on(store: Settings) -> Self {
        let clock = ShiftedClock::ahead_by(2 * HOUR_MS);
        let opened = Store::open(store).unwrap();
        let (store, recovered) = opened.on_thread().unwrap();
        let world = World::new(Clock::Shifted(clock.clone()), Random::seeded(1));
        let limits = Limits {
            shard_write_records: Some(2),
            ..Limits::for_profile(Profile::Standard)
        };
        let behaviour = Behaviour {
            transition_ms: 20,
            ..Behaviour::default()
        };
        let (_stop, stopping) = tokio::sync::watch::channel(false);
        let engine = Engine::start(world, limits, behaviour, store, &recovered, stopping).unwrap();
        let account_region = AccountRegion {
            account: AccountId::parse("123456789012").unwrap(),
            region: Region::new("us-east-1"),
        };
        let new = NewStream {
            settings: new_settings(StreamMode::Provisioned),
            shards: 1,
            tags: Vec::new(),
            at_once: false,
        };
        let arn = StreamArn::new(account_region.clone(), "orders");
        engine.create(arn, new).await.unwrap();
        let stream = engine.find(&account_region, "orders").unwrap();
        Self {
            clock,
            engine,
            stream,
        }
    }

    async fn put(&self) -> Result<(), PutFailure> {
        let record = NewRecord {
            partition_key: Some("k".into()),
            hash_key: Some(HashKey::new(0)),
            data: Bytes::from_static(b"data"),
        };
        self.stream
            .put_one(&self.engine, record)
            .await
            .map(|_placed| ())
    }
}

#[tokio::test]
async fn a_state_ends_though_the_clock_is_set_back() {
    let stepped = Stepped::start().await;
    assert_eq!(stepped.stream.properties().status, StreamStatus::Creating);
    stepped.clock.set_ahead_by(HOUR_MS);
    until("the end of CREATING", async || {
        let status = stepped.stream.properties().status;
        (status == StreamStatus::Active).then_some(())
    })
    .await;
    stepped.engine.close().await.unwrap();
}

#[tokio::test]
async fn a_rate_is_paid_off_though_the_clock_is_set_back() {
    let stepped = Stepped::start().await;
    until("a shard that takes no more", async || {
        stepped.put().await.err()
    })
    .await;
    stepped.clock.set_ahead_by(HOUR_MS);
    until("a shard that takes records again", async || {
        stepped.put().await.ok()
    })
    .await;
    stepped.engine.close().await.unwrap();
}

#[tokio::test]
async fn an_iterator_stays_valid_though_the_clock_is_set_back() {
    let stepped = Stepped::start().await;
    let iterator = ShardIterator {
        issued: stepped.engine.world.clock.now(),
        identity: stepped.stream.incarnation,
        stream: "orders".to_owned(),
        shard: ShardId::new(0),
        position: SequenceNumber::first_of(1, 0),
    };
    stepped.clock.set_ahead_by(0);
    let now = stepped.engine.world.clock.now();
    assert!(now >= iterator.issued);
    // The iterator must also be valid after a start whose clock is two hours behind.
    let after_start = now.plus_millis(-2 * 3_600_000);
    for now in [now, after_start] {
        assert!(!iterator.expired(now) && !iterator.is_of_far_future(now));
    }
    stepped.engine.close().await.unwrap();
}

#[tokio::test]
async fn a_registration_is_finished_though_its_caller_leaves() {
    let home = tempfile::tempdir().unwrap();
    let stepped = Stepped::start_on(Settings {
        directory: Some(home.path().to_owned()),
        durability: Durability::Always,
        ..Settings::default()
    })
    .await;
    let (engine, stream) = (&stepped.engine, &stepped.stream);
    let status = || stream.look(|state| state.consumers.get("reader").map(consumer_status));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    {
        let checked = Ok::<_, StoreError>(());
        let registering = engine.register(stream, "reader", BTreeMap::new(), |_, _| checked);
        assert!(pin!(registering).poll(&mut context).is_pending());
    }
    assert_eq!(status(), Some(ConsumerStatus::Creating));
    until("the end of CREATING", async || {
        (status() == Some(ConsumerStatus::Active)).then_some(())
    })
    .await;
    {
        let deregistering = engine.deregister(stream, "reader", |_| Ok::<_, StoreError>(()));
        assert!(pin!(deregistering).poll(&mut context).is_pending());
    }
    assert_eq!(status(), Some(ConsumerStatus::Deleting));
    until("the end of DELETING", async || {
        status().is_none().then_some(())
    })
    .await;
    stepped.engine.close().await.unwrap();
}
