//! The server's TLS certificate. The certificate is read from the user's files, or is generated
//! when a client first needs it.

mod generate;
mod names;
mod pem;

pub use names::names;

use crate::limits;
use crate::options::bounded_file;
use crate::world::Clock;
use pem::certificates_of;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::server::TlsStream;

/// The certificate and key of this server, and the TLS configuration made from them.
#[derive(Debug)]
pub struct TlsIdentity {
    source: Source,
    /// The TLS configuration, and the certificate that clients have to trust. Both are made when a
    /// client first needs them and not at the start, because generating a certificate takes longer
    /// than all other work at the start.
    made: OnceLock<Result<TlsMaterial, String>>,
}

#[derive(Debug)]
enum Source {
    Files,
    Generated {
        directory: Option<PathBuf>,
        names: Vec<String>,
        clock: Clock,
    },
}

#[derive(Debug)]
struct TlsMaterial {
    config: Arc<ServerConfig>,
    ca_pem: String,
}

impl TlsIdentity {
    /// Reads the identity from two PEM files. The file `certificate` contains the certificate and
    /// its chain, and the file `key` contains the private key.
    ///
    /// # Errors
    /// A file cannot be read or is not PEM, or the key does not belong to the certificate. The
    /// error names the file.
    pub fn from_files(certificate: &Path, key: &Path) -> io::Result<Self> {
        let (chain, key_pem) = (read(certificate)?, read(key)?);
        let named = |error| {
            let files = format!("{} and {}", certificate.display(), key.display());
            io::Error::new(io::ErrorKind::InvalidData, format!("{files}: {error}"))
        };
        let config = server_config(&chain, &key_pem).map_err(named)?;
        // Show clients only the certificates in the file. Some users have the private key in the
        // same file.
        let made = TlsMaterial {
            config,
            ca_pem: certificates_of(&chain),
        };
        Ok(Self {
            source: Source::Files,
            made: OnceLock::from(Ok(made)),
        })
    }

    /// An identity with generated certificates: the certificate of an authority, and a server
    /// certificate for `names` that the authority signs. Both are generated when a client first
    /// needs them, and are stored in the folder `tls` of `data_directory`. Without a data
    /// directory, both certificates exist only as long as the process.
    pub fn generated(data_directory: Option<&Path>, names: Vec<String>, clock: Clock) -> Self {
        let directory = data_directory.map(|directory| directory.join("tls"));
        Self {
            source: Source::Generated {
                directory,
                names,
                clock,
            },
            made: OnceLock::new(),
        }
    }

    /// Performs the server's side of a TLS handshake on `io`.
    ///
    /// # Errors
    /// No certificate could be generated, or the handshake fails.
    pub async fn accept<I: AsyncRead + AsyncWrite + Unpin>(
        &self,
        io: I,
    ) -> io::Result<TlsStream<I>> {
        TlsAcceptor::from(self.config()?).accept(io).await
    }

    /// The TLS configuration of the server.
    ///
    /// # Errors
    /// No certificate could be generated.
    fn config(&self) -> io::Result<Arc<ServerConfig>> {
        self.made().map(|made| made.config.clone())
    }

    /// The certificates that clients have to trust, in PEM: the certificate of the generated
    /// authority, or the chain in the user's file.
    ///
    /// # Errors
    /// No certificate could be generated.
    pub fn ca_pem(&self) -> io::Result<String> {
        self.made().map(|made| made.ca_pem.clone())
    }

    fn made(&self) -> io::Result<&TlsMaterial> {
        let made = self
            .made
            .get_or_init(|| self.make().map_err(|error| error.to_string()));
        made.as_ref()
            .map_err(|error| io::Error::other(error.as_str()))
    }

    fn make(&self) -> io::Result<TlsMaterial> {
        let Source::Generated {
            directory,
            names,
            clock,
        } = &self.source
        else {
            return Err(io::Error::other(
                "certificates from files are there from the start",
            ));
        };
        let identity = generate::identity(directory.as_deref(), names, clock.wall_time().seconds())
            .map_err(io::Error::other)?;
        let config = server_config(&identity.leaf.pem, &identity.leaf.pem)?;
        Ok(TlsMaterial {
            config,
            ca_pem: certificates_of(&identity.authority.pem),
        })
    }
}

fn read(path: &Path) -> io::Result<String> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    bounded_file::text(path, limits::OPTION_FILE_BYTES).map_err(named)
}

fn server_config(chain_pem: &str, key_pem: &str) -> io::Result<Arc<ServerConfig>> {
    let chain = CertificateDer::pem_slice_iter(chain_pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| io::Error::other(format!("the certificate is not PEM: {error}")))?;
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes())
        .map_err(|error| io::Error::other(format!("the key is not PEM: {error}")))?;
    // Name the crypto provider: rustls has no default provider if the embedding process links a
    // second provider.
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| io::Error::other(format!("certificate and key: {error}")))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Some clients open a new connection for each request. With a session ticket, such a client
    // resumes its TLS session, and the server stores no state.
    config.ticketer = ring::Ticketer::new().map_err(io::Error::other)?;
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::tempdir;

    fn some_names() -> Vec<String> {
        names("eu-west-1", &["streams.test".to_owned()])
    }

    #[test]
    fn an_identity_is_kept_in_the_data_directory() {
        let directory = tempdir().unwrap();
        let identity =
            || TlsIdentity::generated(Some(directory.path()), some_names(), Clock::System);
        let first = identity().ca_pem().unwrap();
        assert_eq!(identity().ca_pem().unwrap(), first);
        assert!(identity().config().is_ok());
        let kept = std::fs::read_to_string(directory.path().join("tls/ca.pem")).unwrap();
        assert_eq!(kept, first);
        assert!(!kept.contains("KEY"));
    }

    #[test]
    fn without_a_data_directory_every_identity_is_new() {
        let identity = || TlsIdentity::generated(None, some_names(), Clock::System);
        assert_ne!(identity().ca_pem().unwrap(), identity().ca_pem().unwrap());
    }

    #[test]
    fn files_of_the_user_are_served_and_their_key_is_not_shown() {
        let directory = tempdir().unwrap();
        TlsIdentity::generated(Some(directory.path()), some_names(), Clock::System)
            .config()
            .unwrap();
        let both = directory.path().join("tls/leaf.pem");
        let identity = TlsIdentity::from_files(&both, &both).unwrap();
        assert!(identity.config().is_ok());
        let shown = identity.ca_pem().unwrap();
        assert!(
            shown.contains("BEGIN CERTIFICATE") && !shown.contains("KEY"),
            "{shown}"
        );
    }

    #[test]
    fn files_that_do_not_fit_are_named() {
        let directory = tempdir().unwrap();
        TlsIdentity::generated(Some(directory.path()), some_names(), Clock::System)
            .config()
            .unwrap();
        let path = |name: &str| directory.path().join("tls").join(name);
        let refused = |certificate: &str, key: &str| {
            TlsIdentity::from_files(&path(certificate), &path(key))
                .unwrap_err()
                .to_string()
        };
        assert!(refused("absent.pem", "leaf.pem").contains("absent.pem"));
        assert!(refused("ca.pem", "leaf.pem").contains("ca.pem"));
        assert!(refused("leaf.pem", "ca.pem").contains("key is not PEM"));
    }
}
