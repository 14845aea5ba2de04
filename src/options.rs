//! The options of an emulator. Every option is a field of [`Options`], a flag, an environment
//! variable, and a key of the TOML file that `--config` names.
//!
//! The names of the variable and the key follow from the flag: the flag `--data-dir` has the
//! variable `MINIKIN_DATA_DIR` and the key `data-dir`. The file may group keys with the same first
//! words in a table: the key `local_dir` in the table `channels.s3` is the key
//! `channels-s3-local-dir`.
//!
//! A flag takes precedence over a variable, a variable over the file, and the file over the
//! default. Without the feature `cli`, only the fields exist.

mod address;
pub(crate) mod bounded_file;
mod channels;
mod clock;
mod definition;
mod error;
mod event_source;
mod fault;
mod origin;
#[cfg(feature = "cli")]
pub(crate) mod other_tools;
mod policies;
mod secret;
mod setup;
#[cfg(feature = "cli")]
mod sources;
mod value;

pub use address::{Hosts, Listen};
pub use channels::ChannelOptions;
pub use clock::ClockChoice;
pub use definition::Options;
pub use error::OptionsError;
pub(crate) use event_source::{DestinationService, ErrorMode};
pub use event_source::{DestinationSetting, FunctionSetting};
pub use fault::FaultSetting;
pub use origin::AllowedOrigin;
pub use secret::{Credential, Secret};
pub use setup::Problem;
pub(crate) use setup::{
    AccountRegionSetting, FaultSetup, Fields, MappingSetup, ReaderSetup, Setup, StreamSetup,
    fields_of_json, record_of_line, rules_of_json,
};
#[cfg(feature = "cli")]
pub(crate) use setup::{json_of_text, rule_of_text};
#[cfg(feature = "cli")]
pub(crate) use sources::parse;
#[cfg(feature = "cli")]
pub use value::LogFormat;
#[cfg(feature = "tls")]
pub(crate) use value::is_name;
pub(crate) use value::is_region;
pub use value::{Authentication, Durability, KeySetting, LimitSetting, Switch};

#[cfg(feature = "cli")]
#[cfg(test)]
mod tests;
