//! Steps of time and of the machine: letting time pass, restarting, crashing.

use super::Simulation;
use super::subscribe::Subscribed;
use crate::lab::{Lab, Place, ms};
use serde_json::json;
use std::path::Path;
use tempfile::TempDir;

/// An emulator on a data directory, whose clock stands at `now_ms`.
pub(super) async fn emulator(directory: &Path, now_ms: u64, transition_ms: u64) -> Lab {
    let (clock, transition) = (format!("virtual={now_ms}"), transition_ms.to_string());
    let flags = [
        "--data-dir",
        directory.to_str().unwrap(),
        "--durability",
        "always",
        "--clock",
        &clock,
        "--transition-ms",
        &transition,
    ];
    Lab::start(Place::Memory, &flags).await
}

impl Simulation {
    pub(super) async fn advance(&mut self) {
        let time_ms = match self.chance.below(20) {
            0 => 1,
            1..4 => self.chance.below(300),
            4..16 => self.chance.below(3_000),
            16..18 => self.chance.below(400_000),
            18 => self.chance.below(20_000_000),
            _ => *self.chance.one_of(&[43_200_000, 86_399_999, 86_400_000]),
        } as u64;
        self.trace.push(format!("{time_ms} ms pass"));
        let target_ms = self.oracle.now_ms + time_ms;
        while self.oracle.now_ms < target_ms {
            // Who is told something at a moment is heard at that moment.
            let due = self.subscribed.iter().map(Subscribed::due_ms);
            let next_ms = due.chain(self.oracle.next_due_ms()).min();
            let next_ms = next_ms.map_or(target_ms, |next_ms| next_ms.min(target_ms));
            let passed_ms = next_ms - self.oracle.now_ms;
            self.oracle.advance(passed_ms);
            self.lab.clock.advance(ms(passed_ms)).await;
            assert_eq!(self.lab.clock.now_ms() as u64, self.oracle.now_ms);
            self.hear().await;
        }
        let oracle = &self.oracle;
        self.cursors
            .retain(|cursor| matches!(oracle.state(cursor.stream), Some("ACTIVE" | "UPDATING")));
    }

    pub(super) async fn restart(&mut self) {
        self.trace.push("restart".to_owned());
        self.stop().await;
        self.start_on().await;
    }

    /// Another emulator starts on what was on disk while the first one ran.
    pub(super) async fn crash(&mut self) {
        self.trace.push("crash".to_owned());
        // What nobody waits for is on disk once something later is.
        let body = json!({"MinimumThroughputBillingCommitment": {"Status": "DISABLED"}});
        self.ask("UpdateAccountSettings", body).await.unwrap();
        let copy = TempDir::new().unwrap();
        copy_all(self.directory.path(), copy.path());
        self.stop().await;
        self.directory = copy;
        self.start_on().await;
    }

    async fn stop(&mut self) {
        self.lab.stop().await;
        self.hear_the_end().await;
    }

    async fn start_on(&mut self) {
        let (now_ms, transition_ms) = (self.oracle.now_ms, self.oracle.transition_ms);
        self.lab = emulator(self.directory.path(), now_ms, transition_ms).await;
    }
}

fn copy_all(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy_all(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
