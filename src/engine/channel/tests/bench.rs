//! An engine with a channel that delivers to buckets in memory.

use crate::engine::channel::destination::{
    ChannelBehaviour, Destinations, ObjectHead, ObjectWriter,
};
use crate::engine::channel::destination_error::DestinationError;
use crate::engine::channel::{Channel, ChannelFigures, NewChannel};
use crate::engine::event_source::Pending;
use crate::engine::{
    Behaviour, Engine, NewStream, Stream, StreamSettings, StreamState, new_settings,
};
use crate::limits::{Limits, Profile};
use crate::lock::Lock;
use crate::model::channel::{
    BucketRef, ChannelSettings, DEFAULT_KEY_TEMPLATE, DeadLetterBucket, Destination, LogSettings,
    RecordFormat, S3Compression, S3Destination, StorageClass,
};
use crate::model::{
    AccountId, AccountRegion, HashKey, NewRecord, Region, StreamArn, StreamMode, Tags,
};
use crate::store::{
    Durability, PendingChange, ReshardingOrder, Settings, SimulatedDisk, Store, StoreError,
};
use crate::world::{Clock, Random, RealDeadline, Timestamp, VirtualClock, World};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// 2026-09-19T09:10:45.948Z, in milliseconds since the epoch.
pub(super) const START_MS: i64 = 1_789_809_045_948;

/// Limit in real time for each wait.
const LIMIT: Duration = Duration::from_secs(60);

/// Waits for the result of `work`. Fails the test if `work` takes longer than `LIMIT`.
async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    let done = RealDeadline::lasting(LIMIT).with(work).await;
    done.unwrap_or_else(|| panic!("waited {LIMIT:?} in vain for {what}"))
}

/// Buckets in memory, which are the destinations of the channel.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory(Arc<Contents>);

#[derive(Debug, Default)]
struct Contents {
    /// The contents of the objects. The key is the bucket and the object's key.
    objects: Lock<BTreeMap<(String, String), Vec<u8>>>,
    /// The completed objects in the order of their completion, including objects that were written
    /// again. The first value is the bucket and the object's key, and the second is the content.
    puts: Lock<Vec<(String, Vec<u8>)>>,
    is_down: AtomicBool,
    /// True while every object must wait before its completion.
    is_silent: watch::Sender<bool>,
}

impl Memory {
    /// Makes the completion of every object fail from now on if `is_down` is true. Makes the
    /// completions succeed again if `is_down` is false.
    pub(super) fn set_down(&self, is_down: bool) {
        self.0.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Makes every later object wait before its completion if `is_silent` is true. Completes the
    /// waiting objects if `is_silent` is false.
    pub(super) fn set_silent(&self, is_silent: bool) {
        self.0.is_silent.send_replace(is_silent);
    }

    /// Keys and contents of the objects in a bucket.
    pub(super) fn objects(&self, bucket: &str) -> Vec<(String, Vec<u8>)> {
        let objects = self.0.objects.lock();
        let of_bucket = objects.iter().filter(|((of, _), _)| of == bucket);
        of_bucket
            .map(|((_, key), body)| (key.clone(), body.clone()))
            .collect()
    }

    /// The lines of all objects in a bucket, in the order in which the objects were first written.
    pub(super) fn lines(&self, bucket: &str) -> Vec<String> {
        let mut seen = std::collections::BTreeSet::new();
        let puts = self.0.puts.lock();
        let first = puts
            .iter()
            .filter(|(key, _)| key.starts_with(&format!("{bucket}/")) && seen.insert(key.clone()));
        let text = first.map(|(_, body)| String::from_utf8(body.clone()).unwrap());
        let lines = text.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
        lines.collect()
    }

    /// Returns all completed objects in the order of their completion, including objects that were
    /// written again. The first value is the bucket and the object's key, and the second is the
    /// content.
    pub(super) fn puts(&self) -> Vec<(String, Vec<u8>)> {
        self.0.puts.lock().clone()
    }
}

impl Destinations for Memory {
    fn check(&self, _settings: &ChannelSettings) -> Pending<Result<(), String>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn begin(&self, object: ObjectHead) -> Result<Box<dyn ObjectWriter>, DestinationError> {
        Ok(Box::new(Object {
            memory: self.clone(),
            bucket: object.bucket.name().to_owned(),
            key: object.key,
            body: Vec::new(),
        }))
    }
}

#[derive(Debug)]
struct Object {
    memory: Memory,
    bucket: String,
    key: String,
    body: Vec<u8>,
}

impl Write for Object {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.body.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ObjectWriter for Object {
    fn finish(self: Box<Self>) -> Pending<Result<u64, DestinationError>> {
        Box::pin(async move {
            let contents = &self.memory.0;
            let mut is_silent = contents.is_silent.subscribe();
            let _answers = is_silent.wait_for(|is_silent| !is_silent).await;
            if contents.is_down.load(Ordering::SeqCst) {
                return Err(DestinationError::Unreachable(
                    "the server is down".to_owned(),
                ));
            }
            let length = self.body.len() as u64;
            let put = (format!("{}/{}", self.bucket, self.key), self.body.clone());
            contents.puts.lock().push(put);
            let mut objects = contents.objects.lock();
            objects.insert((self.bucket, self.key), self.body);
            Ok(length)
        })
    }
}

/// The settings of the engine, the stream and the channel of a test.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) format: RecordFormat,
    pub(super) compression: S3Compression,
    pub(super) template: String,
    pub(super) max_object_bytes: u64,
    pub(super) flush_interval_ms: Option<u64>,
    pub(super) shards: u32,
    /// Maximum size of a segment, in bytes. With a small maximum, a log has many segments.
    pub(super) segment_bytes: usize,
    pub(super) durability: Durability,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            format: RecordFormat::String,
            compression: S3Compression::None,
            template: DEFAULT_KEY_TEMPLATE.to_owned(),
            max_object_bytes: 1 << 20,
            flush_interval_ms: None,
            shards: 1,
            segment_bytes: 1 << 16,
            durability: Durability::Always,
        }
    }
}

/// An engine with one stream and one channel.
pub(super) struct Bench {
    pub(super) clock: Arc<VirtualClock>,
    pub(super) engine: Arc<Engine>,
    pub(super) stream: Arc<Stream>,
    pub(super) channel: Arc<Channel>,
    pub(super) memory: Memory,
    pub(super) world: World,
    _stop: watch::Sender<bool>,
}

impl Bench {
    pub(super) async fn start(plan: Plan) -> Self {
        let disk = SimulatedDisk::new();
        Self::start_on(&disk, Memory::default(), plan, START_MS).await
    }

    /// Starts an engine on a disk. Creates the stream and the channel if the disk does not have
    /// them.
    pub(super) async fn start_on(
        disk: &SimulatedDisk,
        memory: Memory,
        plan: Plan,
        now_ms: i64,
    ) -> Self {
        let settings = Settings {
            directory: Some("data".into()),
            durability: plan.durability,
            segment_bytes: plan.segment_bytes,
            ..Settings::default()
        };
        let opened = Store::open_simulated(settings, disk).unwrap();
        let (store, recovered) = opened.on_thread().unwrap();
        let clock = VirtualClock::starting_at(Timestamp::from_millis(now_ms));
        let world = World::new(Clock::Virtual(clock.clone()), Random::seeded(1));
        let behaviour = Behaviour {
            channels: ChannelBehaviour {
                destinations: Arc::new(memory.clone()),
                flush_interval_ms: plan.flush_interval_ms,
                max_object_bytes: plan.max_object_bytes,
            },
            ..Behaviour::default()
        };
        let (stop, stopping) = watch::channel(false);
        let limits = Limits::for_profile(Profile::Fast);
        let engine = Engine::start(
            world.clone(),
            limits,
            behaviour,
            store,
            &recovered,
            stopping,
        )
        .unwrap();
        let stream = stream(&engine, &plan).await;
        let channel = match engine.all_channels().first() {
            Some(channel) => channel.clone(),
            None => create_channel(&engine, &stream, &plan).await,
        };
        Self {
            clock,
            engine,
            stream,
            channel,
            memory,
            world,
            _stop: stop,
        }
    }

    /// Puts one record for each text. The hash key of each record is the hash of its text.
    pub(super) async fn put(&self, texts: impl IntoIterator<Item = impl AsRef<[u8]>>) {
        let record = |text: &[u8]| NewRecord {
            partition_key: Some("key".into()),
            hash_key: Some(HashKey::of_partition_key(&format!("{text:?}"))),
            data: Bytes::copy_from_slice(text),
        };
        let records = texts.into_iter().map(|text| record(text.as_ref()));
        let put = self.stream.put_many(&self.engine, records.collect());
        for placed in within("a put", put).await {
            placed.unwrap();
        }
    }

    /// Advances the clock by `ms` milliseconds, and waits until all tasks are idle.
    pub(super) async fn advance_ms(&self, ms: i64) {
        let now = self.world.clock.now();
        let advance = self.clock.advance_to(now.plus_millis(ms));
        within("the tasks to be idle", advance).await;
    }

    /// Splits or merges the shards that `order` names.
    pub(super) async fn reshard(&self, order: ReshardingOrder) {
        self.update(|_| {}, Some(order)).await;
    }

    /// Changes the retention period of the stream, and waits until all tasks are idle.
    pub(super) async fn retain_hours(&self, hours: u32) {
        self.update(|settings| settings.retention_hours = hours, None)
            .await;
        self.advance_ms(0).await;
    }

    async fn update(
        &self,
        change: impl FnOnce(&mut StreamSettings),
        resharding: Option<ReshardingOrder>,
    ) {
        let plan = |state: &mut StreamState, _| {
            let mut settings = state.settings.clone();
            change(&mut settings);
            Ok::<_, StoreError>(Some(PendingChange {
                settings,
                resharding,
            }))
        };
        let update = self.engine.update(&self.stream, plan);
        within("a change of the stream", update).await.unwrap();
    }

    /// The current figures of the channel.
    pub(super) fn figures(&self) -> ChannelFigures {
        self.channel.figures(self.world.clock.now())
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.world.clock.now().millis()
    }

    pub(super) async fn stop(self) {
        let close = self.engine.close();
        within("the end of the engine", close).await.unwrap();
    }
}

async fn stream(engine: &Arc<Engine>, plan: &Plan) -> Arc<Stream> {
    let account_region = AccountRegion {
        account: AccountId::parse("123456789012").unwrap(),
        region: Region::new("us-east-1"),
    };
    if engine.find(&account_region, "orders").is_none() {
        let new = NewStream {
            settings: new_settings(StreamMode::OnDemand),
            shards: plan.shards,
            tags: Vec::new(),
            at_once: true,
        };
        let arn = StreamArn::new(account_region.clone(), "orders");
        let create = engine.create(arn, new);
        within("a new stream", create).await.unwrap();
    }
    engine.find(&account_region, "orders").unwrap()
}

async fn create_channel(engine: &Arc<Engine>, stream: &Arc<Stream>, plan: &Plan) -> Arc<Channel> {
    let bucket = |name: &str| BucketRef {
        arn: format!("arn:aws:s3:::{name}"),
        owner: "123456789012".to_owned(),
    };
    let settings = ChannelSettings {
        role: "arn:aws:iam::123456789012:role/x".to_owned(),
        format: plan.format,
        schema: None,
        destination: Destination::S3(S3Destination {
            bucket: bucket("records"),
            compression: plan.compression,
            key_template: plan.template.clone(),
            storage_class: StorageClass::Standard,
        }),
        freshness_s: 300,
        dead_letters: DeadLetterBucket {
            bucket: bucket("failures"),
            prefix: "errors/".to_owned(),
        },
        key_id: None,
        log: LogSettings::default(),
    };
    let new = NewChannel {
        name: "archive".into(),
        settings,
        tags: Tags::default(),
        at_once: true,
    };
    let checked = |_: &_, _| Ok::<_, StoreError>(());
    let create = engine.create_channel(stream, new, checked);
    within("a new channel", create).await.unwrap()
}
