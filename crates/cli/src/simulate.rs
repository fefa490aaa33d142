//! `simulate`: what would come of a domain's traffic by another record.

mod table;

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use quivive_contract::{SimulationJson, line};
use quivive_evidence::{Notebook, Question, Recorded, Severity, Subject};
use quivive_resolver::Resolver;
use quivive_verdict::simulation::{
    Forecast, Sender, Simulation, Tally, Traffic, by_urgency, instead, named as named_records,
};
use quivive_verdict::{Policy, linter};

use crate::case;
use crate::command_line::{Global, Simulate};
use crate::error::Error;
use crate::examiner::named;
use crate::input::read_bounded;
use crate::lint::a_domain;
use crate::lint::driver::Linter;
use crate::style::{QUIET, STRONG};
use crate::{terminal, world};

/// How long a file of senders may be, in octets.
const TRAFFIC_OCTETS_MAX: u64 = 16 << 20;

/// How many senders are judged at once.
const SENDERS_AT_ONCE_MAX: usize = 256;

/// How long the questions of one round may take together.
const PATIENCE: Duration = Duration::from_secs(30);

/// Shows today's results beside tomorrow's.
///
/// # Errors
/// What hinders it. With `--strict`, mail that would break makes the exit code 1.
pub(crate) fn run(global: &Global, flags: &Simulate) -> Result<ExitCode, Error> {
    let config = world::config(global)?;
    let domain = a_domain(&flags.domain)?;
    let records = named_records(&domain, &flags.with_record);
    let instead = instead(&domain, &flags.with_record).map_err(Error::Unclear)?;
    let resolver = world::resolver(global, &config)?;
    let policy = config.policy();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let traffic = traffic(global, flags, &domain).await?;
        warn_of_faults(&policy, &domain, &instead, &resolver).await?;
        let (forecasts, idle) = forecast(&policy, &domain, &traffic, &instead, &resolver).await?;
        warn_of_idle(&idle)?;
        if global.json {
            io::stdout().lock().write_all(&line(&SimulationJson::new(&domain, &forecasts)))?;
        } else {
            table::write(&mut terminal::stdout(), &domain, &records, &forecasts)?;
        }
        let is_broken = flags.strict && Tally::of(&forecasts).broken > 0;
        Ok(if is_broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    })
}

/// Who sends.
async fn traffic(global: &Global, flags: &Simulate, domain: &str) -> Result<Traffic, Error> {
    if let Some(path) = &flags.traffic {
        return read(path);
    }
    let since = case::list::time_of(flags.since.as_deref())?;
    let (_, store) = case::open_to_read(global, &flags.store)?;
    let recorded = store.senders(domain, since).await?;
    if recorded.messages == 0 {
        return Err(Error::Unclear(format!(
            "there is no recorded message of {domain}; name its senders with --traffic"
        )));
    }
    if recorded.more {
        anstream::eprintln!(
            "the newest {} messages count; there are older ones",
            recorded.messages
        );
    }
    Ok(recorded.traffic)
}

fn read(path: &Path) -> Result<Traffic, Error> {
    let octets = read_bounded(path, TRAFFIC_OCTETS_MAX)?;
    let traffic = Traffic::parse(&String::from_utf8_lossy(&octets)).map_err(|error| {
        Error::Unclear(format!("{}, line {}: {}", named(path).display(), error.line, error.text))
    })?;
    if traffic.senders.is_empty() {
        return Err(Error::Unclear(format!(
            "{} names no sender; write lines of an address and a count",
            named(path).display()
        )));
    }
    Ok(traffic)
}

/// A record that is broken breaks everything: that is said before what follows from it.
async fn warn_of_faults(
    policy: &Policy,
    domain: &str,
    instead: &[Recorded],
    resolver: &Resolver,
) -> Result<(), Error> {
    let Some(lint) = linter(quivive_evidence::Method::Spf, policy) else { return Ok(()) };
    let mut notebook = Notebook::default();
    instead.iter().try_for_each(|answer| answer.note(&mut notebook)).map_err(Error::Unclear)?;
    let subject = Subject { domain: Some(domain.to_owned()), record: None };
    let report = Linter::new(lint, Some(resolver.clone())).lint_with(&subject, notebook).await;
    let errors = report.remarks.iter().filter(|remark| remark.severity == Severity::Error);
    for error in errors {
        let message = crate::style::printable(&error.message).into_owned();
        writeln!(
            terminal::stderr(),
            "{STRONG}the record{STRONG:#}: {message} {QUIET}({}){QUIET:#}",
            error.help
        )?;
    }
    Ok(())
}

/// What was given and changes nothing was hardly meant so.
fn warn_of_idle(idle: &[Question]) -> io::Result<()> {
    let mut out = terminal::stderr();
    idle.iter().try_for_each(|question| {
        writeln!(
            out,
            "no sender's result rests on {STRONG}{question}{STRONG:#}: the domain's record does \
             not lead there, or none of the senders comes so far"
        )
    })
}

/// What comes of each sender, what breaks first; and what of `instead` no result rests on.
async fn forecast(
    policy: &Policy,
    domain: &str,
    traffic: &Traffic,
    instead: &[Recorded],
    resolver: &Resolver,
) -> Result<(Vec<Forecast>, Vec<Question>), Error> {
    let bar = progress(traffic.senders.len() as u64);
    let mut forecasts = Vec::with_capacity(traffic.senders.len());
    let mut idle: Vec<Question> = instead.iter().map(|answer| answer.question.clone()).collect();
    for senders in traffic.senders.chunks(SENDERS_AT_ONCE_MAX) {
        let simulation = simulate(policy, domain, senders, instead, resolver).await?;
        let idle_now = simulation.idle();
        idle.retain(|question| idle_now.contains(question));
        forecasts.extend(simulation.forecasts());
        bar.inc(senders.len() as u64);
    }
    bar.finish_and_clear();
    by_urgency(&mut forecasts);
    Ok((forecasts, idle))
}

/// A simulation that lacks nothing.
async fn simulate(
    policy: &Policy,
    domain: &str,
    senders: &[Sender],
    instead: &[Recorded],
    resolver: &Resolver,
) -> Result<Simulation, Error> {
    let simulation = Simulation::new(policy, domain, senders, instead);
    let mut simulation = simulation.map_err(Error::Unclear)?;
    loop {
        let missing = simulation.missing();
        if missing.is_empty() {
            return Ok(simulation);
        }
        let mut answers = Notebook::default();
        resolver.note_answers(&missing, &mut answers, PATIENCE).await;
        simulation.note(&answers);
    }
}

fn progress(senders: u64) -> ProgressBar {
    if senders <= SENDERS_AT_ONCE_MAX as u64 || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} senders  {eta} left");
    let style = style.expect("the template is well formed");
    ProgressBar::with_draw_target(Some(senders), ProgressDrawTarget::stderr()).with_style(style)
}
