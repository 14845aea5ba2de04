//! Request bodies on minikin's own paths.
//!
//! The body is read only by handlers that need it, after the check of access, and within the
//! in-flight budget. All other handlers answer without reading the body, so that a client without
//! access cannot make the server store bytes.

use super::state::{Admin, Source, problem};
use crate::admission::BudgetPermit;
use crate::http::request_body::{Bounds, Received};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;

/// The whole body of a request, and its permit of the in-flight budget.
#[derive(Debug)]
pub(super) struct OwnBody {
    pub(super) bytes: Bytes,
    _permit: BudgetPermit,
}

/// The body of a request that writes records. It may be as large as the body of PutRecords.
#[derive(Debug)]
pub(super) struct LargeBody(pub(super) OwnBody);

impl FromRequest<Admin> for OwnBody {
    type Rejection = Response;

    async fn from_request(request: Request, admin: &Admin) -> Result<Self, Response> {
        let engine = &admin.engine;
        let bounds = Bounds::of_own_paths(engine.admission.clone(), &engine.limits);
        receive(request, &bounds).await
    }
}

impl FromRequest<Admin> for LargeBody {
    type Rejection = Response;

    async fn from_request(request: Request, admin: &Admin) -> Result<Self, Response> {
        let engine = &admin.engine;
        let bounds = Bounds::new(engine.admission.clone(), &engine.limits);
        receive(request, &bounds).await.map(Self)
    }
}

async fn receive(request: Request, bounds: &Bounds) -> Result<OwnBody, Response> {
    let (head, body) = request.into_parts();
    let source = head.extensions.get::<Source>();
    let only = source.is_some_and(|source| source.is_only_one);
    match bounds.receive(&head.method, body, only).await {
        Ok(Received::Whole(bytes, _permit)) => Ok(OwnBody { bytes, _permit }),
        Ok(Received::TooLarge { .. }) => Err(problem(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is too large",
        )),
        Ok(Received::Refused(error)) => {
            let status = StatusCode::from_u16(error.kind.status());
            let text = error.message.unwrap_or_default();
            Err(problem(status.expect("ours are in range"), &text))
        }
        Err(_) => Err(problem(StatusCode::BAD_REQUEST, "the body is cut off")),
    }
}
