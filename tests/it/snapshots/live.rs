//! Snapshots while the emulator serves requests.

use super::{load, save, send};
use crate::lab::raw::Connection;
use crate::lab::{Lab, Place, Request, Stream, kinesis_test, wire_test, within};
use crate::looking::own;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Puts numbered records until `stop` is set. Returns the number of acknowledged records.
async fn write(stream: &Stream, stop: &AtomicBool) -> usize {
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        stream
            .put(&format!("key {}", count % 7), format!("{count}"))
            .await;
        count += 1;
        tokio::task::yield_now().await;
    }
    count
}

kinesis_test!(
    a_snapshot_under_traffic_is_a_cut_of_each_shard,
    ["--profile", "fast"],
    |lab| async move {
        let stream = lab.stream("orders").shards(3).create().await;
        for number in 0..300 {
            stream
                .put(&format!("key {}", number % 7), vec![b'x'; 5_000])
                .await;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let saving = async {
            let mut files = Vec::new();
            for _ in 0..5 {
                files.push(save(&lab).await);
            }
            stop.store(true, Ordering::Relaxed);
            files
        };
        let writing = write(&stream, &stop);
        let both = async { tokio::join!(saving, writing) };
        let (files, _acknowledged) = within("the snapshots", both).await;
        let mut by_shard: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for shard in 0..3 {
            let id = format!("shardId-{shard:012}");
            let records = stream.read(&id).await;
            let numbers = records
                .iter()
                .map(|record| record.sequence_number().to_owned());
            by_shard.insert(id, numbers.collect());
        }
        let mut before = 300;
        for file in files {
            let there = Lab::start(Place::Memory, &["--profile", "fast"]).await;
            load(&there, &file).await;
            let copy = Stream::existing(&there, "orders");
            let mut count = 0;
            for (shard, all) in &by_shard {
                let records = copy.read(shard).await;
                let numbers = records
                    .iter()
                    .map(|record| record.sequence_number().to_owned());
                assert!(
                    numbers.eq(all.iter().take(records.len()).cloned()),
                    "a beginning"
                );
                count += records.len();
            }
            assert!(
                count >= before,
                "what came before the last snapshot is in this one"
            );
            before = count;
            there.stop().await;
        }
    }
);

wire_test!(requests_see_the_old_state_or_the_new, |lab| async move {
    for name in ["a", "b", "c"] {
        lab.stream(name)
            .create()
            .await
            .put("k", vec![b'x'; 100_000])
            .await;
    }
    let abc = save(&lab).await;
    lab.ok("DeleteStream", "{\"StreamName\":\"a\"}").await;
    lab.stream("d").create().await;
    let bcd = save(&lab).await;
    let stop = AtomicBool::new(false);
    let looking = async {
        let mut seen = [0, 0];
        while !stop.load(Ordering::Relaxed) {
            let listed = lab.ok("ListStreams", "{}").await["StreamNames"].clone();
            match listed {
                listed if listed == json!(["a", "b", "c"]) => seen[0] += 1,
                listed if listed == json!(["b", "c", "d"]) => seen[1] += 1,
                other => panic!("neither the one nor the other: {other}"),
            }
        }
        seen
    };
    let loading = async {
        for _ in 0..10 {
            load(&lab, &abc).await;
            load(&lab, &bcd).await;
        }
        stop.store(true, Ordering::Relaxed);
    };
    let both = async { tokio::join!(looking, loading) };
    let (seen, ()) = within("the loads", both).await;
    assert!(seen.iter().sum::<i32>() > 0);
});

/// Begins to send a snapshot, without its end.
async fn begin(lab: &Lab, file: &[u8]) -> Connection {
    let mut connection = lab.connect().await;
    let head = format!(
        "PUT /_minikin/snapshot HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
        file.len()
    );
    connection.send(head.as_bytes()).await;
    connection.send(&file[..file.len() - 1]).await;
    connection
}

/// Waits until no load is in progress, and then loads `file`.
async fn loading_ends(lab: &Lab, file: &[u8]) {
    crate::lab::until("the load to end", async || {
        (send(lab, file).await.status == 204).then_some(())
    })
    .await;
}

wire_test!(one_snapshot_is_loaded_at_a_time, |lab| async move {
    lab.stream("a").create().await.put("k", "v").await;
    let file = save(&lab).await;
    // The second load may come first. The first one is then refused, so try again.
    let (mut first, refused) = crate::lab::until("the first load to begin", async || {
        let first = begin(&lab, &file).await;
        let answer = send(&lab, &file).await;
        if answer.status == 409 {
            return Some((first, answer));
        }
        drop(first);
        loading_ends(&lab, &file).await;
        None
    })
    .await;
    let message = refused.value()["message"].to_string();
    assert!(
        message.contains("another snapshot is being loaded"),
        "{message}"
    );
    first.send(&file[file.len() - 1..]).await;
    assert_eq!(first.answer(true).await.status, 204);
    // The client disconnects during its load, which ends the load.
    drop(begin(&lab, &file).await);
    loading_ends(&lab, &file).await;
});

/// Creates the stream `orders` with 24 records. Its snapshot is larger than the buffers of a
/// connection.
async fn large(lab: &Lab) -> Stream {
    let stream = lab.stream("orders").create().await;
    for seed in 0..24_u32 {
        // Bytes that do not compress.
        let mut state = seed + 1;
        let noise = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[0]
        });
        stream
            .put("k", noise.take(1_000_000).collect::<Vec<u8>>())
            .await;
    }
    stream
}

/// Begins to save a snapshot, and reads its first part.
async fn begin_save(lab: &Lab) -> (Connection, Vec<u8>) {
    let mut connection = lab.connect().await;
    let request = Request::bare("GET", "/_minikin/snapshot");
    assert_eq!(connection.begin(&request).await.status, 200);
    let first = connection.next_chunk().await.unwrap();
    (connection, first)
}

/// The bytes of records that the emulator holds in memory and on disk.
async fn held_bytes(lab: &Lab) -> u64 {
    let page = lab.send(&Request::bare("GET", "/_minikin/metrics")).await;
    let text = page.text();
    let figure = |name: &str| -> u64 {
        let value = text.lines().find_map(|line| line.strip_prefix(name));
        value.unwrap().trim().parse().unwrap()
    };
    figure("minikin_store_memory_bytes ") + figure("minikin_store_disk_bytes ")
}

wire_test!(
    a_snapshot_keeps_the_records_that_are_cleared_or_expire_during_the_save,
    ["--profile", "fast"],
    |lab| async move {
        for expires in [false, true] {
            large(&lab).await;
            let (mut connection, mut file) = begin_save(&lab).await;
            if expires {
                lab.clock.advance(crate::lab::hours(25)).await;
            } else {
                assert_eq!(own(&lab, "POST", "streams/orders/clear", "").await.0, 204);
            }
            let stream = Stream::existing(&lab, "orders");
            assert!(stream.read_all().await.is_empty());
            assert!(held_bytes(&lab).await > 0, "the save needs the records");
            loop {
                let chunk = connection.next_chunk().await.expect("a whole file");
                if chunk.is_empty() {
                    break;
                }
                file.extend(chunk);
            }
            // The clock does not move any more.
            crate::lab::until("the space of the records to be free", async || {
                (held_bytes(&lab).await == 0).then_some(())
            })
            .await;
            let there = Lab::start(Place::Memory, &["--profile", "fast"]).await;
            load(&there, &file).await;
            let listed = own(&there, "GET", "streams", "").await.1;
            for count in ["Records", "RecordsSinceClear"] {
                assert_eq!(listed["streams"][0][count], 24, "{count}, {expires}");
            }
            there.stop().await;
            lab.ok("DeleteStream", r#"{"StreamName":"orders"}"#).await;
        }
    }
);

wire_test!(
    a_deletion_a_reset_and_a_load_break_off_a_snapshot,
    ["--profile", "fast"],
    |lab| async move {
        let empty = save(&lab).await;
        for change in ["delete", "reset", "load"] {
            large(&lab).await;
            let (mut connection, _) = begin_save(&lab).await;
            match change {
                "delete" => {
                    lab.ok("DeleteStream", r#"{"StreamName":"orders"}"#).await;
                }
                "reset" => assert_eq!(own(&lab, "POST", "reset", "").await.0, 204),
                _ => load(&lab, &empty).await,
            }
            let rest = connection.rest().await;
            assert!(!rest.ends_with(b"0\r\n\r\n"), "no clean end: {change}");
        }
    }
);

wire_test!(
    a_reader_of_a_snapshot_that_does_not_read_is_cut_off,
    ["--profile", "fast", "--limit", "unread-answer-seconds=1"],
    |lab| async move {
        let stream = large(&lab).await;
        let mut connection = lab.connect().await;
        let head = connection
            .begin(&Request::bare("GET", "/_minikin/snapshot"))
            .await;
        assert_eq!(head.status, 200);
        crate::lab::until("the reader to be cut off", async || {
            let page = lab.send(&Request::bare("GET", "/_minikin/metrics")).await;
            let closed = "minikin_unread_closed_total 1";
            page.text().lines().any(|line| line == closed).then_some(())
        })
        .await;
        let rest = connection.rest().await;
        assert!(rest.len() < 24_000_000, "{}", rest.len());
        assert!(!rest.ends_with(b"0\r\n\r\n"), "no clean end");
        stream.put("k", "after").await;
    }
);
