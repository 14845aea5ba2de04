//! Binds the listening sockets.

use crate::limits::{ACCEPT_BACKLOG, PORT_TRIES};
use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::{TcpListener, TcpSocket};

/// The error of an address on which the server could not listen, with its cause.
#[derive(Debug)]
pub struct BindError {
    address: SocketAddr,
    cause: io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, cause } = self;
        write!(formatter, "cannot listen on {address}: ")?;
        match cause.kind() {
            ErrorKind::AddrInUse => formatter.write_str(
                "another program listens there. Stop it, or take another port with --port \
                 (0 picks a free one)",
            ),
            ErrorKind::AddrNotAvailable => formatter
                .write_str("this machine has no such address. Take another one with --host"),
            ErrorKind::PermissionDenied => formatter.write_str(
                "permission denied. Ports below 1024 need a privilege: take another with --port",
            ),
            _ => write!(formatter, "{cause}"),
        }
    }
}

impl Error for BindError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}

/// Listens on all `addresses`. An address with port 0 gets a free port that the system picks. All
/// addresses with port 0 get the same port if possible.
///
/// On a machine without IPv6, `::1` is skipped if `127.0.0.1` is also given, and `::` is skipped if
/// `0.0.0.0` is also given. Must be called within a tokio runtime.
///
/// # Errors
/// An address cannot be bound. In this case, the function leaves no address bound.
pub fn bind(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, BindError> {
    let mut tries = PORT_TRIES;
    loop {
        match bind_once(addresses) {
            // The system picked a port for the first address, and another address may have this
            // port in use. Try again with another port.
            Err(error) if is_shared_port(&error, addresses) && tries > 1 => tries -= 1,
            result => return result,
        }
    }
}

fn is_shared_port(error: &BindError, addresses: &[SocketAddr]) -> bool {
    error.cause.kind() == ErrorKind::AddrInUse && !addresses.contains(&error.address)
}

fn bind_once(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, BindError> {
    let mut addresses = addresses.to_vec();
    // Bind `::` first. A socket on `::` also serves `0.0.0.0`, but cannot be bound after a socket
    // on `0.0.0.0`.
    addresses.sort_by_key(|address| address.ip() != IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    let mut listeners: Vec<TcpListener> = Vec::with_capacity(addresses.len());
    let mut picked = 0;
    for &(mut address) in &addresses {
        if address.port() == 0 {
            address.set_port(picked);
        }
        match listen(address) {
            Ok(listener) => {
                if let (0, Ok(bound)) = (address.port(), listener.local_addr()) {
                    picked = bound.port();
                }
                listeners.push(listener);
            }
            Err(cause) if is_covered(address, &cause, &listeners) => {}
            Err(cause) if is_without_ipv6(address, &cause, &addresses) => {
                tracing::debug!(%address, %cause, "not listening on this address: the machine has no IPv6");
            }
            Err(cause) => return Err(BindError { address, cause }),
        }
    }
    Ok(listeners)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // Without SO_REUSEADDR, a restarted server could not listen until the system forgets the
    // connections of the previous server.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(ACCEPT_BACKLOG)
}

/// True if `address` is `0.0.0.0` and cannot be bound because a socket of `listeners` on `::`
/// already serves it.
fn is_covered(address: SocketAddr, cause: &io::Error, listeners: &[TcpListener]) -> bool {
    let twin = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), address.port());
    address.ip() == IpAddr::V4(Ipv4Addr::UNSPECIFIED)
        && cause.kind() == ErrorKind::AddrInUse
        && listeners
            .iter()
            .any(|listener| listener.local_addr().is_ok_and(|bound| bound == twin))
}

/// True if `address` may be skipped: binding it failed because the machine has no IPv6, and the
/// IPv4 counterpart of `address` is among `addresses`.
fn is_without_ipv6(address: SocketAddr, cause: &io::Error, addresses: &[SocketAddr]) -> bool {
    let twin = match address.ip() {
        IpAddr::V6(Ipv6Addr::LOCALHOST) => Ipv4Addr::LOCALHOST,
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv4Addr::UNSPECIFIED,
        _ => return false,
    };
    !matches!(
        cause.kind(),
        ErrorKind::AddrInUse | ErrorKind::PermissionDenied
    ) && addresses.iter().any(|other| other.ip() == IpAddr::V4(twin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Vec<SocketAddr> {
        text.split(' ')
            .map(|address| address.parse().unwrap())
            .collect()
    }

    fn ports(listeners: &[TcpListener]) -> Vec<u16> {
        listeners
            .iter()
            .map(|listener| listener.local_addr().unwrap().port())
            .collect()
    }

    #[tokio::test]
    async fn port_zero_is_one_port_for_all_addresses() {
        let bound = ports(&bind(&addresses("127.0.0.1:0 127.0.0.2:0 [::1]:0")).unwrap());
        assert!(bound.len() >= 2 && bound[0] != 0, "{bound:?}");
        assert!(bound.iter().all(|port| *port == bound[0]), "{bound:?}");
    }

    #[tokio::test]
    async fn all_addresses_of_both_families_may_be_asked_for() {
        assert!(!bind(&addresses("0.0.0.0:0 [::]:0")).unwrap().is_empty());
    }

    #[tokio::test]
    async fn an_address_in_use_is_named_with_a_way_out() {
        let first = bind(&addresses("127.0.0.1:0")).unwrap();
        let taken = first[0].local_addr().unwrap();
        let error = bind(&[taken]).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("cannot listen on {taken}: another pr")),
            "{error}"
        );
        assert!(error.contains("--port"), "{error}");
    }

    #[test]
    fn ipv6_is_optional_beside_its_ipv4_counterpart_only() {
        let none = io::Error::from(ErrorKind::AddrNotAvailable);
        let [four, six] = addresses("127.0.0.1:1 [::1]:1").try_into().unwrap();
        assert!(is_without_ipv6(six, &none, &[four, six]));
        assert!(!is_without_ipv6(six, &none, &[six]));
        assert!(!is_without_ipv6(
            six,
            &io::Error::from(ErrorKind::AddrInUse),
            &[four, six]
        ));
    }
}
