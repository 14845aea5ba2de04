//! Replaces `tls.rs` in a build without the feature `tls`: every TLS handshake is refused.

use crate::world::Clock;
use std::io::{self, ErrorKind};
use std::path::Path;

const UNSUPPORTED: &str = "this build has no TLS: it is without the feature tls";

/// Stands for the server's certificate and key, which this build cannot use.
#[derive(Debug)]
pub struct TlsIdentity;

impl TlsIdentity {
    /// Refuses the certificate that an option names.
    ///
    /// # Errors
    /// Always fails, because this build cannot use a certificate.
    pub fn from_files(_certificate: &Path, _key: &Path) -> io::Result<Self> {
        Err(unsupported())
    }

    /// An identity without a certificate. Every handshake with it fails.
    pub fn generated(_data_directory: Option<&Path>, _names: Vec<String>, _clock: Clock) -> Self {
        Self
    }

    /// Refuses the TLS handshake of a client. The caller then closes the connection.
    ///
    /// # Errors
    /// Always fails.
    pub async fn accept<I>(&self, _io: I) -> io::Result<I> {
        Err(unsupported())
    }

    /// Refuses to return a certificate for clients to trust, because there is none.
    ///
    /// # Errors
    /// Always fails.
    pub fn ca_pem(&self) -> io::Result<String> {
        Err(unsupported())
    }
}

/// Returns no names, because there is no certificate that could contain names.
pub fn names(_region: &str, _more: &[String]) -> Vec<String> {
    Vec::new()
}

fn unsupported() -> io::Error {
    io::Error::new(ErrorKind::Unsupported, UNSUPPORTED)
}
