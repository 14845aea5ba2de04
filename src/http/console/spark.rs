//! A small line chart of a value over time, as SVG.

use maud::{Markup, html};
use std::fmt::Write as _;

/// Width of a line chart, in units of the SVG's view box.
const WIDTH: f64 = 120.0;
/// Height of a line chart, in units of the SVG's view box.
const HEIGHT: f64 = 24.0;

/// The points of the chart's line, as SVG text. Each of `values` is a point: its position from 0 to
/// 1 on the time axis, and its value. The chart is scaled so that its largest value is at the top.
fn points(values: &[(f64, f64)]) -> String {
    let top = values.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let scale = if top > 0.0 { (HEIGHT - 3.0) / top } else { 0.0 };
    let mut text = String::new();
    for (at, value) in values {
        let (x, y) = (at.clamp(0.0, 1.0) * WIDTH, HEIGHT - 1.5 - value * scale);
        // Writing to a String cannot fail.
        let _ = write!(text, "{x:.1},{y:.1} ");
    }
    text.truncate(text.trim_end().len());
    text
}

/// Renders a line chart of `values`. `class` is its class in the style sheet, and `label` is the
/// text for screen readers.
pub(super) fn line(class: &str, values: &[(f64, f64)], label: &str) -> Markup {
    html! {
        svg class={ "spark " (class) } viewBox="0 0 120 24" preserveAspectRatio="none" role="img"
            aria-label=(label) {
            polyline points=(points(values)) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_value_is_at_the_top() {
        let line = points(&[(0.0, 0.0), (0.5, 10.0), (1.0, 5.0)]);
        assert_eq!(line, "0.0,22.5 60.0,1.5 120.0,12.0");
        assert_eq!(points(&[]), "");
        assert_eq!(points(&[(0.0, 0.0), (2.0, 0.0)]), "0.0,22.5 120.0,22.5");
    }
}
