//! A request with its exact bytes.

use bytes::Bytes;
use http_body_util::Full;

/// The signature of a request for an emulator that does not verify signatures.
pub(crate) const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 \
     Credential=AKIAIOSFODNN7EXAMPLE/20231114/us-east-1/kinesis/aws4_request, \
     SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=0123456789abcdef";
/// The content type of JSON.
pub(crate) const JSON: &str = "application/x-amz-json-1.1";
/// The content type of CBOR.
pub(crate) const CBOR: &str = "application/x-amz-cbor-1.1";

/// The content type of RPC v2 CBOR.
pub(crate) const RPC_V2: &str = "application/cbor";

/// A request. It has a signature and the headers that select an operation, unless a test removes
/// them.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    chunks: Option<usize>,
}

impl Request {
    /// A call of `operation` in JSON.
    pub(crate) fn json(operation: &str, body: &str) -> Self {
        Self::call(operation, JSON, body.as_bytes())
    }

    /// A call of `operation` in CBOR.
    pub(crate) fn cbor(operation: &str, body: &[u8]) -> Self {
        Self::call(operation, CBOR, body)
    }

    /// A call of `operation` with bytes of any content type.
    pub(crate) fn call(operation: &str, content_type: &str, body: &[u8]) -> Self {
        Self::bare("POST", "/")
            .header("Content-Type", content_type)
            .header("X-Amz-Target", &format!("Kinesis_20131202.{operation}"))
            .header("X-Amz-Date", "20231114T221320Z")
            .header("Authorization", AUTHORIZATION)
            .body(body)
    }

    /// A call of `operation` in Smithy RPC v2 CBOR.
    pub(crate) fn rpc_v2(operation: &str, body: &[u8]) -> Self {
        let path = format!("/service/Kinesis_20131202/operation/{operation}");
        Self::bare("POST", &path)
            .header("Smithy-Protocol", "rpc-v2-cbor")
            .header("Accept", RPC_V2)
            .header("Content-Type", RPC_V2)
            .header("X-Amz-Date", "20231114T221320Z")
            .header("Authorization", AUTHORIZATION)
            .body(body)
    }

    /// A request without headers except `Host`.
    pub(crate) fn bare(method: &str, path: &str) -> Self {
        let host = ("Host".to_owned(), "localhost:4567".to_owned());
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: vec![host],
            body: Vec::new(),
            chunks: None,
        }
    }

    /// Sets the body.
    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_owned();
        self
    }

    /// Sets this header. Replaces a header of the same name.
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        let mut changed = self.without(name);
        changed.headers.push((name.to_owned(), value.to_owned()));
        changed
    }

    /// Removes the header.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// Sets the method.
    pub(crate) fn method(mut self, method: &str) -> Self {
        self.method = method.to_owned();
        self
    }

    /// Sets the path.
    pub(crate) fn path(mut self, path: &str) -> Self {
        self.path = path.to_owned();
        self
    }

    /// Sends the body in chunks of this many bytes, without a length.
    pub(crate) fn chunked(mut self, bytes: usize) -> Self {
        self.chunks = Some(bytes);
        self
    }

    /// The request's head, up to the empty line.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let is_set = |name: &str| self.headers.iter().any(|(known, _)| known == name);
        if self.chunks.is_some() {
            head.push_str("Transfer-Encoding: chunked\r\n");
        } else if !is_set("Content-Length") && (!self.body.is_empty() || self.method == "POST") {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// The same request for a call within the process, without a connection.
    pub(crate) fn here(&self) -> minikin::Request<Full<Bytes>> {
        let (method, path) = (self.method.as_str(), self.path.as_str());
        let mut asked = minikin::Request::builder().method(method).uri(path);
        for (name, value) in &self.headers {
            asked = asked.header(name, value);
        }
        let body = Full::new(Bytes::copy_from_slice(&self.body));
        asked.body(body).unwrap()
    }

    /// The whole request.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head();
        match self.chunks {
            None => bytes.extend_from_slice(&self.body),
            Some(size) => {
                for chunk in self.body.chunks(size) {
                    bytes.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
                    bytes.extend_from_slice(chunk);
                    bytes.extend_from_slice(b"\r\n");
                }
                bytes.extend_from_slice(b"0\r\n\r\n");
            }
        }
        bytes
    }
}
