//! The page of a stream's settings: retention, encryption, tags and deletion.

use super::frame;
use crate::engine::{Stream, StreamProperties};
use crate::http::console::actions::{self, Action, Outcome};
use crate::http::console::fields::{Fields, bad};
use crate::http::console::forms::Form;
use crate::http::console::page::problem;
use crate::http::console::parts::time;
use crate::http::console::streams::delete;
use crate::http::console::visit::Visit;
use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::json;

/// Answers with the page of a stream's settings.
pub(in crate::http::console) async fn page(visit: Visit, Path(name): Path<String>) -> Response {
    let stream = match frame::find(&visit, &name) {
        Ok(stream) => stream,
        Err(refused) => return problem(&visit, &refused),
    };
    let properties = stream.properties();
    let content = html! {
        div class="cards" {
            section class="card" { (retention(&visit, &stream, &properties)) }
            section class="card" { (encryption(&visit, &stream, &properties)) }
            section class="card" { (tags(&visit, &stream)) }
            section class="card" {
                h2 { "The stream" }
                dl class="facts" {
                    dt { "Created" } dd { (time(stream.created)) " UTC" }
                    dt { "Largest record" } dd { (properties.max_record_kib) " KiB" }
                    dt { "Shard-level metrics" }
                    dd { @if properties.metrics.is_empty() { "none" } @else { (properties.metrics.join(", ")) } }
                }
                (clear(&visit, &stream))
                (delete(&visit, &stream.arn.name))
            }
        }
    };
    frame::respond(&visit, &stream, "settings", &content)
}

fn retention(visit: &Visit, stream: &Stream, properties: &StreamProperties) -> Markup {
    let form = Form::new(visit, &format!("retention/{}", stream.arn.name)).in_row();
    html! {
        h2 { "Retention" }
        p id="retention" data-live { "Records are kept for " b { (properties.retention_hours) " hours" } "." }
        (form.open(&html! {
            label { span { "Hours, 24 to 8,760" }
                input name="hours" type="number" min="24" max="8760" required value=(properties.retention_hours); }
            button { "Change" }
        }))
    }
}

fn encryption(visit: &Visit, stream: &Stream, properties: &StreamProperties) -> Markup {
    let name = &*stream.arn.name;
    html! {
        h2 { "Encryption" }
        div id="encryption" data-live {
            p { @match &properties.key_id {
                Some(key) => { "Encrypted with the key " span class="mono" { (key) } "." },
                None => "Not encrypted.",
            } }
        }
        @if let Some(key) = &properties.key_id {
            (Form::operation(visit, "StopStreamEncryption").open(&html! {
                input type="hidden" name="StreamName" value=(name);
                input type="hidden" name="EncryptionType" value="KMS";
                input type="hidden" name="KeyId" value=(key);
                button { "Stop encryption" }
            }))
        } @else {
            (Form::operation(visit, "StartStreamEncryption").in_row().open(&html! {
                input type="hidden" name="StreamName" value=(name);
                input type="hidden" name="EncryptionType" value="KMS";
                label { span { "KMS key" } input name="KeyId" required value="alias/aws/kinesis"; }
                button { "Start encryption" }
            }))
        }
    }
}

fn tags(visit: &Visit, stream: &Stream) -> Markup {
    let tags = stream.look(|state| state.tags.clone());
    let name = &*stream.arn.name;
    html! {
        h2 { "Tags" }
        div id="tags" data-live {
            @if tags.iter().next().is_none() { p class="muted" { "No tags." } }
            @else {
                table {
                    tbody { @for (key, value) in tags.iter() {
                        tr id={ "tag-" (key) } {
                            th scope="row" class="wrap" { bdi { (key) } } td class="wrap" { bdi { (value) } }
                            td class="end" {
                                (Form::operation(visit, "RemoveTagsFromStream").open(&html! {
                                    input type="hidden" name="StreamName" value=(name);
                                    input type="hidden" name="TagKeys:one" value=(key);
                                    button aria-label={ "Remove the tag " (key) } { "Remove" }
                                }))
                            }
                        }
                    } }
                }
            }
        }
        (Form::new(visit, &format!("tag/{name}")).in_row().open(&html! {
            label { span { "Key" } input name="key" required maxlength="128" autocomplete="off"; }
            label { span { "Value" } input name="value" maxlength="256" autocomplete="off"; }
            button { "Set tag" }
        }))
    }
}

fn clear(visit: &Visit, stream: &Stream) -> Markup {
    let name = &*stream.arn.name;
    let form = Form::new(visit, &format!("clear/{name}")).open(&html! {
        p { "Remove all records of " b { (name) } "? The stream stays, and its sequence numbers go on." }
        button class="danger" { "Remove the records" }
    });
    crate::http::console::parts::drawer("clear", "Remove all records…", &form)
}

/// Sets the retention period of a stream to the number of hours in the form.
pub(in crate::http::console) async fn set_retention(
    visit: Visit,
    Path(name): Path<String>,
    mut action: Action,
) -> Response {
    let outcome = change_retention(&visit, &name, &mut action.fields).await;
    action.answer(&visit, outcome)
}

async fn change_retention(visit: &Visit, name: &str, fields: &mut Fields) -> Outcome {
    let hours = fields.need("hours")?;
    let hours: u32 = hours.parse().map_err(|_| bad("hours is a whole number"))?;
    let stream = visit.admin.engine.find(&visit.scope, name);
    let present = stream.map_or(0, |stream| stream.properties().retention_hours);
    let operation = match hours < present {
        true => "DecreaseStreamRetentionPeriod",
        false => "IncreaseStreamRetentionPeriod",
    };
    let members = json!({ "StreamName": name, "RetentionPeriodHours": hours });
    actions::operation(visit, operation, &members).await?;
    Ok(format!("Records are kept for {hours} hours."))
}

/// Adds the tag in the form to a stream, or changes the value of the tag.
pub(in crate::http::console) async fn set_tag(
    visit: Visit,
    Path(name): Path<String>,
    mut action: Action,
) -> Response {
    let key = action.fields.take("key").unwrap_or_default();
    let value = action.fields.take("value").unwrap_or_default();
    let members = json!({ "StreamName": name, "Tags": { key: value } });
    let tagged = actions::operation(&visit, "AddTagsToStream", &members).await;
    action.answer(&visit, tagged.map(|_| "The tag is set.".to_owned()))
}

/// Removes all records of a stream.
pub(in crate::http::console) async fn clear_records(
    visit: Visit,
    Path(name): Path<String>,
    action: Action,
) -> Response {
    let outcome = match visit.admin.engine.find(&visit.scope, &name) {
        Some(stream) => match visit.admin.engine.clear(&stream).await {
            Ok(()) => Ok("The records are removed.".to_owned()),
            Err(error) => Err(bad(&error.to_string())),
        },
        None => Err(bad(&format!("there is no stream {name}"))),
    };
    action.answer(&visit, outcome)
}
