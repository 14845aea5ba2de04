//! The answer with a page of records. The in-flight budget covers the page until the client has
//! read the answer.

use super::state::{Admin, Refused, Streamed};
use crate::admission::BudgetPermit;
use crate::http::body::{self, FrameWithPermit, Frames};
use crate::limits;
use axum::Extension;
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// Takes bytes of the in-flight budget for a page of records, before the records are read.
///
/// # Errors
/// Refuses the request if the bytes are not free in time.
pub(super) async fn permit(admin: &Admin) -> Result<BudgetPermit, Refused> {
    let permit = admin.engine.admission.answer_to_read(limits::LISTING_BYTES);
    permit.await.map_err(|_| {
        let text = "too many bytes of requests and answers are in memory; try again";
        Refused::new(StatusCode::SERVICE_UNAVAILABLE, text)
    })
}

/// Makes the answer with a page of records. Each of `records` is the JSON text of a record. `next`
/// is the token for the next page, or None if no page follows. The token needs no escapes in JSON.
pub(super) fn answer(
    admin: &Admin,
    records: &[String],
    next: Option<&str>,
    mut permit: BudgetPermit,
) -> Response {
    let next = next.map_or_else(String::new, |next| format!(r#","Next":"{next}""#));
    let text = format!(r#"{{"Records":[{}]{next}}}"#, records.join(","));
    permit.correct(text.len() as u64);
    let page = Page {
        frame: Some((text.into_bytes(), Some(permit))),
        unread_limit: admin.engine.limits.unread_event_seconds,
    };
    let headers = [(header::CONTENT_TYPE, "application/json")];
    let body = Body::new(body::Body::frames(page));
    (Extension(Streamed), headers, body).into_response()
}

/// The body of the answer. The page is its only frame.
struct Page {
    frame: Option<FrameWithPermit>,
    unread_limit: Option<u64>,
}

impl Frames for Page {
    fn unread_limit(&self) -> Option<Duration> {
        self.unread_limit.map(Duration::from_secs)
    }

    fn reader(&self) -> String {
        "a reader of a list of records".to_owned()
    }

    async fn next(&mut self) -> Option<Result<FrameWithPermit, axum::Error>> {
        self.frame.take().map(Ok)
    }
}
