//! Runs the actions of the console. A browser starts an action when it sends a form of a page with
//! POST.
//!
//! A browser that sends the form without the script gets a redirect to the next page, or a page
//! about the error. The script asks for an answer in JSON when it sends the form.

use super::fields::{Fields, bad};
use super::page;
use super::visit::Visit;
use crate::http::admin::{Admin, OwnBody, Refused};
use crate::operation::{Answer, Context, Entry};
use crate::wire::Format;
use axum::extract::{FromRequest, Path, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use bytes::Bytes;
use serde_json::{Value, json};

/// The result of an action: a sentence for the user after a success, or the refusal of the action.
pub(super) type Outcome = Result<String, Refused>;

/// A form that a browser has sent, and the format of the answer that the browser asks for.
pub(super) struct Action {
    /// The remaining fields of the form. The action removes each field that it reads.
    pub(super) fields: Fields,
    /// Path of the page that the browser shows after the action. None for the page of all streams.
    back: Option<String>,
    wants_json: bool,
    /// The body of the request. The value holds the budget permit of the body, and this permit also
    /// covers the parsed fields.
    body: Option<OwnBody>,
}

impl FromRequest<Admin> for Action {
    type Rejection = Response;

    async fn from_request(request: Request, admin: &Admin) -> Result<Self, Response> {
        let headers = request.headers().clone();
        let body = OwnBody::from_request(request, admin).await?;
        Ok(Self::new(&headers, body))
    }
}

impl Action {
    pub(super) fn new(headers: &HeaderMap, body: OwnBody) -> Self {
        let accept = headers.get(header::ACCEPT).map(|value| value.as_bytes());
        let mut fields = Fields::read(&body.bytes);
        Self {
            back: fields.take("back"),
            fields,
            wants_json: accept == Some(b"application/json"),
            body: Some(body),
        }
    }

    /// Answers the request that has sent the form. `outcome` is the result of the action.
    pub(super) fn answer(self, visit: &Visit, outcome: Outcome) -> Response {
        let wants_json = self.wants_json;
        // Redirect only to pages of the console, because a web page could put any address into the
        // form.
        let back = self.back.filter(|path| path.starts_with("/_minikin/"));
        let back = back.unwrap_or_else(|| visit.link("/_minikin/"));
        match outcome {
            Ok(message) if wants_json => {
                let body = json!({ "message": message, "next": back }).to_string();
                ([(header::CONTENT_TYPE, "application/json")], body).into_response()
            }
            Ok(_) => Redirect::to(&back).into_response(),
            Err(refused) if wants_json => refused.into_response(),
            Err(refused) => page::problem(visit, &refused),
        }
    }
}

/// Calls the operation `name` of the service. The fields of the form are the members of the
/// request.
pub(super) async fn call(visit: Visit, Path(name): Path<String>, mut action: Action) -> Response {
    action.body = None;
    let outcome = match action.fields.members() {
        Ok(members) => operation(&visit, &name, &members)
            .await
            .map(|_| done(&name)),
        Err(refused) => Err(refused),
    };
    action.answer(&visit, outcome)
}

/// Calls the operation `name` of the service within this process, without HTTP. `members` are the
/// members of the request. Returns the answer of the operation as JSON.
pub(super) async fn operation(
    visit: &Visit,
    name: &str,
    members: &Value,
) -> Result<Value, Refused> {
    let entry = Entry::find(name);
    let entry = entry.ok_or_else(|| bad(&format!("there is no operation {name}")))?;
    let context = Context::new(visit.admin.engine.clone(), visit.scope.clone(), None);
    let body = Bytes::from(members.to_string());
    match entry.call(context, body, Format::Json).await {
        Ok(Answer::Whole(body, _permit)) => {
            Ok(serde_json::from_slice(&body).unwrap_or(Value::Null))
        }
        Ok(Answer::Events(_)) => Err(bad("a subscription cannot be opened here")),
        Ok(Answer::Lost) => Err(Refused::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "a fault rule drops the answer",
        )),
        Err(error) => {
            let status = StatusCode::from_u16(error.kind.status());
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Err(Refused::new(status, &error.with_remedy().to_string()))
        }
    }
}

/// The sentence for the user after the operation `name` has succeeded.
fn done(name: &str) -> String {
    let sentence = match name {
        "CreateStream" => "The stream is being created.",
        "DeleteStream" => "The stream is being deleted.",
        "SplitShard" => "The shard is split.",
        "MergeShards" => "The shards are merged.",
        "UpdateShardCount" => "The stream is being scaled.",
        "UpdateStreamMode" => "The mode is changed.",
        "RegisterStreamConsumer" => "The consumer is registered.",
        "DeregisterStreamConsumer" => "The consumer is deregistered.",
        "StartStreamEncryption" => "Encryption is on.",
        "StopStreamEncryption" => "Encryption is off.",
        "AddTagsToStream" => "The tag is set.",
        "RemoveTagsFromStream" => "The tag is removed.",
        "CreateQueue" => "The queue is being created.",
        "DeleteQueue" => "The queue is being deleted.",
        _ => return format!("{name} succeeded."),
    };
    sentence.to_owned()
}
