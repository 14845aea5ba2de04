//! The formats in which requests and answers are encoded.

/// The format of a request's body and of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// AWS JSON 1.1.
    Json,
    /// AWS CBOR 1.1. The headers and members are those of AWS JSON 1.1, but the body is in CBOR.
    /// Timestamps are in whole milliseconds.
    Cbor,
    /// Smithy RPC v2 CBOR. Timestamps are in seconds with a fraction.
    RpcV2Cbor,
}

impl Format {
    /// Returns the media type of requests and answers in this format.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/x-amz-json-1.1",
            Self::Cbor => "application/x-amz-cbor-1.1",
            Self::RpcV2Cbor => "application/cbor",
        }
    }
}
