//! A queue in a snapshot.

use super::*;
use crate::lab::{Place, kinesis_test, seconds};
use crate::snapshots::{load, save};

kinesis_test!(a_queue_goes_on_in_another_emulator, |lab| async move {
    create_stream(&lab, "s").await;
    let arn = create_queue(&lab, "q", "s").await;
    put_many(&lab, "s", 0..5).await;
    assert_eq!(drain(&lab, &arn, 5).await, numbers(0..5));
    put_many(&lab, "s", 5..10).await;
    let mut in_flight = Vec::new();
    while in_flight.len() < 5 {
        in_flight.extend(receive(&lab, &arn).await);
    }
    put_many(&lab, "s", 10..15).await;
    let before = describe(&lab, &arn).await;
    let file = save(&lab).await;
    for place in [Place::Memory, Place::Disk] {
        let there = Lab::start(place, &[]).await;
        // The second load replaces the same queue.
        load(&there, &file).await;
        load(&there, &file).await;
        assert_eq!(describe(&there, &arn).await, before);
        acknowledge(&there, Kind::Normal, &arn, &in_flight[..2]).await;
        assert_eq!(drain(&there, &arn, 5).await, numbers(10..15));
        nothing(&there, Kind::Normal, &arn).await;
        there.clock.advance(seconds(30)).await;
        assert_eq!(drain(&there, &arn, 3).await, texts(&in_flight[2..]));
        put_many(&there, "s", 15..17).await;
        assert_eq!(drain(&there, &arn, 2).await, numbers(15..17));
        if there.restart().await {
            there.clock.advance(seconds(60)).await;
            nothing(&there, Kind::Normal, &arn).await;
        }
        there.stop().await;
    }
});

kinesis_test!(a_receive_that_waits_ends_at_a_load, |lab| async move {
    create_stream(&lab, "s").await;
    let arn = create_queue(&lab, "q", "s").await;
    let file = save(&lab).await;
    let waiting = async {
        let body = json!({"QueueARN": arn, "WaitTimeSeconds": 20}).to_string();
        lab.json("ReceiveQueueRecords", &body).await
    };
    let loading = async {
        until_waiting(&lab, 1).await;
        load(&lab, &file).await;
    };
    let both = async { tokio::join!(waiting, loading) };
    crate::lab::within("the receive to end", both).await;
    put_many(&lab, "s", 0..1).await;
    assert_eq!(drain(&lab, &arn, 1).await, numbers(0..1));
});
