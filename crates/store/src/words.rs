//! The words under which a case is found.
//!
//! SQLite's own: FTS5 keeps for each word the ascending numbers of its cases, so that any filters
//! together are an intersection of sorted lists, walked from the newest and no further than a page
//! needs. In PostgreSQL the same words would stand in a `tsvector` with a GIN index.
//!
//! What a stranger wrote becomes letters, digits and a few signs here. A word is a hint: whoever
//! searches compares the case itself.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::ops::Range;

use foldhash::fast::RandomState;
use quivive_evidence::{Facts, FindingResult, Identity, Method};
use quivive_mail::domain::to_ascii;
use quivive_verdict::{Action, Verdict};

use crate::filter::addresses;
use crate::part::FindingKind;

/// How many words a case has at most; what comes later is not found by them.
pub(crate) const WORDS_MAX: usize = 1024;

/// How long a word is, in octets; longer ones are found by their beginning.
const WORD_OCTETS_MAX: usize = 64;

/// How many domains of a case are looked at once only.
const DOMAINS_MAX: usize = 16;

/// How many parents of a domain are words.
const PARENTS_MAX: usize = 6;

/// Prefixes of IPv4 networks that are words.
const LENGTHS_IPV4: &[u8] = &[8, 16, 24, 32];

/// Prefixes of IPv6 networks that are words.
const LENGTHS_IPV6: &[u8] = &[16, 32, 48, 64, 128];

/// The words of a case, each once, as they are gathered.
#[derive(Default)]
struct Words<'c> {
    gathered: Gathered,
    /// Whose words are there.
    domains: [&'c str; DOMAINS_MAX],
    domains_known: usize,
    hasher: RandomState,
}

/// In memory that a thread uses again and again.
#[derive(Default)]
struct Gathered {
    /// What stands in the index, with a blank behind each.
    text: Vec<u8>,
    /// Where each stands in the text, with what tells it from most others.
    all: Vec<(u64, Range<usize>)>,
}

/// The words of a case.
#[derive(Debug)]
pub(crate) struct CaseWords(Box<str>);

impl CaseWords {
    pub(crate) fn of<'c>(
        facts: &'c Facts,
        findings: impl Iterator<Item = (FindingKind, &'c str)>,
        verdict: &'c Verdict,
    ) -> Self {
        Words::gather(|words| {
            words.add(|text| of_action(text, verdict.action));
            for ((method, identity, result), domain) in findings {
                words.add(|text| of_finding(text, (result, method, identity)));
                words.domain(domain);
            }
            words.client(facts.client_address);
            words.domain(&facts.helo);
            words.plain(&facts.helo);
            addresses(facts, verdict).for_each(|address| words.address(address));
        })
    }

    /// As they go into the index, with blanks between them. None has a quotation mark, a backslash
    /// or a control character.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// Those that are found by their beginnings: runs of letters and digits.
    pub(crate) fn plain(&self) -> impl Iterator<Item = &str> {
        // All others have a colon behind what they are.
        self.0.split_ascii_whitespace().filter(|word| !word.contains(':'))
    }
}

impl<'c> Words<'c> {
    fn gather(fill: impl FnOnce(&mut Self)) -> CaseWords {
        thread_local! {
            static GATHERED: Cell<Gathered> = const {
                Cell::new(Gathered { text: Vec::new(), all: Vec::new() })
            };
        }
        let mut words = Self { gathered: GATHERED.take(), ..Self::default() };
        fill(&mut words);
        let Gathered { mut text, mut all } = words.gathered;
        let kept = CaseWords(str::from_utf8(&text).expect("words are made of characters").into());
        text.clear();
        all.clear();
        GATHERED.set(Gathered { text, all });
        kept
    }

    /// Adds the word that is written, unless it is there or there are too many.
    fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let Gathered { text, all } = &mut self.gathered;
        if all.len() >= WORDS_MAX {
            return;
        }
        let start = text.len();
        write(text);
        bound(text, start);
        let word = &text[start..];
        let hash = self.hasher.hash_one(word);
        let is_there = all.iter().any(|(other, at)| *other == hash && text[at.clone()] == *word);
        if is_there || word.is_empty() {
            text.truncate(start);
            return;
        }
        all.push((hash, start..text.len()));
        text.push(b' ');
    }

    fn address(&mut self, address: &'c str) {
        if address.is_empty() {
            return;
        }
        self.add(|text| of_address(text, address));
        self.plain(address);
        if let Some((_, domain)) = address.rsplit_once('@') {
            self.domain(domain);
        }
    }

    /// The domain and those above it, save the topmost.
    fn domain(&mut self, domain: &'c str) {
        if self.domains[..self.domains_known].contains(&domain) {
            return;
        }
        if let Some(place) = self.domains.get_mut(self.domains_known) {
            *place = domain;
            self.domains_known += 1;
        }
        let domain = ascii(domain);
        let mut rest = Some(&*domain);
        for _ in 0..PARENTS_MAX {
            let Some(name) = rest.filter(|name| !name.is_empty()) else { break };
            let parent = name.bytes().position(|octet| octet == b'.');
            if parent.is_some() || name.len() == domain.len() {
                self.add(|text| of_domain(text, name));
            }
            rest = parent.map(|dot| &name[dot + 1..]);
        }
    }

    fn client(&mut self, address: IpAddr) {
        for length in lengths(address) {
            self.add(|text| of_network(text, address, *length));
        }
    }

    fn plain(&mut self, text: &str) {
        plain_words(text, |word| self.add(|text| text.extend_from_slice(word)));
    }
}

/// The words of a case's facts that are found by their beginnings.
pub(crate) fn plain_words_of(facts: &Facts, verdict: &Verdict) -> BTreeSet<String> {
    let words = Words::gather(|words| {
        words.plain(&facts.helo);
        addresses(facts, verdict).for_each(|address| words.plain(address));
    });
    words.plain().map(str::to_owned).collect()
}

pub(crate) fn of_action(word: &mut Vec<u8>, action: Action) {
    word.extend_from_slice(b"x:");
    word.extend_from_slice(action.word().as_bytes());
}

pub(crate) fn of_finding(
    word: &mut Vec<u8>,
    (result, method, identity): (FindingResult, Method, Identity),
) {
    for text in ["f:", result.word(), ":", method.word(), ":", identity.word()] {
        word.extend_from_slice(text.as_bytes());
    }
}

pub(crate) fn of_domain(word: &mut Vec<u8>, domain: &str) {
    word.extend_from_slice(b"d:");
    safe(word, domain);
}

pub(crate) fn of_address(word: &mut Vec<u8>, address: &str) {
    word.extend_from_slice(b"a:");
    safe(word, address);
}

/// Without the dots, colons and zeros of the usual form, which makes it short.
pub(crate) fn of_network(word: &mut Vec<u8>, address: IpAddr, length: u8) {
    word.push(b'c');
    if length >= 100 {
        word.push(b'0' + length / 100);
    }
    if length >= 10 {
        word.push(b'0' + length / 10 % 10);
    }
    word.extend([b'0' + length % 10, b':']);
    match address {
        IpAddr::V4(address) => octets(word, &address.octets(), length),
        IpAddr::V6(address) => octets(word, &address.octets(), length),
    }
}

/// The octets of a network of this length as hexadecimal digits.
fn octets(word: &mut Vec<u8>, octets: &[u8], length: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut left = length;
    for octet in octets {
        let kept = left.min(8);
        left -= kept;
        let octet = if kept == 0 { 0 } else { octet & (0xff << (8 - kept)) };
        word.extend([DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 15)]]);
    }
}

pub(crate) fn lengths(address: IpAddr) -> &'static [u8] {
    match address {
        IpAddr::V4(_) => LENGTHS_IPV4,
        IpAddr::V6(_) => LENGTHS_IPV6,
    }
}

/// Calls with runs of letters and digits, in lower case.
pub(crate) fn plain_words(text: &str, mut each: impl FnMut(&[u8])) {
    if text.is_ascii() {
        let is_lower = text.bytes().all(|octet| !octet.is_ascii_uppercase());
        let text = if is_lower { Cow::Borrowed(text) } else { text.to_ascii_lowercase().into() };
        let words = text.as_bytes().split(|octet| !octet.is_ascii_alphanumeric());
        words.filter(|word| !word.is_empty()).for_each(each);
        return;
    }
    let words = text.split(|character: char| !character.is_alphanumeric());
    words.filter(|word| !word.is_empty()).for_each(|word| each(word.to_lowercase().as_bytes()));
}

/// The domain as [`to_ascii`] has it, save for the case of its letters.
fn ascii(domain: &str) -> Cow<'_, str> {
    if domain.is_ascii() {
        Cow::Borrowed(domain.strip_suffix('.').unwrap_or(domain))
    } else {
        Cow::Owned(to_ascii(domain))
    }
}

/// A text as one word, in lower case: what cannot stand in one becomes `_`.
fn safe(word: &mut Vec<u8>, text: &str) {
    if text.is_ascii() {
        word.extend(text.bytes().map(|octet| SAFE[usize::from(octet)]));
        return;
    }
    let mut octets = [0; 4];
    for character in text.chars().flat_map(char::to_lowercase) {
        match u8::try_from(character) {
            Ok(octet) if octet.is_ascii() => word.push(SAFE[usize::from(octet)]),
            _ if character.is_alphanumeric() => {
                word.extend_from_slice(character.encode_utf8(&mut octets).as_bytes());
            }
            _ => word.push(b'_'),
        }
    }
}

/// Each octet of ASCII as it stands in a word.
const SAFE: [u8; 128] = {
    let mut safe = [b'_'; 128];
    let mut octet = 0_u8;
    while octet < 128 {
        if octet.is_ascii_alphanumeric() {
            safe[octet as usize] = octet.to_ascii_lowercase();
        }
        octet += 1;
    }
    let signs = b"!#$%&*+-./:=?@^_{|}~";
    let mut place = 0;
    while place < signs.len() {
        safe[signs[place] as usize] = signs[place];
        place += 1;
    }
    safe
};

/// Cuts the word that begins there, between two characters.
pub(crate) fn bound(text: &mut Vec<u8>, start: usize) {
    let mut end = start + WORD_OCTETS_MAX;
    if text.len() <= end {
        return;
    }
    // What continues a character in UTF-8.
    while text[end] & 0xc0 == 0x80 {
        end -= 1;
    }
    text.truncate(end);
}
