//! The parts of the emulator that all tasks of mappings use.

use super::outbound::Outbound;
use crate::admission::Admission;
use crate::engine::tasks::Tasks;
use crate::limits::Limits;
use crate::model::event_source::BackOff;
use crate::store::Store;
use crate::world::World;
use std::sync::Arc;
use tokio::sync::watch;

/// The parts of the emulator that all tasks of mappings use, such as the clock and the store.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) world: World,
    pub(crate) limits: Limits,
    pub(crate) admission: Arc<Admission>,
    pub(crate) store: Store,
    pub(crate) tasks: Tasks,
    pub(crate) outbound: Outbound,
    /// True if an on-failure destination may be a stream of this emulator.
    pub(crate) own_stream_destinations: bool,
    pub(crate) stop: watch::Receiver<bool>,
    /// Duration of temporary states such as `Creating` and `Updating`, in milliseconds.
    pub(crate) transition_ms: u64,
    /// A counter that changes whenever a task of a mapping has done some work. Drains wait until
    /// the counter changes.
    pub(crate) activity: watch::Sender<u64>,
}

impl Context {
    pub(super) fn uuid(&self) -> uuid::Uuid {
        uuid::Builder::from_random_bytes(self.world.random.bytes()).into_uuid()
    }

    /// A new random value for the header `X-Amzn-Trace-Id` of an invocation.
    pub(super) fn trace_id(&self) -> String {
        let seconds = self.world.clock.now().seconds();
        let hex = |bytes: &[u8]| {
            bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        let (root, parent) = (
            self.world.random.bytes::<12>(),
            self.world.random.bytes::<8>(),
        );
        format!(
            "Root=1-{seconds:08x}-{};Parent={};Sampled=0",
            hex(&root),
            hex(&parent)
        )
    }

    pub(super) fn back_off(&self) -> BackOff {
        let ms = |limit: Option<u64>, unset: i64| {
            limit.map_or(unset, |ms| i64::try_from(ms).unwrap_or(i64::MAX))
        };
        BackOff {
            first_ms: ms(self.limits.event_source_retry_first_ms, 0),
            most_ms: ms(self.limits.event_source_retry_most_ms, i64::MAX),
        }
    }

    /// Wakes the waiting drains. Each drain then checks the remaining work of the mappings.
    pub(super) fn note_activity(&self) {
        if self.activity.receiver_count() > 0 {
            self.activity
                .send_modify(|count| *count = count.wrapping_add(1));
        }
    }
}
