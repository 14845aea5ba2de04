//! Output on stdout: tables and coloured lines on a terminal, and JSON lines for programs.

use super::outcome::Failure;
use crate::wire::escaped;
use serde_json::Value;
use std::io::{self, IsTerminal, Write};

/// The form of a command's output: for people or for programs, and with or without colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    /// True for tables and aligned lines, which people read. False for JSON lines, which programs
    /// read.
    pub(super) for_people: bool,
    /// True if the output is coloured.
    pub(super) colours: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Colour {
    Dim,
    Green,
    Cyan,
}

impl Form {
    /// The form for standard output: JSON lines when `json` is set or when stdout is not a
    /// terminal.
    pub(super) fn of_output(json: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            for_people: terminal && !json,
            colours: terminal && wanted && !json,
        }
    }

    /// Colours the text if this form has colours. Otherwise returns the text unchanged.
    pub(super) fn paint(self, colour: Colour, text: &str) -> String {
        if !self.colours {
            return text.to_owned();
        }
        let code = match colour {
            Colour::Dim => 2,
            Colour::Green => 32,
            Colour::Cyan => 36,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Prints a line to standard output.
///
/// # Errors
/// Standard output cannot be written, or its reader has closed it.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush());
    written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::ReaderGone,
        _ => Failure::Usage(format!("standard output: {error}")),
    })
}

/// A column of a table: the column's title, and the name of a JSON member. The column shows the
/// value of this member in each row.
pub(super) type Column = (&'static str, &'static str);

/// Prints the rows: as a table for people, and as one JSON document on each line for programs.
pub(super) fn rows(form: Form, columns: &[Column], rows: &[Value]) -> Result<(), Failure> {
    if !form.for_people {
        return rows.iter().try_for_each(|row| line(&row.to_string()));
    }
    let titles = columns.iter().map(|(title, _)| (*title).to_owned());
    let mut table: Vec<Vec<String>> = vec![titles.collect()];
    for row in rows {
        let cell = |(_, member): &Column| text_of(row.get(*member));
        table.push(columns.iter().map(cell).collect());
    }
    table_lines(&table)
        .iter()
        .enumerate()
        .try_for_each(|(at, text)| {
            if at == 0 {
                line(&form.paint(Colour::Dim, text))
            } else {
                line(text)
            }
        })
}

/// Formats the rows of a table as lines of text with aligned columns.
fn table_lines(table: &[Vec<String>]) -> Vec<String> {
    let columns = table.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = table.iter().filter_map(|row| row.get(column));
        cells
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let text = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths);
        let padded = cells.map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    table.iter().map(text).collect()
}

fn text_of(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => printable(text),
        Some(other) => other.to_string(),
    }
}

/// Escapes the control characters in a text, so that data cannot control the terminal.
pub(super) fn printable(text: &str) -> String {
    escaped(text, char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        let table = [row(["NAME", "SHARDS"]), row(["a-long-name", "1"])];
        assert_eq!(
            table_lines(&table),
            ["NAME         SHARDS", "a-long-name  1"]
        );
    }

    #[test]
    fn data_cannot_steer_a_terminal() {
        assert_eq!(printable("a\x1b[31m\nb"), "a\\u{1b}[31m\\nb");
    }
}
