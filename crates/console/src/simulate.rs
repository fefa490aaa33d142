//! What if a domain published another record? Its senders' results, today beside tomorrow.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use askama::Template;
use axum::Extension;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quivive_evidence::{FindingResult, Method, Notebook, Recorded, Severity, Subject};
use quivive_mail::domain;
use quivive_verdict::linter;
use quivive_verdict::simulation::{Forecast, Simulation, Tally, Traffic, by_urgency, instead};
use serde::Deserialize;

use crate::chart::{self, Part};
use crate::frame::{Frame, Session, page};
use crate::guard::refused;
use crate::replay::RECORDS_MAX;
use crate::shown::Shown;
use crate::state::Console;
use crate::words::{counted, number, share};

/// How many senders a page judges: those with the most messages.
pub const SENDERS_MAX: usize = 500;

/// How many senders whose result stays are listed.
const UNCHANGED_MAX: usize = 20;

/// How long DNS may take for a page: less than the page itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the form sends, or a link to it says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SimulateForm {
    token: String,
    domain: String,
    records: String,
    traffic: String,
}

#[derive(Template)]
#[template(path = "simulate.html")]
struct SimulatePage {
    frame: Frame,
    domain: String,
    records: String,
    traffic: String,
    has_store: bool,
    /// What is wrong with what was written.
    problem: Option<Shown>,
    outcome: Option<Outcome>,
}

struct Outcome {
    domain: Shown,
    senders: String,
    messages: String,
    /// Where the senders are from, and what was left out.
    source: String,
    /// What the linter finds wrong with the record, and the cures.
    faults: Vec<(Shown, Shown)>,
    broken: Option<String>,
    mended: Option<String>,
    days: [Day; 2],
    /// The results that occur.
    legend: Vec<&'static str>,
    /// Those whose result changes, and those whose result stays, as far as there are any.
    tables: Vec<Table>,
}

struct Table {
    id: &'static str,
    title: &'static str,
    rows: Vec<Row>,
    /// How many there are besides.
    more: usize,
}

/// A bar with its numbers.
struct Day {
    id: &'static str,
    name: &'static str,
    parts: Vec<Part>,
    description: String,
    results: Vec<(&'static str, String, String)>,
}

struct Row {
    sender: Shown,
    count: String,
    /// How long the bar beside it is, in hundredths.
    length: u64,
    breaks: bool,
    today: (&'static str, Shown),
    tomorrow: (&'static str, Shown),
}

/// The page with its form, empty or filled in by a link.
pub(crate) async fn form(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Query(form): Query<SimulateForm>,
) -> Response {
    let frame = Frame::new(&console, &session, "simulate");
    page(StatusCode::OK, &SimulatePage::new(frame, &console, form, None, None))
}

/// The page with what would come of it.
pub(crate) async fn show(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Form(form): Form<SimulateForm>,
) -> Response {
    if !console.access().is_token(&session.0, &form.token) {
        return refused(&console, "The form is too old. Go back, load the page again, and repeat.");
    }
    let frame = Frame::new(&console, &session, "simulate");
    let (status, problem, outcome) = match outcome(&console, &form).await {
        Ok(outcome) => (StatusCode::OK, None, Some(outcome)),
        Err(text) => (StatusCode::UNPROCESSABLE_ENTITY, Some(Shown::new(&text)), None),
    };
    page(status, &SimulatePage::new(frame, &console, form, problem, outcome))
}

impl SimulatePage {
    fn new(
        frame: Frame,
        console: &Console,
        form: SimulateForm,
        problem: Option<Shown>,
        outcome: Option<Outcome>,
    ) -> Self {
        let SimulateForm { domain, records, traffic, .. } = form;
        let has_store = console.world().store.is_some();
        Self { frame, domain, records, traffic, has_store, problem, outcome }
    }
}

async fn outcome(console: &Console, form: &SimulateForm) -> Result<Outcome, String> {
    let domain = domain::to_ascii(form.domain.trim());
    if !domain::is_host_name(&domain.replace('_', "x")) || !domain.contains('.') {
        return Err("Name a domain, such as example.com.".to_owned());
    }
    let records: Vec<&str> = form.records.lines().filter(|line| !line.trim().is_empty()).collect();
    match records.len() {
        0 => return Err("Write the record that the domain would publish.".to_owned()),
        count if count > RECORDS_MAX => {
            return Err(format!("There are {count} records; {RECORDS_MAX} may be given."));
        }
        _ => {}
    }
    let instead = instead(&domain, &records)?;
    let (mut traffic, mut source) = senders(console, form, &domain).await?;
    traffic.senders.sort_by_key(|sender| std::cmp::Reverse(sender.count));
    if traffic.senders.len() > SENDERS_MAX {
        source += &format!(" Of {} senders those with the most mail.", traffic.senders.len());
        traffic.senders.truncate(SENDERS_MAX);
    }
    let policy = &console.world().policy;
    let simulation = Simulation::new(policy, &domain, &traffic.senders, &instead)?;
    let forecasts = forecast(console, simulation).await?;
    let faults = faults(console, &domain, &instead)?;
    Ok(Outcome::new(&domain, source, faults, &forecasts))
}

/// Who sends, and where that is from.
async fn senders(
    console: &Console,
    form: &SimulateForm,
    domain: &str,
) -> Result<(Traffic, String), String> {
    if !form.traffic.trim().is_empty() {
        let traffic = Traffic::parse(&form.traffic)
            .map_err(|error| format!("Senders, line {}: {}.", error.line, error.text))?;
        return match traffic.senders.len() {
            0 => Err("Name senders: lines of an address and a count.".to_owned()),
            _ => Ok((traffic, "Senders as they were named.".to_owned())),
        };
    }
    let Some(store) = &console.world().store else {
        return Err("No cases are kept: name the senders.".to_owned());
    };
    let recorded = store.senders(domain, None).await.map_err(|error| error.to_string())?;
    if recorded.messages == 0 {
        return Err(format!("There is no recorded message of {domain}: name its senders."));
    }
    let newest = if recorded.more { "The newest " } else { "" };
    let messages = number(recorded.messages);
    Ok((recorded.traffic, format!("{newest}{messages} recorded messages of this domain.")))
}

/// A record that is broken breaks everything: that is said before what follows from it.
fn faults(
    console: &Console,
    domain: &str,
    instead: &[Recorded],
) -> Result<Vec<(Shown, Shown)>, String> {
    let Some(lint) = linter(Method::Spf, &console.world().policy) else { return Ok(Vec::new()) };
    let mut notebook = Notebook::default();
    instead.iter().try_for_each(|answer| answer.note(&mut notebook))?;
    let subject = Subject { domain: Some(domain.to_owned()), record: None };
    let remarks = lint.lint(&subject, &notebook).report.remarks;
    let errors = remarks.iter().filter(|remark| remark.severity == Severity::Error);
    Ok(errors.map(|error| (Shown::new(&error.message), Shown::new(&error.help))).collect())
}

/// Asks DNS as it is now for everything that the record leads to.
async fn forecast(console: &Console, mut simulation: Simulation) -> Result<Vec<Forecast>, String> {
    let end = Instant::now() + PATIENCE;
    loop {
        let missing = simulation.missing();
        if missing.is_empty() {
            let mut forecasts = simulation.forecasts();
            by_urgency(&mut forecasts);
            return Ok(forecasts);
        }
        let patience = end.saturating_duration_since(Instant::now());
        if patience.is_zero() {
            return Err("DNS did not answer in time. Try again, or with fewer senders.".to_owned());
        }
        let mut answers = Notebook::default();
        console.world().resolver.note_answers(&missing, &mut answers, patience).await;
        simulation.note(&answers);
    }
}

impl Outcome {
    fn new(
        domain: &str,
        source: String,
        faults: Vec<(Shown, Shown)>,
        forecasts: &[Forecast],
    ) -> Self {
        let tally = Tally::of(forecasts);
        let most = forecasts.iter().map(|one| one.sender.count).max().unwrap_or(1).max(1);
        let row = |forecast: &&Forecast| Row::new(forecast, most);
        let (changed, unchanged): (Vec<_>, Vec<_>) =
            forecasts.iter().partition(|forecast| forecast.changes());
        let told = |count: u64| (count > 0).then(|| messages(count));
        let mut legend: Vec<FindingResult> =
            tally.today.keys().chain(tally.tomorrow.keys()).copied().collect();
        legend.sort_unstable();
        legend.dedup();
        Self {
            domain: Shown::new(domain),
            senders: counted(forecasts.len(), "sender"),
            messages: messages(tally.messages),
            source,
            faults,
            broken: told(tally.broken),
            mended: told(tally.mended),
            days: [
                Day::new("today", "Today", &tally.today, tally.messages),
                Day::new("tomorrow", "Tomorrow", &tally.tomorrow, tally.messages),
            ],
            legend: legend.into_iter().map(FindingResult::word).collect(),
            tables: [
                Table {
                    id: "changed",
                    title: "Whose result changes",
                    rows: changed.iter().map(row).collect(),
                    more: 0,
                },
                Table {
                    id: "unchanged",
                    title: "Whose result stays",
                    rows: unchanged.iter().take(UNCHANGED_MAX).map(row).collect(),
                    more: unchanged.len().saturating_sub(UNCHANGED_MAX),
                },
            ]
            .into_iter()
            .filter(|table| !table.rows.is_empty())
            .collect(),
        }
    }
}

impl Day {
    fn new(
        id: &'static str,
        name: &'static str,
        counts: &BTreeMap<FindingResult, u64>,
        whole: u64,
    ) -> Self {
        let shares: Vec<_> = counts.iter().map(|(result, count)| (result.word(), *count)).collect();
        let results: Vec<_> = counts
            .iter()
            .map(|(result, count)| (result.word(), number(*count), share(*count, whole)))
            .collect();
        let told: Vec<_> = results
            .iter()
            .map(|(word, count, share)| format!("{word} {count} ({share})"))
            .collect();
        let description = format!("{name}: {}", told.join(", "));
        Self { id, name, parts: chart::shares(&shares), description, results }
    }
}

impl Row {
    fn new(forecast: &Forecast, most: u64) -> Self {
        let told = |told: &quivive_verdict::simulation::Told| {
            let reason = told.decided_by.as_deref().unwrap_or(&told.cause);
            (told.result.word(), Shown::new(reason))
        };
        let count = forecast.sender.count;
        let length = u128::from(count) * 100 / u128::from(most);
        Self {
            sender: Shown::new(&forecast.sender.address.to_string()),
            count: number(count),
            length: u64::try_from(length).unwrap_or(100).max(1),
            breaks: forecast.breaks(),
            today: told(&forecast.today),
            tomorrow: told(&forecast.tomorrow),
        }
    }
}

fn messages(count: u64) -> String {
    format!("{} message{}", number(count), if count == 1 { "" } else { "s" })
}
