//! The overview: today and the last thirty days, against the time before.

use std::time::{SystemTime, UNIX_EPOCH};

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quivive_evidence::{FindingResult, Identity, Method};
use quivive_store::{Overview, Period};
use quivive_verdict::Action;

use crate::case::segment;
use crate::chart::{self, ACTIONS, Bars, Counts, Part, Unit};
use crate::frame::{Frame, Session, page};
use crate::shown::Shown;
use crate::state::Console;
use crate::trouble;
use crate::words::{Moment, Trend, done, identity_name, number, share};

/// How many days the longer period has.
const DAYS: u32 = 30;

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    today: Vec<Tile>,
    period: Vec<Tile>,
    charts: Vec<Chart>,
    methods: Vec<MethodShare>,
    refused: Vec<Refused>,
    kept: String,
    is_empty: bool,
}

/// A number with its name.
struct Tile {
    class: &'static str,
    name: &'static str,
    count: String,
    trend: Trend,
    /// The cases that it counts.
    link: String,
}

struct Chart {
    id: &'static str,
    title: &'static str,
    /// What the rows of its table are.
    unit: &'static str,
    bars: Bars,
    /// The actions that occur: their class and name.
    legend: Vec<(&'static str, &'static str)>,
}

/// What one method found for one identity.
struct MethodShare {
    method: &'static str,
    identity: &'static str,
    total: String,
    parts: Vec<Part>,
    description: String,
    results: Vec<ResultShare>,
}

struct ResultShare {
    word: &'static str,
    count: String,
    share: String,
    trend: Trend,
    link: String,
}

/// A domain whose mail was refused.
struct Refused {
    domain: Option<Shown>,
    count: String,
    link: String,
}

/// The page.
pub(crate) async fn show(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
) -> Response {
    let frame = Frame::new(&console, &session, "overview");
    let Some(store) = &console.world().store else { return trouble::no_store(frame) };
    match store.overview(unix_now(), DAYS).await {
        Ok(overview) => page(StatusCode::OK, &OverviewPage::new(frame, &overview)),
        Err(error) => trouble::store(frame, &error),
    }
}

/// The time, in seconds since 1970.
pub(crate) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

impl OverviewPage {
    fn new(frame: Frame, overview: &Overview) -> Self {
        let hours = chart("hours", "Today by the hour", Unit::Hour, &overview.per_hour, 24);
        let days = chart("days", "Each of the last 30 days", Unit::Day, &overview.per_day, 0);
        Self {
            frame,
            today: tiles(&overview.today, &overview.yesterday),
            period: tiles(&overview.period, &overview.before),
            charts: vec![days, hours],
            methods: methods(&overview.period, &overview.before),
            refused: refused(overview),
            kept: number(overview.cases_kept),
            is_empty: overview.period.cases == 0 && overview.cases_kept == 0,
        }
    }
}

/// The number of messages, then those of each action that occurs, or is one to watch.
fn tiles(now: &Period, before: &Period) -> Vec<Tile> {
    let since = Moment(now.since).date();
    let all = Tile {
        class: "all",
        name: "messages",
        count: number(now.cases),
        trend: Trend::new(now.cases, before.cases),
        link: format!("/cases?since={since}"),
    };
    let count = |period: &Period, action| period.actions.get(&action).copied().unwrap_or_default();
    let watched = [Action::Accept, Action::Reject, Action::Defer];
    let occurs = |action: &&Action| {
        watched.contains(action) || count(now, **action) > 0 || count(before, **action) > 0
    };
    let order = [Action::Accept, Action::Reject, Action::Defer, Action::Hold, Action::Discard];
    let of_actions = order.iter().filter(occurs).map(|action| Tile {
        class: action.word(),
        name: done(*action),
        count: number(count(now, *action)),
        trend: Trend::new(count(now, *action), count(before, *action)),
        link: format!("/cases?since={since}&action={action}"),
    });
    [all].into_iter().chain(of_actions).collect()
}

fn chart(
    id: &'static str,
    title: &'static str,
    unit: Unit,
    periods: &[Period],
    places: usize,
) -> Chart {
    let counts: Vec<Counts> = periods
        .iter()
        .map(|period| Counts {
            at: period.since,
            counts: ACTIONS.map(|action| period.actions.get(&action).copied().unwrap_or_default()),
        })
        .collect();
    let occurs = |(index, _): &(usize, &Action)| counts.iter().any(|one| one.counts[*index] > 0);
    let legend = ACTIONS.iter().enumerate().filter(occurs);
    Chart {
        id,
        title,
        unit: if unit == Unit::Day { "Day" } else { "Hour" },
        legend: legend.map(|(_, action)| (action.word(), done(*action))).collect(),
        bars: Bars::new(unit, &counts, places),
    }
}

/// The findings by method and identity, with each result's share and trend.
fn methods(now: &Period, before: &Period) -> Vec<MethodShare> {
    let mut keys: Vec<(Method, Identity)> =
        now.findings.keys().map(|(method, identity, _)| (*method, *identity)).collect();
    keys.dedup();
    keys.into_iter().map(|key| method_share(key, now, before)).collect()
}

fn method_share(
    (method, identity): (Method, Identity),
    now: &Period,
    before: &Period,
) -> MethodShare {
    let count = |period: &Period, result| {
        period.findings.get(&(method, identity, result)).copied().unwrap_or_default()
    };
    let counts: Vec<(&str, u64)> =
        FindingResult::ALL.iter().map(|one| (one.word(), count(now, *one))).collect();
    let total = counts.iter().map(|(_, count)| count).sum();
    let described = counts.iter().filter(|(_, count)| *count > 0);
    let described: Vec<_> =
        described.map(|(word, count)| format!("{word} {}", share(*count, total))).collect();
    let occurs = |one: &&FindingResult| count(now, **one) > 0 || count(before, **one) > 0;
    let since = Moment(now.since).date();
    MethodShare {
        method: method.name(),
        identity: identity_name(identity),
        total: number(total),
        parts: chart::shares(&counts),
        description: described.join(", "),
        results: FindingResult::ALL
            .iter()
            .filter(occurs)
            .map(|one| ResultShare {
                word: one.word(),
                count: number(count(now, *one)),
                share: share(count(now, *one), total),
                trend: Trend::new(count(now, *one), count(before, *one)),
                link: format!(
                    "/cases?since={since}&method={method}&identity={identity}&result={one}"
                ),
            })
            .collect(),
    }
}

fn refused(overview: &Overview) -> Vec<Refused> {
    let since = Moment(overview.period.since).date();
    let domains = overview.refused_domains.iter();
    domains
        .map(|(domain, count)| Refused {
            domain: Some(domain).filter(|domain| !domain.is_empty()).map(|one| Shown::new(one)),
            count: number(*count),
            link: format!("/cases?since={since}&domain={}", segment(domain)),
        })
        .collect()
}
