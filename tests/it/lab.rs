//! The fixture of a test: an emulator, its clock, and clients.

pub(crate) mod answer;
pub(crate) mod calls;
pub(crate) mod cbor;
pub(crate) mod events;
pub(crate) mod h2;
pub(crate) mod program;
pub(crate) mod raw;
pub(crate) mod request;
pub(crate) mod server;
pub(crate) mod shelf;
pub(crate) mod stream;
pub(crate) mod wait;

pub(crate) use answer::Answer;
pub(crate) use calls::{arn_of, create_stream, ok, ok_cbor, refused, refused_in_both};
pub(crate) use events::{Events, Pushed};
pub(crate) use request::Request;
pub(crate) use shelf::Shelf;
pub(crate) use stream::{Placed, Stream, StreamBuilder};
pub(crate) use wait::{Rounds, WAIT_LIMIT, block_on, block_on_one_thread, until, within};

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::retry::RetryConfig;
use aws_sdk_kinesis::config::timeout::TimeoutConfig;
use aws_sdk_kinesis::config::{BehaviorVersion, Config, Credentials, Region};
use minikin::internals::engine::channel::Destinations;
use minikin::internals::engine::event_source::{EventSources, Mapping};
use minikin::internals::lock::{Lock, Rank};
use minikin::internals::model::event_source::Refusal;
use minikin::internals::world::Rule;
use minikin::{Clock, Timestamp, VirtualClock};
use minikin::{Emulator, Function, Options};
use minikin::{StartError, Surroundings};
use raw::Connection;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;

/// The time at which every test's clock starts: 2023-11-14T22:13:20Z.
pub(crate) const START_MS: i64 = 1_700_000_000_000;
/// The account of credentials that name no account.
pub(crate) const ACCOUNT: &str = "000000000000";
/// The region of the clients that name none.
pub(crate) const REGION: &str = "us-east-1";
/// The first shard of a stream.
pub(crate) const SHARD_0: &str = "shardId-000000000000";
/// The storage of a test's emulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Memory,
    Disk,
}

/// An emulator and the clients of a test.
#[derive(Debug, Clone)]
pub(crate) struct Lab {
    /// The clock, with which a test moves the emulator's time.
    pub(crate) clock: LabClock,
    flags: Arc<[String]>,
    directory: Option<Arc<TempDir>>,
    /// Functions for event source mappings.
    functions: BTreeMap<String, Function>,
    /// Destinations of channels, which replace the destinations of the flags.
    destinations: Option<Arc<dyn Destinations>>,
    idle: Arc<Lock<Vec<Connection>>>,
}

/// The emulator's virtual clock. After a restart, it is the clock of the next emulator.
#[derive(Debug, Clone)]
pub(crate) struct LabClock(Arc<Lock<Option<Emulator>>>);

/// Runs a test on this storage and stops its emulator.
pub(crate) fn run<F: Future<Output = ()>>(
    place: Place,
    flags: &[&str],
    test: impl FnOnce(Lab) -> F,
) {
    block_on(async {
        let lab = Lab::start(place, flags).await;
        test(lab.clone()).await;
        lab.stop().await;
    });
}

/// Runs a test twice: in memory, and on disk with `--durability always`.
macro_rules! kinesis_test {
    ($name:ident, $test:expr) => {
        kinesis_test!($name, [], $test);
    };
    ($name:ident, [$($flag:expr),*], $test:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "what the test needs")]
            use super::*;

            #[test]
            fn in_memory() {
                crate::lab::run(crate::lab::Place::Memory, &[$($flag),*], $test);
            }

            #[test]
            fn on_disk() {
                crate::lab::run(crate::lab::Place::Disk, &[$($flag),*], $test);
            }
        }
    };
}

/// Runs a test whose outcome does not depend on the storage.
macro_rules! wire_test {
    ($name:ident, $test:expr) => {
        wire_test!($name, [], $test);
    };
    ($name:ident, [$($flag:expr),*], $test:expr) => {
        #[test]
        fn $name() {
            crate::lab::run(crate::lab::Place::Memory, &[$($flag),*], $test);
        }
    };
}

pub(crate) use {kinesis_test, wire_test};

impl Lab {
    /// Starts an emulator with the usual flags and these flags.
    pub(crate) async fn start(place: Place, flags: &[&str]) -> Self {
        Self::start_with(place, flags, |_| BTreeMap::new()).await
    }

    /// Starts an emulator, also with functions for event source mappings. The functions may read
    /// the clock.
    pub(crate) async fn start_with(
        place: Place,
        flags: &[&str],
        functions: impl FnOnce(&LabClock) -> BTreeMap<String, Function>,
    ) -> Self {
        Self::start_in(place, flags, functions, None).await
    }

    /// Starts an emulator, also with destinations of channels.
    pub(crate) async fn start_to(
        place: Place,
        flags: &[&str],
        destinations: Arc<dyn Destinations>,
    ) -> Self {
        Self::start_in(place, flags, |_| BTreeMap::new(), Some(destinations)).await
    }

    async fn start_in(
        place: Place,
        flags: &[&str],
        functions: impl FnOnce(&LabClock) -> BTreeMap<String, Function>,
        destinations: Option<Arc<dyn Destinations>>,
    ) -> Self {
        let directory = (place == Place::Disk).then(|| Arc::new(TempDir::new().unwrap()));
        let mut all: Vec<String> = ["--port", "0", "--host", "127.0.0.1"]
            .map(str::to_owned)
            .into();
        if !flags.contains(&"--clock") {
            all.extend(["--clock".to_owned(), format!("virtual={START_MS}")]);
        }
        if let Some(directory) = &directory {
            let path = directory.path().to_str().unwrap().to_owned();
            all.extend(["--data-dir".to_owned(), path]);
        }
        all.extend(flags.iter().map(ToString::to_string));
        let clock = LabClock(Arc::new(Lock::ranked(Rank::new(0), None)));
        let lab = Self {
            functions: functions(&clock),
            destinations,
            clock,
            flags: all.into(),
            directory,
            idle: Arc::default(),
        };
        lab.open().await;
        lab
    }

    async fn open(&self) {
        self.open_with(&[]).await.unwrap();
    }

    async fn open_with(&self, flags: &[&str]) -> Result<(), StartError> {
        let flags = flags.iter().map(ToString::to_string);
        let options = Options::read(self.flags.iter().cloned().chain(flags)).unwrap();
        let around = Surroundings {
            functions: self.functions.clone(),
            destinations: self.destinations.clone(),
            ..Surroundings::default()
        };
        let emulator = Emulator::start_in(options, around).await?;
        *self.clock.0.lock() = Some(emulator);
        Ok(())
    }

    /// Stops the emulator.
    pub(crate) async fn stop(&self) {
        self.idle.lock().clear();
        let emulator = self.clock.0.lock().take();
        if let Some(emulator) = emulator {
            emulator.stop().await.unwrap();
        }
    }

    /// Stops an emulator whose store has failed. Checks that the stop returns an error.
    pub(crate) async fn stop_failed(&self) {
        self.idle.lock().clear();
        let emulator = self.clock.0.lock().take().unwrap();
        emulator.stop().await.unwrap_err();
    }

    /// Stops the emulator and starts another one on the same storage. Returns false if nothing was
    /// stored.
    pub(crate) async fn restart(&self) -> bool {
        self.stop().await;
        self.open().await;
        self.directory.is_some()
    }

    /// Stops the emulator and starts another one on the same storage, with these additional flags.
    pub(crate) async fn restart_with(&self, flags: &[&str]) -> Result<(), StartError> {
        self.stop().await;
        self.open_with(flags).await
    }

    /// Stops the emulator. Returns the catalog that it has stored on disk.
    pub(crate) async fn left(&self) -> minikin::internals::store::Catalog {
        self.stop().await;
        let settings = minikin::internals::store::Settings {
            directory: self.directory.as_ref().map(|home| home.path().to_owned()),
            ..minikin::internals::store::Settings::default()
        };
        let (store, recovered) = minikin::internals::store::Store::open(settings)
            .unwrap()
            .on_thread()
            .unwrap();
        store.close().unwrap();
        recovered.catalog
    }

    /// The emulator's address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.clock.0.lock().as_ref().unwrap().addresses()[0]
    }

    /// The number of subscriptions in progress.
    pub(crate) fn subscriptions(&self) -> usize {
        self.clock
            .0
            .lock()
            .as_ref()
            .map_or(0, Emulator::subscriptions)
    }

    /// The number of receives that wait at queues.
    pub(crate) fn waiting_receives(&self) -> usize {
        self.clock
            .0
            .lock()
            .as_ref()
            .map_or(0, Emulator::waiting_receives)
    }

    /// Replaces the faults to inject.
    pub(crate) fn set_faults(&self, rules: Vec<Rule>) {
        self.clock.0.lock().as_ref().unwrap().faults().set(rules);
    }

    /// The emulator's event source mappings.
    pub(crate) fn event_sources(&self) -> Arc<EventSources> {
        self.clock.0.lock().as_ref().unwrap().event_sources()
    }

    /// Creates an event source mapping.
    pub(crate) fn map(&self, request: &serde_json::Value) -> Result<Arc<Mapping>, Refusal> {
        self.clock.0.lock().as_ref().unwrap().map_function(request)
    }

    /// Waits until the emulator serves `count` subscriptions.
    pub(crate) async fn until_subscriptions(&self, count: usize) {
        let what = format!("{count} subscriptions");
        until(&what, async || {
            (self.subscriptions() == count).then_some(())
        })
        .await;
    }

    /// Advances the emulator's time in steps until `ask` returns a value, by `limit` at most.
    pub(crate) async fn until_by_clock<T>(
        &self,
        what: &str,
        step: Duration,
        limit: Duration,
        mut ask: impl AsyncFnMut() -> Option<T>,
    ) -> T {
        let end = self.clock.now_ms() + i64::try_from(limit.as_millis()).unwrap();
        loop {
            if let Some(value) = within(what, ask()).await {
                return value;
            }
            assert!(
                self.clock.now_ms() < end,
                "{limit:?} of virtual time went by without {what}"
            );
            self.clock.advance(step).await;
        }
    }

    /// The SDK's client of the configured account.
    pub(crate) fn client(&self) -> Client {
        self.client_of("AKIAIOSFODNN7EXAMPLE", REGION)
    }

    /// The SDK's client with this access key and region.
    pub(crate) fn client_of(&self, key: &str, region: &str) -> Client {
        let timeouts = TimeoutConfig::builder()
            .operation_timeout(WAIT_LIMIT)
            .build();
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(format!("http://{}", self.address()))
            .region(Region::new(region.to_owned()))
            .credentials_provider(Credentials::new(key, "secret", None, None, "lab"))
            .retry_config(RetryConfig::disabled())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .timeout_config(timeouts)
            .build();
        Client::from_conf(config)
    }

    /// Begins the definition of a stream.
    pub(crate) fn stream(&self, name: &str) -> StreamBuilder {
        StreamBuilder::new(self, name)
    }

    /// A connection that sends exact bytes and returns exact bytes.
    pub(crate) async fn connect(&self) -> Connection {
        Connection::open(self.address()).await
    }

    /// Sends a request on a connection that stays open for the next request.
    pub(crate) async fn send(&self, request: &Request) -> Answer {
        let kept = self.idle.lock().pop();
        let mut connection = match kept {
            Some(connection) => connection,
            None => self.connect().await,
        };
        let answer = connection.exchange(request).await;
        if answer.header("connection") != Some("close") && answer.has_length() {
            self.idle.lock().push(connection);
        }
        answer
    }

    /// Sends a request over HTTP/1.1 and over HTTP/2 and compares the answers.
    pub(crate) async fn send_both(&self, request: &Request) -> Answer {
        let answer = self.send(request).await;
        let stream = TcpStream::connect(self.address()).await.unwrap();
        let other = h2::exchange(stream, std::slice::from_ref(request))
            .await
            .remove(0);
        assert_eq!(other.status, answer.status, "{} over HTTP/2", other.text());
        assert_eq!(other.text(), answer.text(), "over HTTP/2");
        let of_connection = ["content-length", "transfer-encoding", "connection"];
        let names = |answer: &Answer| {
            let mut names = answer.header_names();
            names.retain(|name| !of_connection.contains(&name.as_str()));
            names
        };
        assert_eq!(names(&other), names(&answer), "over HTTP/2");
        assert_eq!(
            other.header("content-type"),
            answer.header("content-type"),
            "over HTTP/2"
        );
        answer
    }

    /// Calls an operation in JSON.
    pub(crate) async fn json(&self, operation: &str, body: &str) -> Answer {
        self.send(&Request::json(operation, body)).await
    }

    /// Calls an operation in CBOR.
    pub(crate) async fn cbor(&self, operation: &str, body: &[u8]) -> Answer {
        self.send(&Request::cbor(operation, body)).await
    }

    /// Calls an operation in JSON. The call must succeed with an answer.
    pub(crate) async fn ok(&self, operation: &str, body: &str) -> serde_json::Value {
        let answer = self.json(operation, body).await;
        assert_eq!(answer.status, 200, "{operation} {body}: {}", answer.text());
        if answer.body.is_empty() {
            serde_json::Value::Null
        } else {
            answer.value()
        }
    }

    /// Calls an operation in JSON. The call must be refused. Returns the refusal in one line.
    pub(crate) async fn refusal(&self, operation: &str, body: &str) -> String {
        self.json(operation, body).await.refusal().to_string()
    }

    /// Advances the emulator's time through its own path, as a user does.
    pub(crate) async fn move_clock(&self, time: Duration) {
        let body = format!(r#"{{"advance_ms":{}}}"#, time.as_millis());
        let request = Request::bare("POST", "/_minikin/clock").body(body.as_bytes());
        let answer = self.send(&request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// The listings, descriptions and record counts of all streams, to compare two states.
    pub(crate) async fn everything(&self) -> serde_json::Value {
        let mut all = Vec::new();
        let streams = self.ok("ListStreams", "{}").await;
        for name in streams["StreamNames"].as_array().unwrap() {
            let name = name.as_str().unwrap();
            let named = format!(r#"{{"StreamName":"{name}"}}"#);
            all.push(self.ok("DescribeStream", &named).await);
            let stream = Stream::existing(self, name);
            all.push(stream.read_all().await.len().into());
        }
        all.into()
    }
}

impl LabClock {
    fn clock(&self) -> Clock {
        self.0.lock().as_ref().unwrap().clock().clone()
    }

    /// The emulator's time in milliseconds. None while it restarts.
    pub(crate) fn now_ms_if_open(&self) -> Option<i64> {
        let emulator = self.0.lock();
        Some(emulator.as_ref()?.clock().now().millis())
    }

    /// The emulator's time in milliseconds.
    pub(crate) fn now_ms(&self) -> i64 {
        self.clock().now().millis()
    }

    fn virtual_clock(&self) -> Arc<VirtualClock> {
        let Clock::Virtual(clock) = self.clock() else {
            panic!("this test's clock is the machine's");
        };
        clock
    }

    /// Number of deadlines at which the clock has stopped while it advanced.
    pub(crate) fn stops(&self) -> u64 {
        self.virtual_clock().stops()
    }

    /// Advances the emulator's time.
    pub(crate) async fn advance(&self, time: Duration) {
        let clock = self.virtual_clock();
        let target = self.now_ms() + i64::try_from(time.as_millis()).unwrap();
        let moved = clock.advance_to(Timestamp::from_millis(target));
        within("the emulator to follow its clock", moved).await;
    }
}

/// A number of hours.
pub(crate) const fn hours(count: u64) -> Duration {
    Duration::from_secs(count * 3600)
}

/// A number of milliseconds.
pub(crate) const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A number of seconds.
pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Copies a directory with all its contents.
pub(crate) fn copied(from: &Path) -> TempDir {
    fn copy(from: &Path, to: &Path) {
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let to = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                std::fs::create_dir(&to).unwrap();
                copy(&entry.path(), &to);
            } else {
                std::fs::copy(entry.path(), to).unwrap();
            }
        }
    }
    let home = TempDir::new().unwrap();
    copy(from, home.path());
    home
}
