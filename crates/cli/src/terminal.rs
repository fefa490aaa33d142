//! Reports for people, no wider than the terminal that shows them. What goes into a file or a pipe
//! is as wide as it is.

use std::io::{self, IsTerminal, StderrLock, Stdout, StdoutLock, Write};
use std::os::fd::AsFd;

use anstream::AutoStream;
use anstream::adapter::strip_str;
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm, wrap};

/// The fewest columns that anything is made for.
const COLUMNS_MIN: usize = 20;

/// How far to the right a second column may begin that continued lines begin at, too.
const HANGING_MAX: usize = 24;

/// Writes lines no wider than a terminal: longer ones go on below, indented.
pub(crate) struct Report<W: Write> {
    out: W,
    columns: Option<usize>,
    /// The line that has not ended.
    line: Vec<u8>,
}

/// Standard output for a report, with colours where there can be some.
pub(crate) fn stdout() -> Report<AutoStream<StdoutLock<'static>>> {
    Report::new(anstream::stdout().lock(), columns(&io::stdout()))
}

/// As [`stdout`], for what writes now and then.
pub(crate) fn shared_stdout() -> Report<AutoStream<Stdout>> {
    Report::new(anstream::stdout(), columns(&io::stdout()))
}

/// Standard error, likewise.
pub(crate) fn stderr() -> Report<AutoStream<StderrLock<'static>>> {
    Report::new(anstream::stderr().lock(), columns(&io::stderr()))
}

/// How many columns a terminal has; none for what is no terminal.
fn columns(stream: &(impl IsTerminal + AsFd)) -> Option<usize> {
    if !stream.is_terminal() {
        return None;
    }
    let (width, _) = terminal_size::terminal_size_of(stream)?;
    // Some say 0 where they do not know.
    Some(usize::from(width.0)).filter(|columns| *columns > 0)
}

impl<W: Write> Report<W> {
    /// Lines of at most so many columns; none: as they come.
    pub(crate) fn new(out: W, columns: Option<usize>) -> Self {
        let columns = columns.map(|columns| columns.max(COLUMNS_MIN));
        Self { out, columns, line: Vec::new() }
    }

    /// How many columns there are; none: there is no end of them.
    pub(crate) fn columns(&self) -> Option<usize> {
        self.columns
    }

    fn end_line(&mut self, columns: usize) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        if !line.is_empty() {
            self.out.write_all(wrapped(&line, columns).as_bytes())?;
        }
        Ok(())
    }
}

impl<W: Write> Write for Report<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let Some(columns) = self.columns else { return self.out.write(octets) };
        for part in octets.split_inclusive(|octet| *octet == b'\n') {
            match part.strip_suffix(b"\n") {
                Some(rest) => {
                    self.line.extend_from_slice(rest);
                    self.end_line(columns)?;
                    self.out.write_all(b"\n")?;
                }
                None => self.line.extend_from_slice(part),
            }
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(columns) = self.columns {
            self.end_line(columns)?;
        }
        self.out.flush()
    }
}

impl<W: Write> Drop for Report<W> {
    fn drop(&mut self) {
        // Whoever wants to know of an error flushes.
        let _ = self.flush();
    }
}

/// A line as lines of so many columns at most, broken at blanks, else within words.
fn wrapped(line: &str, columns: usize) -> String {
    if textwrap::core::display_width(line) <= columns {
        return line.to_owned();
    }
    let hanging = hanging(&strip_str(line).to_string(), columns);
    let options = Options::new(columns)
        .subsequent_indent(&hanging)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    wrap(line, options).join("\n")
}

/// What stands before the lines that go on from this one: the branches of a tree that pass by, and
/// so many blanks that a title or a first column stands alone.
fn hanging(line: &str, columns: usize) -> String {
    let is_lead = |c: char| matches!(c, ' ' | '│' | '├' | '└' | '─');
    let text = line.trim_start_matches(is_lead);
    let lead = &line[..line.len() - text.len()];
    let mut hanging: String = match (lead, second_column(line)) {
        ("", Some(column)) => " ".repeat(column),
        ("", None) => "  ".to_owned(),
        _ => {
            let passing = |c: char| if matches!(c, '│' | '├') { '│' } else { ' ' };
            lead.chars().map(passing).chain("  ".chars()).collect()
        }
    };
    // However deep it is, room is left to read.
    if let Some((end, _)) = hanging.char_indices().nth(columns / 2) {
        hanging.truncate(end);
    }
    hanging
}

/// Where a second column begins, counted in characters: behind two blanks at least.
fn second_column(line: &str) -> Option<usize> {
    let gap = line.find("  ")?;
    let column = gap + (line[gap..].len() - line[gap..].trim_start().len());
    let characters = line[..column].chars().count();
    (characters <= HANGING_MAX).then_some(characters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(columns: Option<usize>, parts: &[&str]) -> String {
        let mut octets = Vec::new();
        let mut report = Report::new(&mut octets, columns);
        parts.iter().for_each(|part| report.write_all(part.as_bytes()).unwrap());
        drop(report);
        String::from_utf8(octets).unwrap()
    }

    #[test]
    fn long_lines_go_on_below_their_column() {
        let text = "verdict  reject  550 one two three four\n         because of it\n";
        assert_eq!(
            shown(Some(26), &[text]),
            "verdict  reject  550 one\n         two three four\n         because of it\n"
        );
        assert_eq!(shown(None, &[text]), text);
        assert_eq!(shown(Some(80), &[text]), text);
    }

    #[test]
    fn branches_of_a_tree_pass_by() {
        assert_eq!(
            shown(
                Some(24),
                &["  ├─ include:a.example  no match at all\n  └─ one two three four\n"]
            ),
            "  ├─ include:a.example\n  │    no match at all\n  └─ one two three four\n"
        );
        assert_eq!(
            shown(Some(20), &["│  │ ? a.example TXT: found it there\n"]),
            "│  │ ? a.example\n│  │   TXT: found it\n│  │   there\n"
        );
    }

    #[test]
    fn colours_have_no_width_and_words_are_broken_where_they_must() {
        let red = "\u{1b}[1m\u{1b}[31mone two three four\u{1b}[0m";
        assert_eq!(shown(Some(20), &[red, "\n"]), format!("{red}\n"));
        let long = "x".repeat(45);
        let text = shown(Some(20), &[&long, "\nend"]);
        assert!(text.lines().all(|line| line.chars().count() <= 20), "{text}");
        assert_eq!(text.matches('x').count(), 45, "{text}");
        assert!(text.ends_with("\nend"), "{text}");
    }

    #[test]
    fn no_depth_takes_all_the_room() {
        let text = format!("{}one two three four five", " ".repeat(60));
        let text = shown(Some(30), &[&text]);
        assert!(text.ends_with("four five") && text.lines().all(|line| line.len() <= 60), "{text}");
        assert_eq!(
            shown(Some(1), &["one two\n"]),
            "one two\n",
            "nobody has less than {COLUMNS_MIN}"
        );
    }
}
