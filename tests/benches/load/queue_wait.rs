//! queue-wait: the time from a put to the answer of the receive that waits for its record.

use super::connection::Connection;
use super::figures::Figures;
use super::queue::{Queue, acknowledge, check_acknowledged};
use super::request::Template;
use super::{Run, load, pause};
use minikin::internals::world::Stopwatch;
use std::time::Duration;

/// Longest wait of a receive: the most there can be.
const WAIT_SECONDS: u64 = 20;
/// Time between the send of a receive and the put, in which the receive reaches the queue.
const AHEAD: Duration = Duration::from_millis(2);

/// Puts record after record, each while a receive waits, for as long as was asked for.
pub(super) async fn measure(run: &Run) -> Result<Vec<Figures>, String> {
    let queue = Queue::create(run).await?;
    let mut pair = Pair::new(run, &queue);
    let measured = load::rounds(run, async || pair.round().await).await;
    let sample = queue.deleted_after(measured).await?;
    Ok(vec![Figures::of(&sample)])
}

/// A connection that receives and one that puts.
#[derive(Debug)]
struct Pair {
    receiver: Connection,
    writer: Connection,
    receive: Vec<u8>,
    put: Template,
    queue: String,
    run: Run,
}

impl Pair {
    fn new(run: &Run, queue: &Queue) -> Self {
        Self {
            receiver: Connection::new(run.address),
            writer: Connection::new(run.address),
            receive: queue.receive(run.address, WAIT_SECONDS),
            put: Template::put_record(run.address, &run.stream, run.payload_bytes()),
            queue: queue.arn.clone(),
            run: run.clone(),
        }
    }

    /// The time from the send of a put to the answer with its record.
    async fn round(&mut self) -> Result<Duration, String> {
        self.put.renew();
        let watch = Stopwatch::start();
        let receiving = async {
            let answer = self.receiver.ok(&self.receive).await?;
            let arrived = watch.elapsed();
            let acknowledged = acknowledge(self.run.address, &self.queue, answer.body);
            Ok::<_, String>((arrived, acknowledged))
        };
        let putting = async {
            pause(AHEAD).await;
            let sent = watch.elapsed();
            self.writer.ok(self.put.bytes()).await?;
            Ok::<_, String>(sent)
        };
        let ((arrived, (request, records)), sent) = tokio::try_join!(receiving, putting)?;
        if records != 1 {
            return Err(format!("a receive got {records} records"));
        }
        check_acknowledged(self.receiver.ok(&request).await?, records)?;
        Ok(arrived.saturating_sub(sent))
    }
}
