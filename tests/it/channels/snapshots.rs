//! A channel in a snapshot.

use super::*;
use crate::snapshots::{load, save};

#[test]
fn a_channel_goes_on_in_another_emulator() {
    on_shelf(&[], |lab, shelf| async move {
        create_stream(&lab, "s").await;
        let mut body = to_bucket("n", "s");
        body["Tags"] = json!({"team": "blue"});
        let active = created(&lab, body).await;
        shelf.set_check(Err("no such table bucket"));
        let failed = created(&lab, to_table("t", "s")).await;
        let before = [describe(&lab, &active).await, describe(&lab, &failed).await];
        let file = save(&lab).await;
        for place in [Place::Memory, Place::Disk] {
            let there = Lab::start_to(place, &[], Shelf::new()).await;
            create_stream(&there, "other").await;
            let old = created(&there, to_bucket("n", "other")).await;
            // The second load replaces the same channels.
            for _ in 0..2 {
                load(&there, &file).await;
                let after = [
                    describe(&there, &active).await,
                    describe(&there, &failed).await,
                ];
                assert_eq!(after, before);
                gone(&there, &old).await;
                assert_eq!(names(&there, json!({})).await, ["n", "t"]);
            }
            assert_eq!(channel_count(&there, "s").await, 2);
            let tags = ok(
                &there,
                "ListTagsForResource",
                json!({"ResourceARN": active}),
            )
            .await;
            assert_eq!(tags["Tags"], json!([{"Key": "team", "Value": "blue"}]));
            let refusal = refused(&there, "DeleteStream", json!({"StreamName": "s"})).await;
            assert!(refusal.contains("has channels"), "{refusal}");
            if place == Place::Disk {
                assert!(there.restart().await);
                assert_eq!(describe(&there, &active).await, before[0]);
            }
            delete(&there, &active).await;
            ok(&there, "DeleteStream", json!({"StreamName": "s"})).await;
            assert_eq!(names(&there, json!({})).await.len(), 0);
            there.stop().await;
        }
    });
}
