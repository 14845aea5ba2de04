//! The report (`ReportBatchItemFailures`) in which a function names the failed records of a batch.

use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// The outcome of a batch after the function answered without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All records of the batch are done.
    Done,
    /// The first records of the batch are done, and the remaining records form a new batch. Holds
    /// the number of records that are done, at least 1.
    Partial(usize),
    /// No record of the batch is done.
    Failed,
}

/// Returns the outcome of a batch. `body` is the function's answer. `numbers` returns the sequence
/// numbers of the batch's records, in their order. `reports` is false for a mapping that does not
/// use reports. In this case, `body` is ignored.
pub fn outcome(reports: bool, body: &[u8], numbers: impl FnOnce() -> Vec<String>) -> Outcome {
    if !reports || body.is_empty() {
        return Outcome::Done;
    }
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return Outcome::Failed;
    };
    let failures = match body.get("batchItemFailures") {
        None | Some(Value::Null) => return Outcome::Done,
        Some(Value::Array(failures)) if failures.is_empty() => return Outcome::Done,
        Some(Value::Array(failures)) => failures,
        Some(_) => return Outcome::Failed,
    };
    let numbers = numbers();
    let mut positions = HashMap::with_capacity(numbers.len());
    for (at, number) in numbers.iter().enumerate() {
        // The user records of an aggregated record have the same sequence number. If a report
        // contains this number, it means the first user record.
        positions.entry(number.as_str()).or_insert(at);
    }
    let position = |failure: &Value| {
        let number = failure.get("itemIdentifier")?.as_str()?;
        positions.get(number).copied()
    };
    // An unknown identifier in the report fails the whole batch. This rule is a choice if the
    // report also contains valid identifiers.
    let positions: Option<Vec<usize>> = failures.iter().map(position).collect();
    match positions.and_then(|positions| positions.into_iter().min()) {
        None | Some(0) => Outcome::Failed,
        Some(first) => Outcome::Partial(first),
    }
}

/// Returns the JSON of the member `state` in `body`, the answer to an invocation with a tumbling
/// window. The text of the state is not changed, so that its numbers keep their spelling. Returns
/// `None` if the member is missing or not an object. The caller then treats the invocation as
/// failed.
pub fn window_state(body: &[u8]) -> Option<String> {
    let members: HashMap<String, &RawValue> = serde_json::from_slice(body).ok()?;
    let state = members.get("state")?.get();
    state.starts_with('{').then(|| state.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers(count: usize) -> Vec<String> {
        (1..=count).map(|number| number.to_string()).collect()
    }

    fn report(body: &str) -> Outcome {
        outcome(true, body.as_bytes(), || numbers(4))
    }

    #[test]
    fn case_22_an_empty_report_is_success() {
        for body in [
            "",
            "\"\"",
            "[]",
            "null",
            "{}",
            r#"{"batchItemFailures":[]}"#,
            r#"{"batchItemFailures":null}"#,
            "7",
            r#"{"a":1}"#,
        ] {
            assert_eq!(report(body), Outcome::Done, "{body}");
        }
    }

    #[test]
    fn case_23_a_wrong_identifier_fails_the_batch() {
        for failures in [
            r#"[{"itemIdentifier":123}]"#,
            r#"[{"itemIdentifier":""}]"#,
            r#"[{"itemIdentifier":null}]"#,
            r#"[{"foo":1}]"#,
            r#"[{"itemIdentifier":"99"}]"#,
            r#"[{"itemIdentifier":"3"},{"itemIdentifier":"x"}]"#,
            "[{}]",
            "[7]",
            r#""2""#,
            "{}",
        ] {
            let body = format!(r#"{{"batchItemFailures":{failures}}}"#);
            assert_eq!(report(&body), Outcome::Failed, "{body}");
        }
        assert_eq!(report("no json"), Outcome::Failed);
    }

    #[test]
    fn case_24_a_report_that_is_not_asked_for_is_ignored() {
        let body = br#"{"batchItemFailures":[{"itemIdentifier":"1"}]}"#;
        assert_eq!(outcome(false, body, || numbers(2)), Outcome::Done);
        assert_eq!(outcome(false, b"no json", || numbers(2)), Outcome::Done);
    }

    proptest! {
        #[test]
        fn case_21_the_lowest_identifier_counts(
            size in 1_usize..50, chosen in prop::collection::vec(any::<prop::sample::Index>(), 1..9),
        ) {
            let numbers = numbers(size);
            let chosen: Vec<usize> = chosen.iter().map(|at| at.index(size)).collect();
            let failures: Vec<Value> = chosen
                .iter()
                .map(|at| serde_json::json!({ "itemIdentifier": numbers[*at] }))
                .collect();
            let body = serde_json::json!({ "batchItemFailures": failures }).to_string();
            let first = chosen.into_iter().min().unwrap();
            let expected = if first == 0 { Outcome::Failed } else { Outcome::Partial(first) };
            prop_assert_eq!(outcome(true, body.as_bytes(), || numbers), expected);
        }
    }

    #[test]
    fn case_90_an_aggregate_goes_on_from_its_first_record() {
        let numbers: Vec<String> = ["1", "2", "2", "2", "3"].map(str::to_owned).into();
        let body = br#"{"batchItemFailures":[{"itemIdentifier":"2"}]}"#;
        assert_eq!(outcome(true, body, || numbers), Outcome::Partial(1));
    }

    #[test]
    fn case_82_a_state_is_an_object() {
        assert_eq!(
            window_state(br#"{"state":{"a":1}}"#).as_deref(),
            Some(r#"{"a":1}"#)
        );
        let digits = r#"{"n":12345678901234567890123,"z":1.10}"#;
        let body = format!(r#"{{"other":1,"state": {digits} }}"#);
        assert_eq!(window_state(body.as_bytes()).as_deref(), Some(digits));
        for body in ["", "{}", r#"{"state":null}"#, r#"{"state":[]}"#, "x"] {
            assert_eq!(window_state(body.as_bytes()), None, "{body}");
        }
    }
}
