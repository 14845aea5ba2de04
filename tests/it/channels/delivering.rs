//! Deliveries to a local directory.

use super::*;
use crate::lab::{Request, Stream, kinesis_test, ms};
use crate::looking::own;
use minikin::internals::world::{Fault, Point, Rule};
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;

/// Age of the oldest record, in milliseconds, at which the channels of these tests deliver.
const FRESHNESS_MS: u64 = 300_000;

/// Runs a test in memory and on disk, with buckets in a directory.
fn to_directory<F: Future<Output = ()>>(
    flags: &[&str],
    test: impl Fn(Lab, (Arc<TempDir>, Place)) -> F,
) {
    for place in [Place::Memory, Place::Disk] {
        let home = Arc::new(TempDir::new().unwrap());
        let directory = home.path().to_str().unwrap().to_owned();
        let mut all = vec!["--channels-s3-local-dir", &directory];
        all.extend(flags);
        crate::lab::run(place, &all, |lab| test(lab, (home.clone(), place)));
    }
}

/// The files below a directory, by their paths in it.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(directory).unwrap();
                found.insert(
                    name.to_str().unwrap().to_owned(),
                    std::fs::read(&path).unwrap(),
                );
            }
        }
    }
    found
}

/// The lines of all objects in a bucket that is a directory, sorted.
fn lines(home: &TempDir, bucket: &str) -> Vec<String> {
    let objects = files(&home.path().join(bucket));
    let text = objects
        .values()
        .map(|body| String::from_utf8(body.clone()).unwrap());
    let mut lines: Vec<String> = text
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    lines.sort();
    lines
}

/// Puts records. Returns their data.
async fn put(lab: &Lab, stream: &str, of: &str) -> Vec<String> {
    let stream = Stream::existing(lab, stream);
    let texts: Vec<String> = (0..50)
        .map(|number| format!("{{\"of\":\"{of}\",\"number\":{number}}}"))
        .collect();
    for text in &texts {
        stream.put(text, text).await;
    }
    texts
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// Asks a channel to deliver immediately. Returns the status, and the message of a refusal.
pub(super) async fn flush(lab: &Lab, name: &str) -> (u16, String) {
    let path = format!("channels/{name}/flush");
    let answer = lab
        .send(&Request::bare("POST", &format!("/_minikin/{path}")))
        .await;
    let text = answer.text();
    (answer.status, text)
}

#[test]
fn the_objects_hold_every_record_across_resharding_and_restarts() {
    to_directory(&[], |lab, (home, place)| async move {
        let enable = json!({"MinimumThroughputBillingCommitment": {"Status": "ENABLED"}});
        ok(&lab, "UpdateAccountSettings", enable).await;
        create_stream(&lab, "s").await;
        created(&lab, to_plain_bucket("n", "s")).await;
        let mut expected = put(&lab, "s", "first").await;
        lab.clock.advance(ms(FRESHNESS_MS - 1)).await;
        assert_eq!(lines(&home, "bucket"), Vec::<String>::new());
        lab.clock.advance(ms(1)).await;
        assert_eq!(lines(&home, "bucket"), sorted(expected.clone()));
        expected.extend(put(&lab, "s", "second").await);
        let warm = json!({"StreamName": "s", "WarmThroughputMiBps": 7});
        ok(&lab, "UpdateStreamWarmThroughput", warm).await;
        expected.extend(put(&lab, "s", "third").await);
        if place == Place::Disk {
            assert!(lab.restart().await);
            expected.extend(put(&lab, "s", "fourth").await);
        }
        assert_eq!(flush(&lab, "n").await.0, 204);
        assert_eq!(lines(&home, "bucket"), sorted(expected));
    });
}

#[test]
fn a_channel_that_was_stopped_before_its_checkpoint_repeats_the_object() {
    let home = Arc::new(TempDir::new().unwrap());
    let directory = home.path().to_str().unwrap().to_owned();
    let flags = ["--channels-s3-local-dir", &directory];
    crate::lab::run(Place::Disk, &flags, |lab| {
        let home = home.clone();
        async move {
            create_stream(&lab, "s").await;
            created(&lab, to_plain_bucket("n", "s")).await;
            let (mut expected, mut written) = (Vec::new(), BTreeMap::new());
            for round in 0..5 {
                let stop = Rule::new(Point::Checkpoint, Fault::Drop).unwrap();
                lab.set_faults(vec![stop]);
                expected.extend(put(&lab, "s", &round.to_string()).await);
                lab.clock.advance(ms(FRESHNESS_MS)).await;
                let now = files(home.path());
                for (key, body) in &written {
                    assert!(now.get(key) == Some(body), "{key} was changed");
                }
                written = now;
                assert!(lab.restart().await);
            }
            assert_eq!(flush(&lab, "n").await.0, 204);
            assert_eq!(lines(&home, "bucket"), sorted(expected));
        }
    });
}

#[test]
fn slashes_in_a_row_in_a_key_count_as_one_in_a_folder() {
    to_directory(&[], |lab, (home, _)| async move {
        create_stream(&lab, "s").await;
        let mut body = to_plain_bucket("n", "s");
        let destination = &mut body["S3DestinationConfiguration"];
        destination["StorageConfiguration"]["OutputKeyTemplate"] = json!("a//b");
        destination["DeadLetterQueueS3Configuration"] = json!({
            "BucketARN": "arn:aws:s3:::bucket", "ExpectedBucketOwner": ACCOUNT,
            "ErrorOutputPrefix": "bad//",
        });
        created(&lab, body).await;
        let stream = Stream::existing(&lab, "s");
        stream.put("k", "{").await;
        stream.put("k", "{}").await;
        assert_eq!(flush(&lab, "n").await.0, 204);
        let written = files(&home.path().join("bucket"));
        let keys: Vec<&String> = written.keys().collect();
        let [object, letter] = keys[..] else {
            panic!("{keys:?}");
        };
        assert!(object.starts_with("a/b-"), "{object}");
        assert!(letter.starts_with("bad/2023/"), "{letter}");
    });
}

#[test]
fn a_key_has_the_time_and_the_number_of_a_record_of_its_object() {
    to_directory(&[], |lab, (home, _)| async move {
        create_stream(&lab, "s").await;
        let mut body = to_plain_bucket("n", "s");
        let storage = &mut body["S3DestinationConfiguration"]["StorageConfiguration"];
        storage["OutputKeyTemplate"] = json!("!{HH}-!{mm}/!{sequence-number}");
        created(&lab, body).await;
        let stream = Stream::existing(&lab, "s");
        stream.put("k", "{").await;
        lab.clock.advance(ms(120_000)).await;
        let valid = stream.put("k", "{}").await;
        assert_eq!(flush(&lab, "n").await.0, 204);
        let written = files(&home.path().join("bucket"));
        let expected = format!("22-15/{}-", valid.number);
        assert!(
            written.keys().any(|key| key.starts_with(&expected)),
            "{written:?}"
        );
    });
}

#[test]
fn failures_are_listed_in_their_own_bucket() {
    to_directory(&[], |lab, (home, _)| async move {
        create_stream(&lab, "s").await;
        let mut body = to_plain_bucket("n", "s");
        body["S3DestinationConfiguration"]["DeadLetterQueueS3Configuration"] = json!({
            "BucketARN": "arn:aws:s3:::letters", "ExpectedBucketOwner": ACCOUNT,
            "ErrorOutputPrefix": "bad/",
        });
        created(&lab, body).await;
        let stream = Stream::existing(&lab, "s");
        stream.put("k", "{}").await;
        let invalid = stream.put("k", "{").await;
        assert_eq!(flush(&lab, "n").await.0, 204);
        assert_eq!(lines(&home, "bucket"), ["{}"]);
        let letters = files(&home.path().join("letters"));
        let (key, letter) = letters.first_key_value().unwrap();
        assert!(key.starts_with("bad/2023/11/14/22/n-"), "{key}");
        let letter: Value = serde_json::from_slice(letter).unwrap();
        assert_eq!(letter["sequenceNumber"], invalid.number);
        assert_eq!(letter["shardId"], invalid.shard);
        assert_eq!(letter["streamArn"], arn_of("s"));
        assert_eq!(
            letter["approximateArrivalTimestamp"],
            "2023-11-14T22:13:20.000Z"
        );
    });
}

kinesis_test!(
    a_bucket_that_may_not_be_created_fails_the_channel,
    [
        "--channels-s3-local-dir",
        "/dev/null/buckets",
        "--channels-s3-create-buckets",
        "off"
    ],
    |lab| async move {
        create_stream(&lab, "s").await;
        let arn = created(&lab, to_plain_bucket("n", "s")).await;
        let failed = describe(&lab, &arn).await;
        assert_eq!(failed["ChannelStatus"], "FAILED");
        let reason = failed["ChannelStatusReason"].as_str().unwrap();
        assert!(
            reason.starts_with("The bucket cannot be used: "),
            "{reason}"
        );
        let (status, text) = flush(&lab, "n").await;
        assert_eq!(status, 409, "{text}");
    }
);

#[test]
fn another_owner_of_a_bucket_fails_the_channel() {
    to_directory(&[], |lab, _| async move {
        create_stream(&lab, "s").await;
        let mut body = to_plain_bucket("n", "s");
        let storage = &mut body["S3DestinationConfiguration"]["StorageConfiguration"];
        storage["ExpectedBucketOwner"] = json!("999999999999");
        let arn = created(&lab, body).await;
        let failed = describe(&lab, &arn).await;
        let reason = "The bucket bucket does not belong to the account 999999999999.";
        assert_eq!(failed["ChannelStatusReason"], reason);
    });
}

#[test]
fn a_fault_rule_holds_a_delivery_up_and_is_seen_in_the_metrics() {
    to_directory(&[], |lab, (home, _)| async move {
        create_stream(&lab, "s").await;
        created(&lab, to_plain_bucket("n", "s")).await;
        let rule = r#"{"kind": "deliver-object", "stream": "s", "times": 1}"#;
        assert_eq!(own(&lab, "POST", "faults", rule).await.0, 200);
        let refused = r#"{"kind": "deliver-object", "shard": "shardId-000000000000"}"#;
        assert_eq!(own(&lab, "POST", "faults", refused).await.0, 400);
        let expected = put(&lab, "s", "all").await;
        let (status, text) = flush(&lab, "n").await;
        assert_eq!(status, 409);
        assert!(text.contains("an injected fault"), "{text}");
        let metrics = async || {
            let answer = lab.send(&Request::bare("GET", "/_minikin/metrics")).await;
            answer.text()
        };
        let labels = r#"{channel_name="n",stream_name="s"}"#;
        let failed = format!("minikin_channel_failed_attempts_total{labels} 1");
        let waiting = format!("minikin_channel_buffered_records{labels} 50");
        let text = metrics().await;
        assert!(text.contains(&failed) && text.contains(&waiting), "{text}");
        // The channel makes the next attempt by itself.
        lab.clock.advance(ms(1_000)).await;
        assert_eq!(lines(&home, "bucket"), sorted(expected));
        let delivered = format!("minikin_channel_delivered_records_total{labels} 50");
        let text = metrics().await;
        assert!(text.contains(&delivered), "{text}");
    });
}
