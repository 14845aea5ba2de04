//! The function of the scenarios with event source mappings: this process serves it, counts its
//! records and answers at once.

use super::Run;
use super::connection::Connection;
use memchr::memmem;
use minikin::internals::world::Stopwatch;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

/// The name by which the server knows the function.
pub(super) const NAME: &str = "load";
/// Stands once in each record of an event.
const RECORD: &[u8] = b"\"eventID\"";
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

/// An invocation of the function.
#[derive(Debug)]
pub(super) struct Invocation {
    /// The time of the function's watch when the whole event was there.
    pub(super) arrived: Duration,
    /// The time since the answer before it on its connection.
    pub(super) waited: Duration,
    pub(super) records: u64,
}

/// The function, served as long as this lives.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) watch: Stopwatch,
    invocations: UnboundedReceiver<Invocation>,
    _serving: JoinSet<()>,
}

/// Listens for the server's invocations.
///
/// # Errors
/// When nothing can listen on the address.
pub(super) fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    let listener = TcpListener::bind(address);
    listener.map_err(|error| format!("no function on {address}: {error}"))
}

impl Function {
    /// Serves the function of a run.
    ///
    /// # Errors
    /// When the run has neither a listener nor an address for one.
    pub(super) fn serve(run: &Run) -> Result<Self, String> {
        let listener = match (&run.function, run.arguments.function) {
            (Some(listener), _) => listener.try_clone().map_err(|error| error.to_string())?,
            (None, Some(address)) => listen(address)?,
            (None, None) => {
                let needs = "needs --function ADDRESS, and a server that was started with";
                return Err(format!(
                    "it {needs} --function '{NAME}=http://ADDRESS;concurrency=64'"
                ));
            }
        };
        let listener = listener
            .set_nonblocking(true)
            .and_then(|()| tokio::net::TcpListener::from_std(listener))
            .map_err(|error| error.to_string())?;
        let (sender, invocations) = unbounded_channel();
        let (watch, mut serving) = (Stopwatch::start(), JoinSet::new());
        serving.spawn(accept(listener, watch, sender));
        Ok(Self {
            watch,
            invocations,
            _serving: serving,
        })
    }

    /// The next invocation.
    pub(super) async fn next(&mut self) -> Result<Invocation, String> {
        let next = self.invocations.recv().await;
        next.ok_or_else(|| "the function is not served any more".to_owned())
    }
}

/// Accepts connections until that fails, and answers what comes on them.
async fn accept(
    listener: tokio::net::TcpListener,
    watch: Stopwatch,
    sender: UnboundedSender<Invocation>,
) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let sender = sender.clone();
        connections.spawn(async move {
            // A server closes its connections when it likes.
            let _closed = answer_all(Connection::accepted(stream)?, watch, &sender).await;
            Ok::<_, io::Error>(())
        });
    }
}

async fn answer_all(
    mut connection: Connection,
    watch: Stopwatch,
    sender: &UnboundedSender<Invocation>,
) -> io::Result<()> {
    let mut answered = watch.elapsed();
    loop {
        let event = connection.request().await?;
        let arrived = watch.elapsed();
        let records = memmem::find_iter(event, RECORD).count() as u64;
        connection.answer(ANSWER).await?;
        let invocation = Invocation {
            arrived,
            waited: arrived.saturating_sub(answered),
            records,
        };
        answered = watch.elapsed();
        if sender.send(invocation).is_err() {
            return Ok(());
        }
    }
}
