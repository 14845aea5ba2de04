//! The ground of the benchmarks: an engine without a listener, and requests for it.

use bytes::Bytes;
use minikin::Clock;
use minikin::Profile;
use minikin::internals::engine::{Behaviour, Engine};
use minikin::internals::limits::Limits;
use minikin::internals::model::{AccountId, AccountRegion, Region};
use minikin::internals::operation::{Answer, Context, Entry};
use minikin::internals::store::{Settings, Store};
use minikin::internals::wire::{Blob, Format};
use minikin::internals::world::Random;
use minikin::internals::world::World;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::watch;

pub(crate) const RECORD_BYTES: usize = 1024;

/// An engine, and the thread that runs it.
pub(crate) struct Bed {
    pub(crate) runtime: Runtime,
    context: Context,
    _stop: watch::Sender<bool>,
}

impl Bed {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let (stop, stopped) = watch::channel(false);
        let world = World::new(Clock::System, Random::seeded(1));
        let engine = runtime.block_on(async {
            let (store, recovered) = Store::open(Settings::default())
                .unwrap()
                .on_thread()
                .unwrap();
            let limits = Limits::for_profile(Profile::Fast);
            let taste = Behaviour::default();
            Engine::start(world, limits, taste, store, &recovered, stopped).unwrap()
        });
        let caller = AccountRegion {
            account: AccountId::parse("000000000000").unwrap(),
            region: Region::new("us-east-1"),
        };
        Self {
            runtime,
            context: Context::new(engine, caller, None),
            _stop: stop,
        }
    }

    /// Runs an operation on a request body. Returns the body of the answer. None for a dry run.
    pub(crate) async fn answer(
        &self,
        operation: &'static Entry,
        body: Bytes,
        format: Format,
    ) -> Option<Vec<u8>> {
        match operation.call(self.context.clone(), body, format).await {
            Ok(Answer::Whole(body, _)) => Some(body),
            Ok(other) => panic!("{operation:?} answers {other:?}"),
            Err(error) => {
                assert_eq!(error.kind.name(), "DryRunOperationException");
                None
            }
        }
    }

    /// Calls an operation for what it does.
    pub(crate) async fn call(&self, operation: &str, body: Value) -> Value {
        let body = Bytes::from(body.to_string());
        let entry = Entry::find(operation).unwrap();
        let answer = self.answer(entry, body, Format::Json).await.unwrap();
        serde_json::from_slice(&answer).unwrap_or(Value::Null)
    }

    pub(crate) async fn create(&self, stream: &str, shards: u32) {
        let body = json!({ "StreamName": stream, "ShardCount": shards });
        self.call("CreateStream", body).await;
    }

    pub(crate) async fn delete(&self, stream: &str) {
        let body = json!({ "StreamName": stream });
        self.call("DeleteStream", body).await;
    }
}

/// A record as a put has it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    data: Blob,
    partition_key: String,
}

/// The body of a PutRecord.
pub(crate) fn put_record(format: Format, stream: &str, dry_run: bool) -> Bytes {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Input<'a> {
        stream_name: &'a str,
        data: Blob,
        partition_key: String,
        dry_run: bool,
    }
    let Record {
        data,
        partition_key,
    } = record(0);
    let input = Input {
        stream_name: stream,
        data,
        partition_key,
        dry_run,
    };
    Bytes::from(minikin::internals::wire::encode(format, &input))
}

/// The body of a PutRecords.
pub(crate) fn put_records(format: Format, stream: &str, count: usize, dry_run: bool) -> Bytes {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Input<'a> {
        stream_name: &'a str,
        records: Vec<Record>,
        dry_run: bool,
    }
    let input = Input {
        stream_name: stream,
        records: (0..count).map(record).collect(),
        dry_run,
    };
    Bytes::from(minikin::internals::wire::encode(format, &input))
}

fn record(number: usize) -> Record {
    Record {
        data: Blob(Bytes::from(noise(RECORD_BYTES))),
        partition_key: format!("{number:016x}"),
    }
}

/// Bytes that cannot be compressed, the same in every run.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let random = Random::seeded(7);
    let numbers = (0..length.div_ceil(8)).flat_map(|_| random.number().to_le_bytes());
    numbers.take(length).collect()
}
