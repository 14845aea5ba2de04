//! The compression of an object. The compressor receives one record after another. Therefore the
//! bytes of an object do not depend on the sizes of the parts in which the records are read.

use crate::engine::channel::destination::ObjectWriter;
use crate::model::channel::S3Compression;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{self, Write as _};

/// Compression level for zstd. The value is the default of zstd, and a choice.
const ZSTD_LEVEL: i32 = 3;

type Target = Box<dyn ObjectWriter>;

/// An object that is being written, with the compressor for its records.
pub(super) enum Encoder {
    Plain(Target),
    Gzip(GzEncoder<Target>),
    Zstd(zstd::Encoder<'static, Target>),
}

impl Encoder {
    /// Begins an object. The compressed data of the object is written to `target`.
    pub(super) fn new(target: Target, compression: S3Compression) -> io::Result<Self> {
        Ok(match compression {
            S3Compression::None => Self::Plain(target),
            S3Compression::Gzip => Self::Gzip(GzEncoder::new(target, Compression::fast())),
            S3Compression::Zstd => Self::Zstd(zstd::Encoder::new(target, ZSTD_LEVEL)?),
        })
    }

    /// Writes a record to the object, and a separator after the record.
    pub(super) fn write(&mut self, data: &[u8], separator: &[u8]) -> io::Result<()> {
        let Self::Plain(target) = self else {
            return self.compress(data, separator);
        };
        target.write_all(data)?;
        target.write_all(separator)
    }

    fn compress(&mut self, data: &[u8], separator: &[u8]) -> io::Result<()> {
        let encoder: &mut dyn io::Write = match self {
            Self::Plain(target) => target,
            Self::Gzip(encoder) => encoder,
            Self::Zstd(encoder) => encoder,
        };
        encoder.write_all(data)?;
        encoder.write_all(separator)
    }

    /// Writes the end of the compressed data, and returns the object.
    pub(super) fn finish(self) -> io::Result<Target> {
        match self {
            Self::Plain(target) => Ok(target),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

/// Returns the maximum bytes of records in an object that must have at most `most_bytes` bytes
/// after compression. For a compressed object the result is smaller than `most_bytes`. The reason
/// is that compression makes data without repetitions a little longer.
pub(super) const fn uncompressed_limit(compression: S3Compression, most_bytes: u64) -> u64 {
    match compression {
        S3Compression::None => most_bytes,
        // The margin of an eighth is needed by the library zlib-rs, whose fast level encodes a byte
        // in up to nine bits. The dependencies of the feature `streaming-tables` select this
        // library.
        S3Compression::Gzip => least_one(most_bytes.saturating_sub(most_bytes / 8 + 128)),
        S3Compression::Zstd => least_one(most_bytes.saturating_sub(most_bytes / 128 + 128)),
    }
}

const fn least_one(limit: u64) -> u64 {
    if limit == 0 { 1 } else { limit }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::channel::destination_error::DestinationError;
    use crate::engine::event_source::Pending;
    use crate::lock::Lock;
    use std::io::Write;
    use std::sync::Arc;

    #[derive(Debug, Default)]
    struct Kept(Arc<Lock<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl ObjectWriter for Kept {
        fn finish(self: Box<Self>) -> Pending<Result<u64, DestinationError>> {
            Box::pin(std::future::ready(Ok(0)))
        }
    }

    fn noise(bytes: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        std::iter::repeat_with(next).take(bytes).collect()
    }

    #[test]
    fn data_that_cannot_be_compressed_stays_within_the_limit() {
        for compression in [
            S3Compression::None,
            S3Compression::Gzip,
            S3Compression::Zstd,
        ] {
            for most in [300, 5_000, 1 << 20] {
                let kept = Arc::default();
                let target = Box::new(Kept(Arc::clone(&kept)));
                let mut encoder = Encoder::new(target, compression).unwrap();
                let data = noise(uncompressed_limit(compression, most) as usize);
                for record in data.chunks(100) {
                    encoder.write(record, b"").unwrap();
                }
                drop(encoder.finish().unwrap());
                let size = kept.lock().len() as u64;
                assert!(size <= most, "{compression:?}: {size} of {most}");
            }
        }
    }
}
