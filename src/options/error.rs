//! Options that cannot be used.

use super::value::Durability;
use crate::operation::fault_rule::FaultRuleError;
use std::fmt;
use std::path::PathBuf;

/// The reason why options cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionsError {
    /// The command line, a variable or the file is not understood.
    #[cfg(feature = "cli")]
    Arguments(String),
    /// The account does not have twelve digits.
    Account(String),
    /// A limit does not exist or does not take its value.
    Limit {
        /// The limit's name, as written.
        name: String,
        /// The value, as written.
        value: String,
        /// The mistake.
        problem: String,
    },
    /// Signatures are verified, but no credential is given.
    NoCredential,
    /// Credentials are given, but signatures are not verified.
    CredentialUnused,
    /// A credential has neither two nor three parts.
    CredentialMalformed {
        /// Its position in the list, from 1.
        number: usize,
    },
    /// Two credentials are for one access key.
    CredentialRepeated {
        /// The access key.
        key: String,
    },
    /// The file of policies cannot be used.
    Policies {
        /// The file.
        path: PathBuf,
        /// The mistake.
        problem: String,
    },
    /// Policies need to know the requester, which `--auth off` does not look for.
    PoliciesWithoutAuthentication,
    /// The durability needs a data directory.
    DurabilityWithoutDataDir(Durability),
    /// A certificate is given without its key.
    TlsKeyMissing,
    /// A key is given without its certificate.
    TlsCertMissing,
    /// Further names are for the generated certificate, but a certificate is given.
    TlsNameUnused,
    /// A fault rule cannot work.
    Fault(FaultRuleError),
    /// The admin token is empty.
    AdminTokenEmpty,
    /// An event source mapping, or a function or destination of one, cannot be used.
    EventSource(String),
}

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(feature = "cli")]
            Self::Arguments(text) => f.write_str(text),
            Self::EventSource(problem) => f.write_str(problem),
            Self::Account(account) => write!(f, "{account} is not an account: twelve digits"),
            Self::Limit {
                name,
                value,
                problem,
            } => write!(f, "--limit {name}={value}: {problem}"),
            Self::NoCredential => {
                f.write_str("--auth verify accepts no access key: add --credential")
            }
            Self::CredentialUnused => f.write_str("--credential is for --auth verify: add that"),
            Self::CredentialMalformed { number } => write!(
                f,
                "--credential is KEY:SECRET or KEY:SECRET:TOKEN; number {number} is not"
            ),
            Self::CredentialRepeated { key } => {
                write!(f, "--credential has the key {key} more than once")
            }
            Self::Policies { path, problem } => {
                write!(f, "--policies {}: {problem}", path.display())
            }
            Self::PoliciesWithoutAuthentication => f.write_str(
                "--policies needs the access key of each request, which --auth off does not read",
            ),
            Self::DurabilityWithoutDataDir(durability) => write!(
                f,
                "--durability {durability} needs a folder for the records: add --data-dir"
            ),
            Self::TlsKeyMissing => f.write_str("--tls-cert needs its key: add --tls-key"),
            Self::TlsCertMissing => f.write_str("--tls-key needs its --tls-cert"),
            Self::TlsNameUnused => {
                f.write_str("--tls-name is for the generated certificate, not --tls-cert")
            }
            Self::Fault(error) => write!(f, "--fault: {error}"),
            Self::AdminTokenEmpty => {
                f.write_str("--admin-token is empty: every request would have it")
            }
        }
    }
}

impl std::error::Error for OptionsError {}
