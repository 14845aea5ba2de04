//! The effect of a fault rule on a call.

use super::context::{Context, EntryFailure, FailedEntries};
use super::contract::HasTarget;
use super::fault_draw::draw;
use crate::error::{Error, KeyPurpose, KeyUse};
use crate::limits;
use crate::model::{KeyState, ShardId, StreamArn, Target};
use crate::world::{FaultKind, Hit, Moment, Timestamp};

/// The codes that a fault rule of kind `kms` may have: exceptions of the service, each with the key
/// state that causes it.
pub(super) const KMS_CODES: [(&str, KeyState); 6] = [
    ("KMSAccessDeniedException", KeyState::Denied),
    ("KMSDisabledException", KeyState::Disabled),
    ("KMSInvalidStateException", KeyState::Pending),
    ("KMSNotFoundException", KeyState::Missing),
    ("KMSOptInRequired", KeyState::OptIn),
    ("KMSThrottlingException", KeyState::Throttled),
];

/// The effect of a fault rule on a call. A rule that makes the call fail has no such effect, but
/// returns an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// No effect: the call runs, and the client gets its answer.
    Run,
    /// The call runs, and its answer is dropped.
    LoseAnswer,
    /// The connection is closed before the call runs.
    Reset,
}

/// The stream and the shards that a call concerns, and the KMS key that the call names. Fault rules
/// can select calls by the stream and the shards.
pub(super) struct Subject {
    stream: Option<StreamArn>,
    shards: Vec<Option<ShardId>>,
    key: Option<String>,
}

impl Subject {
    /// Finds the stream, the shards and the KMS key of a request. For a put request, `shards` has
    /// the shard of each record.
    pub(super) fn of<O: HasTarget>(context: &Context, input: &O::Input) -> Self {
        let target = O::target(context, input).ok();
        let stream = target.and_then(|target| stream_of(context, target));
        Self {
            stream: stream.or_else(|| O::stream(context, input)),
            shards: O::shards(context, input),
            key: O::key(input).map(str::to_owned),
        }
    }
}

/// Applies the fault rule that fires for a valid and permitted call, and returns the effect of the
/// rule. Returns `Effect::Run` if no rule fires.
pub(super) async fn at_call(
    context: &mut Context,
    operation: &'static str,
    subject: Subject,
) -> Result<Effect, Error> {
    let Subject {
        stream,
        shards,
        key,
    } = subject;
    let (engine, call) = (&context.engine, Moment::Call);
    let Some(hit) = draw(engine, call, operation, stream.as_ref(), &shards) else {
        return Ok(Effect::Run);
    };
    tracing::info!(operation, kind = %hit.rule.kind, "a fault rule fired");
    let world = &context.engine.world;
    match hit.rule.kind {
        FaultKind::Delay => world.delay(hit.rule.delay_ms.unwrap_or_default()).await,
        FaultKind::DropAnswer => return Ok(Effect::LoseAnswer),
        FaultKind::ResetConnection => return Ok(Effect::Reset),
        // InternalError is the only kind in this match arm that fires at calls. The other kinds
        // fire at events, invocations and deliveries.
        FaultKind::InternalError
        | FaultKind::EndSubscription
        | FaultKind::Invoke
        | FaultKind::Deliver
        | FaultKind::DeliverObject => return Err(Error::internal()),
        FaultKind::Unavailable => return Err(Error::unavailable_by_fault()),
        FaultKind::Throttle => return Err(Error::throttled()),
        FaultKind::ExpiredIterator => return Err(expired(world.clock.now())),
        FaultKind::Kms => return Err(kms_error(context, operation, (stream, key), &hit)),
        FaultKind::ThroughputExceeded if operation != "PutRecords" => {
            return Err(throughput_exceeded(context, operation, stream, &shards));
        }
        FaultKind::ThroughputExceeded | FaultKind::FailEntries => {
            context.failed_entries = Some(failed_entries(&hit, &shards));
        }
    }
    Ok(Effect::Run)
}

fn stream_of(context: &Context, target: Target) -> Option<StreamArn> {
    match target {
        Target::Account(_) => None,
        Target::Stream(arn) => Some(arn),
        Target::Consumer(arn) => Some(arn.stream),
        Target::Queue(arn) => {
            let queue = context.engine.find_queue(&arn)?;
            Some(queue.stream.arn.clone())
        }
        Target::Channel(arn) => {
            let channel = context.engine.find_channel(&arn)?;
            Some(channel.stream.arn.clone())
        }
    }
}

/// Returns the failure that the rule of `hit` injects into each entry of a PutRecords request. An
/// entry that the rule did not choose gets no failure.
fn failed_entries(hit: &Hit, shards: &[Option<ShardId>]) -> FailedEntries {
    let throughput = "ProvisionedThroughputExceededException";
    let is_throughput = hit.rule.kind == FaultKind::ThroughputExceeded
        || hit.rule.code.as_deref() == Some(throughput);
    let entries = hit.chosen.iter().zip(shards).map(|(chosen, shard)| {
        chosen.then(|| {
            if is_throughput {
                EntryFailure::Throttled(shard.unwrap_or(ShardId::new(0)))
            } else {
                EntryFailure::Internal
            }
        })
    });
    FailedEntries(entries.collect())
}

fn throughput_exceeded(
    context: &Context,
    operation: &str,
    stream: Option<StreamArn>,
    shards: &[Option<ShardId>],
) -> Error {
    let shard = shards.first().copied().flatten().unwrap_or(ShardId::new(0));
    let stream = stream.unwrap_or_else(|| context.arn(""));
    if operation == "PutRecord" {
        Error::write_rate_exceeded(shard, &stream)
    } else {
        Error::read_rate_exceeded(shard, &stream, [])
    }
}

/// The service's error for an iterator that expired one second ago.
fn expired(now: Timestamp) -> Error {
    let issued = now.plus_millis(-limits::ITERATOR_LIFE_MS - 1000);
    Error::iterator_expired(issued, now, limits::ITERATOR_LIFE_MS)
}

fn kms_error(
    context: &Context,
    operation: &str,
    (stream, key): (Option<StreamArn>, Option<String>),
    hit: &Hit,
) -> Error {
    let stream = stream.unwrap_or_else(|| context.arn(""));
    let code = hit.rule.code.as_deref();
    let known = KMS_CODES.iter().find(|(name, _)| Some(*name) == code);
    let Some((_, state)) = known else {
        return Error::internal();
    };
    let found = context.engine.find(&stream.scope, &stream.name);
    let of_stream = || found?.look(|state| state.settings.key_id.clone());
    let key = key.or_else(of_stream);
    let user = context.user_arn();
    Error::key_unusable(
        *state,
        &KeyUse {
            user: &user,
            key: key.as_deref().unwrap_or(DEFAULT_KEY),
            stream: &stream,
            purpose: match operation {
                "CreateChannel" | "PutRecord" | "PutRecords" => KeyPurpose::Encrypt,
                "StartStreamEncryption" => KeyPurpose::Describe,
                _ => KeyPurpose::Decrypt,
            },
        },
    )
}

/// The key that AWS manages for Kinesis. A KMS error names this key if the request names no key and
/// the stream is not encrypted.
const DEFAULT_KEY: &str = "alias/aws/kinesis";
