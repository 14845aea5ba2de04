//! Channels of a setup file.

use super::*;
use crate::looking::own;
use minikin::internals::engine::channel::Destinations;
use minikin::{Emulator, Options, Surroundings};
use tempfile::TempDir;

/// A setup with a stream and a channel to a bucket.
fn setup(freshness: u32) -> Value {
    let mut channel = to_bucket("n", "s");
    channel["StreamConfigurationList"][0]["StreamARN"] = json!("s");
    channel["S3DestinationConfiguration"]["DataFreshnessInSeconds"] = json!(freshness);
    json!({"streams": [{"StreamName": "s"}], "channels": [channel]})
}

fn write(folder: &TempDir, setup: &Value) -> String {
    let path = folder.path().join("setup.json");
    std::fs::write(&path, setup.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

async fn first(lab: &Lab) -> Value {
    let listed = ok(lab, "ListChannels", json!({})).await;
    let arn = listed["ChannelSummaries"][0]["ChannelARN"].as_str();
    describe(lab, arn.unwrap()).await
}

#[test]
fn a_channel_of_a_setup_is_active_comes_again_after_a_reset_and_is_left_alone() {
    block_on(async {
        let folder = TempDir::new().unwrap();
        let file = write(&folder, &setup(333));
        let flags = ["--setup", &file, "--transition-ms", "500"];
        let lab = Lab::start_to(Place::Disk, &flags, Shelf::new()).await;
        let freshness = |channel: &Value| {
            channel["S3DestinationConfiguration"]["DataFreshnessInSeconds"].clone()
        };
        for _ in 0..2 {
            let channel = first(&lab).await;
            assert_eq!(channel["ChannelName"], "n");
            assert_eq!(channel["ChannelStatus"], "ACTIVE");
            assert_eq!(freshness(&channel), 333);
            let (status, _) = own(&lab, "POST", "reset", r#"{"setup": true}"#).await;
            assert_eq!(status, 204);
        }
        let before = first(&lab).await;
        write(&folder, &setup(444));
        assert!(lab.restart().await);
        assert_eq!(first(&lab).await, before);
        lab.stop().await;
    });
}

#[test]
fn a_channel_that_cannot_deliver_stops_the_start() {
    block_on(async {
        let folder = TempDir::new().unwrap();
        let twice = |mut setup: Value| {
            let channel = setup["channels"][0].clone();
            setup["channels"] = json!([channel, channel]);
            setup
        };
        let unknown = |mut setup: Value| {
            setup["channels"][0]["Chanel"] = json!("x");
            setup
        };
        for (setup, has_shelf, expected) in [
            (setup(300), false, NOTHING_FOR_S3),
            (
                setup(299),
                true,
                "DataFreshnessInSeconds: ValidationException: DataFreshnessInSeconds",
            ),
            (
                twice(setup(300)),
                true,
                "the setup names this channel twice",
            ),
            (
                unknown(setup(300)),
                true,
                "channels[0].Chanel: there is no such member",
            ),
        ] {
            let file = write(&folder, &setup);
            let options = Options::read(["--port", "0", "--setup", &file]).unwrap();
            let shelf: Arc<dyn Destinations> = Shelf::new();
            let around = Surroundings {
                destinations: has_shelf.then_some(shelf),
                ..Surroundings::default()
            };
            let refusal = Emulator::start_in(options, around).await.unwrap_err();
            let refusal = refusal.to_string();
            assert!(refusal.contains(expected), "{expected}: {refusal}");
        }
    });
}
