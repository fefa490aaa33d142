//! How the parts do: the store, the name servers, the sessions.

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quivive_resolver::ServerMetrics;
use quivive_store::{Health, State as StoreState};

use crate::frame::{Frame, Session, page};
use crate::metrics::{LoginResult, Metrics};
use crate::shown::Shown;
use crate::state::Console;
use crate::words::{Moment, milliseconds, number, share};

#[derive(Template)]
#[template(path = "health.html")]
struct HealthPage {
    frame: Frame,
    store: Option<StoreView>,
    servers: Vec<ServerView>,
    cache: CacheView,
    sessions: Vec<(&'static str, String, String)>,
    /// How attempts to log in ended; empty if there were none.
    logins: Vec<(&'static str, String)>,
    /// What became of forwarding addresses; empty if there were none.
    forwarding: Vec<(&'static str, String)>,
}

struct StoreView {
    is_working: bool,
    queue: String,
    queue_share: String,
    written: String,
    dropped: String,
    failed: String,
    octets: String,
    oldest: Option<Moment>,
    trouble: Option<(Moment, Shown)>,
}

struct ServerView {
    address: String,
    questions: String,
    answers: String,
    timeouts: String,
    servfails: String,
    other: String,
    truncated: String,
    mean: String,
    class: &'static str,
    state: &'static str,
}

struct CacheView {
    entries: String,
    hits: String,
    misses: String,
    share: String,
    joined: String,
    flights: String,
}

/// The page.
pub(crate) async fn show(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
) -> Response {
    let world = console.world();
    let resolver = world.resolver.metrics();
    let sessions = world.metrics.sessions();
    let sessions = sessions.into_iter();
    let health_page = HealthPage {
        frame: Frame::new(&console, &session, "health"),
        store: world.store.as_ref().map(|store| StoreView::new(&store.health())),
        servers: resolver.servers.iter().map(ServerView::new).collect(),
        cache: CacheView {
            entries: number(resolver.cache_entries),
            hits: number(resolver.cache_hits),
            misses: number(resolver.cache_misses),
            share: share(resolver.cache_hits, resolver.cache_hits + resolver.cache_misses),
            joined: number(resolver.joined_flights),
            flights: number(resolver.flights),
        },
        sessions: sessions
            .map(|(door, counts)| (door, number(counts.open), number(counts.begun)))
            .collect(),
        logins: logins(&world.metrics),
        forwarding: forwarding(&world.metrics),
    };
    page(StatusCode::OK, &health_page)
}

/// How attempts to log in ended, by whatever mechanism.
fn logins(metrics: &Metrics) -> Vec<(&'static str, String)> {
    let mut counts: BTreeMap<LoginResult, u64> = BTreeMap::new();
    for ((_, result), count) in metrics.logins() {
        *counts.entry(result).or_default() += count;
    }
    counts.into_iter().map(|(result, count)| (result.title(), number(count))).collect()
}

/// What was rewritten and what came back, if anything was.
fn forwarding(metrics: &Metrics) -> Vec<(&'static str, String)> {
    let counts = metrics.srs_counts();
    if counts.iter().all(|(_, count)| *count == 0) {
        return Vec::new();
    }
    counts.into_iter().map(|(result, count)| (result.title(), number(count))).collect()
}

impl StoreView {
    fn new(health: &Health) -> Self {
        let (waiting, room) = (health.queue_length as u64, health.queue_capacity as u64);
        Self {
            is_working: health.state == StoreState::Working,
            queue: format!("{} of {}", number(waiting), number(room)),
            queue_share: share(waiting, room),
            written: number(health.written),
            dropped: number(health.dropped),
            failed: number(health.failed_batches),
            octets: mebibytes(health.file_octets),
            oldest: health.oldest_case.map(Moment),
            trouble: health
                .last_trouble
                .as_ref()
                .map(|trouble| (Moment(trouble.at), Shown::new(&trouble.text))),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn mebibytes(octets: u64) -> String {
    format!("{:.1} MiB", octets as f64 / 1_048_576.0)
}

impl ServerView {
    fn new(server: &ServerMetrics) -> Self {
        let failed = server.timeouts + server.servfails + server.other_failures;
        // A fifth of all questions without an answer is more than single broken domains explain.
        let (class, state) = match server.questions {
            0 => ("", "not asked"),
            questions if failed == questions => ("bad", "silent"),
            questions if failed * 5 > questions => ("softfail", "failing"),
            _ => ("good", "answering"),
        };
        let replies = server.answers + server.servfails;
        Self {
            address: server.address.to_string(),
            questions: number(server.questions),
            answers: number(server.answers),
            timeouts: number(server.timeouts),
            servfails: number(server.servfails),
            other: number(server.other_failures),
            truncated: number(server.truncated),
            mean: server.micros.checked_div(replies).map_or(String::new(), milliseconds),
            class,
            state,
        }
    }
}
