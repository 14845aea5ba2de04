//! The context of a request: the engine, and the account, region and requester of the request.

use crate::engine::Engine;
use crate::model::{AccountRegion, Principal, ShardId};
use std::net::IpAddr;
use std::sync::Arc;

/// The context in which an operation runs.
#[derive(Debug, Clone)]
pub struct Context {
    /// The engine, which holds the streams of all accounts.
    pub engine: Arc<Engine>,
    /// The account and the region of the request. A name without an ARN refers to a resource in
    /// them.
    pub caller: AccountRegion,
    /// The requester whose permissions are checked. None when no policies are configured.
    pub requester: Option<Requester>,
    /// The entries of a PutRecords request that fail because of a fault rule. None if no entry
    /// fails.
    pub(super) failed_entries: Option<FailedEntries>,
}

/// For each entry of a PutRecords request, in order: the failure that a fault rule injects, or
/// none.
#[derive(Debug, Clone)]
pub(super) struct FailedEntries(pub(super) Vec<Option<EntryFailure>>);

/// A failure that a fault rule injects into an entry of a PutRecords request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryFailure {
    /// ProvisionedThroughputExceededException for this shard.
    Throttled(ShardId),
    /// InternalFailure, as for an error of the service itself.
    Internal,
}

impl Context {
    /// The context of a request in which no fault rule makes entries fail.
    pub const fn new(
        engine: Arc<Engine>,
        caller: AccountRegion,
        requester: Option<Requester>,
    ) -> Self {
        Self {
            engine,
            caller,
            requester,
            failed_entries: None,
        }
    }

    /// ARN of the requester. Without policies, this is the ARN of the account's root.
    pub(super) fn user_arn(&self) -> String {
        let Some(requester) = &self.requester else {
            let partition = self.caller.region.partition();
            let root = Principal::root(self.caller.account, partition);
            return root.arn().to_owned();
        };
        requester.principal.arn().to_owned()
    }
}

/// The sender of a request, as the policy check sees it.
#[derive(Debug, Clone)]
pub struct Requester {
    /// The owner of the access key that signed the request.
    pub principal: Arc<Principal>,
    /// The IP address of the client, for conditions such as `aws:SourceIp`.
    pub address: IpAddr,
    /// True when the request came over TLS.
    pub over_tls: bool,
}
