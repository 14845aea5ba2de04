//! Renders a JSON document as a tree whose branches can be folded.

use maud::{Markup, html};
use serde_json::Value;

/// Number of levels that the tree shows. A value on a deeper level is shown on one line.
const DEPTH: usize = 24;

/// Renders a JSON document as a tree. The tree shows at most `most` values of the document.
pub(super) fn tree(value: &Value, most: usize) -> Markup {
    let mut left = most;
    let tree = node(None, value, DEPTH, &mut left);
    html! {
        div class="json" {
            (tree)
            @if left == 0 { p class="muted" { "The document has more values than are shown here." } }
        }
    }
}

fn node(name: Option<&str>, value: &Value, depth: usize, left: &mut usize) -> Markup {
    *left = left.saturating_sub(1);
    let label = html! {
        @if let Some(name) = name { span class="key" { (name) } ": " }
    };
    let (open, close, count) = match value {
        Value::Array(items) => ('[', ']', items.len()),
        Value::Object(members) => ('{', '}', members.len()),
        _ => return html! { div class="leaf" { (label) (leaf(value)) } },
    };
    if count == 0 || depth == 0 {
        let text = value.to_string();
        return html! { div class="leaf" { (label) span class="mark" { (text) } } };
    }
    let children = children(value, depth - 1, left);
    html! {
        details open {
            summary { (label) span class="mark" { (open) } span class="size" { (count) } }
            div class="children" { (children) }
            span class="mark" { (close) }
        }
    }
}

fn children(value: &Value, depth: usize, left: &mut usize) -> Markup {
    let mut shown = Vec::new();
    match value {
        Value::Array(items) => {
            for item in items {
                if *left == 0 {
                    break;
                }
                shown.push(node(None, item, depth, left));
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                if *left == 0 {
                    break;
                }
                shown.push(node(Some(name), member, depth, left));
            }
        }
        _ => {}
    }
    html! { @for child in &shown { (child) } }
}

fn leaf(value: &Value) -> Markup {
    let class = match value {
        Value::String(_) => "string",
        Value::Number(_) => "number",
        _ => "word",
    };
    html! { span class=(class) { (super::characters::visible(&value.to_string())) } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_tree_is_bounded_and_escaped() {
        let many: Vec<u32> = (0..1000).collect();
        let shown = tree(&json!({ "many": many }), 10).into_string();
        assert_eq!(shown.matches("leaf").count(), 8);
        assert!(shown.contains("more values"));
        let shown = tree(&json!({ "<b>": "</span><script>" }), 10).into_string();
        assert!(!shown.contains("<b>") && !shown.contains("<script>"));
        assert!(!shown.contains("more values"));
    }

    #[test]
    fn a_deep_tree_ends() {
        let mut value = json!(1);
        for _ in 0..100 {
            value = json!([value]);
        }
        let shown = tree(&value, 1000).into_string();
        assert_eq!(shown.matches("<details").count(), DEPTH);
    }
}
