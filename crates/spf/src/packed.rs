//! How a record is kept: its terms, written behind its text.
//!
//! One allocation holds a record, whatever is in it. All of it is ASCII, the numbers in septets, so
//! that every name in it is a `&str` at once.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::domain_spec::DomainSpec;
use crate::macro_string::{Letters, MacroString};
use crate::record::{Directive, DualPrefix, Mechanism, Modifier, Name, Qualifier, Term};

/// The text of a record, and then an entry for each of its terms but those that mean nothing.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Packed {
    octets: Box<str>,
    /// Where the text ends and the entries begin.
    entries: u32,
    /// The places of the modifiers' entries; zero where there are none.
    redirect: u32,
    explanation: u32,
}

/// A record that is being packed.
pub(crate) struct Packing<'t> {
    text: &'t str,
    entries: Entries,
    redirect: u32,
    explanation: u32,
}

/// The entries of a record: a few here, until it is known how much memory they take; more where
/// the record will be, behind its text.
struct Entries {
    few: [u8; FEW_ENTRIES * ENTRY],
    length: usize,
    /// Empty while they are few.
    many: Vec<u8>,
}

/// Few records have more entries than these.
const FEW_ENTRIES: usize = 48;

/// A directive, as far as evaluating it needs it: small enough to be handed on in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    /// From the lowest bit: the kind of its entry (8), the kind of its domain-spec (8), the prefix
    /// lengths (8, 8), and where its entry stands (32).
    head: u64,
    /// Of an IPv4 network the address (32); else where its domain-spec starts (16), how long it is
    /// (16), and the letters it uses (16).
    operand: u64,
}

/// A directive of a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'r> {
    record: &'r Packed,
    step: Step,
}

/// The directives of a record from a place on, unpacked one by one.
#[derive(Clone, Copy)]
pub(crate) struct Unpacking<'r> {
    record: &'r Packed,
    next: u32,
}

/// An entry: `[kind] [start; 3] [end; 3]` of the term in the text, and then what the kind has:
/// - an IPv4 network `[address; 5] [prefix]`,
/// - an IPv6 network `[address; 19] [prefix; 2]`, for which the entry is twice as long,
/// - else `[domain-spec; 2] [its start in the term] [its length; 3] [prefix] [prefix; 2]`.
const ENTRY: usize = 16;
const LONG_ENTRY: usize = 2 * ENTRY;
const ARGUMENT: usize = 7;

/// A kind: a mechanism's name in the lower bits, its qualifier above them; or a modifier.
const QUALIFIER_SHIFT: u32 = 4;
const MODIFIER: u8 = 0xf;

/// A domain-spec: what it is in the lower two bits, the letters of its macros above them.
const LETTERS_SHIFT: u32 = 2;
const NO_DOMAIN: u8 = 0;
const NAME: u8 = 1;
const NO_NAME: u8 = 2;
const MACROS: u8 = 3;

impl<'t> Packing<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let entries = Entries { few: [0; FEW_ENTRIES * ENTRY], length: 0, many: Vec::new() };
        Self { text, entries, redirect: 0, explanation: 0 }
    }

    pub(crate) fn push(&mut self, term: &Term<'_>) {
        match term {
            Term::Unknown => {}
            Term::Directive(directive) => self.directive(directive),
            Term::Redirect(modifier) => {
                self.redirect = place(self.text.len() + self.entries.length);
                self.modifier(modifier);
            }
            Term::Explanation(modifier) => {
                self.explanation = place(self.text.len() + self.entries.length);
                self.modifier(modifier);
            }
        }
    }

    pub(crate) fn finish(self) -> Packed {
        let Self { text, entries, redirect, explanation } = self;
        let octets = entries.behind(text);
        Packed { octets, entries: place(text.len()), redirect, explanation }
    }

    fn directive(&mut self, directive: &Directive<'_>) {
        let mechanism = &directive.mechanism;
        let kind = mechanism.name() as u8 | (directive.qualifier as u8) << QUALIFIER_SHIFT;
        let mut entry = head(kind, directive.span);
        match *mechanism {
            Mechanism::All => {}
            Mechanism::Ip4(network, prefix) => {
                entry[ARGUMENT..][..5].copy_from_slice(&septets::<5>(network.to_bits()));
                entry[ARGUMENT + 5] = prefix;
            }
            Mechanism::Ip6(network, prefix) => {
                entry[ARGUMENT..][..19].copy_from_slice(&many_septets(network.to_bits()));
                entry[ARGUMENT + 19..][..2].copy_from_slice(&septets::<2>(prefix.into()));
                return self.entries.push(&entry, self.text);
            }
            Mechanism::Include(target) | Mechanism::Exists(target) => {
                self.domain(&mut entry, Some(target), directive.span);
            }
            Mechanism::Ptr(target) => self.domain(&mut entry, target, directive.span),
            Mechanism::A(target, prefix) | Mechanism::Mx(target, prefix) => {
                self.domain(&mut entry, target, directive.span);
                entry[ARGUMENT + 6] = prefix.ipv4;
                entry[ARGUMENT + 7..][..2].copy_from_slice(&septets::<2>(prefix.ipv6.into()));
            }
        }
        self.entries.push(short(&entry), self.text);
    }

    fn modifier(&mut self, modifier: &Modifier<'_>) {
        let mut entry = head(MODIFIER, modifier.span);
        self.domain(&mut entry, Some(modifier.target), modifier.span);
        self.entries.push(short(&entry), self.text);
    }

    fn domain(&self, entry: &mut [u8], target: Option<DomainSpec<'_>>, span: (u32, u32)) {
        let (kind, text, letters) = match target {
            None => (NO_DOMAIN, "", Letters::default()),
            Some(DomainSpec::Literal(None)) => (NO_NAME, "", Letters::default()),
            Some(DomainSpec::Literal(Some(name))) => (NAME, name, Letters::default()),
            Some(DomainSpec::Macros(macros)) => (MACROS, macros.text(), macros.letters()),
        };
        // The first such sign ends the name of the mechanism or modifier.
        let term = &self.text.as_bytes()[span.0 as usize..span.1 as usize];
        let start = term.iter().position(|octet| matches!(octet, b':' | b'='));
        let argument = &mut entry[ARGUMENT..];
        let kind = u32::from(kind) | u32::from(letters.bits()) << LETTERS_SHIFT;
        argument[..2].copy_from_slice(&septets::<2>(kind));
        argument[2] = start.map_or(0, |at| at + 1) as u8;
        argument[3..6].copy_from_slice(&septets::<3>(text.len() as u32));
    }
}

impl Entries {
    fn push<const OCTETS: usize>(&mut self, entry: &[u8; OCTETS], text: &str) {
        match self.few.get_mut(self.length..).and_then(<[u8]>::first_chunk_mut) {
            Some(place) => *place = *entry,
            None => self.push_to_many(entry, text),
        }
        self.length += OCTETS;
    }

    #[cold]
    fn push_to_many(&mut self, entry: &[u8], text: &str) {
        if self.many.is_empty() {
            self.many.reserve_exact(text.len() + room_for_entries(text));
            self.many.extend_from_slice(text.as_bytes());
            self.many.extend_from_slice(&self.few[..self.length]);
        }
        self.many.extend_from_slice(entry);
    }

    /// With the text of the record before them.
    fn behind(self, text: &str) -> Box<str> {
        const ASCII: &str = "septets are ASCII";
        if !self.many.is_empty() {
            return String::from_utf8(self.many).expect(ASCII).into();
        }
        let mut octets = String::with_capacity(text.len() + self.length);
        octets.push_str(text);
        octets.push_str(str::from_utf8(&self.few[..self.length]).expect(ASCII));
        octets.into()
    }
}

/// How many octets the entries of a record take that keeps to the grammar.
fn room_for_entries(text: &str) -> usize {
    text.split(' ').skip(1).map(room_for_entry).sum()
}

fn room_for_entry(term: &str) -> usize {
    let end = term.bytes().position(|octet| matches!(octet, b'=' | b':' | b'/'));
    let (name, rest) = term.split_at(end.unwrap_or(term.len()));
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    if rest.starts_with('=') {
        // Of modifiers that mean nothing nothing is kept.
        return if is("redirect") || is("exp") { ENTRY } else { 0 };
    }
    match name.len() {
        0 => 0,
        3.. if name[name.len() - 3..].eq_ignore_ascii_case("ip6") => LONG_ENTRY,
        _ => ENTRY,
    }
}

fn short(entry: &[u8; LONG_ENTRY]) -> &[u8; ENTRY] {
    entry.first_chunk().expect("a long entry is longer")
}

fn head(kind: u8, span: (u32, u32)) -> [u8; LONG_ENTRY] {
    let mut entry = [0; LONG_ENTRY];
    entry[0] = kind;
    entry[1..4].copy_from_slice(&septets::<3>(span.0));
    entry[4..7].copy_from_slice(&septets::<3>(span.1));
    entry
}

/// A number, its highest septet first.
fn septets<const COUNT: usize>(number: u32) -> [u8; COUNT] {
    std::array::from_fn(|place| (number >> (7 * (COUNT - 1 - place))) as u8 & 0x7f)
}

/// As [`septets`], of a whole IPv6 address.
fn many_septets(number: u128) -> [u8; 19] {
    std::array::from_fn(|place| (number >> (7 * (18 - place))) as u8 & 0x7f)
}

fn read(octets: &[u8]) -> u32 {
    octets.iter().fold(0, |number, septet| number << 7 | u32::from(*septet))
}

fn place(at: usize) -> u32 {
    u32::try_from(at).expect("a record is bounded, and so are its entries")
}

impl Packed {
    /// The text of the record.
    pub(crate) fn text(&self) -> &str {
        &self.octets[..self.entries as usize]
    }

    /// All directives.
    pub(crate) fn directives(&self) -> Unpacking<'_> {
        Unpacking { record: self, next: self.entries }
    }

    pub(crate) fn redirect(&self) -> Option<Modifier<'_>> {
        self.modifier(self.redirect)
    }

    pub(crate) fn explanation(&self) -> Option<Modifier<'_>> {
        self.modifier(self.explanation)
    }

    fn modifier(&self, at: u32) -> Option<Modifier<'_>> {
        if at == 0 {
            return None;
        }
        let step = Step::read(self.entry(at)?, at);
        let place = Place { record: self, step };
        Some(Modifier { target: place.domain()?, span: place.span() })
    }

    fn entry(&self, at: u32) -> Option<&[u8; ENTRY]> {
        self.octets.as_bytes().get(at as usize..)?.first_chunk()
    }
}

impl Step {
    fn read(entry: &[u8; ENTRY], at: u32) -> Self {
        let argument = &entry[ARGUMENT..];
        let mut spec = read(&argument[..2]);
        let (operand, prefix, of_ipv6) = if entry[0] & 0xf == Name::Ip4 as u8 {
            spec = NO_DOMAIN.into();
            (read(&argument[..5]).into(), argument[5], 0)
        } else if entry[0] & 0xf == Name::Ip6 as u8 {
            // It is read where it stands.
            spec = NO_DOMAIN.into();
            (0, 0, 0)
        } else {
            let start = read(&entry[1..4]) + u32::from(argument[2]);
            let length = read(&argument[3..6]);
            let letters = u64::from(spec >> LETTERS_SHIFT);
            let operand = u64::from(start) | u64::from(length) << 16 | letters << 32;
            (operand, argument[6], read(&argument[7..9]))
        };
        let head = u64::from(entry[0])
            | u64::from(spec & 3) << 8
            | u64::from(prefix) << 16
            | u64::from(of_ipv6 & 0xff) << 24
            | u64::from(at) << 32;
        Self { head, operand }
    }

    /// The step as a directive of its record.
    #[inline]
    pub(crate) fn of(self, record: &Packed) -> Place<'_> {
        Place { record, step: self }
    }
}

impl<'r> Place<'r> {
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
        Qualifier::ALL[(self.step.head >> QUALIFIER_SHIFT & 3) as usize]
    }

    fn at(self) -> u32 {
        (self.step.head >> 32) as u32
    }

    /// Where the term stands in its record, in octets: start and end.
    pub(crate) fn span(self) -> (u32, u32) {
        let entry = self.record.entry(self.at()).expect("every step has an entry");
        (read(&entry[1..4]), read(&entry[4..7]))
    }

    /// The term as it was written.
    pub(crate) fn text(self) -> &'r str {
        let (start, end) = self.span();
        &self.record.octets[start as usize..end as usize]
    }

    /// The network of an `ip4`.
    #[inline]
    pub(crate) fn ipv4(self) -> (Ipv4Addr, u8) {
        (Ipv4Addr::from_bits(self.step.operand as u32), (self.step.head >> 16) as u8)
    }

    /// The network of an `ip6`.
    pub(crate) fn ipv6(self) -> (Ipv6Addr, u8) {
        let start = self.at() as usize + ARGUMENT;
        let argument = &self.record.octets.as_bytes()[start..start + 21];
        let septets = argument[..19].iter();
        let network = septets.fold(0, |bits, septet| bits << 7 | u128::from(*septet));
        (Ipv6Addr::from_bits(network), read(&argument[19..]) as u8)
    }

    /// The domain-spec, if there is one, of a mechanism that can have one.
    #[inline]
    pub(crate) fn domain(self) -> Option<DomainSpec<'r>> {
        let Step { head, operand } = self.step;
        let (start, length) = (operand as u16, (operand >> 16) as u16);
        let text = || &self.record.octets[usize::from(start)..][..usize::from(length)];
        match (head >> 8) as u8 {
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
        DualPrefix { ipv4: (head >> 16) as u8, ipv6: (head >> 24) as u8 }
    }

    /// All of it.
    pub(crate) fn directive(self) -> Directive<'r> {
        let domain = self.domain();
        // Without a domain-spec, which cannot be, nothing is meant.
        let target = domain.unwrap_or(DomainSpec::Literal(None));
        let mechanism = match self.name() {
            Name::All => Mechanism::All,
            Name::Include => Mechanism::Include(target),
            Name::Exists => Mechanism::Exists(target),
            Name::Ptr => Mechanism::Ptr(domain),
            Name::A => Mechanism::A(domain, self.prefixes()),
            Name::Mx => Mechanism::Mx(domain, self.prefixes()),
            Name::Ip4 => {
                let (network, prefix) = self.ipv4();
                Mechanism::Ip4(network, prefix)
            }
            Name::Ip6 => {
                let (network, prefix) = self.ipv6();
                Mechanism::Ip6(network, prefix)
            }
        };
        Directive { qualifier: self.qualifier(), mechanism, span: self.span() }
    }
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.text().fmt(f)
    }
}

impl<'r> Iterator for Unpacking<'r> {
    type Item = Place<'r>;

    fn next(&mut self) -> Option<Place<'r>> {
        loop {
            let at = self.next;
            let entry = self.record.entry(at)?;
            let is_long = entry[0] & 0xf == Name::Ip6 as u8;
            self.next += if is_long { LONG_ENTRY as u32 } else { ENTRY as u32 };
            if entry[0] != MODIFIER {
                return Some(Step::read(entry, at).of(self.record));
            }
        }
    }
}
