//! The address of a server that a client connects to: host, port and path, and the trusted
//! certificate authority.

use super::tls::TlsClient;
use hyper::Uri;
use std::fmt;
use std::path::Path;

/// The reason why a URL in an option cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AddressError(pub String);

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The parsed URL of a server.
#[derive(Clone)]
pub(crate) struct Address {
    /// The URL as the user has written it, for messages.
    pub(crate) url: String,
    pub(super) host: String,
    pub(super) port: u16,
    /// The value of the header `Host`: the host, and the port if the URL contains one.
    pub(super) authority: String,
    /// Path and query of the URL. None if the URL has no path.
    pub(super) path: Option<String>,
    pub(super) tls: Option<TlsClient>,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.url).finish()
    }
}

impl Address {
    /// Parses the URL of a server. An `https` URL needs `ca`, the file of the trusted certificate
    /// authority.
    pub(crate) fn read(url: &str, ca: Option<&Path>) -> Result<Self, AddressError> {
        let problem = |text: String| AddressError(format!("{url}: {text}"));
        // Parse the URL with underscores in place of braces, because braces are not valid in a URI.
        // The path of a URL may contain the placeholder `{name}`, which stands for the name of a
        // function.
        let plain = url.replace(['{', '}'], "_");
        let uri: Uri = plain.parse().map_err(|error| problem(format!("{error}")))?;
        let host = uri.host().ok_or_else(|| problem("no host".to_owned()))?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(problem("not an http:// or https:// address".to_owned())),
        };
        let tls = if is_tls {
            let ca = ca.ok_or_else(|| problem("https needs a ca=FILE".to_owned()))?;
            Some(TlsClient::new(&host, ca).map_err(problem)?)
        } else {
            None
        };
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        let port = match uri.port_u16() {
            Some(port) => port,
            // The parser of URIs leaves out a port that is not a number below 65536.
            None if Some(authority.as_str()) != uri.host() => {
                return Err(problem("no valid port".to_owned()));
            }
            None if is_tls => 443,
            None => 80,
        };
        let after = url.split_once("://").map_or(url, |(_, after)| after);
        let path = after.find('/').map(|at| &after[at..]);
        Ok(Self {
            url: url.to_owned(),
            port,
            host,
            authority,
            path: path.filter(|path| *path != "/").map(str::to_owned),
            tls,
        })
    }

    /// Returns a text that identifies the server and the path. Two URLs with the same scheme, host,
    /// port and path have the same text.
    pub(super) fn key(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let host = self.host.to_ascii_lowercase();
        let path = self.path.as_deref().unwrap_or_default();
        format!("{scheme}://{host}:{}{path}", self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let parts = |url: &str| {
            let address = Address::read(url, None).unwrap();
            (address.host, address.port, address.authority, address.path)
        };
        let text = str::to_owned;
        assert_eq!(parts("http://a"), (text("a"), 80, text("a"), None));
        assert_eq!(parts("http://a:1/"), (text("a"), 1, text("a:1"), None));
        let named = parts("http://a:1/x/{name}/y");
        assert_eq!(named.3.as_deref(), Some("/x/{name}/y"));
        assert_eq!(parts("http://[::1]:9/x").0, "::1");
        for url in [
            "https://a",
            "http://",
            "ftp://a",
            "a",
            "http://a:99999",
            "http://a:",
            "http://[::1]:x",
        ] {
            assert!(Address::read(url, None).is_err(), "{url}");
        }
    }
}
