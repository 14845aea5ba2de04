//! The forms that put records into a stream: one form for a single record, and one form for many
//! records, with one record on each line.

use crate::engine::{Placed, PutFailure, Stream};
use crate::http::admin::{LargeBody, Refused};
use crate::http::console::actions::{Action, Outcome};
use crate::http::console::fields::{Fields, bad};
use crate::http::console::forms::Form;
use crate::http::console::numbers::plural;
use crate::http::console::parts::drawer;
use crate::http::console::visit::Visit;
use crate::limits;
use crate::operation::{self, StartRecord};
use crate::options::record_of_line;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use maud::{Markup, html};

/// Renders the forms that put records into a stream.
pub(super) fn forms(visit: &Visit, stream: &Stream) -> Markup {
    let name = &*stream.arn.name;
    let one = Form::new(visit, &format!("put/{name}")).open(&html! {
        label { span { "Partition key (empty: a new one for each record)" }
            input name="key" maxlength="256" autocomplete="off"; }
        label { span { "Data" } textarea name="data" rows="4" spellcheck="false" {} }
        button class="primary" { "Put record" }
    });
    let many = Form::new(visit, &format!("put/{name}")).open(&html! {
        label { span { "One record a line" }
            textarea name="lines" rows="6" spellcheck="false"
                placeholder="any text, or {\"PartitionKey\": \"a\", \"Json\": {\"n\": 1}}" {} }
        label { span { "Partition key of lines that name none (empty: a new one for each)" }
            input name="key" maxlength="256" autocomplete="off"; }
        button class="primary" { "Put records" }
    });
    html! {
        div class="buttons" {
            (drawer("put-one", "Put a record…", &one))
            (drawer("put-many", "Put many…", &many))
        }
    }
}

/// Puts the record or the records in the form into a stream.
pub(in crate::http::console) async fn put(
    visit: Visit,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: LargeBody,
) -> Response {
    let mut action = Action::new(&headers, body.0);
    let outcome = put_fields(&visit, &name, &mut action.fields).await;
    action.answer(&visit, outcome)
}

async fn put_fields(visit: &Visit, name: &str, fields: &mut Fields) -> Outcome {
    let engine = &visit.admin.engine;
    let stream = engine.find(&visit.scope, name);
    let stream = stream.ok_or_else(|| bad(&format!("there is no stream {name}")))?;
    let key = fields.take("key");
    let records = match fields.take("lines") {
        Some(lines) => records_of(visit, &lines, key.as_deref())?,
        None => {
            let data = fields.take("data").unwrap_or_default();
            vec![record(visit, key.as_deref(), data)]
        }
    };
    let settings = stream.put_settings();
    if !settings.writable {
        let text = "the stream accepts no records in its present status";
        return Err(Refused::new(StatusCode::CONFLICT, text));
    }
    let routed = operation::route_records(&settings, records);
    let routed = routed.map_err(|(at, error)| bad(&format!("record {}: {error}", at + 1)))?;
    let results = stream.put_many(engine, routed).await;
    sentence(&results)
}

/// Makes a record from each line that is not empty. A line that is a JSON object with a
/// `PartitionKey` defines a whole record. Any other line is the data of a record, and `key` is this
/// record's partition key. Without `key`, the partition key is random.
fn records_of(visit: &Visit, lines: &str, key: Option<&str>) -> Result<Vec<StartRecord>, Refused> {
    let lines = lines.lines().zip(1..);
    let lines = lines.filter(|(line, _)| !line.trim().is_empty());
    let records = lines.map(|(line, number)| {
        if line.starts_with('{') && line.contains("\"PartitionKey\"") {
            return record_of_line(line, number).map_err(|problem| bad(&problem.to_string()));
        }
        Ok(record(visit, key, line.to_owned()))
    });
    let records: Vec<_> = records.collect::<Result<_, _>>()?;
    if records.len() > limits::CONSOLE_PUT_RECORDS {
        let most = limits::CONSOLE_PUT_RECORDS;
        return Err(bad(&format!(
            "put {most} records at most, or use minikin put"
        )));
    }
    Ok(records)
}

fn record(visit: &Visit, key: Option<&str>, data: String) -> StartRecord {
    let fresh = || {
        let number = u64::from_be_bytes(visit.admin.engine.world.random.bytes());
        format!("{number:016x}")
    };
    StartRecord {
        partition_key: key.map_or_else(fresh, str::to_owned),
        explicit_hash_key: None,
        data: data.into_bytes(),
    }
}

/// The sentence for the user about the results of a put, or a refusal if the put of any record has
/// failed.
fn sentence(results: &[Result<Placed, PutFailure>]) -> Outcome {
    let failed = results.iter().filter(|result| result.is_err()).count();
    let is_throttled =
        |result: &Result<_, PutFailure>| matches!(result, Err(PutFailure::Throttled(_)));
    let throttled = results.iter().any(is_throttled);
    match (results, failed) {
        (_, 1..) => {
            let all = plural(results.len() as u64, "record");
            let reason = match throttled {
                true => {
                    "the write limit of a shard is exceeded (ProvisionedThroughputExceededException)"
                }
                false => "the store cannot write",
            };
            let text = format!("{failed} of {all} failed: {reason}");
            Err(Refused::new(StatusCode::CONFLICT, &text))
        }
        ([Ok(placed)], 0) => Ok(format!("The record is in {}.", placed.shard)),
        _ => Ok(format!(
            "{} are put.",
            plural(results.len() as u64, "record")
        )),
    }
}
