use std::net::IpAddr;

use quivive_evidence::{
    Answer, Evidence, Lint, LintNode, LintReport, Linting, LookUps, Method, Nonce, Outcome, Subject,
};

use crate::drip::{LABELS, NAME_OCTETS_MAX_IPV4, NAME_OCTETS_MAX_IPV6, null_address};
use crate::mail_from_mx::neighbour;

/// Looks over the address records below `relays._email_.HELO`, as far as their names can be known:
/// DNS does not tell which addresses are listed.
#[derive(Debug, Clone, Copy, Default)]
pub struct DripLint;

impl Lint for DripLint {
    fn method(&self) -> Method {
        Method::Drip
    }

    fn lint(&self, subject: &Subject, evidence: &dyn Evidence) -> Linting {
        let look_ups = LookUps::new(evidence);
        let mut report = LintReport::new(Method::Drip, "");
        match (&subject.record, &subject.domain) {
            (Some(record), _) => given(record, &mut report),
            (None, Some(domain)) => published(domain, &look_ups, &mut report),
            (None, None) => {}
        }
        look_ups.finish(report)
    }
}

fn given(record: &str, report: &mut LintReport) {
    report.published = true;
    for line in record.lines() {
        let place = report.add_line(line);
        if line.trim().parse::<IpAddr>().is_err() {
            report.error(
                "bad-address",
                &place,
                "this is no address, and records of DRIP hold nothing else",
                "write the address of the relay, or 0.0.0.0 or `::` to refuse all others",
            );
        }
    }
}

/// The addresses at a name: none while they are not known.
type Addresses = Option<Vec<IpAddr>>;

fn published(helo: &str, look_ups: &LookUps<'_>, report: &mut LintReport) {
    let parent = format!("{LABELS}.{helo}");
    let (of_ipv4, of_ipv6) = (format!("*.ipv4.{parent}"), format!("*.ipv6.{parent}"));
    let (ipv4, ipv6) = (look_ups.ipv4(&of_ipv4), look_ups.ipv6(&of_ipv6));
    let neighbour = neighbour(&Nonce::default(), helo);
    let (beside_ipv4, beside_ipv6) = (look_ups.ipv4(&neighbour), look_ups.ipv6(&neighbour));
    let exists = look_ups.ipv4(&parent).map(|answer| &answer.outcome);
    let failures =
        [ipv4.and_then(|one| one.records().err()), ipv6.and_then(|one| one.records().err())];
    if let Some(failure) = failures.into_iter().flatten().next() {
        return report.no_answer(&parent, failure);
    }
    // A wildcard for all names below is nobody's list.
    let own = |answer: Addresses, beside: Addresses| match (answer, beside) {
        (Some(addresses), Some(beside)) if addresses == beside => Some(Vec::new()),
        (addresses, _) => addresses,
    };
    let ipv4 = own(addresses(ipv4), addresses(beside_ipv4));
    let ipv6 = own(addresses(ipv6), addresses(beside_ipv6));
    let has_names = matches!(exists, Some(Outcome::NoData));
    let has_default = |answer: &Addresses| answer.as_ref().is_some_and(|all| !all.is_empty());
    if !has_names && !has_default(&ipv4) && !has_default(&ipv6) {
        if exists.is_some() {
            report.nothing(helo);
        }
        return;
    }
    report.published = true;
    lengths(helo, report);
    let nodes = [
        look_at_default("IPv4", of_ipv4, &ipv4, null_address(IpAddr::from([0; 4])), report),
        look_at_default("IPv6", of_ipv6, &ipv6, null_address(IpAddr::from([0; 16])), report),
    ];
    report.tree = vec![LintNode { text: parent, note: String::new(), children: nodes.into() }];
}

fn addresses<T: Copy + Into<IpAddr>>(answer: Option<&Answer<T>>) -> Addresses {
    let records = answer?.records().ok()?;
    Some(records.iter().map(|address| (*address).into()).collect())
}

fn lengths(helo: &str, report: &mut LintReport) {
    if helo.len() > NAME_OCTETS_MAX_IPV6 {
        report.warn(
            "name-too-long",
            &(0..0),
            format!("the name has {} octets, so that not every address fits before it", helo.len()),
            format!(
                "DRIP takes names of at most {NAME_OCTETS_MAX_IPV4} octets, for IPv6 \
                 {NAME_OCTETS_MAX_IPV6}"
            ),
        );
    }
}

/// What refuses the addresses of a family that are not listed.
fn look_at_default(
    family: &str,
    name: String,
    found: &Addresses,
    null: IpAddr,
    report: &mut LintReport,
) -> LintNode {
    let mut note = "not looked up".to_owned();
    if let Some(found) = found {
        let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
        note = texts.join(" ");
        let place = if found.is_empty() { 0..0 } else { report.add_line(&note) };
        match &**found {
            [] => report.warn(
                "no-default",
                &place,
                format!("nothing refuses {family} addresses that are not listed"),
                format!("publish {null} at `{name}`"),
            ),
            [sole] if *sole == null => {}
            [_] => report.error(
                "foreign-default",
                &place,
                format!(
                    "an address that is not {null} refuses nobody, and receivers call it an error"
                ),
                format!("write {null}"),
            ),
            [_, ..] => report.error(
                "several-addresses",
                &place,
                "there are several addresses, and receivers can make nothing of them",
                format!("keep {null}"),
            ),
        }
    }
    LintNode { text: name, note, children: Vec::new() }
}
