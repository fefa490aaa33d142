//! Many domains: looked over at once, told in their order, with a bar for whoever waits.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use quivive_contract::{LintJson, line};
use quivive_evidence::{LintReport, Severity, Subject};
use tokio::task::JoinHandle;

use super::driver::Inspectors;
use super::{a_domain, text};
use crate::error::Error;
use crate::examiner::named;
use crate::input::read_bounded;
use crate::style::{self, QUIET, STRONG};
use crate::terminal;

/// How many domains are looked over at once.
const DOMAINS_AT_ONCE_MAX: usize = 16;

/// How long a list of domains may be, in octets.
const LIST_OCTETS_MAX: u64 = 64 << 20;

/// What was found in all of them.
#[derive(Default)]
struct Tally {
    domains: usize,
    with_errors: usize,
    with_warnings: usize,
}

/// Looks over the domains in a file, one a line. Empty lines and those that begin with `#` are
/// skipped.
///
/// # Errors
/// The file cannot be read, a line is no domain, or nothing can be written.
pub(super) async fn run(
    inspectors: Inspectors,
    path: &Path,
    json: bool,
) -> Result<ExitCode, Error> {
    let domains = read(path)?;
    let bar = progress(domains.len() as u64);
    let inspectors = Arc::new(inspectors);
    let mut tally = Tally::default();
    let mut flights: VecDeque<(String, JoinHandle<Vec<LintReport>>)> = VecDeque::new();
    let mut waiting = domains.into_iter();
    loop {
        while flights.len() < DOMAINS_AT_ONCE_MAX {
            let Some(domain) = waiting.next() else { break };
            flights.push_back((domain.clone(), tokio::spawn(lint(inspectors.clone(), domain))));
        }
        let Some((domain, flight)) = flights.pop_front() else { break };
        let reports = flight.await.map_err(|lost| Error::Unclear(lost.to_string()))?;
        tally.add(&reports);
        bar.suspend(|| write(json, &reports, &domain))?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    if !json {
        tally.write(&mut terminal::stdout())?;
    }
    Ok(if tally.with_errors > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn lint(inspectors: Arc<Inspectors>, domain: String) -> Vec<LintReport> {
    inspectors.inspect(&Subject { domain: Some(domain), record: None }).await
}

fn read(path: &Path) -> Result<Vec<String>, Error> {
    let octets = read_bounded(path, LIST_OCTETS_MAX)?;
    let text = String::from_utf8_lossy(&octets);
    let lines = text.lines().map(str::trim).enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|(index, line)| {
            let place = format!("{}, line {}", named(path).display(), index + 1);
            a_domain(line).map_err(|error| Error::Unclear(format!("{place}: {error}")))
        })
        .collect()
}

fn progress(domains: u64) -> ProgressBar {
    if domains < 2 || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} domains  {eta} left");
    let style = style.expect("the template is well formed");
    ProgressBar::with_draw_target(Some(domains), ProgressDrawTarget::stderr()).with_style(style)
}

/// One line for a domain, and its remarks below.
fn write(json: bool, reports: &[LintReport], domain: &str) -> io::Result<()> {
    if json {
        let mut out = io::stdout().lock();
        return reports
            .iter()
            .try_for_each(|report| out.write_all(&line(&LintJson::new(report, Some(domain)))));
    }
    let mut out = terminal::stdout();
    let is_good = count(reports, Severity::Error) == 0;
    let style = if is_good { style::of_promise(true) } else { style::of_promise(false) };
    let mark = if is_good { "✓" } else { "✗" };
    let told = |report: &LintReport| match reports.len() {
        1 => text::summary(report),
        _ => format!("{}: {}", report.method, text::summary(report)),
    };
    let summary = reports.iter().map(told).collect::<Vec<_>>().join("; ");
    writeln!(out, "{style}{mark}{style:#} {STRONG}{domain}{STRONG:#}  {QUIET}{summary}{QUIET:#}")?;
    if reports.iter().any(|report| !report.remarks.is_empty()) {
        writeln!(out)?;
    }
    reports.iter().try_for_each(|report| text::write_remarks(&mut out, report, Some(domain)))
}

fn count(reports: &[LintReport], severity: Severity) -> usize {
    reports.iter().map(|report| report.count(severity)).sum()
}

impl Tally {
    fn add(&mut self, reports: &[LintReport]) {
        self.domains += 1;
        if count(reports, Severity::Error) > 0 {
            self.with_errors += 1;
        } else if count(reports, Severity::Warning) > 0 {
            self.with_warnings += 1;
        }
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { domains, with_errors, with_warnings } = self;
        let good = domains - with_errors - with_warnings;
        writeln!(
            out,
            "{STRONG}{domains} domains{STRONG:#}: {with_errors} with errors, {with_warnings} \
             with \
             warnings, {good} without"
        )
    }
}
