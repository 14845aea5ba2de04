//! The record count of a stream, for which `wait` waits, in a snapshot.

use super::damage::forged;
use super::{load, save};
use crate::lab::{Lab, Place, Stream, hours, kinesis_test};
use crate::looking::own;
use serde_json::json;

/// The record count of the stream `orders`.
async fn count(lab: &Lab) -> u64 {
    let body = r#"{"records": 1000000, "timeout_ms": 0}"#;
    let (status, answer) = own(lab, "POST", "streams/orders/wait", body).await;
    assert_eq!(status, 408, "{answer}");
    answer["records"].as_u64().unwrap()
}

kinesis_test!(a_wait_counts_on_after_a_load, |lab| async move {
    let stream = lab.stream("orders").shards(2).create().await;
    stream.put("k", "cleared").await;
    assert_eq!(own(&lab, "POST", "streams/orders/clear", "").await.0, 204);
    for number in 0..3 {
        stream.put(&format!("key {number}"), "expires").await;
    }
    lab.clock.advance(hours(25)).await;
    stream.put("k", "kept").await;
    assert_eq!(count(&lab).await, 4);
    let file = save(&lab).await;
    stream.put("k", "lost").await;
    // Snapshots of older versions do not have the count.
    let older = forged(&file, |kind, body| {
        let name = b"record_count";
        let found = body.windows(name.len()).position(|part| part == name);
        if let Some(at) = found.filter(|_| kind == b'e') {
            body[at] = b'x';
        }
    });
    let elsewhere = Lab::start(Place::Memory, &[]).await;
    for lab in [&lab, &elsewhere] {
        for (file, expected) in [(&file, 4), (&older, 1)] {
            load(lab, file).await;
            assert_eq!(count(lab).await, expected);
            Stream::existing(lab, "orders").put("k", "more").await;
            let wanted = json!({ "records": expected + 1 }).to_string();
            let waited = own(lab, "POST", "streams/orders/wait", &wanted).await;
            assert_eq!(waited.0, 200, "{}", waited.1);
        }
    }
    elsewhere.stop().await;
    load(&lab, &file).await;
    if lab.restart().await {
        let text = "a start begins with the records that the stream holds";
        assert_eq!(count(&lab).await, 1, "{text}");
    }
});
