//! What an operation's file needs.

pub(super) use super::shapes::*;
pub(super) use super::shared::*;
pub(super) use super::{Context, Nothing, Operation};
pub(super) use crate::error::Error;
pub(super) use crate::limits;
pub(super) use crate::model::Target;
pub(super) use crate::wire::{Expected, Ignored, Node, Truth, input, output};
pub(super) use crate::world::Timestamp;
