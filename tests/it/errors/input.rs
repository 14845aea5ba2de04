//! The texts of refused input: order, paths and printed values.

use super::{check_input, one_a_line};
use crate::lab::{Request, wire_test};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use expect_test::expect;

#[test]
fn put_record_names_every_invalid_member() {
    check_input(
        "PutRecord",
        r#"{"PartitionKey": "", "StreamName": "a b", "ExplicitHashKey": "-1",
            "SequenceNumberForOrdering": "00"}"#,
        expect![[r#"
            ValidationException: 5 validation errors detected:
            '00' at sequenceNumberForOrdering: Member must satisfy regular expression pattern: ^(0|([1-9]\d{0,128}))$
            '' at partitionKey: Member must have length greater than or equal to 1
            '-1' at explicitHashKey: Member must satisfy regular expression pattern: ^(0|([1-9]\d{0,38}))$
            null at data: Member must not be null
            'a b' at streamName: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+
        "#]],
    );
}

// The live service was recorded with this message (radkawar/stackd,
// testdata/aws/kinesis/dry_run.json).
#[test]
fn a_missing_partition_key_is_reported_when_nothing_else_is_wrong() {
    check_input(
        "PutRecord",
        r#"{"DryRun": true}"#,
        expect![[r#"
            ValidationException: 1 validation error detected:
            null at data: Member must not be null
        "#]],
    );
}

#[test]
fn put_records_names_the_path_of_each_invalid_record() {
    check_input(
        "PutRecords",
        r#"{"StreamName": "", "Records": [{"PartitionKey": "a", "Data": ""},
            {"PartitionKey": "", "ExplicitHashKey": "01"}, {"Data": ""}]}"#,
        expect![[r#"
            ValidationException: 5 validation errors detected:
            '' at records.2.member.partitionKey: Member must have length greater than or equal to 1
            '01' at records.2.member.explicitHashKey: Member must satisfy regular expression pattern: ^(0|([1-9]\d{0,38}))$
            null at records.2.member.data: Member must not be null
            '' at streamName: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+
            '' at streamName: Member must have length greater than or equal to 1
        "#]],
    );
}

#[test]
fn an_empty_list_of_records_is_reported_with_its_value() {
    check_input(
        "PutRecords",
        r#"{"StreamName": "s", "Records": []}"#,
        expect![[r#"
            ValidationException: 1 validation error detected:
            '[]' at records: Member must have length greater than or equal to 1
        "#]],
    );
}

#[test]
fn create_stream_names_members_in_the_services_order() {
    check_input(
        "CreateStream",
        r#"{"ShardCount": 0, "StreamName": "", "StreamModeDetails": {}, "Tags": {},
            "WarmThroughputMiBps": -1, "MaxRecordSizeInKiB": 1023,
            "RecordDistributionStrategy": "NONE"}"#,
        expect![[r#"
            ValidationException: 8 validation errors detected:
            '0' at shardCount: Member must have value greater than or equal to 1
            '' at streamName: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+
            '' at streamName: Member must have length greater than or equal to 1
            null at streamModeDetails.streamMode: Member must not be null
            '{}' at tags: Member must have length greater than or equal to 1
            '-1' at warmThroughputMiBps: Member must have value greater than or equal to 0
            '1023' at maxRecordSizeInKiB: Member must have value greater than or equal to 1024
            'NONE' at recordDistributionStrategy: Member must satisfy enum value set: [AUTO, USER_PARTITION_KEY]
        "#]],
    );
}

#[test]
fn tags_are_reported_as_a_map_with_all_constraints_of_keys_and_values() {
    let long = "v".repeat(257);
    let body = format!(r#"{{"StreamName": "s", "Tags": {{"": "{long}"}}}}"#);
    let expected = format!(
        "ValidationException: 2 validation errors detected:\n\
         '{{={long}}}' at tags: Map keys must satisfy constraint: [Member must have length less \
         than or equal to 128, Member must have length greater than or equal to 1]\n\
         '{{={long}}}' at tags: Map value must satisfy constraint: [Member must have length less \
         than or equal to 256, Member must have length greater than or equal to 0]\n"
    );
    let got = super::refusal_of("CreateStream", &body);
    assert_eq!(got, expected);
}

#[test]
fn get_shard_iterator_lists_its_types_in_the_recorded_order() {
    check_input(
        "GetShardIterator",
        r#"{"StreamName": "s", "ShardId": "a:b", "ShardIteratorType": "FIRST",
            "StartingSequenceNumber": "x"}"#,
        expect![[r#"
            ValidationException: 3 validation errors detected:
            'FIRST' at shardIteratorType: Member must satisfy enum value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, AT_SEQUENCE_NUMBER, TRIM_HORIZON]
            'a:b' at shardId: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+
            'x' at startingSequenceNumber: Member must satisfy regular expression pattern: ^(0|([1-9]\d{0,128}))$
        "#]],
    );
}

/// The order is that of the live service (radkawar/stackd, testdata/aws/kinesis/dry_run.json).
#[test]
fn get_shard_iterator_names_its_type_before_its_shard() {
    check_input(
        "GetShardIterator",
        r#"{"StreamName": "s"}"#,
        expect![[r#"
            ValidationException: 2 validation errors detected:
            null at shardIteratorType: Member must not be null
            null at shardId: Member must not be null
        "#]],
    );
}

#[test]
fn get_records_names_its_limit_before_its_iterator() {
    check_input(
        "GetRecords",
        r#"{"ShardIterator": "", "Limit": 10001}"#,
        expect![[r#"
            ValidationException: 2 validation errors detected:
            '10001' at limit: Member must have value less than or equal to 10000
            '' at shardIterator: Member must have length greater than or equal to 1
        "#]],
    );
}

#[test]
fn list_shards_reports_a_bad_name_and_a_bad_token_at_once() {
    check_input(
        "ListShards",
        r#"{"NextToken": "", "StreamName": "!", "MaxResults": 0, "ExclusiveStartShardId": "/"}"#,
        expect![[r#"
            ValidationException: 4 validation errors detected:
            '0' at maxResults: Member must have value greater than or equal to 1
            '/' at exclusiveStartShardId: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+
            '!' at streamName: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+
            '' at nextToken: Member must have length greater than or equal to 1
        "#]],
    );
}

#[test]
fn describe_stream_and_list_streams_name_members_in_the_services_order() {
    check_input(
        "DescribeStream",
        r#"{"StreamName": ":", "ExclusiveStartShardId": ":", "Limit": 0}"#,
        expect![[r#"
            ValidationException: 3 validation errors detected:
            '0' at limit: Member must have value greater than or equal to 1
            ':' at exclusiveStartShardId: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+
            ':' at streamName: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+
        "#]],
    );
    check_input(
        "ListStreams",
        r#"{"ExclusiveStartStreamName": ":", "Limit": 0}"#,
        expect![[r#"
            ValidationException: 2 validation errors detected:
            '0' at limit: Member must have value greater than or equal to 1
            ':' at exclusiveStartStreamName: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+
        "#]],
    );
}

#[test]
fn addresses_are_checked_by_form() {
    check_input(
        "DescribeStreamSummary",
        r#"{"StreamARN": "arn:aws:s3:::bucket", "StreamId": "short"}"#,
        expect![[r#"
            ValidationException: 2 validation errors detected:
            'arn:aws:s3:::bucket' at streamARN: Member must satisfy regular expression pattern: arn:aws.*:kinesis:.*:\d{12}:stream/\S+
            'short' at streamId: Member must satisfy regular expression pattern: [a-z0-9]{20}-[a-z0-9]{3}
        "#]],
    );
}

#[test]
fn numbers_are_cut_and_clamped_before_they_are_checked_and_printed() {
    check_input(
        "DescribeStream",
        r#"{"StreamName": "s", "Limit": 0.9}"#,
        expect![[r#"
            ValidationException: 1 validation error detected:
            '0' at limit: Member must have value greater than or equal to 1
        "#]],
    );
    check_input(
        "DescribeStream",
        r#"{"StreamName": "s", "Limit": 1099511627776}"#,
        expect![[r#"
            ValidationException: 1 validation error detected:
            '2147483647' at limit: Member must have value less than or equal to 10000
        "#]],
    );
    check_input(
        "DescribeStream",
        r#"{"StreamName": "s", "Limit": -1e300}"#,
        expect![[r#"
            ValidationException: 1 validation error detected:
            '-2147483648' at limit: Member must have value greater than or equal to 1
        "#]],
    );
}

wire_test!(at_most_ten_violations_are_reported, |lab| async move {
    let records = vec![r#"{"PartitionKey":""}"#; 501].join(",");
    let body = format!(r#"{{"StreamName":"","Records":[{records}]}}"#);
    let got = one_a_line(&lab.refusal("PutRecords", &body).await);
    let lines: Vec<_> = got.lines().collect();
    assert_eq!(lines.len(), 11);
    assert_eq!(
        lines[0],
        "ValidationException: 10 validation errors detected:"
    );
    assert_eq!(
        lines[1],
        "at records: Member must have length less than or equal to 500"
    );
    let key = "Member must have length greater than or equal to 1";
    assert_eq!(
        lines[2],
        format!("'' at records.1.member.partitionKey: {key}")
    );
    assert_eq!(
        lines[3],
        "null at records.1.member.data: Member must not be null"
    );
    assert_eq!(
        lines[10],
        format!("'' at records.5.member.partitionKey: {key}")
    );
});

wire_test!(
    too_much_data_is_reported_without_its_value,
    |lab| async move {
        let data = STANDARD.encode(vec![0; 10_485_761]);
        let request = Request::json(
            "PutRecord",
            &format!(r#"{{"StreamName":"s","PartitionKey":"k","Data":"{data}"}}"#),
        );
        let got = lab.send(&request).await.refusal().to_string();
        assert_eq!(
            got,
            "ValidationException: 1 validation error detected: Value at 'data' failed to satisfy \
         constraint: Member must have length less than or equal to 10485760"
        );
        let request = Request::json(
            "PutRecords",
            &format!(r#"{{"StreamName":"s","Records":[{{"PartitionKey":"k","Data":"{data}"}}]}}"#),
        );
        let got = lab.send(&request).await.refusal().to_string();
        assert_eq!(
            got,
            "ValidationException: 1 validation error detected: Value at 'records.1.member.data' \
         failed to satisfy constraint: Member must have length less than or equal to 10485760"
        );
    }
);
