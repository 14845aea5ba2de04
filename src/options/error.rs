//! The errors of invalid options.

use super::value::Durability;
use crate::operation::fault_rule::FaultRuleError;
use std::fmt;
use std::path::PathBuf;

/// The reason why the options are invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionsError {
    /// The command line, a variable or the file of `--config` cannot be parsed. The text is clap's
    /// message.
    #[cfg(feature = "cli")]
    Arguments(String),
    /// The account id of the option `--account` does not consist of twelve digits.
    Account(String),
    /// A limit has an unknown name or an invalid value.
    Limit {
        /// Name of the limit, as the option gives it.
        name: String,
        /// Value of the limit, as the option gives it.
        value: String,
        /// The reason why the limit is invalid.
        problem: String,
    },
    /// `--auth verify` is set without a credential.
    NoCredential,
    /// A credential is set without `--auth verify`.
    CredentialUnused,
    /// A credential does not have the form `KEY:SECRET` or `KEY:SECRET:TOKEN`.
    CredentialMalformed {
        /// Number of the credential in the order of the options, counted from 1.
        number: usize,
    },
    /// Two credentials have the same access key.
    CredentialRepeated {
        /// The access key that occurs twice.
        key: String,
    },
    /// The file of policies is invalid or cannot be read.
    Policies {
        /// Path of the file of policies.
        path: PathBuf,
        /// The reason why the file of policies cannot be used.
        problem: String,
    },
    /// `--policies` is set together with `--auth off`. Policies need the access key of a request,
    /// which `--auth off` does not read.
    PoliciesWithoutAuthentication,
    /// The chosen durability needs a data directory, but `--data-dir` is not set.
    DurabilityWithoutDataDir(Durability),
    /// `--tls-cert` is set without `--tls-key`.
    TlsKeyMissing,
    /// `--tls-key` is set without `--tls-cert`.
    TlsCertMissing,
    /// `--tls-name` is set together with `--tls-cert`. Additional names apply only to the generated
    /// certificate.
    TlsNameUnused,
    /// A fault rule is invalid.
    Fault(FaultRuleError),
    /// `--admin-token` is an empty text.
    AdminTokenEmpty,
    /// An event source mapping, its function or its destination is invalid. The text is the reason.
    EventSource(String),
    /// The options for channels contradict one another. The text is the reason.
    Channels(String),
}

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(feature = "cli")]
            Self::Arguments(text) => f.write_str(text),
            Self::EventSource(problem) | Self::Channels(problem) => f.write_str(problem),
            Self::Account(account) => write!(f, "{account} is not an account: twelve digits"),
            Self::Limit {
                name,
                value,
                problem,
            } => write!(f, "--limit {name}={value}: {problem}"),
            Self::NoCredential => {
                f.write_str("--auth verify accepts no access key: add --credential")
            }
            Self::CredentialUnused => f.write_str("--credential has no effect without --auth verify: add --auth verify"),
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
            Self::TlsCertMissing => f.write_str("--tls-key needs a certificate: add --tls-cert"),
            Self::TlsNameUnused => {
                f.write_str("--tls-name applies only to a generated certificate: remove --tls-name or --tls-cert")
            }
            Self::Fault(error) => write!(f, "--fault: {error}"),
            Self::AdminTokenEmpty => {
                f.write_str("--admin-token is empty: set a token, or leave it out")
            }
        }
    }
}

impl std::error::Error for OptionsError {}
