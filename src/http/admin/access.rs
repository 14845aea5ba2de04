//! Access control for minikin's own paths that show or change the state of the emulator.

use super::state::{Admin, Source, problem};
use crate::http::origin::{bare_host, is_localhost};
use crate::http::signature::is_equal;
use crate::options::Secret;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::Response;
use std::net::IpAddr;

/// Proof that a request may use a protected path: the request presents the admin token, or it comes
/// from this machine and not from a web page of another origin.
pub(in crate::http) struct Permitted;

/// The name of the cookie in which a browser presents the admin token. The console sets this cookie
/// when a user signs in. The value of the cookie is the token, percent-encoded.
pub(in crate::http) const TOKEN_COOKIE: &str = "minikin-admin";

const REFUSAL: &str = "only for this machine, or with the --admin-token as a bearer token";
const PAGE_REFUSAL: &str = "not for pages of other origins; present the --admin-token as a bearer \
                            token, or use the address 127.0.0.1 or localhost";

impl FromRequestParts<Admin> for Permitted {
    type Rejection = Response;

    async fn from_request_parts(head: &mut Parts, admin: &Admin) -> Result<Self, Response> {
        let source = head.extensions.get::<Source>();
        let peer = source.map(|source| source.address.ip());
        match refusal(head, peer, admin.token.as_ref()) {
            None => Ok(Self),
            Some(text) => Err(problem(StatusCode::FORBIDDEN, text)),
        }
    }
}

fn refusal(head: &Parts, peer: Option<IpAddr>, token: Option<&Secret>) -> Option<&'static str> {
    if token.is_some_and(|token| presents(&head.headers, token)) {
        return None;
    }
    // A browser adds the cookie to all requests to this address, including the requests of a page
    // of another origin. The cookie does not give such a page access.
    if token.is_some_and(|token| has_cookie(&head.headers, token)) && !is_cross_site(head) {
        return None;
    }
    if !peer.is_some_and(|peer| peer.is_loopback()) {
        return Some(REFUSAL);
    }
    is_from_another_origin(head).then_some(PAGE_REFUSAL)
}

fn presents(headers: &HeaderMap, token: &Secret) -> bool {
    let presented = headers.get(header::AUTHORIZATION);
    let presented = presented.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    presented.is_some_and(|presented| is_equal(token.expose(), presented))
}

/// True if the cookie that the console sets at a sign-in contains `token`.
fn has_cookie(headers: &HeaderMap, token: &Secret) -> bool {
    let cookies = headers.get_all(header::COOKIE).iter();
    let cookies = cookies.filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';'));
    pairs.any(|pair| {
        let presented = pair.trim().strip_prefix(TOKEN_COOKIE);
        let presented = presented.and_then(|rest| rest.strip_prefix('='));
        let presented = presented.map(|text| percent_encoding::percent_decode_str(text).collect());
        presented.is_some_and(|presented: Vec<u8>| {
            str::from_utf8(&presented).is_ok_and(|presented| is_equal(token.expose(), presented))
        })
    })
}

/// True if a browser sends the request for a web page of another origin. Any web page can send
/// requests to this machine, and the browser's headers then name the page's origin. With DNS
/// rebinding, a site lets its own host name resolve to this machine. The browser then regards a
/// request of the site's page as a request to the page's own origin. Such a request is recognized
/// by its host, which is the site's name.
fn is_from_another_origin(head: &Parts) -> bool {
    host(head).is_some_and(|host| !is_this_machine(&host)) || is_cross_site(head)
}

/// The host that a request is addressed to, with the port if there is one. The function reads the
/// host from the header `Host`, or else from the request's URI.
fn host(head: &Parts) -> Option<String> {
    let header = head.headers.get(header::HOST);
    let header = header.map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned());
    header.or_else(|| {
        head.uri
            .authority()
            .map(|authority| authority.as_str().to_owned())
    })
}

/// True if the header `Sec-Fetch-Site` or `Origin` shows that a page of another origin sent the
/// request.
fn is_cross_site(head: &Parts) -> bool {
    let text = |name: HeaderName| head.headers.get(name).map(|value| value.as_bytes());
    let site = text(HeaderName::from_static("sec-fetch-site"));
    if site.is_some_and(|site| ![b"same-origin".as_slice(), b"none"].contains(&site)) {
        return true;
    }
    let host = host(head);
    text(header::ORIGIN).is_some_and(|origin| {
        let origin = String::from_utf8_lossy(origin);
        let page = origin.split_once("://").map(|(_, page)| page);
        let is_own = |page: &str| {
            host.as_deref()
                .is_some_and(|host| host.eq_ignore_ascii_case(page))
        };
        !page.is_some_and(is_own)
    })
}

/// True if `host`, which may have a port, is an IP address or a name that always means the local
/// machine. A site cannot use such a host for DNS rebinding.
fn is_this_machine(host: &str) -> bool {
    bare_host(host).is_some_and(|host| is_localhost(&host) || host.parse::<IpAddr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    const NEAR: &str = "127.0.0.1";
    const FAR: &str = "192.0.2.1";

    fn refused(peer: &str, token: Option<&str>, headers: &[(&str, &str)]) -> Option<&'static str> {
        let mut request = Request::post("/_minikin/clock");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        let token = token.map(Secret::from);
        refusal(&head, peer.parse().ok(), token.as_ref())
    }

    #[test]
    fn a_sign_in_is_good_for_pages_of_the_same_origin() {
        let token = Some("open sesame");
        let host = ("host", "minikin.example:4567");
        let cookie = ("cookie", "a=b; minikin-admin=open%20sesame");
        let same = ("origin", "http://minikin.example:4567");
        assert_eq!(refused(FAR, token, &[host, cookie]), None);
        assert_eq!(refused(FAR, token, &[host, cookie, same]), None);
        let site = ("sec-fetch-site", "same-origin");
        assert_eq!(refused(FAR, token, &[host, cookie, same, site]), None);
        for other in [
            ("origin", "http://example.com"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            assert!(
                refused(FAR, token, &[host, cookie, other]).is_some(),
                "{other:?}"
            );
        }
        let wrong = ("cookie", "minikin-admin=open");
        assert_eq!(refused(FAR, token, &[host, wrong]), Some(REFUSAL));
        assert_eq!(refused(FAR, None, &[host, cookie]), Some(REFUSAL));
    }

    #[test]
    fn this_machine_has_access_and_others_need_the_token() {
        let host = ("host", "localhost:4567");
        let with_token = |text: &'static str| [host, ("authorization", text)];
        let token = Some("open sesame");
        assert_eq!(refused(NEAR, None, &[host]), None);
        assert_eq!(refused("::1", token, &[host]), None);
        assert_eq!(refused(FAR, token, &with_token("Bearer open sesame")), None);
        for text in [
            "Bearer open sesam",
            "Bearer open sesame!",
            "Bearer ",
            "open sesame",
        ] {
            assert_eq!(
                refused(FAR, token, &with_token(text)),
                Some(REFUSAL),
                "{text}"
            );
            assert_eq!(refused(NEAR, token, &with_token(text)), None, "{text}");
        }
        assert_eq!(
            refused(FAR, None, &with_token("Bearer open sesame")),
            Some(REFUSAL)
        );
        assert_eq!(refused(FAR, None, &[host]), Some(REFUSAL));
        assert_eq!(refused("", None, &[host]), Some(REFUSAL), "unknown");
        let page = [
            ("host", "example.com"),
            ("authorization", "Bearer open sesame"),
        ];
        assert_eq!(refused(FAR, token, &page), None);
    }

    #[test]
    fn programs_and_our_own_pages_have_access() {
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
            assert_eq!(refused(NEAR, None, headers), None, "{headers:?}");
        }
    }

    #[test]
    fn pages_of_other_origins_have_no_access() {
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
                refused(NEAR, None, headers),
                Some(PAGE_REFUSAL),
                "{headers:?}"
            );
        }
    }
}
