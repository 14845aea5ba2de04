//! Deleted streams stay deleted, also if other changes were in progress.

use super::{arn_of, ms};
use serde_json::json;

disk_test!(
    a_deleted_stream_stays_gone_whatever_its_consumers_do_meanwhile,
    ["--transition-ms", "1000"],
    |lab| async move {
        lab.stream("orders").create().await;
        lab.clock.advance(ms(1000)).await;
        let consumer = json!({"StreamARN": arn_of("orders"), "ConsumerName": "reader"});
        lab.ok("RegisterStreamConsumer", &consumer.to_string())
            .await;
        lab.clock.advance(ms(1000)).await;
        let delete = r#"{"StreamName":"orders","EnforceConsumerDeletion":true}"#;
        lab.ok("DeleteStream", delete).await;
        lab.clock.advance(ms(700)).await;
        lab.ok("DeregisterStreamConsumer", &consumer.to_string())
            .await;
        lab.clock.advance(ms(400)).await;
        // The stream is deleted and created again before the deletion of its consumer ends.
        lab.stream("orders").create().await;
        lab.clock.advance(ms(1000)).await;
        lab.restart().await;
        let listed = lab.ok("ListStreams", "{}").await;
        assert_eq!(listed["StreamNames"], json!(["orders"]));
        assert_eq!(listed["StreamSummaries"][0]["StreamStatus"], "ACTIVE");
        // No stream counts as CREATING or DELETING any more, so five further streams can be created
        // at the same time.
        for name in ["a", "b", "c", "d", "e"] {
            lab.stream(name).create().await;
        }
    }
);

disk_test!(
    nothing_is_kept_of_a_deleted_stream_whose_consumers_end_after_it,
    ["--transition-ms", "1000"],
    |lab| async move {
        lab.stream("orders").create().await;
        lab.clock.advance(ms(1000)).await;
        let consumer = json!({"StreamARN": arn_of("orders"), "ConsumerName": "reader"});
        lab.ok("RegisterStreamConsumer", &consumer.to_string())
            .await;
        let delete = r#"{"StreamName":"orders","EnforceConsumerDeletion":true}"#;
        lab.ok("DeleteStream", delete).await;
        lab.clock.advance(ms(700)).await;
        lab.ok("DeregisterStreamConsumer", &consumer.to_string())
            .await;
        lab.clock.advance(ms(2000)).await;
        let left = lab.left().await;
        assert!(
            left.streams.is_empty() && left.shards.is_empty(),
            "{left:?}"
        );
    }
);
