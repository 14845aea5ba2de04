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

wire_test!(a_preflight_echoes_what_was_asked_for, |lab| async move {
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
    // Signed, with a body and with a target it is still a preflight.
    let signed = Request::json("ListStreams", "{")
        .method("OPTIONS")
        .header("Origin", "null");
    check_preflight(&lab.send(&signed).await, &[]);
});

wire_test!(
    every_other_answer_may_be_seen_by_any_origin,
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
