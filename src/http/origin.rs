//! Decides which web pages of other origins may call the service (CORS).
//!
//! The real service lets every web page call the service and read the answers, because a page
//! without credentials can do nothing. An emulator accepts any credential, so by default only pages
//! from this machine may call it.
//!
//! The server refuses the requests of other pages and does not rely on the browser to hide the
//! answers. With DNS rebinding, a site lets its own name resolve to this machine. The browser then
//! regards the emulator as a part of the site, and permits the page to read the answers.

use crate::options::AllowedOrigin;
use hyper::HeaderMap;
use hyper::header::{HOST, HeaderName, HeaderValue, ORIGIN};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use std::net::IpAddr;

#[derive(Debug)]
pub(super) struct AllowedOrigins(Vec<AllowedOrigin>);

/// The result of the check of a request's origin: the request does not come from a web page, or the
/// page that sent it may or may not call the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FromPage {
    /// The request has no `Origin` header, so a web page of another origin cannot have sent it.
    No,
    /// The request comes from a page that may call the service.
    Allowed,
    /// The request comes from a page that may not call the service.
    Refused,
}

impl AllowedOrigins {
    pub(super) fn new(allowed: Vec<AllowedOrigin>) -> Self {
        Self(allowed)
    }

    /// Decides by the `Origin` header of a request whether the page that sends it may call the
    /// service.
    pub(super) fn judge(&self, head: &Parts) -> FromPage {
        let Some(origin) = head.headers.get(ORIGIN) else {
            return FromPage::No;
        };
        let origin = String::from_utf8_lossy(origin.as_bytes()).to_ascii_lowercase();
        let allows = |allowed: &AllowedOrigin| match allowed {
            AllowedOrigin::Any => true,
            AllowedOrigin::Local => is_local(&origin) || is_same_address(&origin, head),
            AllowedOrigin::Origin(known) => *known == origin,
        };
        if self.0.iter().any(allows) {
            FromPage::Allowed
        } else {
            FromPage::Refused
        }
    }
}

/// The host in the text `host:port` or `host`, in lower case and without the brackets of an IPv6
/// address. None if the text has another form.
pub(super) fn bare_host(authority: &str) -> Option<String> {
    let authority: Authority = authority.parse().ok()?;
    let host = authority.host();
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    Some(bare.unwrap_or(host).to_ascii_lowercase())
}

/// True for `localhost` and for names that end in `.localhost`, which always mean the local
/// machine.
pub(super) fn is_localhost(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

/// The host in the text of an origin: `localhost` in `http://localhost:3000`.
fn host(origin: &str) -> Option<String> {
    bare_host(origin.split_once("://")?.1)
}

fn is_local(origin: &str) -> bool {
    let Some(host) = host(origin) else {
        return false;
    };
    is_localhost(&host)
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

/// True if the host of `origin` is an IP address, and the request has the same host and port as
/// `origin`. The page that sent the request was then loaded from this emulator. DNS rebinding
/// cannot produce such a request, because DNS rebinding needs a host name.
fn is_same_address(origin: &str, head: &Parts) -> bool {
    let called = head.headers.get(HOST).map(HeaderValue::as_bytes);
    let called = called.or_else(|| {
        let authority = head.uri.authority()?;
        Some(authority.as_str().as_bytes())
    });
    let is_address = host(origin).is_some_and(|host| host.parse::<IpAddr>().is_ok());
    let page = origin.split_once("://").map(|(_, page)| page.as_bytes());
    is_address && page == called
}

const ALLOW_ORIGIN: HeaderName = HeaderName::from_static("access-control-allow-origin");
const ALLOW_HEADERS: HeaderName = HeaderName::from_static("access-control-allow-headers");
const ALLOW_METHODS: HeaderName = HeaderName::from_static("access-control-allow-methods");
const EXPOSE_HEADERS: HeaderName = HeaderName::from_static("access-control-expose-headers");
const MAX_AGE: HeaderName = HeaderName::from_static("access-control-max-age");

/// Number of seconds for which a browser may cache the answer to a preflight request.
const PREFLIGHT_LIFE_S: &str = "172800";
const EXPOSED: &str = "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,\
                       x-amzn-ErrorMessage,Date";

/// The headers and the method for which a preflight request asks permission.
pub(super) struct Asked {
    headers: Option<HeaderValue>,
    method: Option<HeaderValue>,
}

impl Asked {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self {
            headers: headers.get("access-control-request-headers").cloned(),
            method: headers.get("access-control-request-method").cloned(),
        }
    }

    /// Adds headers to an answer that permit the page to read it. For a preflight request, the
    /// headers permit the page to send the headers and the method that it asks for.
    pub(super) fn allow(self, is_preflight: bool, headers: &mut HeaderMap) {
        headers.insert(ALLOW_ORIGIN, HeaderValue::from_static("*"));
        if !is_preflight {
            headers.insert(EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
            return;
        }
        for (name, value) in [(ALLOW_HEADERS, self.headers), (ALLOW_METHODS, self.method)] {
            if let Some(value) = value {
                headers.insert(name, value);
            }
        }
        headers.insert(MAX_AGE, HeaderValue::from_static(PREFLIGHT_LIFE_S));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    fn judged(allowed: &[&str], origin: &str, host: &str) -> FromPage {
        let allowed = allowed.iter().map(|text| text.parse().unwrap()).collect();
        let request = Request::post("/").header("host", host);
        let (head, ()) = request
            .header("origin", origin)
            .body(())
            .unwrap()
            .into_parts();
        AllowedOrigins::new(allowed).judge(&head)
    }

    #[test]
    fn pages_of_this_machine_are_allowed() {
        for origin in [
            "http://localhost:3000",
            "https://LOCALHOST",
            "http://app.localhost",
            "http://127.0.0.1:8080",
            "http://127.1.2.3",
            "http://[::1]:3000",
        ] {
            let judged = judged(&["local"], origin, "localhost:4567");
            assert_eq!(judged, FromPage::Allowed, "{origin}");
        }
        let own = judged(&["local"], "http://192.0.2.1:4567", "192.0.2.1:4567");
        assert_eq!(
            own,
            FromPage::Allowed,
            "a page of the emulator's own address"
        );
    }

    #[test]
    fn other_pages_are_refused_unless_they_are_named() {
        for origin in [
            "https://example.com",
            "http://example.com:4567",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://192.0.2.1",
            "http://[::2]",
            "null",
            "",
        ] {
            let by = |allowed: &[&str]| judged(allowed, origin, "example.com:4567");
            assert_eq!(by(&["local"]), FromPage::Refused, "{origin}");
            assert_eq!(by(&[]), FromPage::Refused, "{origin}");
            assert_eq!(by(&["any"]), FromPage::Allowed, "{origin}");
        }
        let named = |origin| judged(&["local", "https://app.test"], origin, "localhost");
        assert_eq!(named("https://App.test"), FromPage::Allowed);
        assert_eq!(named("http://app.test"), FromPage::Refused);
        assert_eq!(judged(&["null"], "null", "localhost"), FromPage::Allowed);
    }
}
