//! The faults that are injected in the steps of event source mappings and of channels. A fault
//! comes from an injection point that a test has armed, or from a fault rule that fires.

use crate::model::{ShardId, StreamArn};
use crate::world::{Alarm, Fault, FaultRule, Moment, Occasion, Point, Timestamp, World};

/// The `code` of a fault rule that makes an invocation lose the function's answer. The function
/// itself runs.
const LOST: &str = "lost";

/// A step of a mapping or of a channel in which a fault can be injected.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// A mapping invokes its function.
    Invoke,
    /// A mapping delivers a failure record.
    Deliver,
    /// A channel writes an object.
    DeliverObject,
    /// A channel saves its positions after it wrote an object. Fault rules cannot name this step.
    Checkpoint,
}

impl Step {
    const fn point(self) -> Point {
        match self {
            Self::Invoke => Point::Invoke,
            Self::Deliver => Point::Deliver,
            Self::DeliverObject => Point::DeliverObject,
            Self::Checkpoint => Point::Checkpoint,
        }
    }

    const fn moment(self) -> Option<Moment> {
        match self {
            Self::Invoke => Some(Moment::Invoke),
            Self::Deliver => Some(Moment::Deliver),
            Self::DeliverObject => Some(Moment::DeliverObject),
            Self::Checkpoint => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Invoke => "Invoke",
            Self::Deliver => "Deliver",
            Self::DeliverObject => "DeliverObject",
            Self::Checkpoint => "Checkpoint",
        }
    }
}

/// Passes the injection point of a step. If a delay fires for the step, waits with the alarm
/// `at_work`, so that a virtual clock can advance to the end of the delay.
///
/// # Errors
/// Returns the fault that fires for the step, if it is not a delay.
pub(super) async fn pass(
    world: &World,
    at_work: &mut Alarm,
    step: Step,
    stream: &StreamArn,
    shard: Option<ShardId>,
) -> Result<(), Fault> {
    match fault_at(world, step, stream, shard) {
        None => Ok(()),
        Some(Fault::Delay(ms)) => {
            wait_until(world, at_work, world.clock.now().plus_millis(i64::from(ms))).await;
            Ok(())
        }
        Some(fault) => Err(fault),
    }
}

/// The fault that fires at the injection point of a step. None if no fault fires.
pub(super) fn fault_at(
    world: &World,
    step: Step,
    stream: &StreamArn,
    shard: Option<ShardId>,
) -> Option<Fault> {
    let faults = &world.faults;
    if !faults.is_armed() {
        return None;
    }
    let of_rule = || ruled(world, step, stream, shard);
    faults.at(step.point()).or_else(of_rule)
}

/// Waits with the alarm `at_work` until the end of a delay that a fault injects.
pub(super) async fn wait_until(world: &World, at_work: &mut Alarm, until: Timestamp) {
    while world.clock.now() < until {
        at_work.wait(Some(until)).await;
    }
}

/// The fault of the first fault rule that fires for the step. None if no rule fires.
fn ruled(world: &World, step: Step, stream: &StreamArn, shard: Option<ShardId>) -> Option<Fault> {
    let arn = stream.to_string();
    let hit = world.faults.draw(&Occasion {
        moment: step.moment()?,
        operation: step.name(),
        stream: Some((&stream.name, &arn)),
        shards: &[shard.map(|shard| shard.to_string())],
        now: world.clock.now(),
    })?;
    tracing::info!(step = step.name(), stream = arn, "a fault rule fired");
    Some(fault_of(&hit.rule))
}

fn fault_of(rule: &FaultRule) -> Fault {
    match (rule.delay_ms, rule.code.as_deref()) {
        (Some(ms), _) => Fault::Delay(ms),
        (None, Some(LOST)) => Fault::Drop,
        (None, _) => Fault::Error,
    }
}
