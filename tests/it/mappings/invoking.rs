//! Cases 30 to 38: functions behind HTTP.

use crate::lab::server::{Reply, Server};
use crate::lab::{Lab, Place, Stream, block_on};
use minikin::internals::engine::event_source::{DrainRequest, Mapping};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

const ERROR: &str = r#"{"errorType":"E","errorMessage":"m","stackTrace":[]}"#;

/// Creates a mapping of stream `s` to a function at these addresses, with these settings.
async fn lab(function: &str, shards: i32, settings: &Value) -> (Lab, Stream, Arc<Mapping>) {
    let lab = Lab::start(Place::Memory, &["--function", function]).await;
    let stream = lab.stream("s").shards(shards).create().await;
    let mut request = json!({
        "EventSourceArn": stream.arn(), "FunctionName": "orders:prod",
        "StartingPosition": "TRIM_HORIZON",
    });
    for (name, value) in settings.as_object().unwrap() {
        request[name] = value.clone();
    }
    let mapping = lab.map(&request).unwrap();
    (lab, stream, mapping)
}

async fn drain(lab: &Lab) {
    let request = DrainRequest {
        advance: true,
        ..DrainRequest::default()
    };
    lab.event_sources().drain(None, request).await.unwrap();
}

fn no_retries() -> Value {
    json!({ "MaximumRetryAttempts": 0 })
}

#[test]
fn a_request_has_the_headers_that_functions_look_for() {
    block_on(async {
        let server = Server::start(|_, number| match number {
            1 => Reply::new(200, ERROR),
            _ => Reply::new(200, "null"),
        })
        .await;
        let (lab, stream, mapping) = lab(&format!("orders={}", server.url()), 1, &json!({})).await;
        stream.put("k", "a").await;
        drain(&lab).await;
        let got = server.got();
        assert_eq!(got.len(), 2);
        let path = "/2015-03-31/functions/orders/invocations?Qualifier=prod";
        for (number, got) in got.iter().enumerate() {
            assert_eq!((got.method.as_str(), got.path.as_str()), ("POST", path));
            assert_eq!(got.header("x-amz-invocation-type"), Some("RequestResponse"));
            assert_eq!(got.header("x-amz-log-type"), Some("None"));
            assert_eq!(got.header("content-type"), Some("application/json"));
            let length = got.body.len().to_string();
            assert_eq!(got.header("content-length"), Some(length.as_str()));
            assert_eq!(
                got.header("x-minikin-attempt"),
                Some((number + 1).to_string().as_str())
            );
            assert_eq!(
                got.header("x-minikin-mapping"),
                Some(mapping.uuid.to_string().as_str())
            );
            assert!(
                got.header("x-amzn-trace-id")
                    .unwrap()
                    .starts_with("Root=1-")
            );
            assert_eq!(got.header("authorization"), None);
        }
        assert_eq!(
            got[0].header("x-amzn-requestid"),
            got[1].header("x-amzn-requestid")
        );
        lab.stop().await;
    });
}

#[test]
fn a_request_is_signed_where_a_key_is_given() {
    block_on(async {
        let server = Server::start(|_, _| Reply::new(200, "null")).await;
        let function = format!("orders={};sign=AKID:secret", server.url());
        let (lab, stream, _) = lab(&function, 1, &json!({})).await;
        stream.put("k", "a").await;
        drain(&lab).await;
        let authorization = server.got()[0].header("authorization").unwrap().to_owned();
        assert!(
            authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKID/"),
            "{authorization}"
        );
        assert!(
            authorization.contains("/us-east-1/lambda/aws4_request"),
            "{authorization}"
        );
        lab.stop().await;
    });
}

#[test]
fn case_31_a_function_that_is_not_there_yet_is_waited_for() {
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let function = format!("orders=http://{address}");
        let (lab, stream, mapping) = lab(&function, 1, &no_retries()).await;
        stream.put("k", "a").await;
        let request = DrainRequest {
            advance: true,
            most_advance_ms: 600_000,
            ..DrainRequest::default()
        };
        let error = lab.event_sources().drain(None, request).await.unwrap_err();
        assert!(format!("{error:?}").contains("attempt 1"), "{error:?}");
        let listener = TcpListener::bind(address).await.unwrap();
        let server = Server::over(listener, |_, _| Reply::new(200, "null"));
        drain(&lab).await;
        assert_eq!(server.got().len(), 1);
        assert_eq!(server.got()[0].header("x-minikin-attempt"), Some("1"));
        assert!(mapping.failures().is_empty());
        lab.stop().await;
    });
}

#[test]
fn case_30_a_throttle_over_http_names_its_wait() {
    block_on(async {
        let server = Server::start(|_, number| match number {
            1..=4 => Reply::new(429, r#"{"Type":"User","message":"Rate Exceeded."}"#),
            5 => Reply {
                headers: vec![("retry-after", "7")],
                ..Reply::new(429, "")
            },
            _ => Reply::new(200, "null"),
        })
        .await;
        let (lab, stream, mapping) =
            lab(&format!("orders={}", server.url()), 1, &no_retries()).await;
        let began = lab.clock.now_ms();
        stream.put("k", "a").await;
        drain(&lab).await;
        let got = server.got();
        assert_eq!(got.len(), 6);
        let attempts = got.iter().map(|got| got.header("x-minikin-attempt"));
        assert!(attempts.into_iter().all(|attempt| attempt == Some("1")));
        assert_eq!(lab.clock.now_ms() - began, 10_000);
        assert!(mapping.failures().is_empty());
        lab.stop().await;
    });
}

/// True if this answer of the emulator makes the batch fail.
async fn fails(status: u16, body: &str) -> bool {
    let reply = Reply::new(status, body);
    let server = Server::start(move |got, _| {
        if got.path.contains("/functions/function/") {
            reply.clone()
        } else {
            Reply::new(404, "404 page not found\n")
        }
    })
    .await;
    let (lab, stream, mapping) = lab(&format!("orders={}", server.url()), 1, &no_retries()).await;
    stream.put("k", "a").await;
    drain(&lab).await;
    let failures = mapping.failures();
    if let Some(failure) = failures.first() {
        assert_eq!(
            failure.record["responseContext"]["functionError"],
            "Unhandled"
        );
    }
    lab.stop().await;
    !failures.is_empty()
}

#[test]
fn case_32_and_33_errors_of_the_runtime_interface_emulator() {
    block_on(async {
        assert!(fails(200, ERROR).await);
        assert!(fails(200, "Task timed out after 3.00 seconds").await);
        assert!(fails(200, "").await);
        assert!(fails(502, "x").await);
        assert!(!fails(200, "null").await);
    });
}

/// The answers of `sam local start-lambda`. If the function takes too long, the answer is empty.
#[test]
fn an_empty_answer_of_sam_local_is_an_error() {
    block_on(async {
        let sam = ("server", "Werkzeug/3.1.3 Python/3.11.9");
        let version = ("x-amz-executed-version", "$LATEST");
        for (headers, body, failures) in [
            (vec![sam], "", 2),
            (vec![sam], "null", 1),
            (vec![sam, version], "", 1),
            (vec![], "", 1),
        ] {
            let server = Server::start(move |_, number| {
                let mut reply = Reply {
                    headers: headers.clone(),
                    ..Reply::new(200, body)
                };
                if number == 1 {
                    reply.headers.push(("x-amz-function-error", "Unhandled"));
                }
                reply
            })
            .await;
            let function = format!("orders={}", server.url());
            let (lab, stream, mapping) = lab(&function, 1, &no_retries()).await;
            for _ in 0..2 {
                stream.put("k", "a").await;
                drain(&lab).await;
            }
            assert_eq!(mapping.failures().len(), failures);
            lab.stop().await;
        }
    });
}

#[test]
fn case_34_an_address_that_shows_errors_in_the_header_is_believed() {
    block_on(async {
        let server = Server::start(|_, number| match number {
            1 => Reply {
                headers: vec![("x-amz-function-error", "Handled")],
                ..Reply::new(200, ERROR)
            },
            _ => Reply::new(200, ERROR),
        })
        .await;
        let (lab, stream, mapping) = lab(
            &format!("orders={}", server.url()),
            1,
            &json!({ "MaximumRetryAttempts": 0 }),
        )
        .await;
        stream.put("k", "bad").await;
        drain(&lab).await;
        stream.put("k", "good").await;
        drain(&lab).await;
        let failures = mapping.failures();
        assert_eq!(failures.len(), 1);
        assert_eq!(
            failures[0].record["responseContext"]["functionError"],
            "Handled"
        );
        lab.stop().await;
    });
}

#[test]
fn case_36_a_url_without_a_path_is_probed_once() {
    block_on(async {
        let server = Server::start(|got, _| {
            let is_emulator = got.path.starts_with("/2015-03-31/functions/function/");
            Reply::new(if is_emulator { 200 } else { 404 }, "null")
        })
        .await;
        let (lab, stream, _) = lab(&format!("orders={}", server.url()), 1, &json!({})).await;
        for _ in 0..2 {
            stream.put("k", "a").await;
            drain(&lab).await;
        }
        let by_name = "/2015-03-31/functions/orders/invocations?Qualifier=prod";
        let emulator = "/2015-03-31/functions/function/invocations?Qualifier=prod";
        assert_eq!(server.paths(), [by_name, emulator, emulator]);
        lab.stop().await;
    });
}

/// Another program with the other path may replace the program at an address.
#[test]
fn a_path_that_is_gone_is_searched_for_again() {
    block_on(async {
        let server = Server::start(|got, number| {
            let is_emulator = got.path.starts_with("/2015-03-31/functions/function/");
            let has_emulator = (2..=3).contains(&number);
            let status = if is_emulator == has_emulator {
                200
            } else {
                404
            };
            Reply::new(status, "null")
        })
        .await;
        let (lab, stream, mapping) = lab(&format!("orders={}", server.url()), 1, &json!({})).await;
        for _ in 0..3 {
            stream.put("k", "a").await;
            drain(&lab).await;
        }
        let paths = server.paths();
        let is_by_name = |path: &String| path.starts_with("/2015-03-31/functions/orders/");
        let by_name: Vec<bool> = paths.iter().map(is_by_name).collect();
        // The first batch is sent by name. The second batch finds the emulator with its second
        // request. At the third batch the emulator is gone, so the second request is by name again.
        assert_eq!(by_name, [true, true, false, false, true], "{paths:?}");
        assert!(mapping.failures().is_empty());
        lab.stop().await;
    });
}

#[test]
fn a_404_of_lambda_is_no_unknown_path() {
    block_on(async {
        let lambda = |number: usize| match number {
            1 => Reply::new(404, r#"{"Type":"User","Message":"Function not found"}"#),
            2 => Reply {
                headers: vec![("x-amzn-errortype", "ResourceNotFoundException")],
                ..Reply::new(404, "")
            },
            _ => Reply::new(200, "null"),
        };
        let server = Server::start(move |_, number| lambda(number)).await;
        let (lab, stream, mapping) =
            lab(&format!("orders={}", server.url()), 1, &no_retries()).await;
        stream.put("k", "a").await;
        drain(&lab).await;
        let by_name = "/2015-03-31/functions/orders/invocations?Qualifier=prod";
        assert_eq!(server.paths(), [by_name; 3]);
        assert!(mapping.failures().is_empty());
        lab.stop().await;
    });
}

#[test]
fn a_url_with_a_path_is_posted_to_as_it_is() {
    block_on(async {
        let server = Server::start(|_, _| Reply::new(200, "null")).await;
        let function = format!("*={}/run/{{name}}?x=1", server.url());
        let (lab, stream, _) = lab(&function, 1, &json!({})).await;
        stream.put("k", "a").await;
        drain(&lab).await;
        assert_eq!(server.paths(), ["/run/orders?x=1&Qualifier=prod"]);
        lab.stop().await;
    });
}

async fn put_into_two_shards(stream: &Stream) {
    stream.put_at("0", "a").await;
    stream
        .put_at("170141183460469231731687303715884105728", "b")
        .await;
}

#[test]
fn case_37_each_address_has_one_request_at_a_time() {
    block_on(async {
        let held = |_: &crate::lab::server::Got, _| Reply {
            held: true,
            ..Reply::new(200, "null")
        };
        let (one, other) = (Server::start(held).await, Server::start(held).await);
        let function = format!("orders={},{}", one.url(), other.url());
        let (lab, stream, _) = lab(&function, 2, &json!({})).await;
        put_into_two_shards(&stream).await;
        let both = async {
            while one.running() + other.running() < 2 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(crate::lab::WAIT_LIMIT, both)
            .await
            .unwrap();
        assert_eq!((one.running(), other.running()), (1, 1));
        one.release();
        other.release();
        drain(&lab).await;
        lab.stop().await;
    });
}

#[test]
fn case_37_one_address_is_never_asked_twice_at_once() {
    block_on(async {
        let server = Server::start(|_, _| Reply::new(200, "null")).await;
        let (lab, stream, _) = lab(
            &format!("orders={}", server.url()),
            2,
            &json!({ "BatchSize": 1 }),
        )
        .await;
        for _ in 0..10 {
            put_into_two_shards(&stream).await;
        }
        drain(&lab).await;
        assert_eq!((server.got().len(), server.most_at_once()), (20, 1));
        lab.stop().await;
    });
}

#[test]
fn case_38_a_function_that_takes_too_long_has_failed() {
    block_on(async {
        let server = Server::start(|_, _| Reply {
            held: true,
            ..Reply::new(200, "null")
        })
        .await;
        let function = format!("orders={};timeout=1", server.url());
        let (lab, stream, mapping) = lab(&function, 1, &no_retries()).await;
        let began = lab.clock.now_ms();
        stream.put("k", "a").await;
        let request = DrainRequest {
            timeout: Duration::from_secs(30),
            ..DrainRequest::default()
        };
        lab.event_sources().drain(None, request).await.unwrap();
        assert_eq!(
            lab.clock.now_ms(),
            began,
            "the virtual clock stands meanwhile"
        );
        let failures = mapping.failures();
        assert_eq!(
            failures[0].record["responseContext"]["functionError"],
            "Unhandled"
        );
        lab.stop().await;
    });
}
