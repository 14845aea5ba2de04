//! Tests of filter patterns: each test compares a pattern with the data of a record.

use super::*;
use crate::model::SequenceNumber;
use proptest::prelude::*;

fn record<'a>(key: &'a str, data: &'a [u8]) -> EventRecord<'a> {
    EventRecord {
        partition_key: Some(key),
        number: SequenceNumber {
            created_s: 1_700_000_000,
            shard: 0,
            index: 1,
            time_s: 1_700_000_000,
        },
        arrival_ms: 1_700_000_000_000,
        data,
    }
}

const META: MetaData<'_> = MetaData {
    shard: "shardId-000000000000",
    source: "arn:aws:kinesis:us-east-1:000000000000:stream/s",
    region: "us-east-1",
};

fn filters(pattern: &str) -> Result<Filters, Refusal> {
    Filters::read(&[pattern.to_owned()])
}

/// True if a filter with the pattern `{"data": PATTERN}` matches a record with the data `data`.
fn kept(pattern: &str, data: &str) -> bool {
    let filters = filters(&format!(r#"{{"data":{pattern}}}"#)).unwrap();
    filters.keep(&record("k", data.as_bytes()), META)
}

/// Test cases. A case is a pattern, the data of a record, and true if the pattern matches the data.
const CASES: &[(&str, &str, bool)] = &[
    (r#"{"t":["a"]}"#, r#"{"t":"a"}"#, true),
    (r#"{"t":["a"]}"#, r#"{"t":"A"}"#, false),
    (r#"{"t":["a"]}"#, r#"{"t":"ab"}"#, false),
    (r#"{"t":["a","b"]}"#, r#"{"t":"b"}"#, true),
    (r#"{"t":["a"],"u":[1]}"#, r#"{"t":"a","u":1}"#, true),
    (r#"{"t":["a"],"u":[1]}"#, r#"{"t":"a","u":2}"#, false),
    (r#"{"t":["a"]}"#, r#"{"t":["x","a"]}"#, true),
    (r#"{"t":["a"]}"#, r#"{"t":[]}"#, false),
    (r#"{"t":[""]}"#, r#"{"t":""}"#, true),
    (r#"{"t":[""]}"#, "{}", false),
    (r#"{"t":[null]}"#, r#"{"t":null}"#, true),
    (r#"{"t":[null]}"#, "{}", false),
    (r#"{"t":[true]}"#, r#"{"t":true}"#, true),
    (r#"{"t":[true]}"#, r#"{"t":"true"}"#, false),
    (r#"{"t":[300]}"#, r#"{"t":300}"#, true),
    (r#"{"t":[300]}"#, r#"{"t":300.0}"#, false),
    (r#"{"t":[300]}"#, r#"{"t":"300"}"#, false),
    (r#"{"t":[{"prefix":"a"}]}"#, r#"{"t":"ab"}"#, true),
    (r#"{"t":[{"prefix":"a"}]}"#, r#"{"t":"ba"}"#, false),
    (r#"{"t":[{"suffix":"b"}]}"#, r#"{"t":"ab"}"#, true),
    (r#"{"t":[{"suffix":"b"}]}"#, r#"{"t":"ba"}"#, false),
    (
        r#"{"t":[{"equals-ignore-case":"Ab"}]}"#,
        r#"{"t":"aB"}"#,
        true,
    ),
    (
        r#"{"t":[{"equals-ignore-case":"Ab"}]}"#,
        r#"{"t":"abc"}"#,
        false,
    ),
    (r#"{"t":[{"numeric":["=",300]}]}"#, r#"{"t":3.0e2}"#, true),
    (r#"{"t":[{"numeric":[">",1]}]}"#, r#"{"t":1}"#, false),
    (r#"{"t":[{"numeric":[">=",1,"<",3]}]}"#, r#"{"t":1}"#, true),
    (r#"{"t":[{"numeric":[">=",1,"<",3]}]}"#, r#"{"t":3}"#, false),
    (r#"{"t":[{"numeric":["<=",3]}]}"#, r#"{"t":"1"}"#, false),
    (r#"{"t":[{"exists":true}]}"#, r#"{"t":null}"#, true),
    (r#"{"t":[{"exists":true}]}"#, "{}", false),
    (r#"{"t":[{"exists":false}]}"#, "{}", true),
    (r#"{"t":[{"exists":false}]}"#, r#"{"t":1}"#, false),
    (r#"{"t":[{"anything-but":"a"}]}"#, r#"{"t":"b"}"#, true),
    (r#"{"t":[{"anything-but":"a"}]}"#, r#"{"t":"a"}"#, false),
    (r#"{"t":[{"anything-but":["a",1]}]}"#, r#"{"t":1}"#, false),
    (r#"{"t":[{"anything-but":["a",1]}]}"#, r#"{"t":2}"#, true),
    (
        r#"{"t":[{"anything-but":{"prefix":"a"}}]}"#,
        r#"{"t":"ab"}"#,
        false,
    ),
    (
        r#"{"t":[{"anything-but":{"suffix":"b"}}]}"#,
        r#"{"t":"ba"}"#,
        true,
    ),
    (r#"{"t":[{"anything-but":"a"}]}"#, "{}", false),
    (
        r#"{"t":[{"anything-but":"a"}]}"#,
        r#"{"t":["b","a"]}"#,
        false,
    ),
    (r#"{"a":{"b":["x"]}}"#, r#"{"a":{"b":"x"}}"#, true),
    (r#"{"a":{"b":["x"]}}"#, r#"{"a":{"b":"y"}}"#, false),
    (
        r#"{"a":{"b":["x"]}}"#,
        r#"{"a":[{"b":"y"},{"b":"x"}]}"#,
        true,
    ),
    (r#"{"a":{"b":["x"]}}"#, r#"{"a":"x"}"#, false),
    (r#"{"a":{"b":[{"exists":false}]}}"#, "{}", true),
    (r#"{"$or":[{"a":[1]},{"b":[2]}]}"#, r#"{"b":2}"#, true),
    (r#"{"$or":[{"a":[1]},{"b":[2]}]}"#, r#"{"a":2}"#, false),
    (
        r#"{"c":[3],"$or":[{"a":[1]},{"b":[2]}]}"#,
        r#"{"a":1}"#,
        false,
    ),
    (
        r#"{"c":[3],"$or":[{"a":[1]},{"b":[2]}]}"#,
        r#"{"a":1,"c":3}"#,
        true,
    ),
    ("{}", r#"{"a":1}"#, true),
];

#[test]
fn case_73_patterns_match_as_eventbridge_does() {
    for (pattern, data, matches) in CASES {
        assert_eq!(kept(pattern, data), *matches, "{pattern} and {data}");
    }
}

#[test]
fn case_74_other_texts_are_no_patterns() {
    for pattern in [
        "x",
        "\"x\"",
        "[]",
        r#"{"data":"x"}"#,
        r#"{"data":["x"]}"#,
        r#"{"data":null}"#,
        r#"{"data":{"t":"a"}}"#,
        r#"{"data":{"t":[]}}"#,
        r#"{"data":{"t":[["a"]]}}"#,
        r#"{"data":{"t":[{"wildcard":"a*"}]}}"#,
        r#"{"data":{"t":[{"cidr":"10.0.0.0/8"}]}}"#,
        r#"{"data":{"t":[{"prefix":"a","suffix":"b"}]}}"#,
        r#"{"data":{"t":[{}]}}"#,
        r#"{"data":{"t":[{"prefix":1}]}}"#,
        r#"{"data":{"t":[{"exists":"yes"}]}}"#,
        r#"{"data":{"t":[{"numeric":[]}]}}"#,
        r#"{"data":{"t":[{"numeric":["<"]}]}}"#,
        r#"{"data":{"t":[{"numeric":["!",1]}]}}"#,
        r#"{"data":{"t":[{"numeric":[">",3,"<",1]}]}}"#,
        r#"{"data":{"t":[{"anything-but":[]}]}}"#,
        r#"{"data":{"t":[{"anything-but":{"exists":true}}]}}"#,
        r#"{"data":{"$or":[]}}"#,
        r#"{"data":{"$or":[1]}}"#,
    ] {
        assert_eq!(
            filters(pattern).unwrap_err(),
            Refusal::filter(),
            "{pattern}"
        );
    }
}

#[test]
fn case_72_data_that_is_no_json_is_dropped_by_a_pattern_of_data_alone() {
    assert!(!kept("{}", "no json"));
    assert!(!kept(r#"{"t":[{"exists":false}]}"#, "no json"));
    let beside = filters(r#"{"partitionKey":["k"]}"#).unwrap();
    assert!(beside.compare_attributes());
    assert!(beside.keep(&record("k", b"no json"), META));
    assert!(!beside.keep(&record("l", b"no json"), META));
    assert!(filters("{}").unwrap().keep(&record("k", b"no json"), META));
}

#[test]
fn one_filter_of_several_will_do() {
    let both = [r#"{"data":{"t":["a"]}}"#, r#"{"data":{"t":["b"]}}"#].map(str::to_owned);
    let filters = Filters::read(&both).unwrap();
    for (data, kept) in [
        (r#"{"t":"a"}"#, true),
        (r#"{"t":"b"}"#, true),
        (r#"{"t":"c"}"#, false),
    ] {
        assert_eq!(filters.keep(&record("k", data.as_bytes()), META), kept);
    }
    let none = Filters::read(&[]).unwrap();
    assert!(none.is_empty() && none.keep(&record("k", b"x"), META));
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..3).prop_map(Value::from),
        "[ab]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        let members =
            prop::collection::btree_map("[abt]|\\$or|prefix|exists|numeric", inner.clone(), 0..3);
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_pattern_and_no_data_are_too_odd(pattern in value(), data in value()) {
        let pattern = serde_json::json!({ "data": pattern }).to_string();
        if let Ok(filters) = filters(&pattern) {
            let data = data.to_string();
            let _kept = filters.keep(&record("k", data.as_bytes()), META);
        }
    }

    #[test]
    fn a_leaf_and_its_negation_split_the_texts(text in "[abc]{0,3}", wanted in "[abc]{0,3}") {
        let data = serde_json::json!({ "t": text }).to_string();
        let equal = serde_json::json!({ "t": [wanted] }).to_string();
        let other = serde_json::json!({ "t": [{ "anything-but": wanted }] }).to_string();
        prop_assert_eq!(kept(&equal, &data), text == wanted);
        prop_assert_eq!(kept(&other, &data), text != wanted);
    }
}
