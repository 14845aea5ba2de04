//! Requests to a server with the API of Amazon S3.

use super::connection::Connection;
use super::signed_client::{ClientError, ClientRequest, Payload, SignedClient};
use bytes::Bytes;
use hyper::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The characters of an object's key that are percent-encoded in a URL: all except the unreserved
/// characters of RFC 3986 and the slash.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');

/// A request about one object in a bucket.
#[derive(Debug, Clone, Copy)]
pub(super) struct ObjectRequest<'a> {
    pub(super) bucket: &'a str,
    pub(super) key: &'a str,
    /// True if the bucket's name is a part of the URL's path. False if it is a part of the host
    /// name.
    pub(super) path_style: bool,
    pub(super) content_type: &'a str,
    /// Headers of the request in addition to `Host` and `Content-Type`.
    pub(super) headers: &'a [(&'static str, String)],
}

/// Puts an object into a bucket (PutObject). Replaces an object with the same key.
pub(super) async fn put_object(
    client: &SignedClient,
    connection: &mut Connection,
    object: ObjectRequest<'_>,
    payload: Payload,
) -> Result<(), ClientError> {
    let (host, path) = place(client, (object.bucket, object.path_style), object.key);
    let request = ClientRequest {
        method: Method::PUT,
        host: host.as_deref(),
        path: &path,
        content_type: Some(object.content_type),
        headers: object.headers,
    };
    client.send(connection, request, payload).await.map(drop)
}

/// Checks that a bucket exists and that the client may use it (HeadBucket).
pub(super) async fn head_bucket(
    client: &SignedClient,
    connection: &mut Connection,
    (bucket, path_style): (&str, bool),
    headers: &[(&'static str, String)],
) -> Result<(), ClientError> {
    let (host, path) = place(client, (bucket, path_style), "");
    let request = ClientRequest {
        method: Method::HEAD,
        host: host.as_deref(),
        path: &path,
        content_type: None,
        headers,
    };
    let payload = Payload::Bytes(Bytes::new());
    client.send(connection, request, payload).await.map(drop)
}

/// Returns the host and the percent-encoded path in the URL of an object. The host is `None` if the
/// URL has the host of the endpoint.
pub(super) fn place(
    client: &SignedClient,
    (bucket, path_style): (&str, bool),
    key: &str,
) -> (Option<String>, String) {
    let base = client.address.path.as_deref().unwrap_or_default();
    let base = base.trim_end_matches('/');
    let key = utf8_percent_encode(key, ENCODED);
    if path_style {
        let path = format!("{base}/{bucket}/{key}");
        return (None, path.trim_end_matches('/').to_owned());
    }
    let host = format!("{bucket}.{}", client.address.authority);
    (Some(host), format!("{base}/{key}"))
}
