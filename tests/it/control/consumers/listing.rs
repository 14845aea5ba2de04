//! Listing consumers: order, pages, tokens.

use super::super::{START_S, arn_of, not_found, ok, ok_cbor, refused};
use super::{names, register};
use crate::lab::{seconds, wire_test};
use serde_json::json;

wire_test!(
    consumers_are_listed_by_name_page_by_page,
    |lab| async move {
        lab.stream("s").create().await;
        lab.stream("t").create().await;
        for name in ["b", "a", "B", "c", "10", "9"] {
            register(&lab, name).await;
        }
        assert_eq!(names(&lab).await, ["10", "9", "B", "a", "b", "c"]);
        let arn = arn_of("s");
        let first = ok(
            &lab,
            "ListStreamConsumers",
            json!({"StreamARN": arn, "MaxResults": 4}),
        )
        .await;
        assert_eq!(first["Consumers"].as_array().unwrap().len(), 4);
        let token = &first["NextToken"];
        let second = ok_cbor(
            &lab,
            "ListStreamConsumers",
            json!({"StreamARN": arn, "NextToken": token}),
        );
        let second = second.await;
        let rest = second["Consumers"].as_array().unwrap();
        assert_eq!(
            (&rest[0]["ConsumerName"], &rest[1]["ConsumerName"]),
            (&json!("b"), &json!("c"))
        );
        assert!(rest.len() == 2 && second.get("NextToken").is_none());
        let list = "ListStreamConsumers";
        let with_time =
            json!({"StreamARN": arn, "NextToken": token, "StreamCreationTimestamp": START_S});
        assert_eq!(
            refused(&lab, list, with_time).await,
            "InvalidArgumentException: NextToken and StreamCreationTimestamp cannot be provided \
         together."
        );
        let invalid = "InvalidArgumentException: Invalid NextToken.";
        let other = json!({"StreamARN": arn_of("t"), "NextToken": token});
        assert_eq!(refused(&lab, list, other).await, invalid);
        let broken = json!({"StreamARN": arn, "NextToken": "AAAA"});
        assert_eq!(refused(&lab, list, broken).await, invalid);
        ok(
            &lab,
            list,
            json!({"StreamARN": arn, "StreamCreationTimestamp": START_S}),
        )
        .await;
        let wrong_time = json!({"StreamARN": arn, "StreamCreationTimestamp": START_S + 1});
        assert_eq!(refused(&lab, list, wrong_time).await, not_found("s"));
        lab.clock.advance(seconds(301)).await;
        let late = json!({"StreamARN": arn, "NextToken": token});
        assert_eq!(
            refused(&lab, list, late).await,
            "ExpiredNextTokenException: The provided next token has expired."
        );
    }
);
