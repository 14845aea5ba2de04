//! Defines every option with its field, flag, default and help text. Also checks the options
//! against one another.

use super::address::{Hosts, Listen};
use super::channels::ChannelOptions;
use super::clock::ClockChoice;
use super::error::OptionsError;
use super::event_source::{self, DestinationSetting, FunctionSetting};
use super::fault::FaultSetting;
use super::origin::AllowedOrigin;
use super::policies;
use super::secret::{Credential, Secret};
use super::setup::{Problem, Setup};
#[cfg(feature = "cli")]
use super::value::{self, LogFormat};
use super::value::{Authentication, Durability, KeySetting, LimitSetting, Switch};
use crate::limits::{Limits, Profile};
use crate::model::event_source::CreateRequest;
use crate::model::{Identities, Keys};
use crate::operation::fault_rule;
use crate::world::{FaultRule, Timestamp};
use std::net::SocketAddr;
use std::path::PathBuf;

/// The options of an emulator.
///
/// ```
/// use minikin::Options;
/// let options = Options {
///     port: 0,
///     data_dir: Some("/tmp/streams".into()),
///     ..Options::default()
/// };
/// assert_eq!(options.region, "us-east-1");
/// ```
#[derive(Debug, Clone)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Options {
    /// Port to listen on; 0 picks a free port
    #[cfg_attr(feature = "cli", arg(long, value_name = "N", default_value_t = 4567))]
    pub port: u16,

    /// Address to listen on: an IP address, localhost (127.0.0.1 and, if the machine has IPv6, ::1)
    /// or any
    #[cfg_attr(
        feature = "cli",
        arg(long, value_name = "ADDRESS", default_value = "localhost")
    )]
    pub host: Hosts,

    /// Address and port to listen on, in place of --host and --port; may be repeated
    #[cfg_attr(
        feature = "cli",
        arg(long, value_name = "ADDRESS:PORT", value_delimiter = ',')
    )]
    #[cfg_attr(feature = "cli", arg(conflicts_with_all = ["host", "port"]))]
    pub listen: Vec<Listen>,

    /// Additional port to listen on, at the same addresses; may be repeated
    #[cfg_attr(feature = "cli", arg(long, value_name = "N", value_delimiter = ','))]
    pub extra_port: Vec<u16>,

    /// Keep all data in this folder; without a folder, all data is lost when minikin stops
    #[cfg_attr(feature = "cli", arg(long, value_name = "FOLDER"))]
    pub data_dir: Option<PathBuf>,

    /// Time at which a put is answered: always (once the records are on disk), interval=MS
    /// (immediately, with a commit to disk every MS milliseconds) or none (immediately; the records
    /// may never reach the disk) [default: always with --data-dir, else none]
    #[cfg_attr(feature = "cli", arg(long, value_name = "POLICY"))]
    pub durability: Option<Durability>,

    /// Memory for the newest records, in bytes or with KiB, MiB, GiB
    #[cfg_attr(
        feature = "cli",
        arg(long, value_name = "BYTES", default_value = "64MiB", value_parser = value::bytes)
    )]
    pub memory: u64,

    /// Set of limits and delays: standard, fast (no rate limits) or strict (every quota, and
    /// delays)
    #[cfg_attr(
        feature = "cli",
        arg(long, value_name = "NAME", default_value = "standard", value_parser = value::profile)
    )]
    pub profile: Profile,

    /// Value of one limit (see minikin limits); may be repeated
    #[cfg_attr(
        feature = "cli",
        arg(long, value_name = "NAME=VALUE", value_delimiter = ',')
    )]
    pub limit: Vec<LimitSetting>,

    /// Time that streams stay in CREATING, UPDATING and DELETING, in milliseconds [default: 0, with
    /// --profile strict 500]
    #[cfg_attr(feature = "cli", arg(long, value_name = "MS"))]
    pub transition_ms: Option<u64>,

    /// Account of requests whose access key does not name an account
    #[cfg_attr(
        feature = "cli",
        arg(long, value_name = "ID", default_value = "000000000000", value_parser = value::account)
    )]
    pub account: String,

    /// Region of requests whose credential does not name a region
    #[cfg_attr(
        feature = "cli",
        arg(long, value_name = "REGION", default_value = "us-east-1", value_parser = value::region)
    )]
    pub region: String,

    /// Check of signatures: structure (the signature must be complete), verify (the signature must
    /// be made with a --credential) or off
    #[cfg_attr(
        feature = "cli",
        arg(long, value_name = "MODE", default_value = "structure")
    )]
    pub auth: Authentication,

    /// Access key that --auth verify accepts; may be repeated. Other users of the machine can read
    /// command lines, so prefer the variable or the file
    #[cfg_attr(
        feature = "cli",
        arg(long, value_name = "KEY:SECRET[:TOKEN]", value_delimiter = ',')
    )]
    pub credential: Vec<Secret>,

    /// File of the access keys' permissions, in IAM's language (see the guide). Enforces these
    /// permissions and the policies of streams, consumers and queues; an empty file enforces only
    /// the policies of streams, consumers and queues
    #[cfg_attr(feature = "cli", arg(long, value_name = "FILE"))]
    pub policies: Option<PathBuf>,

    /// Certificate chain for TLS clients, in PEM [default: a generated certificate]
    #[cfg_attr(feature = "cli", arg(long, value_name = "FILE"))]
    pub tls_cert: Option<PathBuf>,

    /// Private key of --tls-cert, in PEM
    #[cfg_attr(feature = "cli", arg(long, value_name = "FILE"))]
    pub tls_key: Option<PathBuf>,

    /// Additional host name or IP address in the generated certificate; may be repeated
    #[cfg_attr(
        feature = "cli",
        arg(long, value_name = "NAME", value_delimiter = ',', value_parser = value::tls_name)
    )]
    pub tls_name: Vec<String>,

    /// Token with which other machines may use the clock and admin paths
    #[cfg_attr(feature = "cli", arg(long, value_name = "TOKEN"))]
    pub admin_token: Option<Secret>,

    /// Web pages that may call the service: local (pages of this machine), any, or an origin such
    /// as `https://app.example.com`; may be repeated
    #[cfg_attr(
        feature = "cli",
        arg(
            long,
            value_name = "ORIGIN",
            value_delimiter = ',',
            default_value = "local"
        )
    )]
    pub allow_origin: Vec<AllowedOrigin>,

    /// Splitting of busy shards in on-demand streams: on or off [default: off, with --profile
    /// strict on]
    #[cfg_attr(feature = "cli", arg(long, value_name = "SWITCH"))]
    pub on_demand_scaling: Option<Switch>,

    /// KMS key that does not work, and its state: disabled, pending, denied, missing, opt-in or
    /// throttled; may be repeated
    #[cfg_attr(
        feature = "cli",
        arg(long, value_name = "ID=STATE", value_delimiter = ',')
    )]
    pub kms_key: Vec<KeySetting>,

    /// Fault rule, as JSON or as kind=KIND,percent=N,operations=A+B (see the guide); may be
    /// repeated
    #[cfg_attr(feature = "cli", arg(long, value_name = "RULE"))]
    pub fault: Vec<FaultSetting>,

    /// Clock: system, virtual, or virtual=TIME to start a virtual clock at a time (RFC 3339, or
    /// seconds or milliseconds since 1970)
    #[cfg_attr(
        feature = "cli",
        arg(long, value_name = "CLOCK", default_value = "system")
    )]
    pub clock: ClockChoice,

    /// Function for event source mappings, and its addresses; may be repeated (see the guide)
    #[cfg_attr(
        feature = "cli",
        arg(
            long,
            value_name = "NAME=URL[,URL][;KEY=VALUE]",
            value_delimiter = '\n'
        )
    )]
    pub function: Vec<FunctionSetting>,

    /// Event source mapping, which delivers the records of a stream to a function. The settings
    /// have the names of Lambda's API; may be repeated (see the guide)
    #[cfg_attr(
        feature = "cli",
        arg(
            long,
            value_name = "STREAM=FUNCTION[?SETTING=VALUE&...]",
            value_delimiter = '\n'
        )
    )]
    pub event_source: Vec<String>,

    /// File of event source mappings: a JSON list of CreateEventSourceMapping requests
    #[cfg_attr(feature = "cli", arg(long, value_name = "FILE"))]
    pub event_sources: Option<PathBuf>,

    /// Endpoint for on-failure destinations: sqs=URL, sns=URL or s3=URL; may be repeated
    #[cfg_attr(
        feature = "cli",
        arg(long, value_name = "SERVICE=URL", value_delimiter = '\n')
    )]
    pub destination: Vec<DestinationSetting>,

    /// Access key that signs the requests to the --destination endpoints [default: minikin:minikin]
    #[cfg_attr(feature = "cli", arg(long, value_name = "KEY:SECRET"))]
    pub destination_credential: Option<Secret>,

    /// Destinations of channels, and sizes of their objects
    #[cfg_attr(feature = "cli", command(flatten))]
    pub channels: ChannelOptions,

    /// Stream to create at the start; without a number of shards it is on-demand; may be repeated
    #[cfg_attr(
        feature = "cli",
        arg(long, value_name = "NAME[:SHARDS]", value_delimiter = ',')
    )]
    pub stream: Vec<String>,

    /// Streams to create at the start, in kinesis-mock's form; a stream without a number of shards
    /// has 4 shards
    #[cfg_attr(
        feature = "cli",
        arg(long, value_name = "NAME[:SHARDS[:REGION]],…", hide = true)
    )]
    pub initialize_streams: Option<String>,

    /// File of streams and records to create at the start: TOML, or JSON if its name ends in .json
    #[cfg_attr(feature = "cli", arg(long, value_name = "FILE"))]
    pub setup: Option<PathBuf>,

    /// Snapshot to load at the start, before the setup; not loaded if the data directory already
    /// has streams
    #[cfg_attr(feature = "cli", arg(long, value_name = "FILE"))]
    pub load: Option<PathBuf>,

    /// Log level: error, warn, info, debug, trace, or a filter such as info,minikin::store=debug
    #[cfg(feature = "cli")]
    #[arg(long, value_name = "LEVEL", default_value = "info", value_parser = value::log_filter)]
    pub log: String,

    /// Format of log lines: text or json
    #[cfg(feature = "cli")]
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// Read options from this TOML file
    #[cfg(feature = "cli")]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// The options of `minikin serve` if no flag, no variable and no file sets an option.
impl Default for Options {
    fn default() -> Self {
        Self {
            port: 4567,
            host: Hosts::localhost(),
            listen: Vec::new(),
            extra_port: Vec::new(),
            data_dir: None,
            durability: None,
            memory: 64 << 20,
            profile: Profile::Standard,
            limit: Vec::new(),
            transition_ms: None,
            account: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            auth: Authentication::Structure,
            credential: Vec::new(),
            policies: None,
            tls_cert: None,
            tls_key: None,
            tls_name: Vec::new(),
            admin_token: None,
            allow_origin: vec![AllowedOrigin::Local],
            on_demand_scaling: None,
            kms_key: Vec::new(),
            fault: Vec::new(),
            clock: ClockChoice::System,
            function: Vec::new(),
            event_source: Vec::new(),
            event_sources: None,
            destination: Vec::new(),
            destination_credential: None,
            channels: ChannelOptions::default(),
            stream: Vec::new(),
            initialize_streams: None,
            setup: None,
            load: None,
            #[cfg(feature = "cli")]
            log: "info".to_owned(),
            #[cfg(feature = "cli")]
            log_format: LogFormat::Text,
            #[cfg(feature = "cli")]
            config: None,
        }
    }
}

impl Options {
    /// All addresses to listen on: the addresses of `listen` or, if `listen` is empty, each address
    /// of `host` with `port`. Every IP address in this list is also combined with each port of
    /// `extra_port`.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let mut addresses: Vec<SocketAddr> = if self.listen.is_empty() {
            let hosts = self.host.0.iter();
            hosts
                .map(|host| SocketAddr::new(*host, self.port))
                .collect()
        } else {
            let listens = self.listen.iter();
            listens
                .flat_map(|listen| listen.0.iter().copied())
                .collect()
        };
        let hosts: Vec<_> = addresses.iter().map(SocketAddr::ip).collect();
        for port in &self.extra_port {
            let further = hosts.iter().map(|host| SocketAddr::new(*host, *port));
            for address in further {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
        }
        addresses
    }

    /// All definitions of the setup, from the file of `--setup` and from the other options that
    /// name streams. Each call reads the file.
    ///
    /// # Errors
    /// A definition cannot be read. The error contains the definition's place in the file and the
    /// reason.
    pub(crate) fn setup(&self) -> Result<Setup, Problem> {
        super::setup::read(
            self.setup.as_deref(),
            &self.stream,
            self.initialize_streams.as_deref(),
            &event_source::home(&self.account, &self.region),
        )
    }

    /// The durability of records: the value of the option, or its default, which depends on
    /// `data_dir`.
    pub fn durability(&self) -> Durability {
        let default = if self.data_dir.is_some() {
            Durability::Always
        } else {
            Durability::None
        };
        self.durability.unwrap_or(default)
    }

    /// The limits of the profile, with the changes of the option `limit`.
    ///
    /// # Errors
    /// A limit has an unknown name or an invalid value.
    pub fn limits(&self) -> Result<Limits, OptionsError> {
        let mut limits = Limits::for_profile(self.profile);
        for LimitSetting { name, value } in &self.limit {
            limits
                .set(name, value)
                .map_err(|problem| OptionsError::Limit {
                    name: name.clone(),
                    value: value.clone(),
                    problem,
                })?;
        }
        Ok(limits)
    }

    /// The credentials that `--auth verify` accepts.
    ///
    /// # Errors
    /// `--auth verify` is set without a credential, or a credential is set without `--auth verify`.
    /// A credential is malformed, or two credentials have the same access key. The error never
    /// contains a secret.
    pub fn credentials(&self) -> Result<Vec<Credential>, OptionsError> {
        let verified = self.auth == Authentication::Verify;
        match (verified, self.credential.is_empty()) {
            (true, true) => return Err(OptionsError::NoCredential),
            (false, false) => return Err(OptionsError::CredentialUnused),
            _ => {}
        }
        let mut all: Vec<Credential> = Vec::with_capacity(self.credential.len());
        for (at, text) in self.credential.iter().enumerate() {
            let malformed = OptionsError::CredentialMalformed { number: at + 1 };
            let credential = Credential::parse(text).ok_or(malformed)?;
            if all.iter().any(|other| other.key == credential.key) {
                let key = credential.key;
                return Err(OptionsError::CredentialRepeated { key });
            }
            all.push(credential);
        }
        Ok(all)
    }

    /// The identities and permissions of access keys, from the file of `--policies`. None if the
    /// option is not set. Each call reads the file, which may be a pipe. A pipe can be read only
    /// once, so a start makes only one call.
    ///
    /// # Errors
    /// The file cannot be read, or contains a policy element that the emulator does not support.
    /// With `--auth verify`, also fails if the file names an access key that no credential has.
    pub(crate) fn identities(&self) -> Result<Option<Identities>, OptionsError> {
        let Some(path) = &self.policies else {
            return Ok(None);
        };
        let failed = |problem| OptionsError::Policies {
            path: path.clone(),
            problem,
        };
        let identities = policies::read(path).map_err(failed)?;
        if self.auth == Authentication::Verify {
            let credentials = self.credentials()?;
            let mut keys = identities.keys();
            // An access key that the file does not name has all permissions. Without this error, a
            // user whose key is misspelt in the file would have all permissions, too.
            let stranger = keys.find(|key| credentials.iter().all(|known| known.key != *key));
            if let Some(key) = stranger {
                return Err(failed(format!("no --credential has the access key {key}")));
            }
        }
        Ok(Some(identities))
    }

    /// Checks the fault rules of the option `fault`, and returns them.
    ///
    /// # Errors
    /// A rule is invalid. The error names the first such rule and the reason.
    pub(crate) fn faults(&self) -> Result<Vec<FaultRule>, OptionsError> {
        let rules = self.fault.iter().map(|FaultSetting(rule)| rule.clone());
        let beginning = Timestamp::from_millis(0);
        fault_rule::check_all(rules.collect(), beginning).map_err(OptionsError::Fault)
    }

    /// The KMS keys that do not work, each with its state.
    pub fn keys(&self) -> Keys {
        self.kms_key
            .iter()
            .map(|key| (key.id.clone(), key.state))
            .collect()
    }

    /// The event source mappings and the functions that the options define. A mapping may contain a
    /// URL in place of a function's name. The URL then defines a function named `function`. Each
    /// call reads the file of `--event-sources`, so a start makes only one call.
    ///
    /// # Errors
    /// A mapping cannot be read, or two functions have the same name.
    pub(crate) fn mappings(
        &self,
    ) -> Result<(Vec<CreateRequest>, Vec<FunctionSetting>), OptionsError> {
        let arn_of = |name: &str| event_source::arn_of(&self.account, &self.region, name);
        let mut functions = self.function.clone();
        let mut requests = Vec::new();
        for text in &self.event_source {
            let request = event_source::read_option(text, arn_of, &mut functions);
            let failed =
                |problem| OptionsError::EventSource(format!("--event-source {text}: {problem}"));
            requests.push(request.map_err(failed)?);
        }
        if let Some(path) = &self.event_sources {
            let read = event_source::read_file(path, arn_of);
            let file = path.display();
            let failed =
                |problem| OptionsError::EventSource(format!("--event-sources {file}: {problem}"));
            requests.extend(read.map_err(failed)?);
        }
        event_source::check_functions(&functions).map_err(OptionsError::EventSource)?;
        Ok((requests, functions))
    }

    /// Checks all options, and in particular that they do not contradict one another.
    ///
    /// # Errors
    /// The options violate a constraint. The error names the first such constraint.
    pub(crate) fn check(&self) -> Result<(), OptionsError> {
        self.faults()?;
        let durability = self.durability();
        if durability != Durability::None && self.data_dir.is_none() {
            return Err(OptionsError::DurabilityWithoutDataDir(durability));
        }
        match (&self.tls_cert, &self.tls_key) {
            (Some(_), None) => return Err(OptionsError::TlsKeyMissing),
            (None, Some(_)) => return Err(OptionsError::TlsCertMissing),
            _ => {}
        }
        if self.tls_cert.is_some() && !self.tls_name.is_empty() {
            return Err(OptionsError::TlsNameUnused);
        }
        if let Some(token) = &self.admin_token
            && token.expose().is_empty()
        {
            return Err(OptionsError::AdminTokenEmpty);
        }
        self.credentials()?;
        self.channels.check()?;
        if self.policies.is_some() && self.auth == Authentication::Off {
            return Err(OptionsError::PoliciesWithoutAuthentication);
        }
        self.limits().map(|_| ())
    }
}
