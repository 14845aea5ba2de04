//! The context of a request: the engine, and the account, region and requester of the request.

use crate::engine::Engine;
use crate::model::{AccountRegion, Principal, ShardId};
use std::net::IpAddr;
use std::sync::Arc;

/// The context in which an operation runs a request: the engine, and the account, the region and
/// the sender of the request.
#[derive(Debug, Clone)]
pub struct Context {
    /// The engine, which holds the streams of all accounts.
    pub engine: Arc<Engine>,
    /// The account and the region of the request. A resource that the request names without an ARN
    /// belongs to this account and region.
    pub caller: AccountRegion,
    /// The sender of the request, whose permissions are checked. `None` if no policies are
    /// configured.
    pub requester: Option<Requester>,
    /// The entries of a PutRecords request that fail because of a fault rule. `None` if no entry
    /// fails.
    pub(super) failed_entries: Option<FailedEntries>,
}

/// The failure that a fault rule injects into each entry of a PutRecords request, in the order of
/// the entries. `None` for an entry that does not fail.
#[derive(Debug, Clone)]
pub(super) struct FailedEntries(pub(super) Vec<Option<EntryFailure>>);

/// A failure that a fault rule injects into an entry of a PutRecords request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryFailure {
    /// The entry fails with ProvisionedThroughputExceededException for this shard.
    Throttled(ShardId),
    /// The entry fails with InternalFailure, as for an error of the service itself.
    Internal,
}

impl Context {
    /// Creates the context of a request in which no fault rule makes entries fail.
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

    /// Returns the ARN of the requester. Without policies, this is the ARN of the account's root.
    pub(super) fn user_arn(&self) -> String {
        let Some(requester) = &self.requester else {
            let partition = self.caller.region.partition();
            let root = Principal::root(self.caller.account, partition);
            return root.arn().to_owned();
        };
        requester.principal.arn().to_owned()
    }
}

/// The sender of a request, with the attributes that the policy check uses.
#[derive(Debug, Clone)]
pub struct Requester {
    /// The owner of the access key that signed the request.
    pub principal: Arc<Principal>,
    /// The IP address of the client, for conditions such as `aws:SourceIp`.
    pub address: IpAddr,
    /// True if the request came over TLS.
    pub over_tls: bool,
}
