//! Requests from pages of other origins.

use super::check_ids;
use crate::lab::{Answer, Request, wire_test};

const EXPOSED: &str =
    "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,x-amzn-ErrorMessage,Date";

fn check_preflight(answer: &Answer, echoes: &[(&str, &str)]) {
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-max-age"), Some("172800"));
    assert_eq!(answer.header("content-length"), Some("0"));
    let mut expected: Vec<&str> = vec![
        "access-control-allow-origin",
        "access-control-max-age",
        "content-length",
        "date",
        "x-amzn-requestid",
    ];
    for (name, value) in echoes {
        assert_eq!(answer.header(name), Some(*value), "{name}");
        expected.push(name);
    }
    expected.sort_unstable();
    assert_eq!(answer.header_names(), expected);
}

wire_test!(
    a_preflight_echoes_what_was_asked_for,
    ["--allow-origin", "any"],
    |lab| async move {
        let asked = Request::bare("OPTIONS", "/any").header("Origin", "https://example.com");
        check_preflight(&lab.send(&asked).await, &[]);
        let headers = asked
            .clone()
            .header("Access-Control-Request-Headers", "x-amz-target, a,b");
        let allow_headers = ("access-control-allow-headers", "x-amz-target, a,b");
        check_preflight(&lab.send(&headers).await, &[allow_headers]);
        let method = asked.header("Access-Control-Request-Method", "PURGE");
        let allow_method = ("access-control-allow-methods", "PURGE");
        check_preflight(&lab.send(&method).await, &[allow_method]);
        let both = method.header("Access-Control-Request-Headers", "x-amz-target, a,b");
        check_preflight(&lab.send_both(&both).await, &[allow_headers, allow_method]);
        // A request with a signature, a body and a target is still a preflight request.
        let signed = Request::json("ListStreams", "{")
            .method("OPTIONS")
            .header("Origin", "null");
        check_preflight(&lab.send(&signed).await, &[]);
    }
);

wire_test!(
    every_other_answer_may_be_seen_by_any_origin,
    ["--allow-origin", "any"],
    |lab| async move {
        let call = Request::json("ListStreams", "{}");
        for (request, status) in [
            (call.clone(), 200),
            (Request::json("ListStreams", "{"), 400),
            (Request::json("Nothing", "{}"), 400),
            (call.clone().without("Authorization"), 400),
            (Request::json("ListStreams", ""), 400),
            (call.clone().header("Content-Type", "application/json"), 404),
            (call.clone().header("Content-Type", "text/html"), 404),
            (Request::bare("GET", "/"), 403),
        ] {
            let answer = lab
                .send_both(&request.clone().header("Origin", "http://a"))
                .await;
            assert_eq!(answer.status, status);
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
            assert_eq!(
                answer.header("access-control-expose-headers"),
                Some(EXPOSED)
            );
            check_ids(&answer);
            let without = lab.send(&request).await;
            let mut names = answer.header_names();
            names.retain(|name| !name.starts_with("access-control-"));
            assert_eq!(names, without.header_names(), "nothing else changes");
        }
    }
);

wire_test!(pages_of_this_machine_call_the_service, |lab| async move {
    for origin in [
        "http://localhost:3000",
        "http://127.0.0.1",
        "http://[::1]:8080",
    ] {
        let asked = Request::bare("OPTIONS", "/").header("Origin", origin);
        check_preflight(&lab.send_both(&asked).await, &[]);
        let call = Request::json("ListStreams", "{}").header("Origin", origin);
        let answer = lab.send_both(&call).await;
        assert_eq!(answer.status, 200, "{origin}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
});

wire_test!(
    pages_of_other_origins_do_not_call_the_service,
    ["--allow-origin", "local,https://app.test"],
    |lab| async move {
        for origin in [
            "https://example.com",
            "http://localhost.example.com",
            "null",
        ] {
            let asked = Request::bare("OPTIONS", "/")
                .header("Origin", origin)
                .header("Access-Control-Request-Headers", "x-amz-target");
            let answer = lab.send_both(&asked).await;
            assert_eq!((answer.status, answer.body.len()), (403, 0), "{origin}");
            let create = Request::json("CreateStream", r#"{"StreamName":"s"}"#);
            let refused = lab.send_both(&create.header("Origin", origin)).await;
            assert_eq!(refused.refusal().kind, "AccessDeniedException", "{origin}");
            for answer in [answer, refused] {
                let names = answer.header_names();
                let allows = names.iter().any(|name| name.starts_with("access-control-"));
                assert!(!allows, "{origin} {names:?}");
            }
        }
        // DNS rebinding: a site lets its own name resolve to this machine, so the page and the
        // request have the same origin.
        let rebound = Request::json("ListStreams", "{}")
            .header("Host", "example.com:4567")
            .header("Origin", "http://example.com:4567");
        assert_eq!(lab.send(&rebound).await.status, 400);
        let named = Request::json("ListStreams", "{}").header("Origin", "https://app.test");
        assert_eq!(
            lab.send_both(&named).await.value()["StreamNames"],
            serde_json::json!([])
        );
    }
);
