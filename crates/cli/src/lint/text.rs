//! A report for people: the tree of what is published, then each remark with its place, as
//! compilers show them.

use std::error::Error;
use std::fmt;
use std::io::{self, Write};

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode,
};
use quivive_evidence::{LintNode, LintReport, Remark, Severity};

use crate::style::{self, QUIET, STRONG, excerpt, printable};
use crate::terminal::Report;

/// How wide a report is at most, in columns.
const COLUMNS_MAX: usize = 92;

/// What miette draws beside a record, in columns.
const FRAME_COLUMNS: usize = 10;

/// How much of a record is shown around what is meant, in characters on each side.
const AROUND_CHARACTERS: usize = 28;

/// How much of what is meant is shown, in characters.
const MEANT_CHARACTERS_MAX: usize = 60;

/// How much of a term or a record is shown in the tree, in characters.
const TREE_CHARACTERS_MAX: usize = 70;

/// How many nodes of the tree are shown.
const NODES_MAX: usize = 200;

/// Writes a report about a domain, or about a text that stands alone.
pub(crate) fn write<W: Write>(
    out: &mut Report<W>,
    report: &LintReport,
    domain: Option<&str>,
) -> io::Result<()> {
    write_tree(out, report)?;
    write_remarks(out, report, domain)?;
    write_summary(out, report)
}

/// Each remark with its place.
pub(crate) fn write_remarks<W: Write>(
    out: &mut Report<W>,
    report: &LintReport,
    domain: Option<&str>,
) -> io::Result<()> {
    let columns = out.columns();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode())
        .with_width(columns.map_or(COLUMNS_MAX, |columns| columns.min(COLUMNS_MAX)))
        .with_links(false)
        .without_primary_span_start();
    for remark in &report.remarks {
        let mut text = String::new();
        let shown = Shown::new(report, remark, domain, columns);
        handler.render_report(&mut text, &shown).map_err(io::Error::other)?;
        writeln!(out, "{text}")?;
    }
    Ok(())
}

fn write_tree(out: &mut impl Write, report: &LintReport) -> io::Result<()> {
    let mut left = NODES_MAX;
    for root in &report.tree {
        let text = excerpt(&root.text, TREE_CHARACTERS_MAX);
        let note = if root.note.is_empty() { String::new() } else { format!("  {}", root.note) };
        writeln!(out, "{STRONG}{text}{STRONG:#}{QUIET}{note}{QUIET:#}")?;
        let is_one_line = !report.record.is_empty() && !report.record.contains('\n');
        if is_one_line && root.text != report.record {
            writeln!(
                out,
                "{QUIET}│{QUIET:#} {}",
                excerpt(&report.record, 2 * TREE_CHARACTERS_MAX)
            )?;
        }
        write_nodes(out, &root.children, "", &mut left)?;
    }
    for count in &report.counts {
        let is_over = count.used > count.most;
        let style = if is_over { style::of_promise(false) } else { QUIET };
        let bar = bar(count.used, count.most);
        writeln!(out, "  {bar} {style}{} of {}{style:#} {}", count.used, count.most, count.what)?;
    }
    if !report.tree.is_empty() {
        writeln!(out)?;
    }
    Ok(())
}

fn write_nodes(
    out: &mut impl Write,
    nodes: &[LintNode],
    indent: &str,
    left: &mut usize,
) -> io::Result<()> {
    for (index, node) in nodes.iter().enumerate() {
        if *left == 0 {
            return writeln!(out, "{indent}{QUIET}└─ … and more{QUIET:#}");
        }
        *left -= 1;
        let is_last = index + 1 == nodes.len();
        let (mark, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let text = excerpt(&node.text, TREE_CHARACTERS_MAX);
        let note = if node.note.is_empty() { String::new() } else { format!("  {}", node.note) };
        writeln!(out, "{indent}{QUIET}{mark}{QUIET:#}{text}{QUIET}{}{QUIET:#}", printable(&note))?;
        write_nodes(out, &node.children, &format!("{indent}{below}"), left)?;
        if *left == 0 {
            return Ok(());
        }
    }
    Ok(())
}

/// `■■■■□□□□□□`
fn bar(used: usize, most: usize) -> String {
    let filled = used.min(most);
    let over = if used > most { "▶" } else { "" };
    format!("{}{}{over}", "■".repeat(filled), "□".repeat(most - filled))
}

fn write_summary(out: &mut impl Write, report: &LintReport) -> io::Result<()> {
    let style = match report.remarks.iter().map(|remark| remark.severity).min() {
        Some(Severity::Error) => style::of_promise(false),
        Some(_) => STRONG,
        None => style::of_promise(true),
    };
    writeln!(out, "{style}{}{style:#}", summary(report))
}

/// `1 error, 2 warnings`, or that there is nothing to say.
pub(crate) fn summary(report: &LintReport) -> String {
    let counted = |(severity, singular, plural)| match report.count(severity) {
        0 => None,
        1 => Some(format!("1 {singular}")),
        count => Some(format!("{count} {plural}")),
    };
    let mut told: Vec<_> = [
        (Severity::Error, "error", "errors"),
        (Severity::Warning, "warning", "warnings"),
        (Severity::Advice, "piece of advice", "pieces of advice"),
    ]
    .into_iter()
    .filter_map(counted)
    .collect();
    if report.omitted > 0 {
        told.push(format!("{} more of the same kinds", report.omitted));
    }
    if told.is_empty() { "nothing to find fault with".to_owned() } else { told.join(", ") }
}

/// A remark as miette draws it.
#[derive(Debug)]
struct Shown {
    severity: Severity,
    code: String,
    message: String,
    help: String,
    source: Option<(NamedSource<String>, LabeledSpan)>,
}

impl Shown {
    fn new(
        report: &LintReport,
        remark: &Remark,
        domain: Option<&str>,
        columns: Option<usize>,
    ) -> Self {
        let room = columns.map(|columns| columns.saturating_sub(FRAME_COLUMNS));
        let domain = domain.map_or_else(|| "the record".to_owned(), str::to_owned);
        let (start, end) = remark.span;
        let place = (remark.span != (0, 0)).then(|| Place::of(&report.record, remark.span, room));
        Self {
            severity: remark.severity,
            code: format!("{}[{}/{}]", remark.severity, report.method, remark.code),
            message: printable(&remark.message).into_owned(),
            help: printable(&remark.help).into_owned(),
            source: place.map(|place| {
                let name = format!("{}, octet {start}", printable(&domain));
                let here = (start == end).then(|| "here".to_owned());
                let label = LabeledSpan::new(here, place.start, place.end - place.start);
                (NamedSource::new(name, place.text), label)
            }),
        }
    }
}

/// A part of a record as it can be shown on one line, and where in it lies what is meant.
struct Place {
    text: String,
    start: usize,
    end: usize,
}

impl Place {
    /// `room` is how many columns there are, if there is an end of them.
    fn of(record: &str, (start, end): (usize, usize), room: Option<usize>) -> Self {
        let line = record[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = record[start..].find('\n').map_or(record.len(), |at| start + at);
        let before = &record[line..start];
        let meant = &record[start..end.min(line_end)];
        let after = &record[end.min(line_end)..line_end];
        let meant_max =
            room.map_or(MEANT_CHARACTERS_MAX, |room| MEANT_CHARACTERS_MAX.min(room / 2));
        let meant = excerpt(meant, meant_max);
        // What stands before may become twice as long, so that it begins with a term.
        let left = room.map(|room| room.saturating_sub(meant.chars().count()));
        let around = left.map_or(AROUND_CHARACTERS, |left| AROUND_CHARACTERS.min(left / 3));
        let before = match beginning(before, around) {
            0 => printable(before).into_owned(),
            cut => format!("… {}", printable(&before[cut..])),
        };
        let after = excerpt(after, around);
        let (start, end) = (before.len(), before.len() + meant.len());
        // Where something is missing at the end there must be something to point at.
        let missing = if start == end && after.is_empty() { " " } else { "" };
        let text = [&*before, &meant, &after, missing].concat();
        Self { text, start, end: end + missing.len() }
    }
}

/// Where what is shown of the text before begins: with a term, if there is one near enough.
fn beginning(before: &str, around: usize) -> usize {
    let Some((at, _)) = before.char_indices().rev().nth(around) else { return 0 };
    match before[..at].rfind(' ') {
        Some(blank) if at - blank <= around => blank + 1,
        None if at <= around => 0,
        _ => at,
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Shown {}

impl Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Advice => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|(source, _)| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (_, label) = self.source.as_ref()?;
        Some(Box::new(std::iter::once(label.clone())))
    }
}

#[cfg(test)]
mod tests {
    use quivive_evidence::Method;

    use super::*;

    /// The widest line of a report about a long record, on so many columns.
    fn widest(columns: Option<usize>) -> usize {
        let networks: String = (0..60).map(|index| format!("ip4:192.0.2.{index} ")).collect();
        let record = format!("v=spf1 {networks}include:{}.example -all", "x".repeat(60));
        let start = record.find("include").unwrap();
        let mut report = LintReport::new(Method::Spf, &record);
        for span in [(start, record.len() - 5), (7, start - 1), (0, 0), (start, start)] {
            report.remarks.push(Remark {
                code: "some-code",
                severity: Severity::Warning,
                span,
                message: "what is wrong with it takes some words to say ".repeat(3),
                help: "what to do about it takes some more of them ".repeat(3),
            });
        }
        let child = LintNode { text: record, note: "12 look-ups".into(), ..LintNode::default() };
        report.tree = vec![LintNode {
            text: "a.example".into(),
            children: vec![child],
            ..LintNode::default()
        }];
        let mut octets = Vec::new();
        write(&mut Report::new(&mut octets, columns), &report, Some("a.example")).unwrap();
        let text = String::from_utf8(octets).unwrap();
        let text = anstream::adapter::strip_str(&text).to_string();
        text.lines().map(|line| line.chars().count()).max().unwrap()
    }

    #[test]
    fn a_report_is_no_wider_than_its_terminal() {
        for columns in [200, 92, 80, 60, 40] {
            let widest = widest(Some(columns));
            assert!(widest <= columns && widest > columns.min(80) / 2, "{columns}: {widest}");
        }
        assert!(widest(None) > 92, "what goes elsewhere is not cut for a terminal");
    }
}
