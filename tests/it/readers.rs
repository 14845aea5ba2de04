//! Checks that apply to queues and to channels.

use crate::lab::{ACCOUNT, Lab, START_MS, arn_of, ok, ok_cbor, refused};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Changes and lists the tags of a queue or channel that has the tag `a`.
pub(crate) async fn check_tags(lab: &Lab, arn: &str) {
    let resource = json!({"ResourceARN": arn});
    let with = |member: &str, value: Value| {
        let mut body = resource.clone();
        body[member] = value;
        body
    };
    ok(lab, "TagResource", with("Tags", json!({"b": "2"}))).await;
    ok(lab, "UntagResource", with("TagKeys", json!(["a"]))).await;
    let tags = ok_cbor(lab, "ListTagsForResource", resource.clone()).await;
    assert_eq!(tags["Tags"], json!([{"Key": "b", "Value": "2"}]));
    let many: BTreeMap<_, _> = (0..50).map(|at| (at.to_string(), "")).collect();
    let refusal = refused(lab, "TagResource", with("Tags", json!(many))).await;
    let expected = format!(
        "InvalidArgumentException: Failed to add tags to resource {arn} under account {ACCOUNT} \
         because a given resource cannot have more than 50 tags associated with it."
    );
    assert_eq!(refusal, expected);
}

/// Lists queues or channels by their streams. Four exist, `of_s` of them on the stream `s` and the
/// others on `t`.
pub(crate) async fn check_filters(names: impl AsyncFn(Value) -> Vec<String>, of_s: usize) {
    let both = json!([{"StreamARN": arn_of("t")}, {"StreamARN": arn_of("s")}]);
    assert_eq!(names(json!({"StreamFilter": both})).await.len(), 4);
    let unknown = json!([{"StreamARN": arn_of("gone")}]);
    assert_eq!(names(json!({"StreamFilter": unknown})).await.len(), 0);
    for (created_ms, count) in [(START_MS, of_s), (START_MS + 1, 0), (START_MS + 1_000, 0)] {
        let created = created_ms as f64 / 1000.0;
        let filter = json!([{"StreamARN": arn_of("s"), "StreamCreationTimestamp": created}]);
        assert_eq!(names(json!({"StreamFilter": filter})).await.len(), count);
    }
}
