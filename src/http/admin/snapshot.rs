//! `GET snapshot` answers with a snapshot of the emulator's contents. `PUT snapshot` loads a
//! snapshot.

use super::access::Permitted;
use super::query::Query;
use super::state::{Admin, Refused, Streamed};
use crate::engine::snapshot::{Loading, Saving, SnapshotError};
use crate::http::body::{self, FrameWithPermit, Frames};
use crate::limits;
use crate::world::RealDeadline;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use std::time::Duration;

/// Content type of a snapshot.
const ZSTD: &str = "application/zstd";

/// Answers with a snapshot of all contents of the emulator. The snapshot is produced while the
/// client reads it.
pub(super) async fn save(
    State(admin): State<Admin>,
    _permitted: Permitted,
    query: Query,
) -> Result<Response, Refused> {
    query.end()?;
    let saving = Saving::begin(&admin.engine).map_err(|error| refusal(&error))?;
    let body = Body::new(body::Body::frames(Parts(saving)));
    let headers = [(header::CONTENT_TYPE, ZSTD)];
    Ok((Extension(Streamed), headers, body).into_response())
}

/// Produces a snapshot as frames of a response body.
struct Parts(Saving);

impl Frames for Parts {
    fn unread_limit(&self) -> Option<Duration> {
        self.0.unread_limit()
    }

    fn reader(&self) -> String {
        "a reader of a snapshot".to_owned()
    }

    async fn next(&mut self) -> Option<Result<FrameWithPermit, axum::Error>> {
        match self.0.next().await {
            Ok(None) => None,
            Ok(Some(part)) => {
                let admission = self.0.admission();
                let permit = admission.event(part.len() as u64).await;
                Some(Ok((part, Some(permit))))
            }
            Err(error @ SnapshotError::Removed(_)) => {
                tracing::warn!("a snapshot that is being saved ends early: {error}");
                Some(Err(axum::Error::new(error)))
            }
            Err(error) => {
                tracing::error!(%error, "a snapshot cannot be saved");
                Some(Err(axum::Error::new(error)))
            }
        }
    }
}

/// Loads the snapshot in the body of the request while the body arrives. The snapshot replaces all
/// contents of the emulator.
pub(super) async fn load(
    State(admin): State<Admin>,
    _permitted: Permitted,
    query: Query,
    request: Request,
) -> Result<Response, Refused> {
    query.end()?;
    let mut body = ArrivingBody {
        body: request.into_body(),
        stall: stall(&admin),
    };
    let loading = read(&admin, &mut body).await?;
    let _permit = admin.definitions.replacement().await;
    loading.end().await.map_err(|error| refusal(&error))?;
    // A load removes the event source mappings that this emulator's options define. Create these
    // mappings again, in addition to the mappings of the snapshot.
    if let Err(problem) = admin.definitions.create_mappings(&admin.engine) {
        tracing::warn!("after the load of a snapshot: {problem}");
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Reads the whole body. The returned load has changed nothing so far.
async fn read(admin: &Admin, body: &mut ArrivingBody) -> Result<Loading, Refused> {
    let refused = |error: SnapshotError| refusal(&error);
    let mut loading = Loading::begin(&admin.engine).map_err(refused)?;
    while let Some(part) = body.next().await? {
        loading.push(&part).await.map_err(refused)?;
    }
    Ok(loading)
}

/// Longest time to wait for further bytes of a snapshot in a request's body.
fn stall(admin: &Admin) -> Duration {
    let seconds = admin.engine.limits.body_stall_seconds;
    seconds.map_or(limits::FOR_EVER, Duration::from_secs)
}

/// A request body that is processed while it arrives.
struct ArrivingBody {
    body: Body,
    stall: Duration,
}

impl ArrivingBody {
    /// Waits for the next bytes of the body. Returns None at the end of the body.
    async fn next(&mut self) -> Result<Option<bytes::Bytes>, Refused> {
        loop {
            let frame = RealDeadline::lasting(self.stall).with(self.body.frame());
            let text = match frame.await {
                Some(None) => return Ok(None),
                Some(Some(Ok(frame))) => match frame.into_data() {
                    Ok(bytes) => return Ok(Some(bytes)),
                    // Ignore the trailers of the request.
                    Err(_) => continue,
                },
                Some(Some(Err(_))) => "the body is cut off",
                None => "the body did not arrive in time",
            };
            return Err(Refused::new(StatusCode::BAD_REQUEST, text));
        }
    }
}

fn refusal(error: &SnapshotError) -> Refused {
    let status = match error {
        SnapshotError::Busy(_) | SnapshotError::Removed(_) => StatusCode::CONFLICT,
        SnapshotError::Refused(_) => StatusCode::BAD_REQUEST,
        SnapshotError::Store(_) | SnapshotError::Io(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    Refused::new(status, &error.to_string())
}
