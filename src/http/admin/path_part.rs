//! The argument with which a handler receives the variable part of a request's path.

use super::query::refused;
use super::state::{Admin, Refused};
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

/// The variable part of a request's path, percent-decoded. A part that is not UTF-8 is refused.
#[derive(Debug)]
pub(super) struct PathPart(pub(super) String);

impl FromRequestParts<Admin> for PathPart {
    type Rejection = Refused;

    async fn from_request_parts(head: &mut Parts, admin: &Admin) -> Result<Self, Refused> {
        let part = Path::<String>::from_request_parts(head, admin).await;
        let part = part.map_err(|_| refused("the path is not UTF-8"))?;
        Ok(Self(part.0))
    }
}
