//! Replaces `tls` in a build without the feature `tls`: `https` addresses are refused.

use std::io;
use std::path::Path;
use tokio::net::TcpStream;

/// A client that cannot exist, because this build has no TLS.
#[derive(Clone)]
pub(super) enum TlsClient {}

impl TlsClient {
    /// Refuses every `https` address.
    pub(super) fn new(_host: &str, _ca: &Path) -> Result<Self, String> {
        Err("https needs the feature `tls`".to_owned())
    }

    /// Never called: there is no value of this type.
    pub(super) async fn connect(&self, _stream: TcpStream) -> io::Result<TcpStream> {
        match *self {}
    }
}
