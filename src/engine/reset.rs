//! Resets the engine. Removes all streams with their records, consumers, queues and channels, and
//! the event source mappings that were created through the API.

use super::channel::Channel;
use super::core::Engine;
use super::queue::Queue;
use super::saved;
use super::stream::Stream;
use crate::store::{AccountValue, Change, StoreError, Ticket};
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Engine {
    /// Removes all streams, queues and channels, the settings of all accounts, and the event source
    /// mappings that were created through the API. Keeps the time of the clock, and the mappings
    /// that the options define. Returns the ticket with which the caller waits until the reset is as
    /// durable as the `durability` option promises. Changes that are made later do not become
    /// durable before the reset.
    ///
    /// # Errors
    /// Returns an error if the store cannot write.
    pub(crate) fn reset(&self) -> Result<Ticket, StoreError> {
        self.check_store()?;
        self.replacements.fetch_add(1, Ordering::SeqCst);
        // Under this lock, a creation of a mapping that finds a stream after the removal of the
        // mappings finds a stream that stays.
        let (streams, mut changes) = {
            let mut accounts = self.accounts.lock();
            let streams = accounts.streams();
            streams.iter().for_each(|stream| accounts.remove(stream));
            (streams, self.event_sources.remove_made_by_api())
        };
        let queues = self.all_queues();
        let channels = self.all_channels();
        changes.extend(stream_removals(&streams));
        changes.extend(queues.iter().map(|queue| self.queue_removal(queue)));
        changes.extend(self.channel_removals(&channels));
        let accounts = self.accounts.lock().with_settings();
        for account_region in accounts {
            let settings = AccountValue::default();
            changes.push(saved::account(&account_region, &settings));
            self.accounts.lock().set_settings(account_region, settings);
        }
        let ticket = self.store.save(changes);
        queues.iter().for_each(|queue| self.forget_queue(queue));
        channels.iter().for_each(|one| self.forget_channel(one));
        for stream in &streams {
            self.forget(stream);
        }
        Ok(ticket)
    }

    /// Removes the given streams, queues and channels, in any status. If the store cannot write,
    /// the removed items exist again after the next start of the emulator.
    pub(crate) async fn remove(
        &self,
        streams: &[Arc<Stream>],
        queues: &[Arc<Queue>],
        channels: &[Arc<Channel>],
    ) {
        let mut changes = stream_removals(streams);
        changes.extend(queues.iter().map(|queue| self.queue_removal(queue)));
        changes.extend(self.channel_removals(channels));
        let ticket = self.store.save(changes);
        queues.iter().for_each(|queue| self.forget_queue(queue));
        channels.iter().for_each(|one| self.forget_channel(one));
        for stream in streams {
            self.forget(stream);
        }
        if let Err(error) = ticket.durable().await {
            tracing::error!(%error, "removed streams may come back at the next start");
        }
    }

    /// Returns the catalog changes that remove the given channels, and marks the channels as
    /// removed.
    pub(super) fn channel_removals(&self, channels: &[Arc<Channel>]) -> Vec<Change> {
        let channels = channels.iter();
        channels
            .flat_map(|channel| self.channel_removal(channel))
            .collect()
    }
}

/// Returns the catalog changes that remove the given streams, and marks the streams as removed.
pub(super) fn stream_removals(streams: &[Arc<Stream>]) -> Vec<Change> {
    let removed = |stream: &Arc<Stream>| stream.with_state(|state| saved::removed(stream, state));
    streams.iter().flat_map(removed).collect()
}
