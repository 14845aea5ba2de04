//! Delivers failure records to files, SQS queues, SNS topics, S3 buckets, and streams of this
//! emulator.

use super::address::{Address, AddressError};
use super::connection::Connection;
use super::s3;
use super::sign::Signer;
use super::signed_client::{ClientError, ClientRequest, Payload, SignedClient};
use crate::engine::event_source::{Deliver, DeliverError, Delivery, Pending};
use crate::limits;
use crate::model::StreamArn;
use crate::model::event_source::{Destination, object_key};
use crate::options::{DestinationService, DestinationSetting, Secret};
use crate::world::{Clock, RealDeadline};
use bytes::Bytes;
use hyper::Method;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// Puts failure records into streams of this emulator.
pub(crate) trait OwnStreams: Send + Sync + fmt::Debug {
    /// Puts one record with the partition key `key` into `stream`. The future yields the reason if
    /// the put fails.
    fn put(&self, stream: StreamArn, key: String, data: Bytes) -> Pending<Result<(), String>>;
}

/// The clients of all on-failure destinations.
#[derive(Debug)]
pub(crate) struct Destinations {
    clients: BTreeMap<DestinationService, Arc<SignedClient>>,
    own: Arc<dyn OwnStreams>,
}

/// Pauses before the second and the third attempt to connect to a destination.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

impl Destinations {
    /// Makes clients for the endpoints in `settings`. The clients sign their requests with
    /// `credential`, or with `minikin:minikin` if `credential` is None, because local endpoints
    /// accept any credential.
    ///
    /// # Errors
    /// The URL of an endpoint cannot be used, or the credential is not written as `KEY:SECRET`.
    pub(crate) fn new(
        settings: &[DestinationSetting],
        credential: Option<&Secret>,
        (region, clock): (&str, &Clock),
        own: Arc<dyn OwnStreams>,
    ) -> Result<Self, AddressError> {
        let usual = Secret::from("minikin:minikin");
        let signer = Signer::read(credential.unwrap_or(&usual));
        let signer = signer.ok_or_else(|| {
            AddressError("--destination-credential is written as KEY:SECRET".to_owned())
        })?;
        let mut clients = BTreeMap::new();
        for setting in settings {
            let client = SignedClient {
                service: match setting.service {
                    DestinationService::Sqs => "sqs",
                    DestinationService::Sns => "sns",
                    DestinationService::S3 => "s3",
                },
                address: Address::read(&setting.url, setting.ca.as_deref())?,
                signer: signer.clone(),
                region: region.to_owned(),
                clock: clock.clone(),
            };
            clients.insert(setting.service, Arc::new(client));
        }
        Ok(Self { clients, own })
    }

    fn client(&self, service: DestinationService) -> Option<Arc<SignedClient>> {
        self.clients.get(&service).cloned()
    }
}

impl Deliver for Destinations {
    fn has_endpoint(&self, destination: &Destination) -> bool {
        let service = match destination {
            Destination::File(_) | Destination::Kinesis(_) => return true,
            Destination::Sqs { .. } => DestinationService::Sqs,
            Destination::Sns { .. } => DestinationService::Sns,
            Destination::S3 { .. } => DestinationService::S3,
        };
        self.clients.contains_key(&service)
    }

    fn deliver(&self, delivery: Delivery) -> Pending<Result<(), DeliverError>> {
        let json = delivery.record.to_json(delivery.payload.as_deref());
        let client = match &delivery.destination {
            Destination::File(path) => return Box::pin(append(path.clone(), json)),
            Destination::Kinesis(stream) => {
                let key = delivery.record.shard.to_string();
                let putting = self.own.put(stream.clone(), key, json.into());
                return Box::pin(async move { putting.await.map_err(DeliverError::Refused) });
            }
            Destination::Sqs { .. } => self.client(DestinationService::Sqs),
            Destination::Sns { .. } => self.client(DestinationService::Sns),
            Destination::S3 { .. } => self.client(DestinationService::S3),
        };
        let Some(client) = client else {
            return Box::pin(std::future::ready(Err(DeliverError::NoEndpoint)));
        };
        Box::pin(async move { deliver(&client, &delivery, json).await })
    }
}

/// Appends a line to the file at `path`. Creates the file if it does not exist.
async fn append(path: String, mut line: String) -> Result<(), DeliverError> {
    line.push('\n');
    let writing = tokio::task::spawn_blocking(move || {
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        file.write_all(line.as_bytes())
    });
    let refused = |error: &dyn fmt::Display| DeliverError::Refused(error.to_string());
    let written = writing.await.map_err(|error| refused(&error))?;
    written.map_err(|error| refused(&error))
}

/// Delivers a failure record to an SQS queue, an SNS topic or an S3 bucket. Makes up to three
/// attempts if no connection can be made.
async fn deliver(
    client: &SignedClient,
    delivery: &Delivery,
    json: String,
) -> Result<(), DeliverError> {
    let mut pauses = PAUSES.iter();
    loop {
        let trying = try_once(client, delivery, json.clone());
        let tried = RealDeadline::lasting(limits::OUTBOUND_DELIVERY)
            .with(trying)
            .await;
        match tried.unwrap_or_else(|| Err(DeliverError::Refused("no answer in time".into()))) {
            Err(DeliverError::NotConnected(reason)) => match pauses.next() {
                Some(pause) => RealDeadline::lasting(*pause).end().await,
                None => return Err(DeliverError::NotConnected(reason)),
            },
            result => return result,
        }
    }
}

async fn try_once(
    client: &SignedClient,
    delivery: &Delivery,
    json: String,
) -> Result<(), DeliverError> {
    let mut connection = client.connect().await?;
    match &delivery.destination {
        Destination::Sqs { arn, name } => {
            let url = queue_url(client, &mut connection, arn, name).await?;
            let form = form(&[
                ("Action", "SendMessage"),
                ("Version", "2012-11-05"),
                ("QueueUrl", &url),
                ("MessageBody", &json),
            ]);
            post_form(client, &mut connection, form).await.map(drop)
        }
        Destination::Sns { arn } => {
            let form = form(&[
                ("Action", "Publish"),
                ("Version", "2010-03-31"),
                ("TopicArn", arn),
                ("Message", &json),
            ]);
            post_form(client, &mut connection, form).await.map(drop)
        }
        Destination::S3 { bucket } => {
            let record = &delivery.record;
            let mapping = &delivery.mapping;
            let key = object_key(mapping, record.shard, record.timestamp_ms, &delivery.random);
            let put = s3::ObjectRequest {
                bucket,
                key: &key,
                path_style: true,
                content_type: "application/octet-stream",
                headers: &[],
            };
            let payload = Payload::Bytes(json.into());
            Ok(s3::put_object(client, &mut connection, put, payload).await?)
        }
        Destination::Kinesis(_) | Destination::File(_) => Err(DeliverError::NoEndpoint),
    }
}

async fn queue_url(
    client: &SignedClient,
    connection: &mut Connection,
    arn: &str,
    name: &str,
) -> Result<String, DeliverError> {
    let account = arn.split(':').nth(4).unwrap_or_default();
    let form = form(&[
        ("Action", "GetQueueUrl"),
        ("Version", "2012-11-05"),
        ("QueueName", name),
        ("QueueOwnerAWSAccountId", account),
    ]);
    let answer = post_form(client, connection, form).await?;
    let answer = String::from_utf8_lossy(&answer);
    let url = answer.split_once("<QueueUrl>");
    let url = url.and_then(|(_, rest)| rest.split_once("</QueueUrl>"));
    let (url, _) = url.ok_or_else(|| {
        DeliverError::Refused("GetQueueUrl was answered without a QueueUrl".to_owned())
    })?;
    Ok(url.trim().replace("&amp;", "&"))
}

async fn post_form(
    client: &SignedClient,
    connection: &mut Connection,
    form: String,
) -> Result<Bytes, DeliverError> {
    let request = ClientRequest {
        method: Method::POST,
        host: None,
        path: client.address.path.as_deref().unwrap_or("/"),
        content_type: Some("application/x-www-form-urlencoded"),
        headers: &[],
    };
    let payload = Payload::Bytes(form.into());
    Ok(client.send(connection, request, payload).await?)
}

impl From<ClientError> for DeliverError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::NotConnected(reason) => Self::NotConnected(reason),
            ClientError::Refused(reason) | ClientError::Lost(reason) => Self::Refused(reason),
        }
    }
}

fn form(members: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(members);
    form.finish()
}
