//! Cases 61 to 64: waiting until nothing is left to do, and what idle mappings cost.

use super::bench::{Say, bench, bench_with};
use crate::lab::{Place, hours};
use minikin::internals::engine::event_source::{DrainError, DrainRequest};
use serde_json::json;
use std::time::Duration;

#[test]
fn case_61_a_drain_moves_the_clock_through_all_waits() {
    bench(
        |_, number| if number <= 30 { Say::Fail } else { Say::ok() },
        |bench| async move {
            bench.map(json!({ "MaximumRetryAttempts": 30 }));
            bench.put("a").await;
            bench.drain().await;
            assert_eq!(bench.script.seen().len(), 31);
            let doubled: i64 = (0..9).map(|doubling| 200 << doubling).sum();
            let waited = bench.lab.clock.now_ms() - crate::lab::START_MS;
            assert_eq!(waited, doubled + 21 * 60_000);
        },
    );
}

#[test]
fn case_62_a_drain_ends_with_what_is_left() {
    bench(
        |_, _| Say::Hold(Box::new(Say::ok())),
        |bench| async move {
            let mapping = bench.map(json!({}));
            bench.put("a").await;
            bench.until_seen(1).await;
            let request = DrainRequest {
                timeout: Duration::from_millis(50),
                advance: true,
                ..DrainRequest::default()
            };
            let sources = bench.lab.event_sources();
            let Err(DrainError::TimedOut(left)) = sources.drain(Some(&mapping), request).await
            else {
                panic!("the function holds its answer");
            };
            assert_eq!(left.len(), 1);
            assert!(
                left[0].what.contains(&bench.script.seen()[0].id),
                "{left:?}"
            );
            bench.script.release();
            bench.drain().await;
        },
    );
}

#[test]
fn case_63_a_drain_that_only_lacks_time_says_so() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            bench.map(json!({ "MaximumBatchingWindowInSeconds": 5 }));
            bench.put("a").await;
            let sources = bench.lab.event_sources();
            let Err(DrainError::NeedsTime(left)) =
                sources.drain(None, DrainRequest::default()).await
            else {
                panic!("the window is open");
            };
            let deadline = left[0].deadline.unwrap().millis();
            assert_eq!(deadline, crate::lab::START_MS + 5_000);
        },
    );
}

#[test]
fn case_64_an_idle_mapping_wakes_for_nothing() {
    bench_with(
        Place::Memory,
        &[],
        100,
        |_, _| Say::ok(),
        |bench| async move {
            let mapping = bench.map(json!({}));
            bench.put("a").await;
            bench.drain().await;
            let before = mapping.events(0, usize::MAX).len();
            bench.lab.clock.advance(hours(24)).await;
            let shards = mapping.shards();
            assert!(shards.len() == 100 && shards.values().all(|shard| shard.turns <= 4));
            assert_eq!(mapping.events(0, usize::MAX).len(), before);
        },
    );
}
