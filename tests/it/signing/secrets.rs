//! Warnings about open access, and secrets, which the program must print nowhere.

use super::{LASTING, LET_IN, TEMPORARY, signed_at, wall_ms};
use crate::lab::program::{Program, command};
use crate::lab::raw::Connection;
use crate::lab::{Request, block_on, h2};
use aws_sigv4::http_request::SignatureLocation;
use tempfile::NamedTempFile;

#[test]
fn a_start_with_open_access_warns() {
    let warning = "signatures are not verified";
    let verified = [
        "--host",
        "0.0.0.0",
        "--auth",
        "verify",
        "--credential",
        "AKID:hush",
    ];
    for (flags, warns) in [
        (&["--host", "0.0.0.0"][..], true),
        (&["--host", "0.0.0.0", "--auth", "off"], true),
        (&["--listen", "127.0.0.1:0"], false),
        (&["--listen", "0.0.0.0:0"], true),
        (&["--host", "127.0.0.1"], false),
        (&["--host", "127.0.0.1", "--auth", "off"], false),
        (&verified, false),
    ] {
        let said = Program::start(flags).output();
        assert_eq!(said.contains(warning), warns, "{flags:?}: {said}");
        assert!(!said.contains("hush"), "{said}");
    }
}

/// Requests that are accepted and requests that are refused. They contain every secret that a
/// client can send.
fn requests() -> Vec<Request> {
    let create = Request::json("CreateStream", r#"{"StreamName":"s","ShardCount":1}"#);
    let list = Request::json("ListStreams", "{}");
    let clock = Request::bare("GET", "/_minikin/clock");
    let mut all = Vec::new();
    for place in [SignatureLocation::Headers, SignatureLocation::QueryParams] {
        let sign = |request, credential| signed_at(request, credential, place, wall_ms());
        all.push(sign(&create, LASTING));
        all.push(sign(&list, TEMPORARY));
        all.push(sign(&list, ("ASIATEMPORARY", "hush/else", TEMPORARY.2)));
        all.push(sign(
            &list,
            ("ASIATEMPORARY", "hush/temporary", Some("token+other")),
        ));
        all.push(sign(
            &list,
            ("AKIDUNKNOWN", "hush/unknown", Some("token+unknown")),
        ));
    }
    for token in ["Bearer sesame-open", "Bearer sesame-wrong"] {
        all.push(clock.clone().header("Authorization", token));
        all.push(
            clock
                .clone()
                .header("Origin", "http://x")
                .header("Authorization", token),
        );
        // The path is wrong, so the service quotes this header in its answer to the sender.
        all.push(list.clone().header("Authorization", token));
    }
    all
}

#[test]
fn no_secret_is_in_the_log() {
    let policies = NamedTempFile::new().unwrap();
    let arn = "arn:aws:iam::000000000000:user/temporary";
    let text = format!(r#"{{"ASIATEMPORARY": {{"arn": "{arn}", "policies": []}}}}"#);
    std::fs::write(policies.path(), text).unwrap();
    let flags = [
        "--policies",
        policies.path().to_str().unwrap(),
        "--auth",
        "verify",
        "--credential",
        LET_IN,
        "--admin-token",
        "sesame-open",
    ];
    for format in ["text", "json"] {
        let log = ["--log", "trace", "--log-format", format];
        let program = Program::start(&[&flags[..], &log].concat());
        block_on(async {
            let mut plain = Connection::open(program.address()).await;
            for request in requests() {
                let answer = plain.exchange(&request).await;
                assert!(
                    [200, 400, 403].contains(&answer.status),
                    "{}",
                    answer.text()
                );
                if answer.status != 400 || !answer.text().contains("Authorization=") {
                    assert!(!answer.text().contains("sesame"), "{}", answer.text());
                }
                assert!(!answer.text().contains("hush"), "{}", answer.text());
            }
            let stream = tokio::net::TcpStream::connect(program.address())
                .await
                .unwrap();
            h2::exchange(stream, &requests()).await;
        });
        let log = program.output();
        assert!(
            log.contains("CreateStream") && log.contains("UnrecognizedClient"),
            "{log}"
        );
        assert!(log.contains("user/temporary is not authorized"), "{log}");
        for secret in ["hush", "token+", "token%2B", "sesame"] {
            let line = log.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret}");
        }
    }
}

#[test]
fn no_secret_is_in_a_refusal_to_start() {
    let file = NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    std::fs::write(file.path(), "port = 0\ncredential = \"AKID:hush\n").unwrap();
    for (flags, text) in [
        (
            &["--auth", "verify"][..],
            "--auth verify accepts no access key",
        ),
        (
            &["--credential", "AKID:hush"],
            "--credential has no effect without --auth verify",
        ),
        (
            &["--auth", "verify", "--credential", "AKID:hush,hushhush"],
            "number 2 is not",
        ),
        (
            &[
                "--auth",
                "verify",
                "--credential",
                "A:hush",
                "--credential",
                "A:hush2",
            ],
            "key A",
        ),
        (
            &[
                "--auth",
                "verify",
                "--credential",
                "AKID:hush",
                "--port",
                "x",
            ],
            "--port",
        ),
        (
            &["--auth", "verify", "--credential", "AKID:hush", "--nothing"],
            "--nothing",
        ),
        (&["--credentials", "AKID:hush"], "--credentials"),
        (&["--admin-token", ""], "--admin-token is empty"),
        (&["--config", path], "line 2"),
    ] {
        let ended = command(flags).output().unwrap();
        let said = [ended.stdout, ended.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert!(
            !ended.status.success() && said.contains(text),
            "{flags:?}: {said}"
        );
        assert!(!said.contains("hush"), "{flags:?}: {said}");
    }
}
