//! The rules of the record formats of delivered objects: the check of a record, the separator
//! between records, and the extension of the object's name.

use super::settings::{RecordFormat, S3Compression};
use serde::de::IgnoredAny;

/// The reason why a record cannot be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRecord {
    /// The error code in the dead-letter object. The codes are a choice.
    pub code: &'static str,
    /// The error message in the dead-letter object. It contains no values of the record.
    pub message: String,
}

impl RecordFormat {
    /// Checks that `data`, the payload of a record, has this format.
    ///
    /// # Errors
    /// The reason why the payload does not have this format.
    pub fn check(self, data: &[u8]) -> Result<(), InvalidRecord> {
        match self {
            Self::ByteArray => Ok(()),
            Self::String => text(data).map(drop),
            Self::Json | Self::GsrJson => match serde_json::from_str::<IgnoredAny>(text(data)?) {
                Ok(IgnoredAny) => Ok(()),
                Err(error) => Err(InvalidRecord {
                    code: "InvalidJson",
                    message: error.to_string(),
                }),
            },
        }
    }

    /// Returns the bytes that follow each record in an object. These bytes are a choice.
    pub const fn separator(self) -> &'static [u8] {
        match self {
            Self::Json | Self::GsrJson | Self::String => b"\n",
            Self::ByteArray => b"",
        }
    }

    /// Returns the extension of an object's name, including the dot. The extensions are a choice.
    pub const fn extension(self, compression: S3Compression) -> &'static str {
        match (self, compression) {
            (Self::Json | Self::GsrJson, S3Compression::None) => ".json",
            (Self::Json | Self::GsrJson, S3Compression::Gzip) => ".json.gz",
            (Self::Json | Self::GsrJson, S3Compression::Zstd) => ".json.zst",
            (Self::String, S3Compression::None) => ".txt",
            (Self::String, S3Compression::Gzip) => ".txt.gz",
            (Self::String, S3Compression::Zstd) => ".txt.zst",
            (Self::ByteArray, S3Compression::None) => ".bin",
            (Self::ByteArray, S3Compression::Gzip) => ".bin.gz",
            (Self::ByteArray, S3Compression::Zstd) => ".bin.zst",
        }
    }
}

fn text(data: &[u8]) -> Result<&str, InvalidRecord> {
    std::str::from_utf8(data).map_err(|error| InvalidRecord {
        code: "InvalidUtf8",
        message: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(format: RecordFormat, data: &[u8]) -> Option<&'static str> {
        format.check(data).err().map(|invalid| invalid.code)
    }

    #[test]
    fn json_is_any_valid_json() {
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        for data in ["{}", " 1e400 ", "\"\\ud800\"", "null\n", &deep] {
            assert_eq!(code(RecordFormat::Json, data.as_bytes()), None, "{data}");
        }
        for data in ["", "{", "{} {}", "{'a': 1}", "NaN"] {
            let code = code(RecordFormat::Json, data.as_bytes());
            assert_eq!(code, Some("InvalidJson"), "{data}");
        }
        assert_eq!(code(RecordFormat::Json, b"\"\xff\""), Some("InvalidUtf8"));
    }

    #[test]
    fn text_is_utf8_and_bytes_are_anything() {
        assert_eq!(code(RecordFormat::String, "\u{10ffff}".as_bytes()), None);
        assert_eq!(code(RecordFormat::String, b"a\xc3"), Some("InvalidUtf8"));
        assert_eq!(code(RecordFormat::ByteArray, b"a\xc3"), None);
        assert_eq!(RecordFormat::ByteArray.separator(), b"");
        assert_eq!(RecordFormat::Json.separator(), b"\n");
    }

    #[test]
    fn the_extension_names_format_and_compression() {
        let extension = RecordFormat::ByteArray.extension(S3Compression::Zstd);
        assert_eq!(extension, ".bin.zst");
        assert_eq!(RecordFormat::Json.extension(S3Compression::None), ".json");
        assert_eq!(
            RecordFormat::String.extension(S3Compression::Gzip),
            ".txt.gz"
        );
    }

    proptest! {
        #[test]
        fn a_document_is_valid_and_its_beginning_is_not(items in prop::collection::vec(".*", 0..4)) {
            let document = serde_json::to_vec(&items).unwrap();
            prop_assert_eq!(code(RecordFormat::Json, &document), None);
            prop_assert!(code(RecordFormat::Json, &document[..document.len() - 1]).is_some());
        }
    }
}
