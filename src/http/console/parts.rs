//! Small parts of HTML that many pages of the console contain.

use super::numbers;
use crate::world::Timestamp;
use maud::{Markup, html};

/// The meaning that the colour of a badge or a bar expresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Busy,
    Bad,
    Quiet,
}

impl Tone {
    /// The CSS class with the colour for this meaning.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Busy => "busy",
            Self::Bad => "bad",
            Self::Quiet => "quiet",
        }
    }

    /// The colour of the badge for a status such as ACTIVE.
    pub(super) fn of_status(status: &str) -> Self {
        match status {
            "ACTIVE" | "Enabled" => Self::Good,
            "DELETING" => Self::Bad,
            "Disabled" => Self::Quiet,
            _ => Self::Busy,
        }
    }

    /// The colour of the bar for `share`, the used fraction of a limit.
    pub(super) fn of_share(share: f64) -> Self {
        match share {
            share if share >= 0.95 => Self::Bad,
            share if share >= 0.7 => Self::Busy,
            _ => Self::Good,
        }
    }
}

/// A badge: a word in a coloured frame.
pub(super) fn badge(tone: Tone, text: &str) -> Markup {
    html! { span class={ "badge " (tone.class()) } { (text) } }
}

/// The badge for a status such as ACTIVE, in the colour of the status.
pub(super) fn status(text: &str) -> Markup {
    badge(Tone::of_status(text), text)
}

/// The HTML element of a time: a text for people, and the same time in RFC 3339 for programs.
pub(super) fn time(time: Timestamp) -> Markup {
    let text = numbers::moment(time);
    let (date, clock) = text.split_at(text.len().min(11));
    html! { time datetime=(time.to_rfc3339()) { span class="date" { (date) } (clock) } }
}

/// Renders a value with the label `name`.
pub(super) fn figure(name: &str, value: &Markup) -> Markup {
    html! { div class="figure" { dt { (name) } dd { (value) } } }
}

/// A bar that is filled up to the fraction `share`, from 0 to 1. `label` is the text for screen
/// readers.
pub(super) fn bar(share: f64, label: &str) -> Markup {
    let width = (share.clamp(0.0, 1.0) * 100.0).round();
    html! {
        svg class={ "bar " (Tone::of_share(share).class()) } viewBox="0 0 100 8"
            preserveAspectRatio="none" role="img" aria-label=(label) {
            rect class="track" width="100" height="8" {}
            rect class="level" width=(width) height="8" {}
        }
    }
}

/// Renders a text in place of an empty list, and below it a command that creates an item of the
/// list. Renders no command if `command` is empty.
pub(super) fn empty(text: &str, command: &str) -> Markup {
    html! {
        div class="empty" {
            p { (text) }
            @if !command.is_empty() { pre class="command" tabindex="0" { code { (command) } } }
        }
    }
}

/// A table that can be scrolled sideways. `label` is the name of the table for screen readers.
/// `head` has the cells of the first row.
pub(super) fn table(label: &str, head: &Markup, rows: &Markup) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(label) {
            table class="grid" { thead { tr { (head) } } tbody { (rows) } }
        }
    }
}

/// The short name of a shard: `shard 3` for `shardId-000000000003`.
pub(super) fn short_shard(id: crate::model::ShardId) -> String {
    format!("shard {}", id.index())
}

/// A panel with `content` that opens when the user presses a button.
pub(super) fn drawer(id: &str, label: &str, content: &Markup) -> Markup {
    html! {
        details class="drawer" id=(id) {
            summary class="button" { (label) }
            div class="panel" { (content) }
        }
    }
}
