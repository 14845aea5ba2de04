//! HTTP: the service's one path, and our own under `/_minikin/`.

pub mod admin;
mod body;
mod credentials;
mod kinesis;
pub mod listen;
mod reply;
mod signature;
pub mod tls;
mod unread;

pub use body::Body;

use crate::engine::Engine;
use crate::model::{Identities, Scope};
use crate::options::{Authentication, Credential};
use crate::world::Stopwatch;
use axum::Router;
use bytes::Bytes;
use credentials::Scopes;
use hyper::{Request, Response};
use listen::Client;
use reply::Reply;
use signature::Verifier;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::Poll;
use tower::ServiceExt as _;

/// Everything that is not the service's lives under this path.
pub const OWN_PATHS: &str = "/_minikin/";

/// What answers requests.
#[derive(Debug)]
pub struct Server {
    engine: Arc<Engine>,
    authentication: Authentication,
    /// Where signatures are verified.
    verifier: Option<Verifier>,
    scopes: Scopes,
    /// Who the access keys are, where policies say who may do what.
    identities: Option<Identities>,
    own: Router,
}

/// Who may come in, and as whom.
#[derive(Debug)]
pub struct Entrance {
    /// What of a signature is looked at.
    pub authentication: Authentication,
    /// Who is let in where signatures are verified.
    pub credentials: Vec<Credential>,
    /// Who the access keys are, if policies say who may do what.
    pub identities: Option<Identities>,
    /// What stands where the credentials say nothing.
    pub scope: Scope,
}

impl Server {
    /// A server for `engine` that is entered by `entrance`.
    pub fn new(engine: Arc<Engine>, entrance: Entrance, own: Router) -> Self {
        let authentication = entrance.authentication;
        Self {
            engine,
            authentication,
            verifier: (authentication == Authentication::Verify)
                .then(|| Verifier::new(entrance.credentials)),
            scopes: Scopes::new(entrance.scope),
            identities: entrance.identities,
            own,
        }
    }

    /// Answers a request, off a connection or made up by a test. A request that is cut off has no
    /// answer.
    ///
    /// # Errors
    /// When the request's body ends before its end.
    pub async fn answer<B>(
        self: Arc<Self>,
        request: Request<B>,
        client: Client,
    ) -> Result<Response<Body>, B::Error>
    where
        B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if request.uri().path().starts_with(OWN_PATHS) {
            return Ok(self.answer_own(request, client.address).await);
        }
        let watch = Stopwatch::start();
        let (head, body) = request.into_parts();
        let world = &self.engine.world;
        let reply = match kinesis::gather(&head, body, self.engine.limits.request_bytes).await? {
            Some(body) => {
                let answer = kinesis::answer(&self, &head, &body, client);
                caught(answer)
                    .await
                    .unwrap_or_else(|| Reply::panicked(&head))
            }
            None => return Ok(reply::too_large()),
        };
        Ok(reply.into_response(&head, client.address, watch.elapsed(), &world.random))
    }

    async fn answer_own<B>(&self, request: Request<B>, peer: SocketAddr) -> Response<Body>
    where
        B: hyper::body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(admin::Peer(peer));
        match self.own.clone().oneshot(request).await {
            Ok(response) => response.map(Body::own),
            Err(never) => match never {},
        }
    }
}

/// Runs a request's work; none if it panicked, which is a bug of ours and ends this request only.
async fn caught<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = std::pin::pin!(work);
    std::future::poll_fn(|context| {
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        match polled {
            Ok(Poll::Ready(done)) => Poll::Ready(Some(done)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}
