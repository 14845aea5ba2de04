//! Files in the buckets of a server with the API of Amazon S3, by their `s3://` URLs.

use super::buckets::Server;
use super::s3::{self, ObjectRequest};
use super::signed_client::{ClientRequest, Payload, refusal};
use super::spool::Spool;
use crate::engine::channel::DestinationError;
use crate::limits;
use crate::world::RealDeadline;
use bytes::Bytes;
use hyper::header::CONTENT_LENGTH;
use hyper::{Method, Response, StatusCode};
use std::ops::Range;
use std::sync::Arc;

/// The files in the buckets of one server with the API of Amazon S3.
#[derive(Debug, Clone)]
pub(super) struct S3Files(pub(super) Arc<Server>);

impl S3Files {
    /// Returns the size of a file in bytes. Returns `None` if the file does not exist.
    pub(super) async fn size(&self, url: &str) -> Result<Option<u64>, DestinationError> {
        let answer = self.request(Method::HEAD, url, &[]).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let length = answer.headers().get(CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        success(answer)?;
        Ok(length)
    }

    /// Reads a file. Reads only the bytes of `range`, counted from 0, if `range` is not `None`.
    pub(super) async fn read(
        &self,
        url: &str,
        range: Option<Range<u64>>,
    ) -> Result<Bytes, DestinationError> {
        let range = range.map(|range| {
            let last = range.end.saturating_sub(1);
            ("range", format!("bytes={}-{last}", range.start))
        });
        let answer = self.request(Method::GET, url, range.as_slice()).await?;
        success(answer)
    }

    /// Writes a file. Replaces an existing file with the same URL.
    pub(super) async fn write(&self, url: &str, content: Spool) -> Result<(), DestinationError> {
        let (bucket, key) = parts(url)?;
        let object = ObjectRequest {
            bucket,
            key,
            path_style: self.0.path_style,
            content_type: "application/octet-stream",
            headers: &[],
        };
        self.0.send(object, content).await.map(drop)
    }

    /// Deletes a file. Succeeds if the file does not exist.
    pub(super) async fn delete(&self, url: &str) -> Result<(), DestinationError> {
        let answer = self.request(Method::DELETE, url, &[]).await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(()),
            _ => success(answer).map(drop),
        }
    }

    async fn request(
        &self,
        method: Method,
        url: &str,
        headers: &[(&'static str, String)],
    ) -> Result<Response<Bytes>, DestinationError> {
        let (bucket, key) = parts(url)?;
        let client = &self.0.client;
        let (host, path) = s3::place(client, (bucket, self.0.path_style), key);
        let request = ClientRequest {
            method,
            host: host.as_deref(),
            path: &path,
            content_type: None,
            headers,
        };
        let exchange = async {
            let mut connection = client.connect().await?;
            let payload = Payload::Bytes(Bytes::new());
            let most = limits::TABLE_FILE_BYTES;
            let answer = client.exchange(&mut connection, request, payload, most);
            answer.await
        };
        let answer = RealDeadline::lasting(limits::CHANNEL_STALL).with(exchange);
        let late = || {
            let url = &client.address.url;
            DestinationError::Unreachable(format!("{url} did not answer in time."))
        };
        Ok(answer.await.ok_or_else(late)??)
    }
}

/// True if `url` is the URL of a file in a bucket, such as `s3://bucket/key`.
pub(super) fn is_s3(url: &str) -> bool {
    parts(url).is_ok()
}

/// Splits the URL of a file into the bucket and the key of the file.
fn parts(url: &str) -> Result<(&str, &str), DestinationError> {
    let path = ["s3://", "s3a://", "s3n://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme));
    let parts = path.and_then(|path| path.split_once('/'));
    parts.ok_or_else(|| DestinationError::Refused(format!("{url} is not the URL of an S3 object.")))
}

fn success(answer: Response<Bytes>) -> Result<Bytes, DestinationError> {
    match answer.status().is_success() {
        true => Ok(answer.into_body()),
        false => Err(refusal(&answer).into()),
    }
}
