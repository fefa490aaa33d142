use std::ops::Range;

use quivive_evidence::{
    Count, Evidence, Lint, LintNode, LintReport, Linting, LookUps, Method, Mx, Nonce, Outcome,
    Subject, permitted_host,
};
use quivive_mail::domain::{is_askable, to_ascii};

use super::is_alias;
use crate::mail_from_mx::{HOSTS_MAX, neighbour, owner_name};

/// Looks over the MX records at `MAIL-FROM.DOMAIN`. As a text a record is its preference and its
/// host.
#[derive(Debug, Clone, Copy, Default)]
pub struct MailFromMxLint;

impl Lint for MailFromMxLint {
    fn method(&self) -> Method {
        Method::MailFromMx
    }

    fn lint(&self, subject: &Subject, evidence: &dyn Evidence) -> Linting {
        let look_ups = LookUps::new(evidence);
        let mut report = LintReport::new(Method::MailFromMx, "");
        match (&subject.record, &subject.domain) {
            (Some(record), domain) => {
                let hosts = given(record, &mut report);
                look_over(domain.as_deref(), hosts, &look_ups, &mut report);
            }
            (None, Some(domain)) => published(domain, &look_ups, &mut report),
            (None, None) => {}
        }
        look_ups.finish(report)
    }
}

/// A host of the list, and where it stands.
type Listed = (Mx, Range<usize>);

fn given(record: &str, report: &mut LintReport) -> Vec<Listed> {
    let mut hosts = Vec::new();
    for line in record.lines() {
        let place = report.add_line(line);
        let parts = line.trim().split_once([' ', '\t']);
        let mx = parts.and_then(|(preference, host)| {
            let exchange = to_ascii(host.trim()).into();
            Some(Mx { preference: preference.parse().ok()?, exchange })
        });
        match mx {
            Some(mx) => hosts.push((mx, place)),
            None => report.error(
                "mx-record",
                &place,
                "this is no MX record",
                "write a preference and a host, such as `0 out.example.com`",
            ),
        }
    }
    hosts
}

fn published(domain: &str, look_ups: &LookUps<'_>, report: &mut LintReport) {
    let owner = owner_name(domain);
    let Some(answer) = look_ups.mx(&owner) else { return };
    let records = match &answer.outcome {
        Outcome::Failed(failure) => return report.no_answer(&owner, *failure),
        Outcome::NoData | Outcome::NoName => return report.nothing(domain),
        Outcome::Found(records) => records,
    };
    let neighbour = look_ups.mx(&neighbour(&Nonce::default(), domain));
    let others = neighbour.and_then(|answer| answer.records().ok()).unwrap_or_default();
    if others.len() == records.len() && records.iter().all(|mx| others.contains(mx)) {
        return report.nothing(domain);
    }
    let mut records: Vec<&Mx> = records.iter().collect();
    records.sort_by_key(|mx| (mx.preference, &mx.exchange));
    let listed = |mx: &Mx| (mx.clone(), report.add_line(&mx.to_string()));
    let hosts = records.into_iter().map(listed).collect();
    look_over(Some(domain), hosts, look_ups, report);
}

fn look_over(
    domain: Option<&str>,
    hosts: Vec<Listed>,
    look_ups: &LookUps<'_>,
    report: &mut LintReport,
) {
    report.published = true;
    as_a_whole(&hosts, report);
    let mut children = Vec::new();
    for (mx, place) in &hosts {
        let note = match mx.exchange.is_empty() {
            true => "nobody sends".to_owned(),
            false => host(mx, place, look_ups, report),
        };
        children.push(LintNode { text: mx.to_string(), note, children: Vec::new() });
    }
    report.counts = vec![Count { what: "hosts", used: hosts.len(), most: HOSTS_MAX }];
    let text = domain.map_or_else(|| "the list".to_owned(), owner_name);
    report.tree = vec![LintNode { text, note: String::new(), children }];
}

/// What the list says as a whole.
fn as_a_whole(hosts: &[Listed], report: &mut LintReport) {
    if let Some((_, place)) = hosts.get(HOSTS_MAX) {
        report.error(
            "mx-limit",
            place,
            format!("there are {} hosts, and receivers give up after {HOSTS_MAX}", hosts.len()),
            "name fewer hosts",
        );
    }
    for (_, place) in hosts.iter().filter(|(mx, _)| mx.exchange.is_empty() && hosts.len() > 1) {
        report.error(
            "null-mx-beside-others",
            place,
            "the null MX says that nobody sends, and stands beside hosts that do",
            "remove it, or the hosts",
        );
    }
    let first = hosts.first().map(|(mx, _)| mx.preference);
    if let Some((_, place)) = hosts.iter().find(|(mx, _)| Some(mx.preference) != first) {
        report.advise(
            "preference",
            place,
            "preferences mean nothing here: all hosts of the list may send alike",
            "give all of them the same, such as 0",
        );
    }
}

/// What is to be said about a host; its addresses in words.
fn host(mx: &Mx, place: &Range<usize>, look_ups: &LookUps<'_>, report: &mut LintReport) -> String {
    let name = &*mx.exchange;
    if !is_askable(name) || name.contains('\\') {
        report.error(
            "bad-name",
            place,
            "this is no name of a host",
            "write the name of a host; an address has no place in an MX record",
        );
        return String::new();
    }
    if is_alias(name, look_ups) {
        report.warn(
            "alias",
            place,
            format!("{name} is an alias, which an MX record must not name (RFC 2181 section 10.3)"),
            "write the name that it is an alias of",
        );
    }
    let networks = permitted_host(name, place, look_ups, &mut report.remarks);
    let addresses: Vec<String> = networks.iter().map(|one| one.addr().to_string()).collect();
    report.networks.extend(networks);
    addresses.join(", ")
}
