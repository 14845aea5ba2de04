//! The expected state: streams with their shards and records, in vectors and maps.

mod capacity;
mod consumers;
mod reshard;
mod resources;
mod settings;

pub(super) use capacity::METRICS;

use capacity::Account;
use consumers::Consumer;
use reshard::ends;
use std::collections::{BTreeMap, BTreeSet};

/// The predicted outcome of a call: success, or a refusal of this type.
pub(super) type Foretold = Result<(), &'static str>;

pub(super) const NOT_FOUND: Foretold = Err("ResourceNotFoundException");
pub(super) const IN_USE: Foretold = Err("ResourceInUseException");
pub(super) const ARGUMENT: Foretold = Err("InvalidArgumentException");
pub(super) const LIMIT: Foretold = Err("LimitExceededException");
pub(super) const INVALID: Foretold = Err("ValidationException");

const HOUR_MS: u64 = 3_600_000;

#[derive(Debug, Clone)]
pub(super) struct Oracle {
    pub(super) now_ms: u64,
    pub(super) transition_ms: u64,
    pub(super) streams: BTreeMap<String, Stream>,
    account: Account,
}

#[derive(Debug, Clone)]
pub(super) struct Stream {
    /// True if the stream was ACTIVE at some time. Before that, its shards are not listed.
    pub(super) settled: bool,
    pub(super) on_demand: bool,
    /// Retention period in hours, as in descriptions.
    pub(super) retention: u64,
    pub(super) shards: Vec<Shard>,
    pub(super) consumers: BTreeMap<&'static str, Consumer>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) policy: Option<String>,
    pub(super) metrics: BTreeSet<&'static str>,
    pub(super) record_kib: u64,
    /// True if the stream distributes records over its shards itself.
    pub(super) auto: bool,
    pub(super) warm: Option<usize>,
    pub(super) created_s: u64,
    /// The key that encrypts the stream.
    pub(super) key: Option<&'static str>,
    /// Time of the end of the present temporary status, and the change at that time.
    pending: Option<(u64, Change)>,
    /// Records that arrived before this time expired under an earlier retention period.
    floor_ms: u64,
    scalings: Vec<u64>,
    switches: Vec<u64>,
    encryptions: Vec<u64>,
    decryptions: Vec<u64>,
}

#[derive(Debug, Clone)]
pub(super) struct Shard {
    pub(super) start: u128,
    pub(super) end: u128,
    pub(super) created_s: u64,
    pub(super) closed_s: Option<u64>,
    pub(super) parents: Vec<usize>,
    pub(super) records: Vec<Record>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) key: String,
    pub(super) data: String,
    pub(super) number: String,
    pub(super) arrival_ms: u64,
    pub(super) encrypted: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Change {
    Appear,
    Vanish,
    Split { shard: usize, key: u128 },
    Merge { lower: usize, upper: usize },
    Scale(usize),
    OnDemand(bool),
    Retention(u64),
    Key(Option<&'static str>),
    Metrics(BTreeSet<&'static str>),
    RecordSize(u64),
    Warm { target: usize, scales: bool },
}

impl Oracle {
    pub(super) fn new(now_ms: u64, transition_ms: u64) -> Self {
        Self {
            now_ms,
            transition_ms,
            streams: BTreeMap::new(),
            account: Account::default(),
        }
    }

    pub(super) fn create(&mut self, name: &str, shards: Option<usize>) -> Foretold {
        if self.streams.contains_key(name) {
            return IN_USE;
        }
        let ends = ends(shards.unwrap_or(4));
        let mut starts = vec![0];
        starts.extend(ends.iter().map(|end| end.wrapping_add(1)));
        let created_s = self.now_ms / 1000 - 3;
        let shard = |(start, end)| Shard::new(start, end, created_s, Vec::new());
        let stream = Stream {
            settled: false,
            on_demand: shards.is_none(),
            retention: 24,
            shards: starts.into_iter().zip(ends).map(shard).collect(),
            consumers: BTreeMap::new(),
            tags: BTreeMap::new(),
            policy: None,
            metrics: BTreeSet::new(),
            record_kib: 1024,
            auto: false,
            warm: None,
            created_s: self.now_ms / 1000,
            key: None,
            pending: None,
            floor_ms: 0,
            scalings: Vec::new(),
            switches: Vec::new(),
            encryptions: Vec::new(),
            decryptions: Vec::new(),
        };
        self.streams.insert(name.to_owned(), stream);
        self.begin(name, Change::Appear);
        Ok(())
    }

    pub(super) fn delete(&mut self, name: &str, with_consumers: bool) -> Foretold {
        match self.state(name) {
            None => NOT_FOUND,
            Some("UPDATING" | "DELETING") => IN_USE,
            Some(_) if !with_consumers && !self.streams[name].consumers.is_empty() => IN_USE,
            Some(_) => {
                self.begin(name, Change::Vanish);
                Ok(())
            }
        }
    }

    /// The shard of a record with this hash key, or the refusal of a put.
    pub(super) fn route(&self, name: &str, key: u128) -> Result<usize, &'static str> {
        match self.state(name) {
            Some("ACTIVE" | "UPDATING") => Ok(self.streams[name].owner(key)),
            _ => Err("ResourceNotFoundException"),
        }
    }

    /// Success if a provisioned stream can be resharded now.
    fn reshardable(&self, name: &str) -> Foretold {
        match self.streams.get(name) {
            None => NOT_FOUND,
            Some(stream) if stream.on_demand => INVALID,
            Some(_) if self.state(name) != Some("ACTIVE") => IN_USE,
            Some(_) => Ok(()),
        }
    }

    pub(super) fn split(&mut self, name: &str, shard: usize, key: u128) -> Foretold {
        self.reshardable(name)?;
        let Some(parent) = self.streams[name].shards.get(shard) else {
            return NOT_FOUND;
        };
        if parent.closed_s.is_some() || key <= parent.start.saturating_add(1) || key >= parent.end {
            return ARGUMENT;
        }
        self.begin(name, Change::Split { shard, key });
        Ok(())
    }

    pub(super) fn merge(&mut self, name: &str, lower: usize, upper: usize) -> Foretold {
        self.reshardable(name)?;
        let shards = &self.streams[name].shards;
        let (Some(one), Some(other)) = (shards.get(lower), shards.get(upper)) else {
            return NOT_FOUND;
        };
        let open = one.closed_s.is_none() && other.closed_s.is_none();
        if !open || one.end.checked_add(1) != Some(other.start) {
            return ARGUMENT;
        }
        self.begin(name, Change::Merge { lower, upper });
        Ok(())
    }

    pub(super) fn scale(&mut self, name: &str, target: usize) -> Foretold {
        self.reshardable(name)?;
        let now_ms = self.now_ms;
        let stream = self.streams.get_mut(name).unwrap();
        let open = stream.open().len();
        if target > 2 * open || target < open / 2 {
            return ARGUMENT;
        }
        if target == open {
            return Ok(());
        }
        count(&mut stream.scalings, now_ms, 10)?;
        self.begin(name, Change::Scale(target));
        Ok(())
    }

    pub(super) fn switch_mode(&mut self, name: &str, on_demand: bool) -> Foretold {
        match self.state(name) {
            None => return NOT_FOUND,
            Some("ACTIVE") => {}
            Some(_) => return IN_USE,
        }
        let now_ms = self.now_ms;
        let stream = self.streams.get_mut(name).unwrap();
        if stream.on_demand == on_demand {
            return Ok(());
        }
        if stream.auto {
            return ARGUMENT;
        }
        count(&mut stream.switches, now_ms, 2)?;
        self.begin(name, Change::OnDemand(on_demand));
        Ok(())
    }

    pub(super) fn change_retention(&mut self, name: &str, longer: bool, hours: u64) -> Foretold {
        let Some(stream) = self.streams.get_mut(name) else {
            return NOT_FOUND;
        };
        if longer && hours < stream.retention || !longer && hours > stream.retention {
            return ARGUMENT;
        }
        if stream.pending.is_some() {
            return IN_USE;
        }
        if hours != stream.retention {
            stream.floor_ms = stream.horizon_ms(self.now_ms);
            self.begin(name, Change::Retention(hours));
        }
        Ok(())
    }

    fn begin(&mut self, name: &str, change: Change) {
        match self.due_ms() {
            None => self.end(name, change),
            Some(due_ms) => {
                self.streams.get_mut(name).unwrap().pending = Some((due_ms, change));
            }
        }
    }

    /// The time of the end of a status that begins now. None if the status ends immediately.
    fn due_ms(&self) -> Option<u64> {
        (self.transition_ms > 0).then(|| self.now_ms + self.transition_ms)
    }

    fn end(&mut self, name: &str, change: Change) {
        let now_s = self.now_ms / 1000;
        let stream = self.streams.get_mut(name).unwrap();
        match change {
            Change::Appear => stream.settled = true,
            Change::Vanish => {
                self.streams.remove(name);
            }
            Change::Split { shard, key } => {
                stream.divide(shard, key, now_s);
            }
            Change::Merge { lower, upper } => {
                stream.unite(lower, upper, now_s);
            }
            Change::Scale(target) => stream.sweep(target, now_s),
            Change::OnDemand(on_demand) => {
                stream.on_demand = on_demand;
                stream.warm = None;
            }
            Change::Metrics(metrics) => stream.metrics = metrics,
            Change::RecordSize(kib) => stream.record_kib = kib,
            Change::Warm { target, scales } => {
                stream.warm = Some(target);
                if scales {
                    stream.sweep(target, now_s);
                }
            }
            Change::Retention(hours) => stream.retention = hours,
            Change::Key(key) => stream.key = key,
        }
    }

    /// Lets time pass. Temporary statuses end when they are due.
    pub(super) fn advance(&mut self, ms: u64) {
        let target_ms = self.now_ms + ms;
        while let Some(due_ms) = self.next_due_ms().filter(|due_ms| *due_ms <= target_ms) {
            self.now_ms = due_ms;
            let names: Vec<_> = self.streams.keys().cloned().collect();
            for name in names {
                let stream = self.streams.get_mut(&name).unwrap();
                stream.end_consumers(due_ms);
                let ended = stream.pending.take_if(|(moment, _)| *moment <= due_ms);
                if let Some((_, change)) = ended {
                    self.end(&name, change);
                }
            }
        }
        self.now_ms = target_ms;
    }

    /// The earliest end of a temporary status.
    pub(super) fn next_due_ms(&self) -> Option<u64> {
        let due = |stream: &Stream| {
            let consumers = stream.consumers.values();
            let consumers = consumers.filter_map(|consumer| consumer.due_ms);
            let own = stream.pending.as_ref().map(|(due_ms, _)| *due_ms);
            consumers.chain(own).min()
        };
        self.streams.values().filter_map(due).min()
    }

    /// The status of a stream. None if the stream does not exist.
    pub(super) fn state(&self, name: &str) -> Option<&'static str> {
        Some(match &self.streams.get(name)?.pending {
            None => "ACTIVE",
            Some((_, Change::Appear)) => "CREATING",
            Some((_, Change::Vanish)) => "DELETING",
            Some(_) => "UPDATING",
        })
    }
}

impl Stream {
    /// The numbers of the open shards in the order of their keys.
    pub(super) fn open(&self) -> Vec<usize> {
        let open = (0..self.shards.len()).filter(|at| self.shards[*at].closed_s.is_none());
        let mut open: Vec<_> = open.collect();
        open.sort_by_key(|at| self.shards[*at].start);
        open
    }

    fn owner(&self, key: u128) -> usize {
        let mut open = self.open().into_iter();
        open.find(|at| key <= self.shards[*at].end).unwrap()
    }

    /// The time before which arrived records have expired.
    pub(super) fn horizon_ms(&self, now_ms: u64) -> u64 {
        let hours = match &self.pending {
            Some((_, Change::Retention(hours))) => *hours,
            _ => self.retention,
        };
        self.floor_ms.max(now_ms + 1 - hours * HOUR_MS)
    }

    /// True if a shard is listed: it is open, or it may still have records that have not expired.
    pub(super) fn lists(&self, shard: usize, now_ms: u64) -> bool {
        let horizon_ms = self.horizon_ms(now_ms);
        self.shards[shard]
            .closed_s
            .is_none_or(|closed_s| closed_s * 1000 + 999 >= horizon_ms)
    }

    /// The records of a shard from `position` on that can be read.
    pub(super) fn readable(&self, shard: usize, position: usize, now_ms: u64) -> &[Record] {
        let records = &self.shards[shard].records[position..];
        let horizon_ms = self.horizon_ms(now_ms);
        &records[records.partition_point(|record| record.arrival_ms < horizon_ms)..]
    }

    pub(super) fn children(&self, shard: usize) -> Vec<usize> {
        let all = 0..self.shards.len();
        all.filter(|at| self.shards[*at].parents.contains(&shard))
            .collect()
    }
}

impl Shard {
    fn new(start: u128, end: u128, created_s: u64, parents: Vec<usize>) -> Self {
        Self {
            start,
            end,
            created_s,
            closed_s: None,
            parents,
            records: Vec::new(),
        }
    }

    /// The `MillisBehindLatest` of a reader that has read the shard to its end.
    pub(super) fn behind_at_end_ms(&self, now_ms: u64) -> u64 {
        let since_s = |closed_s| (now_ms / 1000).saturating_sub(closed_s);
        self.closed_s.map_or(0, since_s) * 1000
    }
}

/// Counts a change that may happen `most` times in 24 hours. Returns the refusal if the limit is
/// reached.
fn count(made: &mut Vec<u64>, now_ms: u64, most: usize) -> Foretold {
    made.retain(|moment| now_ms - moment < 24 * HOUR_MS);
    if made.len() >= most {
        return LIMIT;
    }
    made.push(now_ms);
    Ok(())
}
