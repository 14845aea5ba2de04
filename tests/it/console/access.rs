//! Access to the pages, and the headers that protect them.

use super::{PAGES, PARTS, get};
use crate::lab::{Request, wire_test};
use crate::looking::own;

wire_test!(every_page_is_protected_by_a_policy, |lab| async move {
    lab.stream("orders").create().await;
    let parts = PARTS.map(|part| format!("console/streams/orders/{part}"));
    let others = ["console/streams/nothing/records", "console/queues/nothing"];
    let pages = PAGES.iter().chain(&others).map(ToString::to_string);
    for path in pages.chain(parts) {
        let answer = get(&lab, &path).await;
        assert!(
            [200, 404].contains(&answer.status),
            "{path}: {}",
            answer.status
        );
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'self';"), "{policy}");
        assert!(policy.contains("form-action 'self'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(
            answer.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        let text = answer.text();
        for forbidden in [
            " style=\"",
            " onclick=",
            "<style",
            "javascript:",
            "http://www",
        ] {
            assert!(!text.contains(forbidden), "{path} has {forbidden}");
        }
        // The only script is a file of this origin.
        assert_eq!(text.matches("<script").count(), 1, "{path}");
        assert!(text.contains("<script src=\"/_minikin/console/assets/script.js?v="));
    }
});

wire_test!(
    the_address_without_a_slash_leads_to_the_console,
    |lab| async move {
        let answer = lab.send(&Request::bare("GET", "/_minikin")).await;
        assert_eq!(answer.status, 308);
        assert_eq!(answer.header("location"), Some("/_minikin/"));
    }
);

wire_test!(other_origins_see_and_change_nothing, |lab| async move {
    let paths = PAGES.map(|path| ("GET", path.to_owned()));
    let others = [
        ("GET", "console/streams/orders/tail".to_owned()),
        ("POST", "console/do/call/CreateStream".to_owned()),
        ("POST", "console/do/put/orders".to_owned()),
        ("POST", "console/do/faults/add".to_owned()),
    ];
    for (method, path) in paths.iter().chain(&others) {
        for (name, value) in [
            ("Origin", "https://example.com"),
            ("Sec-Fetch-Site", "cross-site"),
            ("Host", "rebound.example.com"),
        ] {
            let request = Request::bare(method, &format!("/_minikin/{path}"));
            let request = request.without("Host").header("Host", "localhost");
            let request = request.without(name).header(name, value);
            let form = b"StreamName=evil&ShardCount:int=1&kind=delay";
            let answer = lab.send(&request.body(form)).await;
            assert_eq!(answer.status, 403, "{method} {path} {name}");
        }
    }
    let (_, listed) = own(&lab, "GET", "streams", "").await;
    assert_eq!(listed["streams"].as_array().unwrap().len(), 0);
    let (_, rules) = own(&lab, "GET", "faults", "").await;
    assert_eq!(rules["faults"].as_array().unwrap().len(), 0);
});

wire_test!(a_form_goes_only_to_its_method, |lab| async move {
    let answer = get(&lab, "console/do/call/CreateStream").await;
    assert_eq!(answer.status, 405);
    let answer = get(&lab, "console/nothing").await;
    assert_eq!(answer.status, 404);
});

wire_test!(the_own_origin_may_send_forms, |lab| async move {
    for (host, origin) in [
        ("localhost:4567", "http://localhost:4567"),
        ("127.0.0.1:4567", "http://127.0.0.1:4567"),
    ] {
        let request = Request::bare("POST", "/_minikin/console/do/faults/clear")
            .without("Host")
            .header("Host", host)
            .header("Origin", origin)
            .header("Sec-Fetch-Site", "same-origin");
        assert_eq!(lab.send(&request).await.status, 303, "{origin}");
    }
});

wire_test!(
    the_admin_token_signs_a_browser_in,
    ["--admin-token", "open sesame"],
    |lab| async move {
        let far = |request: Request| {
            let request = request.without("Host").header("Host", "minikin.example");
            request.header("Accept", "text/html")
        };
        let refused = lab.send(&far(Request::bare("GET", "/_minikin/"))).await;
        assert_eq!(refused.status, 403);
        assert!(refused.text().contains("Admin token"), "{}", refused.text());
        assert!(refused.header("content-security-policy").is_some());
        let sign_in = |token: &str| {
            far(Request::bare("POST", "/_minikin/console/sign-in")).body(token.as_bytes())
        };
        let wrong = lab.send(&sign_in("token=sesame")).await;
        assert_eq!((wrong.status, wrong.header("set-cookie")), (403, None));
        let right = lab.send(&sign_in("token=open+sesame")).await;
        assert_eq!(right.status, 303);
        let cookie = right.header("set-cookie").unwrap();
        assert!(
            cookie.ends_with("; Path=/_minikin; HttpOnly; SameSite=Strict"),
            "{cookie}"
        );
        let cookie = cookie.split(';').next().unwrap();
        let seen = far(Request::bare("GET", "/_minikin/")).header("Cookie", cookie);
        assert_eq!(lab.send(&seen).await.status, 200);
        let crossed = seen.header("Sec-Fetch-Site", "cross-site");
        assert_eq!(lab.send(&crossed).await.status, 403);
    }
);
