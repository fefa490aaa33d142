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

/// Adds a remark for each pair of schemes that contradict each other to the report of the later
/// one. The questions that need answers first; none when everything has been compared.
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
        for report in reports.iter_mut().filter(|report| report.published) {
            let own = report.method;
            let earlier = methods.iter().take_while(|method| **method != own);
            for other in earlier {
                contradictions(*other, report, &networks, &told);
            }
            report.remarks.sort_by_key(|remark| (remark.span, remark.severity));
        }
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

/// The addresses of a contradiction, with what decided in the report's own scheme.
type Addresses<'f> = BTreeMap<IpAddr, &'f Finding>;

fn contradictions(
    other: Method,
    report: &mut LintReport,
    networks: &[IpNet],
    told: &BTreeMap<IpAddr, Vec<Finding>>,
) {
    let (mut allowed, mut denied) = (Addresses::new(), Addresses::new());
    for (address, findings) in told {
        for theirs in said(other, findings) {
            for ours in said(report.method, findings) {
                match (theirs, ours) {
                    (Said::Denies(_), Said::Allows(finding)) => {
                        allowed.insert(*address, finding);
                    }
                    (Said::Allows(_), Said::Denies(finding)) => {
                        denied.insert(*address, finding);
                    }
                    _ => {}
                }
            }
        }
    }
    let name = report.method.name();
    let sides = [(denied, other.name(), name), (allowed, name, other.name())];
    for (addresses, allows, denies) in sides {
        let Some(finding) = addresses.values().next() else { continue };
        let span = place(finding, &report.record);
        let named = named(&addresses, networks);
        report.warn(
            "contradiction",
            &span,
            format!("by {allows} {named} may send for the domain, and by {denies} not"),
            "say the same in both, as `quivive publish --method all` does, or remove the records \
             of a scheme that nobody keeps up",
        );
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
