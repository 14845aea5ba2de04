//! The state and the requester that an operation works with.

use crate::engine::Engine;
use crate::model::{AccountRegion, Principal};
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
