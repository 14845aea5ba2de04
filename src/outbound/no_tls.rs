//! Without the feature `tls` no `https` address can be used.

use std::io;
use std::path::Path;
use tokio::net::TcpStream;

/// A client that cannot be made.
#[derive(Clone)]
pub(super) enum TlsClient {}

impl TlsClient {
    /// Refuses.
    pub(super) fn new(_host: &str, _ca: &Path) -> Result<Self, String> {
        Err("https needs the feature `tls`".to_owned())
    }

    /// Never called: there is no client.
    pub(super) async fn connect(&self, _stream: TcpStream) -> io::Result<TcpStream> {
        match *self {}
    }
}
