//! A stream with a mapping and a scripted function.

use crate::lab::{Lab, LabClock, Place, START_MS, Stream, block_on};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minikin::internals::engine::event_source::{DrainError, DrainRequest, Mapping};
use minikin::internals::lock::Lock;
use minikin::internals::model::event_source::Changes;
use minikin::{Function, FunctionError};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// An invocation of the function.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// Milliseconds since the start of the test's clock.
    pub(super) at: i64,
    pub(super) id: String,
    pub(super) attempt: u32,
    /// The data of the records, as texts.
    pub(super) texts: Vec<String>,
    pub(super) numbers: Vec<String>,
    pub(super) body: Value,
    pub(super) bytes: usize,
}

/// The answer of the function.
#[derive(Debug, Clone)]
pub(super) enum Say {
    /// The function answers with this body.
    Answer(String),
    /// The invocation fails.
    Fail,
    /// The function is not reached.
    NotReached(Option<u64>),
    /// The function answers when the test releases the answer.
    Hold(Box<Say>),
}

impl Say {
    pub(super) fn ok() -> Self {
        Self::Answer(String::new())
    }

    /// A report that these records failed.
    pub(super) fn failures(numbers: &[&str]) -> Self {
        let failures: Vec<Value> = numbers
            .iter()
            .map(|number| json!({ "itemIdentifier": number }))
            .collect();
        Self::Answer(json!({ "batchItemFailures": failures }).to_string())
    }
}

/// The function of a test, and a record of its invocations.
#[derive(Debug, Clone)]
pub(super) struct Script {
    seen: Arc<Lock<Vec<Seen>>>,
    /// The number of invocations in progress, and the largest number so far.
    running: Arc<Lock<(usize, usize)>>,
    released: watch::Sender<usize>,
}

impl Script {
    fn new() -> Self {
        Self {
            seen: Arc::default(),
            running: Arc::default(),
            released: watch::Sender::new(0),
        }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }

    /// The texts of each invocation, joined.
    pub(super) fn batches(&self) -> Vec<String> {
        self.seen().iter().map(|seen| seen.texts.join("")).collect()
    }

    /// The time of each invocation.
    pub(super) fn times(&self) -> Vec<i64> {
        self.seen().iter().map(|seen| seen.at).collect()
    }

    /// The largest number of concurrent invocations.
    pub(super) fn most_at_once(&self) -> usize {
        self.running.lock().1
    }

    /// Number of invocations in progress.
    pub(super) fn running(&self) -> usize {
        self.running.lock().0
    }

    /// Releases all held answers, and all later ones.
    pub(super) fn release(&self) {
        self.released.send_replace(usize::MAX);
    }

    fn function(
        &self,
        clock: &LabClock,
        rule: impl Fn(&Seen, usize) -> Say + Send + Sync + 'static,
    ) -> Function {
        let (script, clock, rule) = (self.clone(), clock.clone(), Arc::new(rule));
        Function::new(move |event| {
            let (script, rule) = (script.clone(), rule.clone());
            let now_ms = clock.now_ms_if_open();
            let seen = seen(&event, now_ms.map_or(-1, |now_ms| now_ms - START_MS));
            async move {
                let number = {
                    let mut all = script.seen.lock();
                    all.push(seen.clone());
                    all.len()
                };
                {
                    let mut running = script.running.lock();
                    running.0 += 1;
                    running.1 = running.1.max(running.0);
                }
                let mut say = rule(&seen, number);
                if let Say::Hold(then) = say {
                    let mut released = script.released.subscribe();
                    let _open = released.wait_for(|released| *released >= number).await;
                    say = *then;
                } else {
                    // Let other tasks run, so that parallel invocations really overlap.
                    tokio::task::yield_now().await;
                }
                script.running.lock().0 -= 1;
                match say {
                    Say::Answer(body) => Ok(body),
                    Say::Fail => Err(FunctionError::Failed("failed by script".to_owned())),
                    Say::NotReached(retry_after_s) => {
                        Err(FunctionError::NotReached { retry_after_s })
                    }
                    Say::Hold(_) => panic!("held twice"),
                }
            }
        })
    }
}

fn seen(event: &minikin::FunctionEvent, at: i64) -> Seen {
    let body = event.json();
    let records = body["Records"].as_array().unwrap();
    let text = |record: &Value| {
        let data = STANDARD
            .decode(record["kinesis"]["data"].as_str().unwrap())
            .unwrap();
        if data.len() > 100 {
            format!("<{}>", data.len())
        } else {
            String::from_utf8(data).unwrap()
        }
    };
    let number = |record: &Value| {
        record["kinesis"]["sequenceNumber"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    Seen {
        at,
        id: event.request_id.clone(),
        attempt: event.attempt,
        texts: records.iter().map(text).collect(),
        numbers: records.iter().map(number).collect(),
        bytes: event.body.len(),
        body,
    }
}

/// An emulator with a stream `s` and the function `f`.
#[derive(Debug, Clone)]
pub(super) struct Bench {
    pub(super) lab: Lab,
    pub(super) stream: Stream,
    pub(super) script: Script,
}

/// Runs a test with a stream of one shard, whose function answers by `rule`. The arguments of
/// `rule` are the invocation and its number, which is counted from 1.
pub(super) fn bench<F: Future<Output = ()>>(
    rule: impl Fn(&Seen, usize) -> Say + Send + Sync + 'static,
    test: impl FnOnce(Bench) -> F,
) {
    bench_with(Place::Memory, &[], 1, rule, test);
}

/// Runs a test in the same way, also with flags, a number of shards, and a storage.
pub(super) fn bench_with<F: Future<Output = ()>>(
    place: Place,
    flags: &[&str],
    shards: i32,
    rule: impl Fn(&Seen, usize) -> Say + Send + Sync + 'static,
    test: impl FnOnce(Bench) -> F,
) {
    block_on(async {
        let script = Script::new();
        let lab = Lab::start_with(place, flags, |clock| {
            let function = script.function(clock, rule);
            BTreeMap::from([
                ("f".to_owned(), function.clone()),
                ("g".to_owned(), function),
            ])
        });
        let lab = lab.await;
        let stream = lab.stream("s").shards(shards).create().await;
        let bench = Bench {
            lab: lab.clone(),
            stream,
            script,
        };
        test(bench).await;
        lab.stop().await;
    });
}

impl Bench {
    /// A lab with functions of its own and without a script.
    pub(super) fn around(lab: &Lab, stream: &Stream) -> Self {
        Self {
            lab: lab.clone(),
            stream: stream.clone(),
            script: Script::new(),
        }
    }

    /// Creates a mapping from the stream's oldest record to `f`, with batches of 10 and these
    /// settings.
    pub(super) fn map(&self, settings: Value) -> Arc<Mapping> {
        self.lab.map(&self.request(settings)).unwrap()
    }

    /// Changes a mapping by an update request.
    pub(super) fn update(&self, mapping: &Arc<Mapping>, changes: &Value) {
        let changes = Changes::read(changes).unwrap();
        let sources = self.lab.event_sources();
        sources.update_by_request(mapping, &changes).unwrap();
    }

    /// Enables or disables a mapping.
    pub(super) fn enable(&self, mapping: &Arc<Mapping>, enabled: bool) {
        self.update(mapping, &json!({ "Enabled": enabled }));
    }

    /// The request that creates this mapping.
    pub(super) fn request(&self, settings: Value) -> Value {
        let mut request = json!({
            "EventSourceArn": self.stream.arn(),
            "FunctionName": "f",
            "StartingPosition": "TRIM_HORIZON",
            "BatchSize": 10,
        });
        for (name, value) in settings.as_object().unwrap() {
            request[name] = value.clone();
        }
        request
    }

    /// Puts records with these texts and one key in one request.
    pub(super) async fn put_all(&self, texts: &[&str]) -> Vec<String> {
        let records: Vec<_> = texts.iter().map(|text| ("k", *text)).collect();
        let put = self.stream.put_records(&records).await;
        let numbers = put
            .records
            .iter()
            .map(|entry| entry.sequence_number.clone().unwrap());
        numbers.collect()
    }

    /// Puts one record.
    pub(super) async fn put(&self, text: &str) -> String {
        self.stream.put("k", text).await.number
    }

    /// Waits until no work is left. Advances the clock if the work needs it.
    pub(super) async fn drain(&self) {
        let request = DrainRequest {
            advance: true,
            most_advance_ms: 30 * 86_400_000,
            ..DrainRequest::default()
        };
        self.lab.event_sources().drain(None, request).await.unwrap();
    }

    /// Waits until all remaining work waits for a later time.
    pub(super) async fn settle(&self) {
        let request = DrainRequest {
            timeout: Duration::from_secs(30),
            ..DrainRequest::default()
        };
        match self.lab.event_sources().drain(None, request).await {
            Ok(()) | Err(DrainError::NeedsTime(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }

    /// Moves the clock.
    pub(super) async fn advance_ms(&self, ms: u64) {
        self.lab.clock.advance(Duration::from_millis(ms)).await;
    }

    /// Waits until the function has seen `count` invocations.
    pub(super) async fn until_seen(&self, count: usize) {
        let seen = async {
            while self.script.seen().len() < count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(crate::lab::WAIT_LIMIT, seen)
            .await
            .unwrap();
    }

    /// The failure records about discarded batches.
    pub(super) fn failures(mapping: &Mapping) -> Vec<Value> {
        mapping
            .failures()
            .into_iter()
            .map(|failure| failure.record)
            .collect()
    }

    /// The sequence number of the last finished record in the first shard.
    pub(super) fn position(mapping: &Mapping) -> Option<String> {
        let shards = mapping.shards();
        let (_, shard) = shards.first_key_value()?;
        shard.position.map(|number| number.to_string())
    }

    /// The value of `LastProcessingResult`.
    pub(super) fn result(&self, mapping: &Mapping) -> &'static str {
        let now = minikin::Timestamp::from_millis(self.lab.clock.now_ms());
        mapping.view(now).result
    }

    /// The names of the entries in the event log.
    pub(super) fn words(mapping: &Mapping) -> Vec<&'static str> {
        let events = mapping.events(0, usize::MAX);
        events.iter().map(|entry| entry.kind.as_str()).collect()
    }
}
