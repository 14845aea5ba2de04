//! `minikin tail`: shows the records of a stream as they arrive.

use super::client::{Client, Connection, path_part};
use super::look::{print_records, record_line};
use super::outcome::{Answer, Failure};
use super::print::{self, Form};
use crate::world::Stopwatch;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::time::Duration;

/// Pause before each attempt to reconnect to the emulator.
const RETRY: Duration = Duration::from_millis(250);
/// Time without a successful connection after which `minikin tail` gives up.
const RETRY_TIME: Duration = Duration::from_secs(60);
/// A connection that lasts this long counts as successful, even if no event arrives on it.
const STEADY: Duration = Duration::from_secs(1);

/// The arguments of `minikin tail`.
#[derive(Debug, clap::Args)]
pub(super) struct Tail {
    /// The stream's name or ARN
    stream: String,
    /// The position of the first record: trim_horizon, latest, a time (RFC 3339, or seconds since
    /// 1970) or a sequence number [default: latest; trim_horizon with --no-follow]
    #[arg(long, value_name = "POSITION")]
    from: Option<String>,
    /// Show the records of this shard only
    #[arg(long, value_name = "ID")]
    shard: Option<String>,
    /// End after the last record that is stored now
    #[arg(long)]
    no_follow: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Shows the records of a stream as they arrive. Ends when the stream is deleted or when the reader
/// of stdout closes the pipe.
pub(super) fn run(arguments: &Tail) -> Result<Answer, Failure> {
    let mut query = Vec::new();
    query.extend(arguments.shard.as_deref().map(|shard| ("shard", shard)));
    query.extend(arguments.from.as_deref().map(|from| ("from", from)));
    if arguments.no_follow {
        return print_records(&arguments.connection, &arguments.stream, &query, u64::MAX);
    }
    end_with_the_reader();
    let client = Client::new(&arguments.connection)?;
    let form = Form::of_output(arguments.connection.server.json);
    let path = format!("streams/{}/tail", path_part(&arguments.stream));
    follow(&client, &path, &query, form)
}

/// Shows the events that the emulator sends for `path`. After a lost connection, connects again and
/// continues after the last event that was shown.
fn follow(
    client: &Client,
    path: &str,
    query: &[(&str, &str)],
    form: Form,
) -> Result<Answer, Failure> {
    let mut position = TailPosition::default();
    let mut lost: Option<Stopwatch> = None;
    loop {
        let connected = Stopwatch::start();
        let failure = match client.follow(path, query, position.id.as_deref()) {
            Ok(answer) => {
                let shown = position.shown;
                let events = BufReader::new(answer);
                if let Some(end) = position.show(events, form)? {
                    eprintln!("minikin: {end}");
                    return Ok(Answer::Yes);
                }
                if position.shown > shown || connected.elapsed() >= STEADY {
                    lost = None;
                }
                Failure::Unreachable("the emulator closes each connection at once".to_owned())
            }
            // Reconnect only to an emulator that has answered before.
            Err(Failure::Unreachable(text)) if position.id.is_some() => Failure::Unreachable(text),
            Err(failure) => return Err(failure),
        };
        match lost {
            None => {
                eprintln!("minikin: the connection has ended; going on after the last record");
                lost = Some(Stopwatch::start());
            }
            Some(since) if since.elapsed() > RETRY_TIME => return Err(failure),
            Some(_) => {}
        }
        std::thread::sleep(RETRY);
    }
}

/// The position from which a new connection continues to receive server-sent events.
#[derive(Debug, Default)]
struct TailPosition {
    /// The id of the last event that was shown. None before the first event.
    id: Option<String>,
    /// Number of records that were shown.
    shown: u64,
}

impl TailPosition {
    /// Shows the events of one connection as they arrive. Returns the emulator's reason if the
    /// emulator has ended the tail, and None if the connection was lost.
    fn show(&mut self, events: impl BufRead, form: Form) -> Result<Option<String>, Failure> {
        let mut event = Event::default();
        for line in events.lines() {
            let Ok(line) = line else {
                return Ok(None);
            };
            if !line.is_empty() {
                event.add(&line);
                continue;
            }
            let Event { id, data, name } = std::mem::take(&mut event);
            if let Some(data) = data {
                let document: Value =
                    serde_json::from_str(&data).map_err(|error| Failure::broken(&error))?;
                let message = document.get("message").and_then(Value::as_str);
                let message = message.unwrap_or_default();
                match name.as_deref() {
                    Some("end") => return Ok(Some(message.to_owned())),
                    Some("restarted") => eprintln!("minikin: {message}"),
                    _ => {
                        print::line(&record_line(form, &document))?;
                        self.shown += 1;
                    }
                }
            }
            // Change the id only after the whole event was shown, so that a new connection does not
            // skip the event.
            self.id = id.or(self.id.take());
        }
        Ok(None)
    }
}

/// A server-sent event that is assembled from its lines as they arrive.
#[derive(Debug, Default)]
struct Event {
    id: Option<String>,
    data: Option<String>,
    name: Option<String>,
}

impl Event {
    fn add(&mut self, line: &str) {
        match line.split_once(": ") {
            Some(("id", id)) => self.id = Some(id.to_owned()),
            Some(("data", data)) => self.data = Some(data.to_owned()),
            Some(("event", name)) => self.name = Some(name.to_owned()),
            _ => {}
        }
    }
}

/// Starts a thread that ends the program when the reader of standard output closes the pipe.
/// Without the thread, the program would notice the closed pipe only when it prints the next
/// record.
fn end_with_the_reader() {
    #[cfg(unix)]
    std::thread::spawn(|| {
        use rustix::event::{PollFd, PollFlags, poll};
        let out = std::io::stdout();
        // poll reports a closed pipe even if the caller asks for no events.
        let mut watched = [PollFd::new(&out, PollFlags::empty())];
        while poll(&mut watched, None).is_err() {}
        std::process::exit(0);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        Form::of_output(true)
    }

    #[test]
    fn the_place_is_that_of_the_last_whole_event() {
        let mut position = TailPosition::default();
        let text = "id: 7.0-1\n\nid: 7.0-2\ndata: {\"Text\":\"a\"}\n\nid: 7.0-3\ndata: {";
        assert_eq!(position.show(text.as_bytes(), form()), Ok(None));
        assert_eq!(position.id.as_deref(), Some("7.0-2"));
    }

    #[test]
    fn the_event_of_the_end_ends_the_tail() {
        let mut position = TailPosition::default();
        let text = "id: 7.0-1\n\nevent: end\ndata: {\"message\":\"gone\"}\n\nid: 7.0-2\n\n";
        let end = position.show(text.as_bytes(), form());
        assert_eq!(end, Ok(Some("gone".to_owned())));
        assert_eq!(position.id.as_deref(), Some("7.0-1"));
    }

    #[test]
    fn a_restarted_tail_goes_on() {
        let mut position = TailPosition::default();
        let text = "id: 8.0-0\n\nevent: restarted\ndata: {\"message\":\"anew\"}\n\n\
                    id: 8.0-1\ndata: {\"Text\":\"a\"}\n\n";
        assert_eq!(position.show(text.as_bytes(), form()), Ok(None));
        assert_eq!((position.id.as_deref(), position.shown), (Some("8.0-1"), 1));
    }

    #[test]
    fn an_event_that_is_no_document_is_refused() {
        let mut position = TailPosition::default();
        let broken = position.show("data: {\n\n".as_bytes(), form());
        assert!(matches!(broken, Err(Failure::Unreachable(_))));
    }
}
