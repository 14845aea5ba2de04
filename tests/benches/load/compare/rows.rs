//! The rows of a comparison, as Markdown and as JSON.

use super::super::Scenario;
use super::super::table::grouped;
use serde_json::json;

/// The result of one round at one server: parts and their rates.
pub(super) type Round = Vec<(String, f64)>;
/// The rounds of one server, or why it failed.
pub(super) type Outcome = Result<Vec<Round>, String>;

/// A scenario, or a part of one, with a cell for each server.
#[derive(Debug, PartialEq)]
pub(super) struct Row {
    scenario: &'static str,
    part: String,
    unit: &'static str,
    cells: Vec<Cell>,
}

/// The rates of the rounds, or the reason why they are missing.
type Cell = Result<Vec<f64>, String>;

impl Row {
    pub(super) fn has_figures(&self) -> bool {
        self.cells.iter().any(Result::is_ok)
    }

    /// A JSON object and the end of the line.
    pub(super) fn json(&self, names: &[&str]) -> String {
        let first = self.cells.first().and_then(median);
        let servers = names
            .iter()
            .zip(&self.cells)
            .map(|(name, cell)| match cell {
                Ok(rounds) => json!({
                    "name": name,
                    "median": median(cell),
                    "ratio": ratio(cell, first),
                    "rounds": rounds,
                }),
                Err(failure) => json!({ "name": name, "failure": failure }),
            });
        let mut object = json!({
            "scenario": self.scenario,
            "unit": self.unit,
            "servers": servers.collect::<Vec<_>>(),
        });
        if !self.part.is_empty() {
            object["part"] = json!(self.part);
        }
        object.to_string() + "\n"
    }
}

/// A row for each part that any server has.
pub(super) fn rows(scenario: Scenario, outcomes: &[Outcome]) -> Vec<Row> {
    let rounds = outcomes.iter().flatten().flatten();
    let mut parts: Vec<&str> = Vec::new();
    for (part, _) in rounds.flatten() {
        if !parts.contains(&part.as_str()) {
            parts.push(part);
        }
    }
    if parts.is_empty() {
        parts.push("");
    }
    let row = |part: &str| Row {
        scenario: scenario.name(),
        part: part.to_owned(),
        unit: scenario.unit(),
        cells: outcomes.iter().map(|outcome| cell(outcome, part)).collect(),
    };
    parts.into_iter().map(row).collect()
}

fn cell(outcome: &Outcome, part: &str) -> Cell {
    let rounds = outcome.as_ref().map_err(Clone::clone)?;
    let of_part = |round: &Round| {
        round
            .iter()
            .find(|(name, _)| name == part)
            .map(|found| found.1)
    };
    let rates: Vec<f64> = rounds.iter().filter_map(of_part).collect();
    match rates.is_empty() {
        true => Err("there is no such part here".to_owned()),
        false => Ok(rates),
    }
}

/// The middle rate, or the mean of the two in the middle.
fn median(cell: &Cell) -> Option<f64> {
    let mut rates = cell.as_ref().ok()?.clone();
    rates.sort_by(f64::total_cmp);
    let upper = rates.get(rates.len() / 2)?;
    let lower = rates.get((rates.len() - 1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

fn ratio(cell: &Cell, first: Option<f64>) -> Option<f64> {
    let first = first.filter(|first| *first > 0.0)?;
    Some(median(cell)? / first)
}

/// A table that reads well as it is and in Markdown, and under it why cells have no figure.
pub(super) fn table(names: &[&str], rows: &[Row]) -> String {
    let mut lines = vec![vec!["scenario".to_owned()]];
    lines[0].extend(names.iter().map(|&name| name.to_owned()));
    lines.extend(rows.iter().map(texts));
    let width = |column: usize| {
        let widths = lines.iter().map(|line| line[column].chars().count());
        widths.max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..=names.len()).map(width).collect();
    let mut text = String::new();
    for (at, line) in lines.iter().enumerate() {
        text.push_str(&format!("| {:<1$} |", line[0], widths[0]));
        for (cell, width) in line.iter().zip(&widths).skip(1) {
            text.push_str(&format!(" {cell:>width$} |"));
        }
        text.push('\n');
        if at == 0 {
            text.push_str(&rule(&widths));
        }
    }
    text + &failures(names, rows)
}

/// The line under the headings, which sets figures to the right.
fn rule(widths: &[usize]) -> String {
    let mut text = "|".to_owned();
    for (column, width) in widths.iter().enumerate() {
        let end = if column == 0 { '-' } else { ':' };
        text.push_str(&format!("{}{end}|", "-".repeat(width + 1)));
    }
    text.push('\n');
    text
}

fn texts(row: &Row) -> Vec<String> {
    let first = row.cells.first().and_then(median);
    let name = match row.part.as_str() {
        "" => format!("{}, {}", row.scenario, row.unit),
        part => format!("{} {part}, {}", row.scenario, row.unit),
    };
    let cell = |(column, cell): (usize, &Cell)| match (median(cell), ratio(cell, first)) {
        (None, _) => "failed".to_owned(),
        (Some(rate), Some(ratio)) if column > 0 => format!("{} ({})", grouped(rate), short(ratio)),
        (Some(rate), _) => grouped(rate),
    };
    let cells = row.cells.iter().enumerate().map(cell);
    std::iter::once(name).chain(cells).collect()
}

/// Two digits that matter.
fn short(ratio: f64) -> String {
    let decimals = match ratio {
        10.0.. => 0,
        1.0.. => 1,
        0.1.. => 2,
        0.01.. => 3,
        _ => 4,
    };
    format!("{ratio:.decimals$}×")
}

/// The failures, each on one line, and each only once for all parts of a scenario.
fn failures(names: &[&str], rows: &[Row]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for row in rows {
        for (name, cell) in names.iter().zip(&row.cells) {
            let Err(failure) = cell else { continue };
            let words: Vec<&str> = failure.split_whitespace().collect();
            let line = format!("\n{}, {name}: {}\n", row.scenario, words.join(" "));
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn round(rate: f64) -> Round {
        vec![(String::new(), rate)]
    }

    #[test]
    fn a_table_has_medians_ratios_and_failures() {
        let put = [
            Ok(vec![round(31_000.0), round(10.0), round(32_000.0)]),
            Ok(vec![round(1_200.0), round(1_300.0)]),
            Err("400 {\n \"no\": 1}".to_owned()),
        ];
        let deep = |rate: f64| {
            let parts = ["1000 head", "1000 end"];
            parts.map(|part| (part.to_owned(), rate)).to_vec()
        };
        let get = [
            Ok(vec![deep(100.0)]),
            Ok(vec![deep(250.0)]),
            Ok(vec![deep(0.5)]),
        ];
        let mut all = rows(Scenario::Put1, &put);
        all.extend(rows(Scenario::GetDeep, &get));
        let text = table(&["minikin", "a peer", "µ"], &all);
        expect![[r#"
            | scenario                   | minikin |         a peer |           µ |
            |----------------------------|--------:|---------------:|------------:|
            | put1, records/s            |  31,000 | 1,250 (0.040×) |      failed |
            | getdeep 1000 head, calls/s |     100 |     250 (2.5×) | 0 (0.0050×) |
            | getdeep 1000 end, calls/s  |     100 |     250 (2.5×) | 0 (0.0050×) |

            put1, µ: 400 { "no": 1}
        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn without_the_first_there_are_no_ratios() {
        let outcomes = [Err("refused".to_owned()), Ok(vec![round(5.0)])];
        let all = rows(Scenario::Streams, &outcomes);
        let text = table(&["one", "two"], &all);
        expect![[r#"
            | scenario           |    one | two |
            |--------------------|-------:|----:|
            | streams, streams/s | failed |   5 |

            streams, one: refused
        "#]]
        .assert_eq(&text);
        expect![[r#"
            {"scenario":"streams","servers":[{"failure":"refused","name":"one"},{"median":5.0,"name":"two","ratio":null,"rounds":[5.0]}],"unit":"streams/s"}
        "#]]
        .assert_eq(&all[0].json(&["one", "two"]));
    }

    #[test]
    fn an_emulator_that_does_not_answer_has_a_row_too() {
        let all = rows(Scenario::Get, &[Err("refused".to_owned())]);
        assert_eq!((all.len(), all[0].has_figures()), (1, false));
    }
}
