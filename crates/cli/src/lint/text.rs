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

/// How wide a report is, in columns.
const COLUMNS: usize = 92;

/// How much of a record is shown around what is meant, in characters on each side.
const AROUND_CHARACTERS: usize = 28;

/// How much of what is meant is shown, in characters.
const MEANT_CHARACTERS_MAX: usize = 60;

/// How much of a term or a record is shown in the tree, in characters.
const TREE_CHARACTERS_MAX: usize = 70;

/// How many nodes of the tree are shown.
const NODES_MAX: usize = 200;

/// Writes a report about a domain, or about a text that stands alone.
pub(crate) fn write(
    out: &mut impl Write,
    report: &LintReport,
    domain: Option<&str>,
) -> io::Result<()> {
    write_tree(out, report)?;
    write_remarks(out, report, domain)?;
    write_summary(out, report)
}

/// Each remark with its place.
pub(crate) fn write_remarks(
    out: &mut impl Write,
    report: &LintReport,
    domain: Option<&str>,
) -> io::Result<()> {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode())
        .with_width(COLUMNS)
        .with_links(false)
        .without_primary_span_start();
    for remark in &report.remarks {
        let mut text = String::new();
        let shown = Shown::new(report, remark, domain);
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
    fn new(report: &LintReport, remark: &Remark, domain: Option<&str>) -> Self {
        let domain = domain.map_or_else(|| "the record".to_owned(), str::to_owned);
        let (start, end) = remark.span;
        let place = (remark.span != (0, 0)).then(|| Place::of(&report.record, remark.span));
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
    fn of(record: &str, (start, end): (usize, usize)) -> Self {
        let line = record[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = record[start..].find('\n').map_or(record.len(), |at| start + at);
        let before = &record[line..start];
        let meant = &record[start..end.min(line_end)];
        let after = &record[end.min(line_end)..line_end];
        let before = match beginning(before) {
            0 => printable(before).into_owned(),
            cut => format!("… {}", printable(&before[cut..])),
        };
        let meant = excerpt(meant, MEANT_CHARACTERS_MAX);
        let after = excerpt(after, AROUND_CHARACTERS);
        let (start, end) = (before.len(), before.len() + meant.len());
        // Where something is missing at the end there must be something to point at.
        let missing = if start == end && after.is_empty() { " " } else { "" };
        let text = [&*before, &meant, &after, missing].concat();
        Self { text, start, end: end + missing.len() }
    }
}

/// Where what is shown of the text before begins: with a term, if there is one near enough.
fn beginning(before: &str) -> usize {
    let Some((at, _)) = before.char_indices().rev().nth(AROUND_CHARACTERS) else { return 0 };
    match before[..at].rfind(' ') {
        Some(blank) if at - blank <= AROUND_CHARACTERS => blank + 1,
        None if at <= AROUND_CHARACTERS => 0,
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
