//! Access to the own paths: health for every client, the clock only for this machine or with the
//! token.

use crate::lab::{Lab, Request, START_MS, wire_test};

const CLOCK: &str = "/_minikin/clock";

fn advance() -> Request {
    Request::bare("POST", CLOCK).body(br#"{"advance_ms":1}"#)
}

async fn status(lab: &Lab, request: &Request) -> u16 {
    lab.send_both(request).await.status
}

wire_test!(
    own_paths_ask_for_no_signature,
    [
        "--auth",
        "verify",
        "--credential",
        "AKID:hush",
        "--admin-token",
        "open"
    ],
    |lab| async move {
        for path in [
            "/_minikin/health/live",
            "/_minikin/health/ready",
            "/_minikin/ca.pem",
            CLOCK,
        ] {
            assert_eq!(
                status(&lab, &Request::bare("GET", path)).await,
                200,
                "{path}"
            );
        }
        assert_eq!(lab.send(&advance()).await.status, 200);
    }
);

wire_test!(
    pages_of_others_neither_move_nor_see_the_clock,
    ["--admin-token", "open"],
    |lab| async move {
        for (name, value) in [
            ("Origin", "https://example.com"),
            ("Origin", "http://localhost:3000"),
            ("Origin", "null"),
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Site", "same-site"),
        ] {
            let page = advance().header(name, value);
            assert_eq!(status(&lab, &page).await, 403, "{name}: {value}");
            let page = Request::bare("GET", CLOCK).header(name, value);
            let answer = lab.send_both(&page).await;
            assert_eq!(answer.status, 403, "{name}: {value}");
            assert_eq!(answer.header("access-control-allow-origin"), None);
            let health = Request::bare("GET", "/_minikin/health/live").header(name, value);
            assert_eq!(status(&lab, &health).await, 200);
        }
        // DNS rebinding: the page and the request have the same origin, but their host is not this
        // machine.
        let rebound = advance().header("Host", "example.com:4567");
        assert_eq!(lab.send(&rebound).await.status, 403);
        let rebound = rebound.header("Origin", "http://example.com:4567");
        assert_eq!(lab.send(&rebound).await.status, 403);
        // A preflight request: the page asks if it may send such a request. The server never
        // permits it.
        let asked = Request::bare("OPTIONS", CLOCK).header("Origin", "https://example.com");
        let asked = asked.header("Access-Control-Request-Method", "POST");
        let answer = lab.send(&asked).await;
        assert_eq!(answer.status, 405);
        assert_eq!(answer.header("access-control-allow-origin"), None);
        assert_eq!(lab.clock.now_ms(), START_MS);
    }
);

wire_test!(
    our_own_page_and_clients_with_the_token_move_the_clock,
    ["--admin-token", "open"],
    |lab| async move {
        let own = advance().header("Origin", "http://localhost:4567");
        assert_eq!(
            lab.send(&own.header("Sec-Fetch-Site", "same-origin"))
                .await
                .status,
            200
        );
        let foreign = advance().header("Origin", "https://example.com");
        let shown = |token: &str| foreign.clone().header("Authorization", token);
        assert_eq!(lab.send(&shown("Bearer open")).await.status, 200);
        for token in ["Bearer opem", "Bearer", "Bearer ", "open", "bearer open"] {
            assert_eq!(status(&lab, &shown(token)).await, 403, "{token}");
        }
        assert_eq!(lab.clock.now_ms(), START_MS + 2);
    }
);
