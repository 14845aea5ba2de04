//! Collects the bytes of an object before it is sent, because the head of the request states the
//! length and the hash of the whole body. A small object is collected in memory, and a larger
//! object in an unnamed temporary file.

use super::connection::RequestBody;
use super::signed_client::Payload;
use crate::engine::tasks::Tasks;
use crate::limits;
use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use sha2::{Digest as _, Sha256};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use tempfile::SpooledTempFile;
use tokio::sync::watch;

/// An object whose bytes are being collected. Writing to it may block the thread.
#[derive(Debug)]
pub(super) struct Spool {
    file: SpooledTempFile,
    hash: Sha256,
    length: u64,
}

impl Spool {
    pub(super) fn new() -> Self {
        Self {
            file: SpooledTempFile::new(limits::CHANNEL_SPOOL_BYTES),
            hash: Sha256::new(),
            length: 0,
        }
    }

    /// Number of bytes that were written to the object so far.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Turns the collected object into the body of a request. While the request is sent, the
    /// receiver yields the number of bytes that the connection has accepted.
    pub(super) fn into_payload(self) -> (Payload, watch::Receiver<u64>) {
        use std::fmt::Write as _;
        let mut sha256 = String::new();
        for byte in self.hash.finalize() {
            let _infallible = write!(sha256, "{byte:02x}");
        }
        let (sender, body) = Channel::new(1);
        let (sent, progress) = watch::channel(0);
        Tasks::spawn_part("object", send(self.file, sender, sent));
        let payload = Payload::Streamed {
            body: RequestBody::new(body),
            length: self.length,
            sha256,
        };
        (payload, progress)
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.length += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Reads `file`, the collected object, in parts and passes each part on to `body`, the body of a
/// request. Reports through `sent` the number of bytes that were passed on. Ends early if the
/// request is dropped.
async fn send(
    mut file: SpooledTempFile,
    mut body: Sender<Bytes, io::Error>,
    sent: watch::Sender<u64>,
) {
    let mut offset = 0;
    loop {
        let reading = tokio::task::spawn_blocking(move || {
            let part = read(&mut file, offset);
            (file, part)
        });
        let part = match reading.await {
            Ok((returned, part)) => {
                file = returned;
                part
            }
            Err(error) => return body.abort(io::Error::other(error)),
        };
        match part {
            Ok(part) if part.is_empty() => return,
            Ok(part) => {
                offset += part.len() as u64;
                if body.send_data(part).await.is_err() {
                    return;
                }
                sent.send_replace(offset);
            }
            Err(error) => return body.abort(error),
        }
    }
}

fn read(file: &mut SpooledTempFile, offset: u64) -> io::Result<Bytes> {
    file.seek(SeekFrom::Start(offset))?;
    let mut part = Vec::with_capacity(limits::CHANNEL_SPOOL_BYTES);
    file.take(limits::CHANNEL_SPOOL_BYTES as u64)
        .read_to_end(&mut part)?;
    Ok(part.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    #[tokio::test]
    async fn an_object_is_sent_as_it_was_written() {
        for size in [
            0,
            10,
            limits::CHANNEL_SPOOL_BYTES,
            3 * limits::CHANNEL_SPOOL_BYTES + 5,
        ] {
            let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            let mut spool = Spool::new();
            for part in bytes.chunks(1000) {
                spool.write_all(part).unwrap();
            }
            assert_eq!(spool.length(), size as u64);
            let Payload::Streamed {
                body,
                length,
                sha256,
            } = spool.into_payload().0
            else {
                panic!("the object is streamed");
            };
            assert_eq!(length, size as u64);
            let hash = Sha256::digest(&bytes);
            let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(sha256, hex);
            assert!(body.collect().await.unwrap().to_bytes() == bytes);
        }
    }
}
