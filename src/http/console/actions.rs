//! Actions: the forms of the pages, sent with POST.
//!
//! A form without the script is answered with the address of the next page, or with a page that
//! says the problem. The script asks for JSON.

use super::page;
use super::visit::Visit;
use crate::http::admin::{OwnBody, Refused};
use crate::operation::{Answer, Context, Entry};
use crate::wire::Format;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// The result of an action: a sentence about it, or the refusal.
pub(super) type Outcome = Result<String, Refused>;

/// The fields of a form.
#[derive(Debug)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads the fields from a body.
    pub(super) fn read(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// Removes and returns the field `name`. None if it is missing or empty.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1).filter(|value| !value.is_empty())
    }

    /// Removes and returns the field `name`.
    ///
    /// # Errors
    /// The field is missing or empty.
    pub(super) fn need(&mut self, name: &str) -> Result<String, Refused> {
        self.take(name)
            .ok_or_else(|| bad(&format!("the field {name} is empty")))
    }

    /// The JSON of a request with the remaining fields as members. Empty fields are left out.
    ///
    /// The name of a field is the path of a member, such as `StreamModeDetails.StreamMode`. An
    /// ending says the type of the value: `:int`, `:bool`, `:list` for words between commas, or `:one` for a list of this text.
    fn members(self) -> Result<Value, Refused> {
        let mut members = Value::Object(Map::new());
        for (name, text) in self.0 {
            if text.trim().is_empty() {
                continue;
            }
            let (path, kind) = name.split_once(':').unwrap_or((&name, "text"));
            let value = match kind {
                "int" => json!(
                    text.trim()
                        .parse::<i64>()
                        .map_err(|_| { bad(&format!("{path} is a whole number")) })?
                ),
                "bool" => json!(text == "true"),
                "one" => json!([text]),
                "list" => text.split(',').map(|word| json!(word.trim())).collect(),
                _ => json!(text),
            };
            let mut place = &mut members;
            for part in path.split('.') {
                place = &mut place[part];
            }
            *place = value;
        }
        Ok(members)
    }
}

/// A refusal with status 400.
pub(super) fn bad(text: &str) -> Refused {
    Refused::new(StatusCode::BAD_REQUEST, text)
}

/// Answers an action. `back` is the page that follows.
pub(super) fn answer(
    visit: &Visit,
    headers: &HeaderMap,
    back: Option<String>,
    outcome: Outcome,
) -> Response {
    let accept = headers.get(header::ACCEPT).map(|value| value.as_bytes());
    let wants_json = accept == Some(b"application/json");
    // Only pages of the console follow an action.
    let back = back.filter(|path| path.starts_with("/_minikin/"));
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

/// Calls an operation of the service with the fields of a form.
pub(super) async fn call(
    visit: Visit,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: OwnBody,
) -> Response {
    let mut fields = Fields::read(&body.bytes);
    drop(body);
    let back = fields.take("back");
    let outcome = match fields.members() {
        Ok(members) => operation(&visit, &name, &members)
            .await
            .map(|_| done(&name)),
        Err(refused) => Err(refused),
    };
    answer(&visit, &headers, back, outcome)
}

/// Calls an operation of the service, and returns its answer.
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

/// A sentence about an operation that was done.
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
        _ => return format!("{name} is done."),
    };
    sentence.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_become_members() {
        let fields = Fields::read(
            b"StreamName=a+b&ShardCount:int=2&Empty=&Details.Mode=ON&Keys:list=a,+b&Is:bool=true",
        );
        assert_eq!(
            fields.members().unwrap(),
            json!({"StreamName": "a b", "ShardCount": 2, "Details": {"Mode": "ON"},
                   "Keys": ["a", "b"], "Is": true})
        );
        assert!(Fields::read(b"ShardCount:int=two").members().is_err());
    }
}
