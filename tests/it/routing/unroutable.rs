//! Requests of unknown format. They are answered in XML.

use super::check_ids;
use crate::lab::{Answer, Request, wire_test};

const DENIED: &str = "<AccessDeniedException>\n  <Message>Unable to determine service/operation \
                      name to be authorized</Message>\n</AccessDeniedException>\n";
const UNSIGNED: &str = "<MissingAuthenticationTokenException>\n  <Message>Missing Authentication \
                        Token</Message>\n</MissingAuthenticationTokenException>\n";

fn check_xml(answer: &Answer, status: u16, body: &str, what: &str) {
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (status, body),
        "{what}"
    );
    check_ids(answer);
    let names = ["content-length", "date", "x-amz-id-2", "x-amzn-requestid"];
    assert_eq!(answer.header_names(), names, "{what}");
    assert_eq!(
        answer.header("content-length"),
        Some(body.len().to_string().as_str())
    );
}

wire_test!(other_methods_are_denied, |lab| async move {
    for method in ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "WHATEVER"] {
        let call = Request::json("ListStreams", "{}").method(method);
        let unsigned = call.clone().without("Authorization");
        check_xml(&lab.send_both(&unsigned).await, 403, UNSIGNED, method);
        let unrouted = call.clone().without("X-Amz-Target");
        check_xml(&lab.send_both(&unrouted).await, 403, DENIED, method);
        let unknown = "<UnknownOperationException/>\n";
        check_xml(&lab.send_both(&call).await, 404, unknown, method);
    }
    let browser = Request::bare("GET", "/favicon.ico");
    check_xml(&lab.send_both(&browser).await, 403, UNSIGNED, "a browser");
});

wire_test!(head_gets_the_head_of_the_same_answer, |lab| async move {
    let get = Request::bare("GET", "/");
    let full = lab.send(&get).await;
    let mut connection = lab.connect().await;
    for _ in 0..2 {
        let head = connection.exchange(&get.clone().method("HEAD")).await;
        assert_eq!((head.status, head.body.len()), (403, 0));
        assert_eq!(head.header("content-length"), full.header("content-length"));
        assert_eq!(head.header_names(), full.header_names());
        check_ids(&head);
    }
    // The answer to HEAD has no body, so the next answer on the connection is complete.
    let answer = connection
        .exchange(&Request::json("ListStreams", "{}"))
        .await;
    assert_eq!(answer.status, 200);
});

wire_test!(
    unknown_content_types_are_distinguished_by_signature_and_target,
    |lab| async move {
        let signed = |kind: &str| Request::call("ListStreams", kind, b"{}");
        for kind in [
            "application/x-amz-json-1.0",
            "application/x-amz-json-1.1x",
            "text/plain",
            "application/cbor",
            "application/x-www-form-urlencoded",
            "application/x-amz-json-1.1, application/x-amz-json-1.1",
            ";",
        ] {
            let target = |target: &str| signed(kind).header("X-Amz-Target", target);
            let unknown = "<UnknownOperationException/>\n";
            check_xml(&lab.send_both(&signed(kind)).await, 404, unknown, kind);
            let unsigned = signed(kind).without("Authorization");
            check_xml(&lab.send_both(&unsigned).await, 403, UNSIGNED, kind);
            let failed = target("Kinesis_20131202.ListTables");
            check_xml(
                &lab.send_both(&failed).await,
                500,
                "<InternalFailure/>\n",
                kind,
            );
            let other = "<UnrecognizedClientException>\n  <Message>No authorization strategy was \
                     found for service: other, operation: Op</Message>\n\
                     </UnrecognizedClientException>\n";
            check_xml(&lab.send_both(&target("other.Op")).await, 403, other, kind);
            for target in [
                target("Kinesis_20131202."),
                target(".ListStreams"),
                target("Kinesis_20131202"),
            ] {
                check_xml(&lab.send_both(&target).await, 403, DENIED, kind);
            }
            let untargeted = signed(kind).without("X-Amz-Target");
            check_xml(&lab.send_both(&untargeted).await, 403, DENIED, kind);
        }
        let untyped = signed("x").without("Content-Type");
        let unknown = "<UnknownOperationException/>\n";
        check_xml(&lab.send_both(&untyped).await, 404, unknown, "none");
        check_xml(
            &lab.send_both(&untyped.without("X-Amz-Target")).await,
            403,
            DENIED,
            "none",
        );
    }
);

wire_test!(broken_signatures_are_refused_in_xml_too, |lab| async move {
    let call = Request::call("ListStreams", "text/plain", b"{}");
    let twice = "<InvalidSignatureException>\n  <Message>Found both 'X-Amz-Algorithm' as a \
                 query-string param and 'Authorization' as HTTP header.</Message>\n\
                 </InvalidSignatureException>\n";
    check_xml(
        &lab.send_both(&call.clone().path("/?X-Amz-Algorithm")).await,
        403,
        twice,
        "twice",
    );
    let parts = "<IncompleteSignatureException>\n  <Message>Authorization header requires \
                  'Signature' parameter. Authorization=AWS4 Credential=a SignedHeaders=b</Message>\n\
                  </IncompleteSignatureException>\n";
    let header = call
        .clone()
        .header("Authorization", "AWS4 Credential=a SignedHeaders=b");
    check_xml(&lab.send_both(&header).await, 403, parts, "parts");
    let query = "<IncompleteSignatureException>\n  <Message>AWS query-string parameters must \
                 include 'X-Amz-Signature'. Re-examine the query-string parameters.</Message>\n\
                 </IncompleteSignatureException>\n";
    let path = "/?X-Amz-Algorithm=a&X-Amz-Credential=b&X-Amz-SignedHeaders=c&X-Amz-Date=d";
    let call = call.without("Authorization").path(path);
    check_xml(&lab.send_both(&call).await, 403, query, "query");
});
