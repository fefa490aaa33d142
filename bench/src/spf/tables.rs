//! What was measured in memory, for people.

use super::rounds::Row;
use crate::corpus::Corpus;
use crate::table::{Table, percent, ratio};

pub(super) fn heading(corpus: &Corpus, rounds: usize) -> String {
    format!(
        "SPF, answers in memory: {} queries ({}), {rounds} interleaved rounds.\n\
         speed: how many checks in the time of one of the first row; median of the ratios of a \
         round, with half the\ndistance between the first and the ninth tenth as noise. Below 20 % \
         a difference says nothing.\n\n",
        corpus.mix.len(),
        corpus.origin,
    )
}

pub(super) fn mix(rows: &[Row]) -> String {
    compared(&["", "speed", "noise", "allocations a check", "right", "us a check"], rows)
}

pub(super) fn parsing(rows: &[Row]) -> String {
    let headings = ["", "speed", "noise", "allocations a record", "parsed", "us a record"];
    let table = compared(&headings, rows);
    format!("\nParsing: the corpus' SPF records, one after the other.\n\n{table}")
}

fn compared(headings: &[&str], rows: &[Row]) -> String {
    let mut table = Table::new(headings);
    for row in rows {
        let speed = rows[0].cost.ratio_to(&row.cost);
        let checks = row.last.checks as f64;
        let allocations = row
            .last
            .allocations
            .map_or("?".to_owned(), |count| format!("{:.1}", count as f64 / checks));
        table.row(vec![
            row.name.clone(),
            ratio(speed.median()),
            percent(speed.noise(), 0),
            allocations,
            percent(row.last.right as f64 / checks, 2),
            format!("{:.2}", row.micros()),
        ]);
    }
    table.to_string()
}

pub(super) fn growth(groups: &[(String, Vec<Row>)]) -> String {
    let names = groups.first().map_or(&[][..], |(_, rows)| rows);
    let mut headings = vec![""];
    headings.extend(names.iter().map(|row| row.name.as_str()));
    let mut table = Table::new(&headings);
    for (name, rows) in groups {
        table.row(
            std::iter::once(name.clone()).chain(rows.iter().map(|row| cell(rows, row))).collect(),
        );
    }
    format!(
        "\nHow cost grows: speed against the first column's program on the same queries (us a \
         check).\nA star: not all results were right.\n\n{table}"
    )
}

fn cell(rows: &[Row], row: &Row) -> String {
    let speed = rows[0].cost.ratio_to(&row.cost).median();
    let star = if row.last.right < row.last.checks { " *" } else { "" };
    format!("{} ({:.2}){star}", ratio(speed), row.micros())
}
