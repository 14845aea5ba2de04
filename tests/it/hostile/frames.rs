//! HTTP/2 frames that no correct client sends.

use super::{check_served, counter, until};
use crate::lab::{Lab, Request, WAIT_LIMIT, wire_test};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// A connection that can send any frames, and reads nothing until the attack ends.
pub(super) struct Attack(TcpStream);

impl Attack {
    /// Begins an attack over a connection whose streams have this window.
    pub(super) async fn begin(lab: &Lab, window: u32) -> Self {
        let mut stream = TcpStream::connect(lab.address()).await.unwrap();
        stream.write_all(PREFACE).await.unwrap();
        let mut attack = Self(stream);
        let setting = [&[0, 4][..], &window.to_be_bytes()].concat();
        assert!(attack.send(&frame(SETTINGS, 0, 0, &setting)).await);
        attack
    }

    /// Sends bytes. Returns false if the connection is closed.
    async fn send(&mut self, bytes: &[u8]) -> bool {
        let sent = timeout(WAIT_LIMIT, self.0.write_all(bytes)).await;
        sent.expect("they are taken, or the connection is closed")
            .is_ok()
    }

    /// Sends a whole request.
    pub(super) async fn call(&mut self, stream: u32, request: &Request) -> bool {
        let head = frame(HEADERS, END_HEADERS, stream, &block(request));
        let body = frame(DATA, END_STREAM, stream, &request.body);
        self.send(&[head, body].concat()).await
    }

    /// Reads the remaining bytes until the connection is closed.
    pub(super) async fn until_closed(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let closed = timeout(WAIT_LIMIT, self.0.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "the connection is closed");
        rest
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [length[1], length[2], length[3], kind, flags];
    [&head, &stream.to_be_bytes()[..], payload].concat()
}

/// A header in HPACK, as a literal that the receiver does not add to its table.
fn literal(name: &str, value: &str) -> Vec<u8> {
    let mut field = vec![0];
    for text in [name, value] {
        let mut length = text.len();
        if length < 127 {
            field.push(u8::try_from(length).unwrap());
        } else {
            field.push(127);
            length -= 127;
            while length >= 128 {
                field.push(u8::try_from(length % 128).unwrap() | 128);
                length /= 128;
            }
            field.push(u8::try_from(length).unwrap());
        }
        field.extend_from_slice(text.as_bytes());
    }
    field
}

fn block(request: &Request) -> Vec<u8> {
    let mut block = literal(":method", &request.method);
    block.extend(literal(":scheme", "http"));
    block.extend(literal(":authority", "localhost"));
    block.extend(literal(":path", &request.path));
    for (name, value) in request.headers.iter().filter(|(name, _)| name != "Host") {
        block.extend(literal(&name.to_ascii_lowercase(), value));
    }
    block
}

fn list() -> Request {
    Request::json("ListStreams", "{}")
}

wire_test!(
    streams_that_are_reset_at_once_end_their_connection,
    |lab: Lab| async move {
        let mut attack = Attack::begin(&lab, 65_535).await;
        let head = block(&list());
        let mut stream = 1;
        let mut open = true;
        // For each stream the client sends only a small HEADERS frame and 13 bytes of RST_STREAM.
        while open && stream < 200_000 {
            let mut burst = Vec::new();
            for _ in 0..100 {
                burst.extend(frame(HEADERS, END_HEADERS, stream, &head));
                burst.extend(frame(RESET, 0, stream, &[0, 0, 0, 8]));
                stream += 2;
            }
            open = attack.send(&burst).await;
        }
        assert!(!open, "it goes on after {stream}");
        check_served(&lab).await;
        until(&lab, "in_flight_bytes", 0).await;
    }
);

wire_test!(
    headers_that_go_on_for_ever_end_their_connection,
    |lab: Lab| async move {
        let mut attack = Attack::begin(&lab, 65_535).await;
        let head = block(&list());
        let mut open = attack.send(&frame(HEADERS, 0, 1, &head)).await;
        let more = frame(CONTINUATION, 0, 1, &literal("x-more", &"x".repeat(8_000)));
        let mut count = 0;
        while open && count < 100_000 {
            open = attack.send(&more).await;
            count += 1;
        }
        assert!(!open, "it goes on after {count}");
        check_served(&lab).await;
    }
);

wire_test!(
    empty_continuations_end_their_connection,
    |lab: Lab| async move {
        let mut attack = Attack::begin(&lab, 65_535).await;
        let mut open = attack.send(&frame(HEADERS, 0, 1, &block(&list()))).await;
        let more = frame(CONTINUATION, 0, 1, b"").repeat(100);
        let mut count = 0;
        while open && count < 10_000 {
            open = attack.send(&more).await;
            count += 1;
        }
        assert!(!open, "it goes on after {count}");
        check_served(&lab).await;
    }
);

wire_test!(
    a_header_list_beyond_its_limit_is_refused,
    |lab: Lab| async move {
        let mut attack = Attack::begin(&lab, 65_535).await;
        let mut block = block(&list());
        // The receiver adds this header to its table. Each further byte then refers to it, so a few
        // bytes are many headers.
        block.extend([0x40]);
        block.extend(&literal("x-bomb", &"x".repeat(3_000))[1..]);
        block.extend([0xbe; 5_000]);
        attack.send(&frame(HEADERS, END_HEADERS, 1, &block)).await;
        attack.send(&frame(DATA, END_STREAM, 1, b"{}")).await;
        check_served(&lab).await;
        until(&lab, "in_flight_bytes", 0).await;
        until(
            &lab,
            "requests_total{operation=\"ListStreams\",outcome=\"done\"}",
            1,
        )
        .await;
    }
);

wire_test!(huge_heads_over_http_1_are_refused, |lab: Lab| async move {
    let line = format!("X-Long: {}\r\n", "x".repeat(1_000));
    for head in [
        line.repeat(200),
        "X: y\r\n".repeat(1_000),
        format!("X: {}\r\n", "y".repeat(100_000)),
    ] {
        let mut connection = lab.connect().await;
        let start = format!("POST / HTTP/1.1\r\nHost: localhost\r\n{head}");
        connection.send(start.as_bytes()).await;
        let rest = connection.rest().await;
        let text = String::from_utf8_lossy(&rest);
        assert!(
            text.is_empty() || text.starts_with("HTTP/1.1 431 "),
            "{text}"
        );
    }
    check_served(&lab).await;
});

wire_test!(
    pings_and_settings_without_end_are_answered_one_by_one,
    |lab: Lab| async move {
        for asked in [
            frame(PING, 0, 0, &[0; 8]),
            frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255]),
        ] {
            let mut attack = Attack::begin(&lab, 65_535).await;
            let burst = asked.repeat(1_000);
            // When the buffers of answers are full, the server stops reading requests. Therefore
            // nothing accumulates.
            let flood = async {
                for _ in 0..1_000 {
                    if !attack.send(&burst).await {
                        break;
                    }
                }
            };
            let served = async {
                for _ in 0..20 {
                    check_served(&lab).await;
                }
            };
            tokio::select! {
                biased;
                () = served => {}
                () = flood => {}
            }
            check_served(&lab).await;
        }
    }
);

wire_test!(
    floods_of_control_frames_end_their_connection,
    |lab: Lab| async move {
        for asked in [
            frame(PING, 0, 0, &[0; 8]),
            frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255]),
            frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 1]),
        ] {
            let mut attack = Attack::begin(&lab, 65_535).await;
            let burst = asked.repeat(100);
            let mut sent = 0;
            while sent < 1_000_000 && attack.send(&burst).await {
                sent += 100;
            }
            assert!(sent < 1_000_000, "it goes on after {sent}");
            check_served(&lab).await;
        }
    }
);

wire_test!(
    streams_that_hold_their_bodies_hold_little_and_others_are_served,
    [
        "--limit",
        "in-flight-bytes=8388608",
        "--limit",
        "admission-wait-seconds=off"
    ],
    |lab: Lab| async move {
        let mut attack = Attack::begin(&lab, 65_535).await;
        let request = Request::json("PutRecord", "");
        let head = block(&request);
        let streams = 1_024;
        for at in 0..streams {
            let stream = 1 + 2 * at;
            let begun = [
                frame(HEADERS, END_HEADERS, stream, &head),
                frame(DATA, 0, stream, b"{"),
            ];
            assert!(attack.send(&begun.concat()).await);
        }
        // The first stream of the connection gets its permit. The further streams share their lane
        // of the budget, and the rest waits or is refused.
        let permits = minikin::internals::limits::REQUEST_PERMIT_BYTES + (8 << 20) / 16 * 2;
        until(&lab, "in_flight_bytes", permits).await;
        check_served(&lab).await;
        drop(attack);
        until(&lab, "in_flight_bytes", 0).await;
    }
);

wire_test!(
    own_paths_over_one_connection_are_within_the_budget,
    [
        "--limit",
        "in-flight-bytes=1048576",
        "--limit",
        "admission-wait-seconds=0"
    ],
    |lab: Lab| async move {
        let mut attack = Attack::begin(&lab, 0).await;
        // The client does not read the answers, so each answer stays in memory until the connection
        // is closed.
        let page = Request::bare("GET", "/_minikin/metrics");
        for at in 0..500 {
            let head = frame(HEADERS, END_HEADERS | END_STREAM, 1 + 2 * at, &block(&page));
            assert!(attack.send(&head).await);
        }
        let further = (1 << 20) / 16 * 2;
        refused(&lab).await;
        let held = counter(&lab, "in_flight_bytes").await;
        assert!(held <= further + (16 << 10), "{held}");
        check_served(&lab).await;
        drop(attack);
        until(&lab, "in_flight_bytes", 0).await;
    }
);

/// Waits until a request is refused because the budget is exhausted.
async fn refused(lab: &Lab) {
    let refused = async { while counter(lab, "admission_refused_total").await == 0 {} };
    let refused = timeout(WAIT_LIMIT, refused).await;
    assert!(refused.is_ok(), "waited for a refusal");
}
