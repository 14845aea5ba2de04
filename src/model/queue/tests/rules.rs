//! Compares the state machine of a queue with a simple model of the same rules.

use super::{SHARD, STEP, at, handle, unread};
use crate::model::queue::entry::Standing;
use crate::model::queue::handle::ReceiptHandle;
use crate::model::queue::order::RecordPlace;
use crate::model::queue::records::{Delivery, QueueRecords};
use crate::model::queue::saved::{QueueReplay, changes_document};
use crate::model::queue::settle::HandleFault;
use crate::world::Timestamp;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A simple model of the queue's rules, without regard to speed and memory.
#[derive(Debug, Clone, Default)]
struct Naive {
    next: u64,
    records: BTreeMap<u64, Record>,
    settled: BTreeSet<u64>,
    deliveries: u64,
}

#[derive(Debug, Clone)]
struct Record {
    standing: Standing,
    delivery: u64,
    count: u32,
    due: i64,
}

#[derive(Debug, Clone)]
enum Step {
    Claim(u64),
    Receive,
    ReceiveDead,
    Acknowledge(prop::sample::Index),
    Visibility(prop::sample::Index, i64),
    Restore(prop::sample::Index),
    TakeBack,
    Pass(i64),
    Limit(Option<u32>),
    Expire(u64),
    Restart { listed: bool },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let index = any::<prop::sample::Index>;
    let step = prop_oneof![
        3 => (1_u64..4).prop_map(Step::Claim),
        4 => Just(Step::Receive),
        4 => Just(Step::ReceiveDead),
        3 => index().prop_map(Step::Acknowledge),
        2 => (index(), 0_i64..30).prop_map(|(at, ms)| Step::Visibility(at, ms)),
        2 => index().prop_map(Step::Restore),
        1 => Just(Step::TakeBack),
        4 => (0_i64..15).prop_map(Step::Pass),
        1 => prop::option::of(1_u32..4).prop_map(Step::Limit),
        1 => (0_u64..3).prop_map(Step::Expire),
        1 => any::<bool>().prop_map(|listed| Step::Restart { listed }),
    ];
    prop::collection::vec(step, 0..120)
}

/// The queue and its model, the receipt handles that were returned, and the saved documents.
struct Run {
    records: QueueRecords,
    naive: Naive,
    handles: Vec<ReceiptHandle>,
    documents: Vec<Vec<u8>>,
    most: Option<u32>,
    now: i64,
    expired: u64,
    /// The newest delivery, if its visibility timeout has not been started.
    last: Option<Delivery>,
}

impl Naive {
    /// Ends the timeouts that are over, except the timeout of the delivery `picked`.
    fn end_due_timeouts(&mut self, now: i64, most: Option<u32>, picked: Option<u64>) {
        for record in self.records.values_mut() {
            let started = picked != Some(record.delivery);
            if started && record.standing.is_in_flight() && record.due <= now {
                record.end_timeout(most);
            }
        }
    }

    fn deliver(&mut self, number: u64, standing: Standing, due: i64) -> (u64, u32) {
        self.deliveries += 1;
        let record = self.records.get_mut(&number).unwrap();
        record.standing = standing;
        record.delivery = self.deliveries;
        record.count += 1;
        record.due = due;
        (record.delivery, record.count)
    }

    /// The expected result of an operation on a handle, by the table in `settle.rs`.
    fn judge(&self, handle: &ReceiptHandle, dead: bool, expired: u64) -> Result<bool, HandleFault> {
        let number = handle.index / STEP;
        if handle.dead != dead {
            return Err(HandleFault::WrongKind);
        }
        match self.records.get(&number) {
            Some(record) if record.standing.is_dead() != dead => Err(HandleFault::Gone),
            Some(record) if record.delivery != handle.delivery => Err(HandleFault::Stale),
            Some(_) => Ok(true),
            None if number < expired && !self.settled.contains(&number) => Err(HandleFault::Gone),
            None => Ok(false),
        }
    }
}

impl Record {
    fn end_timeout(&mut self, most: Option<u32>) {
        let dead = self.standing.is_dead() || most.is_some_and(|most| self.count >= most);
        self.standing = if dead {
            Standing::DeadVisible
        } else {
            Standing::Visible
        };
    }
}

impl Run {
    fn new() -> Self {
        Self {
            records: QueueRecords::new(Some(2), 0, true),
            naive: Naive::default(),
            handles: Vec::new(),
            documents: Vec::new(),
            most: Some(2),
            now: 0,
            expired: 0,
            last: None,
        }
    }

    fn took(&mut self, delivery: &Delivery, standing: Standing) {
        let number = delivery.place.index / STEP;
        let expected = self.naive.deliver(number, standing, self.now + 10);
        assert_eq!((delivery.delivery, delivery.count), expected);
        self.handles.push(handle(delivery));
        self.start_timeout();
        self.last = Some(*delivery);
    }

    fn start_timeout(&mut self) {
        if let Some(last) = self.last.take() {
            self.records.start_timeout(&last);
        }
    }

    fn step(&mut self, step: &Step) {
        let (now, due) = (at(self.now), at(self.now + 10));
        if !matches!(step, Step::TakeBack | Step::Pass(_)) {
            self.start_timeout();
        }
        let picked = self.last.map(|last| last.delivery);
        self.records.end_due_timeouts(now);
        self.naive.end_due_timeouts(self.now, self.most, picked);
        match step {
            Step::Claim(count) => {
                let numbers = self.naive.next..self.naive.next + count;
                self.naive.next = numbers.end;
                let found = unread(numbers.clone());
                let claimed = self
                    .records
                    .claim(SHARD, found, numbers.end * STEP, now, due);
                assert_eq!(claimed.len(), usize::try_from(*count).unwrap());
                for (number, delivery) in numbers.zip(&claimed) {
                    let (standing, delivery_number, count, due) = (Standing::Visible, 0, 0, 0);
                    let record = Record {
                        standing,
                        delivery: delivery_number,
                        count,
                        due,
                    };
                    self.naive.records.insert(number, record);
                    self.took(delivery, Standing::InFlight);
                }
            }
            Step::Receive => self.receive(now, due),
            Step::ReceiveDead => match self.records.pick_dead(now, due) {
                Some(delivery) => {
                    let number = delivery.place.index / STEP;
                    assert_eq!(self.naive.records[&number].standing, Standing::DeadVisible);
                    self.took(&delivery, Standing::DeadInFlight);
                }
                None => assert_eq!(self.naive_count(Standing::DeadVisible), 0),
            },
            Step::TakeBack => {
                if let Some(delivery) = self.last.take() {
                    self.take_back(&delivery);
                }
            }
            Step::Acknowledge(index) => self.acknowledge(index),
            Step::Visibility(index, ms) => self.visibility(index, *ms),
            Step::Restore(index) => self.restore(index),
            Step::Pass(ms) => self.now += ms,
            Step::Limit(most) => {
                self.most = *most;
                self.records.set_max_receive_count(*most);
                self.list();
            }
            Step::Expire(count) => {
                self.expired = (self.expired + count).min(self.naive.next);
                self.records.expire(at(self.expired.cast_signed()));
                self.naive.records = self.naive.records.split_off(&self.expired);
            }
            Step::Restart { listed } => self.restart(*listed),
        }
        self.check();
    }

    fn receive(&mut self, now: Timestamp, due: Timestamp) {
        let picked = self.records.pick_visible(now, due);
        self.note_lowered_limit();
        let most = self.most;
        match picked {
            Some(delivery) => {
                let record = &self.naive.records[&(delivery.place.index / STEP)];
                assert_eq!(record.standing, Standing::Visible);
                assert!(most.is_none_or(|most| record.count < most));
                self.took(&delivery, Standing::InFlight);
            }
            None => assert_eq!(self.naive_count(Standing::Visible), 0),
        }
    }

    /// Marks records of the model as dead-letter, if the queue did so because the maximum number of
    /// receives was lowered.
    fn note_lowered_limit(&mut self) {
        let most = self.most;
        for (number, record) in &mut self.naive.records {
            let place = RecordPlace {
                index: number * STEP,
                shard: SHARD,
            };
            let entry = self.records.entry(place).unwrap();
            let lowered = most.is_some_and(|most| record.count >= most);
            if record.standing == Standing::Visible && lowered && entry.standing.is_dead() {
                record.standing = Standing::DeadVisible;
            }
        }
    }

    fn take_back(&mut self, delivery: &Delivery) {
        self.records.take_back(delivery);
        self.handles.pop();
        let record = self
            .naive
            .records
            .get_mut(&(delivery.place.index / STEP))
            .unwrap();
        record.count -= 1;
        record.delivery = delivery.previous;
        record.standing = if delivery.dead {
            Standing::DeadVisible
        } else {
            Standing::Visible
        };
    }

    fn chosen(&self, index: &prop::sample::Index) -> Option<ReceiptHandle> {
        (!self.handles.is_empty()).then(|| *index.get(&self.handles))
    }

    fn acknowledge(&mut self, index: &prop::sample::Index) {
        let Some(handle) = self.chosen(index) else {
            return;
        };
        let number = handle.index / STEP;
        for dead in [!handle.dead, handle.dead] {
            let expected = self.naive.judge(&handle, dead, self.expired);
            let done = self.records.acknowledge(&handle, dead);
            self.agree(done.map(|_| ()), expected.map(|_| ()), &handle);
        }
        if self.naive.judge(&handle, handle.dead, self.expired) == Ok(true) {
            self.naive.records.remove(&number);
            self.naive.settled.insert(number);
        }
    }

    fn visibility(&mut self, index: &prop::sample::Index, ms: i64) {
        let Some(handle) = self.chosen(index) else {
            return;
        };
        let (dead, due) = (handle.dead, self.now + ms);
        let done = self
            .records
            .change_visibility(&handle, dead, at(self.now), at(due));
        let expected = match self.naive.judge(&handle, dead, self.expired) {
            Ok(false) => Err(HandleFault::Gone),
            Err(fault) => Err(fault),
            Ok(true) => {
                let record = self.naive.records.get_mut(&(handle.index / STEP)).unwrap();
                if record.standing.is_in_flight() {
                    record.due = due;
                    if ms == 0 {
                        record.end_timeout(self.most);
                    }
                    Ok(())
                } else {
                    Err(HandleFault::NotInFlight)
                }
            }
        };
        self.agree(done, expected, &handle);
    }

    fn restore(&mut self, index: &prop::sample::Index) {
        let Some(handle) = self.chosen(index) else {
            return;
        };
        let done = self.records.restore(&handle, at(self.now));
        let expected = match self.naive.judge(&handle, true, self.expired) {
            Ok(false) => Err(HandleFault::Gone),
            Err(fault) => Err(fault),
            Ok(true) => {
                let record = self.naive.records.get_mut(&(handle.index / STEP)).unwrap();
                record.standing = Standing::Visible;
                record.count = 0;
                Ok(())
            }
        };
        self.agree(done.map(|_| ()), expected, &handle);
    }

    /// Compares the results of the queue and of its model. The results may differ only for a record
    /// past its retention period, because the queue may already answer that this record is gone.
    fn agree(
        &self,
        done: Result<(), HandleFault>,
        expected: Result<(), HandleFault>,
        handle: &ReceiptHandle,
    ) {
        let old = handle.index / STEP < self.expired && done == Err(HandleFault::Gone);
        assert!(
            done == expected || old,
            "{done:?} for {expected:?} of {handle:?}"
        );
    }

    fn restart(&mut self, listed: bool) {
        self.keep();
        if listed {
            self.list();
        }
        let mut replay = QueueReplay::default();
        for document in &self.documents {
            assert!(replay.read(document));
        }
        let before = self.records.counts();
        self.records = replay.finish(self.most, self.naive.deliveries, true);
        self.records.end_due_timeouts(at(self.now));
        assert_eq!(self.records.counts(), before);
    }

    /// Saves the whole state, which the engine also does when the maximum number of receives
    /// changes.
    fn list(&mut self) {
        self.documents.splice(.., self.records.list_documents(20));
    }

    fn keep(&mut self) {
        self.documents
            .extend(changes_document(&self.records.take_changes()));
    }

    fn naive_count(&self, standing: Standing) -> usize {
        let records = self.naive.records.values();
        records.filter(|record| record.standing == standing).count()
    }

    fn check(&mut self) {
        self.keep();
        let counts = self.records.counts();
        assert_eq!(counts.in_flight, self.naive_count(Standing::InFlight));
        assert_eq!(counts.visible, self.naive_count(Standing::Visible));
        assert_eq!(
            counts.dead_in_flight,
            self.naive_count(Standing::DeadInFlight)
        );
        assert_eq!(counts.dead_visible, self.naive_count(Standing::DeadVisible));
        assert_eq!(self.records.len(), self.naive.records.len());
        let picked = self.last.map(|last| last.delivery);
        let in_flight = self
            .naive
            .records
            .values()
            .filter(|r| r.standing.is_in_flight() && picked != Some(r.delivery));
        let due = in_flight.map(|record| record.due).min();
        assert_eq!(self.records.next_due(), due.map(at));
    }
}

proptest! {
    #[test]
    fn it_keeps_the_rules_whatever_is_done(steps in steps()) {
        let mut run = Run::new();
        for step in &steps {
            run.step(step);
        }
    }

    #[test]
    fn no_bytes_are_too_odd_to_be_refused(document in prop::collection::vec(any::<u8>(), 0..80)) {
        QueueReplay::default().read(&document);
    }
}
