//! Hostile and large data. The pages show such data as text, with bounded size.

use super::{page, part};
use crate::lab::raw::Connection;
use crate::lab::{Lab, Request, Stream, wire_test};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</pre></td></tr></table><h1>out</h1>",
    "{\"</summary><script>\": \"</pre><script>\"}",
    "\u{202e}gnp.exe\u{2066}",
    "a\r\nevent: end\r\ndata: {}\r\n\r\n",
];

/// Fails if data of a record became a part of the page.
fn check_inert(text: &str) {
    assert_eq!(text.matches("<script").count(), 1, "{text}");
    for forbidden in ["<img", "<h1>out", "\u{202e}", "\u{2066}"] {
        assert!(!text.contains(forbidden), "{forbidden:?} in {text}");
    }
}

async fn put_all(stream: &Stream, data: &[&str]) {
    for data in data {
        stream.put(data, data).await;
    }
}

wire_test!(data_and_keys_are_shown_inert, |lab| async move {
    let stream = lab.stream("orders").create().await;
    put_all(&stream, &HOSTILE).await;
    let shown = part(&lab, "records").await;
    check_inert(&shown);
    assert!(
        shown.contains("&lt;script&gt;alert(1)&lt;/script&gt;"),
        "{shown}"
    );
    assert!(shown.contains("⟨U+202E⟩gnp.exe⟨U+2066⟩"), "{shown}");
    for number in shown.split("number=").skip(1).step_by(2) {
        let number = number.split('"').next().unwrap();
        check_inert(&part(&lab, &format!("record?number={number}")).await);
    }
    // The fields of the form show the parameters again.
    let given = "%22%3E%3Cscript%3E";
    for path in ["key", "text", "shard"].map(|name| format!("records?{name}={given}")) {
        let answer = super::get(&lab, &format!("console/streams/orders/{path}")).await;
        check_inert(&answer.text());
    }
    check_inert(&page(&lab, &format!("?filter={given}")).await);
});

wire_test!(names_in_requests_are_shown_inert, |lab| async move {
    lab.json("DescribeStream", r#"{"StreamName": "<script>"}"#)
        .await;
    lab.json("<script>alert(1)</script>", "{}").await;
    check_inert(&page(&lab, "console/requests").await);
});

// Any data can be shown, and the size of the page stays bounded.
wire_test!(any_data_is_shown_bounded, |lab| async move {
    let stream = lab.stream("orders").create().await;
    let any = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..4096),
        "\\PC{0,400}".prop_map(String::into_bytes),
        "[\\[{\"<>:,a-c\u{0}-\u{1f}\u{200b}-\u{202e}]{0,400}".prop_map(String::into_bytes),
    ];
    let mut runner = TestRunner::deterministic();
    for _ in 0..60 {
        let data = any.new_tree(&mut runner).unwrap().current();
        stream.put("any", &data).await;
    }
    let shown = part(&lab, "records").await;
    check_inert(&shown);
    assert!(shown.len() < 2 << 20, "{} bytes", shown.len());
    assert_eq!(shown.matches("<tr id=\"r").count(), 50);
});

wire_test!(a_record_of_megabytes_is_cut, |lab| async move {
    let stream = lab.stream("orders").create().await;
    let large = "<b>".repeat(300_000);
    let placed = stream.put("large", &large).await;
    let shown = part(&lab, "records").await;
    assert!(shown.len() < 64 << 10, "{} bytes", shown.len());
    assert!(
        shown.contains("The first 2.0 KiB of 879 KiB are shown."),
        "{shown}"
    );
    let path = format!("record?number={}", placed.number);
    let one = part(&lab, &path).await;
    assert!(one.len() < 3 << 20, "{} bytes", one.len());
    assert!(one.contains("of 879 KiB are shown."));
});

/// Begins the tail of the page of `orders`, as the script does.
async fn tail(lab: &Lab) -> Connection {
    let shown = part(lab, "records").await;
    let (_, path) = shown.split_once("data-tail=\"").unwrap();
    let path = path.split('"').next().unwrap().replace("&amp;", "&");
    let mut connection = lab.connect().await;
    let head = connection.begin(&Request::bare("GET", &path)).await;
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    connection
}

/// Reads events until one satisfies `is_last`.
async fn events(connection: &mut Connection, is_last: impl Fn(&str) -> bool) -> Vec<String> {
    let (mut text, mut events) = (String::new(), Vec::new());
    loop {
        let chunk = connection.next_chunk().await.unwrap();
        text.push_str(str::from_utf8(&chunk).unwrap());
        while let Some((event, rest)) = text.split_once("\n\n") {
            events.push(event.to_owned());
            text = rest.to_owned();
            if is_last(events.last().unwrap()) {
                return events;
            }
        }
    }
}

wire_test!(
    new_records_come_as_rows_on_one_line_each,
    |lab| async move {
        let stream = lab.stream("orders").create().await;
        stream.put("before", "before").await;
        let mut connection = tail(&lab).await;
        put_all(&stream, &HOSTILE).await;
        stream.put("last", "the last").await;
        let events = events(&mut connection, |event| event.contains("the last")).await;
        assert_eq!(events.len(), 1 + HOSTILE.len() + 1, "{events:?}");
        for event in &events[1..] {
            let lines: Vec<&str> = event.lines().collect();
            assert_eq!(lines.len(), 2, "{event}");
            assert!(lines[1].starts_with("data: <tr id=\"r"), "{event}");
            assert!(!event.contains("before"));
            assert!(
                !event.contains("<script") && !event.contains("<img"),
                "{event}"
            );
        }
    }
);

wire_test!(a_fast_stream_is_shown_in_part, |lab| async move {
    let stream = lab.stream("orders").create().await;
    let mut connection = tail(&lab).await;
    let records: Vec<String> = (0..900).map(|at| format!("record {at}")).collect();
    stream.put("first", "first").await;
    events(&mut connection, |event| event.contains("first")).await;
    for text in &records {
        stream.put("k", text).await;
    }
    let events = events(&mut connection, |event| event.contains("record 899")).await;
    let skipped = events
        .iter()
        .filter(|event| event.starts_with("event: skipped"));
    assert!(skipped.count() > 0, "{} events", events.len());
    assert!(events.len() < 800, "{} events", events.len());
});
