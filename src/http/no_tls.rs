//! The counterpart of `tls.rs` in a build without the feature `tls`: every handshake is refused.

use crate::world::Clock;
use std::io::{self, ErrorKind};
use std::path::Path;

const UNSUPPORTED: &str = "this build has no TLS: it is without the feature tls";

/// An identity that no TLS client can see.
#[derive(Debug)]
pub struct TlsIdentity;

impl TlsIdentity {
    /// Refuses the certificate.
    ///
    /// # Errors
    /// Always: a given certificate could not be served.
    pub fn from_files(_certificate: &Path, _key: &Path) -> io::Result<Self> {
        Err(unsupported())
    }

    /// An identity without a certificate.
    pub fn generated(_data_directory: Option<&Path>, _names: Vec<String>, _clock: Clock) -> Self {
        Self
    }

    /// Refuses the handshake, which closes the connection.
    ///
    /// # Errors
    /// Always.
    pub async fn accept<I>(&self, _io: I) -> io::Result<I> {
        Err(unsupported())
    }

    /// Refuses, as there is no certificate to trust.
    ///
    /// # Errors
    /// Always.
    pub fn ca_pem(&self) -> io::Result<String> {
        Err(unsupported())
    }
}

/// No names: there is no certificate to hold them.
pub fn names(_region: &str, _more: &[String]) -> Vec<String> {
    Vec::new()
}

fn unsupported() -> io::Error {
    io::Error::new(ErrorKind::Unsupported, UNSUPPORTED)
}
