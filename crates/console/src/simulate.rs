//! What if a domain published another record? Its senders' results, today beside tomorrow.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use askama::Template;
use askama::filters::HtmlSafe;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quivive_evidence::{FindingResult, Notebook};
use quivive_mail::domain;
use quivive_verdict::simulation::{Forecast, Simulation, Tally, Traffic, by_urgency, instead};
use serde::Deserialize;

use crate::chart::{self, Part};
use crate::frame::{Frame, Session, page};
use crate::guard::refused;
use crate::records::{self, Fault};
use crate::sent::Sent;
use crate::shown::Shown;
use crate::state::Console;
use crate::words::{counted, number, share};

/// How many senders a page judges: those with the most messages.
pub const SENDERS_MAX: usize = 500;

/// How many senders whose result stays are listed.
const UNCHANGED_MAX: usize = 20;

/// How much of what is no domain is repeated, in characters.
const DOMAIN_CHARACTERS_MAX: usize = 80;

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
    messages: Messages,
    /// Where the senders are from, and what was left out.
    source: String,
    /// What the linter finds wrong with the record and what belongs to it.
    faults: Vec<Fault>,
    /// What was given and changes nothing.
    idle: Vec<Shown>,
    broken: Option<Messages>,
    mended: Option<Messages>,
    hardened: Option<Messages>,
    days: [Day; 2],
    /// The results that occur.
    legend: Vec<&'static str>,
    /// Those whose result changes, and those whose result stays, as far as there are any.
    tables: Vec<Table>,
}

/// `1 message`, `1,234 messages`
struct Messages(u64);

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
    Sent(form): Sent<SimulateForm>,
) -> Response {
    let frame = Frame::new(&console, &session, "simulate");
    page(StatusCode::OK, &SimulatePage::new(frame, &console, form, None, None))
}

/// The page with what would come of it.
pub(crate) async fn show(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Sent(form): Sent<SimulateForm>,
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
    let domain = a_domain(&form.domain)?;
    let records = records::read(&form.records)?;
    if records.is_empty() {
        return Err("Write the record that the domain would publish.".to_owned());
    }
    let instead = instead(&domain, &records)?;
    let (mut traffic, mut source) = senders(console, form, &domain).await?;
    traffic.senders.sort_by_key(|sender| std::cmp::Reverse(sender.count));
    if traffic.senders.len() > SENDERS_MAX {
        let all = number(traffic.senders.len() as u64);
        source += &format!(" Of {all} senders the {SENDERS_MAX} with the most mail.");
        traffic.senders.truncate(SENDERS_MAX);
    }
    let policy = &console.world().policy;
    let mut simulation = Simulation::new(policy, &domain, &traffic.senders, &instead)?;
    let end = Instant::now() + PATIENCE;
    ask(console, &mut simulation, end).await?;
    let (resolver, known) = (&console.world().resolver, simulation.tomorrow().clone());
    let faults = records::faults_by(resolver, policy, &domain, known, end).await;
    let idle = simulation.idle().iter().map(|one| Shown::new(&one.to_string())).collect();
    let mut forecasts = simulation.forecasts();
    by_urgency(&mut forecasts);
    Ok(Outcome::new(&domain, source, &forecasts).with_remarks(faults, idle))
}

/// The domain, as somebody writes it.
fn a_domain(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("Name a domain, such as example.com.".to_owned());
    }
    let shown: String = text.trim().chars().take(DOMAIN_CHARACTERS_MAX).collect();
    domain::read(text).map_err(|cure| format!("`{shown}` is no domain; {cure}."))
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
    let noun = if recorded.messages == 1 { "message" } else { "messages" };
    Ok((recorded.traffic, format!("{newest}{messages} recorded {noun} of this domain.")))
}

/// Asks DNS as it is now for everything that the record leads to.
async fn ask(console: &Console, simulation: &mut Simulation, end: Instant) -> Result<(), String> {
    loop {
        let missing = simulation.missing();
        if missing.is_empty() {
            return Ok(());
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
    fn new(domain: &str, source: String, forecasts: &[Forecast]) -> Self {
        let tally = Tally::of(forecasts);
        let most = forecasts.iter().map(|one| one.sender.count).max().unwrap_or(1).max(1);
        let row = |forecast: &&Forecast| Row::new(forecast, most);
        let (changed, unchanged): (Vec<_>, Vec<_>) =
            forecasts.iter().partition(|forecast| forecast.changes());
        let told = |count: u64| (count > 0).then_some(Messages(count));
        let mut legend: Vec<FindingResult> =
            tally.today.keys().chain(tally.tomorrow.keys()).copied().collect();
        legend.sort_unstable();
        legend.dedup();
        Self {
            domain: Shown::new(domain),
            senders: counted(forecasts.len(), "sender"),
            messages: Messages(tally.messages),
            source,
            faults: Vec::new(),
            idle: Vec::new(),
            // Also by senders that were named with a count of 0.
            broken: forecasts.iter().any(Forecast::breaks).then_some(Messages(tally.broken)),
            mended: told(tally.mended),
            hardened: told(tally.hardened),
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

impl Outcome {
    fn with_remarks(self, faults: Vec<Fault>, idle: Vec<Shown>) -> Self {
        Self { faults, idle, ..self }
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

impl Messages {
    /// The form of a verb with them: `1 message passes`, `2 messages pass`.
    fn verb(&self, of_one: &'static str, of_many: &'static str) -> &'static str {
        if self.0 == 1 { of_one } else { of_many }
    }
}

impl HtmlSafe for Messages {}

impl fmt::Display for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", number(self.0), self.verb("message", "messages"))
    }
}
