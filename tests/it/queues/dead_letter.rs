//! Records that were received too often.

use super::*;
use crate::lab::{START_MS, kinesis_test, seconds, wire_test};

const INVALID: &str = "InvalidArgumentException";
const GONE: &str = "ResourceNotFoundException";

/// Creates a stream with a record, and a queue with this limit of receives.
async fn limited(lab: &Lab, most: Option<u32>) -> String {
    create_stream(lab, "s").await;
    let arn = create_queue(lab, "q", "s").await;
    set_limit(lab, &arn, most).await;
    put(lab, "s", "poison").await;
    arn
}

kinesis_test!(
    a_record_becomes_dead_letter_when_its_last_receive_ends,
    |lab| async move {
        let arn = limited(&lab, Some(2)).await;
        for count in 1..=2 {
            let record = receive(&lab, &arn).await.remove(0);
            assert_eq!(record.count, count);
            nothing(&lab, Kind::Dead, &arn).await;
            lab.clock.advance(seconds(29)).await;
        }
        nothing(&lab, Kind::Normal, &arn).await;
        let first = receive_dead(&lab, &arn).await.remove(0);
        assert_eq!(
            (first.text.as_str(), first.count, first.first_ms),
            ("poison", 3, START_MS)
        );
        nothing(&lab, Kind::Dead, &arn).await;
        assert_eq!(
            set_visibility(&lab, Kind::Dead, &arn, &first, 0).await,
            None
        );
        let second = receive_dead(&lab, &arn).await.remove(0);
        assert_eq!(second.count, 4);
        let stale = Some(INVALID.to_owned());
        assert_eq!(try_restore(&lab, &arn, &first.handle).await, stale);
        assert_eq!(try_restore(&lab, &arn, &second.handle).await, None);
        for handle in [&first.handle, &second.handle] {
            assert_eq!(try_restore(&lab, &arn, handle).await, Some(GONE.to_owned()));
            let gone = try_acknowledge(&lab, Kind::Dead, &arn, handle).await;
            assert_eq!(gone, Some(GONE.to_owned()));
        }
        for count in 1..=2 {
            let record = receive(&lab, &arn).await.remove(0);
            assert_eq!((record.count, record.first_ms), (count, START_MS));
            lab.clock.advance(seconds(30)).await;
        }
        let dead = receive_dead(&lab, &arn).await.remove(0);
        assert_eq!(
            try_acknowledge(&lab, Kind::Dead, &arn, &dead.handle).await,
            None
        );
        assert_eq!(
            try_acknowledge(&lab, Kind::Dead, &arn, &dead.handle).await,
            None
        );
        assert_eq!(
            try_restore(&lab, &arn, &dead.handle).await,
            Some(GONE.to_owned())
        );
        lab.clock.advance(seconds(60)).await;
        nothing(&lab, Kind::Normal, &arn).await;
        nothing(&lab, Kind::Dead, &arn).await;
    }
);

wire_test!(
    acknowledging_during_the_last_delivery_prevents_it,
    |lab| async move {
        let arn = limited(&lab, Some(1)).await;
        let record = receive(&lab, &arn).await.remove(0);
        assert_eq!(
            try_acknowledge(&lab, Kind::Normal, &arn, &record.handle).await,
            None
        );
        lab.clock.advance(seconds(60)).await;
        nothing(&lab, Kind::Dead, &arn).await;
    }
);

wire_test!(
    a_normal_handle_of_a_dead_letter_record_is_good_for_nothing,
    |lab| async move {
        let arn = limited(&lab, Some(1)).await;
        let record = receive(&lab, &arn).await.remove(0);
        assert_eq!(
            set_visibility(&lab, Kind::Normal, &arn, &record, 0).await,
            None
        );
        let gone = Some(GONE.to_owned());
        assert_eq!(
            try_acknowledge(&lab, Kind::Normal, &arn, &record.handle).await,
            gone
        );
        assert_eq!(
            set_visibility(&lab, Kind::Normal, &arn, &record, 9).await,
            gone
        );
        let wrong = Some(INVALID.to_owned());
        assert_eq!(try_restore(&lab, &arn, &record.handle).await, wrong);
        let dead = receive_dead(&lab, &arn).await.remove(0);
        assert_eq!(
            try_acknowledge(&lab, Kind::Normal, &arn, &dead.handle).await,
            wrong
        );
        assert_eq!(
            set_visibility(&lab, Kind::Normal, &arn, &dead, 9).await,
            wrong
        );
        lab.clock.advance(seconds(30)).await;
        assert_eq!(
            set_visibility(&lab, Kind::Dead, &arn, &dead, 9).await,
            wrong,
            "not in flight"
        );
        assert_eq!(
            try_restore(&lab, &arn, &dead.handle).await,
            None,
            "though visible again"
        );
    }
);

wire_test!(
    without_a_dead_letter_target_records_come_again_and_again,
    |lab| async move {
        let arn = limited(&lab, None).await;
        put(&lab, "s", "fresh").await;
        let mut fresh = 0;
        for _ in 0..50 {
            let one = json!({"VisibilityTimeoutSeconds": 0});
            let records = receive_with(&lab, Kind::Normal, &arn, one).await;
            assert!(!records.is_empty());
            fresh += usize::from(texts(&records).contains("fresh"));
        }
        assert!(fresh > 1, "what always fails does not keep others back");
        nothing(&lab, Kind::Dead, &arn).await;
    }
);

wire_test!(
    a_changed_limit_counts_when_a_record_is_next_looked_at,
    |lab| async move {
        let arn = limited(&lab, None).await;
        let none = json!({"VisibilityTimeoutSeconds": 0});
        for _ in 0..3 {
            receive_with(&lab, Kind::Normal, &arn, none.clone()).await;
        }
        set_limit(&lab, &arn, Some(3)).await;
        nothing(&lab, Kind::Dead, &arn).await;
        nothing(&lab, Kind::Normal, &arn).await;
        let dead = receive_with(&lab, Kind::Dead, &arn, none).await.remove(0);
        assert_eq!(dead.count, 4);
        set_limit(&lab, &arn, None).await;
        nothing(&lab, Kind::Normal, &arn).await;
        let still = receive_dead(&lab, &arn).await.remove(0);
        assert_eq!(still.text, "poison", "it stays dead-letter");
    }
);
