//! A judgement for people: the findings, how each came about, the verdict, the headers, the cost.

use std::io::{self, Write};

use quivive_evidence::{
    Finding, FindingResult, Notebook, NotedAnswer, Question, TermResult, TraceNode,
};
use quivive_server::check::Judgement;

use crate::style::{self, QUIET, STRONG, excerpt, printable};
use crate::terminal::Report;

/// How many columns a field takes as it is folded on the wire (RFC 5322 section 2.1.1), with what
/// stands before it.
const FOLDED_COLUMNS: usize = 92;

/// How much of a term is shown, in characters. Records may have 60 kB.
const TERM_CHARACTERS_MAX: usize = 160;

/// How much of a record is shown, in characters.
const RECORD_CHARACTERS_MAX: usize = 100;

/// How many records of an answer are shown.
const RECORDS_MAX: usize = 8;

/// How much of a domain's own explanation is shown, in characters.
const EXPLANATION_CHARACTERS_MAX: usize = 500;

/// How much of a domain is shown, in characters.
const DOMAIN_CHARACTERS_MAX: usize = 100;

/// Writes a judgement. `out` takes care of colours where there can be none, and of its width.
pub(crate) fn write<W: Write>(out: &mut Report<W>, judgement: &Judgement) -> io::Result<()> {
    for finding in &judgement.findings {
        write_finding(out, finding)?;
    }
    for finding in judgement.findings.iter().filter(|finding| !finding.trace.is_empty()) {
        writeln!(out)?;
        writeln!(out, "{STRONG}{} {}{STRONG:#}", finding.method, finding.identity)?;
        for node in &finding.trace {
            Tree { out, notebook: &judgement.notebook }.write(node, "  ", Branch::Root, true)?;
        }
    }
    writeln!(out)?;
    write_verdict(out, judgement)?;
    write_headers(out, judgement)?;
    write_cost(out, judgement)
}

/// One line, and what the domain has to say if it refuses.
fn write_finding(out: &mut impl Write, finding: &Finding) -> io::Result<()> {
    let Finding { method, identity, result, cause, .. } = finding;
    let style = style::of_result(*result);
    let domain = excerpt(&finding.domain, DOMAIN_CHARACTERS_MAX);
    let reason = match &finding.decided_by {
        Some(term) => format!("{cause}: {}", excerpt(term, TERM_CHARACTERS_MAX)),
        None => cause.to_string(),
    };
    write!(out, "{method} {identity:<10} {style}{result:<9}{style:#} ")?;
    if domain.is_empty() {
        writeln!(out, "{QUIET}({reason}){QUIET:#}")?;
    } else {
        writeln!(out, "{domain}  {QUIET}({reason}){QUIET:#}")?;
    }
    for property in &finding.properties {
        let value = excerpt(&property.value, DOMAIN_CHARACTERS_MAX);
        writeln!(out, "{:<15}{QUIET}{}={value}{QUIET:#}", "", property.name)?;
    }
    if let Some(explanation) = &finding.explanation {
        let explanation = excerpt(explanation, EXPLANATION_CHARACTERS_MAX);
        writeln!(out, "{:<15}{domain} says: \"{explanation}\"", "")?;
    }
    Ok(())
}

fn write_verdict(out: &mut impl Write, judgement: &Judgement) -> io::Result<()> {
    let verdict = &judgement.verdict;
    let style = style::of_action(verdict.action);
    let reply = &verdict.reply;
    writeln!(
        out,
        "{STRONG}verdict{STRONG:#}  {style}{}{style:#}  {} {} {}",
        verdict.action, reply.code, reply.enhanced, reply.text
    )?;
    for reason in &verdict.reasons {
        writeln!(out, "         {QUIET}{}{QUIET:#}", printable(reason))?;
    }
    let other = verdict.recipients.iter().filter(|recipient| recipient.action != verdict.action);
    for recipient in other {
        let style = style::of_action(recipient.action);
        let name = excerpt(&recipient.recipient, DOMAIN_CHARACTERS_MAX);
        writeln!(out, "         {name}: {style}{}{style:#}", recipient.action)?;
    }
    Ok(())
}

fn write_headers<W: Write>(out: &mut Report<W>, judgement: &Judgement) -> io::Result<()> {
    // As it is folded on the wire, where that fits.
    let is_folded = out.columns().is_none_or(|columns| columns >= FOLDED_COLUMNS);
    let mut title = "headers";
    for (name, value) in judgement.headers.fields() {
        write!(out, "{STRONG}{title:<7}{STRONG:#}  {QUIET}{name}:{QUIET:#} ")?;
        if !is_folded {
            writeln!(out, "{}", printable(&value.replace("\r\n", "")))?;
            title = "";
            continue;
        }
        let mut indent = "";
        for line in value.split("\r\n") {
            writeln!(out, "{indent}{}", printable(line.trim_start()))?;
            indent = "             ";
        }
        title = "";
    }
    Ok(())
}

fn write_cost(out: &mut impl Write, judgement: &Judgement) -> io::Result<()> {
    let cost = judgement.cost;
    writeln!(
        out,
        "{STRONG}cost{STRONG:#}     {} needed, {} ahead of need, {}, {}",
        counted(cost.questions_needed, "question"),
        cost.questions_ahead,
        counted(cost.rounds, "round"),
        milliseconds(cost.micros)
    )
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn milliseconds(micros: u64) -> String {
    format!("{:.1} ms", micros as f64 / 1000.0)
}

/// Where a node stands among its siblings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Branch {
    Root,
    Middle,
    Last,
}

impl Branch {
    /// What stands before the node, and before what stands below it.
    fn marks(self) -> (&'static str, &'static str) {
        match self {
            Self::Root => ("", ""),
            Self::Middle => ("├─ ", "│  "),
            Self::Last => ("└─ ", "   "),
        }
    }
}

/// The terms as a tree, each with its questions.
struct Tree<'a, W> {
    out: &'a mut W,
    notebook: &'a Notebook,
}

impl<W: Write> Tree<'_, W> {
    /// `decides` says whether the record that the node stands in decided the result.
    fn write(
        &mut self,
        node: &TraceNode,
        indent: &str,
        branch: Branch,
        decides: bool,
    ) -> io::Result<()> {
        let (mark, below) = branch.marks();
        let is_term = branch != Branch::Root;
        let decides = decides && !matches!(node.result, TermResult::NoMatch | TermResult::Explains);
        let term = match excerpt(&node.term, TERM_CHARACTERS_MAX) {
            term if term.is_empty() => without_record(node.result).to_owned(),
            term => term,
        };
        write!(self.out, "{indent}{QUIET}{mark}{QUIET:#}")?;
        match node.result {
            TermResult::Result(result) => {
                let style = style::of_result(result);
                write!(self.out, "{term}  {style}{result}{style:#}")?;
            }
            TermResult::Match => write!(self.out, "{STRONG}{term}{STRONG:#}  match")?,
            TermResult::NoMatch if is_explanation(node) => {
                write!(self.out, "{term}  {QUIET}not used{QUIET:#}")?;
            }
            TermResult::NoMatch => write!(self.out, "{term}  {QUIET}no match{QUIET:#}")?,
            TermResult::Explains => write!(self.out, "{term}  {QUIET}explains{QUIET:#}")?,
        }
        writeln!(self.out, "{}", if decides && is_term { "  ◀" } else { "" })?;
        let indent = format!("{indent}{below}");
        for question in &node.questions {
            self.write_question(question, node, &indent)?;
        }
        for (index, child) in node.children.iter().enumerate() {
            let is_last = index + 1 == node.children.len();
            let branch = if is_last { Branch::Last } else { Branch::Middle };
            self.write(child, &indent, branch, decides)?;
        }
        Ok(())
    }

    fn write_question(
        &mut self,
        question: &Question,
        node: &TraceNode,
        indent: &str,
    ) -> io::Result<()> {
        let bar = if node.children.is_empty() { " " } else { "│" };
        let asked = question.to_string();
        let asked = printable(&asked);
        let Some(answer) = self.notebook.answer(question) else {
            return writeln!(self.out, "{indent}{QUIET}{bar} ? {asked}: not asked{QUIET:#}");
        };
        let answered = answered(&answer, &node.term);
        writeln!(self.out, "{indent}{QUIET}{bar} ? {asked}: {answered}{QUIET:#}")
    }
}

/// Whether it would explain a refusal: what it says is then used or not (RFC 7208 section 6.2), and
/// matches nothing.
fn is_explanation(node: &TraceNode) -> bool {
    node.term.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("exp="))
}

/// What stands in place of a record that there is not.
fn without_record(result: TermResult) -> &'static str {
    match result {
        TermResult::Result(FindingResult::Temperror) => "no answer",
        TermResult::Result(FindingResult::Permerror) => "several records",
        _ => "no record",
    }
}

/// The records, or why there are none; then where and how long the answer holds.
fn answered(answer: &NotedAnswer, term: &str) -> String {
    let source = answer.source();
    let records = answer.record_texts();
    let mut text = match records.as_slice() {
        [] => answer.status().to_owned(),
        // The record is the term that stands above.
        [record] if record == term => answer.status().to_owned(),
        records => records_shown(records, answer),
    };
    text.push_str(&format!(" (ttl {}", source.ttl));
    if let Some(server) = source.server {
        text.push_str(&format!(", from {server} in {}", milliseconds(source.micros.into())));
    }
    text.push_str(match (source.authenticated, source.trusted) {
        (true, true) => ", authenticated)",
        (true, false) => ", AD bit not believed)",
        (false, _) => ")",
    });
    text
}

fn records_shown(records: &[String], answer: &NotedAnswer) -> String {
    let quote = if answer.is_text() { "\"" } else { "" };
    let shown = records.iter().take(RECORDS_MAX);
    let shown =
        shown.map(|record| format!("{quote}{}{quote}", excerpt(record, RECORD_CHARACTERS_MAX)));
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if records.len() > RECORDS_MAX {
        text.push_str(&format!(" and {} more", records.len() - RECORDS_MAX));
    }
    text
}
