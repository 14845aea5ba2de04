//! Resharding, clears and expiry of records, restarts and power cuts in a life of channels.

use super::super::machine::Ground;
use super::super::until_committed;
use super::{EXPIRED_MS, Life, STREAMS, TRANSITION_MS, WRITES};
use crate::lab::Request;
use serde_json::json;

impl Life {
    /// Asks for more shards of a stream. The stream has them after a transition.
    pub(super) async fn reshard(&mut self) {
        let stream = *self.chance.one_of(&STREAMS);
        let target = 5 + self.chance.below(8);
        let body = json!({"StreamName": stream, "WarmThroughputMiBps": target});
        let answer = self.call("UpdateStreamWarmThroughput", body).await;
        self.trace
            .push(format!("{stream}: {target} shards, {answer:?}"));
        assert!(!matches!(answer, Some(Err(_))), "{}", self.story());
        self.is_resharding = self.trouble;
    }

    /// Removes the records of a stream. Those that are in no object yet may be delivered or not.
    pub(super) async fn clear(&mut self) {
        let stream = *self.chance.one_of(&STREAMS);
        let path = format!("/_minikin/streams/{stream}/clear");
        let status = self
            .machine
            .send(&Request::bare("POST", &path))
            .await
            .status;
        self.trace.push(format!("{stream}: cleared {status}"));
        assert_eq!(status, 204, "{}", self.story());
        let channels = self.channels.values().filter(|one| one.stream == stream);
        let arns = channels.map(|channel| channel.arn.as_str());
        self.records.clear(arns, &self.shelf.puts());
    }

    /// Lets records expire that the destinations do not take, by time or by a shorter retention.
    /// Their channels fail.
    pub(super) async fn outlive(&mut self) {
        self.delete_tables().await;
        self.compare_objects().await;
        let stream = *self.chance.one_of(&STREAMS);
        let is_shortened = self.chance.below(2) == 0;
        if is_shortened {
            self.retain("IncreaseStreamRetentionPeriod", stream, 48)
                .await;
        }
        self.shelf.set_down(true);
        let written = self.records.written();
        self.put_into(stream).await;
        self.advance(EXPIRED_MS).await;
        if is_shortened {
            self.compare().await;
            self.retain("DecreaseStreamRetentionPeriod", stream, 24)
                .await;
        }
        for channel in self.channels.values_mut() {
            let lost = self.records.lose(&channel.arn, written);
            if lost > 0 {
                channel.status = "FAILED";
                let reason = "records expired before they could be delivered. the shelf is down";
                channel.reason = Some(format!("{lost} {reason}"));
            }
        }
        let is_down = self.chance.below(2) == 0;
        self.shelf.set_down(is_down);
        self.trace
            .push(format!("{stream}: records expired, {is_down}"));
    }

    /// Deletes the channels to tables, which the model has no objects of.
    async fn delete_tables(&mut self) {
        let tables = self.channels.values_mut().filter(|one| one.is_table);
        let arns: Vec<String> = tables.map(|channel| channel.arn.clone()).collect();
        for arn in arns {
            let deleted = self.call("DeleteChannel", json!({"ChannelARN": arn})).await;
            deleted.unwrap().unwrap();
        }
        self.channels.retain(|_, channel| !channel.is_table);
        self.advance(TRANSITION_MS).await;
    }

    /// Changes the retention period of a stream.
    async fn retain(&mut self, operation: &str, stream: &str, hours: u32) {
        let body = json!({"StreamName": stream, "RetentionPeriodHours": hours});
        self.call(operation, body).await.unwrap().unwrap();
        self.advance(TRANSITION_MS).await;
    }

    pub(super) async fn restart(&mut self) {
        self.trace.push("restart".to_owned());
        assert!(self.machine.stop().await);
        self.now_ms += 1;
        self.machine.open(self.now_ms).await;
        self.turn().await;
    }

    /// The power fails while nothing is under way.
    pub(super) async fn crash(&mut self) {
        self.trace.push("crash".to_owned());
        self.machine.settle().await;
        until_committed(&self.machine, &self.chance, "ENABLED").await;
        self.now_ms += 1;
        self.machine.crash(&self.chance.0, self.now_ms).await;
        self.turn().await;
    }

    /// The power fails while channels are changed.
    pub(super) async fn lose_power(&mut self) {
        let Ground::Simulated(disk) = &self.machine.ground else {
            return self.crash().await;
        };
        let disk = disk.clone();
        self.machine.settle().await;
        self.trouble = true;
        disk.cut_power_after(self.chance.below(WRITES) as u64);
        for _ in 0..1 + self.chance.below(5) {
            match self.chance.below(6) {
                0 | 1 => self.put_some().await,
                2 => self.flush().await,
                3 if !self.is_resharding => self.reshard().await,
                // A stream that may be UPDATING gets no channel.
                _ if self.in_doubt.is_none() && !self.is_resharding => self.change().await,
                _ => {}
            }
        }
        self.trouble = false;
        self.trace
            .push(format!("the power fails; {}", disk.is_dark()));
        self.now_ms += 1;
        self.machine.crash(&self.chance.0, self.now_ms).await;
        if let Some((name, after)) = self.in_doubt.take() {
            self.learn(name, after).await;
        }
        self.turn().await;
        if std::mem::take(&mut self.is_resharding) {
            self.advance(TRANSITION_MS).await;
        }
    }
}
