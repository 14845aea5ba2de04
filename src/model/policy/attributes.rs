//! The attributes of a request that policies are compared with.

use super::identity::Identity;
use super::target::Target;
use crate::model::tag::Tags;
use std::net::IpAddr;

/// The attributes of a request, such as the sender, the action and the resource. The statements of
/// policies are compared with these attributes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attributes<'a> {
    /// The identity of the request's sender.
    pub(super) caller: &'a Identity,
    /// The action of the request, such as `kinesis:PutRecord`.
    pub(super) action: &'a str,
    /// The resource that the request concerns.
    pub(super) target: &'a Target,
    pub(super) tags: &'a Tags,
    /// The IP address from which the request comes.
    pub(super) address: IpAddr,
    /// True if the request came over TLS.
    pub(super) over_tls: bool,
}
