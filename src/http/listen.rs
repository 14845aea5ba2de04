//! One accept loop for an address. HTTP/1.1, HTTP/2 and TLS are told apart by their first bytes.

mod bind;

pub use bind::{BindError, bind};

use super::tls::TlsIdentity;
use super::unread;
use crate::engine::tasks::Tasks;
use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::rt::{Executor, Read, Write};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::error::Error;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// A connection that never sends anything would hold its permit for ever.
const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(60);
/// A client that began a handshake finishes it, even on a slow machine.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Also the time a connection may be idle: pools use one again after 60 to 90 s, and closing it
/// in that moment would look like a reset.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(180);
/// A worker holds one stream for each shard for five minutes, and opens another connection when
/// there are no more.
const MAX_CONCURRENT_STREAMS: u32 = 1024;
/// One large PutRecords is sent without waiting for the window.
const STREAM_WINDOW_BYTES: u32 = 4 << 20;
/// Shared by all the PutRecords in flight on one connection.
const CONNECTION_WINDOW_BYTES: u32 = 16 << 20;
/// Session tokens are large.
const MAX_HEADER_LIST_BYTES: u32 = 32 << 10;
/// What one slow subscriber may hold: hyper stops asking its body for more when this is full.
const MAX_SEND_BUFFER_BYTES: usize = 1 << 20;
/// How often an HTTP/2 peer is asked whether it is still there; finds dead subscribers.
const PING_INTERVAL: Duration = Duration::from_secs(60);
/// How long it may take to answer.
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// How long requests in flight may take to finish after a stop. Containers are killed 10 s after
/// they were asked to stop, and the last commit has to fit in, too.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);
/// How long to leave the machine alone after it refused to accept, for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);
/// The first byte of a TLS handshake record, which no HTTP request starts with.
const TLS_HANDSHAKE: u8 = 0x16;
/// Holds what was read to see that there is something; larger reads go around the buffer.
const FIRST_READ_BYTES: usize = 24;

/// What is shared by all connections, besides the service.
#[derive(Debug)]
pub struct Settings {
    /// How many connections may be open; others wait until one closes.
    pub max_connections: usize,
    /// Who the server is to TLS clients.
    pub tls: Arc<TlsIdentity>,
    /// Becomes true, or loses its sender, when it is time to stop.
    pub stop: watch::Receiver<bool>,
}

/// Whose connection a request comes over.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    /// The address at its other end.
    pub address: SocketAddr,
    /// Whether it is encrypted.
    pub over_tls: bool,
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
            settings.max_connections.min(Semaphore::MAX_PERMITS),
        )),
        tls: settings.tls,
        protocols: protocols(),
    });
    for listener in listeners {
        let (shared, stop, service) = (shared.clone(), settings.stop.clone(), service.clone());
        let accepting = accept(listener, shared, stop, service, tasks.clone());
        tasks.spawn("accept", accepting);
    }
    stopped(&mut stop).await;
    let left = tasks.close_and_join(DRAIN_LIMIT).await;
    if left > 0 {
        tracing::warn!(
            connections = left,
            "closed connections that were still in use"
        );
    }
}

struct Shared {
    permits: Arc<Semaphore>,
    tls: Arc<TlsIdentity>,
    protocols: Builder<Streams>,
}

/// Where hyper runs the streams of an HTTP/2 connection, which end with the connection.
#[derive(Clone, Copy)]
struct Streams;

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, future: F) {
        let answering = unread::watched(Box::pin(future));
        Tasks::spawn_part("HTTP/2 stream", async {
            // One that is dropped is reset.
            let _ = answering.await;
        });
    }
}

fn protocols() -> Builder<Streams> {
    let mut builder = Builder::new(Streams);
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_READ_TIMEOUT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(MAX_HEADER_LIST_BYTES)
        .max_send_buf_size(MAX_SEND_BUFFER_BYTES)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT);
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
                let _ = timeout(ACCEPT_PAUSE, stopped(&mut stop)).await;
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
        read = timeout(FIRST_BYTE_TIMEOUT, stream.peek(&mut first)) => read??,
        () = stopped(&mut stop) => return Ok(()),
    };
    if read == 0 {
        return Ok(());
    }
    let over_tls = first[0] == TLS_HANDSHAKE;
    let service = move |request| service(request, Client { address, over_tls });
    if !over_tls {
        return requests(TokioIo::new(stream), &shared.protocols, stop, service).await;
    }
    // In a box, so that a plain connection does not carry the room for TLS.
    Box::pin(async move {
        let acceptor = TlsAcceptor::from(shared.tls.config()?);
        let stream = timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await??;
        let mut stream = BufReader::with_capacity(FIRST_READ_BYTES, stream);
        let read = select! {
            biased;
            read = timeout(FIRST_BYTE_TIMEOUT, stream.fill_buf()) => read??.len(),
            () = stopped(&mut stop) => 0,
        };
        if read == 0 {
            return Ok(());
        }
        requests(TokioIo::new(stream), &shared.protocols, stop, service).await
    })
    .await
}

/// Serves the requests of one connection. After a stop no further one is taken.
async fn requests<I, S, F, B, E>(
    io: I,
    protocols: &Builder<Streams>,
    mut stop: watch::Receiver<bool>,
    service: S,
) -> Result<(), Box<dyn Error + Send + Sync>>
where
    I: Read + Write + Unpin + Send + 'static,
    S: Fn(Request<Incoming>) -> F + Send + 'static,
    F: Future<Output = Result<Response<B>, E>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    let mut serving = pin!(protocols.serve_connection(io, service_fn(service)));
    let served = pin!(async {
        select! {
            biased;
            ended = serving.as_mut() => return ended,
            () = stopped(&mut stop) => serving.as_mut().graceful_shutdown(),
        }
        serving.as_mut().await
    });
    let served = unread::watched(served).await;
    served.unwrap_or_else(|unread::Dropped| Err("its client did not read".into()))
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
