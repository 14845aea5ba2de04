//! Steps with a fault: faults at every injection point, and power cuts. A change that was answered
//! with a failure may have happened or not. The state after the fault shows which, and the oracle
//! adopts it.

use super::Simulation;
use super::machine::Ground;
use super::oracle::Oracle;
use super::read::records;
use super::write::index_of;
use crate::lab::Pushed;
use minikin::internals::world::{Fault, Point, Rule};
use serde_json::json;

/// Maximum number of writes to the disk before its power fails.
const WRITES: usize = 14;

impl Simulation {
    /// Cuts the power during another step.
    pub(super) async fn lose_power(&mut self) {
        let Ground::Simulated(disk) = &self.machine.ground else {
            return self.crash().await;
        };
        let disk = disk.clone();
        self.machine.settle().await;
        let before = self.begin_trouble();
        disk.cut_power_after(self.chance.below(WRITES) as u64);
        match self.chance.below(8) {
            0 | 1 => self.some_change().await,
            2 | 3 => self.write().await,
            4 => self.wait_for_the_next().await,
            _ => self.write_together().await,
        }
        self.trace
            .push(format!("the power fails; {}", disk.is_dark()));
        self.end_trouble(before, true).await;
    }

    /// Lets time pass until the next deadline.
    async fn wait_for_the_next(&mut self) {
        let hour_ms = self.oracle.now_ms + 3_600_000;
        let next_ms = self.oracle.next_due_ms().unwrap_or(hour_ms);
        self.oracle.advance(next_ms - self.oracle.now_ms);
        self.machine.advance_to(next_ms).await;
        self.machine.settle().await;
        self.drop_cursors();
    }

    /// Injects a fault at a random injection point.
    pub(super) async fn suffer(&mut self) {
        match self.chance.below(8) {
            0 => self.fail_to_decode().await,
            1 => self.fail_to_append(Fault::Error).await,
            2 => self.fail_to_append(Fault::Tear).await,
            3 => self.fail_to_read().await,
            4 => self.fail_to_push().await,
            5 => self.answer_late().await,
            6 => self.fail_to_commit(Point::Publish, Fault::Error).await,
            _ => {
                let fault = *self.chance.one_of(&[Fault::Error, Fault::Tear]);
                self.fail_to_commit(Point::Flush, fault).await;
            }
        }
    }

    /// Permits internal failures as answers from now on. Returns the oracle as it was before.
    fn begin_trouble(&mut self) -> Oracle {
        self.trouble = true;
        self.failed = false;
        self.in_doubt.clear();
        self.oracle.clone()
    }

    fn arm(&mut self, point: Point, fault: Fault) -> Oracle {
        self.trace.push(format!("{fault:?} at {point:?}"));
        let rule = Rule::new(point, fault).unwrap().at_most(1);
        self.machine.faults.set(vec![rule]);
        self.begin_trouble()
    }

    fn disarm(&mut self) {
        self.machine.faults.set(Vec::new());
        self.trouble = false;
    }

    /// Injects a fault before a request is decoded. The request must have no effect.
    async fn fail_to_decode(&mut self) {
        let before = self.arm(Point::Decode, Fault::Error);
        let fates = self.subscribed.iter().map(|one| (one.ends, one.departed));
        let fates: Vec<_> = fates.collect();
        if self.chance.below(2) == 0 {
            self.write().await;
        } else {
            self.some_change().await;
        }
        assert!(self.failed, "{}", self.story());
        // The oracle assumed that the request ended subscriptions. Undo this, because the request
        // failed.
        for (one, fate) in self.subscribed.iter_mut().zip(fates) {
            (one.ends, one.departed) = fate;
        }
        self.oracle = before;
        self.disarm();
    }

    async fn fail_to_append(&mut self, fault: Fault) {
        let before = self.arm(Point::Append, fault);
        self.write().await;
        self.disarm();
        if fault == Fault::Tear && self.failed {
            self.learn(before).await;
        }
        self.in_doubt.clear();
    }

    /// Injects a fault into a read. The reader then repeats the read, and must miss no record.
    async fn fail_to_read(&mut self) {
        self.arm(Point::Read, Fault::Error);
        if let Some(cursor) = self.cursors.last() {
            let body = json!({"ShardIterator": cursor.iterator});
            let answer = self.ask("GetRecords", body).await;
            let refused = answer.as_ref().err().map(String::as_str);
            // The answer about an expired iterator, or about a shard that was read to its end,
            // needs no read.
            let known = [
                None,
                Some("InternalFailure"),
                Some("ExpiredIteratorException"),
                Some("ResourceNotFoundException"),
            ];
            assert!(known.contains(&refused), "{refused:?}\n{}", self.story());
            self.trace.push(format!("a reader got {refused:?}"));
        }
        self.hear().await;
        self.disarm();
    }

    /// Ends a subscription by a fault. The next subscription must continue at the same position.
    async fn fail_to_push(&mut self) {
        let point = *self
            .chance
            .one_of(&[Point::Event, Point::Event, Point::Read]);
        let fault = match point {
            Point::Read => Fault::Error,
            _ => *self
                .chance
                .one_of(&[Fault::Error, Fault::Drop, Fault::Tear]),
        };
        self.arm(point, fault);
        self.write().await;
        self.machine.settle().await;
        self.hear().await;
        self.disarm();
    }

    /// Delays a request by a fault. The request does its work after the delay.
    async fn answer_late(&mut self) {
        let late_ms = 1 + self.chance.below(50) as u64;
        let target_ms = self.oracle.now_ms + late_ms;
        let due = self
            .subscribed
            .iter()
            .map(super::subscribe::Subscribed::due_ms);
        if due
            .chain(self.oracle.next_due_ms())
            .any(|due_ms| due_ms <= target_ms)
        {
            return;
        }
        let point = *self.chance.one_of(&[Point::Decode, Point::Append]);
        let late = u32::try_from(late_ms).unwrap();
        self.arm(point, Fault::Delay(late));
        let offer = self.offer();
        let asked = self.ask(offer.operation, offer.body.clone());
        let (answer, ()) = tokio::join!(asked, self.machine.advance_to(target_ms));
        self.oracle.advance(late_ms);
        assert!(!self.failed);
        self.disarm();
        self.take(offer, answer);
    }

    /// Makes a commit fail. Earlier acknowledged records must stay readable, and the store must
    /// refuse all writes until the next start.
    async fn fail_to_commit(&mut self, point: Point, fault: Fault) {
        self.machine.settle().await;
        let before = self.arm(point, fault);
        match self.chance.below(3) {
            0 => self.some_change().await,
            1 => self.write().await,
            _ => self.write_together().await,
        }
        let crashes = self.chance.below(2) == 0;
        if self.failed {
            let body = json!({"StreamName": "other", "ShardCount": 1});
            let answer = self.ask("CreateStream", body).await;
            assert_eq!(
                answer,
                Err("InternalFailure".to_owned()),
                "{}",
                self.story()
            );
            self.read_on(&before).await;
        }
        self.machine.faults.set(Vec::new());
        self.trace
            .push(format!("then a start; after a crash: {crashes}"));
        self.end_trouble(before, crashes).await;
    }

    /// Checks that all acknowledged records can be read while the store refuses writes.
    async fn read_on(&mut self, before: &Oracle) {
        let after = std::mem::replace(&mut self.oracle, before.clone());
        let names: Vec<String> = self.oracle.streams.keys().cloned().collect();
        for name in names {
            let there =
                |oracle: &Oracle| matches!(oracle.state(&name), Some("ACTIVE" | "UPDATING"));
            if !there(before) || !there(&after) {
                continue;
            }
            for shard in 0..before.streams[&name].shards.len() {
                if !before.streams[&name].lists(shard, before.now_ms) {
                    continue;
                }
                let seen = self.all_of(&name, shard).await;
                let known = before.streams[&name].readable(shard, 0, before.now_ms);
                assert!(seen.starts_with(known), "{name} {shard}\n{}", self.story());
            }
        }
        self.oracle = after;
    }

    /// Starts the emulator again, and finds out which changes happened although they were answered
    /// with a failure.
    async fn end_trouble(&mut self, mut before: Oracle, crashes: bool) {
        self.machine.settle().await;
        let seen = self.overheard().await;
        self.hang_up_all_at_once();
        before.forget_subscriptions();
        self.trouble = false;
        let now_ms = self.oracle.now_ms;
        if crashes {
            self.machine.crash(&self.chance.0, now_ms).await;
        } else {
            self.machine.stop().await;
            self.machine.open(now_ms).await;
        }
        self.learn(before).await;
        for (stream, shard, number) in seen {
            let Some(stream) = self.oracle.streams.get(stream) else {
                continue;
            };
            let horizon_ms = stream.horizon_ms(self.oracle.now_ms);
            let mut kept = stream.shards[shard].records.iter();
            let kept = kept.any(|record| record.number == number || record.arrival_ms < horizon_ms);
            assert!(
                kept,
                "{number} of {shard} was seen and is gone\n{}",
                self.story()
            );
        }
        self.drop_cursors();
    }

    /// The records in events that were sent to subscribers and not yet received.
    async fn overheard(&mut self) -> Vec<(&'static str, usize, String)> {
        let mut seen = Vec::new();
        for one in &mut self.subscribed {
            while one.events.has_more() {
                if let Pushed::Event(event) = one.events.next().await {
                    let new = records(&event).into_iter();
                    seen.extend(new.map(|record| (one.stream, one.shard, record.number)));
                }
            }
        }
        seen
    }

    /// Finds the state after a fault: the state before the change or the state after it. Each
    /// doubtful record may exist or not.
    async fn learn(&mut self, before: Oracle) {
        let after = self.oracle.clone();
        let candidates = if self.failed {
            vec![after, before.clone()]
        } else {
            vec![after]
        };
        let mut problems = Vec::new();
        for candidate in candidates {
            self.oracle = candidate;
            self.add_found_records(&before).await;
            match self.difference().await {
                Ok(()) => {
                    self.in_doubt.clear();
                    self.trace.push(format!("learnt: {}", problems.is_empty()));
                    return;
                }
                Err(problem) => problems.push(problem),
            }
        }
        panic!("{}\n{}", problems.join("\nnor: "), self.story());
    }

    /// Adds to the oracle the doubtful records that can be read. Such a record may not come before
    /// a record that was known when it was offered.
    async fn add_found_records(&mut self, before: &Oracle) {
        let names: Vec<String> = self.oracle.streams.keys().cloned().collect();
        for name in names {
            if !self.in_doubt.iter().any(|record| record.stream == name)
                || !matches!(self.oracle.state(&name), Some("ACTIVE" | "UPDATING"))
            {
                continue;
            }
            for shard in 0..self.oracle.streams[&name].shards.len() {
                self.add_found_records_of(&name, shard, before).await;
            }
        }
    }

    async fn add_found_records_of(&mut self, name: &str, shard: usize, before: &Oracle) {
        if !self.oracle.streams[name].lists(shard, self.oracle.now_ms) {
            return;
        }
        let known = before.streams.get(name).and_then(|of| of.shards.get(shard));
        let last = known.and_then(|shard| shard.records.last());
        let last = last.map(|last| index_of(&last.number));
        for found in self.all_of(name, shard).await {
            let records = &self.oracle.streams[name].shards[shard].records;
            if records.iter().any(|record| record.number == found.number) {
                continue;
            }
            let offered = self.in_doubt.iter().find(|offered| {
                let same = (offered.stream, &offered.data) == (name, &found.data);
                same && self.may_hold(offered, shard)
            });
            let Some(offered) = offered else { continue };
            assert!(
                last < Some(index_of(&found.number)),
                "{found:?}\n{}",
                self.story()
            );
            let record = offered.numbered(&found.number, self.oracle.now_ms);
            let stream = self.oracle.streams.get_mut(name).unwrap();
            let records = &mut stream.shards[shard].records;
            let number = index_of(&found.number);
            let at = records.partition_point(|record| index_of(&record.number) < number);
            records.insert(at, record);
        }
    }
}
