//! The formats of bodies.

/// The format of a request's body and of its answer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON 1.1.
    Json,
    /// CBOR 1.1: the same headers and members in CBOR.
    Cbor,
}

impl Format {
    /// The media type of requests and answers in this format.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/x-amz-json-1.1",
            Self::Cbor => "application/x-amz-cbor-1.1",
        }
    }
}
