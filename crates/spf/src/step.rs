//! Directives as they are evaluated: what is needed of each, in two words.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::domain_spec::DomainSpec;
use crate::macro_string::{Letters, MacroString};
use crate::record::{Directive, DualPrefix, Mechanism, Name, Qualifier, Record, Term};

/// A directive of a record, as far as evaluating it needs it: small enough to be handed on in
/// registers. What is said of places is true of that record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    /// From the lowest bit: the mechanism (4) and its qualifier (4), what its domain-spec is (8),
    /// the prefix lengths (8, 8), and where the term starts (16) and ends (16).
    head: u64,
    /// Of an IPv4 network the address (32), of an IPv6 network its upper half (64); else where the
    /// domain-spec starts (16), how long it is (16), and the letters that it uses (16).
    operand: u64,
}

/// A directive where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'r> {
    record: &'r Record,
    step: Step,
}

const QUALIFIER: u32 = 4;
const SPEC: u32 = 8;
const PREFIX: u32 = 16;
const OF_IPV6: u32 = 24;
const START: u32 = 32;
const END: u32 = 48;

/// What a domain-spec is.
const NO_DOMAIN: u8 = 0;
const NAME: u8 = 1;
const NO_NAME: u8 = 2;
const MACROS: u8 = 3;

/// The longest prefix of an IPv6 network that the upper half of its address is enough for.
const HALF: u8 = 64;

impl Step {
    fn of(directive: &Directive<'_>, record: &Record) -> Self {
        let (start, end) = directive.span;
        let mechanism = &directive.mechanism;
        let DualPrefix { ipv4: prefix, ipv6: of_ipv6 } = mechanism.prefixes();
        let (spec, operand) = match *mechanism {
            Mechanism::Ip4(network, _) => (NO_DOMAIN, network.to_bits().into()),
            Mechanism::Ip6(network, _) => (NO_DOMAIN, (network.to_bits() >> 64) as u64),
            _ => domain(mechanism.target(), record.slice(directive.span), start),
        };
        let head = mechanism.name() as u64
            | (directive.qualifier as u64) << QUALIFIER
            | u64::from(spec) << SPEC
            | u64::from(prefix) << PREFIX
            | u64::from(of_ipv6) << OF_IPV6
            | u64::from(start) << START
            | u64::from(end) << END;
        Self { head, operand }
    }

    /// The step where it stands in its record.
    #[inline]
    pub(crate) fn within(self, record: &Record) -> Place<'_> {
        Place { record, step: self }
    }
}

/// What the domain-spec of a term is, and the operand for it.
fn domain(target: Option<DomainSpec<'_>>, term: &str, start: u32) -> (u8, u64) {
    let (spec, text, letters) = match target {
        None => return (NO_DOMAIN, 0),
        Some(DomainSpec::Literal(None)) => return (NO_NAME, 0),
        Some(DomainSpec::Literal(Some(name))) => (NAME, name, Letters::default()),
        Some(DomainSpec::Macros(macros)) => (MACROS, macros.text(), macros.letters()),
    };
    // The first colon ends the name of the mechanism.
    let before = term.bytes().position(|octet| octet == b':').map_or(0, |colon| colon + 1);
    let start = u64::from(start) + before as u64;
    (spec, start | (text.len() as u64) << 16 | u64::from(letters.bits()) << 32)
}

impl<'r> Place<'r> {
    /// A directive of a record where it stands there.
    pub(crate) fn of(directive: &Directive<'_>, record: &'r Record) -> Self {
        Self { record, step: Step::of(directive, record) }
    }

    pub(crate) fn step(self) -> Step {
        self.step
    }

    /// The name of its mechanism.
    #[inline]
    pub(crate) fn name(self) -> Name {
        Name::ALL[(self.step.head & 7) as usize]
    }

    #[inline]
    pub(crate) fn qualifier(self) -> Qualifier {
        Qualifier::ALL[(self.step.head >> QUALIFIER & 3) as usize]
    }

    /// Where the term stands in its record, in octets: start and end.
    pub(crate) fn span(self) -> (u32, u32) {
        let head = self.step.head;
        (u32::from((head >> START) as u16), u32::from((head >> END) as u16))
    }

    /// The term as it was written.
    pub(crate) fn text(self) -> &'r str {
        self.record.slice(self.span())
    }

    /// The network of an `ip4`.
    #[inline]
    pub(crate) fn ipv4(self) -> (Ipv4Addr, u8) {
        (Ipv4Addr::from_bits(self.step.operand as u32), (self.step.head >> PREFIX) as u8)
    }

    /// The network of an `ip6`; of its address at least what the prefix covers.
    #[inline]
    pub(crate) fn ipv6(self) -> (Ipv6Addr, u8) {
        let prefix = (self.step.head >> OF_IPV6) as u8;
        let network = Ipv6Addr::from_bits(u128::from(self.step.operand) << 64);
        (if prefix > HALF { self.whole_ipv6() } else { network }, prefix)
    }

    /// Few networks are so small.
    #[cold]
    fn whole_ipv6(self) -> Ipv6Addr {
        match Term::parse(self.text()) {
            Ok(Term::Directive(Directive { mechanism: Mechanism::Ip6(network, _), .. })) => network,
            _ => unreachable!("it was read from there"),
        }
    }

    /// The domain-spec, if there is one, of a mechanism that can have one.
    #[inline]
    pub(crate) fn domain(self) -> Option<DomainSpec<'r>> {
        let Step { head, operand } = self.step;
        let (start, length) = (operand as u16, (operand >> 16) as u16);
        let text = || &self.record.text()[usize::from(start)..][..usize::from(length)];
        match (head >> SPEC) as u8 {
            NAME => Some(DomainSpec::Literal(Some(text()))),
            NO_NAME => Some(DomainSpec::Literal(None)),
            MACROS => {
                let letters = Letters::from_bits((operand >> 32) as u16);
                Some(DomainSpec::Macros(MacroString::parsed(text(), letters)))
            }
            _ => None,
        }
    }

    /// The prefix lengths of an `a` or `mx`.
    #[inline]
    pub(crate) fn prefixes(self) -> DualPrefix {
        let head = self.step.head;
        DualPrefix { ipv4: (head >> PREFIX) as u8, ipv6: (head >> OF_IPV6) as u8 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is evaluated of a directive is what it says.
    #[test]
    fn a_step_is_its_directive() {
        let text = "v=spf1 +all -include:a.b ~a ?a:%{l1r-}.%{o}/24//0 mx//64 MX:A..B a:a/b.c/0 \
                    ptr ptr:a.b. exists:%%.b ip4:192.0.2.1/25 ip6:2001:db8::1/64 \
                    ip6:2001:db8::1/65 ip6:::1 redirect=a.b";
        let record = Record::parse(text.as_bytes()).unwrap();
        assert_eq!(record.directives().count(), 14);
        for (directive, place) in record.directives().zip(record.places()) {
            let mechanism = &directive.mechanism;
            assert_eq!(place.text(), record.slice(directive.span()));
            assert_eq!(place.span(), directive.span());
            assert_eq!((place.name(), place.qualifier()), (mechanism.name(), directive.qualifier));
            assert_eq!(place.domain(), mechanism.target(), "{directive}");
            match *mechanism {
                Mechanism::Ip4(network, prefix) => assert_eq!(place.ipv4(), (network, prefix)),
                Mechanism::Ip6(network, prefix) => {
                    let covered = |network: Ipv6Addr| network.to_bits() >> (128 - prefix);
                    let place = place.ipv6();
                    assert_eq!((covered(place.0), place.1), (covered(network), prefix));
                }
                _ => assert_eq!(place.prefixes(), mechanism.prefixes()),
            }
        }
    }
}
