//! Our own paths about channels, and the metrics.

use super::*;
use crate::lab::{Request, wire_test};
use crate::looking::own;

async fn get(lab: &Lab, path: &str) -> Value {
    let (status, document) = own(lab, "GET", path, "").await;
    assert_eq!(status, 200, "{path}: {document}");
    document
}

async fn metrics(lab: &Lab) -> String {
    let answer = lab.send(&Request::bare("GET", "/_minikin/metrics")).await;
    assert_eq!(answer.status, 200);
    answer.text()
}

wire_test!(channels_are_shown_with_their_status, |lab| async move {
    create_stream(&lab, "s").await;
    assert!(!metrics(&lab).await.contains("minikin_channel_"));
    let arn = created(&lab, to_bucket("n", "s")).await;
    let listed = get(&lab, "channels").await;
    let [channel] = &listed["channels"].as_array().unwrap()[..] else {
        panic!("{listed}");
    };
    let expected = json!({
        "ChannelName": "n",
        "ChannelARN": arn,
        "ChannelId": arn.rsplit('/').next().unwrap(),
        "ChannelStatus": "FAILED",
        "ChannelStatusReason": NOTHING_FOR_S3,
        "ChannelDestinationType": "S3",
        "StreamName": "s",
        "StreamARN": arn_of("s"),
        "Account": ACCOUNT,
        "Region": REGION,
        "DataFreshnessInSeconds": 300,
        "BufferedRecords": 0,
        "FreshnessLagMs": 0,
        "DeliveredRecords": 0,
        "DeliveredObjects": 0,
        "DeliveredBytes": 0,
        "FailedRecords": 0,
        "ExpiredRecords": 0,
        "FailedAttempts": 0,
        "LastError": null,
    });
    assert_eq!(*channel, expected);
    let elsewhere = get(&lab, "channels?region=eu-west-1").await;
    assert_eq!(elsewhere, json!({"channels": []}));
    let streams = get(&lab, "streams").await;
    let stream = &streams["streams"][0];
    assert_eq!(stream["ChannelCount"], 1);
    let of_stream = json!([{
        "ChannelName": "n", "ChannelStatus": "FAILED", "BufferedRecords": 0,
        "DeliveredRecords": 0,
    }]);
    assert_eq!(stream["Channels"], of_stream);
    let text = metrics(&lab).await;
    let labels = r#"{channel_name="n",stream_name="s"}"#;
    for name in [
        "delivered_records_total",
        "delivered_objects_total",
        "delivered_bytes_total",
        "failed_records_total",
        "expired_records_total",
        "failed_attempts_total",
        "buffered_records",
        "freshness_lag_milliseconds",
    ] {
        let line = format!("minikin_channel_{name}{labels} 0\n");
        assert!(text.contains(&line), "{line}: {text}");
    }
});

wire_test!(only_a_channel_that_delivers_is_flushed, |lab| async move {
    create_stream(&lab, "s").await;
    let arn = created(&lab, to_bucket("n", "s")).await;
    for (method, path, status, text) in [
        (
            "POST",
            "channels/n/flush".to_owned(),
            409,
            "the channel is in status FAILED and does not deliver",
        ),
        (
            "POST",
            format!("channels/{arn}/flush"),
            409,
            "the channel is in status FAILED and does not deliver",
        ),
        (
            "POST",
            "channels/m/flush".to_owned(),
            404,
            "there is no channel m in account 000000000000, region us-east-1",
        ),
        (
            "POST",
            "channels/n/purge".to_owned(),
            404,
            "there is no path /_minikin/channels/n/purge",
        ),
        (
            "GET",
            "channels/n/flush".to_owned(),
            405,
            "/_minikin/channels/n/flush does not allow the method GET",
        ),
    ] {
        let (given, document) = own(&lab, method, &path, "").await;
        assert_eq!((given, &document["message"]), (status, &json!(text)));
    }
});

#[test]
fn a_reset_removes_channels() {
    on_shelf(&[], |lab, _| async move {
        create_stream(&lab, "s").await;
        let arn = created(&lab, to_bucket("n", "s")).await;
        let (status, _) = own(&lab, "POST", "reset", "{}").await;
        assert_eq!(status, 204);
        gone(&lab, &arn).await;
        create_stream(&lab, "s").await;
        assert_eq!(channel_count(&lab, "s").await, 0);
        let again = created(&lab, to_bucket("n", "s")).await;
        if lab.restart().await {
            gone(&lab, &arn).await;
            assert_eq!(super::status(&lab, &again).await, "ACTIVE");
        }
    });
}
