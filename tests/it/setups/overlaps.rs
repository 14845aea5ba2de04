//! Event source mappings that a client creates by Lambda's API while resets run.

use super::{lambda_request, map_request};
use crate::lab::{Lab, Place, block_on};
use crate::looking::own;
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};

/// The UUIDs of the event source mappings that invoke `function`.
async fn mappings(lab: &Lab, function: &str) -> Vec<String> {
    let (_, listed) = own(lab, "GET", "event-sources", "").await;
    let text = |mapping: &Value, member: &str| mapping[member].as_str().unwrap().to_owned();
    let listed = listed["event_sources"].as_array().unwrap().iter();
    let meant = listed.filter(|one| text(one, "FunctionArn").ends_with(&format!(":{function}")));
    meant.map(|mapping| text(mapping, "UUID")).collect()
}

/// Carries out a reset, which must succeed.
async fn reset(lab: &Lab, body: &str) {
    let (status, answer) = own(lab, "POST", "reset", body).await;
    assert_eq!(status, 204, "{answer}");
}

/// Creates a mapping of the stream `z`, unless the stream is gone or the mapping exists.
async fn create(lab: &Lab, function: &str) {
    let answer = lab.send(&map_request("z", function)).await;
    assert!(
        [202, 400, 409].contains(&answer.status),
        "{}",
        answer.text()
    );
}

#[test]
fn a_mapping_that_a_client_creates_during_a_reset_does_not_outlive_its_stream() {
    block_on(async {
        // The reset removes the stream `z` after all other streams.
        let names = (0..100).map(|number| format!("--stream=a{number}:1"));
        let mut flags: Vec<String> = names.collect();
        flags.push("--stream=z:1".to_owned());
        flags.push("--function=f=http://127.0.0.1:9".to_owned());
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let lab = Lab::start(Place::Disk, &flags).await;
        let stop = AtomicBool::new(false);
        let creating = async {
            while !stop.load(Ordering::Relaxed) {
                create(&lab, "f").await;
            }
        };
        let resetting = async {
            for _ in 0..15 {
                reset(&lab, "{}").await;
                assert_eq!(mappings(&lab, "f").await, [""; 0]);
                reset(&lab, r#"{"setup": true}"#).await;
            }
            reset(&lab, "{}").await;
            stop.store(true, Ordering::Relaxed);
        };
        tokio::join!(creating, resetting);
        assert!(lab.left().await.mappings.is_empty());
    });
}

#[test]
fn a_mapping_of_the_setup_that_a_client_makes_anew_fails_no_reset() {
    block_on(async {
        let flags = ["--stream", "z:1", "--event-source", "z=http://127.0.0.1:9"];
        let lab = Lab::start(Place::Disk, &flags).await;
        let stop = AtomicBool::new(false);
        let replacing = async {
            while !stop.load(Ordering::Relaxed) {
                for uuid in mappings(&lab, "function").await {
                    lab.send(&lambda_request("DELETE", &uuid)).await;
                }
                create(&lab, "function").await;
            }
        };
        let resetting = async {
            for _ in 0..20 {
                reset(&lab, r#"{"setup": true}"#).await;
            }
            stop.store(true, Ordering::Relaxed);
        };
        tokio::join!(replacing, resetting);
        assert_eq!(mappings(&lab, "function").await.len(), 1);
        // The start takes the mapping of the client for its own.
        lab.restart().await;
        assert_eq!(mappings(&lab, "function").await.len(), 1);
        lab.stop().await;
    });
}
