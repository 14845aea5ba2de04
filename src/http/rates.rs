//! Rates of streams and shards, computed from the values of their counters at several moments.
//!
//! The counters are read when a page of the console or `GET streams` asks for rates, at most once a
//! second. Otherwise no counter is read. Old readings are dropped when rates are asked for again.
#![cfg_attr(
    not(feature = "console"),
    expect(
        dead_code,
        reason = "only the console shows lines and the rates of shards"
    )
)]

use crate::engine::{Shard, ShardFigures, Stream};
use crate::limits;
use crate::lock::Lock;
use crate::world::{Stopwatch, Timestamp};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Recent readings of the counters of streams and shards. Only the streams and shards whose rates
/// were asked for have readings.
#[derive(Debug)]
pub(in crate::http) struct Rates {
    watch: Stopwatch,
    readings: Lock<Readings>,
}

#[derive(Debug, Default)]
struct Readings {
    /// The history of each stream. The key is the incarnation number of the stream.
    streams: HashMap<u64, History>,
    /// The history of each shard. The key is the incarnation number of the shard's stream, and the
    /// index of the shard in this stream.
    shards: HashMap<(u64, u32), History>,
    /// The time of the last removal of old histories of streams, as [`Reading::ms`].
    dropped_ms: u64,
}

/// The readings of one stream's or shard's counters over time, the oldest first.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct History(VecDeque<Reading>);

#[derive(Debug, Clone, Copy)]
struct Reading {
    /// Time of the reading, in milliseconds of real time since the start of the emulator.
    ms: u64,
    figures: ShardFigures,
}

/// The rates of a stream or shard between two readings, in records or bytes per second.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in crate::http) struct Rate {
    pub(in crate::http) put_records: f64,
    pub(in crate::http) put_bytes: f64,
    pub(in crate::http) get_records: f64,
    pub(in crate::http) get_bytes: f64,
    pub(in crate::http) throttled: f64,
}

impl History {
    /// Adds a reading of the counters, unless less than a second has passed since the last reading.
    /// Drops old readings. If more than `most` readings remain, also drops the oldest of them.
    fn add(&mut self, ms: u64, figures: ShardFigures, most: usize) {
        let last_ms = self.0.back().map(|last| last.ms);
        if last_ms.is_some_and(|last_ms| ms < last_ms + limits::RATE_READING_MS) {
            return;
        }
        self.0.push_back(Reading { ms, figures });
        let oldest_ms = ms.saturating_sub(limits::RATE_HISTORY_MS);
        while self.0.len() > most || self.0.front().is_some_and(|first| first.ms < oldest_ms) {
            self.0.pop_front();
        }
    }

    fn last_ms(&self) -> u64 {
        self.0.back().map_or(0, |last| last.ms)
    }

    /// The rates between the last two readings. None if there are fewer than two readings.
    pub(in crate::http) fn newest(&self) -> Option<Rate> {
        let mut newest = self.0.iter().rev();
        let (last, before) = (newest.next()?, newest.next()?);
        Some(Rate::between(before, last))
    }

    /// The points of a line chart of one rate over time, the oldest first: a position from 0 to 1
    /// on the time axis, and the rate. `value` selects the rate.
    pub(in crate::http) fn line(&self, value: fn(&Rate) -> f64) -> Vec<(f64, f64)> {
        let end_ms = self.last_ms() as f64;
        let whole_ms = limits::RATE_HISTORY_MS as f64;
        let readings = self.0.iter().zip(self.0.iter().skip(1));
        let place = |reading: &Reading| 1.0 - (end_ms - reading.ms as f64) / whole_ms;
        readings
            .map(|(before, after)| (place(after), value(&Rate::between(before, after))))
            .collect()
    }
}

impl Rate {
    fn between(before: &Reading, after: &Reading) -> Self {
        let seconds = (after.ms - before.ms).max(1) as f64 / 1000.0;
        let (was, is) = (&before.figures, &after.figures);
        // A stream's counters are the sums of its shards' counters. A sum decreases when a shard
        // expires, and the rate is then 0.
        let per_second = |was: u64, is: u64| is.saturating_sub(was) as f64 / seconds;
        Self {
            put_records: per_second(was.written.0, is.written.0),
            put_bytes: per_second(was.written.1, is.written.1),
            get_records: per_second(was.read.0, is.read.0),
            get_bytes: per_second(was.read.1, is.read.1),
            throttled: per_second(was.throttled, is.throttled),
        }
    }
}

impl Rates {
    pub(in crate::http) fn new() -> Self {
        Self {
            watch: Stopwatch::start(),
            readings: Lock::new(Readings::default()),
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.watch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Reads the counters of a stream now, and returns the history of the stream.
    pub(in crate::http) fn of_stream(&self, stream: &Stream, now: Timestamp) -> History {
        let (_, shards) = stream.all_shards(now);
        let figures = shards.iter().map(|shard| shard.figures());
        let sum = figures.fold(ShardFigures::default(), sum);
        let now_ms = self.now_ms();
        let mut readings = self.readings.lock();
        readings.drop_old_streams(now_ms);
        let history = readings.streams.entry(stream.incarnation).or_default();
        history.add(now_ms, sum, limits::RATE_READINGS);
        history.clone()
    }

    /// Reads the counters of `shards` now. All of them are shards of `stream`. Returns the newest
    /// rates of each shard, and None for a shard with fewer than two readings.
    pub(in crate::http) fn of_shards(
        &self,
        stream: &Stream,
        shards: &[Arc<Shard>],
    ) -> Vec<Option<Rate>> {
        let figures: Vec<_> = shards.iter().map(|shard| shard.figures()).collect();
        let now_ms = self.now_ms();
        let mut readings = self.readings.lock();
        drop_old(&mut readings.shards, now_ms, limits::RATE_SHARDS);
        let of_shard = |(shard, figures): (&Arc<Shard>, ShardFigures)| {
            let key = (stream.incarnation, shard.id.index());
            let history = readings.shards.entry(key).or_default();
            history.add(now_ms, figures, 2);
            history.newest()
        };
        shards.iter().zip(figures).map(of_shard).collect()
    }
}

impl Readings {
    /// Drops old histories of streams, at most once a second, and whenever there are too many. A
    /// page that shows all streams asks for the rates of each of them, and one pass over the
    /// histories is enough for the page.
    fn drop_old_streams(&mut self, now_ms: u64) {
        let is_early = now_ms < self.dropped_ms + limits::RATE_READING_MS;
        if is_early && self.streams.len() <= limits::RATE_STREAMS {
            return;
        }
        self.dropped_ms = now_ms;
        drop_old(&mut self.streams, now_ms, limits::RATE_STREAMS);
    }
}

/// Drops the histories without a recent reading. Drops all histories if more than `most` remain.
fn drop_old<K>(histories: &mut HashMap<K, History>, now_ms: u64, most: usize) {
    let is_recent = |history: &mut History| now_ms < history.last_ms() + limits::RATE_HISTORY_MS;
    histories.retain(|_, history| is_recent(history));
    if histories.len() > most {
        histories.clear();
    }
}

fn sum(one: ShardFigures, other: ShardFigures) -> ShardFigures {
    ShardFigures {
        written: (
            one.written.0 + other.written.0,
            one.written.1 + other.written.1,
        ),
        read: (one.read.0 + other.read.0, one.read.1 + other.read.1),
        throttled: one.throttled + other.throttled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(records: u64) -> ShardFigures {
        ShardFigures {
            written: (records, records * 10),
            ..ShardFigures::default()
        }
    }

    #[test]
    fn a_rate_lies_between_two_readings() {
        let mut history = History::default();
        history.add(1_000, written(0), 9);
        assert_eq!(history.newest(), None);
        history.add(1_500, written(50), 9);
        assert_eq!(history.newest(), None, "the readings are too close");
        history.add(3_000, written(100), 9);
        let rate = history.newest().unwrap();
        assert_eq!((rate.put_records, rate.put_bytes), (50.0, 500.0));
        // The sum of the counters decreases when a shard expires.
        history.add(4_000, written(60), 9);
        assert_eq!(history.newest().unwrap().put_records, 0.0);
        assert_eq!(history.line(|rate| rate.put_records).len(), 2);
    }

    #[test]
    fn a_history_is_bounded() {
        let mut history = History::default();
        for second in 0..100 {
            history.add(second * 1000, written(second), 10);
        }
        assert_eq!(history.0.len(), 10);
        history.add(10_000_000, written(1), 10);
        assert_eq!(history.0.len(), 1, "old readings are dropped");
        let mut histories = HashMap::from([(1, history)]);
        drop_old(&mut histories, 10_000_001, 10);
        assert_eq!(histories.len(), 1);
        drop_old(&mut histories, 20_000_000, 10);
        assert!(histories.is_empty());
    }

    #[test]
    fn old_histories_are_looked_for_once_a_second() {
        let mut history = History::default();
        history.add(1_000, written(1), 10);
        let mut readings = Readings::default();
        readings.streams.insert(1, history.clone());
        let expired_ms = 1_000 + limits::RATE_HISTORY_MS;
        readings.drop_old_streams(expired_ms);
        assert!(readings.streams.is_empty());
        readings.streams.insert(2, history);
        readings.drop_old_streams(expired_ms + limits::RATE_READING_MS - 1);
        assert_eq!(readings.streams.len(), 1);
        readings.drop_old_streams(expired_ms + limits::RATE_READING_MS);
        assert!(readings.streams.is_empty());
    }
}
