//! Properties that hold for all generated inputs.

mod following;

use crate::lab::{Answer, Lab, Place, Request, Stream, block_on, cbor};
use minikin::internals::operation::{Entry, OPERATIONS};
use minikin::internals::wire::Shape;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Checks a property against one emulator that all cases share.
fn hold<T: std::fmt::Debug>(
    cases: u32,
    strategy: impl Strategy<Value = T>,
    property: impl AsyncFn(&Lab, T) -> Result<(), TestCaseError>,
) {
    hold_in(Place::Memory, &[], cases, strategy, property);
}

/// Checks a property against one emulator with these flags.
fn hold_in<T: std::fmt::Debug>(
    place: Place,
    flags: &[&str],
    cases: u32,
    strategy: impl Strategy<Value = T>,
    property: impl AsyncFn(&Lab, T) -> Result<(), TestCaseError>,
) {
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let flags = [&["--profile", "fast"], flags].concat();
    let lab = runtime.block_on(Lab::start(place, &flags));
    runtime.block_on(lab.stream("s").create());
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let result = runner.run(&strategy, |case| runtime.block_on(property(&lab, case)));
    runtime.block_on(lab.stop());
    if let Err(error) = result {
        panic!("{error}");
    }
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-3.0..20_000.0).prop_map(|number: f64| json!(number)),
        "[a-z]{0,6}".prop_map(Value::from),
        Just(json!("AAAA")),
        Just(json!("s")),
        Just(json!("0")),
        Just(json!("shardId-000000000000")),
        Just(json!("TRIM_HORIZON")),
        Just(json!("PROVISIONED")),
        Just(json!(1)),
        "\\PC{0,8}".prop_map(Value::from),
    ]
}

fn document() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[A-Za-z]{0,5}", inner, 0..4)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// A value that usually fits a shape.
fn suiting(shape: &'static Shape) -> BoxedStrategy<Value> {
    let fitting: BoxedStrategy<Value> = match shape {
        Shape::Text { values, .. } if !values.is_empty() => {
            prop::sample::select(*values).prop_map(Value::from).boxed()
        }
        Shape::Text { .. } => prop_oneof![
            Just(json!("s")),
            Just(json!("shardId-000000000000")),
            Just(json!("0")),
            Just(json!(
                "49646437577108476416916876405825929425585429676275269634"
            )),
            Just(json!("arn:aws:kinesis:us-east-1:000000000000:stream/s")),
        ]
        .boxed(),
        Shape::Integer { .. } => (1..9_i32).prop_map(Value::from).boxed(),
        Shape::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        Shape::Blob { .. } => prop_oneof![Just(json!("")), Just(json!("AP8Q"))].boxed(),
        Shape::Timestamp => (0..1_700_000_000_i64).prop_map(Value::from).boxed(),
        Shape::List { element, .. } => prop::collection::vec(suiting(element), 0..4)
            .prop_map(Value::from)
            .boxed(),
        Shape::Map { value, .. } => prop::collection::btree_map("[a-z]{1,3}", suiting(value), 0..3)
            .prop_map(|map| map.into_iter().collect())
            .boxed(),
        Shape::Structure(_) => structure(shape),
    };
    prop_oneof![9 => fitting, 1 => document()].boxed()
}

fn structure(shape: &'static Shape) -> BoxedStrategy<Value> {
    let member = |member: &'static minikin::internals::wire::Member| {
        let value = suiting(member.shape);
        let required = member.presence != minikin::internals::wire::Presence::Optional;
        let weight = if required { 0.95 } else { 0.3 };
        prop::option::weighted(weight, value).prop_map(|value| (member.name, value))
    };
    let members: Vec<_> = shape.members().into_iter().map(member).collect();
    let object = |members: Vec<(&str, Option<Value>)>| {
        let given = members
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        given.collect::<Value>()
    };
    members.prop_map(object).boxed()
}

/// An operation whose changes no other case notices, and an input of the operation.
fn call() -> impl Strategy<Value = (&'static Entry, Value)> {
    let harmless = [
        "DescribeStream",
        "DescribeStreamSummary",
        "GetRecords",
        "GetShardIterator",
        "ListShards",
        "ListStreams",
        "PutRecord",
        "PutRecords",
    ];
    let chosen: Vec<_> = OPERATIONS
        .iter()
        .filter(|entry| harmless.contains(&entry.name))
        .collect();
    prop::sample::select(chosen)
        .prop_flat_map(|entry| structure(entry.input).prop_map(move |input| (entry, input)))
}

/// An answer without the parts that differ in every answer.
fn said(answer: &Answer) -> Value {
    let mut value = answer.value();
    strip(&mut value);
    json!([answer.status, value])
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let fresh = [
                    "ShardIterator",
                    "NextShardIterator",
                    "NextToken",
                    "SequenceNumber",
                ];
                if fresh.contains(&name.as_str()) {
                    *value = Value::Null;
                }
                strip(value);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

/// The same document, in which numbers are written with an exponent where that is possible.
fn with_exponents(text: &str) -> String {
    let mut written = String::new();
    let mut in_text = false;
    let mut digits = String::new();
    let letters: Vec<char> = text.chars().chain([' ']).collect();
    for (at, letter) in letters.iter().enumerate() {
        if *letter == '"' && (at == 0 || letters[at - 1] != '\\') {
            in_text = !in_text;
        }
        if !in_text && letter.is_ascii_digit() {
            digits.push(*letter);
            continue;
        }
        if !digits.is_empty() {
            written.push_str(&digits);
            let part = ['.', 'e', 'E'].contains(letter) || written.contains('\u{0}');
            let fraction = written[..written.len() - digits.len()].ends_with(['.', '-', '+', 'e']);
            if !part && !fraction && digits.len() < 9 {
                written.push_str(".0e0");
            }
            digits.clear();
        }
        written.push(*letter);
    }
    written.trim_end().to_owned()
}

#[test]
fn json_and_cbor_say_the_same() {
    hold(600, call(), async |lab, (entry, input)| {
        let body = input.to_string();
        let json = lab.json(entry.name, &body).await;
        let cbor = lab
            .cbor(entry.name, &cbor::of_json(&body, entry.input))
            .await;
        prop_assert_ne!(json.status, 500, "{} {}", entry.name, &body);
        prop_assert_eq!(said(&json), said(&cbor), "{} {}", entry.name, body);
        Ok(())
    });
}

#[test]
fn the_form_of_a_request_makes_no_difference() {
    hold(400, call(), async |lab, (entry, input)| {
        let plain = input.to_string();
        let expected = said(&lab.json(entry.name, &plain).await);
        let pretty = serde_json::to_string_pretty(&input).unwrap();
        let rest = plain.strip_prefix('{').unwrap();
        let more = if rest == "}" { "" } else { "," };
        let forms = [
            pretty,
            with_exponents(&plain),
            format!(r#"{{"Unknown":[1.5,{{"a":null}}]{more}{rest}"#),
            format!(r#"{{"\u0055nknown":"\ud83d\ude00"{more}{rest}"#),
        ];
        for form in forms {
            let answer = lab.json(entry.name, &form).await;
            prop_assert_eq!(said(&answer), expected.clone(), "{} {}", entry.name, form);
        }
        Ok(())
    });
}

/// Both readers accept the same requests, but only the explaining reader accepts a text in the
/// place of bytes.
#[test]
fn the_fast_reader_and_the_explaining_one_agree() {
    let put = OPERATIONS
        .iter()
        .find(|entry| entry.name == "PutRecords")
        .unwrap();
    hold(300, structure(put.input), async |lab, input| {
        let body = input.to_string();
        let fast = lab.cbor(put.name, &cbor::of_json(&body, put.input)).await;
        let text = cbor::write(&cbor::from_json(&input, None));
        let explained = lab.cbor(put.name, &text).await;
        prop_assert_eq!(said(&fast), said(&explained), "{}", body);
        Ok(())
    });
}

#[test]
fn any_bytes_have_an_answer() {
    let bytes = prop::collection::vec(any::<u8>(), 1..40);
    let call = (
        prop::sample::select(OPERATIONS.iter().collect::<Vec<_>>()),
        bytes,
        any::<bool>(),
    );
    hold(
        400,
        call,
        async |lab, (entry, bytes, json): (&Entry, Vec<u8>, bool)| {
            let kind = if json { "json" } else { "cbor" };
            let kind = format!("application/x-amz-{kind}-1.1");
            let answer = lab.send(&Request::call(entry.name, &kind, &bytes)).await;
            prop_assert!(matches!(answer.status, 200 | 400), "{}", answer.text());
            Ok(())
        },
    );
}

/// A step of a test of one shard.
#[derive(Debug, Clone)]
enum Step {
    Put,
    PutMany(usize),
    /// Reads with a limit, from the reader's position on.
    Read(i32),
    /// Moves the reader to the start of the shard.
    Rewind,
    Advance(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        Just(Step::Put),
        (1..5_usize).prop_map(Step::PutMany),
        (1..6_i32).prop_map(Step::Read),
        Just(Step::Rewind),
        (0..3_000_u64).prop_map(Step::Advance),
    ];
    prop::collection::vec(step, 1..30)
}

/// A reader gets every record once and in order, in any order of puts and reads.
#[test]
fn puts_and_reads_may_take_turns_in_any_order() {
    let config = ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    for place in [Place::Memory, Place::Disk] {
        let mut runner = proptest::test_runner::TestRunner::new(config.clone());
        let result = runner.run(&steps(), |steps| {
            block_on(async {
                let lab = Lab::start(place, &["--profile", "fast"]).await;
                let result = story(&lab, steps).await;
                lab.stop().await;
                result
            })
        });
        if let Err(error) = result {
            panic!("{place:?}: {error}");
        }
    }
}

async fn story(lab: &Lab, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let stream = lab.stream("s").create().await;
    let start = stream.horizon(crate::lab::SHARD_0).await;
    let (mut iterator, mut put, mut seen) = (start.clone(), 0, 0);
    for step in steps {
        match step {
            Step::Put => {
                stream.put("k", put.to_string()).await;
                put += 1;
            }
            Step::PutMany(count) => {
                let texts: Vec<_> = (put..put + count).map(|at| at.to_string()).collect();
                let records: Vec<_> = texts.iter().map(|text| ("k", text)).collect();
                stream.put_records(&records).await;
                put += count;
            }
            Step::Read(limit) => {
                let (next, read) = read(&stream, &iterator, limit).await;
                let end = put.min(seen + usize::try_from(limit).unwrap());
                let expected: Vec<_> = (seen..end).map(|at| at.to_string()).collect();
                prop_assert_eq!(read, expected);
                (iterator, seen) = (next, end);
            }
            Step::Rewind => (iterator, seen) = (start.clone(), 0),
            Step::Advance(ms) => lab.clock.advance(crate::lab::ms(ms)).await,
        }
    }
    let all: Vec<_> = (0..put).map(|at| at.to_string()).collect();
    prop_assert_eq!(crate::lab::stream::texts(&stream.read_all().await), all);
    Ok(())
}

async fn read(stream: &Stream, iterator: &str, limit: i32) -> (String, Vec<String>) {
    let got = stream
        .client
        .get_records()
        .shard_iterator(iterator)
        .limit(limit);
    let got = got.send().await.unwrap();
    let texts = crate::lab::stream::texts(&got.records);
    (got.next_shard_iterator.unwrap(), texts)
}
