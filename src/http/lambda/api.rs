//! Runs the operations of Lambda's API that minikin implements.

use super::answer::Answer;
use super::call::{Call, ListQuery};
use super::configuration::configuration;
use crate::engine::Engine;
use crate::engine::event_source::{ChangedMapping, Mapping, Origin};
use crate::error::Error;
use crate::http::access::Access;
use crate::http::body::Body;
use crate::http::connection::{Client, counted};
use crate::http::slow_reader;
use crate::limits;
use crate::model::event_source::{Changes, CreateRequest, FunctionArn, Refusal, Source, read_tags};
use crate::model::{AccountId, AccountRegion, StreamArn};
use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// The name of Lambda in the credential scope of a request's signature.
const SERVICE: &str = "lambda";

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Answers requests to Lambda's API.
#[derive(Debug)]
pub(in crate::http) struct LambdaApi {
    engine: Arc<Engine>,
    access: Arc<Access>,
}

impl LambdaApi {
    pub(in crate::http) fn new(engine: Arc<Engine>, access: Arc<Access>) -> Self {
        Self { engine, access }
    }

    /// Answers a request to Lambda's API. The body of the request was received in full.
    pub(in crate::http) async fn answer(
        &self,
        head: &Parts,
        body: &Bytes,
        client: Client,
    ) -> Response<Body> {
        let clock = &self.engine.world.clock;
        let answer = match self.access.caller(head, body, client, SERVICE, clock) {
            Ok(caller) => self.call(head, body, &caller.scope).await,
            Err(error) => Answer::unsigned(&error),
        };
        self.response(head, answer)
    }

    /// Refuses a request to Lambda's API, because the body of the request was not received.
    pub(in crate::http) fn refuse(&self, head: &Parts, error: &Error) -> Response<Body> {
        self.response(head, Answer::body_not_received(error))
    }

    async fn call(&self, head: &Parts, body: &Bytes, scope: &AccountRegion) -> Answer {
        let call = Call::of(head);
        if call == Call::Unknown {
            let (method, path) = (&head.method, head.uri.path());
            tracing::warn!(%method, path, "this operation of Lambda is not supported");
            return Answer::unknown();
        }
        self.run(call, body, scope)
            .await
            .unwrap_or_else(Answer::from)
    }

    async fn run(
        &self,
        call: Call,
        body: &Bytes,
        scope: &AccountRegion,
    ) -> Result<Answer, Refusal> {
        let sources = &self.engine.event_sources;
        let now = self.engine.world.clock.now();
        match call {
            Call::Create => {
                let request = CreateRequest::read(&json_of(body)?)?;
                let find = |arn: &StreamArn| self.engine.find(&arn.scope, &arn.name);
                let origin = (Origin::Api, None);
                let found = sources.create_by_request(scope, &request, origin, &find)?;
                self.changed(found).await
            }
            Call::Get(uuid) => {
                let mapping = self.find(&uuid, scope)?;
                Ok(Answer::new(
                    StatusCode::OK,
                    configuration(&mapping, now, None),
                ))
            }
            Call::List(query) => self.list(&query, scope),
            Call::Update(uuid) => {
                let changes = Changes::read(&json_of(body)?)?;
                let mapping = self.find(&uuid, scope)?;
                let found = sources.update_by_request(&mapping, &changes)?;
                self.changed(found).await
            }
            Call::Delete(uuid) => {
                let mapping = self.find(&uuid, scope)?;
                let found = sources.delete(&mapping)?;
                self.changed(found).await
            }
            Call::Tag(arn) => {
                let body = json_of(body)?;
                let given = body.get("Tags").and_then(Value::as_object);
                let tags = read_tags(given.ok_or_else(|| Refusal::content("Tags is an object"))?)?;
                let mapping = self.find_by_arn(&arn, scope)?;
                let ticket = sources.tag(&mapping, tags, &[]);
                ticket.durable().await.map_err(|_| Refusal::store())?;
                Ok(Answer::empty())
            }
            Call::Untag(_, keys) if keys.is_empty() => Err(Refusal::missing("tagKeys")),
            Call::Untag(arn, keys) => {
                let mapping = self.find_by_arn(&arn, scope)?;
                let ticket = sources.tag(&mapping, Default::default(), &keys);
                ticket.durable().await.map_err(|_| Refusal::store())?;
                Ok(Answer::empty())
            }
            Call::ListTags(arn) => {
                let mapping = self.find_by_arn(&arn, scope)?;
                let tags = mapping.view(now).tags;
                Ok(Answer::new(StatusCode::OK, json!({ "Tags": tags })))
            }
            Call::Unknown => Ok(Answer::unknown()),
        }
    }

    /// Waits until the change of a mapping is durable. Then answers with the configuration that the
    /// mapping had right after the change.
    async fn changed(&self, changed: ChangedMapping) -> Result<Answer, Refusal> {
        let now = self.engine.world.clock.now();
        let shown = configuration(&changed.mapping, now, Some(changed.passing));
        changed
            .ticket
            .durable()
            .await
            .map_err(|_| Refusal::store())?;
        Ok(Answer::new(StatusCode::ACCEPTED, shown))
    }

    fn find(&self, uuid: &str, scope: &AccountRegion) -> Result<Arc<Mapping>, Refusal> {
        let uuid = Uuid::try_parse(uuid).ok();
        let found = uuid.and_then(|uuid| self.engine.event_sources.find(&uuid));
        found
            .filter(|mapping| mapping.scope == *scope)
            .ok_or_else(Refusal::not_found)
    }

    /// Finds the mapping with the ARN `arn`. The operations on tags name a mapping by its ARN.
    fn find_by_arn(&self, arn: &str, scope: &AccountRegion) -> Result<Arc<Mapping>, Refusal> {
        let parts: Vec<&str> = arn.splitn(7, ':').collect();
        let uuid = match parts[..] {
            ["arn", partition, "lambda", region, account, kind, name]
                if partition.starts_with("aws")
                    && !region.is_empty()
                    && AccountId::parse(account).is_some()
                    && has_tags(kind, name) =>
            {
                name
            }
            _ => return Err(Refusal::tagged_arn(arn)),
        };
        self.find(uuid, scope)
            .ok()
            .filter(|mapping| mapping.arn() == arn)
            .ok_or_else(|| Refusal::no_tagged(arn))
    }

    fn list(&self, query: &ListQuery, scope: &AccountRegion) -> Result<Answer, Refusal> {
        let most = most_items(query.most.as_deref())?;
        let after = marker(query.marker.as_deref())?;
        let source = query.source.as_deref().map(Source::parse);
        let function = query.function.as_deref();
        let function = function
            .map(|text| FunctionArn::resolve(text, scope))
            .transpose()?;
        let now = self.engine.world.clock.now();
        let is_meant = |mapping: &Arc<Mapping>| {
            let has_source = source
                .as_ref()
                .is_none_or(|source| source.as_ref() == Some(&mapping.source));
            mapping.scope == *scope
                && !mapping.awaits_first_stream()
                && has_source
                && after.is_none_or(|after| mapping.number > after)
                && function
                    .as_ref()
                    .is_none_or(|function| mapping.view(now).function == *function)
        };
        let all = self.engine.event_sources.all();
        let mut meant = all.iter().filter(|mapping| is_meant(mapping));
        let page: Vec<_> = meant.by_ref().take(most).collect();
        let shown: Vec<Value> = page
            .iter()
            .map(|mapping| configuration(mapping, now, None))
            .collect();
        let mut answer = json!({ "EventSourceMappings": shown });
        if let (Some(last), Some(_)) = (page.last(), meant.next()) {
            answer["NextMarker"] = format!("{:016x}", last.number).into();
        }
        Ok(Answer::new(StatusCode::OK, answer))
    }

    fn response(&self, head: &Parts, answer: Answer) -> Response<Body> {
        let random = &self.engine.world.random;
        let request_id = uuid::Builder::from_random_bytes(random.bytes())
            .into_uuid()
            .to_string();
        let (method, path, status) = (&head.method, head.uri.path(), answer.status.as_u16());
        match answer.error {
            Some(error) => tracing::warn!(%method, path, status, error, request_id, "refused"),
            None => tracing::debug!(%method, path, status, request_id, "answered"),
        }
        let body = answer.body.map(|body| body.to_string()).unwrap_or_default();
        let body = counted(body.into_bytes(), None, slow_reader::connection());
        let mut response = Response::new(Body::whole(body));
        *response.status_mut() = answer.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            headers.insert(REQUEST_ID, value);
        }
        if let Some(error) = answer.error {
            headers.insert(ERROR_TYPE, HeaderValue::from_static(error));
        }
        response
    }
}

/// True if `kind` and `name`, the last parts of an ARN, can name a resource of Lambda that has
/// tags.
fn has_tags(kind: &str, name: &str) -> bool {
    match kind {
        "event-source-mapping" => Uuid::try_parse(name).is_ok_and(|uuid| uuid.to_string() == name),
        "function" | "layer" | "code-signing-config" => !name.is_empty(),
        _ => false,
    }
}

fn json_of(body: &Bytes) -> Result<Value, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::content(&error.to_string()))
}

/// The number of mappings on a page: the value of the request's `MaxItems`, but at most 100. The
/// default is 100.
fn most_items(text: Option<&str>) -> Result<usize, Refusal> {
    let Some(text) = text else {
        return Ok(limits::EVENT_SOURCE_PAGE);
    };
    let number = text
        .parse::<usize>()
        .map_err(|_| Refusal::content("MaxItems is a number"))?;
    let refuse = |constraint| Err(Refusal::constraint(text, "maxItems", constraint));
    match number {
        0 => refuse("Member must have value greater than or equal to 1"),
        10_001.. => refuse("Member must have value less than or equal to 10000"),
        number => Ok(number.min(limits::EVENT_SOURCE_PAGE)),
    }
}

fn marker(text: Option<&str>) -> Result<Option<u64>, Refusal> {
    let Some(text) = text else {
        return Ok(None);
    };
    let number = u64::from_str_radix(text, 16)
        .ok()
        .filter(|_| text.len() == 16);
    number
        .map(Some)
        .ok_or_else(|| Refusal::invalid("Invalid marker"))
}
