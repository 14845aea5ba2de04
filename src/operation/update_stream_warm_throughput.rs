//! UpdateStreamWarmThroughput: sets the write throughput for which an on-demand stream has capacity
//! before the traffic comes.
use super::prelude::*;
use crate::engine::{PendingChange, ReshardingOrder, StreamState};
use crate::model::StreamMode;

pub(super) struct UpdateStreamWarmThroughput;

input! { pub struct Input {
    "StreamARN" => arn: Option<StreamARN>,
    "StreamName" => name: Option<StreamName>,
    "WarmThroughputMiBps" => wanted: NaturalIntegerObject,
    "StreamId" => _id: Ignored<StreamId>,
} }

output! { pub struct Output {
    "StreamARN" => arn: String,
    "StreamName" => name: String,
    "WarmThroughput" => warm_throughput: WarmThroughput,
} }
document!(Output);

impl Operation for UpdateStreamWarmThroughput {
    type Input = Input;
    type Output = Output;

    async fn run(context: &Context, input: Input) -> Result<Output, Error> {
        let given = StreamRef::new(input.name, input.arn);
        let stream = context.stream(&given)?;
        let (arn, limits) = (&stream.arn, &context.engine.limits);
        let mut answer = WarmThroughput {
            current: 0,
            target: 0,
        };
        let updated = context.engine.update(&stream, |state, counts| {
            // The minimum throughput billing commitment is checked before the capacity mode, as was
            // recorded in September 2026 (radkawar/stackd, testdata/aws/kinesis/controls.json).
            let target = check_warm_throughput(arn, counts.committed, limits, input.wanted)?;
            if state.mode() == StreamMode::Provisioned {
                return Err(Error::stream_is_provisioned(arn));
            }
            check_active(arn, state)?;
            let current = state.warm_mibps();
            answer = WarmThroughput { current, target };
            Ok(plan(state, target))
        });
        updated.await?;
        Ok(Output {
            arn: stream.arn.to_string(),
            name: stream.arn.name.to_string(),
            warm_throughput: answer,
        })
    }
}

impl HasTarget for UpdateStreamWarmThroughput {
    fn target(context: &Context, input: &Input) -> Result<Target, Error> {
        let given = StreamRef::new(input.name.clone(), input.arn.clone());
        context.resolve(&given).map(Target::Stream)
    }
}

/// Returns the new settings of the stream, with the warm throughput `target` in MiB/s, and the
/// resharding that these settings require. `None` if the stream has this target already. One shard
/// accepts writes of 1 MiB/s, so a stream with fewer than `target` shards is scaled to `target`
/// shards. A lower target removes no shards. Both rules are choices.
fn plan(state: &StreamState, target: u32) -> Option<PendingChange> {
    let mut settings = state.settings.clone();
    settings.warm_throughput_mibps = Some(target);
    if settings == state.settings {
        return None;
    }
    let more = u64::from(target) > state.open_shards_count();
    let resharding = more.then_some(ReshardingOrder::Scale { count: target });
    Some(PendingChange {
        settings,
        resharding,
    })
}
