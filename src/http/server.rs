//! Routes each request to the Kinesis API, the Lambda API or minikin's own paths. A request comes
//! over a connection or from within the process.

use super::access::{Access, AccessSettings};
use super::admin;
use super::body::{Body, Incoming};
use super::connection::{Client, InFlightRequest, counted};
use super::dispatch::{self, Dispatcher};
use super::drained_body::DrainedBody;
use super::lambda::{LambdaApi, is_lambda_path};
use super::metrics::{Metrics, Outcome};
use super::origin::{AllowedOrigins, FromPage};
use super::pause::pause_for;
use super::reply::{self, Reply};
use super::request_body::{BodyOutcome, Bounds};
use super::slow_reader;
use super::target::Target;
use crate::admission::BudgetPermit;
use crate::engine::{Engine, tasks};
use crate::world::Stopwatch;
use axum::Router;
use http_body_util::BodyExt as _;
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::task::Poll;
use tower::ServiceExt as _;

/// The prefix of minikin's own paths. The only own paths without the prefix are the paths of other
/// tools' health checks.
const OWN_PATHS: &str = "/_minikin/";
/// Path of the console without its final slash. A request for this path is redirected to the
/// console.
const CONSOLE: &str = "/_minikin";

/// Answers the requests to the Kinesis API, the Lambda API and minikin's own paths.
#[derive(Debug)]
pub struct Server {
    engine: Arc<Engine>,
    dispatcher: Dispatcher,
    lambda: LambdaApi,
    bounds: Bounds,
    origins: AllowedOrigins,
    own: Router,
    metrics: Arc<Metrics>,
}

/// The reason why a request gets no answer.
#[derive(Debug)]
pub enum NoAnswer<E> {
    /// The client aborted the request before the end of the body.
    Body(E),
    /// A fault rule closes the connection without an answer.
    Fault,
}

impl<E: fmt::Display> fmt::Display for NoAnswer<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(error) => error.fmt(f),
            Self::Fault => f.write_str("a fault rule closes the connection without an answer"),
        }
    }
}

impl<E: std::error::Error> std::error::Error for NoAnswer<E> {}

impl Server {
    /// Makes a server for the streams of `engine`. `own` routes the requests to minikin's own
    /// paths.
    pub fn new(
        engine: Arc<Engine>,
        access: AccessSettings,
        own: Router,
        metrics: Arc<Metrics>,
    ) -> Self {
        let allowed_origins = access.allowed_origins.clone();
        let access = Arc::new(Access::new(access));
        Self {
            origins: AllowedOrigins::new(allowed_origins),
            dispatcher: Dispatcher::new(engine.clone(), access.clone()),
            lambda: LambdaApi::new(engine.clone(), access),
            bounds: Bounds::new(engine.admission.clone(), &engine.limits),
            engine,
            own,
            metrics,
        }
    }

    /// Answers a request from `client`.
    ///
    /// # Errors
    /// The request gets no answer, and the caller must close the connection.
    pub async fn answer<B: Incoming>(
        self: Arc<Self>,
        request: Request<B>,
        client: Client,
    ) -> Result<Response<Body>, NoAnswer<B::Error>> {
        let in_flight = InFlightRequest::begin(slow_reader::connection());
        let path = request.uri().path();
        let is_read = request.method() != Method::POST;
        if path.starts_with(OWN_PATHS)
            || is_read && (path == CONSOLE || admin::is_health_of_other_tools(path))
        {
            let source = admin::Source {
                address: client.address,
                is_only_one: in_flight.is_only_one(),
            };
            return Ok(self.answer_own(request, source).await);
        }
        let only = in_flight.is_only_one();
        if is_lambda_path(path) {
            let answer = self.answer_lambda(request, client, only).await;
            return answer.map_err(NoAnswer::Body);
        }
        let watch = Stopwatch::start();
        let (head, body) = request.into_parts();
        let from_page = self.origins.judge(&head);
        let (reply, received, sample) = match self.bounds.receive(&head, body, only).await {
            Ok(BodyOutcome::Whole(body, permit)) => {
                let request = dispatch::ReceivedRequest {
                    head: &head,
                    body: &body,
                    client,
                    from_page,
                };
                let reply = self.dispatch(request).await;
                let sample = self.metrics.recent.sample(&body, reply.has_failed());
                (reply.holding_at_least(permit), body.len(), sample)
            }
            Ok(BodyOutcome::Refused(error)) => (Reply::body_not_received(&head, error), 0, None),
            Ok(BodyOutcome::TooLarge { bytes }) => {
                reply::log_too_large(&head, bytes, self.bounds.bytes());
                self.count_body_not_received(&head, Outcome::Refused, watch);
                return Ok(reply::too_large());
            }
            Err(error) => {
                self.count_body_not_received(&head, Outcome::CutOff, watch);
                return Err(NoAnswer::Body(error));
            }
        };
        let took = watch.elapsed();
        let (operation, outcome, sent) = reply.outcome();
        self.metrics
            .count(operation, outcome, (received, sent), took);
        if let Some(sample) = sample {
            let now = self.engine.world.clock.now();
            let result = reply.problem();
            let name = reply.operation_name(&head);
            self.metrics.recent.add(now, name, result, took, sample);
        }
        if reply.closes_connection() {
            return Err(NoAnswer::Fault);
        }
        pause_for(&head, received, &self.engine.limits).await;
        let source = (client.address, from_page);
        Ok(reply.into_response(head, source, took, &self.engine.world.random))
    }

    /// Answers a request to Lambda's API.
    async fn answer_lambda<B: Incoming>(
        &self,
        request: Request<B>,
        client: Client,
        only: bool,
    ) -> Result<Response<Body>, B::Error> {
        let (head, body) = request.into_parts();
        if self.origins.judge(&head) == FromPage::Refused {
            return Ok(reply::bare(StatusCode::FORBIDDEN));
        }
        Ok(match self.bounds.receive(&head, body, only).await? {
            BodyOutcome::Whole(body, _permit) => {
                let answering = self.lambda.answer(&head, &body, client);
                caught(answering).await.unwrap_or_else(|panic| {
                    tracing::error!(panic, "a request to Lambda's API panicked");
                    reply::bare(StatusCode::INTERNAL_SERVER_ERROR)
                })
            }
            BodyOutcome::Refused(error) => self.lambda.refuse(&head, &error),
            BodyOutcome::TooLarge { .. } => reply::too_large(),
        })
    }

    /// Answers a request that comes from within this process and has no connection.
    ///
    /// # Errors
    /// The body of the request fails, or a fault rule drops the answer.
    pub async fn answer_here<B: Incoming>(
        self: Arc<Self>,
        request: Request<B>,
    ) -> Result<Response<Body>, NoAnswer<B::Error>> {
        let here = Client {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            over_tls: false,
        };
        slow_reader::unwatched(self.answer(request, here)).await
    }

    async fn dispatch(&self, request: dispatch::ReceivedRequest<'_>) -> Reply {
        let answer = caught(self.dispatcher.answer(request)).await;
        answer.unwrap_or_else(|panic| Reply::panicked(request.head, panic))
    }

    /// Counts a request whose body was not received in full.
    fn count_body_not_received(&self, head: &Parts, outcome: Outcome, watch: Stopwatch) {
        let operation = Target::of(head).entry();
        self.metrics
            .count(operation, outcome, (0, 0), watch.elapsed());
    }

    /// Answers a request to minikin's own paths. A request needs a permit of the in-flight budget
    /// if another request is in flight on its connection. A request that is alone on its connection
    /// needs no permit. Clients can therefore read the metrics and the health checks even if the
    /// budget is exhausted. The maximum number of connections bounds the number of requests without
    /// a permit.
    async fn answer_own<B: Incoming>(
        &self,
        request: Request<B>,
        source: admin::Source,
    ) -> Response<Body> {
        let (mut head, body) = request.into_parts();
        head.extensions.insert(source);
        let body = DrainedBody::new(body, &head.headers);
        let permit = match source.is_only_one {
            true => None,
            false => match self.engine.admission.request(false).await {
                Ok(permit) => Some(permit),
                Err(_) => {
                    let text = "too many requests are in flight";
                    let refusal = admin::problem(StatusCode::SERVICE_UNAVAILABLE, text);
                    return own_answer(refusal, None).await;
                }
            },
        };
        let request = Request::from_parts(head, axum::body::Body::new(body));
        let answering = async {
            let Ok(response) = self.own.clone().oneshot(request).await;
            own_answer(response, permit).await
        };
        match caught(answering).await {
            Ok(response) => response,
            Err(panic) => {
                tracing::error!(panic, "a request to our own paths panicked");
                let text = "an error of minikin: see its log";
                let failure = admin::problem(StatusCode::INTERNAL_SERVER_ERROR, text);
                own_answer(failure, None).await
            }
        }
    }
}

/// Converts a response of the router for minikin's own paths. Collects its body in memory, or
/// streams the body if the response is marked as [`admin::Streamed`].
async fn own_answer(
    response: axum::response::Response,
    mut permit: Option<BudgetPermit>,
) -> Response<Body> {
    let (head, body) = response.into_parts();
    if head.extensions.get::<admin::Streamed>().is_some() {
        return Response::from_parts(head, Body::routed(body));
    }
    let Ok(body) = body.collect().await else {
        return reply::bare(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let bytes = body.to_bytes();
    if let Some(permit) = &mut permit {
        permit.exchange_for(bytes.len() as u64);
    }
    let connection = slow_reader::connection();
    let body = Body::whole(counted(bytes.into(), permit, connection));
    Response::from_parts(head, body)
}

/// Runs `work`, which handles one request. Returns the message of the panic if `work` panics. A
/// panic is a bug in minikin, and ends only the one request.
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
