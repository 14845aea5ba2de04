//! Accepts connections and serves their requests. HTTP/1.1, HTTP/2 and TLS share one port. The
//! server distinguishes them by the first bytes of a connection.

mod bind;
mod control_frames;
mod filtered;
mod opening;

pub use bind::{BindError, bind};

use super::connection::{Client, DropReason, InFlight};
use super::metrics::Metrics;
use super::slow_reader;
use super::tls::TlsIdentity;
use crate::engine::tasks::Tasks;
use crate::limits::{self, Limit, Limits};
use crate::world::{RealDeadline, descriptor_limit};
use bytes::Bytes;
use control_frames::ControlFrames;
use filtered::Filtered;
use hyper::body::{Body, Incoming};
use hyper::rt::Executor;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use opening::Version;
use std::error::Error;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// The first byte of a TLS handshake. No HTTP request begins with this byte.
const TLS_HANDSHAKE: u8 = 0x16;

type BoxError = Box<dyn Error + Send + Sync>;

/// Answers the requests of all connections. If the future of an answer fails, the connection is
/// closed without an answer.
pub trait Service: Clone + Send + Sync + 'static {
    /// The body of an answer.
    type Body: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static;
    /// The reason why a request gets no answer.
    type Error: Into<BoxError> + 'static;
    /// The future that yields the answer to a request.
    type Answer: Future<Output = Result<Response<Self::Body>, Self::Error>> + Send + 'static;

    /// Answers one request from `client`.
    fn answer(&self, request: Request<Incoming>, client: Client) -> Self::Answer;
}

impl<S, F, B, E> Service for S
where
    S: Fn(Request<Incoming>, Client) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Response<B>, E>> + Send + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    E: Into<BoxError> + 'static,
{
    type Body = B;
    type Error = E;
    type Answer = F;

    fn answer(&self, request: Request<Incoming>, client: Client) -> F {
        self(request, client)
    }
}

/// The maximum number of connections, and the timeouts of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Connections {
    most: usize,
    first_byte: Duration,
    handshake: Duration,
    head: Option<Duration>,
    unread_answer: Option<Duration>,
}

impl Connections {
    /// Reads the maximum number of connections, and the timeouts of a connection, from `limits`.
    /// Each connection needs one open file. Therefore the system's limit of open files bounds the
    /// number of connections, too. `reserved` is the number of open files that the store needs.
    pub fn of(limits: &Limits, reserved: u64) -> Self {
        let configured = limits.connections.unwrap_or(u64::MAX);
        let permitted = permitted_connections(descriptor_limit(), reserved);
        if limits.connections.is_some() && permitted < configured {
            tracing::info!(
                connections = permitted,
                "the limit of open files permits fewer connections than --limit connections: \
                 raise it with ulimit -n"
            );
        }
        let most = usize::try_from(configured.min(permitted)).ok();
        let time = |limit: Limit| limit.map_or(limits::FOR_EVER, Duration::from_secs);
        Self {
            most: most.unwrap_or(usize::MAX),
            first_byte: time(limits.first_byte_seconds),
            handshake: time(limits.handshake_seconds),
            head: limits.head_seconds.map(Duration::from_secs),
            unread_answer: limits.unread_answer_seconds.map(Duration::from_secs),
        }
    }
}

/// Number of connections for which `limit`, the system's limit of open files, suffices. The
/// `reserved` files of the store count as at most three quarters of the limit. At least one
/// connection is permitted.
fn permitted_connections(limit: Option<u64>, reserved: u64) -> u64 {
    limit.map_or(u64::MAX, |limit| {
        let reserved = reserved.min(limit - limit / 4);
        (limit - reserved).max(1)
    })
}

/// The settings that all connections of a server share.
#[derive(Debug)]
pub struct Settings {
    /// The maximum number of connections, and the timeouts of a connection. Above the maximum, a
    /// client has to wait until another connection closes.
    pub connections: Connections,
    /// The metrics that count connections.
    pub metrics: Arc<Metrics>,
    /// The certificate and key of the server.
    pub tls: Arc<TlsIdentity>,
    /// The signal to stop. The server stops when this value becomes true or its sender is dropped.
    pub stop: watch::Receiver<bool>,
}

/// Serves requests on `listeners` until `settings.stop` signals the stop. After the stop, requests
/// in flight have up to five seconds to finish. The remaining connections are then dropped.
///
/// `tasks` must be empty. Every listener and every connection runs as a task in `tasks`. All tasks
/// have ended on return.
pub async fn serve(
    listeners: Vec<TcpListener>,
    settings: Settings,
    service: impl Service,
    tasks: &Tasks,
) {
    let mut stop = settings.stop.clone();
    let most = settings.connections.most.min(Semaphore::MAX_PERMITS);
    let shared = Arc::new(Shared {
        permits: Arc::new(Semaphore::new(most)),
        times: settings.connections,
        metrics: settings.metrics,
        tls: settings.tls,
    });
    for listener in listeners {
        let acceptor = Acceptor {
            listener,
            shared: shared.clone(),
            stop: settings.stop.clone(),
            service: service.clone(),
            tasks: tasks.clone(),
        };
        tasks.spawn("accept", acceptor.run());
    }
    stopped(&mut stop).await;
    let left = tasks.close_and_join(limits::DRAIN_LIMIT).await;
    if left > 0 {
        tracing::warn!(
            connections = left,
            "closed connections that were still in use"
        );
    }
}

/// The state that all listeners and connections of a server share.
struct Shared {
    permits: Arc<Semaphore>,
    times: Connections,
    metrics: Arc<Metrics>,
    tls: Arc<TlsIdentity>,
}

/// Accepts the connections of one listening socket.
struct Acceptor<S> {
    listener: TcpListener,
    shared: Arc<Shared>,
    stop: watch::Receiver<bool>,
    service: S,
    tasks: Tasks,
}

impl<S: Service> Acceptor<S> {
    /// Accepts connections and spawns their tasks until the server stops.
    async fn run(mut self) {
        loop {
            let accepted = select! {
                biased;
                () = stopped(&mut self.stop) => return,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let Some(permit) = self.permit().await else {
                        return;
                    };
                    self.spawn(stream, peer, permit);
                }
                Err(error) if is_the_clients_fault(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot accept connections for the moment");
                    let pause = RealDeadline::lasting(limits::ACCEPT_PAUSE);
                    let _stopped = pause.with(stopped(&mut self.stop)).await;
                }
            }
        }
    }

    /// Waits for a permit for a connection that was just accepted. Returns None if the server stops
    /// first. A permit is acquired only after the accept. Otherwise an acceptor without clients
    /// would hold a permit that another acceptor needs.
    async fn permit(&mut self) -> Option<OwnedSemaphorePermit> {
        if self.shared.permits.available_permits() == 0 {
            tracing::warn!("all connections are in use: new ones wait until one closes");
        }
        select! {
            biased;
            () = stopped(&mut self.stop) => None,
            permit = self.shared.permits.clone().acquire_owned() => permit.ok(),
        }
    }

    fn spawn(&self, stream: TcpStream, peer: SocketAddr, permit: OwnedSemaphorePermit) {
        let (shared, stop, service) =
            (self.shared.clone(), self.stop.clone(), self.service.clone());
        self.tasks.spawn("connection", async move {
            let _permit = permit;
            let _open = shared.metrics.clone().connected();
            if let Err(error) = connection(stream, peer, &shared, stop, service).await {
                tracing::debug!(%peer, error, "a connection ended early");
            }
        });
    }
}

/// Serves one accepted connection until it closes, with TLS if the client begins with TLS.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    shared: &Shared,
    mut stop: watch::Receiver<bool>,
    service: impl Service,
) -> Result<(), BoxError> {
    // A client that connects over IPv4 to an IPv6 socket has a mapped address such as
    // `::ffff:127.0.0.1`. The canonical form of the address shows whether the client is local.
    let address = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    // Without TCP_NODELAY, small answers and heartbeats would wait up to 40 ms for the client's
    // acknowledgement of earlier bytes.
    stream.set_nodelay(true)?;
    let mut first = [0];
    let read = select! {
        biased;
        read = in_time(shared.times.first_byte, stream.peek(&mut first)) => read?,
        () = stopped(&mut stop) => return Ok(()),
    };
    if read == 0 {
        return Ok(());
    }
    let over_tls = first[0] == TLS_HANDSHAKE;
    let client = Client { address, over_tls };
    if !over_tls {
        return serve_requests(stream, client, shared, stop, service).await;
    }
    // Box this future, so that the state of TLS does not enlarge the future of a connection without
    // TLS.
    Box::pin(async move {
        let stream = in_time(shared.times.handshake, shared.tls.accept(stream)).await?;
        serve_requests(stream, client, shared, stop, service).await
    })
    .await
}

/// Serves the requests of one connection until it closes. After the server's stop, no further
/// request is accepted.
async fn serve_requests<I>(
    mut io: I,
    client: Client,
    shared: &Shared,
    mut stop: watch::Receiver<bool>,
    service: impl Service,
) -> Result<(), BoxError>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let opened = select! {
        biased;
        opened = in_time(shared.times.first_byte, opening::read(&mut io)) => opened?,
        () = stopped(&mut stop) => return Ok(()),
    };
    let Some((version, first)) = opened else {
        return Ok(());
    };
    let io = Filtered { io, filter: first };
    let service = service_fn(move |request| service.answer(request, client));
    let times = shared.times;
    let served = match version {
        Version::Http1 => {
            let connection = InFlight::new(times.unread_answer, times.head);
            let serving = http1().serve_connection(TokioIo::new(io), service);
            slow_reader::watch_connection(pin!(until_stopped(serving, stop)), connection).await
        }
        Version::Http2 => {
            let connection = InFlight::new(times.unread_answer, None);
            let filter = ControlFrames::new();
            let io = TokioIo::new(Filtered { io, filter });
            let serving = http2(&connection, shared).serve_connection(io, service);
            let serving = Box::pin(until_stopped(serving, stop));
            slow_reader::watch_connection(serving, connection).await
        }
    };
    ended(served, &shared.metrics)
}

/// Converts the reason for the end of a connection to a result. Counts a connection that was
/// dropped because its client did not read.
fn ended(
    served: Result<Result<(), hyper::Error>, DropReason>,
    metrics: &Metrics,
) -> Result<(), BoxError> {
    match served {
        Ok(ended) => Ok(ended?),
        Err(DropReason::Unread) => {
            metrics.unread();
            Err("its client did not read".into())
        }
        Err(DropReason::Idle) => Err("its client sent no further request".into()),
    }
}

/// Spawns a task for each stream of an HTTP/2 connection. Such a task ends at the latest when the
/// connection ends.
#[derive(Clone)]
struct Streams {
    connection: Arc<InFlight>,
    metrics: Arc<Metrics>,
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, future: F) {
        let answering = slow_reader::watch_stream(Box::pin(future), self.connection.clone());
        let metrics = self.metrics.clone();
        Tasks::spawn_part("HTTP/2 stream", async move {
            // The end of this task drops hyper's future of the HTTP/2 stream. hyper then resets the
            // stream.
            if answering.await.is_err() {
                metrics.unread();
            }
        });
    }
}

/// hyper's settings for HTTP/1.1. hyper's own timer for request heads is off. hyper would set it
/// for every request, which costs an allocation, two locks and another iteration of its loop.
/// Instead, `slow_reader.rs` closes connections that send no request.
fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .header_read_timeout(None)
        .max_buf_size(limits::HTTP1_BUFFER_BYTES);
    builder
}

fn http2(connection: &Arc<InFlight>, shared: &Shared) -> http2::Builder<Streams> {
    let streams = Streams {
        connection: connection.clone(),
        metrics: shared.metrics.clone(),
    };
    let mut builder = http2::Builder::new(streams);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::HTTP2_STREAMS)
        .initial_stream_window_size(limits::HTTP2_STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::HTTP2_CONNECTION_WINDOW_BYTES)
        .max_header_list_size(limits::HTTP2_HEADER_LIST_BYTES)
        .max_send_buf_size(limits::HTTP2_SEND_BUFFER_BYTES)
        .max_pending_accept_reset_streams(limits::HTTP2_PENDING_RESETS)
        .max_local_error_reset_streams(limits::HTTP2_LOCAL_RESETS)
        .keep_alive_interval(limits::HTTP2_PING_INTERVAL)
        .keep_alive_timeout(limits::HTTP2_PING_TIMEOUT);
    builder
}

/// Serves a connection until it closes. After the server's stop, only finishes the requests that
/// are in progress, and accepts no further request on the connection.
async fn until_stopped<C: GracefulConnection>(
    serving: C,
    mut stop: watch::Receiver<bool>,
) -> Result<(), C::Error> {
    let mut serving = pin!(serving);
    select! {
        biased;
        ended = serving.as_mut() => return ended,
        () = stopped(&mut stop) => serving.as_mut().graceful_shutdown(),
    }
    serving.await
}

/// Waits for `work`, and fails after `time`. The time limit is needed because the client determines
/// the duration of the work.
async fn in_time<T>(time: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let done = RealDeadline::lasting(time).with(work).await;
    done.unwrap_or_else(|| Err(ErrorKind::TimedOut.into()))
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A dropped sender counts as a stop, because no other sender could stop the server.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn is_the_clients_fault(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}

#[cfg(feature = "tls")]
#[cfg(test)]
mod tests;
