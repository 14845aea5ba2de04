//! Deliveries to a server with the API of S3.

use super::delivering::flush;
use super::*;
use crate::lab::server::{Got, Reply, Server};
use crate::lab::{Stream, ms};
use std::sync::atomic::{AtomicBool, Ordering};

/// Runs a test with a server that answers 503 as long as the test requires this.
fn to_server<F: Future<Output = ()>>(test: impl FnOnce(Lab, Server, Arc<AtomicBool>) -> F) {
    block_on(async {
        let is_down = Arc::new(AtomicBool::new(false));
        let answers = is_down.clone();
        let server = Server::start(move |_, _| match answers.load(Ordering::SeqCst) {
            true => Reply::new(503, "<Error><Code>SlowDown</Code></Error>"),
            false => Reply::new(200, ""),
        })
        .await;
        let url = server.url();
        let flags = [
            "--channels-s3-endpoint",
            &url,
            "--channels-s3-access-key-id",
            "AKIDEXAMPLE",
            "--channels-s3-secret-access-key",
            "secret",
            "--channels-s3-region",
            "eu-west-3",
        ];
        let lab = Lab::start(Place::Memory, &flags).await;
        test(lab.clone(), server, is_down).await;
        lab.stop().await;
    });
}

fn puts(server: &Server) -> Vec<Got> {
    let got = server.got().into_iter();
    got.filter(|got| got.method == "PUT").collect()
}

fn uncompressed() -> Value {
    let mut body = to_bucket("n", "s");
    let storage = &mut body["S3DestinationConfiguration"]["StorageConfiguration"];
    storage["CompressionType"] = json!("NONE");
    storage["StorageClass"] = json!("GLACIER_IR");
    storage["OutputKeyTemplate"] = json!("a=b/(!{channel-name}) '!{extension}".replace(' ', ""));
    body["EncryptionConfiguration"] = json!({"EncryptionType": "KMS", "KeyId": "alias/own"});
    body
}

#[test]
fn an_object_is_put_with_a_signature_and_the_settings_as_headers() {
    to_server(|lab, server, _| async move {
        create_stream(&lab, "s").await;
        created(&lab, uncompressed()).await;
        let checks = server.got();
        let checked: Vec<_> = checks
            .iter()
            .map(|got| (&*got.method, &*got.path))
            .collect();
        assert_eq!(checked, [("HEAD", "/bucket"), ("HEAD", "/bucket")]);
        assert_eq!(
            checks[0].header("x-amz-expected-bucket-owner"),
            Some(ACCOUNT)
        );
        Stream::existing(&lab, "s").put("k", "{\"a\": 1}").await;
        assert_eq!(flush(&lab, "n").await, (204, String::new()));
        let [put] = &puts(&server)[..] else {
            panic!("one object");
        };
        assert!(
            put.path.starts_with("/bucket/a%3Db/%28n%29%27-"),
            "{}",
            put.path
        );
        assert!(put.path.ends_with(".json"), "{}", put.path);
        assert_eq!(put.body, "{\"a\": 1}\n");
        let signed = put.header("authorization").unwrap();
        assert!(signed.contains("Credential=AKIDEXAMPLE/"), "{signed}");
        assert!(signed.contains("/eu-west-3/s3/aws4_request"), "{signed}");
        let headers = [
            ("content-length", "9"),
            ("x-amz-expected-bucket-owner", ACCOUNT),
            ("x-amz-storage-class", "GLACIER_IR"),
            ("x-amz-server-side-encryption", "aws:kms"),
            ("x-amz-server-side-encryption-aws-kms-key-id", "alias/own"),
        ];
        for (name, value) in headers {
            assert_eq!(put.header(name), Some(value), "{name}");
            assert!(signed.contains(name), "{name} is not signed: {signed}");
        }
        assert_eq!(put.header("x-amz-content-sha256").unwrap().len(), 64);
    });
}

#[test]
fn a_server_that_fails_and_comes_back_receives_the_same_object() {
    to_server(|lab, server, is_down| async move {
        create_stream(&lab, "s").await;
        created(&lab, uncompressed()).await;
        let stream = Stream::existing(&lab, "s");
        stream.put("k", "1").await;
        is_down.store(true, Ordering::SeqCst);
        let (status, text) = flush(&lab, "n").await;
        assert_eq!(status, 409);
        assert!(text.contains("503") && text.contains("SlowDown"), "{text}");
        stream.put("k", "2").await;
        lab.clock.advance(ms(30_000)).await;
        let failed = puts(&server);
        assert_eq!(failed.len(), 5, "after 0, 1, 3, 7 and 15 seconds");
        is_down.store(false, Ordering::SeqCst);
        lab.clock.advance(ms(60_000)).await;
        let bodies: Vec<String> = puts(&server).into_iter().map(|got| got.body).collect();
        assert_eq!(bodies, ["1\n"; 6]);
        let paths: std::collections::BTreeSet<String> =
            puts(&server).into_iter().map(|got| got.path).collect();
        assert_eq!(paths.len(), 1, "{paths:?}");
        lab.clock.advance(ms(300_000)).await;
        assert_eq!(puts(&server).last().unwrap().body, "2\n");
        let channel = lab
            .send(&crate::lab::Request::bare("GET", "/_minikin/channels"))
            .await;
        assert!(
            channel.text().contains("\"LastError\":null"),
            "{}",
            channel.text()
        );
    });
}

#[test]
fn a_server_without_the_bucket_fails_the_channel() {
    to_server(|lab, server, is_down| async move {
        is_down.store(true, Ordering::SeqCst);
        create_stream(&lab, "s").await;
        let arn = created(&lab, uncompressed()).await;
        let failed = describe(&lab, &arn).await;
        let reason = failed["ChannelStatusReason"].as_str().unwrap();
        let expected = format!("The bucket bucket at {} cannot be used: 503", server.url());
        assert!(reason.starts_with(&expected), "{reason}");
    });
}

#[test]
fn only_the_channel_of_a_server_that_never_answers_waits() {
    block_on(async {
        let server = Server::start(|got, _| Reply {
            held: got.method == "PUT" && got.path.starts_with("/silent/"),
            ..Reply::new(200, "")
        })
        .await;
        let url = server.url();
        let lab = Lab::start(Place::Memory, &["--channels-s3-endpoint", &url]).await;
        for (channel, stream, bucket) in [("n", "s", "silent"), ("m", "t", "bucket")] {
            create_stream(&lab, stream).await;
            let mut body = to_plain_bucket(channel, stream);
            let storage = &mut body["S3DestinationConfiguration"]["StorageConfiguration"];
            storage["BucketARN"] = json!(format!("arn:aws:s3:::{bucket}"));
            created(&lab, body).await;
            Stream::existing(&lab, stream).put("k", "{}").await;
        }
        let other = async {
            crate::lab::until("the request that is not answered", async || {
                (server.running() == 1).then_some(())
            })
            .await;
            assert_eq!(flush(&lab, "m").await, (204, String::new()));
            assert_eq!(server.running(), 1, "the first channel waits");
            server.release();
        };
        let (first, ()) = tokio::join!(flush(&lab, "n"), other);
        assert_eq!(first, (204, String::new()));
        assert_eq!(puts(&server).len(), 2);
        lab.stop().await;
    });
}
