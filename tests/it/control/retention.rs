//! The retention period: its bounds, and its effect on records.

use super::{not_found, ok, ok_cbor, refused, restart, status, summary};
use crate::lab::stream::texts;
use crate::lab::{Lab, hours, kinesis_test, ms, wire_test};
use serde_json::{Value, json};

const LONGER: &str = "IncreaseStreamRetentionPeriod";
const SHORTER: &str = "DecreaseStreamRetentionPeriod";

fn period(hours: i64) -> Value {
    json!({"StreamName": "s", "RetentionPeriodHours": hours})
}

async fn shown(lab: &Lab) -> Value {
    let got = ok(lab, "DescribeStream", json!({"StreamName": "s"})).await;
    let hours = &got["StreamDescription"]["RetentionPeriodHours"];
    assert_eq!(*hours, summary(lab, "s").await["RetentionPeriodHours"]);
    hours.clone()
}

wire_test!(
    a_retention_period_is_between_a_day_and_a_year,
    |lab| async move {
        for operation in [LONGER, SHORTER] {
            assert_eq!(refused(&lab, operation, period(-1)).await, not_found("s"));
        }
        lab.stream("s").create().await;
        for operation in [LONGER, SHORTER] {
            for hours in [-1, 0, 23, i64::from(i32::MIN)] {
                let expected = format!(
                    "InvalidArgumentException: Minimum allowed retention period is 24 hours. Requested \
                 retention period ({hours} hours) is too short."
                );
                assert_eq!(refused(&lab, operation, period(hours)).await, expected);
            }
            for hours in [8_761, i64::from(i32::MAX)] {
                let expected = format!(
                    "InvalidArgumentException: Maximum allowed retention period is 8760 hours. \
                 Requested retention period ({hours} hours) is too long."
                );
                assert_eq!(refused(&lab, operation, period(hours)).await, expected);
            }
            let got = refused(&lab, operation, json!({"StreamName": "s"})).await;
            assert!(
                got.contains("Value null at 'retentionPeriodHours'"),
                "{got}"
            );
        }
        ok(&lab, LONGER, period(8_760)).await;
        assert_eq!(shown(&lab).await, 8_760);
    }
);

kinesis_test!(
    a_period_is_changed_in_the_direction_of_its_operation,
    |lab| async move {
        lab.stream("s").create().await;
        assert_eq!(ok(&lab, LONGER, period(48)).await, Value::Null);
        let expected = "InvalidArgumentException: Requested retention period (47 hours) for stream \
                        s can not be shorter than existing retention period (48 hours). Use \
                        DecreaseRetentionPeriod API.";
        assert_eq!(refused(&lab, LONGER, period(47)).await, expected);
        let expected = "InvalidArgumentException: Requested retention period (49 hours) for stream \
                        s can not be longer than existing retention period (48 hours). Use \
                        IncreaseRetentionPeriod API.";
        assert_eq!(refused(&lab, SHORTER, period(49)).await, expected);
        assert_eq!(ok_cbor(&lab, SHORTER, period(36)).await, Value::Null);
        assert_eq!(shown(&lab).await, 36);
        if restart(&lab).await {
            assert_eq!(shown(&lab).await, 36);
            ok_cbor(&lab, LONGER, period(37)).await;
            assert_eq!(shown(&lab).await, 37);
        }
    }
);

wire_test!(
    an_equal_period_is_a_success_without_effect,
    ["--transition-ms", "500"],
    |lab| async move {
        lab.stream("s").create().await;
        lab.clock.advance(ms(500)).await;
        for operation in [LONGER, SHORTER] {
            assert_eq!(ok(&lab, operation, period(24)).await, Value::Null);
            assert_eq!(status(&lab, "s").await, "ACTIVE");
        }
    }
);

kinesis_test!(
    readers_use_a_new_period_at_once_and_the_description_shows_it_when_it_is_done,
    ["--transition-ms", "500"],
    |lab| async move {
        let stream = lab.stream("s").create().await;
        lab.clock.advance(ms(500)).await;
        ok(&lab, LONGER, period(48)).await;
        assert_eq!(
            (shown(&lab).await, status(&lab, "s").await.as_str()),
            (json!(24), "UPDATING")
        );
        lab.clock.advance(ms(500)).await;
        assert_eq!(
            (shown(&lab).await, status(&lab, "s").await.as_str()),
            (json!(48), "ACTIVE")
        );
        stream.put("k", "old").await;
        lab.clock.advance(hours(30)).await;
        stream.put("k", "new").await;
        assert_eq!(texts(&stream.read_all().await), ["old", "new"]);
        ok(&lab, SHORTER, period(30)).await;
        assert_eq!(texts(&stream.read_all().await), ["new"]);
        assert_eq!(shown(&lab).await, 48);
        lab.clock.advance(ms(500)).await;
        ok(&lab, LONGER, period(100)).await;
        assert_eq!(status(&lab, "s").await, "UPDATING");
    }
);

kinesis_test!(
    an_increase_keeps_what_has_not_expired_to_the_new_end,
    |lab| async move {
        let stream = lab.stream("s").create().await;
        stream.put("k", "a").await;
        lab.clock.advance(hours(24) - ms(1)).await;
        ok(&lab, LONGER, period(25)).await;
        lab.clock.advance(hours(1)).await;
        assert_eq!(texts(&stream.read_all().await), ["a"]);
        lab.clock.advance(ms(1)).await;
        assert_eq!(stream.read_all().await.len(), 0);
    }
);
