//! Who may use the paths that look at the state or change it.

use super::Admin;
use crate::http::signature::same;
use crate::options::Secret;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header, uri::Authority};
use axum::response::Response;
use std::net::{IpAddr, SocketAddr};

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Proof that a request may use the admin paths: it comes from this machine, and not from a page
/// of somebody else's, or it shows the token.
pub(super) struct LetIn;

const REFUSAL: &str = "only this machine, or whoever shows the --admin-token as a bearer token";
const PAGE_REFUSAL: &str = "not for pages of other origins; show the --admin-token as a bearer \
                            token, or use the address 127.0.0.1 or localhost";

impl FromRequestParts<Admin> for LetIn {
    type Rejection = Response;

    async fn from_request_parts(head: &mut Parts, admin: &Admin) -> Result<Self, Response> {
        let peer = head.extensions.get::<Peer>().map(|peer| peer.0.ip());
        match refusal(head, peer, admin.token.as_ref()) {
            None => Ok(Self),
            Some(text) => Err(super::problem(StatusCode::FORBIDDEN, text)),
        }
    }
}

fn refusal(head: &Parts, peer: Option<IpAddr>, token: Option<&Secret>) -> Option<&'static str> {
    if token.is_some_and(|token| shows(&head.headers, token)) {
        return None;
    }
    if !peer.is_some_and(|peer| peer.is_loopback()) {
        return Some(REFUSAL);
    }
    is_of_another_page(head).then_some(PAGE_REFUSAL)
}

fn shows(headers: &HeaderMap, token: &Secret) -> bool {
    let shown = headers.get(header::AUTHORIZATION);
    let shown = shown.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    shown.is_some_and(|shown| same(token.expose(), shown))
}

/// Whether a browser sends this for a page that is not ours. A page of any site can send requests
/// to this machine, and one whose name was made to point here is no stranger to the browser: its
/// requests name that name as the host.
fn is_of_another_page(head: &Parts) -> bool {
    let text = |name: HeaderName| head.headers.get(name).map(|value| value.as_bytes());
    let host = text(header::HOST).map(String::from_utf8_lossy);
    let authority = head.uri.authority().map(Authority::as_str);
    let host = host.as_deref().or(authority);
    if host.is_some_and(|host| !is_this_machine(host)) {
        return true;
    }
    let site = text(HeaderName::from_static("sec-fetch-site"));
    if site.is_some_and(|site| ![b"same-origin".as_slice(), b"none"].contains(&site)) {
        return true;
    }
    text(header::ORIGIN).is_some_and(|origin| {
        let origin = String::from_utf8_lossy(origin);
        let of_page = origin.split_once("://").map(|(_, of_page)| of_page);
        !of_page.is_some_and(|page| host.is_some_and(|host| host.eq_ignore_ascii_case(page)))
    })
}

/// Whether a host, with or without its port, is an address or a name of every machine for itself.
/// Nobody else can make one of these point here.
fn is_this_machine(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host().to_ascii_lowercase();
    let bare = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(&name).parse::<IpAddr>().is_ok()
        || name == "localhost"
        || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    const NEAR: &str = "127.0.0.1";
    const FAR: &str = "192.0.2.1";

    fn judged(peer: &str, token: Option<&str>, headers: &[(&str, &str)]) -> Option<&'static str> {
        let mut request = Request::post("/_minikin/clock");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        let token = token.map(Secret::from);
        refusal(&head, peer.parse().ok(), token.as_ref())
    }

    #[test]
    fn this_machine_comes_in_and_others_show_the_token() {
        let host = ("host", "localhost:4567");
        let shown = |text: &'static str| [host, ("authorization", text)];
        let token = Some("open sesame");
        assert_eq!(judged(NEAR, None, &[host]), None);
        assert_eq!(judged("::1", token, &[host]), None);
        assert_eq!(judged(FAR, token, &shown("Bearer open sesame")), None);
        for text in [
            "Bearer open sesam",
            "Bearer open sesame!",
            "Bearer ",
            "open sesame",
        ] {
            assert_eq!(judged(FAR, token, &shown(text)), Some(REFUSAL), "{text}");
            assert_eq!(judged(NEAR, token, &shown(text)), None, "{text}");
        }
        assert_eq!(
            judged(FAR, None, &shown("Bearer open sesame")),
            Some(REFUSAL)
        );
        assert_eq!(judged(FAR, None, &[host]), Some(REFUSAL));
        assert_eq!(judged("", None, &[host]), Some(REFUSAL), "unknown");
        let page = [
            ("host", "example.com"),
            ("authorization", "Bearer open sesame"),
        ];
        assert_eq!(judged(FAR, token, &page), None);
    }

    #[test]
    fn programs_and_our_own_pages_come_in() {
        for headers in [
            &[][..],
            &[("host", "localhost:4567")],
            &[("host", "LOCALHOST")],
            &[("host", "kinesis.localhost:4567")],
            &[("host", "127.0.0.1:4567")],
            &[("host", "[::1]:4567")],
            &[("host", "localhost:1"), ("sec-fetch-site", "none")],
            &[("host", "localhost:1"), ("origin", "http://localhost:1")],
            &[
                ("host", "[::1]:1"),
                ("origin", "https://[::1]:1"),
                ("sec-fetch-site", "same-origin"),
            ],
        ] {
            assert_eq!(judged(NEAR, None, headers), None, "{headers:?}");
        }
    }

    #[test]
    fn other_pages_do_not() {
        for headers in [
            &[("host", "localhost:1"), ("origin", "http://localhost:2")][..],
            &[("host", "localhost:1"), ("origin", "https://example.com")],
            &[("host", "localhost:1"), ("origin", "null")],
            &[("host", "localhost:1"), ("origin", "")],
            &[("host", "localhost:1"), ("sec-fetch-site", "cross-site")],
            &[("host", "localhost:1"), ("sec-fetch-site", "same-site")],
            &[("origin", "http://localhost:1")],
            &[
                ("host", "example.com:1"),
                ("origin", "http://example.com:1"),
            ],
            &[("host", "example.com:1")],
            &[("host", "localhost.example.com")],
            &[("host", "127.0.0.1.example.com")],
            &[("host", "user@localhost@example.com")],
            &[("host", "")],
        ] {
            assert_eq!(
                judged(NEAR, None, headers),
                Some(PAGE_REFUSAL),
                "{headers:?}"
            );
        }
    }
}
