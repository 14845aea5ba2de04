//! The queues of a setup file.

use super::document::Node;
use super::fields::Fields;
use super::origin::Origin;
use super::place::{PLACE_MEMBERS, Place};
use super::problem::Problem;
use super::request;
use crate::operation::create_queue_shape;
use std::sync::Arc;

/// The definition of a queue. Its values are checked when the queue is created.
#[derive(Debug, Clone)]
pub(crate) struct QueueSetup {
    /// The place of the definition, for error messages.
    pub origin: Origin,
    pub name: String,
    pub place: Place,
    /// The members of a CreateQueue request. A stream name may stand in place of the stream's ARN.
    pub create: serde_json::Map<String, serde_json::Value>,
}

/// Reads the definition of a queue.
pub(super) fn queue(path: String, node: Node, source: &Arc<str>) -> Result<QueueSetup, Problem> {
    let origin = Origin::file(source, &path, &node);
    let mut fields = Fields::of(node, path.clone())?;
    let line = fields.line();
    let place = Place::take(&mut fields)?;
    let create = request::of_shape(fields, create_queue_shape(), &PLACE_MEMBERS)?;
    let name = match create.get("QueueName") {
        Some(serde_json::Value::String(name)) => name.clone(),
        _ => return Err(Problem::at(line, "a queue has a QueueName").of(&path)),
    };
    Ok(QueueSetup {
        origin,
        name,
        place,
        create,
    })
}
