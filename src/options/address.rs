//! The types of options that contain addresses to listen on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// The IP addresses of a host to listen on. The hosts `localhost` and `any` have an IPv4 and an
/// IPv6 address. Any other host is written as an IP address, and has only this address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts(pub Vec<IpAddr>);

impl Hosts {
    /// The loopback addresses 127.0.0.1 and ::1.
    pub fn localhost() -> Self {
        Self(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])
    }

    /// The addresses 0.0.0.0 and ::, which stand for all IPv4 and IPv6 addresses of the machine.
    fn any() -> Self {
        let all = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
        Self(all.into())
    }
}

impl FromStr for Hosts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "localhost" {
            return Ok(Self::localhost());
        }
        if text == "any" {
            return Ok(Self::any());
        }
        let bare = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
            .unwrap_or(text);
        let host = bare.parse().map_err(
            |_| "names are not looked up: write an IP address, localhost, or any for all addresses",
        )?;
        Ok(Self(vec![host]))
    }
}

/// The socket addresses of a host and a port to listen on, written as `ADDRESS:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen(pub Vec<SocketAddr>);

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (host, port) = text.rsplit_once(':').ok_or("write ADDRESS:PORT")?;
        let port = port
            .parse()
            .map_err(|_| "the port is a number from 0 to 65535")?;
        if host.contains(':') && !host.starts_with('[') {
            return Err("write an IPv6 address in brackets: [::1]:4567".to_owned());
        }
        let hosts = host.parse::<Hosts>()?.0;
        Ok(Self(
            hosts
                .into_iter()
                .map(|host| SocketAddr::new(host, port))
                .collect(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_parsed_and_never_looked_up() {
        let listen = |text: &str| text.parse::<Listen>().map(|listen| listen.0.len());
        assert_eq!(listen("0.0.0.0:1"), Ok(1));
        assert_eq!(listen("[::]:1"), Ok(1));
        assert_eq!(listen("localhost:1"), Ok(2));
        assert_eq!(listen("any:1"), Ok(2));
        for text in ["::1:1", "kinesis:1", "127.0.0.1", "127.0.0.1:70000"] {
            assert!(listen(text).is_err(), "{text}");
        }
    }
}
