//! Tables for people, and for a page in Markdown.

use std::fmt;

/// A table: the first column is text, the others are aligned to the right.
#[derive(Debug, Clone)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings.
    pub fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|heading| (*heading).to_owned()).collect()] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows[0].len();
        let width = |column: usize| {
            let widths = self.rows.iter().filter_map(|row| row.get(column));
            widths.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (number, row) in self.rows.iter().enumerate() {
            for (column, width) in widths.iter().copied().enumerate() {
                let cell = row.get(column).map_or("", String::as_str);
                match column {
                    0 => write!(f, "| {cell:<width$} |")?,
                    _ => write!(f, " {cell:>width$} |")?,
                }
            }
            writeln!(f)?;
            if number == 0 {
                for (column, width) in widths.iter().copied().enumerate() {
                    let (start, end) = if column == 0 { ("|", "-|") } else { ("", ":|") };
                    write!(f, "{start}-{:-<width$}{end}", "")?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

/// Two significant digits and a bit.
pub(crate) fn ratio(value: f64) -> String {
    match value {
        value if value >= 10.0 => format!("{value:.0}"),
        value if value >= 1.0 => format!("{value:.1}"),
        value if value >= 0.1 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}

/// A part of one, with so many digits behind the point.
pub(crate) fn percent(part: f64, digits: usize) -> String {
    format!("{:.digits$} %", part * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_long_as_they_say_something() {
        assert_eq!([23.4, 2.34, 0.234, 0.0234].map(ratio), ["23", "2.3", "0.23", "0.023"]);
        assert_eq!([percent(0.97342, 2), percent(0.2, 0)], ["97.34 %", "20 %"]);
    }

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(&["what", "ratio"]);
        table.row(vec!["a longer name".to_owned(), "4.2".to_owned()]);
        let expected = "\
| what          | ratio |
|---------------|------:|
| a longer name |   4.2 |
";
        assert_eq!(table.to_string(), expected);
    }
}
