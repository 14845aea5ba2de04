//! The progress line of a command with long work: the number of bytes that are done.

use crate::world::Stopwatch;
use std::io::{self, IsTerminal as _, Write};
use std::time::Duration;

/// Time between two updates of the progress line.
const PROGRESS: Duration = Duration::from_millis(200);

/// The progress line of a transfer. Dropping this value ends the line.
pub(super) struct Progress {
    /// The output of the line. `None` if no line is shown.
    out: Option<Box<dyn Write + Send>>,
    /// Number of bytes of the whole transfer. `None` if the number is unknown.
    total: Option<u64>,
    bytes: u64,
    watch: Stopwatch,
    /// Time of the last update of the line, since the start of the transfer.
    shown: Duration,
}

impl Progress {
    /// Begins a transfer of `total` bytes. Shows its progress on standard error if that is a
    /// terminal, and shows nothing otherwise.
    pub(super) fn begin(total: Option<u64>) -> Self {
        let out = io::stderr();
        let is_terminal = out.is_terminal();
        Self::to(is_terminal.then(|| Box::new(out) as _), total)
    }

    fn to(out: Option<Box<dyn Write + Send>>, total: Option<u64>) -> Self {
        Self {
            out,
            total,
            bytes: 0,
            watch: Stopwatch::start(),
            shown: Duration::ZERO,
        }
    }

    /// Adds transferred bytes, and updates the line from time to time.
    pub(super) fn add(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        self.show(self.watch.elapsed());
    }

    /// Number of bytes transferred so far.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    fn show(&mut self, now: Duration) {
        if now < self.shown + PROGRESS {
            return;
        }
        self.shown = now;
        let done = self.bytes >> 20;
        let text = match self.total {
            Some(total) => format!("\r{done} of {} MiB ", total >> 20),
            None => format!("\r{done} MiB "),
        };
        self.print(&text);
    }

    fn print(&mut self, text: &str) {
        if let Some(out) = &mut self.out {
            // A terminal that cannot be written does not end the transfer.
            let _closed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if !self.shown.is_zero() {
            self.print("\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::Lock;
    use std::sync::Arc;

    #[derive(Clone, Default)]
    struct Terminal(Arc<Lock<Vec<u8>>>);

    impl Write for Terminal {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Transfers 3 MiB, with an update of the line after each of the times in `moments`. Returns
    /// the text on the terminal.
    fn text(total: Option<u64>, moments: &[u64]) -> String {
        let terminal = Terminal::default();
        let mut progress = Progress::to(Some(Box::new(terminal.clone())), total);
        for ms in moments {
            progress.bytes += 3 << 20;
            progress.show(Duration::from_millis(*ms));
        }
        drop(progress);
        String::from_utf8(terminal.0.lock().clone()).unwrap()
    }

    #[test]
    fn a_long_transfer_has_a_line_and_a_short_one_has_none() {
        assert_eq!(text(None, &[10, 199]), "");
        assert_eq!(text(None, &[10, 200, 399, 400]), "\r6 MiB \r12 MiB \n");
        let total = Some(7 << 20);
        assert_eq!(text(total, &[200, 401]), "\r3 of 7 MiB \r6 of 7 MiB \n");
    }

    #[test]
    fn without_a_terminal_there_is_no_line() {
        let mut progress = Progress::to(None, None);
        progress.show(PROGRESS);
        progress.add(5);
        assert_eq!(progress.bytes(), 5);
    }
}
