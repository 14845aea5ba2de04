//! Channels from their creation to their deletion.

use super::*;
use crate::lab::{START_MS, kinesis_test, ms, until, wire_test};
use crate::readers::check_filters;

/// The description of a channel made by `to_bucket`, with all defaults.
fn bucket_description(name: &str, arn: &str, status: &str) -> Value {
    let id = arn.rsplit('/').next().unwrap();
    let created_s = (START_MS / 1000) as f64;
    let template = "kinesis-channel/!{channel-name}/!{channel-id}/!{yyyy}/!{MM}/!{dd}/!{HH}/\
        !{channel-name}-!{channel-id}-!{yyyy}-!{MM}-!{dd}-!{HH}-!{mm}!{extension}";
    json!({
        "ChannelName": name, "ChannelARN": arn, "ChannelId": id, "ChannelStatus": status,
        "ChannelCreationTimestamp": created_s,
        "ServiceExecutionRoleARN": format!("arn:aws:iam::{ACCOUNT}:role/deliver"),
        "StreamConfigurationList": [{
            "StreamARN": arn_of("s"), "StreamCreationTimestamp": created_s,
            "RecordConfiguration": {"RecordFormatType": "JSON"},
        }],
        "S3DestinationConfiguration": {
            "DataFreshnessInSeconds": 300,
            "DeadLetterQueueS3Configuration": {
                "BucketARN": "arn:aws:s3:::bucket", "ExpectedBucketOwner": ACCOUNT,
                "ErrorOutputPrefix": "kinesis-channel-errors/",
            },
            "StorageConfiguration": {
                "BucketARN": "arn:aws:s3:::bucket", "ExpectedBucketOwner": ACCOUNT,
                "CompressionType": "GZIP", "OutputKeyTemplate": template,
                "StorageClass": "STANDARD",
            },
        },
        "LoggingConfiguration": {"CloudWatchLogs": {"Enabled": false}},
    })
}

kinesis_test!(
    without_a_destination_a_channel_fails_and_names_the_setting,
    |lab| async move {
        create_stream(&lab, "s").await;
        let answer = ok_cbor(&lab, "CreateChannel", to_bucket("n", "s")).await;
        let channel = answer["ChannelDescription"].clone();
        let arn = channel["ChannelARN"].as_str().unwrap().to_owned();
        assert_eq!(channel, bucket_description("n", &arn, "CREATING"));
        let mut failed = bucket_description("n", &arn, "FAILED");
        failed["ChannelStatusReason"] = json!(NOTHING_FOR_S3);
        assert_eq!(describe(&lab, &arn).await, failed);
        let listed = ok(&lab, "ListChannels", json!({})).await;
        let summary = &listed["ChannelSummaries"][0];
        assert_eq!(summary["ChannelStatus"], "FAILED");
        assert_eq!(summary["ChannelStatusReason"], NOTHING_FOR_S3);
        let table = created(&lab, to_table("t", "s")).await;
        let reason = describe(&lab, &table).await["ChannelStatusReason"].take();
        let cause = match cfg!(feature = "streaming-tables") {
            true => "channels.s3tables.local_dir or channels.s3tables.rest_catalog",
            false => "built without the cargo feature streaming-tables",
        };
        assert!(reason.as_str().unwrap().contains(cause), "{reason}");
        let update = json!({
            "ChannelARN": arn, "S3DestinationConfiguration": {"DataFreshnessInSeconds": 400},
        });
        assert_eq!(
            refused(&lab, "UpdateChannel", update).await,
            format!(
                "ResourceInUseException: Channel n under account {ACCOUNT} not ACTIVE, instead in \
                 state FAILED"
            )
        );
        // The FAILED channel occupies its name and its place at the stream until its deletion.
        let again = refused(&lab, "CreateChannel", to_bucket("m", "s")).await;
        assert!(again.starts_with("LimitExceededException: "), "{again}");
        delete(&lab, &arn).await;
        gone(&lab, &arn).await;
        let second = created(&lab, to_bucket("n", "s")).await;
        assert_ne!(second, arn);
    }
);

#[test]
fn a_channel_is_created_updated_and_deleted_in_its_own_time() {
    on_shelf(&["--transition-ms", "500"], |lab, _| async move {
        create_stream(&lab, "s").await;
        lab.clock.advance(ms(500)).await;
        let arn = created(&lab, to_bucket("n", "s")).await;
        let prefix = format!("arn:aws:kinesis:{REGION}:{ACCOUNT}:channel/");
        assert_eq!(arn.strip_prefix(&prefix).unwrap().len(), 17);
        assert_eq!(status(&lab, &arn).await, "CREATING");
        assert_eq!(channel_count(&lab, "s").await, 1);
        lab.clock.advance(ms(500)).await;
        until("the channel to be ACTIVE", async || {
            (status(&lab, &arn).await == "ACTIVE").then_some(())
        })
        .await;
        let update = |freshness: u32| {
            json!({
                "ChannelARN": arn,
                "S3DestinationConfiguration": {"DataFreshnessInSeconds": freshness},
            })
        };
        let answer = ok_cbor(&lab, "UpdateChannel", update(900)).await;
        let updated = &answer["ChannelDescription"];
        assert_eq!(updated["ChannelStatus"], "UPDATING");
        assert_eq!(
            updated["S3DestinationConfiguration"]["DataFreshnessInSeconds"],
            900
        );
        assert_eq!(describe(&lab, &arn).await, *updated);
        assert_eq!(
            refused(&lab, "UpdateChannel", update(300)).await,
            format!(
                "ResourceInUseException: Channel n under account {ACCOUNT} not ACTIVE, instead in \
                 state UPDATING"
            )
        );
        lab.clock.advance(ms(500)).await;
        assert_eq!(status(&lab, &arn).await, "ACTIVE");
        delete(&lab, &arn).await;
        assert_eq!(status(&lab, &arn).await, "DELETING");
        delete(&lab, &arn).await;
        assert_eq!(channel_count(&lab, "s").await, 1);
        lab.clock.advance(ms(500)).await;
        gone(&lab, &arn).await;
        assert_eq!(channel_count(&lab, "s").await, 0);
    });
}

#[test]
fn each_transition_of_a_channel_has_a_delay_of_its_own() {
    let flags = [
        "--limit",
        "channel-create-ms=100,channel-update-ms=200,channel-delete-ms=300",
    ];
    on_shelf(&flags, |lab, _| async move {
        create_stream(&lab, "s").await;
        let arn = created(&lab, to_bucket("n", "s")).await;
        lab.clock.advance(ms(99)).await;
        assert_eq!(status(&lab, &arn).await, "CREATING");
        lab.clock.advance(ms(1)).await;
        until("the channel to be ACTIVE", async || {
            (status(&lab, &arn).await == "ACTIVE").then_some(())
        })
        .await;
        let log = json!({"CloudWatchLogs": {"Enabled": true}});
        let update = json!({"ChannelARN": arn, "LoggingConfiguration": log});
        ok(&lab, "UpdateChannel", update).await;
        lab.clock.advance(ms(199)).await;
        assert_eq!(status(&lab, &arn).await, "UPDATING");
        lab.clock.advance(ms(1)).await;
        assert_eq!(status(&lab, &arn).await, "ACTIVE");
        delete(&lab, &arn).await;
        lab.clock.advance(ms(299)).await;
        assert_eq!(status(&lab, &arn).await, "DELETING");
        lab.clock.advance(ms(1)).await;
        gone(&lab, &arn).await;
    });
}

#[test]
fn a_check_decides_between_active_and_failed() {
    on_shelf(&[], |lab, shelf| async move {
        create_stream(&lab, "s").await;
        let arn = created(&lab, to_bucket("n", "s")).await;
        assert_eq!(
            describe(&lab, &arn).await,
            bucket_description("n", &arn, "ACTIVE")
        );
        shelf.set_check(Err("The bucket errors does not exist."));
        let failed = created(&lab, to_table("t", "s")).await;
        let described = describe(&lab, &failed).await;
        assert_eq!(described["ChannelStatus"], "FAILED");
        assert_eq!(
            described["ChannelStatusReason"],
            "The bucket errors does not exist."
        );
        delete(&lab, &failed).await;
        let long = "x".repeat(3_000);
        shelf.set_check(Err(&long));
        let failed = created(&lab, to_table("t", "s")).await;
        let described = describe(&lab, &failed).await;
        assert_eq!(described["ChannelStatusReason"], long[..2_048]);
    });
}

#[test]
fn a_slow_check_leaves_a_channel_in_creating_and_a_deletion_wins() {
    on_shelf(&[], |lab, shelf| async move {
        create_stream(&lab, "s").await;
        shelf.is_open.send_replace(false);
        let kept = created(&lab, to_bucket("kept", "s")).await;
        let deleted = created(&lab, to_table("deleted", "s")).await;
        assert_eq!(status(&lab, &kept).await, "CREATING");
        delete(&lab, &deleted).await;
        gone(&lab, &deleted).await;
        shelf.is_open.send_replace(true);
        until("the channel to be ACTIVE", async || {
            (status(&lab, &kept).await == "ACTIVE").then_some(())
        })
        .await;
        gone(&lab, &deleted).await;
        assert_eq!(names(&lab, json!({})).await, ["kept"]);
    });
}

#[test]
fn a_table_and_all_settings_are_described() {
    on_shelf(&[], |lab, _| async move {
        create_stream(&lab, "s").await;
        let mut body = to_table("t", "s");
        body["EncryptionConfiguration"] = json!({"EncryptionType": "KMS", "KeyId": "alias/mine"});
        body["LoggingConfiguration"] =
            json!({"CloudWatchLogs": {"Enabled": true, "LogStreamName": "log"}});
        body["S3TablesDestinationConfiguration"]["DataFreshnessInSeconds"] = json!(600);
        let arn = created(&lab, body.clone()).await;
        let id = arn.rsplit('/').next().unwrap();
        let described = describe(&lab, &arn).await;
        for member in [
            "EncryptionConfiguration",
            "S3TablesDestinationConfiguration",
        ] {
            assert_eq!(described[member], body[member], "{member}");
        }
        assert_eq!(described.get("S3DestinationConfiguration"), None);
        assert_eq!(
            described["StreamConfigurationList"][0]["RecordConfiguration"],
            body["StreamConfigurationList"][0]["RecordConfiguration"]
        );
        let logs = json!({
            "Enabled": true, "LogGroupName": format!("/aws/kinesis/t/{id}"),
            "LogStreamName": "log",
        });
        assert_eq!(described["LoggingConfiguration"]["CloudWatchLogs"], logs);

        let mut body = to_bucket("n", "s");
        let storage = &mut body["S3DestinationConfiguration"]["StorageConfiguration"];
        storage["OutputKeyTemplate"] = json!("a/!{yyyy}-!{channel-id}!{extension}");
        storage["StorageClass"] = json!("GLACIER_IR");
        storage["CompressionType"] = json!("ZSTD");
        let dead_letters = json!({
            "BucketARN": "arn:aws:s3:::errors", "ExpectedBucketOwner": "111111111111",
            "ErrorOutputPrefix": "e/",
        });
        body["S3DestinationConfiguration"]["DeadLetterQueueS3Configuration"] = dead_letters;
        body["S3DestinationConfiguration"]["DataFreshnessInSeconds"] = json!(301);
        body["StreamConfigurationList"][0]["RecordConfiguration"]["RecordFormatType"] =
            json!("BYTE_ARRAY");
        let arn = created(&lab, body.clone()).await;
        let described = describe(&lab, &arn).await;
        let member = "S3DestinationConfiguration";
        assert_eq!(described[member], body[member]);
    });
}

#[test]
fn an_update_changes_only_what_it_names() {
    on_shelf(&[], |lab, _| async move {
        create_stream(&lab, "s").await;
        let arn = created(&lab, to_bucket("n", "s")).await;
        let update = async |block: &str, value: Value| {
            let mut body = json!({"ChannelARN": arn});
            body[block] = value;
            ok(&lab, "UpdateChannel", body).await;
            describe(&lab, &arn).await
        };
        let log = |logs: Value| json!({"CloudWatchLogs": logs});
        let given = json!({"Enabled": true, "LogGroupName": "g"});
        let described = update("LoggingConfiguration", log(given)).await;
        let logs = json!({
            "Enabled": true, "LogGroupName": "g", "LogStreamName": "DestinationDelivery",
        });
        assert_eq!(described["LoggingConfiguration"], log(logs.clone()));
        let freshness = json!({"DataFreshnessInSeconds": 333});
        let described = update("S3DestinationConfiguration", freshness).await;
        assert_eq!(described["LoggingConfiguration"], log(logs.clone()));
        assert_eq!(
            described["S3DestinationConfiguration"]["DataFreshnessInSeconds"],
            333
        );
        let off = json!({"Enabled": false});
        let described = update("LoggingConfiguration", log(off)).await;
        let mut expected = logs;
        expected["Enabled"] = json!(false);
        assert_eq!(described["LoggingConfiguration"], log(expected));
        assert_eq!(described["ChannelStatus"], "ACTIVE");
    });
}

wire_test!(channels_are_listed_by_name_page_by_page, |lab| async move {
    for stream in ["s", "t"] {
        create_stream(&lab, stream).await;
    }
    for body in [
        to_bucket("b", "s"),
        to_bucket("a", "t"),
        to_table("c", "s"),
        to_table("d", "t"),
    ] {
        ok(&lab, "CreateChannel", body).await;
    }
    assert_eq!(names(&lab, json!({})).await, ["a", "b", "c", "d"]);
    let of_t = json!([{"StreamARN": arn_of("t")}]);
    let filtered = json!({"MaxResults": 1, "StreamFilter": of_t});
    let page = ok_cbor(&lab, "ListChannels", filtered.clone()).await;
    let summary = &page["ChannelSummaries"][0];
    assert_eq!(summary["ChannelName"], "a");
    assert_eq!(summary["ChannelDestinationType"], "S3");
    let arn = summary["ChannelARN"].as_str().unwrap();
    assert!(arn.ends_with(summary["ChannelId"].as_str().unwrap()));
    let stream = json!([{
        "StreamARN": arn_of("t"), "StreamCreationTimestamp": (START_MS / 1000) as f64,
    }]);
    assert_eq!(summary["Streams"], stream);
    let mut next = filtered;
    next["NextToken"] = page["NextToken"].clone();
    let page = ok(&lab, "ListChannels", next.clone()).await;
    let last = &page["ChannelSummaries"][0];
    assert_eq!(last["ChannelName"], "d");
    assert_eq!(last["ChannelDestinationType"], "S3_TABLES");
    assert_eq!(page.get("NextToken"), None);
    let mut other = next.clone();
    other["StreamFilter"] = json!([{"StreamARN": arn_of("s")}]);
    let refusal = refused(&lab, "ListChannels", other).await;
    assert_eq!(refusal, "InvalidArgumentException: Invalid NextToken.");
    let queues = json!({"NextToken": next["NextToken"], "StreamFilter": next["StreamFilter"]});
    let refusal = refused(&lab, "ListQueues", queues).await;
    assert_eq!(refusal, "InvalidArgumentException: Invalid NextToken.");
    lab.clock.advance(ms(300_001)).await;
    let refusal = refused(&lab, "ListChannels", next).await;
    assert!(
        refusal.starts_with("ExpiredNextTokenException: "),
        "{refusal}"
    );
    check_filters(async |body| names(&lab, body).await, 2).await;
});

#[test]
fn a_stream_with_a_channel_stays_and_stays_on_demand() {
    on_shelf(&[], |lab, shelf| async move {
        create_stream(&lab, "s").await;
        let has_channels = format!(
            "ResourceInUseException: Stream s under account {ACCOUNT} has channels. Delete them \
             first."
        );
        let mode = json!({
            "StreamARN": arn_of("s"), "StreamModeDetails": {"StreamMode": "PROVISIONED"},
        });
        let arn = created(&lab, to_bucket("n", "s")).await;
        for enforce in [false, true] {
            let body = json!({"StreamName": "s", "EnforceConsumerDeletion": enforce});
            assert_eq!(refused(&lab, "DeleteStream", body).await, has_channels);
        }
        let refusal = refused(&lab, "UpdateStreamMode", mode.clone()).await;
        assert_eq!(refusal, has_channels);
        let limits = ok(&lab, "DescribeLimits", json!({})).await;
        assert_eq!(limits["ChannelCount"], 1);
        assert_eq!(limits["ChannelCountLimit"], 100);
        delete(&lab, &arn).await;
        // A FAILED channel prevents neither change, and is deleted with its stream.
        shelf.set_check(Err("no bucket"));
        let failed = created(&lab, to_bucket("n", "s")).await;
        assert_eq!(channel_count(&lab, "s").await, 1);
        ok(&lab, "UpdateStreamMode", mode).await;
        ok(&lab, "DeleteStream", json!({"StreamName": "s"})).await;
        gone(&lab, &failed).await;
        assert_eq!(names(&lab, json!({})).await.len(), 0);
        let limits = ok(&lab, "DescribeLimits", json!({})).await;
        assert_eq!(limits["ChannelCount"], 0);
    });
}

#[test]
fn a_channel_in_transition_holds_its_stream() {
    on_shelf(
        &["--limit", "channel-create-ms=500,channel-delete-ms=500"],
        |lab, _| async move {
            create_stream(&lab, "s").await;
            let arn = created(&lab, to_bucket("n", "s")).await;
            let stream = json!({"StreamName": "s"});
            let creating = refused(&lab, "DeleteStream", stream.clone()).await;
            assert!(creating.contains("has channels"), "{creating}");
            delete(&lab, &arn).await;
            let deleting = refused(&lab, "DeleteStream", stream.clone()).await;
            assert_eq!(deleting, creating);
            lab.clock.advance(ms(500)).await;
            ok(&lab, "DeleteStream", stream).await;
        },
    );
}
