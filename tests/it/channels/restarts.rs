//! Channels after a restart.

use super::*;
use crate::lab::{Stream, ms, until};
use crate::looking::own;

/// Runs a test on disk, with destinations whose checks the test sets.
fn on_disk<F: Future<Output = ()>>(flags: &[&str], test: impl FnOnce(Lab, Arc<Shelf>) -> F) {
    block_on(async {
        let shelf = Shelf::new();
        let lab = Lab::start_to(Place::Disk, flags, shelf.clone()).await;
        test(lab.clone(), shelf).await;
        lab.stop().await;
    });
}

#[test]
fn a_channel_goes_on_as_it_was() {
    on_disk(&[], |lab, shelf| async move {
        create_stream(&lab, "s").await;
        let mut body = to_bucket("n", "s");
        body["Tags"] = json!({"team": "blue"});
        let active = created(&lab, body).await;
        let update = json!({
            "ChannelARN": active, "S3DestinationConfiguration": {"DataFreshnessInSeconds": 450},
        });
        ok(&lab, "UpdateChannel", update).await;
        shelf.set_check(Err("no such table bucket"));
        let failed = created(&lab, to_table("t", "s")).await;
        let before = [describe(&lab, &active).await, describe(&lab, &failed).await];
        assert_eq!(before[0]["ChannelStatus"], "ACTIVE");
        assert_eq!(before[1]["ChannelStatusReason"], "no such table bucket");
        for _ in 0..2 {
            assert!(lab.restart().await);
            let after = [describe(&lab, &active).await, describe(&lab, &failed).await];
            assert_eq!(after, before);
        }
        let tags = ok(&lab, "ListTagsForResource", json!({"ResourceARN": active})).await;
        assert_eq!(tags["Tags"], json!([{"Key": "team", "Value": "blue"}]));
        assert_eq!(channel_count(&lab, "s").await, 2);
        let refusal = refused(&lab, "DeleteStream", json!({"StreamName": "s"})).await;
        assert!(refusal.contains("has channels"), "{refusal}");
        delete(&lab, &active).await;
        ok(&lab, "DeleteStream", json!({"StreamName": "s"})).await;
        assert!(lab.restart().await);
        gone(&lab, &active).await;
        gone(&lab, &failed).await;
        let left = lab.left().await;
        assert!(left.channels.is_empty() && left.channel_positions.is_empty());
    });
}

#[test]
fn a_transition_that_a_stop_interrupts_goes_on() {
    on_disk(&["--transition-ms", "500"], |lab, _| async move {
        create_stream(&lab, "s").await;
        lab.clock.advance(ms(500)).await;
        let arn = created(&lab, to_bucket("n", "s")).await;
        assert!(lab.restart().await);
        assert_eq!(status(&lab, &arn).await, "CREATING");
        lab.clock.advance(ms(500)).await;
        until("the channel to be ACTIVE", async || {
            (status(&lab, &arn).await == "ACTIVE").then_some(())
        })
        .await;
        delete(&lab, &arn).await;
        assert!(lab.restart().await);
        assert_eq!(status(&lab, &arn).await, "DELETING");
        lab.clock.advance(ms(500)).await;
        gone(&lab, &arn).await;
        assert!(lab.restart().await);
        gone(&lab, &arn).await;
    });
}

#[test]
fn a_check_that_a_stop_interrupts_is_made_again() {
    on_disk(&[], |lab, shelf| async move {
        create_stream(&lab, "s").await;
        shelf.is_open.send_replace(false);
        let arn = created(&lab, to_bucket("n", "s")).await;
        assert_eq!(status(&lab, &arn).await, "CREATING");
        // The stop does not wait for the check.
        let restarted = tokio::time::timeout(crate::lab::seconds(8), lab.restart());
        assert!(restarted.await.unwrap());
        assert_eq!(status(&lab, &arn).await, "CREATING");
        shelf.is_open.send_replace(true);
        until("the channel to be ACTIVE", async || {
            (status(&lab, &arn).await == "ACTIVE").then_some(())
        })
        .await;
    });
}

#[test]
fn the_positions_are_those_of_the_moment_of_the_activation() {
    on_disk(&[], |lab, _| async move {
        create_stream(&lab, "s").await;
        let put = json!({"StreamName": "s", "PartitionKey": "k", "Data": "MQ=="});
        let placed = ok(&lab, "PutRecord", put.clone()).await;
        created(&lab, to_bucket("n", "s")).await;
        ok(&lab, "PutRecord", put).await;
        let left = lab.left().await;
        let shard = placed["ShardId"].as_str().unwrap();
        let index: u32 = shard.strip_prefix("shardId-").unwrap().parse().unwrap();
        assert_eq!(left.channel_positions.len(), 4, "one for each shard");
        for ((_, shard), position) in &left.channel_positions {
            assert!(!position.finished && position.planned.is_none());
            let is_past = position.next > left_first(&left.channel_positions);
            assert_eq!(*shard == index, is_past, "{position:?}");
        }
    });
}

#[test]
fn a_destination_that_is_missing_after_a_restart_is_the_last_error() {
    on_disk(
        &["--channels-flush-interval-ms", "1000"],
        |lab, shelf| async move {
            create_stream(&lab, "s").await;
            let arn = created(&lab, to_bucket("n", "s")).await;
            shelf.set_check(Err("no such bucket"));
            assert!(lab.restart().await);
            let last_error = async || {
                let (_, document) = own(&lab, "GET", "channels", "").await;
                let channel = &document["channels"][0];
                assert_eq!(channel["ChannelStatus"], "ACTIVE");
                channel["LastError"].as_str().map(str::to_owned)
            };
            let error = until("the check of the destination", last_error).await;
            assert_eq!(error, "no such bucket");
            // The channel delivers the records as soon as the destination accepts them.
            Stream::existing(&lab, "s").put("k", "{}").await;
            lab.clock.advance(ms(1000)).await;
            until("the delivery", async || {
                (shelf.puts().len() == 1).then_some(())
            })
            .await;
            assert_eq!(last_error().await, None);
            assert_eq!(status(&lab, &arn).await, "ACTIVE");
        },
    );
}

/// The smallest index of the channel's positions.
fn left_first(
    positions: &std::collections::BTreeMap<
        (u64, u32),
        minikin::internals::model::channel::ChannelPosition,
    >,
) -> u64 {
    let next = positions.values().map(|position| position.next);
    next.min().unwrap()
}
