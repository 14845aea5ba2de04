//! Tests with a destination that fails and works again later.

use super::bench::{Bench, Plan};
use crate::engine::channel::item::FlushError;
use crate::limits;
use crate::world::{FaultKind, FaultRule};

pub(super) const DOWN: &str = "the server is down";

#[tokio::test]
async fn the_records_are_kept_until_the_destination_comes_back() {
    let bench = Bench::start(Plan::default()).await;
    bench.memory.set_down(true);
    bench.put(["one"]).await;
    bench.advance_ms(300_000).await;
    let figures = bench.figures();
    assert_eq!(
        (figures.failed_attempts, figures.last_error.as_deref()),
        (1, Some(DOWN))
    );
    assert_eq!((figures.buffered, figures.lag_ms), (1, 300_000));
    // The delays between the delivery attempts double: 1, 2, 4, 8 and 16 seconds. Their sum is 31
    // seconds.
    bench.advance_ms(31_000).await;
    let figures = bench.figures();
    assert_eq!(figures.failed_attempts, 6);
    bench.put(["two"]).await;
    bench.memory.set_down(false);
    bench.advance_ms(limits::CHANNEL_RETRY_MOST_MS).await;
    assert_eq!(
        bench.memory.lines("records"),
        ["one"],
        "the saved plan is repeated"
    );
    bench.advance_ms(300_000).await;
    assert_eq!(bench.memory.lines("records"), ["one", "two"]);
    let figures = bench.figures();
    assert_eq!(figures.last_error, None);
    bench.stop().await;
}

#[tokio::test]
async fn a_flush_answers_the_failure_and_tries_at_once() {
    let bench = Bench::start(Plan::default()).await;
    bench.memory.set_down(true);
    bench.put(["one"]).await;
    for _ in 0..3 {
        let failed = FlushError::Failed(DOWN.to_owned());
        assert_eq!(bench.channel.flush().await, Err(failed));
    }
    bench.memory.set_down(false);
    bench.channel.flush().await.unwrap();
    assert_eq!(bench.memory.lines("records"), ["one"]);
    bench.stop().await;
}

#[tokio::test]
async fn a_fault_rule_fails_or_delays_an_object() {
    let bench = Bench::start(Plan::default()).await;
    let rule = |rule: FaultRule| bench.world.faults.replace(vec![rule], 1);
    rule(FaultRule {
        times: Some(2),
        ..FaultRule::of(FaultKind::DeliverObject)
    });
    bench.put(["one"]).await;
    bench.advance_ms(300_000 + 2_999).await;
    assert_eq!(bench.memory.puts(), []);
    bench.advance_ms(1).await;
    assert_eq!(bench.memory.lines("records"), ["one"]);
    rule(FaultRule {
        delay_ms: Some(5_000),
        times: Some(1),
        ..FaultRule::of(FaultKind::DeliverObject)
    });
    bench.put(["two"]).await;
    bench.advance_ms(304_999).await;
    assert_eq!(bench.memory.lines("records"), ["one"]);
    bench.advance_ms(1).await;
    assert_eq!(bench.memory.lines("records"), ["one", "two"]);
    bench.stop().await;
}

#[tokio::test]
async fn a_destination_that_never_answers_holds_the_clock_up_once() {
    let bench = Bench::start(Plan::default()).await;
    bench.memory.set_down(true);
    bench.put(["one"]).await;
    bench.advance_ms(300_000).await;
    bench.memory.set_down(false);
    bench.memory.set_silent(true);
    bench.advance_ms(3_600_000).await;
    assert_eq!(bench.memory.puts(), []);
    bench.memory.set_silent(false);
    bench.channel.flush().await.unwrap();
    assert_eq!(bench.memory.lines("records"), ["one"]);
    bench.stop().await;
}
