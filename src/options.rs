//! Every option once: field, flag, default and meaning.
//!
//! The variable and the key in the file follow from the flag: `--data-dir` is `MINIKIN_DATA_DIR`
//! and `data-dir`. A flag goes before a variable, a variable before the file, the file before the
//! default.

mod policies;
mod secret;
mod sources;
mod value;

pub use secret::{Credential, Secret};
pub use sources::parse;
pub use value::{
    Authentication, ClockChoice, Durability, Hosts, KeySetting, LimitSetting, Listen, LogFormat,
    Switch, is_name,
};

use crate::limits::{Limits, Profile};
use crate::model::{Identities, Keys};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

/// How to run the emulator.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Port to listen on; 0 picks a free one
    #[arg(long, value_name = "N", default_value_t = 4567)]
    pub port: u16,

    /// Address to listen on, or localhost: 127.0.0.1 and, where there is IPv6, ::1
    #[arg(long, value_name = "ADDRESS", default_value = "localhost")]
    pub host: Hosts,

    /// Address and port to listen on, in the place of --host and --port; may be repeated
    #[arg(long, value_name = "ADDRESS:PORT", value_delimiter = ',')]
    #[arg(conflicts_with_all = ["host", "port"])]
    pub listen: Vec<Listen>,

    /// Keep everything in this folder; without one it is gone when minikin stops
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,

    /// When a write is acknowledged: always (once it is on disk), interval=MS or none [default:
    /// always with --data-dir, else none]
    #[arg(long, value_name = "POLICY")]
    pub durability: Option<Durability>,

    /// Recent records kept in memory, in bytes or with KiB, MiB, GiB
    #[arg(long, value_name = "BYTES", default_value = "64MiB", value_parser = value::bytes)]
    pub memory: u64,

    /// Limits and delays as a set: standard, fast (no rates) or strict (every quota, and delays)
    #[arg(long, value_name = "NAME", default_value = "standard", value_parser = value::profile)]
    pub profile: Profile,

    /// One limit (see minikin limits); may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',')]
    pub limit: Vec<LimitSetting>,

    /// Time that streams stay in CREATING, UPDATING, DELETING [default: 0, strict 500]
    #[arg(long, value_name = "MS")]
    pub transition_ms: Option<u64>,

    /// Account where the credentials name none
    #[arg(long, value_name = "ID", default_value = "000000000000", value_parser = value::account)]
    pub account: String,

    /// Region where the credentials name none
    #[arg(long, value_name = "REGION", default_value = "us-east-1", value_parser = value::region)]
    pub region: String,

    /// What of a signature is looked at: structure (is it complete?), verify (is it by one of the
    /// --credential?) or off
    #[arg(long, value_name = "MODE", default_value = "structure")]
    pub auth: Authentication,

    /// Who may come in with --auth verify; may be repeated. Other users of the machine can read
    /// command lines: the variable and the file hide it
    #[arg(long, value_name = "KEY:SECRET[:TOKEN]", value_delimiter = ',')]
    pub credential: Vec<Secret>,

    /// What the access keys may do, in IAM's language (see the README): enforces it, and the
    /// policies of streams and consumers; an empty file enforces those alone
    #[arg(long, value_name = "FILE")]
    pub policies: Option<PathBuf>,

    /// Certificate chain to show to TLS clients, in PEM [default: a generated one]
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// Key of that certificate, in PEM
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// Further name in the generated certificate; may be repeated
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = value::tls_name)]
    pub tls_name: Vec<String>,

    /// Lets others than this machine use the clock and admin paths
    #[arg(long, value_name = "TOKEN")]
    pub admin_token: Option<Secret>,

    /// Whether on-demand streams split their busy shards: on or off [default: off, strict on]
    #[arg(long, value_name = "SWITCH")]
    pub on_demand_scaling: Option<Switch>,

    /// A key of the key service that cannot be used: disabled, pending, denied, missing, opt-in or
    /// throttled; may be repeated
    #[arg(long, value_name = "ID=STATE", value_delimiter = ',')]
    pub kms_key: Vec<KeySetting>,

    /// Who moves time: system, virtual or virtual=TIME (RFC 3339, or seconds or milliseconds
    /// since 1970)
    #[arg(long, value_name = "CLOCK", default_value = "system")]
    pub clock: ClockChoice,

    /// What to log: error, warn, info, debug, trace, or a filter such as info,minikin::store=debug
    #[arg(long, value_name = "LEVEL", default_value = "info", value_parser = value::log_filter)]
    pub log: String,

    /// How to log: text or json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// Read options from this TOML file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl Options {
    /// The options that flags say, as on the command line; no variable and no file is looked at,
    /// unless `--config` names one.
    ///
    /// # Errors
    /// What is wrong with them, for people.
    pub fn read<T: Into<OsString>>(flags: impl IntoIterator<Item = T>) -> Result<Self, String> {
        let command = <Self as clap::Args>::augment_args(clap::Command::new("minikin"));
        let line = std::iter::once("minikin".into()).chain(flags.into_iter().map(T::into));
        let matches = parse(command, line.collect(), |_| None);
        let matches = matches.map_err(|error| error.to_string())?;
        <Self as clap::FromArgMatches>::from_arg_matches(&matches).map_err(|e| e.to_string())
    }

    /// Where to listen.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        if self.listen.is_empty() {
            return self
                .host
                .0
                .iter()
                .map(|host| SocketAddr::new(*host, self.port))
                .collect();
        }
        self.listen
            .iter()
            .flat_map(|listen| listen.0.iter().copied())
            .collect()
    }

    /// When a write is acknowledged, whether said or not.
    pub fn durability(&self) -> Durability {
        let unsaid = if self.data_dir.is_some() {
            Durability::Always
        } else {
            Durability::None
        };
        self.durability.unwrap_or(unsaid)
    }

    /// The profile's limits with those that were set alone.
    ///
    /// # Errors
    /// When a limit does not exist or cannot have its value.
    pub fn limits(&self) -> Result<Limits, String> {
        let mut limits = Limits::for_profile(self.profile);
        for LimitSetting { name, value } in &self.limit {
            limits
                .set(name, value)
                .map_err(|error| format!("--limit {name}={value}: {error}"))?;
        }
        Ok(limits)
    }

    /// Who may come in.
    ///
    /// # Errors
    /// When nobody may, when not everybody is asked, or when one cannot be read. No secret is told.
    pub fn credentials(&self) -> Result<Vec<Credential>, String> {
        let verified = self.auth == Authentication::Verify;
        match (verified, self.credential.is_empty()) {
            (true, true) => return Err("--auth verify lets nobody in: add --credential".into()),
            (false, false) => return Err("--credential is for --auth verify: add that".into()),
            _ => {}
        }
        let mut all: Vec<Credential> = Vec::with_capacity(self.credential.len());
        for (at, text) in self.credential.iter().enumerate() {
            let place = at + 1;
            let credential = Credential::parse(text).ok_or_else(|| {
                format!("--credential is KEY:SECRET or KEY:SECRET:TOKEN; number {place} is not")
            })?;
            if all.iter().any(|other| other.key == credential.key) {
                let key = &credential.key;
                return Err(format!("--credential has the key {key} more than once"));
            }
            all.push(credential);
        }
        Ok(all)
    }

    /// Who the access keys are, if what they may do is enforced. The file is read at each call, and
    /// what comes through a pipe is there once: a start reads it once.
    ///
    /// # Errors
    /// When it cannot be read or asks for what is not enforced, or names who cannot come in.
    pub(crate) fn identities(&self) -> Result<Option<Identities>, String> {
        let Some(path) = &self.policies else {
            return Ok(None);
        };
        let identities = policies::read(path)
            .map_err(|problem| format!("--policies {}: {problem}", path.display()))?;
        if self.auth == Authentication::Verify {
            let credentials = self.credentials()?;
            let mut keys = identities.keys();
            // What is bound by a misspelt key is not bound at all.
            let stranger = keys.find(|key| credentials.iter().all(|known| known.key != *key));
            if let Some(key) = stranger {
                let path = path.display();
                return Err(format!(
                    "--policies {path}: {key} is none of the --credential"
                ));
            }
        }
        Ok(Some(identities))
    }

    /// The keys that cannot be used.
    pub fn keys(&self) -> Keys {
        self.kms_key
            .iter()
            .map(|key| (key.id.clone(), key.state))
            .collect()
    }

    /// What no single option can say about itself.
    pub(crate) fn check(&self) -> Result<(), String> {
        match (self.durability(), &self.data_dir) {
            (Durability::None, _) | (_, Some(_)) => {}
            (policy, None) => {
                return Err(format!(
                    "--durability {policy} needs a place to keep the records: add --data-dir"
                ));
            }
        }
        match (&self.tls_cert, &self.tls_key) {
            (Some(_), None) => return Err("--tls-cert needs its key: add --tls-key".to_owned()),
            (None, Some(_)) => return Err("--tls-key needs its --tls-cert".to_owned()),
            _ => {}
        }
        if self.tls_cert.is_some() && !self.tls_name.is_empty() {
            return Err("--tls-name is for the generated certificate, not --tls-cert".to_owned());
        }
        if self
            .admin_token
            .as_ref()
            .is_some_and(|token| token.expose().is_empty())
        {
            return Err("--admin-token is empty: everybody could show that".to_owned());
        }
        self.credentials()?;
        if self.policies.is_some() && self.auth == Authentication::Off {
            let problem = "--policies needs to know who asks: --auth off does not look";
            return Err(problem.to_owned());
        }
        self.limits().map(|_| ())
    }
}

#[cfg(test)]
mod tests;
