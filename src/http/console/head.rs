//! The HTML head of every page.

use super::assets;
use maud::{Markup, html};

/// Renders the HTML head of a page with the title `title`.
pub(super) fn head(title: &str) -> Markup {
    let version = assets::version();
    let asset = |name: &str| format!("/_minikin/console/assets/{name}?v={version:08x}");
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) " · minikin" }
            link rel="icon" href=(asset("icon.svg"));
            link rel="stylesheet" href=(asset("style.css"));
            script src=(asset("script.js")) defer {}
        }
    }
}
