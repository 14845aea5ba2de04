//! `minikin health`: asks a running emulator whether it is ready. Containers without curl use the
//! command as their health check.

use crate::options::{Listen, Options};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(2);
/// Number of bytes of an answer that `health` reads. The status is in the first line of the answer,
/// which needs fewer bytes.
const STATUS_LINE_BYTES: usize = 64;
const DEFAULT_HTTP_PORT: u16 = 80;

/// The arguments of `minikin health`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The emulator's address, as http://ADDRESS:PORT [default: the addresses that the options
    /// name]
    #[arg(long, value_name = "URL", env = "MINIKIN_ENDPOINT", value_parser = endpoint)]
    endpoint: Option<Listen>,
    #[command(flatten)]
    options: Options,
}

/// Parses `http://HOST:PORT`, and returns all addresses of the host with this port.
fn endpoint(text: &str) -> Result<Listen, String> {
    let rest = text.strip_prefix("http://").unwrap_or(text);
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    // Only a colon outside of brackets begins the port. A colon inside brackets belongs to an IPv6
    // address.
    let port = rest.rsplit_once(':').map(|(_, port)| port);
    match port.is_some_and(|port| !port.ends_with(']')) {
        true => rest.parse(),
        false => format!("{rest}:{DEFAULT_HTTP_PORT}").parse(),
    }
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let addresses = match &arguments.endpoint {
        Some(endpoint) => endpoint.0.clone(),
        None => arguments.options.addresses(),
    };
    match ask_all(&addresses) {
        Ok(()) => {
            println!("ready");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("minikin: not ready: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Asks the emulator at one address after another for its readiness, until an answer has status
/// 200. The error lists the failure at every address.
fn ask_all(addresses: &[SocketAddr]) -> Result<(), String> {
    let mut failures = Vec::new();
    for &address in addresses {
        match ask(reachable(address)) {
            Ok(status) if status == "200" => return Ok(()),
            Ok(status) => failures.push(format!("{address} answers {status}")),
            Err(error) => failures.push(format!("{address}: {error}")),
        }
    }
    Err(failures.join(", "))
}

/// Asks the emulator at `address` for its readiness, and returns the HTTP status of the answer.
fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let request = format!(
        "GET /_minikin/health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream
        .take(STATUS_LINE_BYTES as u64)
        .read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let mut words = answer.split_whitespace();
    match (words.next(), words.next()) {
        (Some("HTTP/1.1"), Some(status)) => Ok(status.to_owned()),
        _ => Err(io::Error::other("the answer is not HTTP")),
    }
}

/// The address for a client to connect to if the emulator listens on `address`: the loopback
/// address for 0.0.0.0 and `::`, and otherwise `address` itself.
fn reachable(address: SocketAddr) -> SocketAddr {
    let host = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        host => host,
    };
    SocketAddr::new(host, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    /// Starts a server that answers one connection with `answer`, and returns its address.
    fn answering(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // Read the whole request. A close with unread bytes would reset the connection.
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
        });
        address
    }

    fn closed() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
    }

    #[test]
    fn one_ready_address_is_enough() {
        assert_eq!(
            ask_all(&[closed(), answering("HTTP/1.1 200 OK\r\n\r\n")]),
            Ok(())
        );
    }

    #[test]
    fn the_reason_for_not_being_ready_is_named() {
        let unready = ask_all(&[answering("HTTP/1.1 503 Service Unavailable\r\n\r\n")]);
        assert!(unready.unwrap_err().ends_with("answers 503"));
        assert!(
            ask_all(&[answering("hello\r\n")])
                .unwrap_err()
                .ends_with("not HTTP")
        );
        assert!(ask_all(&[closed()]).unwrap_err().contains("refused"));
    }

    #[test]
    fn an_endpoint_is_a_plain_url_of_an_address() {
        let endpoint = |text: &str| endpoint(text).map(|addresses| addresses.0.len());
        for (url, addresses) in [
            ("http://127.0.0.1:4567/", 1),
            ("http://[::1]", 1),
            ("http://localhost:1", 2),
            ("127.0.0.1:1", 1),
        ] {
            assert_eq!(endpoint(url), Ok(addresses), "{url}");
        }
        for url in [
            "https://127.0.0.1:1",
            "http://kinesis:1",
            "http://127.0.0.1:x",
        ] {
            assert!(endpoint(url).is_err(), "{url}");
        }
        assert_eq!(
            reachable("0.0.0.0:7".parse().unwrap()).to_string(),
            "127.0.0.1:7"
        );
    }
}
