//! Lambda's REST API for event source mappings and their tags, served on the same port as Kinesis.

mod answer;
mod api;
mod call;
mod configuration;

pub(super) use api::LambdaApi;
pub(super) use call::is_lambda_path;
