//! Tests setups as users write them, and their error messages.

use super::read::read;
use super::{Problem, Setup};
use crate::model::{AccountId, AccountRegion, Region};
use crate::world::FaultKind;
use serde_json::json;
use std::path::PathBuf;

fn home() -> AccountRegion {
    AccountRegion {
        account: AccountId::default(),
        region: Region::new("us-east-1"),
    }
}

/// Reads a setup from a file with the name `name` and the contents `text`.
fn from_file(name: &str, text: &str) -> Result<Setup, Problem> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("lines.txt"), "one\n\ntwo\n").unwrap();
    let records = "{\"PartitionKey\":\"a\",\"Text\":\"x\"}\n{\"Text\":\"y\"}\n";
    std::fs::write(folder.path().join("broken.jsonl"), records).unwrap();
    let path: PathBuf = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    read(Some(&path), &[], None, &home())
}

/// The error message for a setup file, without the path of the temporary folder.
fn refusal(name: &str, text: &str) -> String {
    let text = from_file(name, text).unwrap_err().to_string();
    let at = text.find(name).unwrap();
    text[at..].to_owned()
}

const TOML: &str = r#"
clock = "virtual=2027-01-01T00:00:00Z"

[[streams]]
StreamName = "orders"
ShardCount = 2
Tags = { team = "blue" }
RetentionPeriodHours = 48
Consumers = ["billing", "search"]
EncryptionType = "KMS"
KeyId = "alias/aws/kinesis"
Account = "111122223333"
Region = "eu-west-1"
Records = [
  { PartitionKey = "a", Text = "hello" },
  { PartitionKey = "b", ExplicitHashKey = "0", Json = { total = 3 } },
]

[[streams]]
StreamName = "lines"
RecordsFile = "lines.txt"
"#;

#[test]
fn a_file_names_streams_with_all_their_members() {
    let setup = from_file("setup.toml", TOML).unwrap();
    assert!(setup.clock.is_some());
    let [orders, lines] = &setup.streams[..] else {
        panic!("{} streams", setup.streams.len());
    };
    let create = json!({"StreamName": "orders", "ShardCount": 2, "Tags": {"team": "blue"}});
    assert_eq!(json!(orders.create), create);
    assert_eq!(orders.retention_hours, Some(48));
    assert_eq!(orders.consumers, ["billing", "search"]);
    assert_eq!(orders.key_id.as_deref(), Some("alias/aws/kinesis"));
    assert_eq!(
        orders.account_region.account.unwrap().to_string(),
        "111122223333"
    );
    assert_eq!(
        orders.account_region.region.as_ref().unwrap().as_str(),
        "eu-west-1"
    );
    let data: Vec<_> = orders
        .records
        .iter()
        .map(|record| &record.data[..])
        .collect();
    assert_eq!(data, [&b"hello"[..], br#"{"total":3}"#]);
    let keys = lines
        .records
        .iter()
        .map(|record| (&record.partition_key[..], &record.data[..]));
    assert_eq!(
        keys.collect::<Vec<_>>(),
        [("1", &b"one"[..]), ("3", b"two")]
    );
}

#[test]
fn json_is_read_like_toml() {
    let text = r#"{"streams": [{"StreamName": "orders", "ShardCount": 2}]}"#;
    let setup = from_file("setup.json", text).unwrap();
    assert_eq!(setup.streams[0].name, "orders");
    assert_eq!(setup.streams[0].create["ShardCount"], 2);
}

#[test]
fn a_refusal_names_file_line_and_member() {
    for (text, expected) in [
        (
            "[[streams]]\nStreamName = \"a\"\nShards = 1\n",
            "setup.toml: line 3: streams[0].Shards: there is no such member; choose ShardCount, ",
        ),
        (
            "stream = 1\n",
            "setup.toml: line 1: stream: there is no such member; choose streams, queues, channels, event_sources, faults, clock",
        ),
        (
            "[[streams]]\nShardCount = 1\n",
            "setup.toml: line 1: streams[0]: a stream needs a StreamName",
        ),
        (
            "[[streams]]\nStreamName = \"a\"\nRetentionPeriodHours = \"1d\"\n",
            "setup.toml: line 3: streams[0].RetentionPeriodHours: the retention period is a number of hours",
        ),
        (
            "[[streams]]\nStreamName = \"a\"\nKeyId = \"k\"\n",
            "setup.toml: line 3: streams[0].KeyId: a key needs EncryptionType KMS",
        ),
        (
            "[[streams]]\nStreamName = \"a\"\n[[streams.Records]]\nPartitionKey = 1\n",
            "setup.toml: line 4: streams[0].Records[0].PartitionKey: this has to be a text",
        ),
        ("clock = \"noon\"\n", "setup.toml: line 1: clock: "),
        (
            "[[streams]]\nStreamName = \"a\"\nEncryptionType = \"KMS\"\n",
            "setup.toml: line 3: streams[0].EncryptionType: KMS needs a KeyId",
        ),
        (
            "[[streams]]\nStreamName = \"a\"\nTags = { a = 99999999999999999999 }\n",
            "setup.toml: line 3: streams[0].Tags.a: the number 99999999999999999999 is too large",
        ),
        (
            "[[streams]]\nStreamName = \"a\"\nRecordsFile = \"none.txt\"\n",
            "setup.toml: line 3: streams[0].RecordsFile: ",
        ),
    ] {
        let refusal = refusal("setup.toml", text);
        assert!(refusal.starts_with(expected), "{refusal}");
    }
}

#[test]
fn a_file_names_queues_mappings_and_fault_rules() {
    let text = r#"
[[queues]]
QueueName = "work"
StreamConfigurationList = [{ StreamARN = "orders" }]
Region = "eu-west-1"

[[event_sources]]
EventSourceArn = "orders"
FunctionName = "audit"
BatchSize = 10
Region = "eu-west-1"

[[faults]]
kind = "throttle"
operations = ["PutRecord"]
"#;
    let setup = from_file("setup.toml", text).unwrap();
    let queue = &setup.queues[0];
    assert_eq!(queue.name, "work");
    assert_eq!(queue.account_region.region, Some(Region::new("eu-west-1")));
    assert_eq!(
        queue.create["StreamConfigurationList"],
        json!([{"StreamARN": "orders"}])
    );
    let request = &setup.event_sources[0].request;
    let arn = "arn:aws:kinesis:eu-west-1:000000000000:stream/orders";
    assert_eq!(request.source.as_deref(), Some(arn));
    assert_eq!(request.start.position.as_deref(), Some("TRIM_HORIZON"));
    assert_eq!(setup.event_sources[0].scope.region.as_str(), "eu-west-1");
    assert_eq!(setup.faults[0].rule.kind, FaultKind::Throttle);
}

#[test]
fn a_refusal_of_a_queue_a_mapping_or_a_rule_names_file_line_and_member() {
    for (text, expected) in [
        (
            "[[queues]]\nQueueName = \"a\"\nQueueAttributes = { Visibility = 1 }\n",
            "line 3: queues[0].QueueAttributes.Visibility: there is no such member; choose Vis",
        ),
        (
            "[[queues]]\nStreamConfigurationList = []\n",
            "line 1: queues[0]: a queue needs a QueueName",
        ),
        (
            "[[event_sources]]\nFunctionName = \"f\"\n",
            "line 1: event_sources[0]: a mapping needs an EventSourceArn",
        ),
        (
            "[[event_sources]]\nFunctionName = \"f\"\nBatchSize = 0\n",
            "line 3: event_sources[0].BatchSize: 1 validation error",
        ),
        (
            "[[event_sources]]\nFunctionName = \"f\"\nBatchSize = \"x\"\n",
            "line 3: event_sources[0].BatchSize: ",
        ),
        (
            "[[event_sources]]\n[event_sources.DestinationConfig]\nOnFail = 1\n",
            "line 3: event_sources[0].DestinationConfig.OnFail: there is no such member",
        ),
        (
            "[[event_sources]]\nUUID = \"f\"\n",
            "line 2: event_sources[0].UUID: there is no such member; choose EventSourceArn",
        ),
        (
            "[[faults]]\npercent = 1\n",
            "line 1: faults[0]: a fault rule needs a kind",
        ),
        (
            "[[faults]]\nkind = \"flood\"\n",
            "line 2: faults[0].kind: there is no such kind; choose ",
        ),
        (
            "[[faults]]\nkind = \"throttle\"\npercent = \"x\"\n",
            "line 3: faults[0].percent: this has to be a number",
        ),
        (
            "[[faults]]\nkind = \"throttle\"\ntimes = 0\n",
            "line 3: faults[0].times: this has to be at least 1",
        ),
        (
            "[[faults]]\nkind = \"delay\"\n",
            "line 1: faults[0]: delay_ms: a delay of at least 1 ms is needed",
        ),
        (
            "[[faults]]\nkind = \"throttle\"\nrate = 2\n",
            "line 3: faults[0].rate: there is no such member; choose kind, ",
        ),
        (
            "faults = [\"kind=throttle\"]\n",
            "line 1: faults[0]: this has to be a table",
        ),
    ] {
        let refusal = refusal("setup.toml", text);
        let expected = format!("setup.toml: {expected}");
        assert!(refusal.starts_with(&expected), "{refusal}");
    }
}

#[test]
fn a_value_of_the_wrong_type_is_refused_with_line_and_member() {
    for (text, expected) in [
        (
            "[[queues]]\nQueueName = \"a\"\n[queues.QueueAttributes]\nVisibilityTimeoutSeconds = \"x\"\n",
            "line 4: queues[0].QueueAttributes.VisibilityTimeoutSeconds: this has to be a whole number",
        ),
        (
            "[[queues]]\nQueueName = \"a\"\nStreamConfigurationList = [\n\"b\"]\n",
            "line 4: queues[0].StreamConfigurationList[0]: this has to be a table",
        ),
        (
            "[[queues]]\nQueueName = \"a\"\nStreamConfigurationList = { StreamARN = \"a\" }\n",
            "line 3: queues[0].StreamConfigurationList: this has to be a list",
        ),
        (
            "[[queues]]\nQueueName = \"a\"\nTags = { team = 1 }\n",
            "line 3: queues[0].Tags.team: this has to be a text",
        ),
        (
            "[[queues]]\nQueueName = \"a\"\nStreamConfigurationList = [{ StreamARN = \"a\",\n\
             StartingPosition = { Type = \"AT_TIMESTAMP\", Timestamp = \"noon\" } }]\n",
            "line 4: queues[0].StreamConfigurationList[0].StartingPosition.Timestamp: this has to be a time",
        ),
        (
            "[[streams]]\nStreamName = \"a\"\nShardCount = [1]\n",
            "line 3: streams[0].ShardCount: this has to be a whole number",
        ),
        (
            "[[streams]]\nStreamName = \"a\"\nShardCount = 1.5\n",
            "line 3: streams[0].ShardCount: this has to be a whole number",
        ),
        (
            "[[streams]]\nStreamName = \"a\"\nShardCount = 3000000000\n",
            "line 3: streams[0].ShardCount: this has to be a whole number of 32 bits",
        ),
        (
            "[[streams]]\nStreamName = 5\n",
            "line 2: streams[0].StreamName: this has to be a text",
        ),
        (
            "[[event_sources]]\nFunctionName = \"f\"\nFilterCriteria = \"x\"\n",
            "line 3: event_sources[0].FilterCriteria: this has to be a table",
        ),
        (
            "[[event_sources]]\nFunctionName = \"f\"\nEnabled = 1\n",
            "line 3: event_sources[0].Enabled: this has to be true or false",
        ),
    ] {
        let refusal = refusal("setup.toml", text);
        let expected = format!("setup.toml: {expected}");
        assert!(refusal.starts_with(&expected), "{refusal}");
    }
}

#[test]
fn a_time_of_a_request_is_a_text_a_date_or_a_number() {
    for time in [
        "2027-01-01T00:00:00.5Z",
        "\"2027-01-01T00:00:00.5Z\"",
        "1798761600.5",
    ] {
        let text = format!(
            "[[queues]]\nQueueName = \"a\"\nStreamConfigurationList = [{{ StreamARN = \"a\", \
             StartingPosition = {{ Type = \"AT_TIMESTAMP\", Timestamp = {time} }} }}]\n\
             [[event_sources]]\nEventSourceArn = \"a\"\nFunctionName = \"f\"\n\
             StartingPosition = \"AT_TIMESTAMP\"\nStartingPositionTimestamp = {time}\n"
        );
        let setup = from_file("setup.toml", &text).unwrap();
        let stream = &setup.queues[0].create["StreamConfigurationList"][0];
        assert_eq!(stream["StartingPosition"]["Timestamp"], 1_798_761_600.5);
        let timestamp_ms = setup.event_sources[0].request.start.timestamp_ms;
        assert_eq!(timestamp_ms, Some(1_798_761_600_500));
    }
}

#[test]
fn a_refused_line_of_a_records_file_names_that_file() {
    let text = "[[streams]]\nStreamName = \"a\"\nRecordsFile = \"broken.jsonl\"\n";
    let refusal = refusal("setup.toml", text);
    assert!(
        refusal.ends_with("broken.jsonl: line 2: a record needs a PartitionKey"),
        "{refusal}"
    );
}

/// The name, the number of shards and the region of a stream.
type Stream = (String, Option<u64>, Option<String>);

fn of_variable(text: &str) -> Result<Vec<Stream>, String> {
    let setup = read(None, &[], Some(text), &home()).map_err(|problem| problem.to_string())?;
    let stream = |stream: &super::StreamSetup| {
        let shards = stream
            .create
            .get("ShardCount")
            .and_then(|count| count.as_u64());
        let region = stream
            .account_region
            .region
            .as_ref()
            .map(|region| region.as_str().to_owned());
        (stream.name.clone(), shards, region)
    };
    Ok(setup.streams.iter().map(stream).collect())
}

#[test]
fn variables_of_other_tools_name_streams() {
    let region = Some("us-west-2".to_owned());
    assert_eq!(
        of_variable("a:1, b:2:us-west-2,c,").unwrap(),
        [
            ("a".to_owned(), Some(1), None),
            ("b".to_owned(), Some(2), region),
            ("c".to_owned(), Some(4), None),
        ]
    );
    assert_eq!(of_variable("").unwrap(), []);
    assert_eq!(
        of_variable("a:none").unwrap_err(),
        "INITIALIZE_STREAMS a:none: the number of shards is a whole number from 1 on"
    );
    assert!(of_variable("a:1:us-west-2:x").is_err());
}

#[test]
fn an_option_names_a_stream() {
    let streams = ["a".to_owned(), "b:3".to_owned()];
    let setup = read(None, &streams, None, &home()).unwrap();
    assert_eq!(json!(setup.streams[0].create), json!({"StreamName": "a"}));
    assert_eq!(setup.streams[1].create["ShardCount"], 3);
    assert!(read(None, &["a:0".to_owned()], None, &home()).is_err());
}
