//! Streams by name and by ARN, in accounts and regions.

use super::named;
use crate::lab::{ACCOUNT, SHARD_0, START_MS, kinesis_test, wire_test};
use aws_sdk_kinesis::primitives::{Blob, DateTime};
use aws_sdk_kinesis::types::ShardIteratorType;
use serde_json::json;

kinesis_test!(accounts_and_regions_share_nothing, |lab| async move {
    let scopes = [
        (ACCOUNT, "us-east-1"),
        (ACCOUNT, "eu-west-1"),
        ("123456789012", "us-east-1"),
    ];
    for (at, (account, region)) in scopes.iter().enumerate() {
        let client = lab.client_of(account, region);
        let count = i32::try_from(at + 1).unwrap();
        client
            .create_stream()
            .stream_name("orders")
            .shard_count(count)
            .send()
            .await
            .unwrap();
    }
    for (at, (account, region)) in scopes.iter().enumerate() {
        let client = lab.client_of(account, region);
        let got = client
            .describe_stream_summary()
            .stream_name("orders")
            .send()
            .await
            .unwrap();
        let got = got.stream_description_summary.unwrap();
        assert_eq!(usize::try_from(got.open_shard_count).unwrap(), at + 1);
        let arn = format!("arn:aws:kinesis:{region}:{account}:stream/orders");
        assert_eq!(got.stream_arn, arn);
        // Every client in the region finds the stream by its ARN.
        let anybody = lab.client_of(ACCOUNT, region);
        let got = anybody.describe_stream().stream_arn(&arn).send().await;
        let got = got.unwrap().stream_description.unwrap();
        assert_eq!(got.shards.len(), at + 1);
        let put = anybody.put_record().stream_arn(&arn).partition_key("k");
        put.data(Blob::new("A")).send().await.unwrap();
        let iterate = anybody
            .get_shard_iterator()
            .stream_arn(&arn)
            .stream_name("orders")
            .shard_id("0")
            .shard_iterator_type(ShardIteratorType::AtTimestamp)
            .timestamp(DateTime::from_millis(START_MS));
        iterate.send().await.unwrap();
        let listed = anybody.list_shards().stream_arn(&arn).send().await;
        assert_eq!(listed.unwrap().shards().len(), at + 1);
        let listed = client.list_streams().send().await.unwrap();
        assert_eq!(listed.stream_names, ["orders"]);
    }
    let arn = "arn:aws:kinesis:eu-west-1:000000000000:stream/orders";
    let client = lab.client_of(ACCOUNT, "eu-west-1");
    client.delete_stream().stream_arn(arn).send().await.unwrap();
    lab.ok("DescribeStream", &named("orders")).await;
    let gone = client.list_streams().send().await.unwrap();
    assert!(gone.stream_names.is_empty());
});

wire_test!(
    an_arn_of_any_aws_partition_names_the_stream,
    |lab| async move {
        lab.stream("orders").create().await;
        for partition in ["aws", "aws-cn", "aws-us-gov", "awsome"] {
            let arn = format!("arn:{partition}:kinesis:us-east-1:000000000000:stream/orders");
            lab.ok("DescribeStream", &json!({ "StreamARN": arn }).to_string())
                .await;
        }
    }
);

wire_test!(
    names_have_up_to_128_characters_of_every_allowed_kind,
    |lab| async move {
        let long = "a".repeat(128);
        for name in ["-", ".", "_", "0", "A-z_0.9", long.as_str()] {
            let stream = lab.stream(name).create().await;
            stream.put("k", "v").await;
            let iterator = stream.horizon(SHARD_0).await;
            assert!(iterator.len() <= 512);
            assert_eq!(stream.data(&iterator).await, ["v"], "{name}");
        }
    }
);
