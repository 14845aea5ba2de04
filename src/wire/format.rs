//! The formats of bodies.

/// How a request's body is written, and so its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON 1.1.
    Json,
    /// CBOR 1.1: the same headers and members in CBOR.
    Cbor,
}

impl Format {
    /// The media type of its requests and answers.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/x-amz-json-1.1",
            Self::Cbor => "application/x-amz-cbor-1.1",
        }
    }
}
