//! RFC 7208 read plainly: check_host() over a case by recursion, from the text alone, sharing
//! nothing with `quivive-spf`; and with the departures of a peer.
//!
//! It is slow, has every answer from the start, and says a result without cause or trace: a second
//! opinion, not an implementation.

use std::net::{IpAddr, Ipv6Addr};

use super::departures::Departure;
use super::expansion::{self, Part, Values};
use super::grammar::{Grammar, Mechanism, Prefixes, Term, Word};
use super::world::{Case, Known};

/// RFC 7208 section 4.6.4.
const TERMS_MAX: usize = 10;
const VOID_LOOKUPS_MAX: usize = 2;
const HOSTS_MAX: usize = 10;
const NAMES_MAX: usize = 10;

/// How deep [`Departure::TermsCountedPerInclude`] goes.
const DEPTH_MAX: usize = 20;

/// The result of a case by RFC 7208, but for these departures.
pub(crate) fn result(case: &Case, departures: &[Departure]) -> Word {
    let (local_part, domain) = case.sender.split_once('@').unwrap_or(("postmaster", &case.sender));
    let mut reading = Reading {
        case,
        departures,
        client: case.address.parse().expect("an address"),
        local_part,
        sender_domain: domain,
        terms: 0,
        void_lookups: 0,
        depth: 0,
        validated_name: None,
    };
    reading.check_host(domain).unwrap_or_else(|stop| stop)
}

struct Reading<'c> {
    case: &'c Case,
    departures: &'c [Departure],
    client: IpAddr,
    local_part: &'c str,
    sender_domain: &'c str,
    terms: usize,
    void_lookups: usize,
    depth: usize,
    /// For [`Departure::ValidatedNameKept`].
    validated_name: Option<String>,
}

/// What DNS says.
enum Answer<'c> {
    Records(&'c [String]),
    Nothing,
    Failing,
}

/// The terms of a record.
struct Record {
    directives: Vec<(Word, Mechanism)>,
    redirect: Option<String>,
}

/// A result that ends the whole check is an error.
type Step<T> = Result<T, Word>;

impl<'c> Reading<'c> {
    fn departs(&self, departure: Departure) -> bool {
        self.departures.contains(&departure)
    }

    fn look_up(&self, name: &str, record_type: &'static str) -> Answer<'c> {
        match self.case.answers.get(&(name.to_ascii_lowercase(), record_type)) {
            Some(Known::Found(records) | Known::Late(records)) => Answer::Records(records),
            Some(Known::NoData) | None => Answer::Nothing,
            Some(Known::Failing | Known::Never) => Answer::Failing,
        }
    }

    fn check_host(&mut self, domain: &str) -> Step<Word> {
        if self.departs(Departure::TermsCountedPerInclude) && self.depth > DEPTH_MAX {
            return Err("permerror");
        }
        let texts = match self.look_up(domain, "TXT") {
            Answer::Failing => return Err("temperror"),
            Answer::Nothing => return Ok("none"),
            Answer::Records(texts) => texts.iter().filter(|text| is_policy(text)),
        };
        let record = match &texts.collect::<Vec<_>>()[..] {
            [] => return Ok("none"),
            [text] => self.read(text, domain)?,
            _ => return Err("permerror"),
        };
        let counts_after = self.departs(Departure::RedirectCountsAfterMatch);
        for (result, mechanism) in &record.directives {
            if self.departs(Departure::TermsCountedPerInclude) && self.terms > TERMS_MAX {
                return Err("permerror");
            }
            if let Mechanism::Redirect(target) = mechanism {
                return self.redirect(target, domain);
            }
            if self.matches(mechanism, domain)? {
                if record.redirect.is_some() && counts_after {
                    self.count_term()?;
                }
                return Ok(result);
            }
        }
        match &record.redirect {
            Some(target) => self.redirect(target, domain),
            None => Ok("neutral"),
        }
    }

    /// Reads all terms: an error anywhere is one of the record.
    fn read(&mut self, text: &str, domain: &str) -> Step<Record> {
        let mut record = Record { directives: Vec::new(), redirect: None };
        let mut names: Vec<String> = Vec::new();
        for term in text.split(' ').skip(1).filter(|term| !term.is_empty()) {
            let term = Grammar(self.departures).term(term).ok_or("permerror")?;
            if let Some(name) = self.name_that_stands_once(&term) {
                if names.contains(&name) {
                    return Err("permerror");
                }
                names.push(name);
            }
            self.look_ahead(&term, domain)?;
            match term {
                Term::Directive(result, mechanism) => record.directives.push((result, mechanism)),
                Term::Redirect(target) => record.redirect = Some(target),
                Term::Explanation | Term::Unknown(_) => {}
            }
        }
        Ok(record)
    }

    fn name_that_stands_once(&self, term: &Term) -> Option<String> {
        match term {
            _ if self.departs(Departure::RepeatedModifierTaken) => None,
            Term::Redirect(_) => Some("redirect".to_owned()),
            Term::Explanation => Some("exp".to_owned()),
            Term::Unknown(name) if self.departs(Departure::RepeatedModifierRefused) => {
                Some(name.clone())
            }
            Term::Unknown(_) | Term::Directive(..) => None,
        }
    }

    /// What is done with a term as soon as it is read, by those who do.
    fn look_ahead(&mut self, term: &Term, domain: &str) -> Step<()> {
        if matches!(term, Term::Redirect(_)) && self.departs(Departure::RedirectCountsWhenRead) {
            self.count_term()?;
        }
        let Some(spec) = term.spec() else { return Ok(()) };
        if self.departs(Departure::MacrosExpandedWhenRead) {
            self.expand(spec, domain)?;
        }
        match term {
            Term::Directive(_, Mechanism::Include(spec))
                if self.departs(Departure::IncludeOfItself)
                    && self.expand(spec, domain)? == domain =>
            {
                Err("permerror")
            }
            _ => Ok(()),
        }
    }

    /// Section 6.1.
    fn redirect(&mut self, target: &str, domain: &str) -> Step<Word> {
        if !(self.departs(Departure::RedirectCountsWhenRead)) {
            self.count_term()?;
        }
        let target = self.target(target, domain)?.ok_or("permerror")?;
        self.depth += 1;
        let result = self.check_host(&target)?;
        self.depth -= 1;
        if result == "none" { Err("permerror") } else { Ok(result) }
    }

    /// Section 5.
    fn matches(&mut self, mechanism: &Mechanism, domain: &str) -> Step<bool> {
        match mechanism {
            Mechanism::All => return Ok(true),
            Mechanism::Ip(network, prefix) => return Ok(self.is_within(*network, *prefix)),
            _ => self.count_term()?,
        }
        let target = match mechanism {
            Mechanism::Include(spec) => return self.include(spec, domain),
            Mechanism::A(spec, _)
            | Mechanism::Mx(spec, _)
            | Mechanism::Ptr(spec)
            | Mechanism::Exists(spec) => match spec {
                Some(spec) => self.target(spec, domain)?,
                None => Some(domain.to_owned()),
            },
            Mechanism::All | Mechanism::Ip(..) | Mechanism::Redirect(_) => None,
        };
        let Some(target) = target else { return Ok(false) };
        match mechanism {
            Mechanism::A(_, prefixes) => self.address_matches(&target, *prefixes),
            Mechanism::Mx(_, prefixes) => self.mx(&target, *prefixes),
            Mechanism::Ptr(_) => self.ptr(&target),
            _ => Ok(!self.records(&target, "A")?.is_empty()),
        }
    }

    /// Section 5.2.
    fn include(&mut self, spec: &str, domain: &str) -> Step<bool> {
        let target = self.target(spec, domain)?.ok_or("permerror")?;
        let terms = self.terms;
        let counts_alone = self.departs(Departure::TermsCountedPerInclude);
        if counts_alone {
            self.terms = 0;
        }
        self.depth += 1;
        let result = self.check_host(&target)?;
        self.depth -= 1;
        if counts_alone {
            self.terms = terms;
        }
        match result {
            "none" => Err("permerror"),
            result => Ok(result == "pass"),
        }
    }

    /// Section 5.3, and for each host section 5.4.
    fn address_matches(&mut self, name: &str, (four, six): Prefixes) -> Step<bool> {
        let prefix = if self.client.is_ipv4() { four } else { six };
        let addresses = self.records(name, self.address_type())?;
        Ok(addresses.iter().any(|text| {
            text.parse().is_ok_and(|address| common_bits(address, self.client) >= prefix)
        }))
    }

    /// Section 5.4.
    fn mx(&mut self, name: &str, prefixes: Prefixes) -> Step<bool> {
        let hosts = self.records(name, "MX")?;
        let are_too_many = hosts.len() > HOSTS_MAX;
        let compared = self.departs(Departure::HostsBeyondTenIgnored)
            || self.departs(Departure::TenHostsComparedFirst);
        if are_too_many && !compared {
            return Err("permerror");
        }
        let mut matched = false;
        for host in hosts.iter().take(HOSTS_MAX) {
            let host = host.split_once(' ').map_or(&**host, |(_, host)| host);
            matched |= self.address_matches(host, prefixes)?;
            if matched && !self.departs(Departure::ComparesLast) {
                return Ok(true);
            }
        }
        match are_too_many && self.departs(Departure::TenHostsComparedFirst) {
            true => Err("permerror"),
            false => Ok(matched),
        }
    }

    /// Section 5.5.
    fn ptr(&mut self, target: &str) -> Step<bool> {
        let names = match self.look_up(&self.reverse_name(), "PTR") {
            Answer::Records(names) => names,
            Answer::Nothing => return self.count_void_lookup().map(|()| false),
            Answer::Failing if self.departs(Departure::ReverseFailureStops) => {
                return Err("temperror");
            }
            Answer::Failing => return Ok(false),
        };
        let mut matched = false;
        for name in names.iter().take(NAMES_MAX) {
            let is_candidate = is_below(name, target);
            if is_candidate || self.departs(Departure::AllNamesValidated) {
                let stops = self.departs(Departure::NameFailureStops);
                matched |= self.is_validated(name, stops)? && is_candidate;
            }
            if matched && !self.departs(Departure::ComparesLast) {
                return Ok(true);
            }
        }
        match names.len() > NAMES_MAX && self.departs(Departure::NamesBeyondTenAreAnError) {
            true => Err("permerror"),
            false => Ok(matched),
        }
    }

    /// `%{p}` (section 7.3).
    fn validated_name(&mut self, domain: &str) -> Step<String> {
        if let Some(name) = &self.validated_name {
            return Ok(name.clone());
        }
        let stops = self.departs(Departure::FailureStopsExpansion);
        let names = match self.look_up(&self.reverse_name(), "PTR") {
            Answer::Records(names) => names,
            Answer::Failing if stops => return Err("temperror"),
            Answer::Nothing if self.departs(Departure::NamesOfClientCountAsVoid) => {
                self.count_void_lookup()?;
                &[]
            }
            Answer::Nothing | Answer::Failing => &[],
        };
        let mut validated = Vec::new();
        for name in names.iter().take(NAMES_MAX) {
            if self.is_validated(name, stops)? {
                validated.push(name);
                // Nothing better can come; who counts what is void goes on, or not.
                if name == domain && !self.departs(Departure::ComparesLast) {
                    break;
                }
            }
        }
        if !self.departs(Departure::FirstValidatedName) {
            validated.sort_by_key(|name| match () {
                () if *name == domain => 0,
                () if is_below(name, domain) => 1,
                () => 2,
            });
        }
        let name = validated.first().map_or("unknown", |name| name).to_owned();
        if self.departs(Departure::ValidatedNameKept) {
            self.validated_name = Some(name.clone());
        }
        Ok(name)
    }

    fn is_validated(&mut self, name: &str, stops: bool) -> Step<bool> {
        match self.look_up(name, self.address_type()) {
            Answer::Records(addresses) => {
                Ok(addresses.iter().any(|text| text.parse() == Ok(self.client)))
            }
            Answer::Failing if stops => Err("temperror"),
            Answer::Nothing if self.departs(Departure::NamesOfClientCountAsVoid) => {
                self.count_void_lookup().map(|()| false)
            }
            Answer::Nothing | Answer::Failing => Ok(false),
        }
    }

    /// The records that a term asks for: none at all is a void look-up.
    fn records(&mut self, name: &str, record_type: &'static str) -> Step<&'c [String]> {
        match self.look_up(name, record_type) {
            Answer::Records(records) => Ok(records),
            Answer::Nothing => self.count_void_lookup().map(|()| &[][..]),
            Answer::Failing => Err("temperror"),
        }
    }

    fn count_term(&mut self) -> Step<()> {
        self.terms += 1;
        let later = self.departs(Departure::TermsCountedPerInclude);
        if self.terms > TERMS_MAX && !later { Err("permerror") } else { Ok(()) }
    }

    fn count_void_lookup(&mut self) -> Step<()> {
        self.void_lookups += 1;
        let ends = self.void_lookups > VOID_LOOKUPS_MAX;
        if ends && !self.departs(Departure::VoidLookupsUnlimited) {
            Err("permerror")
        } else {
            Ok(())
        }
    }

    /// The name that a term is about (sections 4.8, 7.3); none that can be asked.
    fn target(&mut self, spec: &str, domain: &str) -> Step<Option<String>> {
        let expanded = self.expand(spec, domain)?.to_ascii_lowercase();
        let mut name = expanded.strip_suffix('.').unwrap_or(&expanded).to_owned();
        if self.departs(Departure::EmptyLabelCrashes) && name.split('.').any(str::is_empty) {
            return Err("crash");
        }
        if self.departs(Departure::LongLabelIsCut) {
            let cut: Vec<String> =
                name.split('.').map(|label| label.chars().take(63).collect()).collect();
            name = cut.join(".");
        }
        while name.len() > 253 {
            let Some((_, shorter)) = name.split_once('.') else { return Ok(None) };
            name = shorter.to_owned();
        }
        let can_be_asked = name.split('.').all(|label| (1..=63).contains(&label.len()));
        Ok(can_be_asked.then_some(name))
    }

    fn expand(&mut self, spec: &str, domain: &str) -> Step<String> {
        let parts = expansion::parts(spec, self.departures).ok_or("permerror")?;
        let macros = || {
            parts.iter().filter_map(|part| match part {
                Part::Macro(item) => Some(item),
                Part::Text(..) => None,
            })
        };
        if !macros().all(|item| item.is_fine(self.departs(Departure::ZeroLabels))) {
            return Err("permerror");
        }
        let uses_names = macros().any(|item| item.letter.eq_ignore_ascii_case(&'p'));
        let validated_name = if uses_names { self.validated_name(domain)? } else { String::new() };
        let values = Values {
            address: self.client,
            helo: &self.case.helo,
            local_part: self.local_part,
            sender_domain: self.sender_domain,
            domain,
            validated_name: &validated_name,
            cuts_by_dots: self.departs(Departure::LabelsCutByDots),
        };
        Ok(expansion::expand(&parts, &values))
    }

    /// Section 5.6.
    fn is_within(&self, network: IpAddr, prefix: u8) -> bool {
        let client = match (network, self.client) {
            (IpAddr::V6(_), IpAddr::V4(client))
                if self.departs(Departure::MappedAddressesCompared) =>
            {
                client.to_ipv6_mapped().into()
            }
            _ => self.client,
        };
        network.is_ipv4() == client.is_ipv4() && common_bits(network, client) >= prefix
    }

    fn address_type(&self) -> &'static str {
        if self.client.is_ipv4() { "A" } else { "AAAA" }
    }

    fn reverse_name(&self) -> String {
        let (labels, end): (Vec<String>, _) = match self.client {
            IpAddr::V4(client) => {
                (client.octets().iter().map(u8::to_string).collect(), "in-addr.arpa")
            }
            IpAddr::V6(client) => {
                let nibbles = format!("{:032x}", client.to_bits());
                (nibbles.chars().map(String::from).collect(), "ip6.arpa")
            }
        };
        let labels: Vec<String> = labels.into_iter().rev().collect();
        format!("{}.{end}", labels.join("."))
    }
}

/// Section 4.5.
fn is_policy(text: &str) -> bool {
    let version = text.split(' ').next().unwrap_or_default();
    version.eq_ignore_ascii_case("v=spf1")
}

fn is_below(name: &str, target: &str) -> bool {
    name == target || name.strip_suffix(target).is_some_and(|rest| rest.ends_with('.'))
}

/// How many bits two addresses of a family begin with alike; none of two families.
fn common_bits(one: IpAddr, other: IpAddr) -> u8 {
    let bits = |address: IpAddr| -> u128 {
        match address {
            IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
            IpAddr::V6(address) => Ipv6Addr::to_bits(address),
        }
    };
    let (differing, width) = (bits(one) ^ bits(other), if one.is_ipv4() { 32 } else { 128 });
    u8::try_from(differing.leading_zeros().min(width)).unwrap_or(0)
}
