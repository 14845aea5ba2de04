//! Requests that are refused, in the order of their checks.

use super::*;
use crate::lab::{ms, seconds, wire_test};

const VALIDATION: &str = "ValidationException";

fn starts(refusal: &str, kind: &str, text: &str) {
    assert!(
        refusal.starts_with(&format!("{kind}: ")) && refusal.contains(text),
        "{text}: {refusal}"
    );
}

/// The value at a path of members and positions, such as `a/0/b`.
fn at<'a>(body: &'a mut Value, path: &str) -> &'a mut Value {
    path.split('/')
        .fold(body, |value, part| match part.parse::<usize>() {
            Ok(position) => &mut value[position],
            Err(_) => &mut value[part],
        })
}

/// The request with another value at a path. Null removes the member.
fn with(mut body: Value, path: &str, value: Value) -> Value {
    if !value.is_null() {
        *at(&mut body, path) = value;
        return body;
    }
    let (parent, member) = path.rsplit_once('/').unwrap_or(("", path));
    let parent = match parent {
        "" => &mut body,
        parent => at(&mut body, parent),
    };
    parent.as_object_mut().unwrap().remove(member).unwrap();
    body
}

wire_test!(shapes_are_checked_first, |lab| async move {
    const STORAGE: &str = "S3DestinationConfiguration/StorageConfiguration";
    const TABLE: &str = "S3TablesDestinationConfiguration/S3TablesConfigurationList/0";
    const FIELD: &str = "PartitionSpec/PartitionFields/0";
    let bucket = |path: &str, value: Value| with(to_bucket("n", "s"), path, value);
    let table = |path: &str, value: Value| with(to_table("n", "s"), path, value);
    let pattern = "regular expression pattern";
    for (body, text) in [
        (bucket("ChannelName", json!("a b")), pattern),
        (
            bucket("ChannelName", json!("")),
            "greater than or equal to 1",
        ),
        (bucket("ServiceExecutionRoleARN", json!("role")), pattern),
        (
            bucket("ServiceExecutionRoleARN", Value::Null),
            "serviceExecutionRoleARN",
        ),
        (
            bucket("StreamConfigurationList", json!([])),
            "greater than or equal to 1",
        ),
        (
            bucket(
                "StreamConfigurationList/0/RecordConfiguration/RecordFormatType",
                json!("AVRO"),
            ),
            "enum value set",
        ),
        (
            bucket(&format!("{STORAGE}/BucketARN"), json!("arn:aws:s3:::B")),
            pattern,
        ),
        (
            bucket(&format!("{STORAGE}/ExpectedBucketOwner"), json!("12")),
            "12",
        ),
        (
            bucket(&format!("{STORAGE}/CompressionType"), json!("SNAPPY")),
            "enum value set",
        ),
        (
            bucket(&format!("{STORAGE}/CompressionType"), Value::Null),
            "compressionType",
        ),
        (
            bucket(&format!("{STORAGE}/StorageClass"), json!("COLD")),
            "enum value set",
        ),
        (
            bucket(&format!("{STORAGE}/OutputKeyTemplate"), json!("a b")),
            pattern,
        ),
        (
            bucket(
                "EncryptionConfiguration",
                json!({"EncryptionType": "NONE", "KeyId": "k"}),
            ),
            "enum value set",
        ),
        (
            bucket(
                "LoggingConfiguration",
                json!({"CloudWatchLogs": {"LogGroupName": "g"}}),
            ),
            "enabled",
        ),
        (table(&format!("{TABLE}/Namespace"), json!("A")), pattern),
        (
            table(&format!("{TABLE}/CompressionType"), json!("GZIP")),
            "enum value set",
        ),
        (
            table(&format!("{TABLE}/{FIELD}/Transform"), json!("TIME_DAY")),
            "enum value set",
        ),
        (
            table(
                "S3TablesDestinationConfiguration/DeadLetterQueueS3Configuration",
                Value::Null,
            ),
            "deadLetterQueueS3Configuration",
        ),
    ] {
        starts(
            &refused(&lab, "CreateChannel", body).await,
            VALIDATION,
            text,
        );
    }
    for operation in ["DescribeChannel", "DeleteChannel", "UpdateChannel"] {
        let refusal = refused(&lab, operation, json!({"ChannelARN": arn_of("s")})).await;
        starts(&refusal, VALIDATION, pattern);
    }
    let refusal = refused(&lab, "ListChannels", json!({"MaxResults": 0})).await;
    starts(&refusal, VALIDATION, "greater than or equal to 1");
    assert_eq!(names(&lab, json!({"MaxResults": 10_000})).await.len(), 0);
});

wire_test!(a_creation_is_checked_member_by_member, |lab| async move {
    const RECORDS: &str = "StreamConfigurationList/0/RecordConfiguration";
    const TEMPLATE: &str = "S3DestinationConfiguration/StorageConfiguration/OutputKeyTemplate";
    const TABLES: &str = "S3TablesDestinationConfiguration/S3TablesConfigurationList";
    create_stream(&lab, "s").await;
    ok(
        &lab,
        "CreateStream",
        json!({"StreamName": "p", "ShardCount": 1}),
    )
    .await;
    let bucket = |path: &str, value: Value| with(to_bucket("n", "s"), path, value);
    let table = |path: &str, value: Value| with(to_table("n", "s"), path, value);
    let stream = to_bucket("n", "s")["StreamConfigurationList"][0].clone();
    let one_table =
        to_table("n", "s")["S3TablesDestinationConfiguration"]["S3TablesConfigurationList"][0]
            .clone();
    let both = to_table("n", "s")["S3TablesDestinationConfiguration"].clone();
    let format = |body: Value, format: &str| {
        with(body, &format!("{RECORDS}/RecordFormatType"), json!(format))
    };
    let freshness = "S3DestinationConfiguration/DataFreshnessInSeconds";
    let key = |id: &str| json!({"EncryptionType": "KMS", "KeyId": id});
    for (body, kind, text) in [
        (
            bucket("StreamConfigurationList", json!([stream.clone(), stream])),
            VALIDATION,
            "StreamConfigurationList must contain exactly one stream configuration, not 2.",
        ),
        (
            bucket("S3DestinationConfiguration", Value::Null),
            VALIDATION,
            "Exactly one of",
        ),
        (
            bucket("S3TablesDestinationConfiguration", both),
            VALIDATION,
            "Exactly one of",
        ),
        (
            table(TABLES, json!([one_table.clone(), one_table])),
            VALIDATION,
            "S3TablesConfigurationList must contain exactly one table configuration, not 2.",
        ),
        (
            table(&format!("{TABLES}/0/PartitionSpec"), Value::Null),
            VALIDATION,
            "PartitionSpec is required",
        ),
        (
            format(to_bucket("n", "s"), "GSR_JSON"),
            VALIDATION,
            "RecordFormatType GSR_JSON is not supported for destination type S3.",
        ),
        (
            format(to_table("n", "s"), "STRING"),
            VALIDATION,
            "RecordFormatType STRING is not supported for destination type S3_TABLES.",
        ),
        (
            format(to_table("n", "s"), "BYTE_ARRAY"),
            VALIDATION,
            "RecordFormatType BYTE_ARRAY is not supported for destination type S3_TABLES.",
        ),
        (
            table(&format!("{RECORDS}/GSRSchemaARN"), Value::Null),
            VALIDATION,
            "GSRSchemaARN is required",
        ),
        (
            bucket(freshness, json!(299)),
            VALIDATION,
            "DataFreshnessInSeconds must be between 300 and 900, not 299.",
        ),
        (bucket(freshness, json!(901)), VALIDATION, "not 901."),
        (bucket(freshness, json!(-1)), VALIDATION, "not -1."),
        (
            bucket(TEMPLATE, json!("a/../b")),
            VALIDATION,
            "OutputKeyTemplate must not contain '..'.",
        ),
        (
            bucket(TEMPLATE, json!("a/!{nonsense}")),
            VALIDATION,
            "OutputKeyTemplate has no variable !{nonsense}.",
        ),
        (
            bucket("EncryptionConfiguration", key("alias/aws/s3")),
            VALIDATION,
            "must be a customer managed key, not alias/aws/s3.",
        ),
        (
            bucket("EncryptionConfiguration", key("alias/aws/kinesis")),
            VALIDATION,
            "must be a customer managed key, not alias/aws/kinesis.",
        ),
        (
            bucket(
                "EncryptionConfiguration",
                key("arn:aws:kms:us-east-1:000000000000:alias/aws/kinesis"),
            ),
            VALIDATION,
            "must be a customer managed key",
        ),
        (
            to_bucket("n", "gone"),
            "ResourceNotFoundException",
            "Stream gone under account 000000000000 not found.",
        ),
        (
            to_bucket("n", "p"),
            VALIDATION,
            "Stream p under account 000000000000 is in Provisioned mode.",
        ),
        (
            bucket("Tags", json!({"ä!": ""})),
            "InvalidArgumentException",
            "tags",
        ),
    ] {
        starts(&refused(&lab, "CreateChannel", body).await, kind, text);
    }
    assert_eq!(names(&lab, json!({})).await.len(), 0);
    assert_eq!(channel_count(&lab, "s").await, 0);
});

#[test]
fn limits_and_names_are_checked_last() {
    let flags = ["--limit", "channels-per-account=3"];
    on_shelf(&flags, |lab, _| async move {
        for stream in ["s", "t", "u"] {
            create_stream(&lab, stream).await;
        }
        let first = created(&lab, to_bucket("n", "s")).await;
        let taken =
            format!("ResourceInUseException: Channel n under account {ACCOUNT} already exists.");
        let refusal = refused(&lab, "CreateChannel", to_bucket("n", "t")).await;
        assert_eq!(refusal, taken);
        let refusal = refused(&lab, "CreateChannel", to_bucket("m", "s")).await;
        let full = format!(
            "LimitExceededException: This request would exceed the limit on the number of channels \
             with destination type S3 for stream s under account {ACCOUNT}. Limit: 1."
        );
        assert_eq!(refusal, full);
        created(&lab, to_table("m", "s")).await;
        let refusal = refused(&lab, "CreateChannel", to_table("o", "s")).await;
        assert_eq!(refusal, full.replace("S3 for", "S3_TABLES for"));
        created(&lab, to_bucket("o", "t")).await;
        let refusal = refused(&lab, "CreateChannel", to_bucket("p", "u")).await;
        let most = format!(
            "LimitExceededException: This request would exceed the limit on the number of channels \
             for the account {ACCOUNT} in {REGION}. Limit: 3."
        );
        assert_eq!(refusal, most);
        delete(&lab, &first).await;
        created(&lab, to_bucket("p", "u")).await;
        let limits = ok(&lab, "DescribeLimits", json!({})).await;
        assert_eq!(
            (&limits["ChannelCount"], &limits["ChannelCountLimit"]),
            (&json!(3), &json!(3))
        );
    });
}

wire_test!(
    the_stream_of_a_new_channel_is_active,
    ["--transition-ms", "500"],
    |lab| async move {
        create_stream(&lab, "s").await;
        let refusal = refused(&lab, "CreateChannel", to_bucket("n", "s")).await;
        let expected = |state: &str| {
            format!(
                "ResourceInUseException: Stream s under account {ACCOUNT} not ACTIVE, instead in \
                 state {state}"
            )
        };
        assert_eq!(refusal, expected("CREATING"));
        lab.clock.advance(ms(500)).await;
        let retention = json!({"StreamName": "s", "RetentionPeriodHours": 48});
        ok(&lab, "IncreaseStreamRetentionPeriod", retention).await;
        let refusal = refused(&lab, "CreateChannel", to_bucket("n", "s")).await;
        assert_eq!(refusal, expected("UPDATING"));
        lab.clock.advance(ms(500)).await;
        ok(&lab, "CreateChannel", to_bucket("n", "s")).await;
    }
);

#[test]
fn an_update_is_checked_before_the_channel_is_looked_up() {
    on_shelf(&[], |lab, _| async move {
        create_stream(&lab, "s").await;
        let bucket = created(&lab, to_bucket("n", "s")).await;
        let table = created(&lab, to_table("t", "s")).await;
        let nowhere = format!("arn:aws:kinesis:{REGION}:{ACCOUNT}:channel/nowhere");
        let freshness = |seconds: i32| json!({"DataFreshnessInSeconds": seconds});
        let (s3, tables) = (
            "S3DestinationConfiguration",
            "S3TablesDestinationConfiguration",
        );
        for (body, kind, text) in [
            (
                json!({"ChannelARN": nowhere}),
                VALIDATION,
                "At least one of",
            ),
            (
                json!({"ChannelARN": nowhere, s3: freshness(299)}),
                VALIDATION,
                "must be between 300 and 900, not 299.",
            ),
            (
                json!({"ChannelARN": nowhere, s3: {}}),
                VALIDATION,
                "dataFreshnessInSeconds",
            ),
            (
                json!({"ChannelARN": nowhere, s3: freshness(300)}),
                "ResourceNotFoundException",
                "not found.",
            ),
            (
                json!({"ChannelARN": bucket, tables: freshness(300)}),
                VALIDATION,
                "S3TablesDestinationConfiguration is not expected for a channel with destination \
                 type S3.",
            ),
            (
                json!({"ChannelARN": table, s3: freshness(300), tables: freshness(300)}),
                VALIDATION,
                "S3DestinationConfiguration is not expected for a channel with destination type \
                 S3_TABLES.",
            ),
        ] {
            starts(&refused(&lab, "UpdateChannel", body).await, kind, text);
        }
        for arn in [&nowhere, &format!("{nowhere}/x")] {
            for operation in ["DescribeChannel", "DeleteChannel"] {
                let refusal = refused(&lab, operation, json!({"ChannelARN": arn})).await;
                let expected = format!("ResourceNotFoundException: Channel {arn} not found.");
                assert_eq!(refusal, expected);
            }
        }
    });
}

wire_test!(
    five_calls_a_second_of_each_operation_are_admitted,
    ["--profile", "strict"],
    |lab| async move {
        for (operation, body) in [
            ("CreateChannel", to_bucket("n", "gone")),
            ("DescribeChannel", Value::Null),
            ("UpdateChannel", Value::Null),
            ("DeleteChannel", Value::Null),
            ("ListChannels", json!({})),
        ] {
            let arn = format!("arn:aws:kinesis:{REGION}:{ACCOUNT}:channel/x");
            let body = match body {
                Value::Null => json!({
                    "ChannelARN": arn, "LoggingConfiguration": {"CloudWatchLogs": {"Enabled": true}},
                }),
                body => body,
            };
            let mut refusals = Vec::new();
            for _ in 0..6 {
                let answer = lab.json(operation, &body.to_string()).await;
                refusals.push((answer.status != 200).then(|| answer.refusal().to_string()));
            }
            let last = refusals.pop().unwrap().unwrap();
            starts(&last, "LimitExceededException", "Rate exceeded");
            let other = |refusal: &Option<String>| {
                let limited = "LimitExceededException";
                refusal
                    .as_ref()
                    .is_none_or(|text| !text.starts_with(limited))
            };
            assert!(refusals.iter().all(other), "{refusals:?}");
        }
        lab.clock.advance(seconds(1)).await;
        ok(&lab, "ListChannels", json!({})).await;
    }
);
