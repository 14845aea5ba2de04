//! The table for people.

use super::figures::{Figures, Report};

const NAME_WIDTH: usize = 22;
const COLUMNS: usize = 12;
const WIDTHS: [usize; COLUMNS] = [10, 11, 8, 9, 9, 9, 9, 7, 11, 10, 9, 9];
const HEADINGS: [&str; COLUMNS] = [
    "REQUESTS/S",
    "RECORDS/S",
    "MB/S",
    "P50",
    "P90",
    "P99",
    "MAX",
    "ERRORS",
    "CPU/REQUEST",
    "CPU/RECORD",
    "MEMORY",
    "PEAK",
];
/// Stands for a missing figure.
const NONE: &str = "-";

/// The first line.
pub(super) fn headings() -> String {
    line("SCENARIO", &HEADINGS.map(str::to_owned))
}

/// A line for each part of a scenario, and lines with remarks about it.
pub(super) fn lines(report: &Report) -> String {
    let mut text = String::new();
    let remark = |remark: &str| format!("{:NAME_WIDTH$}  {remark}\n", report.scenario);
    for figures in report.figures() {
        let name = match &figures.part {
            Some(part) => format!("{} {part}", report.scenario),
            None => report.scenario.to_owned(),
        };
        text.push_str(&line(&name, &cells(figures)));
        if let Some(error) = &figures.first_error {
            text.push_str(&remark(&format!("the first error: {error}")));
        }
    }
    if let Some(failure) = &report.failure {
        text.push_str(&remark(&format!("failed: {failure}")));
    }
    text
}

fn line(name: &str, cells: &[String; COLUMNS]) -> String {
    let mut text = format!("{name:NAME_WIDTH$}");
    for (cell, width) in cells.iter().zip(WIDTHS) {
        text.push_str(&format!("  {cell:>width$}"));
    }
    text.push('\n');
    text
}

fn cells(figures: &Figures) -> [String; COLUMNS] {
    let some = |text: String| match figures.requests {
        0 => NONE.to_owned(),
        _ => text,
    };
    let moved = |number: f64| match number {
        0.0 => NONE.to_owned(),
        number => some(grouped(number)),
    };
    let or_none = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
    [
        some(grouped(figures.requests_per_second)),
        moved(figures.records_per_second),
        moved(figures.megabytes_per_second),
        some(time(figures.p50_us)),
        some(time(figures.p90_us)),
        some(time(figures.p99_us)),
        some(time(figures.max_us)),
        figures.errors.to_string(),
        or_none(figures.server_cpu_us_per_request.map(time)),
        or_none(figures.server_cpu_us_per_record.map(time)),
        or_none(figures.server_memory_mb.map(memory)),
        or_none(figures.server_memory_peak_mb.map(memory)),
    ]
}

fn memory(megabytes: f64) -> String {
    format!("{megabytes:.1} MB")
}

/// `microseconds` in the unit that reads best, to three digits or whole.
fn time(microseconds: f64) -> String {
    let (number, unit) = match microseconds {
        ..1e3 => (microseconds, "µs"),
        ..1e6 => (microseconds / 1e3, "ms"),
        _ => (microseconds / 1e6, "s"),
    };
    let decimals = match number {
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    format!("{number:.decimals$} {unit}")
}

/// `number` with a comma before every three digits.
pub(super) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let times = [0.5, 31.26, 999.0, 1000.0, 25_300.0, 2.5e6].map(time);
        assert_eq!(
            times,
            [
                "0.50 µs", "31.3 µs", "999 µs", "1.00 ms", "25.3 ms", "2.50 s"
            ]
        );
        let numbers = [0.4, 999.0, 1000.0, 1_234_567.0].map(grouped);
        assert_eq!(numbers, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn columns_line_up_and_errors_are_listed() {
        let figures = Figures {
            requests: 5,
            requests_per_second: 31_204.4,
            records_per_second: 31_204.4,
            p50_us: 480.0,
            first_error: Some("400 no".to_owned()),
            ..Figures::default()
        };
        let report = Report::new("put1", Ok(vec![figures]));
        let text = headings() + &lines(&report);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0].chars().count(), lines[1].chars().count());
        assert!(lines[1].starts_with("put1 ") && lines[1].contains("  31,204  "));
        assert!(lines[2].ends_with("the first error: 400 no"));
    }
}
