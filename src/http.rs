//! HTTP: the service's one path, and our own under `/_minikin/`.

pub mod admin;
mod body;
mod credentials;
mod request_body;
mod dispatch;
pub mod listen;
pub mod metrics;
mod reply;
mod signature;
pub mod tls;
mod slow_reader;
mod connection;

pub use body::{Body, Incoming};
pub use hyper::{Request, Response};

use crate::engine::{Engine, tasks};
use crate::limits;
use crate::model::{AccountRegion, Identities};
use crate::options::{Authentication, Credential};
use crate::world::{RealDeadline, Stopwatch};
use axum::Router;
use bytes::Bytes;
use credentials::Scopes;
use request_body::Gathered;
use http_body_util::{BodyExt as _, Limited};
use hyper::StatusCode;
use hyper::http::request::Parts;
use listen::Client;
use metrics::{Metrics, Outcome};
use reply::Reply;
use signature::Verifier;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tower::ServiceExt as _;
use connection::InProgress;

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
    metrics: Arc<Metrics>,
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
    pub scope: AccountRegion,
}

impl Server {
    /// A server for `engine` that is entered by `entrance`.
    pub fn new(
        engine: Arc<Engine>,
        entrance: Entrance,
        own: Router,
        metrics: Arc<Metrics>,
    ) -> Self {
        let authentication = entrance.authentication;
        Self {
            engine,
            authentication,
            verifier: (authentication == Authentication::Verify)
                .then(|| Verifier::new(entrance.credentials)),
            scopes: Scopes::new(entrance.scope),
            identities: entrance.identities,
            own,
            metrics,
        }
    }

    /// Answers a request, off a connection or made up by a test. A request that is cut off has no
    /// answer.
    ///
    /// # Errors
    /// When the request's body ends before its end.
    pub async fn answer<B: Incoming>(
        self: Arc<Self>,
        request: Request<B>,
        client: Client,
    ) -> Result<Response<Body>, B::Error> {
        let in_progress = InProgress::begin(slow_reader::connection());
        if request.uri().path().starts_with(OWN_PATHS) {
            return Ok(self.answer_own(request, client.address).await);
        }
        let watch = Stopwatch::start();
        let (head, body) = request.into_parts();
        let (reply, received) =
            match request_body::gather(&head, body, &self.engine, in_progress.is_first()).await {
                Ok(Gathered::Whole(body, share)) => {
                    let answer = caught(dispatch::answer(&self, &head, &body, client)).await;
                    let reply = answer.unwrap_or_else(|panic| Reply::panicked(&head, panic));
                    (reply.holding_at_least(share), body.len())
                }
                Ok(Gathered::Refused(error)) => (Reply::unread(&head, error), 0),
                Ok(Gathered::TooLarge) => {
                    self.count_unread(&head, Outcome::Refused, watch);
                    return Ok(reply::too_large());
                }
                Err(error) => {
                    self.count_unread(&head, Outcome::CutOff, watch);
                    return Err(error);
                }
            };
        let took = watch.elapsed();
        let (operation, outcome, sent) = reply.outcome();
        self.metrics
            .count(operation, outcome, (received, sent), took);
        Ok(reply.into_response(head, client.address, took, &self.engine.world.random))
    }

    /// Answers a request from within this process.
    ///
    /// # Errors
    /// When the request's body ends before its end.
    pub async fn answer_here<B: Incoming>(
        self: Arc<Self>,
        request: Request<B>,
    ) -> Result<Response<Body>, B::Error> {
        let here = Client {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            over_tls: false,
        };
        slow_reader::unattended(self.answer(request, here)).await
    }

    /// Counts a request whose body was not looked at.
    fn count_unread(&self, head: &Parts, outcome: Outcome, watch: Stopwatch) {
        let operation = dispatch::named(head);
        self.metrics
            .count(operation, outcome, (0, 0), watch.elapsed());
    }

    /// Answers on our own paths. They are small on both ways and need no room: whoever asks how
    /// the server is gets an answer above all when there is none.
    async fn answer_own<B: Incoming>(
        &self,
        request: Request<B>,
        peer: SocketAddr,
    ) -> Response<Body> {
        let (head, body) = request.into_parts();
        let body = match self.gather_own(body).await {
            Ok(body) => axum::body::Body::from(body),
            Err(status) => return bare(status),
        };
        let mut request = Request::from_parts(head, body);
        request.extensions_mut().insert(admin::Peer(peer));
        let answering = async {
            let Ok(response) = self.own.clone().oneshot(request).await;
            let (head, body) = response.into_parts();
            (head, body.collect().await)
        };
        match caught(answering).await {
            Ok((head, Ok(body))) => {
                let body = connection::held(body.to_bytes().into(), None, slow_reader::connection());
                Response::from_parts(head, Body::whole(body))
            }
            Ok((_, Err(_))) => bare(StatusCode::INTERNAL_SERVER_ERROR),
            Err(panic) => {
                tracing::error!(panic, "a request to our own paths panicked");
                bare(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    async fn gather_own<B: Incoming>(&self, body: B) -> Result<Bytes, StatusCode> {
        let seconds = self.engine.limits.body_stall_seconds;
        let time = seconds.map_or(limits::FOR_EVER, Duration::from_secs);
        let gathering = Limited::new(body, limits::OWN_BODY_BYTES).collect();
        let gathered = RealDeadline::lasting(time).with(gathering).await;
        let gathered = gathered.ok_or(StatusCode::REQUEST_TIMEOUT)?;
        let whole = gathered.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
        Ok(whole.to_bytes())
    }
}

fn bare(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::without_length());
    *response.status_mut() = status;
    response
}

/// Runs a request's work; a panic in it is a bug of ours and ends this request only.
async fn caught<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let mut work = std::pin::pin!(work);
    std::future::poll_fn(|context| {
        let polled = tasks::caught(|| work.as_mut().poll(context));
        match polled {
            Ok(Poll::Ready(done)) => Poll::Ready(Ok(done)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await
}
