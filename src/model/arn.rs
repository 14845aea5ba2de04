//! Accounts, regions, and the ARNs of streams, consumers, queues and channels.

use std::fmt;
use std::sync::Arc;

/// The id of an AWS account: twelve decimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct AccountId(u64);

impl AccountId {
    /// Parses an account id. `None` unless the text consists of exactly twelve decimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok().map(Self)).flatten()
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:012}", self.0)
    }
}

/// The name of a region. Any text is accepted as a name. The clones of a `Region` share one text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(Arc<str>);

impl Region {
    /// Creates a region from its name.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name of the region, such as `us-east-1`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The AWS partition of the region, as written in ARNs: `aws`, `aws-cn` or `aws-us-gov`.
    pub fn partition(&self) -> &'static str {
        if self.0.starts_with("cn-") {
            "aws-cn"
        } else if self.0.starts_with("us-gov-") {
            "aws-us-gov"
        } else {
            "aws"
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

/// An account and a region. No two streams of the same account and region have the same name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountRegion {
    /// The id of the account that owns a resource.
    pub account: AccountId,
    /// The name of the region in which a resource exists.
    pub region: Region,
}

impl fmt::Display for AccountRegion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.account, self.region)
    }
}

/// The ARN of a stream: `arn:{partition}:kinesis:{region}:{account}:stream/{name}`. A stream that
/// was deleted and created again has the same ARN as before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamArn {
    /// The account and region of the stream.
    pub scope: AccountRegion,
    /// The name of the stream.
    pub name: Arc<str>,
}

impl StreamArn {
    /// Creates the ARN of the stream called `name`.
    pub fn new(scope: AccountRegion, name: &str) -> Self {
        Self {
            scope,
            name: name.into(),
        }
    }

    /// Parses the ARN of a stream. `None` for the ARN of another resource, such as a consumer.
    /// Accepts every partition that begins with `aws`, but does not store the partition: the parsed
    /// ARN is displayed with the partition of its region.
    pub fn parse(text: &str) -> Option<Self> {
        let (scope, resource) = kinesis_resource(text)?;
        let name = resource.strip_prefix("stream/")?;
        is_name(name).then(|| Self::new(scope, name))
    }
}

impl fmt::Display for StreamArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AccountRegion { account, region } = &self.scope;
        let (partition, name) = (region.partition(), &self.name);
        write!(
            formatter,
            "arn:{partition}:kinesis:{region}:{account}:stream/{name}"
        )
    }
}

/// The ARN of a consumer: `{stream ARN}/consumer/{name}:{creation time}`. A consumer that was
/// deregistered and registered again has a new ARN.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsumerArn {
    /// The ARN of the stream that the consumer reads.
    pub stream: StreamArn,
    /// The name of the consumer.
    pub name: Arc<str>,
    /// `ConsumerCreationTimestamp` in whole seconds since 1970, rounded down.
    pub created_s: u64,
}

impl ConsumerArn {
    /// Parses the ARN of a consumer. Accepts every partition that begins with `aws`.
    pub fn parse(text: &str) -> Option<Self> {
        let (scope, resource) = kinesis_resource(text)?;
        let (stream, consumer) = resource.strip_prefix("stream/")?.split_once("/consumer/")?;
        let (name, created) = consumer.split_once(':')?;
        let created_s: u64 = created.parse().ok()?;
        // Refuses leading zeros, so that each consumer has only one valid ARN.
        let canonical = created_s.to_string() == created;
        (is_name(stream) && is_name(name) && canonical).then(|| Self {
            stream: StreamArn::new(scope, stream),
            name: name.into(),
            created_s,
        })
    }
}

impl fmt::Display for ConsumerArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}/consumer/{}:{}",
            self.stream, self.name, self.created_s
        )
    }
}

/// The ARN of a queue: `arn:{partition}:kinesis:{region}:{account}:queue/{id}`. The id is not the
/// name of the queue. A queue that was deleted and created again has a new id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueArn {
    /// The account and region of the queue.
    pub scope: AccountRegion,
    /// The id that the service assigned to the queue at its creation.
    pub id: Arc<str>,
}

impl QueueArn {
    /// Parses the ARN of a queue. Accepts every partition that begins with `aws`.
    pub fn parse(text: &str) -> Option<Self> {
        let (scope, id) = resource_with_id(text, "queue/")?;
        Some(Self { scope, id })
    }
}

impl fmt::Display for QueueArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_with_id(formatter, &self.scope, "queue/", &self.id)
    }
}

/// The ARN of a channel: `arn:{partition}:kinesis:{region}:{account}:channel/{id}`. The id is not
/// the name of the channel. A channel that was deleted and created again has a new id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelArn {
    /// The account and region of the channel.
    pub scope: AccountRegion,
    /// The id that the service assigned to the channel at its creation.
    pub id: Arc<str>,
}

impl ChannelArn {
    /// Parses the ARN of a channel. Accepts every partition that begins with `aws`.
    pub fn parse(text: &str) -> Option<Self> {
        let (scope, id) = resource_with_id(text, "channel/")?;
        Some(Self { scope, id })
    }
}

impl fmt::Display for ChannelArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_with_id(formatter, &self.scope, "channel/", &self.id)
    }
}

/// Parses the ARN of a queue or channel. Returns the account and region, and the id at the end of
/// the ARN. `kind` is the text between the account and the id, such as `queue/`.
fn resource_with_id(text: &str, kind: &str) -> Option<(AccountRegion, Arc<str>)> {
    let (scope, resource) = kinesis_resource(text)?;
    let id = resource.strip_prefix(kind)?;
    is_name(id).then(|| (scope, id.into()))
}

fn write_with_id(
    formatter: &mut fmt::Formatter<'_>,
    scope: &AccountRegion,
    kind: &str,
    id: &str,
) -> fmt::Result {
    let AccountRegion { account, region } = scope;
    let partition = region.partition();
    write!(
        formatter,
        "arn:{partition}:kinesis:{region}:{account}:{kind}{id}"
    )
}

/// Parses `arn:aws…:kinesis:{region}:{account}:{resource}`. Returns the account and region, and the
/// text `{resource}`.
fn kinesis_resource(text: &str) -> Option<(AccountRegion, &str)> {
    let mut parts = text.splitn(6, ':');
    let head = (parts.next()?, parts.next()?, parts.next()?);
    let ("arn", partition, "kinesis") = head else {
        return None;
    };
    let (region, account) = (Region::new(parts.next()?), AccountId::parse(parts.next()?)?);
    let scope = AccountRegion { account, region };
    Some((scope, parts.next()?)).filter(|_| partition.starts_with("aws"))
}

/// True for a valid name of a stream or consumer, and for the id of a queue or channel:
/// `[a-zA-Z0-9_.-]{1,128}`.
pub(crate) fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=128).contains(&name.len()) && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scope(region: &str) -> AccountRegion {
        let account = AccountId::parse("000000000042").unwrap();
        AccountRegion {
            account,
            region: Region::new(region),
        }
    }

    #[test]
    fn the_partition_follows_the_region() {
        for (region, text) in [
            (
                "us-east-1",
                "arn:aws:kinesis:us-east-1:000000000042:stream/orders",
            ),
            (
                "cn-north-1",
                "arn:aws-cn:kinesis:cn-north-1:000000000042:stream/orders",
            ),
            (
                "us-gov-west-1",
                "arn:aws-us-gov:kinesis:us-gov-west-1:000000000042:stream/orders",
            ),
            ("moon", "arn:aws:kinesis:moon:000000000042:stream/orders"),
        ] {
            let arn = StreamArn::new(scope(region), "orders");
            assert_eq!(arn.to_string(), text);
            assert_eq!(StreamArn::parse(text), Some(arn));
        }
    }

    #[test]
    fn any_partition_of_aws_is_read() {
        let text = "arn:aws-iso:kinesis:us-east-1:000000000042:stream/orders";
        assert_eq!(
            StreamArn::parse(text),
            Some(StreamArn::new(scope("us-east-1"), "orders"))
        );
    }

    #[test]
    fn other_texts_are_no_stream_arns() {
        for text in [
            "",
            "orders",
            "arn:aws:kinesis:us-east-1:000000000042",
            "arn:aws:kinesis:us-east-1:42:stream/orders",
            "arn:aws:kinesis:us-east-1:00000000004x:stream/orders",
            "arn:aws:kinesis:us-east-1:000000000042:stream/",
            "arn:aws:kinesis:us-east-1:000000000042:stream/a b",
            "arn:aws:kinesis:us-east-1:000000000042:table/orders",
            "arn:aws:kinesis:us-east-1:000000000042:stream/orders/consumer/c:1",
            "arn:aws:dynamodb:us-east-1:000000000042:stream/orders",
            "arn:gcp:kinesis:us-east-1:000000000042:stream/orders",
        ] {
            assert_eq!(StreamArn::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_consumers_arn_ends_with_its_creation_second() {
        let text = "arn:aws:kinesis:us-east-1:000000000042:stream/orders/consumer/c:1700000000";
        let stream = StreamArn::new(scope("us-east-1"), "orders");
        let arn = ConsumerArn {
            stream,
            name: "c".into(),
            created_s: 1_700_000_000,
        };
        assert_eq!(arn.to_string(), text);
        assert_eq!(ConsumerArn::parse(text), Some(arn));
    }

    #[test]
    fn other_texts_are_no_consumer_arns() {
        let stream = "arn:aws:kinesis:us-east-1:000000000042:stream/orders";
        for end in [
            "",
            "/consumer/c",
            "/consumer/c:",
            "/consumer/:1",
            "/consumer/c:01",
        ] {
            assert_eq!(ConsumerArn::parse(&format!("{stream}{end}")), None, "{end}");
        }
        for end in [
            "/consumer/c:+1",
            "/consumer/c:1:2",
            "/consumer/a/b:1",
            "/reader/c:1",
        ] {
            assert_eq!(ConsumerArn::parse(&format!("{stream}{end}")), None, "{end}");
        }
    }

    #[test]
    fn accounts_have_twelve_digits() {
        assert_eq!(AccountId::default().to_string(), "000000000000");
        for text in ["", "42", "+00000000042", "0000000000001", "00000000000x"] {
            assert_eq!(AccountId::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn arns_read_back(
            account in 0_u64..1_000_000_000_000, region in "[a-z0-9-]{1,20}",
            stream in "[a-zA-Z0-9_.-]{1,128}", name in "[a-zA-Z0-9_.-]{1,128}", created_s: u64,
        ) {
            let scope = AccountRegion { account: AccountId(account), region: Region::new(&region) };
            let stream = StreamArn::new(scope, &stream);
            prop_assert_eq!(StreamArn::parse(&stream.to_string()), Some(stream.clone()));
            let queue = QueueArn { scope: stream.scope.clone(), id: name.as_str().into() };
            prop_assert_eq!(QueueArn::parse(&queue.to_string()), Some(queue.clone()));
            prop_assert_eq!(StreamArn::parse(&queue.to_string()), None);
            prop_assert_eq!(QueueArn::parse(&stream.to_string()), None);
            let channel = ChannelArn { scope: queue.scope.clone(), id: queue.id.clone() };
            prop_assert_eq!(ChannelArn::parse(&channel.to_string()), Some(channel.clone()));
            prop_assert_eq!(QueueArn::parse(&channel.to_string()), None);
            let consumer = ConsumerArn { stream, name: name.into(), created_s };
            prop_assert_eq!(ConsumerArn::parse(&consumer.to_string()), Some(consumer));
        }
    }
}
