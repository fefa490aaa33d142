//! Networks of a record: each alone, and against each other.

use std::net::IpAddr;

use ipnet::IpNet;
use quivive_evidence::{Remark, Severity, not_public_network, wide_network};

use super::term::Term;
use crate::record::{DualPrefix, Mechanism, Qualifier};

/// A network with its place in the record.
struct Network<'t> {
    /// Which term it is.
    index: usize,
    term: &'t Term<'t>,
    qualifier: Qualifier,
    address: IpAddr,
    prefix: u8,
    first: u128,
    last: u128,
}

/// Remarks about the networks of these terms.
pub(super) fn remarks(terms: &[Term<'_>]) -> Vec<Remark> {
    let networks: Vec<_> = terms.iter().enumerate().filter_map(Network::of).collect();
    let mut remarks: Vec<_> = networks.iter().flat_map(Network::alone).collect();
    for family in [IpAddr::is_ipv4 as fn(&IpAddr) -> bool, IpAddr::is_ipv6] {
        let of_family: Vec<_> = networks.iter().filter(|one| family(&one.address)).collect();
        remarks.extend(against_each_other(of_family, terms));
    }
    remarks.extend(terms.iter().filter_map(wide_prefix));
    remarks
}

impl<'t> Network<'t> {
    fn of((index, term): (usize, &'t Term<'t>)) -> Option<Self> {
        let (qualifier, mechanism) = term.directive()?;
        let (address, prefix, width, bits) = match mechanism {
            Mechanism::Ip4(address, prefix) => {
                (IpAddr::V4(address), prefix, 32, u128::from(address.to_bits()))
            }
            Mechanism::Ip6(address, prefix) => {
                (IpAddr::V6(address), prefix, 128, address.to_bits())
            }
            _ => return None,
        };
        let hosts = u128::MAX.checked_shr(128 - (width - u32::from(prefix))).unwrap_or(0);
        let (first, last) = (bits & !hosts, bits | hosts);
        Some(Self { index, term, qualifier, address, prefix, first, last })
    }

    /// As it would be written without host bits.
    fn canonical(&self) -> String {
        match self.address {
            IpAddr::V4(_) => {
                let bits = u32::try_from(self.first).unwrap_or_default();
                format!("ip4:{}/{}", std::net::Ipv4Addr::from_bits(bits), self.prefix)
            }
            IpAddr::V6(_) => {
                format!("ip6:{}/{}", std::net::Ipv6Addr::from_bits(self.first), self.prefix)
            }
        }
    }

    fn alone(&self) -> Vec<Remark> {
        let mut remarks = Vec::new();
        let mut add = |severity, code, message: String, help: String| {
            remarks.push(Remark::new(severity, code, self.term.span.clone(), message, help));
        };
        let bits = match self.address {
            IpAddr::V4(address) => u128::from(address.to_bits()),
            IpAddr::V6(address) => address.to_bits(),
        };
        if bits != self.first && self.prefix > 0 {
            add(
                Severity::Advice,
                "host-bits",
                "the address has bits behind its prefix, which are ignored".to_owned(),
                format!(
                    "write `{}{}` for the network, or the address alone for one host",
                    self.term.sign(),
                    self.canonical()
                ),
            );
        }
        let network = IpNet::new(self.address, self.prefix).ok();
        let not_public = network.and_then(not_public_network);
        if let (Some((message, help)), None) = (self.width(), not_public) {
            add(Severity::Warning, "wide-network", message, help);
        } else if let Some(what) = not_public {
            add(
                Severity::Warning,
                "no-public-address",
                format!(
                    "the addresses are {what}, and no mail comes from them over the \
                     internet"
                ),
                "remove it, and name the address that other hosts see".to_owned(),
            );
        }
        remarks
    }

    fn width(&self) -> Option<(String, String)> {
        if self.qualifier != Qualifier::Pass {
            return None;
        }
        wide_network(self.prefix, self.address.is_ipv4())
    }

    fn contains(&self, other: &Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }
}

/// `a/8`, `mx//16`
fn wide_prefix(term: &Term<'_>) -> Option<Remark> {
    let (Qualifier::Pass, Mechanism::A(_, prefix) | Mechanism::Mx(_, prefix)) = term.directive()?
    else {
        return None;
    };
    let DualPrefix { ipv4, ipv6 } = prefix;
    let (message, help) = wide_network(ipv4, true).or_else(|| wide_network(ipv6, false))?;
    Some(Remark::new(Severity::Warning, "wide-network", term.span.clone(), message, help))
}

/// Networks are equal, or one lies within the other, or they have nothing in common. In this order
/// each comes behind those that it lies within.
fn against_each_other(mut networks: Vec<&Network<'_>>, terms: &[Term<'_>]) -> Vec<Remark> {
    networks.sort_by_key(|one| (one.first, std::cmp::Reverse(one.last), one.index));
    let mut remarks = Vec::new();
    let mut around: Vec<&Network<'_>> = Vec::new();
    for &network in &networks {
        around.retain(|outer| outer.contains(network));
        // One remark for each network: the closest that says something.
        remarks.extend(around.iter().rev().find_map(|outer| within(network, outer, terms)));
        // Of equal ones the first counts.
        if around.last().is_none_or(|last| !network.contains(last)) {
            around.push(network);
        }
    }
    remarks.extend(neighbours(&networks));
    remarks
}

/// What is to be said about a network that lies within another.
fn within(inner: &Network<'_>, outer: &Network<'_>, terms: &[Term<'_>]) -> Option<Remark> {
    let is_equal = inner.prefix == outer.prefix;
    let (inner_text, outer_text) = (&*inner.term.text, &*outer.term.text);
    if outer.index < inner.index {
        let same = inner.qualifier == outer.qualifier;
        let (code, message) = match (is_equal, same) {
            (true, true) => (
                "repeated-network",
                format!("`{outer_text}` stands before it, so that this never adds anything"),
            ),
            (false, true) => (
                "overlapping-networks",
                format!("`{outer_text}` before it holds these addresses already"),
            ),
            (_, false) => (
                "overlapping-networks",
                format!(
                    "`{outer_text}` before it decides about these addresses, so that this is \
                     never looked at"
                ),
            ),
        };
        let help = match (is_equal, same) {
            (_, true) => "remove it".to_owned(),
            (true, false) => format!("keep `{outer_text}` or `{inner_text}`"),
            (false, false) => format!("move it before `{outer_text}`"),
        };
        return Some(Remark::new(Severity::Warning, code, inner.term.span.clone(), message, help));
    }
    // The smaller one comes first: an exception, unless it says the same and nothing between them
    // says otherwise.
    let between = &terms[inner.index..outer.index];
    let says_the_same = |term: &Term<'_>| {
        term.directive().is_some_and(|(qualifier, _)| qualifier == outer.qualifier)
    };
    let asks_nothing = |term: &Term<'_>| {
        matches!(term.directive(), Some((_, Mechanism::Ip4(..) | Mechanism::Ip6(..))))
    };
    let help = match between.iter().all(asks_nothing) {
        true => format!("remove `{inner_text}`"),
        false => format!("put `{outer_text}` here instead: what asks nothing belongs first"),
    };
    between.iter().all(says_the_same).then(|| {
        Remark::new(
            Severity::Warning,
            "overlapping-networks",
            inner.term.span.clone(),
            format!("`{outer_text}` behind it holds these addresses, too"),
            help,
        )
    })
}

/// Two halves of one network (advice only: nothing is wrong with them).
fn neighbours(networks: &[&Network<'_>]) -> Vec<Remark> {
    let halves = |pair: &&[&Network<'_>]| {
        let [one, other] = pair else { return false };
        one.prefix == other.prefix
            && one.prefix > 0
            && one.qualifier == other.qualifier
            && one.index.abs_diff(other.index) == 1
            && one.last.checked_add(1) == Some(other.first)
            && one.first & (other.last - one.first) == 0
    };
    let halves = networks.windows(2).filter(halves);
    halves
        .map(|pair| {
            let later = if pair[0].index > pair[1].index { pair[0] } else { pair[1] };
            let whole = Network { prefix: pair[0].prefix - 1, term: pair[0].term, ..*pair[0] };
            Remark::new(
                Severity::Advice,
                "neighbouring-networks",
                later.term.span.clone(),
                format!(
                    "`{}` and `{}` are the halves of one network",
                    pair[0].term.text, pair[1].term.text
                ),
                format!("write `{}{}`", later.term.sign(), whole.canonical()),
            )
        })
        .collect()
}
