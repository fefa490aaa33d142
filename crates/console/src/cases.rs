//! The stream of cases, newest first, with a search.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use ipnet::IpNet;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use quivive_evidence::{FindingResult, Identity};
use quivive_store::{CaseLine, Cursor, Filter, FindingLine};
use quivive_verdict::Action;
use serde::Deserialize;

use crate::case::segment;
use crate::frame::{Frame, Session, page};
use crate::sent::Sent;
use crate::shown::Shown;
use crate::state::Console;
use crate::trouble;
use crate::words::{Moment, done, identity_name};

/// How many cases a page lists.
const LINES: u32 = 50;

/// What the search asks for: as it was written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Search {
    q: String,
    domain: String,
    address: String,
    client: String,
    method: String,
    identity: String,
    result: String,
    action: String,
    since: String,
    until: String,
    before: String,
}

#[derive(Template)]
#[template(path = "cases.html")]
struct CasesPage {
    frame: Frame,
    search: Search,
    /// Fields of the search that is not open on its own.
    has_details: bool,
    is_filtered: bool,
    choices: Choices,
    problems: Vec<String>,
    lines: Vec<Line>,
    next: Option<String>,
    is_first: bool,
    /// Where the newest are.
    first: String,
}

/// What the lists of the form hold: the word, and whether it is chosen.
struct Choices {
    actions: Vec<(&'static str, &'static str, bool)>,
    methods: Vec<(&'static str, &'static str, bool)>,
    identities: Vec<(&'static str, &'static str, bool)>,
    results: Vec<(&'static str, &'static str, bool)>,
}

struct Line {
    path: String,
    at: Moment,
    action: &'static str,
    done: &'static str,
    code: u16,
    client: String,
    helo: Shown,
    /// Under which name the client had logged in.
    login: Option<Shown>,
    reverse_path: Shown,
    recipients: Vec<Shown>,
    more_recipients: usize,
    findings: Vec<(String, &'static str)>,
}

/// The page.
pub(crate) async fn show(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Sent(search): Sent<Search>,
) -> Response {
    let frame = Frame::new(&console, &session, "cases");
    let Some(store) = &console.world().store else { return trouble::no_store(frame) };
    let (filter, problems) = search.filter();
    let (status, found) = if problems.is_empty() {
        match store.list(&filter).await {
            Ok(page) => (StatusCode::OK, Some(page)),
            Err(error) => return trouble::store(frame, &error),
        }
    } else {
        (StatusCode::UNPROCESSABLE_ENTITY, None)
    };
    let next = found.as_ref().and_then(|page| page.next);
    let next = next.map(|next| search.query(Some(next)));
    let lines = found.map_or(Vec::new(), |page| page.lines);
    let cases_page = CasesPage {
        frame,
        has_details: search.has_details(),
        is_filtered: search.has_details() || !search.q.is_empty(),
        choices: search.choices(),
        problems,
        lines: lines.iter().map(Line::new).collect(),
        next,
        is_first: search.before.is_empty(),
        first: search.query(None),
        search,
    };
    page(status, &cases_page)
}

impl Search {
    /// What is looked for, and what cannot be understood.
    fn filter(&self) -> (Filter, Vec<String>) {
        let mut problems = Vec::new();
        let filter = Filter {
            since: read(&self.since, "first day", day, &mut problems),
            until: read(&self.until, "last day", day_after, &mut problems),
            domain: text(&self.domain),
            address: text(&self.address),
            client: read(&self.client, "client", network, &mut problems),
            method: read(&self.method, "method", |text| text.parse().ok(), &mut problems),
            identity: read(&self.identity, "identity", |text| text.parse().ok(), &mut problems),
            result: read(&self.result, "result", |text| text.parse().ok(), &mut problems),
            action: read(&self.action, "verdict", action, &mut problems),
            text: text(&self.q),
            before: read(
                &self.before,
                "place",
                |text| text.parse().ok().map(Cursor),
                &mut problems,
            ),
            limit: LINES,
        };
        (filter, problems)
    }

    fn has_details(&self) -> bool {
        let Self {
            domain, address, client, method, identity, result, since, until, action, ..
        } = self;
        [domain, address, client, method, identity, result, since, until, action]
            .iter()
            .any(|field| !field.is_empty())
    }

    /// The search as the query of an address, from another place on.
    fn query(&self, before: Option<Cursor>) -> String {
        let before = before.map(|cursor| cursor.0.to_string()).unwrap_or_default();
        let fields = [
            ("q", &self.q),
            ("domain", &self.domain),
            ("address", &self.address),
            ("client", &self.client),
            ("method", &self.method),
            ("identity", &self.identity),
            ("result", &self.result),
            ("action", &self.action),
            ("since", &self.since),
            ("until", &self.until),
            ("before", &before),
        ];
        let set = fields.iter().filter(|(_, value)| !value.is_empty());
        let pairs: Vec<_> = set.map(|(name, value)| format!("{name}={}", segment(value))).collect();
        match pairs.is_empty() {
            true => "/cases".to_owned(),
            false => format!("/cases?{}", pairs.join("&")),
        }
    }

    fn choices(&self) -> Choices {
        let actions =
            [Action::Accept, Action::Reject, Action::Defer, Action::Hold, Action::Discard];
        let of =
            |word: &'static str, name: &'static str, chosen: &str| (word, name, word == chosen);
        Choices {
            actions: actions.map(|one| of(one.word(), done(one), &self.action)).to_vec(),
            methods: quivive_verdict::methods()
                .map(|one| of(one.word(), one.name(), &self.method))
                .collect(),
            identities: Identity::ALL
                .iter()
                .map(|one| of(one.word(), identity_name(*one), &self.identity))
                .collect(),
            results: FindingResult::ALL
                .iter()
                .map(|one| of(one.word(), one.word(), &self.result))
                .collect(),
        }
    }
}

fn text(field: &str) -> Option<String> {
    Some(field.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn read<T>(
    field: &str,
    name: &str,
    read: impl Fn(&str) -> Option<T>,
    problems: &mut Vec<String>,
) -> Option<T> {
    let field = field.trim();
    if field.is_empty() {
        return None;
    }
    let value = read(field);
    if value.is_none() {
        let example = match name {
            "first day" | "last day" => ": write it as 2026-11-03",
            "client" => ": write an address, or a network as 192.0.2.0/24",
            _ => "",
        };
        problems.push(format!("The {name} cannot be understood{example}."));
    }
    value
}

/// The second in which a day begins, in UTC.
fn day(text: &str) -> Option<u64> {
    let date: Date = text.parse().ok()?;
    start_of(date)
}

fn day_after(text: &str) -> Option<u64> {
    let date: Date = text.parse().ok()?;
    start_of(date.tomorrow().ok()?)
}

fn start_of(date: Date) -> Option<u64> {
    let start = date.to_zoned(TimeZone::UTC).ok()?;
    u64::try_from(start.timestamp().as_second()).ok()
}

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from))
}

fn action(text: &str) -> Option<Action> {
    Action::ALL.iter().copied().find(|action| action.word() == text)
}

impl Line {
    fn new(line: &CaseLine) -> Self {
        Self {
            path: segment(&line.id),
            at: Moment(line.at),
            action: line.action.word(),
            done: done(line.action),
            code: line.code,
            client: line.client.to_string(),
            helo: Shown::new(&line.helo),
            login: line.login.as_deref().map(Shown::new),
            reverse_path: Shown::new(&line.reverse_path),
            recipients: line.recipients.iter().map(|one| Shown::new(one)).collect(),
            more_recipients: line.recipients_count.saturating_sub(line.recipients.len()),
            findings: line.findings.iter().map(chip).collect(),
        }
    }
}

fn chip(finding: &FindingLine) -> (String, &'static str) {
    (format!("{} {}", finding.method, finding.identity), finding.result.word())
}

#[cfg(test)]
mod tests {
    use quivive_evidence::Method;

    use super::*;

    fn search(query: &str) -> Search {
        let uri = format!("http://localhost/cases?{query}").parse().unwrap();
        axum::extract::Query::try_from_uri(&uri).unwrap().0
    }

    #[test]
    fn fields_become_a_filter() {
        let (filter, problems) = search(
            "q=+x%25&domain=Example.com&client=192.0.2.7&method=spf&identity=helo&result=fail\
             &action=reject&since=2026-11-03&until=2026-11-03&before=12",
        )
        .filter();
        assert_eq!(problems, [""; 0]);
        assert_eq!(filter.text.as_deref(), Some("x%"));
        assert_eq!(filter.client, "192.0.2.7/32".parse().ok());
        assert_eq!(filter.method, Some(Method::Spf));
        assert_eq!(filter.action, Some(Action::Reject));
        let (since, until) = (filter.since.unwrap(), filter.until.unwrap());
        assert_eq!((Moment(since).date(), until - since), ("2026-11-03".into(), 86_400));
        assert_eq!(filter.before, Some(Cursor(12)));
    }

    #[test]
    fn empty_fields_want_nothing() {
        let (filter, problems) = search("q=&domain=+&client=&before=").filter();
        assert!(problems.is_empty());
        assert!(filter.text.is_none() && filter.domain.is_none() && filter.client.is_none());
    }

    #[test]
    fn what_cannot_be_understood_is_said() {
        let (_, problems) =
            search("client=x&since=3.11.&method=x&result=x&action=x&before=x&identity=x").filter();
        assert_eq!(problems.len(), 7, "{problems:?}");
        assert!(problems[0].contains("2026-11-03"), "{problems:?}");
    }

    #[test]
    fn the_next_page_keeps_the_search() {
        let search = search("q=%22%3E%26&result=fail");
        assert_eq!(search.query(Some(Cursor(7))), "/cases?q=%22%3E%26&result=fail&before=7");
        assert_eq!(search.query(None), "/cases?q=%22%3E%26&result=fail");
        assert_eq!(Search::default().query(None), "/cases");
    }
}
