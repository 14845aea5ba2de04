//! The script, the style sheet and the icon of the pages. They are part of the program's binary.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

const SCRIPT: &str = include_str!("script.js");
const STYLE: &str = include_str!("style.css");
const ICON: &str = include_str!("icon.svg");

/// A number that changes when the script, the style sheet or the icon changes. The addresses of
/// these files contain the number, so that a browser may cache the files without a time limit.
pub(super) fn version() -> u32 {
    let mut hash = crc32fast::Hasher::new();
    for asset in [SCRIPT, STYLE, ICON] {
        hash.update(asset.as_bytes());
    }
    hash.finalize()
}

/// Answers with the asset `name`: the script, the style sheet or the icon.
pub(super) fn asset(name: &str) -> Response {
    let (content_type, text) = match name {
        "script.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "style.css" => ("text/css; charset=utf-8", STYLE),
        "icon.svg" => ("image/svg+xml", ICON),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "max-age=31536000, immutable"),
    ];
    (headers, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_assets_are_small() {
        assert!(SCRIPT.len() + STYLE.len() + ICON.len() < 100 * 1024);
    }
}
