//! What of the tree cannot be had, costs too much, or adds nothing.

use std::ops::Range;

use quivive_evidence::{Failure, Remark, Severity};

use super::addresses::Addresses;
use super::term::Term;
use super::tree::{Branch, Leaf, State, Trouble, shown::counted};
use crate::Limits;
use crate::matching::MX_HOSTS_MAX;
use crate::record::Qualifier;

/// With fewer look-up terms to spare there is hardly room for another provider.
const TERMS_SPARE: usize = 1;

/// Remarks about the tree of a record with these terms.
pub(super) fn remarks(tree: &Branch, terms: &[Term<'_>], limits: Limits) -> Vec<Remark> {
    let mut reach = Reach { terms, limits, remarks: Vec::new() };
    for leaf in &tree.leaves {
        reach.trouble(leaf, &[], &terms[leaf.index].span);
    }
    reach.count_terms(tree);
    reach.count_void(tree);
    reach.dead(tree);
    reach.redundant(tree);
    reach.remarks
}

struct Reach<'r> {
    terms: &'r [Term<'r>],
    limits: Limits,
    remarks: Vec<Remark>,
}

impl Reach<'_> {
    fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        span: &Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.remarks.push(Remark::new(severity, code, span.clone(), message, help));
    }

    fn span(&self, leaf: &Leaf) -> Range<usize> {
        self.terms[leaf.index].span.clone()
    }

    /// What cannot be had, here and below. `way` are the domains between; `span` is the term of our
    /// record that leads there.
    fn trouble(&mut self, leaf: &Leaf, way: &[&str], span: &Range<usize>) {
        if let Some(trouble) = &leaf.trouble {
            self.add_trouble(trouble, leaf, way, span);
        }
        let Some(below) = leaf.below.as_deref() else { return };
        self.policy(leaf, below, way, span);
        let way = [way, &[&*below.domain]].concat();
        for leaf in &below.leaves {
            self.trouble(leaf, &way, span);
        }
    }

    fn add_trouble(&mut self, trouble: &Trouble, leaf: &Leaf, way: &[&str], span: &Range<usize>) {
        let place = place(leaf, way);
        match trouble {
            // What finds nothing in others' records is told where all of them are counted.
            Trouble::NoAddress(_) | Trouble::NoMx(_) | Trouble::NullMx(_) if !way.is_empty() => {}
            Trouble::NoAddress(name) => self.add(
                Severity::Warning,
                "no-address",
                span,
                format!(
                    "{name} has no address, so that {place} finds nothing and uses up a \
                     void look-up"
                ),
                "name a host that exists, or remove the term",
            ),
            Trouble::NoMx(name) => self.add(
                Severity::Warning,
                "no-mx",
                span,
                format!(
                    "{name} has no MX record, so that {place} finds nothing and uses up a \
                     void look-up"
                ),
                "remove the term, or name the hosts by `a:` or `ip4:`",
            ),
            Trouble::NullMx(name) => self.add(
                Severity::Warning,
                "null-mx",
                span,
                format!(
                    "{name} says by its MX that it takes no mail, so that {place} matches \
                     nobody"
                ),
                "remove the term",
            ),
            Trouble::ManyMx(name, count) => self.add(
                Severity::Error,
                "mx-limit",
                span,
                format!(
                    "{name} has {count} mail exchangers, and with more than {MX_HOSTS_MAX} \
                     {place} makes the record unusable"
                ),
                mend(way, "name the hosts that send by `ip4:` and `ip6:`"),
            ),
            Trouble::Failed(name, failure) => self.add(
                Severity::Warning,
                "dns-failure",
                span,
                no_answer(name, *failure),
                "lint again; if it stays so, see to the name servers of that domain".to_owned(),
            ),
        }
    }

    /// A record that is included or redirected to (RFC 7208 sections 5.2 and 6.1).
    fn policy(&mut self, leaf: &Leaf, below: &Branch, way: &[&str], span: &Range<usize>) {
        let (domain, place) = (&*below.domain, place(leaf, way));
        let error = |code, what: String, help: &str| Some((code, what, mend(way, help)));
        let found = match &below.state {
            State::Record | State::Unknown => None,
            State::NoDomain => error(
                "missing-domain",
                format!("the domain of {place} does not exist"),
                "remove it, or write the name as the provider gives it",
            ),
            State::NoRecord => error(
                "missing-record",
                format!("{domain} publishes no SPF record for {place}"),
                "remove it, or write the name as the provider gives it; a host is named by `a:`",
            ),
            State::Several => error(
                "several-below",
                format!("{domain}, which {place} names, has more than one SPF record"),
                "tell whoever runs it, and remove the term until then",
            ),
            State::Broken(why) => error(
                "broken-below",
                format!("the record of {domain}, which {place} names, is broken: {why}"),
                "tell whoever runs it, and remove the term until then",
            ),
            State::Loop => error(
                "loop",
                format!("{place} leads back to {domain}, and so round and round"),
                "remove it",
            ),
            State::Failed(failure) => {
                self.add(
                    Severity::Warning,
                    "dns-failure",
                    span,
                    no_answer(domain, *failure),
                    "lint again; if it stays so, see to the name servers of that domain",
                );
                None
            }
        };
        if let Some((code, what, help)) = found {
            let message = format!("{what}, and every check that comes to it fails (permerror)");
            self.add(Severity::Error, code, span, message, help);
        }
    }

    /// RFC 7208 section 4.6.4: ten look-up terms, over all records together.
    fn count_terms(&mut self, tree: &Branch) {
        let (total, most) = (tree.terms(), self.limits.terms_max);
        let least = if tree.is_complete() { "" } else { "at least " };
        let costs = costs(tree);
        if total > most {
            let mut sum = 0;
            let over = tree.leaves.iter().find(|leaf| {
                sum += leaf.terms();
                sum > most
            });
            let span = over.map_or(0..0, |leaf| self.span(leaf));
            self.add(
                Severity::Error,
                "term-limit",
                &span,
                format!(
                    "the record needs {least}{total} look-up terms, and receivers give up \
                     after {most} (permerror)"
                ),
                format!(
                    "save some{costs}; `quivive publish --flatten` can replace them by \
                     networks"
                ),
            );
        } else if total + TERMS_SPARE >= most {
            let last = tree.leaves.iter().rev().find(|leaf| leaf.terms() > 0);
            let span = last.map_or(0..0, |leaf| self.span(leaf));
            self.add(
                Severity::Advice,
                "many-terms",
                &span,
                format!(
                    "the record needs {least}{total} of {most} look-up terms, and a \
                     provider may add one any day"
                ),
                format!("save some{costs}"),
            );
        }
    }

    /// RFC 7208 section 4.6.4: few look-ups that find nothing.
    fn count_void(&mut self, tree: &Branch) {
        let (void, most) = (tree.void(), self.limits.void_lookups_max);
        let permits = tree.permits();
        let family = match (void.ipv4 > most, void.ipv6 > most) {
            (false, false) => return,
            (true, true) => ", and every client that comes so far gets a permerror",
            (true, false) => " for IPv4 clients, which get a permerror",
            (false, true) => " for IPv6 clients, which get a permerror",
        };
        let severity = match (void.ipv4 > most, permits.has_ipv6() || void.ipv4 > most) {
            (true, _) => Severity::Error,
            (false, true) => Severity::Warning,
            (false, false) => Severity::Advice,
        };
        let mut sum = 0;
        let over = tree.leaves.iter().find(|leaf| {
            sum += if void.ipv4 > most { leaf.void().ipv4 } else { leaf.void().ipv6 };
            sum > most
        });
        let span = over.map_or(0..0, |leaf| self.span(leaf));
        self.add(
            severity,
            "void-lookup-limit",
            &span,
            format!(
                "{} find nothing{family}: receivers give up after {most}",
                counted(void.worst(), "look-up")
            ),
            format!(
                "remove what finds nothing, or name addresses by `ip4:` and `ip6:`{}",
                void_names(tree)
            ),
        );
    }

    /// Terms that can never match, and those that always do.
    fn dead(&mut self, tree: &Branch) {
        for leaf in &tree.leaves {
            let Some(below) = leaf.below.as_deref().filter(|_| !leaf.may_fail()) else { continue };
            let span = self.span(leaf);
            if leaf.matches == Addresses::all() {
                self.add(
                    Severity::Warning,
                    "permits-all-below",
                    &span,
                    format!("{} permits every host in the world", below.domain),
                    "remove the term, or ask whoever runs that domain",
                );
            } else if leaf.matches.is_empty() && !leaf.varies && leaf.qualifier.is_some() {
                self.add(
                    Severity::Warning,
                    "dead-include",
                    &span,
                    format!("{} permits nobody, so that this only costs a look-up", below.domain),
                    "remove it, or write the name as the provider gives it",
                );
            }
        }
    }

    /// Terms that decide nothing, since others hold their addresses: first those that cost a
    /// look-up, the last one first, then networks beside what is left of them.
    fn redundant(&mut self, tree: &Branch) {
        // Beyond a limit the terms behind are none that a check comes to.
        let (void, most) = (tree.void(), self.limits.void_lookups_max);
        let is_over = tree.terms() > self.limits.terms_max || void.worst() > most;
        let mut rest: Vec<&Leaf> = tree.leaves.iter().collect();
        for at in (0..rest.len()).rev() {
            let leaf = rest[at];
            if !leaf.counts || !is_plain(leaf) {
                continue;
            }
            let others = [&rest[..at], &rest[at + 1..]].concat();
            let after = if is_over { &[] } else { &rest[at + 1..] };
            let is_repeated = others.iter().any(|other| other.text == leaf.text);
            if !is_repeated && decides_nothing(leaf, &rest[..at], after) {
                self.redundant_term(leaf, &others);
                rest.remove(at);
            }
        }
        let permitting = union(rest.iter().filter(|leaf| is_plain(leaf) && leaf.counts));
        for (at, leaf) in rest.iter().enumerate() {
            if leaf.counts || !is_plain(leaf) || !permitting.cover(&leaf.matches) {
                continue;
            }
            let before = without_plain_networks(&rest[..at]);
            let after = without_plain_networks(if is_over { &[] } else { &rest[at + 1..] });
            if decides_nothing(leaf, &before, &after) {
                self.add(
                    Severity::Advice,
                    "redundant-network",
                    &self.span(leaf),
                    "what the record includes or looks up holds these addresses already",
                    "remove it, unless it should hold when the others change",
                );
            }
        }
    }

    fn redundant_term(&mut self, leaf: &Leaf, others: &[&Leaf]) {
        let permitting = others.iter().filter(|other| is_plain(other));
        let are_permitted = union(permitting).cover(&leaf.matches);
        let saved = counted(leaf.terms(), "look-up term");
        self.add(
            Severity::Warning,
            "redundant-term",
            &self.span(leaf),
            match are_permitted {
                true => "other terms hold all of its addresses",
                false => "terms before it decide about all of its addresses",
            },
            format!("remove it, if that is no accident, and save {saved}"),
        );
    }
}

/// Whether a term permits some hosts, for every message the same.
fn is_plain(leaf: &Leaf) -> bool {
    let is_certain = !leaf.varies && !leaf.may_fail();
    let permits_some = !leaf.matches.is_empty() && leaf.matches != Addresses::all();
    leaf.qualifier == Some(Qualifier::Pass) && is_certain && permits_some
}

fn without_plain_networks<'l>(leaves: &[&'l Leaf]) -> Vec<&'l Leaf> {
    leaves.iter().copied().filter(|leaf| leaf.counts || !is_plain(leaf)).collect()
}

fn union<'l>(leaves: impl Iterator<Item = &'l &'l Leaf>) -> Addresses {
    let mut union = Addresses::default();
    leaves.for_each(|leaf| union.add(&leaf.matches));
    union
}

/// Whether every host comes to the same without this term: those that it matches have been decided
/// about before, or are permitted behind it.
fn decides_nothing(leaf: &Leaf, before: &[&Leaf], after: &[&Leaf]) -> bool {
    let mut decided = leaf.matches.clone();
    before.iter().for_each(|other| decided.remove(&other.matches));
    for other in after {
        if decided.is_empty() {
            return true;
        }
        let refuses = !other.permits() && (other.varies || other.matches.meet(&decided));
        if refuses || other.may_fail() {
            return false;
        }
        decided.remove(&other.matches);
    }
    decided.is_empty()
}

/// How the place of a term is told: by its text, and by whose record it stands in.
fn place(leaf: &Leaf, way: &[&str]) -> String {
    match way.last() {
        None => format!("`{}`", leaf.text),
        Some(domain) => format!("`{}` in the record of {domain}", leaf.text),
    }
}

fn no_answer(name: &str, failure: Failure) -> String {
    let token = failure.token();
    format!("DNS gives no answer about {name} ({token}), for which receivers defer mail")
}

/// What others publish is theirs to mend.
fn mend(way: &[&str], ours: &str) -> String {
    match way.last() {
        None => ours.to_owned(),
        Some(domain) => format!("tell whoever runs {domain}"),
    }
}

/// The names that have nothing, the first of them.
fn void_names(tree: &Branch) -> String {
    const NAMES_MAX: usize = 4;
    fn collect<'t>(branch: &'t Branch, names: &mut Vec<&'t str>) {
        for leaf in &branch.leaves {
            if let Some(Trouble::NoAddress(name) | Trouble::NoMx(name)) = &leaf.trouble
                && !names.contains(&&**name)
            {
                names.push(name);
            }
            leaf.below.iter().for_each(|below| collect(below, names));
        }
    }
    let mut names = Vec::new();
    collect(tree, &mut names);
    let more = if names.len() > NAMES_MAX { " and others" } else { "" };
    names.truncate(NAMES_MAX);
    match &*names {
        [] => String::new(),
        [name] => format!("; {name} has nothing"),
        names => format!("; {}{more} have nothing", names.join(", ")),
    }
}

/// The terms that cost most.
fn costs(tree: &Branch) -> String {
    let mut costly: Vec<_> = tree.leaves.iter().filter(|leaf| leaf.terms() > 1).collect();
    costly.sort_by_key(|leaf| std::cmp::Reverse(leaf.terms()));
    let told: Vec<_> = costly
        .iter()
        .take(3)
        .map(|leaf| format!("`{}` takes {}", leaf.text, leaf.terms()))
        .collect();
    if told.is_empty() { String::new() } else { format!(": {}", told.join(", ")) }
}
