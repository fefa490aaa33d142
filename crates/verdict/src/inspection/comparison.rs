//! Whether schemes contradict each other: what each of them says of the same addresses, by the
//! evaluations that receivers make. The addresses are those at which somebody's right to send may
//! begin or end: the edges of the networks that are named anywhere.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::sync::Arc;

use ipnet::IpNet;
use quivive_evidence::{
    Evidence, Facts, Finding, FindingResult, Header, Identity, LintReport, Method, Question,
};
use quivive_lmap::rmx::PRIVATE_TYPE;

use crate::plan::Stage;
use crate::{Mode, Policy, Practice, Session};

/// How many networks are looked at; of each scheme as many as of the others.
pub const NETWORKS_MAX: usize = 12;

/// How many addresses are tried.
pub const SAMPLES_MAX: usize = 4 * NETWORKS_MAX;

/// How many networks or addresses a remark names.
const NAMED_MAX: usize = 3;

/// Addresses for documentation, which nobody has, for where no network is named.
const ANYBODY: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, 77)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 0x77)),
];

/// The policy by which schemes are compared: nobody is excepted from anything.
pub(super) fn policy(policy: &Policy) -> Policy {
    let mut policy = Policy {
        exceptions: Vec::new(),
        practice: Practice::default(),
        identities: Identity::ALL.to_vec(),
        spf_best_guess: None,
        ..policy.clone()
    };
    policy.settings.rmx.type_number.get_or_insert(PRIVATE_TYPE);
    policy
}

/// Adds a remark for each way in which schemes contradict each other to the report of the last of
/// them. The questions that need answers first; none when everything has been compared.
pub(super) fn compare(
    policy: &Policy,
    domain: &str,
    reports: &mut [LintReport],
    evidence: &dyn Evidence,
) -> Vec<Question> {
    let published = |report: &&LintReport| report.published;
    let methods: Vec<Method> =
        reports.iter().filter(published).map(|report| report.method).collect();
    if methods.len() < 2 {
        return Vec::new();
    }
    let networks = networks(reports);
    let mut policy = policy.clone();
    policy.methods = methods.iter().map(|method| (*method, Mode::Report)).collect();
    let policy = Arc::new(policy);
    let (mut missing, mut seen) = (Vec::new(), HashSet::new());
    let mut told: BTreeMap<IpAddr, Vec<Finding>> = BTreeMap::new();
    for address in samples(&networks) {
        let facts = facts(domain, address);
        let mut session = Session::new(policy.clone());
        session.enter(Stage::Header, &facts);
        let round = session.advance(&facts, evidence);
        missing.extend(round.questions().filter(|one| seen.insert((*one).clone())).cloned());
        told.insert(address, session.findings().cloned().collect());
    }
    if missing.is_empty() {
        contradictions(&methods, reports, &networks, &told);
    }
    missing
}

/// The networks of all reports, in turn: of each the same number, as far as it has so many.
fn networks(reports: &[LintReport]) -> Vec<IpNet> {
    let mut networks: Vec<IpNet> = Vec::new();
    let longest = reports.iter().map(|report| report.networks.len()).max().unwrap_or_default();
    for index in 0..longest {
        for network in reports.iter().filter_map(|report| report.networks.get(index)) {
            if networks.len() == NETWORKS_MAX {
                return networks;
            }
            if !networks.contains(network) {
                networks.push(*network);
            }
        }
    }
    networks
}

/// First and last address of each network, and those beside it.
fn samples(networks: &[IpNet]) -> BTreeSet<IpAddr> {
    let mut samples = BTreeSet::new();
    for network in networks {
        if network.prefix_len() == 0 {
            samples.extend(ANYBODY.iter().filter(|address| network.contains(*address)));
            continue;
        }
        let (first, last) = (network.network(), network.broadcast());
        samples.extend([Some(first), Some(last), before(first), after(last)].into_iter().flatten());
    }
    if samples.is_empty() {
        samples.extend(ANYBODY);
    }
    samples
}

fn before(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => {
            address.to_bits().checked_sub(1).map(|bits| Ipv4Addr::from_bits(bits).into())
        }
        IpAddr::V6(address) => {
            address.to_bits().checked_sub(1).map(|bits| Ipv6Addr::from_bits(bits).into())
        }
    }
}

fn after(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => {
            address.to_bits().checked_add(1).map(|bits| Ipv4Addr::from_bits(bits).into())
        }
        IpAddr::V6(address) => {
            address.to_bits().checked_add(1).map(|bits| Ipv6Addr::from_bits(bits).into())
        }
    }
}

/// A plain message of the domain's own, from a host that calls itself by the domain's name.
fn facts(domain: &str, address: IpAddr) -> Facts {
    let mut facts = Facts::new(address);
    domain.clone_into(&mut facts.helo);
    facts.reverse_path = format!("postmaster@{domain}");
    facts.header = Some(Header::read(format!("From: postmaster@{domain}\r\n\r\n").as_bytes()));
    facts
}

/// What a scheme says of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said<'f> {
    Allows(&'f Finding),
    Denies(&'f Finding),
}

/// What a scheme says of an address, if it says anything. DRIP refuses only the name in HELO, which
/// is none of the domain's other hosts'.
fn said(method: Method, findings: &[Finding]) -> Vec<Said<'_>> {
    let of_method = findings.iter().filter(|finding| {
        let is_alternative = method != Method::Drip && finding.identity == Identity::Helo;
        finding.method == method && !is_alternative
    });
    of_method
        .filter_map(|finding| match finding.result {
            FindingResult::Pass => Some(Said::Allows(finding)),
            FindingResult::Fail | FindingResult::Softfail if method != Method::Drip => {
                Some(Said::Denies(finding))
            }
            _ => None,
        })
        .collect()
}

/// Who stands against whom, by their places in the order of the schemes.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Sides {
    allow: Vec<usize>,
    deny: Vec<usize>,
}

/// The addresses of a contradiction, with what decided in the last of its schemes.
type Addresses<'f> = BTreeMap<IpAddr, &'f Finding>;

fn contradictions(
    methods: &[Method],
    reports: &mut [LintReport],
    networks: &[IpNet],
    told: &BTreeMap<IpAddr, Vec<Finding>>,
) {
    let mut found: BTreeMap<Sides, Addresses<'_>> = BTreeMap::new();
    for (address, findings) in told {
        if let Some((sides, finding)) = sides(methods, findings) {
            found.entry(sides).or_default().insert(*address, finding);
        }
    }
    for (sides, addresses) in &found {
        let Some(finding) = addresses.values().next() else { continue };
        let own = |report: &&mut LintReport| report.method == finding.method;
        let Some(report) = reports.iter_mut().find(own) else { continue };
        let span = place(finding, &report.record);
        report.warn(
            "contradiction",
            &span,
            format!(
                "by {} {} may send for the domain, and by {} not",
                names(methods, &sides.allow),
                named(addresses, networks),
                names(methods, &sides.deny)
            ),
            "say the same in each, or remove the records of a scheme that nobody keeps up; \
             `quivive publish --method all` writes them from one description, and tells what a \
             scheme cannot say",
        );
        report.remarks.sort_by_key(|remark| (remark.span, remark.severity));
    }
}

/// Who allows an address and who denies it, with the finding of the last of them; none where all
/// agree.
fn sides<'f>(methods: &[Method], findings: &'f [Finding]) -> Option<(Sides, &'f Finding)> {
    let mut sides = Sides { allow: Vec::new(), deny: Vec::new() };
    let mut last = None;
    for (index, method) in methods.iter().enumerate() {
        for said in said(*method, findings) {
            let (side, finding) = match said {
                Said::Allows(finding) => (&mut sides.allow, finding),
                Said::Denies(finding) => (&mut sides.deny, finding),
            };
            if side.last() != Some(&index) {
                side.push(index);
            }
            last = Some(finding);
        }
    }
    // One scheme alone may judge two identities of a message otherwise.
    let disagree = |one: &usize| sides.deny.iter().any(|other| other != one);
    let is_contradiction = sides.allow.iter().any(disagree);
    last.filter(|_| is_contradiction).map(|finding| (sides, finding))
}

/// `SPF, Sender ID and RMX`
fn names(methods: &[Method], indices: &[usize]) -> String {
    let names: Vec<_> = indices.iter().map(|index| methods[*index].name()).collect();
    match &*names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// What decided, if it stands in the record.
fn place(finding: &Finding, record: &str) -> Range<usize> {
    let decided_by = finding.decided_by.as_deref().filter(|text| !text.is_empty());
    let at = decided_by.and_then(|text| Some((record.find(text)?, text.len())));
    at.map_or(0..0, |(start, length)| start..start + length)
}

/// The networks all of whose edges are among these addresses, then the addresses outside of them.
fn named(addresses: &Addresses<'_>, networks: &[IpNet]) -> String {
    let is_whole = |network: &&IpNet| {
        let edges = [network.network(), network.broadcast()];
        edges.iter().all(|edge| addresses.contains_key(edge))
    };
    let whole: Vec<&IpNet> = networks.iter().filter(is_whole).collect();
    let outside = addresses.keys().filter(|one| !whole.iter().any(|net| net.contains(*one)));
    let network = |network: &&IpNet| match network.prefix_len() == network.max_prefix_len() {
        true => network.addr().to_string(),
        false => network.to_string(),
    };
    let all: Vec<String> =
        whole.iter().map(network).chain(outside.map(ToString::to_string)).collect();
    let more = all.len().saturating_sub(NAMED_MAX);
    let first = all[..all.len() - more].join(", ");
    if more == 0 { first } else { format!("{first} and {more} more") }
}
