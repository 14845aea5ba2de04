//! The options of an emulator: each is a flag, a variable, a key of the TOML file and a field of
//! [`Options`].
//!
//! The variable and the key follow from the flag: `--data-dir` is `MINIKIN_DATA_DIR` and
//! `data-dir`. A flag wins over a variable, a variable over the file, the file over the default.
//! Without the feature `cli` the fields are the only way to set an option.

mod address;
mod clock;
mod definition;
mod error;
mod event_source;
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
pub use clock::ClockChoice;
pub use definition::Options;
pub use error::OptionsError;
pub(crate) use event_source::{DestinationService, ErrorMode};
pub use event_source::{DestinationSetting, FunctionSetting};
pub use origin::AllowedOrigin;
pub use secret::{Credential, Secret};
pub use setup::Problem;
pub(crate) use setup::{MappingSetup, Place, QueueSetup, Setup, StreamSetup, record_of_line};
#[cfg(feature = "cli")]
pub(crate) use sources::parse;
#[cfg(feature = "cli")]
pub use value::LogFormat;
#[cfg(feature = "tls")]
pub(crate) use value::is_name;
pub(crate) use value::is_region;
pub use value::{Authentication, Durability, FaultSetting, KeySetting, LimitSetting, Switch};

#[cfg(feature = "cli")]
#[cfg(test)]
mod tests;
