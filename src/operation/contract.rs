//! The traits that every operation implements.

use super::answer::IntoAnswer;
use super::context::Context;
use super::stream_ref::StreamRef;
use crate::error::Error;
use crate::model::{ShardId, StreamArn, Target};
use crate::wire::{Node, Shaped};

/// An operation of the service: its input, its output, and the function that runs it.
pub trait Operation {
    /// The request of the operation. Its type carries the constraints of the service model.
    type Input: Shaped + Send;
    /// The output of a successful call.
    type Output: IntoAnswer + Send;
    /// True if the policy of a resource can allow the operation, also to other accounts. The source
    /// is AWS's developer guide, "Sharing your data stream". The text of the guide includes
    /// DescribeStream, but its table lists only DescribeStreamSummary. The emulator follows the
    /// text.
    const SHARED: bool = false;
    /// True if the fast reader decodes the request. The fast reader decodes the requests that
    /// transfer records, and the requests that clients send for each batch of records. The
    /// explaining reader decodes all other requests. It takes microseconds longer, but needs no
    /// separate code for each request and format.
    const READ_FAST: bool = false;

    /// Returns the permissions that the request needs in addition to the permission for the
    /// operation itself. Each permission is the name of an operation, and the resource to which the
    /// permission must apply.
    fn also_requires(_context: &Context, _input: &Self::Input) -> Vec<(&'static str, Target)> {
        Vec::new()
    }

    /// Runs the operation. The caller has already checked shapes, permissions and rates.
    fn run(
        context: &Context,
        input: Self::Input,
    ) -> impl Future<Output = Result<Self::Output, Error>> + Send;

    /// Returns the stream that the request concerns, for fault rules that name a stream. Only
    /// CreateQueue and CreateChannel implement this function, because their policy check is about a
    /// queue or channel that does not exist yet. For every other operation, the stream follows from
    /// the target of the policy check, if the request concerns a stream.
    fn stream(_context: &Context, _input: &Self::Input) -> Option<StreamArn> {
        None
    }

    /// Returns the shards that the request concerns, for fault rules that name a shard. The list
    /// has one element for each record of a put request, and one element for any other request. An
    /// element is `None` if the request concerns no shard, or if the shard is not known yet.
    fn shards(_context: &Context, _input: &Self::Input) -> Vec<Option<ShardId>> {
        vec![None]
    }

    /// Returns the KMS key that the request names. `None` for a request without a key.
    fn key(_input: &Self::Input) -> Option<&str> {
        None
    }

    /// True if members of the type `Expected` may be missing from `input`, a request that is not
    /// decoded yet.
    fn tolerates_missing(_context: &Context, _input: &Node) -> bool {
        false
    }
}

/// An operation whose request is about one resource. This resource is the target of the policy
/// check.
pub trait HasTarget: Operation {
    /// The resource that `input` names. The resource need not exist.
    ///
    /// # Errors
    /// The request does not name its resource, or names it by an invalid ARN, iterator or token.
    fn target(context: &Context, input: &Self::Input) -> Result<Target, Error>;
}

/// A request that contains a `StreamRef` is about the stream that the reference names.
impl<O: Operation> HasTarget for O
where
    O::Input: AsRef<StreamRef>,
{
    fn target(context: &Context, input: &O::Input) -> Result<Target, Error> {
        context.resolve(input.as_ref()).map(Target::Stream)
    }
}
