//! The attributes of a request that statements compare.

use super::identity::Identity;
use super::target::Target;
use crate::model::tag::Tags;
use std::net::IpAddr;

/// The attributes of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attributes<'a> {
    /// The sender.
    pub(super) caller: &'a Identity,
    /// The action, such as `kinesis:PutRecord`.
    pub(super) action: &'a str,
    /// The resource.
    pub(super) target: &'a Target,
    /// The tags of the resource.
    pub(super) tags: &'a Tags,
    /// The address that the request comes from.
    pub(super) address: IpAddr,
    /// The request came over TLS.
    pub(super) over_tls: bool,
}
