use std::io::{self, Write};
use std::sync::Arc;

use quivive_evidence::{FindingResult, Question, what_if};
use quivive_server::check::{Checker, Judgement};
use quivive_verdict::{
    Case, Difference, Node, Replay, TermDifference, Verdict, differences, replay,
};
use serde::Serialize;

use super::{find, open_to_read, time, write_cut};
use crate::command_line::{CaseReplay, Global};
use crate::error::Error;
use crate::json::{self, JudgementJson};
use crate::style::{self, QUIET, STRONG, excerpt, printable};
use crate::world;

/// How much of a term is shown, in characters.
const TERM_CHARACTERS_MAX: usize = 160;

/// A case beside what comes of it now.
struct Compared {
    case: Case,
    judgement: Judgement,
    lacking: Vec<Question>,
    differences: Vec<Difference>,
}

#[derive(Serialize)]
struct ReplayJson<'a> {
    id: &'a str,
    /// Nothing differs, and nothing is lacking.
    same: bool,
    before: VerdictJson<'a>,
    differences: Vec<DifferenceJson<'a>>,
    /// Questions that would need an answer.
    lacking: Vec<String>,
    cut: &'a [String],
    after: JudgementJson<'a>,
}

#[derive(Serialize)]
struct VerdictJson<'a> {
    action: &'a str,
    code: u16,
    text: &'a str,
    reasons: &'a [String],
}

#[derive(Serialize)]
struct DifferenceJson<'a> {
    method: &'a str,
    identity: &'a str,
    before: Option<FindingJson<'a>>,
    after: Option<FindingJson<'a>>,
    terms: Vec<TermJson<'a>>,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    result: &'a str,
    cause: &'a str,
}

#[derive(Serialize)]
struct TermJson<'a> {
    depth: usize,
    before: Option<NodeJson<'a>>,
    after: Option<NodeJson<'a>>,
}

#[derive(Serialize)]
struct NodeJson<'a> {
    term: &'a str,
    result: &'a str,
}

/// Judges a case again, and writes what differs. The recorded evidence alone counts, unless more is
/// given or asked for.
pub(super) async fn run(global: &Global, flags: &CaseReplay) -> Result<(), Error> {
    let (config, store) = open_to_read(global, &flags.case.store)?;
    let case = find(&store, &flags.case).await?;
    let instead = what_if(&flags.with_record, case.facts.now).map_err(Error::Unclear)?;
    let notebook = case.notebook(&instead).map_err(Error::Unclear)?;
    let mut facts = case.facts.clone();
    facts.now = flags.now.unwrap_or(facts.now);
    let policy = Arc::new(config.policy());
    let replayed = if flags.ask {
        let checker = Checker::new(policy, world::resolver(global, &config)?);
        let judgement = checker.check_with(facts, notebook).await;
        Replay { judgement, lacking: Vec::new() }
    } else {
        replay(policy, facts, notebook)
    };
    let Replay { judgement, lacking } = replayed;
    let differences = differences(&case.findings, &judgement.findings);
    let compared = Compared { case, judgement, lacking, differences };
    if global.json {
        io::stdout().lock().write_all(&json::line(&compared.json()))?;
    } else {
        compared.write(&mut anstream::stdout().lock())?;
    }
    Ok(())
}

impl Compared {
    fn is_same(&self) -> bool {
        self.lacking.is_empty()
            && self.differences.is_empty()
            && self.case.verdict == self.judgement.verdict
    }

    fn json(&self) -> ReplayJson<'_> {
        let Verdict { action, reply, reasons, .. } = &self.case.verdict;
        ReplayJson {
            id: self.case.id(),
            same: self.is_same(),
            before: VerdictJson {
                action: action.word(),
                code: reply.code,
                text: &reply.text,
                reasons,
            },
            differences: self.differences.iter().map(DifferenceJson::new).collect(),
            lacking: self.lacking.iter().map(ToString::to_string).collect(),
            cut: &self.case.cut,
            after: JudgementJson::new(&self.judgement),
        }
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let case = &self.case;
        writeln!(
            out,
            "{STRONG}case{STRONG:#}     {} at {}",
            printable(case.id()),
            time(case.facts.now)
        )?;
        write_verdict(out, "was", &case.verdict)?;
        write_verdict(out, "is", &self.judgement.verdict)?;
        for difference in &self.differences {
            write_difference(out, difference)?;
        }
        if self.is_same() {
            writeln!(out, "{QUIET}the same findings, the same verdict{QUIET:#}")?;
        } else if self.differences.is_empty() && self.lacking.is_empty() {
            writeln!(out, "{QUIET}the same findings, another verdict{QUIET:#}")?;
        }
        if !self.lacking.is_empty() {
            writeln!(out)?;
            writeln!(
                out,
                "{STRONG}lacking{STRONG:#}  the evidence does not say, so that findings are \
                 missing (--ask asks):"
            )?;
        }
        for question in &self.lacking {
            writeln!(out, "         {}", excerpt(&question.to_string(), TERM_CHARACTERS_MAX))?;
        }
        write_cut(out, case)
    }
}

fn write_verdict(out: &mut impl Write, title: &str, verdict: &Verdict) -> io::Result<()> {
    let style = style::of_action(verdict.action);
    let reply = &verdict.reply;
    writeln!(
        out,
        "{STRONG}{title:<9}{STRONG:#}{style}{}{style:#}  {} {} {}",
        verdict.action,
        reply.code,
        reply.enhanced,
        printable(&reply.text)
    )?;
    for reason in &verdict.reasons {
        writeln!(out, "         {QUIET}{}{QUIET:#}", printable(reason))?;
    }
    Ok(())
}

fn write_difference(out: &mut impl Write, difference: &Difference) -> io::Result<()> {
    let Difference { method, identity, before, after, terms } = difference;
    writeln!(out)?;
    write!(out, "{STRONG}{method} {identity}{STRONG:#}  ")?;
    write_finding(out, before.as_ref())?;
    write!(out, " → ")?;
    write_finding(out, after.as_ref())?;
    writeln!(out)?;
    for TermDifference { depth, before, after } in terms {
        let indent = "  ".repeat(depth + 1);
        for (sign, node) in [("-", before), ("+", after)] {
            let Some(Node { term, result }) = node else { continue };
            let term = match excerpt(term, TERM_CHARACTERS_MAX) {
                term if term.is_empty() => "no record".to_owned(),
                term => term,
            };
            writeln!(out, "{indent}{sign} {term}  {QUIET}{}{QUIET:#}", result.word())?;
        }
    }
    Ok(())
}

fn write_finding(
    out: &mut impl Write,
    finding: Option<&(FindingResult, String)>,
) -> io::Result<()> {
    let Some((result, cause)) = finding else { return write!(out, "nothing") };
    let style = style::of_result(*result);
    write!(out, "{style}{result}{style:#} {QUIET}({}){QUIET:#}", printable(cause))
}

impl<'a> DifferenceJson<'a> {
    fn new(difference: &'a Difference) -> Self {
        let finding = |side: &'a Option<(FindingResult, String)>| {
            let (result, cause) = side.as_ref()?;
            Some(FindingJson { result: result.word(), cause })
        };
        let node = |node: &'a Option<Node>| {
            let Node { term, result } = node.as_ref()?;
            Some(NodeJson { term, result: result.word() })
        };
        let terms = difference.terms.iter();
        Self {
            method: difference.method.word(),
            identity: difference.identity.word(),
            before: finding(&difference.before),
            after: finding(&difference.after),
            terms: terms
                .map(|term| TermJson {
                    depth: term.depth,
                    before: node(&term.before),
                    after: node(&term.after),
                })
                .collect(),
        }
    }
}
