//! DisableEnhancedMonitoring: disables shard-level metrics. Metrics that are not enabled are
//! ignored.
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
