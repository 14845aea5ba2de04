//! The buckets that channels write to: a local directory, or a server with the API of Amazon S3.

use super::address::{Address, AddressError};
use super::directory::{Directory, FileObject};
use super::s3::{self, ObjectRequest};
use super::sign::Signer;
use super::signed_client::{ClientError, Payload, SignedClient};
use super::spool::Spool;
use crate::engine::channel::{DestinationError, ObjectHead, ObjectWriter};
use crate::engine::event_source::Pending;
use crate::limits;
use crate::model::channel::{BucketRef, StorageClass};
use crate::options::Secret;
use crate::world::{Clock, RealDeadline};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The settings of a server with the API of Amazon S3.
#[derive(Debug, Clone)]
pub(crate) struct S3Endpoint {
    /// URL of the S3-compatible server.
    pub(crate) url: String,
    /// File with the certificate authority that the client trusts for an `https` URL, in PEM.
    pub(crate) ca: Option<PathBuf>,
    /// The credential that signs the requests, written as `KEY:SECRET`.
    pub(crate) credential: Secret,
    /// Region that the signatures of the requests name.
    pub(crate) region: String,
    /// True if the bucket's name is a part of the URL's path. False if it is a part of the host
    /// name.
    pub(crate) path_style: bool,
}

/// All buckets that channels can write to.
#[derive(Debug)]
pub(crate) enum Buckets {
    /// The buckets are subdirectories of one local directory.
    Local {
        directory: DirectoryOfBuckets,
        /// The id of the account that owns the buckets.
        account: String,
    },
    /// The buckets belong to a server with the API of Amazon S3.
    Server(Arc<Server>),
}

/// A local directory whose subdirectories are buckets.
#[derive(Debug)]
pub(crate) struct DirectoryOfBuckets(Directory);

/// A client of a server with the API of Amazon S3.
#[derive(Debug)]
pub(crate) struct Server {
    pub(super) client: SignedClient,
    pub(super) path_style: bool,
    /// Time without progress after which sending an object fails.
    stall: Duration,
}

impl Buckets {
    /// Makes the buckets that are subdirectories of the local directory `path`. `account` owns the
    /// buckets. If `creates_buckets` is true, a missing bucket is created.
    pub(crate) fn local(path: PathBuf, creates_buckets: bool, account: String) -> Self {
        Self::Local {
            directory: DirectoryOfBuckets(Directory {
                path,
                creates_buckets,
            }),
            account,
        }
    }

    /// Makes the buckets of a server with the API of Amazon S3.
    ///
    /// # Errors
    /// The URL or the credential of the server cannot be used.
    pub(crate) fn server(endpoint: S3Endpoint, clock: &Clock) -> Result<Self, AddressError> {
        let signer = Signer::read(&endpoint.credential);
        let signer = signer
            .ok_or_else(|| AddressError("a credential is written as KEY:SECRET".to_owned()))?;
        let client = SignedClient {
            service: "s3",
            address: Address::read(&endpoint.url, endpoint.ca.as_deref())?,
            signer,
            region: endpoint.region,
            clock: clock.clone(),
        };
        Ok(Self::Server(Arc::new(Server {
            client,
            path_style: endpoint.path_style,
            stall: limits::CHANNEL_STALL,
        })))
    }

    /// The server that holds the buckets. None for a local directory.
    pub(super) fn as_server(&self) -> Option<&Arc<Server>> {
        match self {
            Self::Local { .. } => None,
            Self::Server(server) => Some(server),
        }
    }

    /// Checks that a bucket exists and belongs to the expected account. `role` is the ARN of the
    /// channel's role. The future yields the reason if the bucket cannot be used.
    pub(super) fn check(&self, bucket: &BucketRef, role: &str) -> Pending<Result<(), String>> {
        match self {
            Self::Local { directory, account } => {
                let owners = [account.as_str(), account_of_role(role)];
                if !owners.contains(&bucket.owner.as_str()) {
                    let reason = format!(
                        "The bucket {} does not belong to the account {}.",
                        bucket.name(),
                        bucket.owner
                    );
                    return Box::pin(std::future::ready(Err(reason)));
                }
                let (directory, name) = (directory.0.clone(), bucket.name().to_owned());
                Box::pin(async move {
                    let checking = tokio::task::spawn_blocking(move || directory.check(&name));
                    let checked = checking
                        .await
                        .unwrap_or_else(|error| Err(io::Error::other(error)));
                    checked.map_err(|error| format!("The bucket cannot be used: {error}"))
                })
            }
            Self::Server(server) => {
                let (server, bucket) = (server.clone(), bucket.clone());
                Box::pin(async move { server.check(&bucket).await })
            }
        }
    }
}

/// The account id in the ARN of a role.
fn account_of_role(role: &str) -> &str {
    role.split(':').nth(4).unwrap_or_default()
}

impl Buckets {
    /// Begins to write an object to its bucket. May block the thread.
    pub(super) fn begin(
        &self,
        object: ObjectHead,
    ) -> Result<Box<dyn ObjectWriter>, DestinationError> {
        Ok(match self {
            Self::Local { directory, .. } => {
                let name = object.bucket.name();
                Box::new(LocalObject(directory.0.begin(name, &object.key)?))
            }
            Self::Server(server) => Box::new(ServerObject {
                spool: Spool::new(),
                head: object,
                server: server.clone(),
            }),
        })
    }
}

/// An object that is being written to a bucket in a local directory.
#[derive(Debug)]
struct LocalObject(FileObject);

impl Write for LocalObject {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl ObjectWriter for LocalObject {
    fn finish(self: Box<Self>) -> Pending<Result<u64, DestinationError>> {
        Box::pin(async move {
            let finishing = tokio::task::spawn_blocking(move || self.0.finish());
            let finished = finishing.await;
            let finished = finished.unwrap_or_else(|error| Err(io::Error::other(error)));
            Ok(finished?)
        })
    }
}

/// An object that is being written to a bucket of a server. The bytes are collected, and are sent
/// when the object is complete.
#[derive(Debug)]
struct ServerObject {
    spool: Spool,
    head: ObjectHead,
    server: Arc<Server>,
}

impl Write for ServerObject {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.spool.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.spool.flush()
    }
}

impl ObjectWriter for ServerObject {
    fn finish(self: Box<Self>) -> Pending<Result<u64, DestinationError>> {
        Box::pin(async move {
            let (head, headers) = (&self.head, headers(&self.head));
            let object = ObjectRequest {
                bucket: head.bucket.name(),
                key: &head.key,
                path_style: self.server.path_style,
                content_type: head.content_type,
                headers: &headers,
            };
            self.server.send(object, self.spool).await
        })
    }
}

impl Server {
    async fn check(&self, bucket: &BucketRef) -> Result<(), String> {
        let checking = async {
            let mut connection = self.client.connect().await?;
            let place = (bucket.name(), self.path_style);
            s3::head_bucket(&self.client, &mut connection, place, &[owner(bucket)]).await
        };
        let checked = RealDeadline::lasting(limits::OUTBOUND_DELIVERY)
            .with(checking)
            .await;
        let (url, name) = (&self.client.address.url, bucket.name());
        match checked {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(format!(
                "The bucket {name} at {url} cannot be used: {error}"
            )),
            None => Err(format!("{url} did not answer in time.")),
        }
    }

    /// Sends a complete object to the server, and returns its number of bytes. Fails if the server
    /// neither accepts a byte nor answers for the time `stall`.
    pub(super) async fn send(
        &self,
        object: ObjectRequest<'_>,
        spool: Spool,
    ) -> Result<u64, DestinationError> {
        let length = spool.length();
        let (payload, mut progress) = spool.into_payload();
        let mut putting = std::pin::pin!(self.put(object, payload));
        loop {
            let step = async {
                tokio::select! {
                    biased;
                    put = &mut putting => Some(put),
                    Ok(()) = progress.changed() => None,
                }
            };
            match RealDeadline::lasting(self.stall).with(step).await {
                Some(Some(put)) => return put.map(|()| length),
                Some(None) => {}
                None => {
                    let url = &self.client.address.url;
                    let seconds = self.stall.as_secs();
                    return Err(DestinationError::Unreachable(format!(
                        "{url} did not take the object or answer for {seconds} s."
                    )));
                }
            }
        }
    }

    async fn put(
        &self,
        object: ObjectRequest<'_>,
        payload: Payload,
    ) -> Result<(), DestinationError> {
        let mut connection = self.client.connect().await?;
        s3::put_object(&self.client, &mut connection, object, payload).await?;
        Ok(())
    }
}

fn owner(bucket: &BucketRef) -> (&'static str, String) {
    ("x-amz-expected-bucket-owner", bucket.owner.clone())
}

fn headers(head: &ObjectHead) -> Vec<(&'static str, String)> {
    let mut headers = vec![owner(&head.bucket)];
    if head.storage_class != StorageClass::Standard {
        let class = head.storage_class.as_str().to_owned();
        headers.push(("x-amz-storage-class", class));
    }
    if let Some(key) = &head.key_id {
        headers.push(("x-amz-server-side-encryption", "aws:kms".to_owned()));
        let name = "x-amz-server-side-encryption-aws-kms-key-id";
        headers.push((name, key.clone()));
    }
    headers
}

impl From<ClientError> for DestinationError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::NotConnected(reason) | ClientError::Lost(reason) => {
                Self::Unreachable(reason)
            }
            ClientError::Refused(reason) => Self::Refused(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    fn server(listener: &TcpListener, stall: Duration) -> Arc<Server> {
        let endpoint = S3Endpoint {
            url: format!("http://{}", listener.local_addr().unwrap()),
            ca: None,
            credential: Secret::from("key:secret"),
            region: "us-east-1".to_owned(),
            path_style: true,
        };
        let Buckets::Server(server) = Buckets::server(endpoint, &Clock::System).unwrap() else {
            panic!("the buckets of a server");
        };
        Arc::new(Server {
            stall,
            ..Arc::into_inner(server).unwrap()
        })
    }

    /// Makes an object of `bytes` bytes.
    fn object(server: Arc<Server>, bytes: usize) -> Box<ServerObject> {
        let mut spool = Spool::new();
        spool.write_all(&vec![7; bytes]).unwrap();
        let head = ObjectHead {
            bucket: BucketRef {
                arn: "arn:aws:s3:::b".to_owned(),
                owner: "000000000000".to_owned(),
            },
            key: "k".to_owned(),
            content_type: "application/octet-stream",
            storage_class: StorageClass::Standard,
            key_id: None,
        };
        Box::new(ServerObject {
            spool,
            head,
            server,
        })
    }

    #[tokio::test]
    async fn a_server_that_never_answers_fails_the_attempt() {
        for bytes in [1, 16 << 20] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let server = server(&listener, Duration::from_millis(200));
            let (failed, _held) = tokio::join!(object(server, bytes).finish(), listener.accept());
            let Err(DestinationError::Unreachable(reason)) = failed else {
                panic!("{failed:?}");
            };
            assert!(reason.contains("did not take the object"), "{reason}");
        }
    }
}
