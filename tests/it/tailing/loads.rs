//! Tails that continue after the load of a snapshot.

use super::{Event, Tail, split};
use crate::lab::{Lab, Place, SHARD_0, Stream, kinesis_test, wire_test};
use crate::snapshots::{load, save};

kinesis_test!(a_tail_goes_on_after_a_load, |lab| async move {
    let stream = lab.stream("orders").create().await;
    stream.put("k", "one").await;
    let file = save(&lab).await;
    stream.put("k", "lost").await;
    let mut tail = Tail::begin(&lab, "?from=trim_horizon", None).await;
    assert_eq!(tail.texts(2).await, ["one", "lost"]);
    for text in ["two", "three"] {
        load(&lab, &file).await;
        assert_eq!(tail.next().await, Event::Closed, "without an end");
        Stream::existing(&lab, "orders").put("k", text).await;
        tail = Tail::begin(&lab, "", Some(tail.id())).await;
        assert_eq!(tail.texts(1).await, [text]);
    }
});

wire_test!(
    a_tail_ends_if_the_snapshot_has_no_such_stream,
    |lab| async move {
        let empty = save(&lab).await;
        lab.stream("orders").create().await;
        let mut tail = Tail::begin(&lab, "", None).await;
        load(&lab, &empty).await;
        let end = Event::End("the stream was deleted".to_owned());
        assert_eq!(tail.next().await, end);
    }
);

wire_test!(
    a_tail_restarts_in_another_stream_of_the_same_name,
    |lab| async move {
        let there = Lab::start(Place::Memory, &[]).await;
        let other = there.stream("orders").create().await;
        other.put("k", "other").await;
        let file = save(&there).await;
        there.stop().await;
        let stream = lab.stream("orders").create().await;
        let mut tail = Tail::begin(&lab, "?from=trim_horizon", None).await;
        for text in ["one", "two"] {
            stream.put("k", text).await;
            assert_eq!(tail.texts(1).await, [text]);
        }
        load(&lab, &file).await;
        assert_eq!(tail.next().await, Event::Closed);
        let mut tail = Tail::begin(&lab, "", Some(tail.id())).await;
        assert_eq!(tail.next().await, Event::Restarted);
        assert_eq!(tail.texts(1).await, ["other"]);
    }
);

wire_test!(
    a_tail_restarts_in_a_snapshot_from_before_a_split,
    ["--profile", "fast"],
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        stream.put("k", "one").await;
        let file = save(&lab).await;
        split(&stream, SHARD_0).await;
        stream.put("k", "lost").await;
        let mut tail = Tail::begin(&lab, "?from=trim_horizon", None).await;
        assert_eq!(tail.texts(2).await, ["one", "lost"]);
        load(&lab, &file).await;
        let mut tail = Tail::begin(&lab, "", Some(tail.id())).await;
        assert_eq!(tail.next().await, Event::Restarted);
        Stream::existing(&lab, "orders").put("k", "two").await;
        assert_eq!(tail.texts(2).await, ["one", "two"]);
    }
);
