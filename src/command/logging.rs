//! The log of the process. It is written to stderr, because commands print their results on stdout.

use crate::options::LogFormat;
use crate::wire::escaped;
use std::io::{self, IsTerminal, Write};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts the log of the process. Events that pass `filter` are written to stderr. The filter was
/// checked when the options were parsed.
pub(super) fn set_up(filter: &str, format: LogFormat) {
    let lines = layer()
        .with_writer(|| OneLine(io::stderr()))
        .with_ansi(io::stderr().is_terminal());
    let filter = filter.parse().unwrap_or_default();
    let filtered = tracing_subscriber::registry().with(own_lines(&filter));
    // `try_init` fails only when the embedding process has already installed a log of its own. The
    // process then continues to use its own log.
    let _ = match format {
        LogFormat::Text => filtered.with(lines).try_init(),
        LogFormat::Json => filtered.with(lines.json().flatten_event(true)).try_init(),
    };
}

/// Applies the filter's default level to minikin's own events only. Libraries such as h2 and rustls
/// log only warnings and errors, unless the filter names their target.
fn own_lines(filter: &Targets) -> Targets {
    match filter.default_level() {
        Some(level) if level > LevelFilter::WARN => Targets::new()
            .with_default(LevelFilter::WARN)
            .with_target("minikin", level)
            .with_targets(filter.iter()),
        _ => filter.clone(),
    }
}

/// A writer that keeps each event on one line. Partition keys and names in requests may contain
/// line feeds, with which a client could forge lines of the log.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    /// Writes one event, which ends with a line feed.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.write_all(event)?;
        Ok(event.len())
    }

    fn write_all(&mut self, event: &[u8]) -> io::Result<()> {
        let text = event.strip_suffix(b"\n").unwrap_or(event);
        let text = String::from_utf8_lossy(text);
        if !text.contains(breaks_line) {
            return self.0.write_all(event);
        }
        let mut line = escaped(&text, breaks_line);
        line.push('\n');
        self.0.write_all(line.as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// True for the characters at which a terminal or a reader of logs starts a new line.
fn breaks_line(letter: char) -> bool {
    matches!(
        letter,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_its_text_has() {
        for (event, line) in [
            ("a b\n", "a b\n"),
            ("a\nb\r\n", "a\\nb\\r\n"),
            ("\u{2028}\u{85}\n", "\\u{2028}\\u{85}\n"),
            ("a\tb \u{1b}[0m", "a\tb \u{1b}[0m"),
        ] {
            let mut written = OneLine(Vec::new());
            assert_eq!(written.write(event.as_bytes()).unwrap(), event.len());
            assert_eq!(String::from_utf8(written.0).unwrap(), line);
        }
    }

    #[test]
    fn a_level_is_for_our_own_lines() {
        for (filter, meant) in [
            ("debug", "warn,minikin=debug"),
            ("info,h2=debug", "warn,minikin=info,h2=debug"),
            ("info,minikin=trace", "warn,minikin=trace"),
            ("error", "error"),
            ("off", "off"),
            ("minikin::store=trace", "minikin::store=trace"),
        ] {
            let filter: Targets = filter.parse().unwrap();
            assert_eq!(own_lines(&filter), meant.parse().unwrap());
        }
    }
}
