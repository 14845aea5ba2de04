//! Reads the setup: the definitions of the streams, queues, channels, event source mappings and
//! fault rules that are created before the emulator accepts requests. The module `crate::setup`
//! creates them.

mod account_region_setting;
mod definition_place;
mod document;
mod fields;
mod mapping;
mod plan;
mod problem;
mod read;
mod reader;
mod records;
mod request;
mod rule;
mod rule_text;
mod shorthand;
#[cfg(test)]
mod tests;

pub(crate) use account_region_setting::AccountRegionSetting;
#[cfg(feature = "cli")]
pub(crate) use document::json_of_text;
pub(crate) use fields::{Fields, fields_of_json};
pub(crate) use mapping::MappingSetup;
pub(crate) use plan::{FaultSetup, Setup, StreamSetup};
pub use problem::Problem;
pub(super) use read::read;
pub(crate) use reader::ReaderSetup;
pub(crate) use records::record_of_line;
pub(crate) use rule::rules_of_json;
pub(crate) use rule_text::rule_of_text;
