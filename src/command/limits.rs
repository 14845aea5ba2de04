//! `minikin limits`: lists every limit with its value and its source.

use crate::limits::Row;
use crate::options::Options;
use std::io::{self, Write};
use std::process::ExitCode;

const HEADINGS: [&str; 5] = ["NAME", "VALUE", "UNIT", "SOURCE", "MEANING"];

pub(super) fn run(options: &Options) -> ExitCode {
    let limits = match options.limits() {
        Ok(limits) => limits,
        Err(error) => {
            eprintln!("minikin: {error}");
            return ExitCode::from(2);
        }
    };
    // Ignore a failed write: a reader such as `head` may have closed the pipe. `println!` would
    // panic.
    let _ = io::stdout().write_all(table(&limits.rows()).as_bytes());
    ExitCode::SUCCESS
}

/// Formats `rows` as a table with headings and aligned columns.
fn table(rows: &[Row]) -> String {
    let cells =
        |row: &Row| [row.name, &row.value, row.unit, row.source, row.meaning].map(str::to_owned);
    let mut lines = vec![HEADINGS.map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: [usize; 5] = std::array::from_fn(|column| width(column).unwrap_or_default());
    let mut text = String::new();
    for line in &lines {
        let padded = line
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(padded.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let row = |name, value: &str| Row {
            name,
            value: value.to_owned(),
            unit: "bytes",
            source: "AWS",
            meaning: "what a record may hold",
        };
        let expected = "\
NAME          VALUE     UNIT   SOURCE  MEANING
record-bytes  10485760  bytes  AWS     what a record may hold
x             1         bytes  AWS     what a record may hold
";
        assert_eq!(
            table(&[row("record-bytes", "10485760"), row("x", "1")]),
            expected
        );
    }
}
