//! One accept loop for an address. HTTP/1.1, HTTP/2 and TLS are told apart by their first bytes.

mod bind;
mod opening;

pub use bind::{BindError, bind};

use super::connection::{Client, DropReason, InFlight};
use super::metrics::Metrics;
use super::slow_reader;
use super::tls::TlsIdentity;
use crate::engine::tasks::Tasks;
use crate::limits::{self, Limit, Limits};
use crate::world::RealDeadline;
use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::rt::Executor;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use opening::{Opened, Version};
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
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

/// The first byte of a TLS handshake record, which no HTTP request starts with.
const TLS_HANDSHAKE: u8 = 0x16;

/// How many connections there may be, and how long they may do nothing.
#[derive(Debug, Clone, Copy)]
pub struct Connections {
    most: usize,
    first_byte: Duration,
    handshake: Duration,
    head: Option<Duration>,
    unread_answer: Option<Duration>,
}

impl Connections {
    /// What the limits say.
    pub fn of(limits: &Limits) -> Self {
        let most = limits
            .connections
            .and_then(|most| usize::try_from(most).ok());
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

/// What is shared by all connections, besides the service.
#[derive(Debug)]
pub struct Settings {
    /// How many there may be, others wait until one closes; and their times.
    pub connections: Connections,
    /// Where they are counted.
    pub metrics: Arc<Metrics>,
    /// Who the server is to TLS clients.
    pub tls: Arc<TlsIdentity>,
    /// Becomes true, or loses its sender, when it is time to stop.
    pub stop: watch::Receiver<bool>,
}

/// Serves `service` on `listeners` until told to stop, lets requests in flight finish for up to
/// five seconds and drops the rest.
///
/// `tasks` are those of the listeners and their connections only: they are closed in the end.
/// An error of the service closes its connection without an answer.
pub async fn serve<S, F, B, E>(
    listeners: Vec<TcpListener>,
    settings: Settings,
    service: S,
    tasks: &Tasks,
) where
    S: Fn(Request<Incoming>, Client) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Response<B>, E>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    let mut stop = settings.stop.clone();
    let shared = Arc::new(Shared {
        permits: Arc::new(Semaphore::new(
            settings.connections.most.min(Semaphore::MAX_PERMITS),
        )),
        times: settings.connections,
        metrics: settings.metrics,
        tls: settings.tls,
    });
    for listener in listeners {
        let (shared, stop, service) = (shared.clone(), settings.stop.clone(), service.clone());
        let accepting = accept(listener, shared, stop, service, tasks.clone());
        tasks.spawn("accept", accepting);
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

struct Shared {
    permits: Arc<Semaphore>,
    times: Connections,
    metrics: Arc<Metrics>,
    tls: Arc<TlsIdentity>,
}

/// Where hyper runs the streams of an HTTP/2 connection, which end with the connection.
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
            // One that is dropped is reset.
            if answering.await.is_err() {
                metrics.unread();
            }
        });
    }
}

/// HTTP/1, without hyper's own timer for heads: it is made anew for every request, which costs an
/// allocation, two locks and another round of hyper's loop. `slow_reader.rs` looks for connections whose
/// next head does not come.
fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .header_read_timeout(None)
        .max_buf_size(limits::HTTP1_BUFFER_BYTES);
    builder
}

fn http2(streams: Streams) -> http2::Builder<Streams> {
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

/// Accepts on one address until told to stop.
async fn accept<S, F, B, E>(
    listener: TcpListener,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
    service: S,
    tasks: Tasks,
) where
    S: Fn(Request<Incoming>, Client) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Response<B>, E>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    loop {
        let accepted = select! {
            biased;
            () = stopped(&mut stop) => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_the_peers_fault(&error) => continue,
            Err(error) => {
                tracing::error!(%error, "cannot accept connections for the moment");
                let pause = RealDeadline::lasting(limits::ACCEPT_PAUSE);
                let _stopped = pause.with(stopped(&mut stop)).await;
                continue;
            }
        };
        // The permit comes after the connection: a loop that waits for one must not hold one.
        if shared.permits.available_permits() == 0 {
            tracing::warn!("all connections are in use: new ones wait for one to close");
        }
        let permit = select! {
            biased;
            () = stopped(&mut stop) => return,
            permit = shared.permits.clone().acquire_owned() => permit,
        };
        let (shared, stop, service) = (shared.clone(), stop.clone(), service.clone());
        tasks.spawn("connection", async move {
            let _permit = permit;
            let _open = shared.metrics.clone().connected();
            if let Err(error) = connection(stream, peer, &shared, stop, service).await {
                tracing::debug!(%peer, error, "a connection ended early");
            }
        });
    }
}

/// Serves one connection, from its first byte to its end.
async fn connection<S, F, B, E>(
    stream: TcpStream,
    peer: SocketAddr,
    shared: &Shared,
    mut stop: watch::Receiver<bool>,
    service: S,
) -> Result<(), Box<dyn Error + Send + Sync>>
where
    S: Fn(Request<Incoming>, Client) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Response<B>, E>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    // An IPv4 peer of an IPv6 socket is that IPv4 peer: whether it is local shows only so.
    let address = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    // Without this, small answers and heartbeats wait 40 ms for an acknowledgement.
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
    let service = move |request| service(request, Client { address, over_tls });
    if !over_tls {
        return requests(stream, shared, stop, service).await;
    }
    // In a box, so that a plain connection does not carry the room for TLS.
    Box::pin(async move {
        let acceptor = TlsAcceptor::from(shared.tls.config()?);
        let stream = in_time(shared.times.handshake, acceptor.accept(stream)).await?;
        requests(stream, shared, stop, service).await
    })
    .await
}

/// Serves the requests of one connection. After a stop no further one is taken.
async fn requests<I, S, F, B, E>(
    mut io: I,
    shared: &Shared,
    mut stop: watch::Receiver<bool>,
    service: S,
) -> Result<(), Box<dyn Error + Send + Sync>>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Fn(Request<Incoming>) -> F + Send + 'static,
    F: Future<Output = Result<Response<B>, E>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    let begun = select! {
        biased;
        begun = in_time(shared.times.first_byte, opening::read(&mut io)) => begun?,
        () = stopped(&mut stop) => return Ok(()),
    };
    let Some((version, first)) = begun else {
        return Ok(());
    };
    let times = shared.times;
    let io = TokioIo::new(Opened::new(first, io));
    let service = service_fn(service);
    let served = match version {
        Version::Http1 => {
            let connection = InFlight::new(times.unread_answer, times.head);
            let serving = http1().serve_connection(io, service);
            slow_reader::watch_connection(pin!(until_stopped(serving, stop)), connection).await
        }
        Version::Http2 => {
            let connection = InFlight::new(times.unread_answer, None);
            let streams = Streams {
                connection: connection.clone(),
                metrics: shared.metrics.clone(),
            };
            let serving = http2(streams).serve_connection(io, service);
            let serving = Box::pin(until_stopped(serving, stop));
            slow_reader::watch_connection(serving, connection).await
        }
    };
    match served {
        Ok(ended) => Ok(ended?),
        Err(DropReason::Unread) => {
            shared.metrics.unread();
            Err("its client did not read".into())
        }
        Err(DropReason::Idle) => Err("its client asked for nothing more".into()),
    }
}

/// Serves a connection to its end. After a stop the request that was begun is the last.
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

/// What a peer does, unless it takes too long.
async fn in_time<T>(time: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let done = RealDeadline::lasting(time).with(work).await;
    done.unwrap_or_else(|| Err(ErrorKind::TimedOut.into()))
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Without a sender nobody could ever stop us, so that counts as a stop too.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn is_the_peers_fault(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}

#[cfg(test)]
mod tests;
