//! A queue in a snapshot.

use super::*;
use crate::lab::{Place, kinesis_test, seconds};
use crate::snapshots::{forged, load, refusal, save};

kinesis_test!(a_queue_goes_on_in_another_emulator, |lab| async move {
    create_stream(&lab, "s").await;
    let arn = create_queue(&lab, "q", "s").await;
    put_many(&lab, "s", 0..5).await;
    assert_eq!(drain(&lab, &arn, 5).await, numbers(0..5));
    put_many(&lab, "s", 5..10).await;
    let mut in_flight = Vec::new();
    while in_flight.len() < 5 {
        in_flight.extend(receive(&lab, &arn).await);
    }
    put_many(&lab, "s", 10..15).await;
    let before = describe(&lab, &arn).await;
    let file = save(&lab).await;
    for place in [Place::Memory, Place::Disk] {
        let there = Lab::start(place, &[]).await;
        // The second load replaces the same queue.
        load(&there, &file).await;
        load(&there, &file).await;
        assert_eq!(describe(&there, &arn).await, before);
        acknowledge(&there, Kind::Normal, &arn, &in_flight[..2]).await;
        assert_eq!(drain(&there, &arn, 5).await, numbers(10..15));
        nothing(&there, Kind::Normal, &arn).await;
        there.clock.advance(seconds(30)).await;
        assert_eq!(drain(&there, &arn, 3).await, texts(&in_flight[2..]));
        put_many(&there, "s", 15..17).await;
        assert_eq!(drain(&there, &arn, 2).await, numbers(15..17));
        if there.restart().await {
            there.clock.advance(seconds(60)).await;
            nothing(&there, Kind::Normal, &arn).await;
        }
        there.stop().await;
    }
});

kinesis_test!(a_receive_that_waits_ends_at_a_load, |lab| async move {
    create_stream(&lab, "s").await;
    let arn = create_queue(&lab, "q", "s").await;
    let file = save(&lab).await;
    let waiting = async {
        let body = json!({"QueueARN": arn, "WaitTimeSeconds": 20}).to_string();
        lab.json("ReceiveQueueRecords", &body).await
    };
    let loading = async {
        until_waiting(&lab, 1).await;
        load(&lab, &file).await;
    };
    let both = async { tokio::join!(waiting, loading) };
    crate::lab::within("the receive to end", both).await;
    put_many(&lab, "s", 0..1).await;
    assert_eq!(drain(&lab, &arn, 1).await, numbers(0..1));
});

/// A change in a saved state of a queue: its kind, shard and index, and the further numbers of a
/// received record: standing and count, delivery, end of the timeout, first receive and arrival.
type SavedChange = (u8, u32, u64, Option<[u64; 5]>);

const NEXT: u8 = 1;
const RECEIVED: u8 = 2;
const SETTLED: u8 = 3;
const EXPIRED: u8 = 4;

fn number(mut number: u64, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// The saved state of a queue with these changes, of which at most one is a received record.
fn state(flags: u8, changes: &[SavedChange]) -> Vec<u8> {
    let mut bytes = vec![flags];
    let (mut shard, mut index) = (0_u32, 0_u64);
    for change in changes {
        bytes.push(change.0);
        number(u64::from(change.1.wrapping_sub(shard)), &mut bytes);
        let step = change.2.wrapping_sub(index).cast_signed();
        number((step << 1 ^ step >> 63).cast_unsigned(), &mut bytes);
        (shard, index) = (change.1, change.2);
        let Some([packed, rest @ ..]) = change.3 else {
            continue;
        };
        number(packed, &mut bytes);
        rest.iter().for_each(|part| number(*part << 1, &mut bytes));
    }
    bytes
}

/// The file with this state of its queue.
fn with_state(file: &[u8], state: &[u8]) -> Vec<u8> {
    forged(file, |kind, body| {
        // A list of a queue's records begins with the flags of its first and last document.
        if kind == b'r' && body.get(12 + 23) == Some(&ONLY) {
            body.truncate(12 + 23);
            let length = u32::try_from(state.len()).unwrap();
            body[12 + 16..12 + 20].copy_from_slice(&length.to_le_bytes());
            body.extend(state);
        }
    })
}

/// The flags of a document that is a whole list.
const ONLY: u8 = 7;

kinesis_test!(
    an_impossible_state_of_a_queue_is_refused,
    |lab| async move {
        create_stream(&lab, "s").await;
        let arn = create_queue(&lab, "q", "s").await;
        put_many(&lab, "s", 0..40).await;
        receive(&lab, &arn).await;
        let file = save(&lab).await;
        let before = lab.everything().await;
        let now = lab.clock.now_ms().unsigned_abs();
        let sound = [4, 1, now + 30_000, now, now];
        let with = |at: usize, value: u64| {
            let mut numbers = sound;
            numbers[at] = value;
            (RECEIVED, 0, 1, Some(numbers))
        };
        let positions = [(EXPIRED, 0, 1, None), (NEXT, 0, 2, None)];
        let good = [&positions[..], &[with(0, 4)]].concat();
        load(&lab, &with_state(&file, &state(ONLY, &good))).await;
        load(&lab, &file).await;
        let (far, later_run) = (1_000_000, 1 << 44);
        let missing = "a part of it is missing";
        let record_beyond = "a received record is beyond the end of its shard";
        let position_beyond = "a position is beyond the end of its shard";
        let time = "a received record has an impossible time";
        for (state, problem) in [
            (state(1, &good), missing),
            (state(0, &good), missing),
            (
                state(ONLY, &good)[..20].to_vec(),
                "a part of it cannot be read",
            ),
            (
                state(ONLY, &[(RECEIVED, 0, far, Some(sound))]),
                record_beyond,
            ),
            (
                state(ONLY, &[(RECEIVED, 0, later_run, Some(sound))]),
                record_beyond,
            ),
            (state(ONLY, &[(NEXT, 1, far, None)]), position_beyond),
            (state(ONLY, &[(NEXT, 1, u64::MAX, None)]), position_beyond),
            (
                state(ONLY, &[(EXPIRED, 2, later_run + 1, None)]),
                position_beyond,
            ),
            (
                state(ONLY, &[(SETTLED, 0, later_run, None)]),
                "a settled record is beyond the end of its shard",
            ),
            (
                state(
                    ONLY,
                    &[(EXPIRED, 0, 2, None), (RECEIVED, 0, 1, Some(sound))],
                ),
                "a received record is before the records that have not expired",
            ),
            (
                state(ONLY, &[(NEXT, 4, 0, None)]),
                "its stream never had one of its shards",
            ),
            (state(ONLY, &[with(2, 1 << 62)]), time),
            (state(ONLY, &[with(3, 1 << 62)]), time),
            (state(ONLY, &[with(4, 1 << 62)]), time),
            (
                state(ONLY, &[with(1, later_run)]),
                "a received record has an impossible delivery number",
            ),
        ] {
            let reason = refusal(&lab, &with_state(&file, &state)).await;
            let expected = format!(
                "the snapshot is damaged: the state of the queue q in it is invalid: {problem}"
            );
            assert_eq!(reason, expected);
            assert_eq!(lab.everything().await, before);
        }
        lab.clock.advance(seconds(30)).await;
        assert_eq!(drain(&lab, &arn, 40).await, numbers(0..40));
    }
);
