//! EnableEnhancedMonitoring: enables shard-level metrics.
use super::prelude::*;

pub(super) struct EnableEnhancedMonitoring;

impl Operation for EnableEnhancedMonitoring {
    type Input = MonitoringInput;
    type Output = MonitoringOutput;

    async fn run(context: &Context, input: MonitoringInput) -> Result<MonitoringOutput, Error> {
        switch_metrics(context, input, |metrics, named| metrics.extend(named)).await
    }
}
