//! The common code of EnableEnhancedMonitoring and DisableEnhancedMonitoring.

use super::answer::document;
use super::context::Context;
use super::shapes::{MetricsName, MetricsNameList};
use super::stream_ref::StreamRef;
use super::stream_status::check_active;
use crate::engine::PendingChange;
use crate::error::Error;
use crate::wire::{input, output};
use std::collections::BTreeSet;

input! {
    /// The input of EnableEnhancedMonitoring and DisableEnhancedMonitoring: a stream, and the
    /// metrics to enable or disable.
    pub struct MonitoringInput {
        "ShardLevelMetrics" => metrics: MetricsNameList,
        .. stream: StreamRef,
    }
}

output! {
    /// The output of EnableEnhancedMonitoring and DisableEnhancedMonitoring: the enabled metrics
    /// before and after the change.
    pub struct MonitoringOutput {
        "CurrentShardLevelMetrics" => current: Vec<&'static str>,
        "DesiredShardLevelMetrics" => desired: Vec<&'static str>,
        "StreamARN" => arn: String,
        "StreamName" => name: String,
    }
}
document!(MonitoringOutput);

/// Enables or disables the shard-level metrics that a request lists. `switch` adds the listed
/// metrics to the set of enabled metrics, or removes the listed metrics from this set. The name
/// `ALL` in the request stands for all seven metrics.
pub(super) async fn switch_metrics(
    context: &Context,
    input: MonitoringInput,
    switch: impl FnOnce(&mut BTreeSet<String>, Vec<String>),
) -> Result<MonitoringOutput, Error> {
    let stream = context.stream(&input.stream)?;
    let all = input.metrics.0.contains(&MetricsName::All);
    let given = input.metrics.0.iter().map(|name| name.as_str());
    let named: Vec<_> = if all {
        MetricsName::ALL_NAMES.into()
    } else {
        given.collect()
    };
    let (mut current, mut desired) = (Vec::new(), Vec::new());
    let updated = context.engine.update(&stream, |state, _| {
        check_active(&stream.arn, state)?;
        let mut settings = state.settings.clone();
        switch(
            &mut settings.metrics,
            named.into_iter().map(str::to_owned).collect(),
        );
        current = in_order(&state.settings.metrics);
        desired = in_order(&settings.metrics);
        let changes = settings != state.settings;
        Ok::<_, Error>(changes.then_some(PendingChange {
            settings,
            resharding: None,
        }))
    });
    updated.await?;
    let (arn, name) = (stream.arn.to_string(), stream.arn.name.to_string());
    Ok(MonitoringOutput {
        current,
        desired,
        arn,
        name,
    })
}

/// Returns the metrics in the order of the service's answers.
fn in_order(metrics: &BTreeSet<String>) -> Vec<&'static str> {
    let enabled = |name: &&str| metrics.contains(*name);
    MetricsName::ALL_NAMES.into_iter().filter(enabled).collect()
}
