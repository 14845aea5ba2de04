//! The resources of requests, and their comparison with the patterns in policies.

use super::pattern::{PARTS, is_arn_like};
use crate::model::arn::{AccountRegion, ChannelArn, ConsumerArn, QueueArn, Region, StreamArn};
use std::fmt;

/// The resource that a request concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An account and a region, for a request that concerns no single resource, such as
    /// ListStreams. Only the pattern `*` matches this target.
    Account(AccountRegion),
    Stream(StreamArn),
    Consumer(ConsumerArn),
    /// A queue. The id is `*` for a queue that does not exist yet.
    Queue(QueueArn),
    /// A channel. The id is `*` for a channel that does not exist yet.
    Channel(ChannelArn),
}

impl Target {
    /// The account and region of the resource.
    pub fn scope(&self) -> &AccountRegion {
        match self {
            Self::Account(scope) => scope,
            Self::Stream(arn) => &arn.scope,
            Self::Consumer(arn) => &arn.stream.scope,
            Self::Queue(arn) => &arn.scope,
            Self::Channel(arn) => &arn.scope,
        }
    }

    /// True if `pattern`, an ARN that may have wildcards, matches the ARN of the resource. The two
    /// ARNs are compared part by part and not as whole texts, because minikin accepts colons in the
    /// name of a region.
    pub(super) fn is_like(&self, pattern: &str) -> bool {
        let resource = match self {
            Self::Account(_) => return pattern == "*",
            Self::Stream(arn) => format!("stream/{}", arn.name),
            Self::Queue(arn) => format!("queue/{}", arn.id),
            Self::Channel(arn) => format!("channel/{}", arn.id),
            Self::Consumer(arn) => {
                let (stream, name) = (&arn.stream.name, &arn.name);
                format!("stream/{stream}/consumer/{name}:{}", arn.created_s)
            }
        };
        let AccountRegion { account, region } = self.scope();
        let (account, region): (_, &Region) = (account.to_string(), region);
        let arn: [&str; PARTS] = [
            "arn",
            region.partition(),
            "kinesis",
            region.as_str(),
            &account,
            &resource,
        ];
        pattern == "*" || is_arn_like(pattern, &arn)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(_) => f.write_str("*"),
            Self::Stream(arn) => arn.fmt(f),
            Self::Consumer(arn) => arn.fmt(f),
            Self::Queue(arn) => arn.fmt(f),
            Self::Channel(arn) => arn.fmt(f),
        }
    }
}
