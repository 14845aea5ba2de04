//! Tests of a queue's rules, one rule at a time.

mod rules;

use super::handle::ReceiptHandle;
use super::records::{Delivery, QueueRecords, UnreadRecord};
use super::settle::HandleFault;
use crate::world::Timestamp;

const SHARD: u32 = 3;
/// The distance between the indexes of two neighbouring records. The distance is more than 1,
/// because the indexes in a shard need not be consecutive.
const STEP: u64 = 3;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn unread(range: std::ops::Range<u64>) -> impl Iterator<Item = UnreadRecord> {
    range.map(|number| UnreadRecord {
        index: number * STEP,
        arrival: at(number.cast_signed()),
    })
}

fn handle(delivery: &Delivery) -> ReceiptHandle {
    ReceiptHandle {
        dead: delivery.dead,
        shard: delivery.place.shard,
        index: delivery.place.index,
        delivery: delivery.delivery,
    }
}

/// A queue that has delivered `count` records with a visibility timeout of 10 ms.
fn received(most: Option<u32>, count: u64) -> (QueueRecords, Vec<Delivery>) {
    let mut records = QueueRecords::new(most, 0, true);
    let deliveries = records.claim(SHARD, unread(0..count), count * STEP, at(0), at(10));
    assert_eq!(deliveries.len() as u64, count);
    deliveries.iter().for_each(|one| records.start_timeout(one));
    (records, deliveries)
}

fn receive(records: &mut QueueRecords, now: i64) -> Option<Delivery> {
    records.end_due_timeouts(at(now));
    let delivery = records.pick_visible(at(now), at(now + 10))?;
    records.start_timeout(&delivery);
    Some(delivery)
}

fn receive_dead(records: &mut QueueRecords, now: i64) -> Option<Delivery> {
    records.end_due_timeouts(at(now));
    let delivery = records.pick_dead(at(now), at(now + 10))?;
    records.start_timeout(&delivery);
    Some(delivery)
}

#[test]
fn a_record_is_received_max_times_and_then_as_dead_letter() {
    for most in [1, 2, 5] {
        let (mut records, first) = received(Some(most), 1);
        let mut newest = first[0];
        for count in 1..most {
            let now = i64::from(count) * 10;
            newest = receive(&mut records, now).unwrap();
            assert_eq!((newest.count, newest.first), (count + 1, at(0)));
        }
        let now = i64::from(most) * 10;
        assert_eq!(receive(&mut records, now), None);
        let old = records.acknowledge(&handle(&newest), false);
        assert_eq!(old.err(), Some(HandleFault::Gone));
        for more in 1..4 {
            let now = now + i64::from(more) * 10;
            let dead = receive_dead(&mut records, now).unwrap();
            assert!(dead.dead && dead.count == most + more);
            newest = dead;
        }
        records.restore(&handle(&newest), at(now)).unwrap();
        let again = records.restore(&handle(&newest), at(now));
        assert_eq!(again.err(), Some(HandleFault::Gone));
        let restored = records.pick_visible(at(now), at(now + 10)).unwrap();
        assert_eq!((restored.count, restored.first), (1, at(0)));
    }
}

#[test]
fn without_a_limit_a_record_is_received_for_ever() {
    let (mut records, _) = received(None, 1);
    for count in 2..60 {
        assert_eq!(
            receive(&mut records, count * 10).unwrap().count,
            u32::try_from(count).unwrap()
        );
    }
}

#[test]
fn a_lowered_limit_counts_when_a_record_is_next_picked() {
    let (mut records, _) = received(None, 1);
    receive(&mut records, 10).unwrap();
    records.end_due_timeouts(at(30));
    records.set_max_receive_count(Some(2));
    assert_eq!(records.counts().visible, 1);
    assert_eq!(records.pick_visible(at(30), at(40)), None);
    assert_eq!(records.counts().dead_visible, 1);
    records.set_max_receive_count(None);
    assert!(records.pick_dead(at(30), at(40)).unwrap().dead);
}

#[test]
fn visibility_zero_shows_a_record_at_once_and_ends_the_handle_for_more() {
    let (mut records, deliveries) = received(Some(6), 2);
    let [one, other] = [handle(&deliveries[0]), handle(&deliveries[1])];
    records
        .change_visibility(&other, false, at(5), at(50))
        .unwrap();
    records
        .change_visibility(&one, false, at(5), at(5))
        .unwrap();
    let again = records.change_visibility(&one, false, at(5), at(50));
    assert_eq!(again, Err(HandleFault::NotInFlight));
    assert_eq!(receive(&mut records, 5).unwrap().place, deliveries[0].place);
    let stale = records.acknowledge(&one, false);
    assert_eq!(stale.err(), Some(HandleFault::Stale));
    records.end_due_timeouts(at(14));
    assert_eq!(
        records.counts().in_flight,
        2,
        "the other was extended past its first due time"
    );
    records.end_due_timeouts(at(50));
    assert_eq!(records.counts().visible, 2);
}

#[test]
fn kinds_of_handles_are_not_mixed_up() {
    let (mut records, deliveries) = received(Some(1), 1);
    let normal = handle(&deliveries[0]);
    let wrong = Some(HandleFault::WrongKind);
    assert_eq!(records.acknowledge(&normal, true).err(), wrong);
    assert_eq!(records.restore(&normal, at(1)).err(), wrong);
    let dead = handle(&receive_dead(&mut records, 10).unwrap());
    assert_eq!(records.acknowledge(&dead, false).err(), wrong);
    records.acknowledge(&dead, true).unwrap();
    records.acknowledge(&dead, true).unwrap();
    assert_eq!(
        records.restore(&dead, at(11)).err(),
        Some(HandleFault::Gone)
    );
    assert!(records.is_empty());
}

#[test]
fn expired_records_leave_from_every_standing() {
    let (mut records, deliveries) = received(Some(1), 4);
    records.acknowledge(&handle(&deliveries[0]), false).unwrap();
    records.end_due_timeouts(at(10));
    let dead = records.pick_dead(at(10), at(30)).unwrap();
    assert_eq!(dead.place, deliveries[1].place);
    records.expire(at(3));
    assert_eq!(records.len(), 1);
    for gone in [&deliveries[1], &deliveries[2]] {
        let mut gone = handle(gone);
        gone.dead = true;
        assert_eq!(
            records.acknowledge(&gone, true).err(),
            Some(HandleFault::Gone)
        );
    }
    records.expire(at(100));
    assert_eq!(records.counts(), Default::default());
    assert_eq!(records.pick_dead(at(100), at(110)), None);
    assert_eq!(records.next_due(), None);
}

#[test]
fn a_delivery_that_no_receiver_got_is_taken_back() {
    let mut records = QueueRecords::new(Some(2), 0, true);
    let deliveries = records.claim(SHARD, unread(0..2), 2 * STEP, at(0), at(10));
    records.take_back(&deliveries[1]);
    records.take_back(&deliveries[0]);
    let again = receive(&mut records, 7).unwrap();
    assert_eq!(
        (again.place, again.count, again.first),
        (deliveries[0].place, 1, at(7))
    );
    let other = receive(&mut records, 17).unwrap();
    assert_eq!(other.place, deliveries[1].place);
    let second = records.pick_visible(at(17), at(27)).unwrap();
    records.take_back(&second);
    records
        .acknowledge(&handle(&again), false)
        .expect("its newest delivery again");
}

#[test]
fn a_delivery_counts_only_when_its_timeout_was_started() {
    let (mut records, deliveries) = received(Some(2), 1);
    records.end_due_timeouts(at(10));
    for _ in 0..3 {
        // The timeout of 0 ms is over, but it was not started: the payload may not fit in the
        // answer.
        let last = records.pick_visible(at(10), at(10)).unwrap();
        records.end_due_timeouts(at(11));
        assert_eq!(records.counts().in_flight, 1);
        assert_eq!(records.pick_visible(at(11), at(11)), None);
        records.take_back(&last);
        assert_eq!((last.count, records.counts().visible), (2, 1));
    }
    let last = receive(&mut records, 11).unwrap();
    assert_eq!((last.place, last.count), (deliveries[0].place, 2));
    records.end_due_timeouts(at(21));
    assert_eq!(records.counts().dead_visible, 1);
}

#[test]
fn what_cannot_be_saved_is_undone() {
    let (mut records, deliveries) = received(Some(1), 2);
    let [one, other] = [handle(&deliveries[0]), handle(&deliveries[1])];
    let before = records.counts();
    let done = [one, other].map(|handle| records.acknowledge(&handle, false).unwrap());
    done.iter().flatten().for_each(|done| records.undo(done));
    assert_eq!(records.counts(), before);
    let dead = receive_dead(&mut records, 10).unwrap();
    let before = records.counts();
    let restored = records.restore(&handle(&dead), at(11)).unwrap();
    records.undo(&restored);
    assert_eq!(
        (records.counts(), records.next_due()),
        (before, Some(at(20)))
    );
    assert_eq!(records.pick_visible(at(11), at(21)), None);
    records.acknowledge(&handle(&dead), true).unwrap();
}

#[test]
fn handles_of_receives_that_were_lost_still_count() {
    let mut records = QueueRecords::new(Some(6), 0, true);
    records.know(SHARD);
    let lost = |number: u64| ReceiptHandle {
        dead: false,
        shard: SHARD,
        index: number * STEP,
        delivery: 100 + number,
    };
    records.acknowledge(&lost(1), false).unwrap();
    records
        .change_visibility(&lost(2), false, at(0), at(50))
        .unwrap();
    let claimed = records.claim(SHARD, unread(0..4), 4 * STEP, at(1), at(11));
    let indexes: Vec<_> = claimed.iter().map(|d| d.place.index / STEP).collect();
    assert_eq!(indexes, [0, 3], "one is settled, one is in flight");
    records.acknowledge(&lost(2), false).unwrap();
    assert_eq!(records.len(), 2);
}

/// A queue that knows one receive of a record, and the handle from a later receive that a crash
/// lost.
fn outlived(most: u32, dead: bool) -> (QueueRecords, ReceiptHandle) {
    let (mut records, deliveries) = received(Some(most), 1);
    records.end_due_timeouts(at(10));
    let newer = ReceiptHandle {
        dead,
        delivery: deliveries[0].delivery + 100,
        ..handle(&deliveries[0])
    };
    // After a restart, delivery numbers are greater than all numbers before the restart.
    records.next_delivery = newer.delivery;
    (records, newer)
}

#[test]
fn a_handle_newer_than_the_saved_receives_is_the_current_one() {
    // With a maximum of 2 receives, the record is visible after its one known receive. With a
    // maximum of 1, the record is dead-letter.
    for (most, dead) in [(2, true), (2, false), (1, true), (1, false)] {
        let (mut records, newer) = outlived(most, dead);
        records.acknowledge(&newer, dead).unwrap();
        assert!(records.is_empty(), "{most} {dead}");
        assert_eq!(records.pick_visible(at(10), at(20)), None);
        assert_eq!(records.pick_dead(at(10), at(20)), None);
        records.acknowledge(&newer, dead).unwrap();

        let (mut records, newer) = outlived(most, dead);
        let changed = records.change_visibility(&newer, dead, at(10), at(50));
        changed.unwrap();
        assert_eq!(records.pick_visible(at(10), at(20)), None);
        assert_eq!(records.pick_dead(at(10), at(20)), None);
        records.end_due_timeouts(at(50));
        // The handle proves a second receive, so the maximum is reached in every case.
        assert_eq!(records.pick_visible(at(50), at(60)), None);
        assert_eq!(records.pick_dead(at(50), at(60)).unwrap().count, 3);
        let stale = records.acknowledge(&newer, dead).err();
        let expected = if dead {
            HandleFault::Stale
        } else {
            HandleFault::Gone
        };
        assert_eq!(stale, Some(expected));
    }
}

#[test]
fn a_newer_handle_restores_a_record_and_can_be_undone() {
    for most in [1, 2] {
        let (mut records, newer) = outlived(most, true);
        let before = records.restore(&newer, at(10)).unwrap();
        assert_eq!(records.counts().visible, 1);
        records.undo(&before);
        records.end_due_timeouts(at(10));
        assert_eq!(records.counts().dead_visible, 1);
        records.restore(&newer, at(10)).unwrap();
        let again = records.restore(&newer, at(10));
        assert_eq!(again.err(), Some(HandleFault::Gone));
        assert_eq!(records.pick_visible(at(10), at(20)).unwrap().count, 1);
    }
}

/// Number of records in the tests of memory. The number is slightly more than a power of two, so
/// that a list with doubling capacity is almost half empty: the worst case for memory.
const MANY: u64 = (1 << 16) + 10;

#[test]
fn records_in_flight_take_120_bytes_each_at_most() {
    let mut records = QueueRecords::new(Some(6), 0, false);
    for first in (0..MANY).step_by(10) {
        let found = (first..first + 10).map(|index| UnreadRecord {
            index,
            arrival: at(0),
        });
        let claimed = records.claim(0, found, first + 10, at(0), at(30_000));
        claimed.iter().for_each(|one| records.start_timeout(one));
    }
    let budget = 120 * records.counts().in_flight;
    let in_flight = heap_bytes(&records);
    assert!(in_flight <= budget, "{in_flight} of {budget}");
    records.end_due_timeouts(at(30_000));
    let visible = heap_bytes(&records);
    assert!(visible <= budget, "{visible} of {budget}");
    while let Some(delivery) = records.pick_visible(at(30_000), at(60_000)) {
        records.acknowledge(&handle(&delivery), false).unwrap();
    }
    let settled = heap_bytes(&records);
    assert!(settled <= 200_000, "{settled}");
}

fn heap_bytes(records: &QueueRecords) -> usize {
    let pages: usize = records
        .shards
        .values()
        .map(|s| s.entries.heap_bytes())
        .sum();
    pages
        + records.timers.heap_bytes()
        + records.ready.heap_bytes()
        + records.dead_ready.heap_bytes()
}
