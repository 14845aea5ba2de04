//! Tags of streams and consumers, by the operations with a name and by the operations with an ARN.

use super::{ACCOUNT, arn_of, no_consumer, not_found, ok, ok_cbor, refused, restart};
use crate::lab::{Lab, Rounds, kinesis_test, wire_test};
use serde_json::{Value, json};

const CHARACTERS: &str = "InvalidArgumentException: Some tags contain invalid characters. Valid \
    characters: Unicode letters, digits, white space, _ . / = + - % @.";

const RESERVED: &str = "InvalidArgumentException: Some tag keys in the request started with \
    'aws:'. System tags cannot be modified.";

/// The refusal to change the tags of `owner`, which is a stream or another resource with its name.
fn illegal(verb: &str, owner: &str) -> String {
    format!(
        "InvalidArgumentException: Failed to {verb} {owner} under account {ACCOUNT} because some \
         tags contained illegal characters. The allowed characters are Unicode letters, \
         white-spaces, '_',',','/','=','+','-','@'."
    )
}

/// Tags `k000` and so on.
fn many(from: usize, count: usize) -> Value {
    (from..from + count)
        .map(|at| (format!("k{at:03}"), Value::from("v")))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// The tags of the stream. Checks that the listing by name and the listing by ARN are equal.
async fn tags(lab: &Lab) -> Vec<(String, String)> {
    let got = ok(lab, "ListTagsForStream", json!({"StreamName": "s"})).await;
    assert_eq!(got["HasMoreTags"], false);
    let by_arn = ok_cbor(
        lab,
        "ListTagsForResource",
        json!({"ResourceARN": arn_of("s")}),
    )
    .await;
    assert_eq!(by_arn["Tags"], got["Tags"]);
    pairs(&got["Tags"])
}

fn pairs(tags: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let pair = |tag: &Value| {
        assert_eq!(tag.as_object().unwrap().len(), 2, "{tag}");
        (text(&tag["Key"]), text(&tag["Value"]))
    };
    tags.as_array().unwrap().iter().map(pair).collect()
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

kinesis_test!(
    tags_are_merged_replaced_and_removed_by_both_ways,
    |lab| async move {
        let create = json!({"StreamName": "s", "ShardCount": 1, "Tags": {"a": "1", "b": ""}});
        ok(&lab, "CreateStream", create).await;
        assert_eq!(tags(&lab).await, owned(&[("a", "1"), ("b", "")]));
        let add = json!({"StreamName": "s", "Tags": {"b": "2", "c": "3"}});
        assert_eq!(ok(&lab, "AddTagsToStream", add).await, Value::Null);
        let add = json!({"ResourceARN": arn_of("s"), "Tags": {"c": "", "d": "4"}});
        assert_eq!(ok_cbor(&lab, "TagResource", add).await, Value::Null);
        let expected = owned(&[("a", "1"), ("b", "2"), ("c", ""), ("d", "4")]);
        assert_eq!(tags(&lab).await, expected);
        let remove = json!({"StreamARN": arn_of("s"), "TagKeys": ["a", "unknown", "a"]});
        assert_eq!(
            ok_cbor(&lab, "RemoveTagsFromStream", remove).await,
            Value::Null
        );
        let remove = json!({"ResourceARN": arn_of("s"), "TagKeys": ["d", "nothing"]});
        assert_eq!(ok(&lab, "UntagResource", remove).await, Value::Null);
        let expected = owned(&[("b", "2"), ("c", "")]);
        assert_eq!(tags(&lab).await, expected);
        if restart(&lab).await {
            assert_eq!(tags(&lab).await, expected);
        }
    }
);

wire_test!(
    tags_are_sorted_by_code_unit_and_listed_page_by_page,
    |lab| async move {
        lab.stream("s").create().await;
        let keys = [" ", "+", "/", "0", "=", "@", "Zb", "_", "a", "ÿ"];
        let given: serde_json::Map<_, _> = keys
            .map(|key| (key.to_owned(), "".into()))
            .into_iter()
            .collect();
        ok(
            &lab,
            "AddTagsToStream",
            json!({"StreamName": "s", "Tags": given}),
        )
        .await;
        let listed = |got: &Value| {
            let keys: Vec<_> = pairs(&got["Tags"])
                .into_iter()
                .map(|(key, _)| key)
                .collect();
            (keys, got["HasMoreTags"].as_bool().unwrap())
        };
        let list = async |body: Value| listed(&ok(&lab, "ListTagsForStream", body).await);
        assert_eq!(
            list(json!({"StreamName": "s"})).await,
            (keys.map(str::to_owned).into(), false)
        );
        let (mut seen, mut after) = (Vec::new(), None);
        let mut rounds = Rounds::of(100, "the last page of tags");
        loop {
            rounds.next();
            let body = json!({"StreamName": "s", "Limit": 4, "ExclusiveStartTagKey": after});
            let (page, more) = list(body).await;
            assert_eq!(page.len(), if more { 4 } else { 2 });
            after = page.last().cloned();
            seen.extend(page);
            if !more {
                break;
            }
        }
        assert_eq!(seen, keys);
        let between = json!({"StreamName": "s", "ExclusiveStartTagKey": "Z"});
        assert_eq!(list(between).await.0, ["Zb", "_", "a", "ÿ"]);
        let beyond = json!({"StreamName": "s", "ExclusiveStartTagKey": "\u{1F600}"});
        assert_eq!(list(beyond).await, (vec![], false));
        let exact = json!({"StreamName": "s", "Limit": 10});
        assert!(!list(exact).await.1);
    }
);

kinesis_test!(
    refused_tags_leave_the_others_as_they_were,
    |lab| async move {
        lab.stream("s").create().await;
        ok(
            &lab,
            "AddTagsToStream",
            json!({"StreamName": "s", "Tags": {"old": "1"}}),
        )
        .await;
        let resource = format!("resource {}", arn_of("s"));
        let adding = illegal("add tags to", "stream s");
        for (given, expected) in [
            (json!({"new": "1", "a;b": "c"}), CHARACTERS),
            (json!({"new": "1", "a": "tab\t"}), CHARACTERS),
            (json!({"a": "line\n"}), CHARACTERS),
            (json!({"a": "x,y"}), CHARACTERS),
            (json!({"a%": ";"}), CHARACTERS),
            (json!({"new": "1", "a": "100%"}), adding.as_str()),
            (json!({"%": "1"}), adding.as_str()),
            (json!({"aws:x": "1"}), RESERVED),
        ] {
            let by_name = json!({"StreamName": "s", "Tags": given});
            assert_eq!(
                refused(&lab, "AddTagsToStream", by_name).await,
                expected,
                "{given}"
            );
            let by_arn = json!({"ResourceARN": arn_of("s"), "Tags": given});
            assert_eq!(
                refused(&lab, "TagResource", by_arn).await,
                expected.replace("stream s", &resource),
                "{given}"
            );
        }
        let removing = illegal("remove tags from", "stream s");
        for (keys, expected) in [
            (json!(["old", ";"]), CHARACTERS),
            (json!(["old", "%", ","]), CHARACTERS),
            (json!(["old", "a%"]), removing.as_str()),
        ] {
            let by_name = json!({"StreamName": "s", "TagKeys": keys});
            assert_eq!(
                refused(&lab, "RemoveTagsFromStream", by_name).await,
                expected,
                "{keys}"
            );
            let by_arn = json!({"ResourceARN": arn_of("s"), "TagKeys": keys});
            assert_eq!(
                refused(&lab, "UntagResource", by_arn).await,
                expected.replace("stream s", &resource),
                "{keys}"
            );
        }
        assert_eq!(tags(&lab).await, owned(&[("old", "1")]));
    }
);

wire_test!(
    a_missing_stream_is_refused_before_its_tags,
    |lab| async move {
        for (operation, body) in [
            (
                "AddTagsToStream",
                json!({"StreamName": "s", "Tags": {";": "%"}}),
            ),
            (
                "RemoveTagsFromStream",
                json!({"StreamName": "s", "TagKeys": [";"]}),
            ),
            ("ListTagsForStream", json!({"StreamName": "s"})),
            (
                "TagResource",
                json!({"ResourceARN": arn_of("s"), "Tags": {";": "%"}}),
            ),
            (
                "UntagResource",
                json!({"ResourceARN": arn_of("s"), "TagKeys": [";"]}),
            ),
            ("ListTagsForResource", json!({"ResourceARN": arn_of("s")})),
        ] {
            assert_eq!(
                refused(&lab, operation, body).await,
                not_found("s"),
                "{operation}"
            );
        }
        let neither =
            "InvalidArgumentException: Stream arn and stream name can't be empty at the same time";
        for (operation, body) in [
            ("AddTagsToStream", json!({"Tags": {";": "%"}})),
            ("RemoveTagsFromStream", json!({"TagKeys": [";"]})),
            ("ListTagsForStream", json!({})),
        ] {
            assert_eq!(refused(&lab, operation, body).await, neither, "{operation}");
        }
    }
);

disk_test!(a_stream_has_fifty_tags_at_most, [], |lab| async move {
    lab.stream("s").create().await;
    ok(
        &lab,
        "AddTagsToStream",
        json!({"StreamName": "s", "Tags": many(0, 49)}),
    )
    .await;
    let expected = format!(
        "InvalidArgumentException: Failed to add tags to stream s under account {ACCOUNT} because \
         a given stream cannot have more than 10 tags associated with it."
    );
    let two_more = many(49, 2);
    let got = refused(
        &lab,
        "AddTagsToStream",
        json!({"StreamName": "s", "Tags": two_more}),
    )
    .await;
    assert_eq!(got, expected);
    restart(&lab).await;
    let by_arn = json!({"ResourceARN": arn_of("s"), "Tags": two_more});
    // The live service was recorded with this message in September 2026 (radkawar/stackd,
    // testdata/aws/kinesis/controls.json).
    let expected = format!(
        "InvalidArgumentException: Failed to add tags to resource {} under account {ACCOUNT} \
         because a given resource cannot have more than 50 tags associated with it.",
        arn_of("s")
    );
    assert_eq!(refused(&lab, "TagResource", by_arn).await, expected);
    assert_eq!(tags(&lab).await.len(), 49);
    let overlapping = json!({"StreamName": "s", "Tags": many(20, 30)});
    ok(&lab, "AddTagsToStream", overlapping).await;
    assert_eq!(tags(&lab).await.len(), 50);
    let replaced = json!({"ResourceARN": arn_of("s"), "Tags": {"k000": "other"}});
    ok(&lab, "TagResource", replaced).await;
    assert_eq!(tags(&lab).await[0], ("k000".to_owned(), "other".to_owned()));
});

kinesis_test!(a_consumer_has_tags_of_its_own, |lab| async move {
    lab.stream("s").create().await;
    ok(
        &lab,
        "AddTagsToStream",
        json!({"StreamName": "s", "Tags": {"of": "stream"}}),
    )
    .await;
    let register = json!({
        "StreamARN": arn_of("s"), "ConsumerName": "c", "Tags": {"of": "consumer", "x": "y"}
    });
    let registered = ok(&lab, "RegisterStreamConsumer", register).await;
    let arn = registered["Consumer"]["ConsumerARN"]
        .as_str()
        .unwrap()
        .to_owned();
    let list = async || {
        let got = ok(&lab, "ListTagsForResource", json!({"ResourceARN": arn})).await;
        pairs(&got["Tags"])
    };
    assert_eq!(list().await, owned(&[("of", "consumer"), ("x", "y")]));
    ok_cbor(
        &lab,
        "TagResource",
        json!({"ResourceARN": arn, "Tags": {"x": "z", "a": ""}}),
    )
    .await;
    ok_cbor(
        &lab,
        "UntagResource",
        json!({"ResourceARN": arn, "TagKeys": ["of"]}),
    )
    .await;
    assert_eq!(list().await, owned(&[("a", ""), ("x", "z")]));
    assert_eq!(tags(&lab).await, owned(&[("of", "stream")]));
    let got = refused(
        &lab,
        "TagResource",
        json!({"ResourceARN": arn, "Tags": many(0, 49)}),
    )
    .await;
    assert!(
        got.ends_with("cannot have more than 50 tags associated with it."),
        "{got}"
    );
    if restart(&lab).await {
        assert_eq!(list().await, owned(&[("a", ""), ("x", "z")]));
        ok(
            &lab,
            "DeregisterStreamConsumer",
            json!({"ConsumerARN": arn}),
        )
        .await;
        let gone = no_consumer(&arn);
        for (operation, body) in [
            ("ListTagsForResource", json!({"ResourceARN": arn})),
            (
                "TagResource",
                json!({"ResourceARN": arn, "Tags": {"a": "b"}}),
            ),
            (
                "UntagResource",
                json!({"ResourceARN": arn, "TagKeys": ["a"]}),
            ),
        ] {
            assert_eq!(refused(&lab, operation, body).await, gone, "{operation}");
        }
    }
});

wire_test!(a_resource_of_another_kind_is_not_found, |lab| async move {
    for kind in ["queue", "channel"] {
        let arn = format!("arn:aws:kinesis:us-east-1:{ACCOUNT}:{kind}/q");
        let got = refused(&lab, "ListTagsForResource", json!({"ResourceARN": arn})).await;
        assert!(got.starts_with("ResourceNotFoundException: "), "{got}");
    }
});

wire_test!(
    keys_and_values_are_reported_with_the_constraints_of_their_map,
    |lab| async move {
        let long = "k".repeat(129);
        let got = refused(
            &lab,
            "AddTagsToStream",
            json!({"StreamName": "s", "Tags": {long.clone(): ""}}),
        )
        .await;
        let expected = format!(
            "ValidationException: 1 validation error detected: Value '{{{long}=}}' at 'tags' failed to \
         satisfy constraint: Map keys must satisfy constraint: [Member must have length less than \
         or equal to 128, Member must have length greater than or equal to 1]"
        );
        assert_eq!(got, expected);
        let value = "v".repeat(257);
        let got = refused(
            &lab,
            "TagResource",
            json!({"ResourceARN": arn_of("s"), "Tags": {"k": value}}),
        )
        .await;
        let expected = format!(
            "ValidationException: 1 validation error detected: Value '{{k={value}}}' at 'tags' failed \
         to satisfy constraint: Map value must satisfy constraint: [Member must have length less \
         than or equal to 256, Member must have length greater than or equal to 0]"
        );
        assert_eq!(got, expected);
        let got = refused(
            &lab,
            "RemoveTagsFromStream",
            json!({"StreamName": "s", "TagKeys": ["", "a"]}),
        )
        .await;
        let expected = "ValidationException: 1 validation error detected: Value '[, a]' at 'tagKeys' \
        failed to satisfy constraint: Member must satisfy constraint: [Member must have length \
        less than or equal to 128, Member must have length greater than or equal to 1]";
        assert_eq!(got, expected);
        let none = json!({"StreamName": "s", "Tags": {}});
        let expected = "ValidationException: 1 validation error detected: Value '{}' at 'tags' failed \
        to satisfy constraint: Member must have length greater than or equal to 1";
        assert_eq!(refused(&lab, "AddTagsToStream", none).await, expected);
        let limit = json!({"StreamName": "s", "Limit": 51});
        let expected = "ValidationException: 1 validation error detected: Value '51' at 'limit' failed \
        to satisfy constraint: Member must have value less than or equal to 50";
        assert_eq!(refused(&lab, "ListTagsForStream", limit).await, expected);
    }
);
