//! Access to the fault rules. The same rules apply as for every own path that changes something.

use super::{FAULTS, hits};
use crate::lab::{Request, wire_test};

wire_test!(
    web_pages_of_other_origins_may_not_see_or_change_rules,
    |lab| async move {
        let rule = br#"{"kind": "internal-error"}"#;
        for (method, path) in [
            ("GET", FAULTS),
            ("POST", FAULTS),
            ("PUT", FAULTS),
            ("DELETE", FAULTS),
            ("DELETE", "/_minikin/faults/1"),
        ] {
            for header in [
                ("Origin", "https://example.com"),
                ("Sec-Fetch-Site", "cross-site"),
            ] {
                let request = Request::bare(method, path).header(header.0, header.1);
                let answer = lab.send(&request.body(rule)).await;
                assert_eq!(answer.status, 403, "{method} {path} {header:?}");
            }
        }
        assert_eq!(hits(&lab).await, [0; 0], "nothing was added");
    }
);
