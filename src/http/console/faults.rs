//! The page of fault rules, and the actions that add and remove rules.

use super::actions::{Action, Outcome};
use super::fields::{Fields, bad};
use super::forms::Form;
use super::numbers;
use super::page::{self, Section};
use super::parts::{self, Tone, badge, drawer};
use super::visit::Visit;
use crate::limits;
use crate::operation::OPERATIONS;
use crate::operation::fault_rule;
use crate::options::rules_of_json;
use crate::world::{FaultKind, ListedRule};
use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

/// Answers with the page of fault rules: a table of the rules, a form for a new rule, and buttons
/// that remove rules.
pub(super) async fn page(visit: Visit) -> Response {
    let rules = visit.admin.engine.world.faults.list();
    let content = html! {
        div class="title" {
            h1 { "Faults" }
            div class="buttons" {
                (add(&visit))
                (Form::new(&visit, "faults/clear").open(&html! { button class="danger" { "Remove all" } }))
            }
        }
        p class="muted" { "Rules are tried in order. Only the first rule that fires has an effect and counts a hit." }
        div id="faults" data-live {
            @if rules.is_empty() {
                (parts::empty("No fault is injected. Add a rule here, or with:",
                    "minikin fault add 'kind=throughput-exceeded,percent=25,operations=PutRecords'"))
            } @else { (table(&visit, &rules)) }
        }
    };
    page::respond(&visit, Section::Faults, "Faults", content)
}

fn table(visit: &Visit, rules: &[ListedRule]) -> Markup {
    html! {
        (parts::table("Fault rules", &html! {
            th scope="col" { "Rule" } th scope="col" { "Kind" } th scope="col" class="num" { "Hits" }
            th scope="col" { "Where and when" } th scope="col" { span class="unseen" { "Actions" } }
        }, &html! { @for rule in rules.iter().take(limits::CONSOLE_ROWS) { (row(visit, rule)) } }))
    }
}

fn row(visit: &Visit, listed: &ListedRule) -> Markup {
    let rule = serde_json::to_value(&listed.rule).unwrap_or_default();
    let members = rule.as_object().into_iter().flatten();
    let members = members.filter(|(name, value)| *name != "kind" && !value.is_null());
    let remove = format!("faults/remove/{}", listed.id);
    html! {
        tr id={ "fault-" (listed.id) } {
            th scope="row" { (listed.id) }
            td { (badge(Tone::Busy, listed.rule.kind.name())) }
            td class="num" { (numbers::count(listed.hits)) }
            td class="wrap" {
                @for (name, value) in members {
                    span class="mono" { (name) "=" (value_text(value)) " " }
                }
            }
            td class="end" {
                (Form::new(visit, &remove).open(&html! {
                    button aria-label={ "Remove rule " (listed.id) } { "Remove" }
                }))
            }
        }
    }
}

fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(value_text).collect::<Vec<_>>().join("+"),
        other => other.to_string(),
    }
}

fn add(visit: &Visit) -> Markup {
    let form = Form::new(visit, "faults/add").open(&html! {
        label { span { "Kind" } select name="kind" { @for kind in FaultKind::ALL {
            option value=(kind.name()) { (kind.name()) }
        } } }
        label { span { "Operations (empty: all operations that this kind can affect)" }
            input name="operations" list="operations" placeholder="PutRecord, PutRecords" autocomplete="off"; }
        datalist id="operations" { @for entry in OPERATIONS.iter() { option value=(entry.name) {} } }
        label { span { "Stream (empty: all)" } input name="stream" autocomplete="off"; }
        label { span { "Percent of the calls" } input name="percent" type="number" min="0" max="100" step="any" placeholder="100"; }
        label { span { "Maximum number of hits" } input name="times" type="number" min="1"; }
        label { span { "Number of calls to let pass first" } input name="after" type="number" min="0"; }
        label { span { "Delay in milliseconds" } input name="delay_ms" type="number" min="0"; }
        label { span { "Error code" } input name="code" autocomplete="off"; }
        button class="primary" { "Add rule" }
    });
    drawer("add-fault", "Add a rule", &form)
}

/// Adds the fault rule that the form describes.
pub(super) async fn add_rule(visit: Visit, mut action: Action) -> Response {
    let outcome = add_by(&visit, &mut action.fields);
    action.answer(&visit, outcome)
}

fn add_by(visit: &Visit, fields: &mut Fields) -> Outcome {
    let mut rule = Map::new();
    for name in ["kind", "stream", "code"] {
        rule.extend(fields.take(name).map(|text| (name.to_owned(), json!(text))));
    }
    if let Some(text) = fields.take("operations") {
        let names: Vec<&str> = text
            .split([',', ' ', '+'])
            .filter(|name| !name.is_empty())
            .collect();
        rule.insert("operations".to_owned(), json!(names));
    }
    for name in ["percent", "times", "after", "delay_ms"] {
        let Some(text) = fields.take(name) else {
            continue;
        };
        let number: Value = serde_json::from_str(text.trim())
            .ok()
            .filter(Value::is_number)
            .ok_or_else(|| bad(&format!("{name} is a number")))?;
        rule.insert(name.to_owned(), number);
    }
    let rules = rules_of_json(&Value::Object(rule).to_string());
    let rules = rules.map_err(|problem| bad(&problem.to_string()))?;
    let added = fault_rule::add(&visit.admin.engine.world, rules);
    added.map_err(|error| bad(&error.to_string()))?;
    Ok("The rule is added.".to_owned())
}

/// Removes all fault rules.
pub(super) async fn clear(visit: Visit, action: Action) -> Response {
    visit.admin.engine.world.faults.clear();
    action.answer(&visit, Ok("All rules are removed.".to_owned()))
}

/// Removes the fault rule with the id `id`.
pub(super) async fn remove(visit: Visit, Path(id): Path<u64>, action: Action) -> Response {
    let outcome = match visit.admin.engine.world.faults.remove(id) {
        true => Ok("The rule is removed.".to_owned()),
        false => Err(bad("there is no such rule")),
    };
    action.answer(&visit, outcome)
}
