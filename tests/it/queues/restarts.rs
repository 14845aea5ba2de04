//! Queues after a restart.

use super::looking::counts;
use super::*;
use crate::lab::{Place, START_MS, ms, run, seconds};

/// Runs a test on disk.
macro_rules! disk_test {
    ($name:ident, [$($flag:expr),*], $test:expr) => {
        #[test]
        fn $name() {
            run(Place::Disk, &[$($flag),*], $test);
        }
    };
}

async fn restart(lab: &Lab) {
    let before = lab.clock.now_ms();
    assert!(lab.restart().await);
    let behind = u64::try_from(before - lab.clock.now_ms()).unwrap();
    lab.clock.advance(ms(behind)).await;
}

disk_test!(a_queue_goes_on_where_it_stood, [], |lab| async move {
    create_stream(&lab, "s").await;
    let mut body = queue_at("q", "s", "TRIM_HORIZON");
    body["Tags"] = json!({"team": "blue"});
    let arn = created(&lab, body).await;
    let (settled, held, unread) = (0..10, 10..20, 20..30);
    put_many(&lab, "s", settled.clone()).await;
    assert_eq!(drain(&lab, &arn, 10).await, numbers(settled));
    put_many(&lab, "s", held.clone()).await;
    let mut in_flight = Vec::new();
    while in_flight.len() < 10 {
        in_flight.extend(receive(&lab, &arn).await);
    }
    put_many(&lab, "s", unread.clone()).await;
    let before = describe(&lab, &arn).await;
    for _ in 0..2 {
        restart(&lab).await;
        assert_eq!(describe(&lab, &arn).await, before);
    }
    let tags = ok(&lab, "ListTagsForResource", json!({"ResourceARN": arn})).await;
    assert_eq!(tags["Tags"], json!([{"Key": "team", "Value": "blue"}]));
    acknowledge(&lab, Kind::Normal, &arn, &in_flight[..5]).await;
    assert_eq!(drain(&lab, &arn, 10).await, numbers(unread));
    nothing(&lab, Kind::Normal, &arn).await;
    restart(&lab).await;
    lab.clock.advance(seconds(30)).await;
    let again = drain(&lab, &arn, 5).await;
    assert_eq!(again, texts(&in_flight[5..]));
    restart(&lab).await;
    lab.clock.advance(seconds(60)).await;
    nothing(&lab, Kind::Normal, &arn).await;
    nothing(&lab, Kind::Dead, &arn).await;
});

disk_test!(
    dead_letter_records_survive_with_their_counts,
    [],
    |lab| async move {
        create_stream(&lab, "s").await;
        let arn = create_queue(&lab, "q", "s").await;
        set_limit(&lab, &arn, Some(2)).await;
        put(&lab, "s", "poison").await;
        for count in 1..=2 {
            let record = receive(&lab, &arn).await.remove(0);
            assert_eq!(record.count, count);
            restart(&lab).await;
            lab.clock.advance(seconds(30)).await;
        }
        nothing(&lab, Kind::Normal, &arn).await;
        let dead = receive_dead(&lab, &arn).await.remove(0);
        assert_eq!(dead.count, 3);
        set_limit(&lab, &arn, None).await;
        restart(&lab).await;
        lab.clock.advance(seconds(30)).await;
        nothing(&lab, Kind::Normal, &arn).await;
        let dead = receive_dead(&lab, &arn).await.remove(0);
        assert_eq!(try_restore(&lab, &arn, &dead.handle).await, None);
        restart(&lab).await;
        assert_eq!(receive(&lab, &arn).await[0].count, 1);
    }
);

disk_test!(
    a_lowered_limit_does_not_count_for_records_that_are_visible,
    [],
    |lab| async move {
        create_stream(&lab, "s").await;
        let arn = create_queue(&lab, "q", "s").await;
        set_limit(&lab, &arn, Some(5)).await;
        put(&lab, "s", "a").await;
        let quick = json!({"VisibilityTimeoutSeconds": 0});
        let mut newest = Vec::new();
        for _ in 0..3 {
            newest = receive_with(&lab, Kind::Normal, &arn, quick.clone()).await;
        }
        set_limit(&lab, &arn, Some(2)).await;
        for _ in 0..2 {
            assert_eq!(counts(&lab).await, [1, 0, 0]);
            restart(&lab).await;
        }
        acknowledge(&lab, Kind::Normal, &arn, &newest).await;
        nothing(&lab, Kind::Dead, &arn).await;
    }
);

disk_test!(
    records_that_did_not_fit_in_an_answer_stay_visible,
    ["--limit", "shard-write-bytes=off"],
    |lab| async move {
        let arn = queue_with_large_records(&lab).await;
        let short = json!({"VisibilityTimeoutSeconds": 1});
        for _ in 0..3 {
            let records = receive_with(&lab, Kind::Normal, &arn, short.clone()).await;
            assert_eq!(records.len(), 1);
        }
        lab.clock.advance(seconds(1)).await;
        let long = json!({"VisibilityTimeoutSeconds": 43_200});
        let held = receive_with(&lab, Kind::Normal, &arn, long).await;
        assert_eq!(held.len(), 1);
        for _ in 0..2 {
            assert_eq!(counts(&lab).await, [2, 1, 0]);
            restart(&lab).await;
        }
        let rest = receive(&lab, &arn).await;
        assert_eq!(rest[0].count, 2);
    }
);

disk_test!(
    states_end_after_a_restart,
    ["--transition-ms", "500"],
    |lab| async move {
        create_stream(&lab, "s").await;
        lab.clock.advance(ms(500)).await;
        let leaving = create_queue(&lab, "leaving", "s").await;
        lab.clock.advance(ms(500)).await;
        let coming = create_queue(&lab, "coming", "s").await;
        ok(&lab, "DeleteQueue", json!({"QueueARN": leaving})).await;
        lab.clock.advance(ms(200)).await;
        restart(&lab).await;
        assert_eq!(describe(&lab, &coming).await["QueueStatus"], "CREATING");
        assert_eq!(describe(&lab, &leaving).await["QueueStatus"], "DELETING");
        lab.clock.advance(ms(300)).await;
        assert_eq!(describe(&lab, &coming).await["QueueStatus"], "ACTIVE");
        let refusal = refused(&lab, "DescribeQueue", json!({"QueueARN": leaving})).await;
        assert!(refusal.starts_with("ResourceNotFoundException: "));
        restart(&lab).await;
        let listed = ok(&lab, "ListQueues", json!({})).await;
        assert_eq!(listed["QueueSummaries"].as_array().unwrap().len(), 1);
    }
);

disk_test!(nothing_of_a_deleted_queue_is_left, [], |lab| async move {
    create_stream(&lab, "s").await;
    let arn = create_queue(&lab, "q", "s").await;
    put(&lab, "s", "a").await;
    drain(&lab, &arn, 1).await;
    ok(&lab, "DeleteQueue", json!({"QueueARN": arn})).await;
    assert!(lab.left().await.queues.is_empty());
});

disk_test!(a_long_journal_is_listed_anew, [], |lab| async move {
    create_stream(&lab, "s").await;
    let arn = create_queue(&lab, "q", "s").await;
    set_limit(&lab, &arn, None).await;
    put_many(&lab, "s", 0..40).await;
    // Each receive of ten records adds more than a hundred bytes to the journal.
    for _ in 0..1_500 {
        let quick = json!({"VisibilityTimeoutSeconds": 0});
        assert!(
            !receive_with(&lab, Kind::Normal, &arn, quick)
                .await
                .is_empty()
        );
    }
    restart(&lab).await;
    let mut counts = 0;
    let mut seen = BTreeSet::new();
    while seen.len() < 40 {
        let records = receive(&lab, &arn).await;
        counts += records.iter().map(|record| record.count - 1).sum::<u64>();
        seen.extend(texts(&records));
        acknowledge(&lab, Kind::Normal, &arn, &records).await;
    }
    assert!(
        counts > 10_000,
        "the receives before the restart count: {counts}"
    );
    restart(&lab).await;
    nothing(&lab, Kind::Normal, &arn).await;
});

/// Runs `kept` on a data directory, and then `lost` on a copy of the directory. Returns the result
/// of `lost` and an emulator on the original directory. For this emulator, a crash has lost the
/// work of `lost`.
async fn after_a_loss<T>(
    kept: impl AsyncFnOnce(&Lab),
    lost: impl AsyncFnOnce(&Lab) -> T,
) -> (T, Lab, tempfile::TempDir) {
    let open = async |home: &tempfile::TempDir| {
        let flags = ["--data-dir", home.path().to_str().unwrap()];
        Lab::start(Place::Memory, &flags).await
    };
    let home = tempfile::TempDir::new().unwrap();
    let lab = open(&home).await;
    kept(&lab).await;
    lab.stop().await;
    let copy = crate::lab::copied(home.path());
    let lab = open(&copy).await;
    let result = lost(&lab).await;
    lab.stop().await;
    // Start an emulator once in between, so that the returned emulator has higher delivery numbers
    // than the one that ran `lost`.
    open(&home).await.stop().await;
    (result, open(&home).await, home)
}

/// The ARN of the only queue.
async fn only_queue(lab: &Lab) -> String {
    let listed = ok(lab, "ListQueues", json!({})).await;
    let arn = listed["QueueSummaries"][0]["QueueARN"].as_str();
    arn.unwrap().to_owned()
}

#[test]
fn records_settled_ahead_after_a_crash_are_not_counted() {
    crate::lab::block_on(async {
        let kept = async |lab: &Lab| {
            create_stream(lab, "s").await;
            let arn = create_queue(lab, "q", "s").await;
            put_many(lab, "s", 0..13).await;
            let held = json!({"Limit": 3, "VisibilityTimeoutSeconds": 43_200});
            let held = receive_with(lab, Kind::Normal, &arn, held).await;
            assert_eq!(held.len(), 3);
        };
        let lost = async |lab: &Lab| {
            let arn = only_queue(lab).await;
            let mut received = Vec::new();
            while received.len() < 10 {
                received.extend(receive(lab, &arn).await);
            }
            received
        };
        let (received, lab, _home) = after_a_loss(kept, lost).await;
        let arn = only_queue(&lab).await;
        acknowledge(&lab, Kind::Normal, &arn, &received[..5]).await;
        assert_eq!(counts(&lab).await, [5, 3, 0]);
        let held = set_visibility(&lab, Kind::Normal, &arn, &received[5], 60).await;
        assert_eq!(held, None);
        assert_eq!(counts(&lab).await, [4, 4, 0]);
        assert_eq!(drain(&lab, &arn, 4).await, texts(&received[6..]));
        assert_eq!(counts(&lab).await, [0, 4, 0]);
        // The receive of the record in flight was lost. The record expires like the others.
        put(&lab, "s", "late").await;
        lab.clock.advance(crate::lab::hours(24)).await;
        assert_eq!(counts(&lab).await, [0, 0, 0]);
        lab.stop().await;
    });
}

#[test]
fn handles_of_expired_records_are_refused_after_their_receives_were_lost() {
    crate::lab::block_on(async {
        let kept = async |lab: &Lab| {
            create_stream(lab, "s").await;
            let arn = create_queue(lab, "q", "s").await;
            set_limit(lab, &arn, Some(1)).await;
            put_many(lab, "s", 0..3).await;
            lab.clock.advance(crate::lab::hours(1)).await;
            put_many(lab, "s", 3..6).await;
        };
        let lost = async |lab: &Lab| {
            let arn = only_queue(lab).await;
            let mut received = Vec::new();
            while received.len() < 6 {
                received.extend(receive(lab, &arn).await);
            }
            lab.clock.advance(seconds(30)).await;
            let mut dead = Vec::new();
            while dead.len() < 6 {
                dead.extend(receive_dead(lab, &arn).await);
            }
            received.sort_by(|one, two| one.text.cmp(&two.text));
            dead.sort_by(|one, two| one.text.cmp(&two.text));
            (received, dead)
        };
        let ((received, dead), lab, _home) = after_a_loss(kept, lost).await;
        let arn = only_queue(&lab).await;
        // The first three records have expired. The others have not.
        let expiry_ms = START_MS + 24 * 3_600_000;
        let left_ms = u64::try_from(expiry_ms - lab.clock.now_ms()).unwrap();
        lab.clock.advance(ms(left_ms)).await;
        let gone = Some("ResourceNotFoundException".to_owned());
        for (record, dead) in received.iter().zip(&dead).take(3) {
            let answers = [
                try_acknowledge(&lab, Kind::Normal, &arn, &record.handle).await,
                set_visibility(&lab, Kind::Normal, &arn, record, 60).await,
                try_acknowledge(&lab, Kind::Dead, &arn, &dead.handle).await,
                set_visibility(&lab, Kind::Dead, &arn, dead, 60).await,
                try_restore(&lab, &arn, &dead.handle).await,
            ];
            assert!(answers.iter().all(|answer| *answer == gone), "{answers:?}");
        }
        let wrong = try_acknowledge(&lab, Kind::Normal, &arn, &dead[0].handle).await;
        assert_eq!(wrong.as_deref(), Some("InvalidArgumentException"));
        assert_eq!(counts(&lab).await, [3, 0, 0]);
        for record in &received[3..5] {
            let answer = try_acknowledge(&lab, Kind::Normal, &arn, &record.handle).await;
            assert_eq!(answer, None);
        }
        assert_eq!(try_restore(&lab, &arn, &dead[5].handle).await, None);
        assert_eq!(drain(&lab, &arn, 1).await, texts(&received[5..]));
        nothing(&lab, Kind::Normal, &arn).await;
        lab.stop().await;
    });
}

#[test]
fn a_dead_letter_handle_outlives_the_loss_of_its_receive() {
    crate::lab::block_on(async {
        let at_once = json!({"VisibilityTimeoutSeconds": 0});
        let kept = async |lab: &Lab| {
            create_stream(lab, "s").await;
            let arn = create_queue(lab, "q", "s").await;
            set_limit(lab, &arn, Some(2)).await;
            for text in ["a", "b", "c"] {
                put(lab, "s", text).await;
            }
            let mut seen = BTreeSet::new();
            while seen.len() < 3 {
                let short = json!({"VisibilityTimeoutSeconds": 1});
                seen.extend(texts(&receive_with(lab, Kind::Normal, &arn, short).await));
            }
        };
        let lost = async |lab: &Lab| {
            lab.clock.advance(seconds(1)).await;
            let arn = only_queue(lab).await;
            let again = receive_with(lab, Kind::Normal, &arn, at_once.clone()).await;
            assert_eq!((again.len(), again[0].count), (3, 2));
            receive_dead(lab, &arn).await
        };
        let (dead, lab, _home) = after_a_loss(kept, lost).await;
        lab.clock.advance(seconds(1)).await;
        assert_eq!(dead.len(), 3);
        let arn = only_queue(&lab).await;
        assert_eq!(counts(&lab).await, [3, 0, 0]);
        acknowledge(&lab, Kind::Dead, &arn, &dead[..1]).await;
        let held = set_visibility(&lab, Kind::Dead, &arn, &dead[1], 60).await;
        assert_eq!(held, None);
        assert_eq!(counts(&lab).await, [1, 0, 1]);
        assert_eq!(try_restore(&lab, &arn, &dead[2].handle).await, None);
        let restored = receive(&lab, &arn).await;
        assert_eq!(texts(&restored), texts(&dead[2..]));
        assert_eq!(restored[0].count, 1);
        nothing(&lab, Kind::Normal, &arn).await;
        nothing(&lab, Kind::Dead, &arn).await;
        lab.stop().await;
    });
}
