//! Shard iterators: their positions, and the records that are read from there.

use crate::lab::{SHARD_0, START_MS, Stream, kinesis_test, ms, seconds, wire_test};
use aws_sdk_kinesis::types::ShardIteratorType as Kind;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Puts the records `0`, `1`, … at intervals of this number of milliseconds.
async fn fill(stream: &Stream, count: usize, interval_ms: u64) -> Vec<crate::lab::Placed> {
    let mut placed = Vec::new();
    for at in 0..count {
        placed.push(stream.put("k", at.to_string()).await);
        stream.lab.clock.advance(ms(interval_ms)).await;
    }
    placed
}

kinesis_test!(the_five_types_begin_at_their_record, |lab| async move {
    let stream = lab.stream("s").create().await;
    let placed = fill(&stream, 5, 10).await;
    let data = async |iterator: String| stream.data(&iterator).await;
    assert_eq!(
        data(stream.horizon(SHARD_0).await).await,
        ["0", "1", "2", "3", "4"]
    );
    let empty: [&str; 0] = [];
    assert_eq!(data(stream.latest(SHARD_0).await).await, empty);
    for (at, place) in placed.iter().enumerate() {
        let rest: Vec<_> = (at..5).map(|at| at.to_string()).collect();
        assert_eq!(
            data(
                stream
                    .iterator_by_number(Kind::AtSequenceNumber, place)
                    .await
            )
            .await,
            rest
        );
        let after = stream
            .iterator_by_number(Kind::AfterSequenceNumber, place)
            .await;
        assert_eq!(data(after).await, rest[1..]);
        let arrived = START_MS + 10 * i64::try_from(at).unwrap();
        assert_eq!(data(stream.iterator_at(arrived).await).await, rest);
    }
});

kinesis_test!(a_moment_is_exact_to_the_millisecond, |lab| async move {
    let stream = lab.stream("s").create().await;
    fill(&stream, 4, 2).await;
    for (at, count) in [
        (-5000, 4),
        (-1, 4),
        (0, 4),
        (1, 3),
        (2, 3),
        (3, 2),
        (6, 1),
        (7, 0),
        (8, 0),
    ] {
        let iterator = stream.iterator_at(START_MS + at).await;
        assert_eq!(
            stream.data(&iterator).await.len(),
            count,
            "{at} ms after the first"
        );
    }
    // Records after the time of the iterator are read, also if none existed when the iterator was
    // made.
    let iterator = stream.iterator_at(START_MS + 8).await;
    stream.put("k", "later").await;
    assert_eq!(stream.data(&iterator).await, ["later"]);
});

kinesis_test!(
    latest_reads_what_is_put_later_and_nothing_else,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        let of_empty = stream.latest(SHARD_0).await;
        stream.put("k", "1").await;
        let latest = stream.latest(SHARD_0).await;
        assert!(stream.data(&latest).await.is_empty());
        stream.put("k", "2").await;
        assert_eq!(stream.data(&latest).await, ["2"]);
        assert_eq!(stream.data(&of_empty).await, ["1", "2"]);
        let first = stream.get(&latest).await;
        assert!(
            stream
                .data(first.next_shard_iterator().unwrap())
                .await
                .is_empty()
        );
        stream.put("k", "3").await;
        assert_eq!(
            stream.data(first.next_shard_iterator().unwrap()).await,
            ["3"]
        );
    }
);

kinesis_test!(
    an_iterator_can_be_used_again_and_sees_newer_records,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        let iterator = stream.horizon(SHARD_0).await;
        for count in 0..3 {
            assert_eq!(stream.data(&iterator).await.len(), count);
            stream.put("k", "v").await;
        }
    }
);

kinesis_test!(
    reading_in_small_steps_reads_everything_once,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        fill(&stream, 23, 1).await;
        let mut iterator = stream.horizon(SHARD_0).await;
        let mut seen = Vec::new();
        for (step, limit) in [1, 2, 3, 4, 5, 6, 7, 10_000].into_iter().enumerate() {
            let get = stream
                .client
                .get_records()
                .shard_iterator(&iterator)
                .limit(limit);
            let got = get.send().await.unwrap();
            seen.extend(crate::lab::stream::texts(&got.records));
            let behind = got.millis_behind_latest.unwrap();
            assert_eq!(behind > 0, seen.len() < 23, "step {step}");
            iterator = got.next_shard_iterator.unwrap();
        }
        let all: Vec<_> = (0..23).map(|at| at.to_string()).collect();
        assert_eq!(seen, all);
    }
);

wire_test!(
    iterators_look_like_the_services_and_never_repeat,
    |lab| async move {
        let mut seen = std::collections::BTreeSet::new();
        for (length, decoded) in [
            (1, 152),
            (13, 152),
            (14, 168),
            (29, 168),
            (30, 184),
            (128, 280),
        ] {
            let stream = lab.stream(&"s".repeat(length)).create().await;
            for _ in 0..3 {
                let iterator = stream.horizon(SHARD_0).await;
                let bytes = STANDARD.decode(&iterator).unwrap();
                assert_eq!(bytes.len(), decoded, "a name of {length}");
                assert_eq!(bytes[..8], [0, 0, 0, 0, 0, 0, 0, 1]);
                let next = stream.get(&iterator).await.next_shard_iterator.unwrap();
                assert!(seen.insert(iterator) && seen.insert(next));
            }
        }
    }
);

kinesis_test!(
    starting_and_ending_points_of_a_shard_are_numbers_too,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        fill(&stream, 2, 5000).await;
        let shards = stream
            .client
            .list_shards()
            .stream_name("s")
            .send()
            .await
            .unwrap()
            .shards
            .unwrap();
        let start = shards[0]
            .sequence_number_range()
            .unwrap()
            .starting_sequence_number();
        for kind in [Kind::AtSequenceNumber, Kind::AfterSequenceNumber] {
            let got = stream
                .client
                .get_shard_iterator()
                .stream_name("s")
                .shard_id(SHARD_0);
            let got = got
                .shard_iterator_type(kind)
                .starting_sequence_number(start)
                .send()
                .await;
            let iterator = got.unwrap().shard_iterator.unwrap();
            assert_eq!(stream.data(&iterator).await, ["0", "1"]);
        }
    }
);

kinesis_test!(a_reader_that_is_behind_sees_by_how_much, |lab| async move {
    let stream = lab.stream("s").create().await;
    fill(&stream, 3, 1000).await;
    // The records arrived 3000, 2000 and 1000 ms ago.
    let iterator = stream.horizon(SHARD_0).await;
    let got = async |iterator: &str, limit: i32| {
        let get = stream
            .client
            .get_records()
            .shard_iterator(iterator)
            .limit(limit);
        get.send().await.unwrap()
    };
    for (limit, behind) in [(1, 3000), (2, 2000), (3, 0), (4, 0)] {
        let got = got(&iterator, limit).await;
        assert_eq!(got.millis_behind_latest, Some(behind), "limit {limit}");
    }
    lab.clock.advance(ms(500)).await;
    assert_eq!(got(&iterator, 1).await.millis_behind_latest, Some(3500));
    let tip = stream.latest(SHARD_0).await;
    assert_eq!(stream.get(&tip).await.millis_behind_latest, Some(0));
});

kinesis_test!(
    a_next_iterator_lives_as_long_as_a_first_one,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        let mut iterator = stream.horizon(SHARD_0).await;
        for _ in 0..5 {
            lab.clock.advance(seconds(299)).await;
            stream.put("k", "v").await;
            let got = stream.get(&iterator).await;
            assert_eq!(got.records.len(), 1);
            iterator = got.next_shard_iterator.unwrap();
        }
        lab.clock.advance(ms(300_001)).await;
        let get = stream
            .client
            .get_records()
            .shard_iterator(iterator)
            .send()
            .await;
        assert!(
            get.unwrap_err()
                .into_service_error()
                .is_expired_iterator_exception()
        );
    }
);

kinesis_test!(
    an_answer_holds_ten_mebibytes_at_most_and_one_record_at_least,
    ["--profile", "fast"],
    |lab| {
        async move {
            let stream = lab.stream("s").record_kib(10_240).create().await;
            let data = vec![1; 3 << 20];
            for _ in 0..5 {
                stream.put("k", &data).await;
            }
            stream.put("k", vec![2; (10 << 20) - 1]).await;
            stream.put("k", "small").await;
            let mut iterator = stream.horizon(SHARD_0).await;
            let mut counts = Vec::new();
            while counts.iter().sum::<usize>() < 7 {
                let got = stream.get(&iterator).await;
                counts.push(got.records.len());
                iterator = got.next_shard_iterator.unwrap();
            }
            assert_eq!(counts, [3, 2, 1, 1]);
        }
    }
);

#[test]
fn iterators_and_tokens_outlive_a_restart() {
    crate::lab::run(crate::lab::Place::Disk, &[], |lab| async move {
        let stream = lab.stream("s").shards(2).create().await;
        stream.put_at("0", "one").await;
        let (first, latest) = (stream.horizon(SHARD_0).await, stream.latest(SHARD_0).await);
        let page = lab
            .ok("ListShards", r#"{"StreamName":"s","MaxResults":1}"#)
            .await;
        lab.restart().await;
        let stream = Stream::existing(&lab, "s");
        stream.put_at("0", "two").await;
        assert_eq!(stream.data(&first).await, ["one", "two"]);
        assert_eq!(stream.data(&latest).await, ["two"]);
        let token = serde_json::json!({"NextToken": page["NextToken"]}).to_string();
        let rest = lab.ok("ListShards", &token).await;
        assert_eq!(rest["Shards"][0]["ShardId"], "shardId-000000000001");
    });
}
