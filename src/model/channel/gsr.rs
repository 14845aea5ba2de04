//! The frame that the serializers of AWS Glue Schema Registry put before the data of a record: the
//! byte 3, a byte for the compression (0 none, 5 zlib), and the 16 bytes of a schema version id.
//!
//! Source: the constants of the public `aws-glue-schema-registry` serializer
//! (`AWSSchemaRegistryConstants`).

use crate::limits;
use flate2::read::ZlibDecoder;
use std::borrow::Cow;
use std::fmt;
use std::io::Read as _;
use uuid::Uuid;

const VERSION: u8 = 3;
const PLAIN: u8 = 0;
const ZLIB: u8 = 5;
/// Number of bytes of the frame before the record's data.
const HEAD_BYTES: usize = 18;

/// The content of a frame: the id of a schema version, and the record's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Framed<'a> {
    /// The id of the schema version with which the data was written.
    pub(crate) schema_version: Uuid,
    pub(crate) data: Cow<'a, [u8]>,
}

/// The reason why the frame of a record cannot be removed from its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameError {
    TooShort,
    Version(u8),
    Compression(u8),
    /// The data cannot be decompressed as zlib.
    Damaged,
    /// The decompressed data is longer than [`limits::FRAMED_BYTES`].
    TooLarge,
}

impl<'a> Framed<'a> {
    /// Removes the frame from the data of `record`, and decompresses the data if it is compressed.
    pub(crate) fn read(record: &'a [u8]) -> Result<Self, FrameError> {
        let (head, data) = record
            .split_at_checked(HEAD_BYTES)
            .ok_or(FrameError::TooShort)?;
        let id = head.split_at(2).1.try_into();
        let schema_version = Uuid::from_bytes(id.map_err(|_| FrameError::TooShort)?);
        let data = match (head[0], head[1]) {
            (VERSION, PLAIN) => Cow::Borrowed(data),
            (VERSION, ZLIB) => Cow::Owned(decompressed(data)?),
            (VERSION, other) => return Err(FrameError::Compression(other)),
            (other, _) => return Err(FrameError::Version(other)),
        };
        Ok(Self {
            schema_version,
            data,
        })
    }
}

fn decompressed(data: &[u8]) -> Result<Vec<u8>, FrameError> {
    let mut bytes = Vec::new();
    let mut decoder = ZlibDecoder::new(data).take(limits::FRAMED_BYTES + 1);
    let count = decoder
        .read_to_end(&mut bytes)
        .map_err(|_| FrameError::Damaged)?;
    if count as u64 > limits::FRAMED_BYTES {
        return Err(FrameError::TooLarge);
    }
    Ok(bytes)
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let frame = "the frame of the Glue schema registry";
        match self {
            Self::TooShort => write!(f, "The record is shorter than {frame}."),
            Self::Version(byte) => write!(
                f,
                "The record does not start with {frame}: its first byte is {byte}, not {VERSION}."
            ),
            Self::Compression(byte) => {
                write!(
                    f,
                    "The record has the unknown compression {byte} in {frame}."
                )
            }
            Self::Damaged => f.write_str("The record's compressed data is not zlib."),
            Self::TooLarge => write!(
                f,
                "The record has more than {} bytes without its compression.",
                limits::FRAMED_BYTES
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use proptest::prelude::*;
    use std::io::Write as _;

    const ID: [u8; 16] = *b"0123456789abcdef";

    fn framed(compression: u8, data: &[u8]) -> Vec<u8> {
        [&[VERSION, compression], ID.as_slice(), data].concat()
    }

    fn zlib(data: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    proptest! {
        #[test]
        fn data_comes_out_of_its_frame(data: Vec<u8>) {
            for record in [framed(PLAIN, &data), framed(ZLIB, &zlib(&data))] {
                let framed = Framed::read(&record).unwrap();
                prop_assert_eq!(framed.schema_version, Uuid::from_bytes(ID));
                prop_assert_eq!(framed.data.as_ref(), data.as_slice());
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _result = Framed::read(&bytes);
            let _result = Framed::read(&framed(ZLIB, &bytes));
        }
    }

    #[test]
    fn other_records_are_refused() {
        let error = |record: &[u8]| Framed::read(record).unwrap_err();
        assert_eq!(error(&framed(PLAIN, b"")[..17]), FrameError::TooShort);
        assert_eq!(error(b"{\"a\": \"0123456789\"}"), FrameError::Version(b'{'));
        assert_eq!(error(&framed(1, b"{}")), FrameError::Compression(1));
        assert_eq!(error(&framed(ZLIB, b"{}")), FrameError::Damaged);
        assert_eq!(error(&framed(ZLIB, &zlib(b"{}")[..4])), FrameError::Damaged);
    }

    #[test]
    fn a_bomb_is_refused() {
        let bomb = zlib(&vec![0; limits::FRAMED_BYTES as usize + 1]);
        assert!(bomb.len() < 100_000);
        let error = Framed::read(&framed(ZLIB, &bomb)).unwrap_err();
        assert_eq!(error, FrameError::TooLarge);
    }
}
