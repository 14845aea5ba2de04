//! Steps about the capacity of a stream and its account: metrics, record size, throughput.

use super::Simulation;
use super::oracle::METRICS;
use crate::lab::arn_of;
use serde_json::json;

impl Simulation {
    pub(super) async fn monitor(&mut self) {
        let (name, enables) = (self.name(), self.chance.below(3) > 0);
        let metric = *self.chance.one_of(&METRICS);
        let given = if self.chance.below(6) == 0 {
            "ALL"
        } else {
            metric
        };
        let before = self.oracle.metrics(name);
        let foretold = self.oracle.monitor(name, given, enables);
        let operation = if enables {
            "EnableEnhancedMonitoring"
        } else {
            "DisableEnhancedMonitoring"
        };
        let body = json!({"StreamName": name, "ShardLevelMetrics": [given]});
        if let Some(answer) = self.call(operation, body, foretold).await {
            assert_eq!(answer["CurrentShardLevelMetrics"], json!(before));
        }
    }

    pub(super) async fn resize_records(&mut self) {
        let (name, kib) = (self.name(), *self.chance.one_of(&[1024, 2048, 10_240]));
        let foretold = self.oracle.resize_records(name, kib);
        let body = json!({"StreamARN": arn_of(name), "MaxRecordSizeInKiB": kib});
        self.call("UpdateMaxRecordSize", body, foretold).await;
    }

    pub(super) async fn warm(&mut self) {
        let (name, target) = (self.name(), 1 + self.chance.below(9));
        let foretold = self.oracle.warm(name, target);
        let body = json!({"StreamName": name, "WarmThroughputMiBps": target});
        if let Some(answer) = self
            .call("UpdateStreamWarmThroughput", body, foretold)
            .await
        {
            assert_eq!(answer["WarmThroughput"]["TargetMiBps"], target);
        }
    }

    pub(super) async fn distribute(&mut self) {
        let (name, auto) = (self.name(), self.chance.below(3) == 0);
        let foretold = self.oracle.distribute(name, auto);
        let strategy = if auto { "AUTO" } else { "USER_PARTITION_KEY" };
        let body = json!({"StreamARN": arn_of(name), "RecordDistributionStrategy": strategy});
        let operation = "UpdateStreamRecordDistributionStrategy";
        self.call(operation, body, foretold).await;
    }

    pub(super) async fn commit_account(&mut self) {
        let enables = self.chance.below(3) > 0;
        self.oracle.commit_account(enables);
        let status = if enables { "ENABLED" } else { "DISABLED" };
        let body = json!({"MinimumThroughputBillingCommitment": {"Status": status}});
        let answer = self.call("UpdateAccountSettings", body, Ok(())).await;
        if let Some(answer) = answer {
            let status = &answer["MinimumThroughputBillingCommitment"]["Status"];
            assert_eq!(*status, self.oracle.account_status());
        }
    }
}
