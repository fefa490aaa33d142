use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use quivive_evidence::{FindingResult, Question, what_if};
use quivive_server::check::{Checker, Judgement};
use quivive_store::{Filter, LIMIT_MAX, Store};
use quivive_verdict::simulation::named;
use quivive_verdict::{
    Case, Difference, Node, Policy, Replay, TermDifference, Verdict, differences, replay,
};
use serde::Serialize;

use super::list::filter;
use super::{find, open_to_read, time, write_cut};
use crate::command_line::{CaseReplay, Global};
use crate::error::Error;
use crate::json::{self, JudgementJson};
use crate::style::{self, QUIET, STRONG, excerpt, printable};
use crate::{grants, terminal, world};

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
    domain: &'a str,
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

/// Judges cases again, and writes what differs. The recorded evidence alone counts, unless more is
/// given or asked for.
pub(super) async fn run(global: &Global, flags: &CaseReplay) -> Result<(), Error> {
    let (config, store) = open_to_read(global, &flags.store)?;
    let policy = Arc::new(config.policy());
    let asking = match flags.ask {
        true => {
            let tables = grants::tables(&config.binding, Arc::default()).await?;
            let checker = Checker::new(policy.clone(), world::resolver(global, &config)?);
            Some(checker.with_tables(tables))
        }
        false => None,
    };
    let judge = Judge { flags, policy, asking };
    match &flags.id {
        Some(_) if flags.filter.chooses() => {
            Err(Error::Usage("what chooses cases goes with --all, not with one id"))
        }
        Some(id) => judge.compare(find(&store, id).await?).await?.print(global),
        None => judge.compare_all(global, &store).await,
    }
}

/// Judges under the conditions that the flags name.
struct Judge<'a> {
    flags: &'a CaseReplay,
    policy: Arc<Policy>,
    /// Asks DNS what the evidence does not hold, where that is wanted.
    asking: Option<Checker>,
}

impl Judge<'_> {
    async fn compare(&self, case: Case) -> Result<Compared, Error> {
        let now = case.facts.now;
        // A record alone is the sender's.
        let records = named(case.domain(), &self.flags.with_record);
        let instead = what_if(&records, now).map_err(Error::Unclear)?;
        let notebook = case.notebook(&instead).map_err(Error::Unclear)?;
        let mut facts = case.facts.clone();
        facts.now = self.flags.now.unwrap_or(now);
        let Replay { judgement, lacking } = match &self.asking {
            Some(checker) => {
                let judgement = checker.check_with(facts, notebook).await;
                Replay { judgement, lacking: Vec::new() }
            }
            None => replay(self.policy.clone(), facts, notebook),
        };
        let differences = differences(&case.findings, &judgement.findings);
        Ok(Compared { case, judgement, lacking, differences })
    }

    /// Writes every case that comes out otherwise, the newest first, and in the end how many there
    /// are.
    async fn compare_all(&self, global: &Global, store: &Store) -> Result<(), Error> {
        let mut filter = Filter { limit: LIMIT_MAX, ..filter(&self.flags.filter)? };
        let bar = progress();
        let mut count = Count::default();
        loop {
            let page = store.list(&filter).await?;
            for line in page.lines {
                // One that was removed meanwhile is no case any more.
                let Some(case) = store.case(&line.id).await? else { continue };
                bar.inc(1);
                let compared = match self.compare(case).await {
                    Ok(compared) => compared,
                    Err(error) => {
                        count.unreadable += 1;
                        bar.suspend(|| writeln!(io::stderr(), "case {}: {error}", line.id))?;
                        continue;
                    }
                };
                if count.add(&compared) {
                    bar.suspend(|| compared.print(global))?;
                }
            }
            filter.before = page.next;
            if page.next.is_none() {
                break;
            }
        }
        bar.finish_and_clear();
        writeln!(io::stderr(), "{count}")?;
        Ok(())
    }
}

/// What came of judging many cases again.
#[derive(Default)]
struct Count {
    same: u64,
    differing: u64,
    lacking: u64,
    unreadable: u64,
}

impl Count {
    /// Counts a case; true if it does not come out as it did.
    fn add(&mut self, compared: &Compared) -> bool {
        let place = match (compared.lacking.is_empty(), compared.is_same()) {
            (false, _) => &mut self.lacking,
            (true, false) => &mut self.differing,
            (true, true) => &mut self.same,
        };
        *place += 1;
        !compared.is_same()
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { same, differing, lacking, unreadable } = self;
        let judged = same + differing + lacking;
        write!(f, "{judged} judged again, {differing} come out otherwise")?;
        if *lacking > 0 {
            write!(f, "; for {lacking} the evidence does not hold what would be asked")?;
        }
        if *unreadable > 0 {
            write!(f, "; {unreadable} could not be read")?;
        }
        Ok(())
    }
}

/// How many cases were judged, where standard error is a terminal.
fn progress() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {human_pos} judged again  {per_sec}");
    ProgressBar::new_spinner().with_style(style.expect("the template is well formed"))
}

impl Compared {
    fn print(&self, global: &Global) -> Result<(), Error> {
        if global.json {
            io::stdout().lock().write_all(&json::line(&self.json()))?;
        } else {
            self.write(&mut terminal::stdout())?;
        }
        Ok(())
    }

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
        if self.lacking.is_empty() {
            write_verdict(out, "is", &self.judgement.verdict)?;
        } else {
            let style = style::of_doubt();
            writeln!(
                out,
                "{STRONG}is       {STRONG:#}{style}not known{style:#}  as answers are lacking"
            )?;
        }
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
    let Difference { method, identity, domain, before, after, terms } = difference;
    writeln!(out)?;
    let domain = printable(domain);
    write!(out, "{STRONG}{method} {identity}{STRONG:#} {QUIET}{domain}{QUIET:#}  ")?;
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
            domain: &difference.domain,
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
