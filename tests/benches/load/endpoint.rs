//! The URL of the server to load.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

const DEFAULT_HTTP_PORT: u16 = 80;

/// An address written as a URL. Names are not looked up; localhost is 127.0.0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Endpoint(pub(super) SocketAddr);

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text
            .strip_prefix("http://")
            .ok_or("the endpoint begins with http://")?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        // A colon inside brackets belongs to an IPv6 address.
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                let port = port.parse();
                (
                    host,
                    port.map_err(|_| "the port is a number from 0 to 65535")?,
                )
            }
            _ => (rest, DEFAULT_HTTP_PORT),
        };
        Ok(Self(SocketAddr::new(address(host)?, port)))
    }
}

fn address(host: &str) -> Result<IpAddr, String> {
    if host == "localhost" {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let address = bracketed.unwrap_or(host).parse();
    address.map_err(|_| format!("{host} is neither an IP address nor localhost"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_plain_url_of_an_address() {
        for (url, address) in [
            ("http://127.0.0.1:4567/", "127.0.0.1:4567"),
            ("http://localhost:1", "127.0.0.1:1"),
            ("http://[::1]", "[::1]:80"),
        ] {
            let endpoint = url.parse::<Endpoint>().map(|endpoint| endpoint.0);
            assert_eq!(endpoint, Ok(address.parse().unwrap()), "{url}");
        }
        for url in ["https://127.0.0.1:1", "http://kinesis:1", "http://[::1]:x"] {
            assert!(url.parse::<Endpoint>().is_err(), "{url}");
        }
    }
}
