//! The task of one shard of a mapping. The task works in turns. In each turn the task does all work
//! that needs no wait. After the turn, the task waits until its bell rings or a deadline is due.

use super::mapping::Directive;
use super::shard_work::ShardWork;
use crate::world::Timestamp;

enum Then {
    Wait,
    End,
}

/// Runs the task of one shard of a mapping. The task ends when the mapping is done with all records
/// of the shard, or when the mapping is deleted or reset. The task also ends when the mapping's
/// stream is gone, or when the engine stops.
pub(super) async fn run(mut work: ShardWork) {
    let mut stop = work.context.stop.clone();
    let mut is_stopping = false;
    loop {
        work.deadline = None;
        let then = work.turn(is_stopping).await;
        work.publish();
        if matches!(then, Then::End) {
            break;
        }
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop), if !is_stopping => is_stopping = true,
            () = work.alarm.wait(work.deadline) => {}
        }
    }
    work.leave();
}

impl ShardWork {
    async fn turn(&mut self, is_stopping: bool) -> Then {
        let now = self.context.world.clock.now();
        for (lane, outcome) in self.inbox.take() {
            self.apply_outcome(lane, outcome, now);
        }
        let directive = self
            .mapping
            .directive(self.stream.incarnation, self.restarts, now);
        match directive {
            Directive::Run(plan) if !is_stopping => {
                if self.apply_plan(plan, now) {
                    self.work(now).await
                } else {
                    Then::Wait
                }
            }
            Directive::Pause if !is_stopping => {
                self.follower = None;
                self.drop_waiting();
                if let Some(moment) = self.mapping.begins(now) {
                    self.await_time(moment);
                }
                Then::Wait
            }
            Directive::Run(_) | Directive::Pause | Directive::End => {
                if self.is_busy() {
                    Then::Wait
                } else {
                    Then::End
                }
            }
        }
    }

    async fn work(&mut self, now: Timestamp) -> Then {
        if self.follower.is_none() {
            self.follower = Some(self.shard.follow(self.alarm.bell()));
        }
        self.fill(now).await;
        for lane in 0..self.lanes.len() {
            self.advance(lane, now);
        }
        if self.is_finished(now) {
            self.save_end(now);
            return Then::End;
        }
        Then::Wait
    }

    /// Removes this task from the mapping's list of shard tasks. Wakes the task of the mapping,
    /// which may now start the tasks of the child shards.
    fn leave(self) {
        let mut state = self.mapping.state.lock();
        if state.restarts == self.restarts {
            state.runners.remove(&self.shard.id);
        }
        drop(state);
        self.mapping.bell.ring();
    }
}
