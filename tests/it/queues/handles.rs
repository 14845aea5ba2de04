//! Receipt handles: the calls that take them, and the calls that refuse them.

use super::*;
use crate::lab::{kinesis_test, seconds, wire_test};

const INVALID: &str = "InvalidArgumentException";
const GONE: &str = "ResourceNotFoundException";

fn code(code: &str) -> Option<String> {
    Some(code.to_owned())
}

/// A stream with a queue, from which one record was received.
async fn received_one(lab: &Lab) -> (String, Record) {
    create_stream(lab, "s").await;
    let arn = create_queue(lab, "q", "s").await;
    put(lab, "s", "a").await;
    let mut records = receive(lab, &arn).await;
    (arn, records.remove(0))
}

kinesis_test!(
    an_acknowledged_record_is_settled_for_good,
    |lab| async move {
        let (arn, record) = received_one(&lab).await;
        for _ in 0..2 {
            assert_eq!(
                try_acknowledge(&lab, Kind::Normal, &arn, &record.handle).await,
                None
            );
        }
        assert_eq!(
            set_visibility(&lab, Kind::Normal, &arn, &record, 0).await,
            code(GONE)
        );
        lab.clock.advance(seconds(60)).await;
        nothing(&lab, Kind::Normal, &arn).await;
    }
);

wire_test!(
    a_handle_of_a_record_that_is_visible_again_still_acknowledges,
    |lab| async move {
        let (arn, record) = received_one(&lab).await;
        lab.clock.advance(seconds(30)).await;
        assert_eq!(
            set_visibility(&lab, Kind::Normal, &arn, &record, 9).await,
            code(INVALID)
        );
        assert_eq!(
            try_acknowledge(&lab, Kind::Normal, &arn, &record.handle).await,
            None
        );
        nothing(&lab, Kind::Normal, &arn).await;
    }
);

wire_test!(a_stale_handle_is_refused, |lab| async move {
    let (arn, old) = received_one(&lab).await;
    lab.clock.advance(seconds(30)).await;
    let new = receive(&lab, &arn).await.remove(0);
    assert_eq!(
        try_acknowledge(&lab, Kind::Normal, &arn, &old.handle).await,
        code(INVALID)
    );
    assert_eq!(
        set_visibility(&lab, Kind::Normal, &arn, &old, 0).await,
        code(INVALID)
    );
    assert_eq!(
        try_acknowledge(&lab, Kind::Normal, &arn, &new.handle).await,
        None
    );
});

wire_test!(
    handles_that_are_not_the_queues_are_refused,
    |lab| async move {
        let (arn, record) = received_one(&lab).await;
        let other = create_queue(&lab, "r", "s").await;
        let foreign = receive(&lab, &other).await.remove(0);
        let mut changed = record.handle.clone().into_bytes();
        changed[20] = if changed[20] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        for handle in ["x", &"x".repeat(1024), &foreign.handle, &changed] {
            assert_eq!(
                try_acknowledge(&lab, Kind::Normal, &arn, handle).await,
                code(INVALID)
            );
            assert_eq!(try_restore(&lab, &arn, handle).await, code(INVALID));
        }
        assert_eq!(
            try_acknowledge(&lab, Kind::Dead, &arn, &record.handle).await,
            code(INVALID)
        );
        assert_eq!(
            set_visibility(&lab, Kind::Dead, &arn, &record, 1).await,
            code(INVALID)
        );
        assert_eq!(try_restore(&lab, &arn, &record.handle).await, code(INVALID));
        assert_eq!(
            try_acknowledge(&lab, Kind::Normal, &arn, &record.handle).await,
            None
        );
    }
);

wire_test!(a_batch_answers_entry_by_entry_in_order, |lab| async move {
    create_stream(&lab, "s").await;
    let arn = create_queue(&lab, "q", "s").await;
    put_many(&lab, "s", 0..3).await;
    let mut records = Vec::new();
    while records.len() < 3 {
        records.extend(receive(&lab, &arn).await);
    }
    let handle = |at: usize| records[at].handle.clone();
    let given = [
        handle(0),
        "bad".to_owned(),
        handle(0),
        handle(1),
        "worse".to_owned(),
    ];
    let entry = |handle: &String| json!({"ReceiptHandle": handle});
    let entries: Vec<_> = given.iter().map(entry).collect();
    let body = json!({"QueueARN": arn, "Entries": entries});
    let answer = ok_cbor(&lab, "AcknowledgeQueueRecords", body).await;
    let successful = json!([entry(&given[0]), entry(&given[0]), entry(&given[3])]);
    assert_eq!(answer["Successful"], successful);
    let failed = answer["Failed"].as_array().unwrap();
    let handles: Vec<_> = failed
        .iter()
        .map(|f| f["ReceiptHandle"].as_str().unwrap())
        .collect();
    assert_eq!(handles, ["bad", "worse"]);
    assert!(
        failed
            .iter()
            .all(|f| f["ErrorCode"] == INVALID && f["ErrorMessage"].is_string())
    );
    // If a request has two timeouts for a record, the last one counts, unless the first one has
    // made the record visible.
    for (timeouts, failures) in [([50, 60], 0), ([0, 60], 1)] {
        let entry = |s: u32| json!({"ReceiptHandle": handle(2), "VisibilityTimeoutSeconds": s});
        let body = json!({"QueueARN": arn, "Entries": timeouts.map(entry)});
        let answer = ok(&lab, "UpdateQueueRecordsVisibility", body).await;
        assert_eq!(
            answer["Failed"].as_array().unwrap().len(),
            failures,
            "{answer}"
        );
    }
    assert_eq!(receive(&lab, &arn).await[0].text, records[2].text);
});
