//! Cases 88 to 90: consumers, and aggregated records of the KPL.

use super::bench::{Bench, Say, bench};
use md5::{Digest as _, Md5};
use serde_json::{Value, json};

async fn register(bench: &Bench) -> String {
    let body = json!({ "StreamARN": bench.stream.arn(), "ConsumerName": "c" }).to_string();
    let consumer = bench.lab.ok("RegisterStreamConsumer", &body).await;
    consumer["Consumer"]["ConsumerARN"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// An aggregated record. All its user records have the key `k`.
fn aggregate(texts: &[&str]) -> Vec<u8> {
    let field = |number: u8, bytes: &[u8]| -> Vec<u8> {
        [
            &[number << 3 | 2, u8::try_from(bytes.len()).unwrap()],
            bytes,
        ]
        .concat()
    };
    let mut message = field(1, b"k");
    for text in texts {
        let record = [vec![1 << 3, 0], field(3, text.as_bytes())].concat();
        message.extend(field(3, &record));
    }
    let digest = Md5::digest(&message);
    [
        &[0xF3, 0x89, 0x9A, 0xC2],
        message.as_slice(),
        digest.as_slice(),
    ]
    .concat()
}

#[test]
fn case_88_a_consumer_stands_in_event_and_record() {
    bench(
        |_, _| Say::Fail,
        |bench| async move {
            let arn = register(&bench).await;
            let mapping = bench.map(json!({ "EventSourceArn": arn, "MaximumRetryAttempts": 0 }));
            bench.put("a").await;
            bench.drain().await;
            let seen = bench.script.seen();
            assert_eq!(seen[0].body["Records"][0]["eventSourceARN"], arn);
            assert_eq!(
                Bench::failures(&mapping)[0]["KinesisBatchInfo"]["streamArn"],
                arn
            );
            let body = json!({ "ConsumerARN": arn }).to_string();
            bench.lab.ok("DeregisterStreamConsumer", &body).await;
            bench.put("b").await;
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["a"]);
            assert_eq!(bench.result(&mapping), "PROBLEM: Consumer not found");
            let unknown = json!({ "EventSourceArn": arn, "FunctionName": "g" });
            let refusal = bench.lab.map(&bench.request(unknown)).unwrap_err();
            assert_eq!(refusal.message, format!("Stream not found: {arn}"));
        },
    );
}

#[test]
fn case_89_aggregates_are_taken_apart_for_consumers_only() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            let arn = register(&bench).await;
            let whole = aggregate(&["u1", "u2", "u3"]);
            let placed = bench.stream.put("k", &whole).await;
            bench.map(json!({ "EventSourceArn": arn }));
            bench.drain().await;
            let seen = bench.script.seen();
            assert_eq!(bench.script.batches(), ["u1u2u3"]);
            assert_eq!(seen[0].numbers, vec![placed.number; 3]);
            let records = seen[0].body["Records"].as_array().unwrap();
            let ids: Vec<&Value> = records.iter().map(|record| &record["eventID"]).collect();
            assert!(ids.iter().all(|id| *id == ids[0]));
        },
    );
}

#[test]
fn case_89_a_mapping_of_the_stream_gets_the_aggregate_as_it_is() {
    bench(
        |_, _| Say::ok(),
        |bench| async move {
            // A shorter record would have to be UTF-8 for the texts of the script.
            let text = "x".repeat(101);
            let whole = aggregate(&[&text]);
            bench.stream.put("k", &whole).await;
            bench.map(json!({}));
            bench.drain().await;
            assert_eq!(bench.script.batches(), [format!("<{}>", whole.len())]);
        },
    );
}

#[test]
fn case_89_a_damaged_aggregate_is_delivered_and_a_foreign_one_dropped() {
    const MIDDLE: &str = "170141183460469231731687303715884105728";
    bench(
        |_, _| Say::ok(),
        |mut bench| async move {
            bench.stream = bench.lab.stream("two").shards(2).create().await;
            let arn = register(&bench).await;
            let text = "x".repeat(101);
            let whole = aggregate(&[&text]);
            let mut damaged = whole.clone();
            *damaged.last_mut().unwrap() ^= 1;
            let mapping = bench.map(json!({ "EventSourceArn": arn }));
            // The hash key of the user record belongs to only one of the shards.
            for hash_key in ["0", MIDDLE] {
                bench.stream.put_at(hash_key, &damaged).await;
                bench.stream.put_at(hash_key, &whole).await;
            }
            bench.drain().await;
            let mut all: Vec<String> = bench
                .script
                .seen()
                .into_iter()
                .flat_map(|seen| seen.texts)
                .collect();
            all.sort();
            let raw = format!("<{}>", damaged.len());
            let mut expected = vec![raw.clone(), raw, "<101>".to_owned()];
            expected.sort();
            assert_eq!(all, expected);
            let filtered = mapping
                .counters
                .filtered
                .load(std::sync::atomic::Ordering::Relaxed);
            assert_eq!(filtered, 1);
        },
    );
}

#[test]
fn case_90_a_report_goes_on_from_the_first_entry_of_an_aggregate() {
    bench(
        |seen, number| match number {
            1 => Say::failures(&[&seen.numbers[2]]),
            _ => Say::ok(),
        },
        |bench| async move {
            let arn = register(&bench).await;
            bench.put("a").await;
            bench.stream.put("k", aggregate(&["u1", "u2"])).await;
            bench.put("b").await;
            bench.map(json!({
                "EventSourceArn": arn, "FunctionResponseTypes": ["ReportBatchItemFailures"],
            }));
            bench.drain().await;
            assert_eq!(bench.script.batches(), ["au1u2b", "u1u2b"]);
        },
    );
}
