//! Clients that send nothing, or read nothing.

use super::{check_served, counter, until};
use crate::lab::{Lab, Request, SHARD_0, Stream, arn_of, wire_test};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

wire_test!(
    idle_connections_do_not_block_new_connections,
    |lab: Lab| async move {
        let mut idle = Vec::new();
        for at in 0..200 {
            let mut stream = TcpStream::connect(lab.address()).await.unwrap();
            // No bytes, half of the HTTP/2 preface, the whole preface, half of an HTTP/1.1 head.
            let begun = [
                b"".as_slice(),
                &PREFACE[..9],
                PREFACE,
                b"POST / HTTP/1.1\r\nHost:",
            ][at % 4];
            stream.write_all(begun).await.unwrap();
            idle.push(stream);
        }
        // The connection that reads the metrics counts, too.
        until(&lab, "connections_open", 201).await;
        check_served(&lab).await;
        drop(idle);
    }
);

wire_test!(
    a_connection_that_says_nothing_is_closed,
    [
        "--limit",
        "first-byte-seconds=1",
        "--limit",
        "head-seconds=1"
    ],
    |lab: Lab| async move {
        // A start of an HTTP/2 preface does not count as the beginning of a connection. Without its
        // own limit, the server would wait for the rest for ever.
        for begun in [
            b"".as_slice(),
            &PREFACE[..1],
            &PREFACE[..23],
            b"POST / HTTP/1.1\r\nHost:",
        ] {
            let mut stream = TcpStream::connect(lab.address()).await.unwrap();
            stream.write_all(begun).await.unwrap();
            let mut rest = Vec::new();
            let ended = stream.read_to_end(&mut rest);
            let ended = tokio::time::timeout(crate::lab::WAIT_LIMIT, ended).await;
            assert!(ended.is_ok(), "{}", String::from_utf8_lossy(begun));
        }
    }
);

/// A stream with more data than all buffers between two programs can hold, and the call that reads
/// it.
async fn full(lab: &Lab) -> Request {
    let stream = lab.stream("s").create().await;
    for _ in 0..9 {
        stream.put("key", vec![b'x'; 1_000_000]).await;
    }
    let iterator =
        format!(r#"{{"StreamName":"s","ShardId":"{SHARD_0}","ShardIteratorType":"TRIM_HORIZON"}}"#);
    let iterator = lab.ok("GetShardIterator", &iterator).await;
    Request::json("GetRecords", &iterator.to_string())
}

wire_test!(
    a_client_that_does_not_read_its_answer_is_dropped_and_its_permit_is_given_back,
    ["--profile", "fast", "--limit", "unread-answer-seconds=1"],
    |lab: Lab| async move {
        let read = full(&lab).await;
        let mut connection = lab.connect().await;
        assert_eq!(connection.begin(&read).await.status, 200);
        until(&lab, "unread_closed_total", 1).await;
        until(&lab, "in_flight_bytes", 0).await;
        assert!(connection.rest().await.len() < 12_000_000);
    }
);

wire_test!(
    over_http_2_a_window_of_nothing_holds_answers_for_a_time_only,
    ["--profile", "fast", "--limit", "unread-answer-seconds=1"],
    |lab: Lab| async move {
        let read = full(&lab).await;
        let mut attack = super::frames::Attack::begin(&lab, 0).await;
        for stream in 0..5 {
            attack.call(1 + 2 * stream, &read).await;
        }
        until(&lab, "unread_closed_total", 1).await;
        until(&lab, "in_flight_bytes", 0).await;
        attack.until_closed().await;
        check_served(&lab).await;
    }
);

wire_test!(
    requests_with_unread_answers_do_not_pile_up,
    ["--profile", "fast", "--limit", "unread-answer-seconds=1"],
    |lab: Lab| async move {
        let bytes = Request::json("DescribeLimits", "{}").bytes();
        let mut stream = TcpStream::connect(lab.address()).await.unwrap();
        let many = bytes.repeat(1_000);
        // Unread answers fill the buffers. The server stops reading, and later closes the
        // connection.
        let closed = async { while stream.write_all(&many).await.is_ok() {} };
        let closed = tokio::time::timeout(crate::lab::WAIT_LIMIT, closed).await;
        assert!(closed.is_ok(), "waited for the connection to be closed");
        until(&lab, "unread_closed_total", 1).await;
        until(&lab, "in_flight_bytes", 0).await;
    }
);

/// Waits until the records of a lab with little memory are on disk.
async fn until_on_disk(lab: &Lab) {
    crate::lab::until("old records to be on disk", async || {
        (counter(lab, "store_memory_bytes").await < 2 << 20).then_some(())
    })
    .await;
}

/// Waits until this number of bytes is in flight.
async fn until_in_flight(lab: &Lab, bytes: u64) {
    crate::lab::until("bytes in flight", async || {
        (counter(lab, "in_flight_bytes").await >= bytes).then_some(())
    })
    .await;
}

/// Creates a stream with fifty records of 1 KB.
async fn fifty_records(lab: &Lab) -> Stream {
    let other = lab.stream("other").create().await;
    for _ in 0..50 {
        other.put("key", vec![b'y'; 1_000]).await;
    }
    other
}

wire_test!(
    reads_of_old_records_go_on_while_large_answers_wait_for_the_budget,
    [
        "--profile",
        "fast",
        "--memory",
        "1MiB",
        "--limit",
        "in-flight-bytes=16777216",
        "--limit",
        "admission-wait-seconds=off"
    ],
    |lab: Lab| async move {
        let other = fifty_records(&lab).await;
        let read = full(&lab).await;
        until_on_disk(&lab).await;
        // One answer exceeds the budget's lane for large answers, so the others wait for its bytes.
        let mut readers = Vec::new();
        for _ in 0..24 {
            let mut reader = lab.connect().await;
            reader.send(&read.bytes()).await;
            readers.push(reader);
        }
        until_in_flight(&lab, 10_000_000).await;
        for _ in 0..20 {
            let old = other.get(&other.horizon(SHARD_0).await).await;
            assert_eq!(old.records.len(), 50);
        }
    }
);

wire_test!(
    reads_of_old_records_go_on_while_events_wait_for_the_budget,
    [
        "--profile",
        "fast",
        "--memory",
        "1MiB",
        "--limit",
        "in-flight-bytes=16777216"
    ],
    |lab: Lab| async move {
        let other = fifty_records(&lab).await;
        full(&lab).await;
        until_on_disk(&lab).await;
        let mut subscribers = Vec::new();
        for at in 0..20 {
            let consumer = format!(
                r#"{{"StreamARN":"{}","ConsumerName":"c{at}"}}"#,
                arn_of("s")
            );
            let consumer = lab.ok("RegisterStreamConsumer", &consumer).await;
            let consumer = &consumer["Consumer"]["ConsumerARN"];
            let subscribe = format!(
                r#"{{"ConsumerARN":{consumer},"ShardId":"{SHARD_0}","StartingPosition":{{"Type":"TRIM_HORIZON"}}}}"#
            );
            // The client's window has space for only a part of the first event.
            let mut subscriber = super::frames::Attack::begin(&lab, 65_535).await;
            let subscribe = Request::json("SubscribeToShard", &subscribe);
            assert!(subscriber.call(1, &subscribe).await);
            subscribers.push(subscriber);
        }
        lab.until_subscriptions(20).await;
        until_in_flight(&lab, 2_000_000).await;
        for _ in 0..20 {
            let old = other.get(&other.horizon(SHARD_0).await).await;
            assert_eq!(old.records.len(), 50);
        }
    }
);
