//! The formats of bodies.

/// The format of a request's body and of its answer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON 1.1.
    Json,
    /// CBOR 1.1: the same headers and members in CBOR. Timestamps are whole milliseconds.
    Cbor,
    /// Smithy RPC v2 CBOR. Timestamps are seconds with a fraction.
    RpcV2Cbor,
}

impl Format {
    /// The media type of requests and answers in this format.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/x-amz-json-1.1",
            Self::Cbor => "application/x-amz-cbor-1.1",
            Self::RpcV2Cbor => "application/cbor",
        }
    }
}
