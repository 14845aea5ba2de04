//! Lambda's REST API for event source mappings and their tags, on the same port.

mod answer;
mod api;
mod call;
mod configuration;

pub(super) use api::LambdaApi;
pub(super) use call::is_lambda_path;
