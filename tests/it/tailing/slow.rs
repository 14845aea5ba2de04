//! Clients that do not read their tail.

use super::{Tail, request, until_tails};
use crate::lab::{Lab, wire_test};

/// More records than all buffers between two programs of one machine can hold.
const RECORDS: usize = 24;
const RECORD_BYTES: usize = 1_000_000;

wire_test!(
    a_reader_that_stops_reading_is_cut_off_and_others_go_on,
    ["--profile", "fast", "--limit", "unread-event-seconds=0"],
    |lab: Lab| async move {
        let stream = lab.stream("orders").create().await;
        let mut brisk = Tail::begin(&lab, "", None).await;
        for _ in 0..RECORDS {
            stream.put("key", vec![b'x'; RECORD_BYTES]).await;
            assert_eq!(brisk.texts(1).await[0].len(), RECORD_BYTES);
        }
        let mut connection = lab.connect().await;
        let head = connection.begin(&request("?from=trim_horizon", None)).await;
        assert_eq!(head.status, 200);
        until_tails(&lab, 1).await;
        let rest = connection.rest().await;
        assert!(rest.len() < RECORDS * RECORD_BYTES, "{}", rest.len());
        assert!(!rest.ends_with(b"0\r\n\r\n"), "no clean end");
        stream.put("key", "after").await;
        assert_eq!(brisk.texts(1).await, ["after"]);
    }
);
