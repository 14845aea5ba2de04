//! DisableEnhancedMonitoring: disables shard-level metrics. Ignores metrics that are disabled
//! already.
use super::prelude::*;

pub(super) struct DisableEnhancedMonitoring;

impl Operation for DisableEnhancedMonitoring {
    type Input = MonitoringInput;
    type Output = MonitoringOutput;

    async fn run(context: &Context, input: MonitoringInput) -> Result<MonitoringOutput, Error> {
        switch_metrics(context, input, |metrics, named| {
            metrics.retain(|metric| !named.contains(metric));
        })
        .await
    }
}
