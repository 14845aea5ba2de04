//! The state and the requester that an operation works with.

use crate::engine::Engine;
use crate::model::{AccountRegion, Principal, ShardId};
use std::net::IpAddr;
use std::sync::Arc;

/// The state and the requester that an operation works with.
#[derive(Debug, Clone)]
pub struct Context {
    /// The streams of all accounts.
    pub engine: Arc<Engine>,
    /// Account and region of the request.
    pub caller: AccountRegion,
    /// The requester that policies are checked for; none where no policies are configured.
    pub requester: Option<Requester>,
    /// The entries of a PutRecords that a fault rule makes fail.
    pub(super) failed_entries: Option<FailedEntries>,
}

/// The failure of each entry of a PutRecords that fails by a fault rule.
#[derive(Debug, Clone)]
pub(super) struct FailedEntries(pub(super) Vec<Option<EntryFailure>>);

/// The failure of an entry of a PutRecords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryFailure {
    /// The write rate of the shard is exceeded.
    Throttled(ShardId),
    /// InternalFailure.
    Internal,
}

impl Context {
    /// The context of a request.
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

    /// The ARN of the requester; the root of the account where no policies are configured.
    pub(super) fn user_arn(&self) -> String {
        let Some(requester) = &self.requester else {
            let partition = self.caller.region.partition();
            let root = Principal::root(self.caller.account, partition);
            return root.arn().to_owned();
        };
        requester.principal.arn().to_owned()
    }
}

/// The sender of a request, as policies see it.
#[derive(Debug, Clone)]
pub struct Requester {
    /// The owner of the access key that signed the request.
    pub principal: Arc<Principal>,
    /// The address that the request comes from.
    pub address: IpAddr,
    /// The request came over TLS.
    pub over_tls: bool,
}
