//! Replaces `tls` in a build without the feature `tls`: `https` URLs are refused.

use std::io;
use std::path::Path;
use tokio::net::TcpStream;

/// Stands for a client with TLS. A value of this type cannot exist.
#[derive(Clone)]
pub(super) enum TlsClient {}

impl TlsClient {
    /// Refuses every `https` URL.
    pub(super) fn new(_host: &str, _ca: &Path) -> Result<Self, String> {
        Err("https needs the feature `tls`".to_owned())
    }

    /// Never called, because no value of this type exists.
    pub(super) async fn connect(&self, _stream: TcpStream) -> io::Result<TcpStream> {
        match *self {}
    }
}
