//! The traits that an operation implements.

use super::answer::IntoAnswer;
use super::context::Context;
use super::stream_ref::StreamRef;
use crate::error::Error;
use crate::model::{ShardId, Target};
use crate::wire::{Node, Shaped};

/// An operation of the service.
pub trait Operation {
    /// The request; its type carries the constraints of the service model.
    type Input: Shaped + Send;
    /// The answer.
    type Output: IntoAnswer + Send;
    /// A resource's policy can allow the operation, to other accounts too (AWS's developer guide,
    /// "Sharing your data stream"; for DescribeStream the guide's text, its table lists
    /// DescribeStreamSummary only).
    const SHARED: bool = false;

    /// Further permissions that the request needs: operations and their targets.
    fn also_requires(_context: &Context, _input: &Self::Input) -> Vec<(&'static str, Target)> {
        Vec::new()
    }

    /// Performs the operation.
    fn run(
        context: &Context,
        input: Self::Input,
    ) -> impl Future<Output = Result<Self::Output, Error>> + Send;

    /// The shard that the request is about, for fault rules: one, or one for each record. None where
    /// there is no shard or it is not known yet.
    fn shards(_context: &Context, _input: &Self::Input) -> Vec<Option<ShardId>> {
        vec![None]
    }

    /// Members of type `Expected` may be absent in this request.
    fn tolerates_missing(_context: &Context, _input: &Node) -> bool {
        false
    }
}

/// The resource that a request is about, for the check of policies. The resource need not exist.
pub trait HasTarget: Operation {
    /// The resource that `input` names.
    ///
    /// # Errors
    /// When the request does not name its resource.
    fn target(context: &Context, input: &Self::Input) -> Result<Target, Error>;
}

/// By default a request is about the stream of its `StreamRef`.
impl<O: Operation> HasTarget for O
where
    O::Input: AsRef<StreamRef>,
{
    fn target(context: &Context, input: &O::Input) -> Result<Target, Error> {
        context.resolve(input.as_ref()).map(Target::Stream)
    }
}
