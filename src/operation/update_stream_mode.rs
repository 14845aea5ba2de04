//! UpdateStreamMode: switches a stream between on-demand and provisioned mode. The shards do not
//! change.
use super::prelude::*;
use crate::engine::{Counts, PendingChange, StreamState};
use crate::limits::Limits;
use crate::model::StreamArn;

pub(super) struct UpdateStreamMode;

input! { pub struct Input {
    "StreamARN" => arn: StreamARN,
    "StreamModeDetails" => mode: StreamModeDetailsInput,
    "WarmThroughputMiBps" => warm_throughput: Option<NaturalIntegerObject>,
    "StreamId" => _id: Ignored<StreamId>,
} }

impl Operation for UpdateStreamMode {
    type Input = Input;
    type Output = Nothing;

    async fn run(context: &Context, input: Input) -> Result<Nothing, Error> {
        let stream = context.stream_by_arn(&input.arn)?;
        let limits = &context.engine.limits;
        let updated = context.engine.update(&stream, |state, counts| {
            plan(&stream.arn, state, counts, limits, &input)
        });
        updated.await?;
        Ok(Nothing)
    }
}

impl HasTarget for UpdateStreamMode {
    fn target(context: &Context, input: &Input) -> Result<Target, Error> {
        parse_arn(context, &input.arn).map(Target::Stream)
    }
}

fn plan(
    arn: &StreamArn,
    state: &mut StreamState,
    counts: Counts,
    limits: &Limits,
    input: &Input,
) -> Result<Option<PendingChange>, Error> {
    check_active(arn, state)?;
    let on_demand = input.mode.mode == StreamMode::OnDemand;
    let warm = match input.warm_throughput {
        None => None,
        Some(_) if !on_demand => return Err(Error::warm_throughput_not_expected()),
        Some(wanted) => Some(check_warm_throughput(
            arn,
            counts.committed,
            limits,
            wanted,
        )?),
    };
    if on_demand == state.settings.on_demand {
        return Ok(None);
    }
    if !on_demand && !state.queues.is_empty() {
        return Err(Error::stream_has_queues(arn));
    }
    if !on_demand && state.has_live_channels() {
        return Err(Error::stream_has_channels(arn));
    }
    if on_demand
        && let Some(limit) = limits
            .on_demand_streams
            .filter(|l| counts.quota_use.on_demand_streams >= *l)
    {
        let (account, region) = (arn.scope.account, arn.scope.region.as_str());
        let open = counts.quota_use.on_demand_streams;
        return Err(Error::too_many_on_demand(account, region, open, limit));
    }
    if !on_demand && state.settings.auto_distribution {
        return Err(Error::auto_distribution_prevents_provisioned());
    }
    let refusal = |_| Error::daily_rate_exceeded(arn, "mode-switches-per-day");
    count_today(
        &mut state.history.mode_switches,
        limits.mode_switches_per_day,
        counts.now,
        refusal,
    )?;
    let mut settings = state.settings.clone();
    settings.on_demand = on_demand;
    settings.warm_throughput_mibps = warm;
    Ok(Some(PendingChange {
        settings,
        resharding: None,
    }))
}
