//! Reads the definitions of queues and channels in a setup file. Queues and channels are the
//! readers of streams.

use super::account_region_setting::{ACCOUNT_REGION_MEMBERS, AccountRegionSetting};
use super::definition_place::DefinitionPlace;
use super::document::Node;
use super::fields::Fields;
use super::problem::Problem;
use super::request;
use crate::operation::{create_channel_shape, create_queue_shape};
use crate::wire::Shape;
use std::sync::Arc;

/// The definition of a queue or a channel. Its values are checked when the queue or channel is
/// created.
#[derive(Debug, Clone)]
pub(crate) struct ReaderSetup {
    /// The place where the queue or channel is defined, for error messages.
    pub place: DefinitionPlace,
    pub name: String,
    pub account_region: AccountRegionSetting,
    /// The members of the CreateQueue or CreateChannel request. A stream's name may replace the
    /// stream's ARN.
    pub create: serde_json::Map<String, serde_json::Value>,
}

/// Reads the definition of a queue in a setup file.
pub(super) fn queue(path: String, node: Node, source: &Arc<str>) -> Result<ReaderSetup, Problem> {
    let names = ("QueueName", "a queue needs a QueueName");
    reader(path, node, source, create_queue_shape(), names)
}

/// Reads the definition of a channel in a setup file.
pub(super) fn channel(path: String, node: Node, source: &Arc<str>) -> Result<ReaderSetup, Problem> {
    let names = ("ChannelName", "a channel needs a ChannelName");
    reader(path, node, source, create_channel_shape(), names)
}

/// Reads the definition of a queue or channel. The definition has the members of a create request,
/// which `shape` describes. The member `member` contains the name of the queue or channel.
/// `missing` is the error message for a definition without this member.
fn reader(
    path: String,
    node: Node,
    source: &Arc<str>,
    shape: &Shape,
    (member, missing): (&str, &str),
) -> Result<ReaderSetup, Problem> {
    let place = DefinitionPlace::file(source, &path, &node);
    let mut fields = Fields::of(node, path.clone())?;
    let line = fields.line();
    let account_region = AccountRegionSetting::take(&mut fields)?;
    let create = request::of_shape(fields, shape, &ACCOUNT_REGION_MEMBERS)?;
    let name = match create.get(member) {
        Some(serde_json::Value::String(name)) => name.clone(),
        _ => return Err(Problem::at(line, missing).of(&path)),
    };
    Ok(ReaderSetup {
        place,
        name,
        account_region,
        create,
    })
}
