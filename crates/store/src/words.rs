//! The words under which a case is found, and the queries for them.
//!
//! SQLite's own: FTS5 keeps for each word the ascending numbers of its cases, so that any filters
//! together are an intersection of sorted lists, walked from the newest and no further than a page
//! needs. In PostgreSQL the same words would stand in a `tsvector` with a GIN index.
//!
//! What a stranger wrote becomes letters, digits and a few signs here, and goes into a query in
//! quotes only: it cannot be syntax. A word is a hint: whoever searches compares the case itself.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::ops::Range;

use ipnet::IpNet;
use quivive_evidence::{Facts, Finding, FindingResult, Identity, Method};
use quivive_mail::domain::to_ascii;
use quivive_verdict::{Action, Case, Rewrite, Verdict};

use crate::filter::addresses;

/// How many words a case has at most; what comes later is not found by them.
pub(crate) const WORDS_MAX: usize = 1024;

/// How long a word is, in octets; longer ones are found by their beginning.
const WORD_OCTETS_MAX: usize = 64;

/// What the words of most cases fit into.
const TEXT_OCTETS: usize = 512;

/// How many parents of a domain are words.
const PARENTS_MAX: usize = 6;

/// How many terms of a search text count.
const TERMS_MAX: usize = 8;

/// Prefixes of IPv4 networks that are words.
const LENGTHS_IPV4: &[u8] = &[8, 12, 16, 20, 24, 28, 32];

/// Prefixes of IPv6 networks that are words.
const LENGTHS_IPV6: &[u8] = &[16, 32, 48, 64, 128];

/// How many words may begin as a search text ends. Where there are more, cases are looked at one by
/// one: the next that fits is not far.
pub(crate) const BEGINNINGS_MAX: usize = 64;

/// The words of a case, each once.
#[derive(Debug, Default)]
pub(crate) struct Words {
    /// What stands in the index, with a blank behind each.
    text: String,
    /// Where each stands in the text, with what tells it from most others.
    all: Vec<(u64, Range<usize>)>,
    /// Which of them are found by their beginnings.
    plain: Vec<usize>,
    hasher: RandomState,
}

/// The words that begin as each of these; `None`: too many.
pub(crate) type Beginnings = HashMap<String, Option<Vec<String>>>;

impl Words {
    pub(crate) fn of(case: &Case) -> Self {
        let facts = &case.facts;
        let mut words = Self { text: String::with_capacity(TEXT_OCTETS), ..Self::default() };
        words.add(|text| of_action(text, case.verdict.action));
        for finding in &case.findings {
            let Finding { result, method, identity, .. } = finding;
            words.add(|text| of_finding(text, (*result, *method, *identity)));
            words.domain(&finding.domain);
        }
        // The id is found as a whole.
        for word in plain_words(&facts.case_id) {
            words.add(|text| lower(text, word));
        }
        words.client(facts.client_address);
        words.address(&facts.reverse_path);
        words.domain(&facts.helo);
        words.text_words(&facts.helo);
        for recipient in &facts.recipients {
            words.address(recipient);
        }
        for address in case.verdict.rewrites.iter().flat_map(Rewrite::addresses) {
            words.address(address);
        }
        words
    }

    /// As they go into the index.
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// Those that are found by their beginnings.
    pub(crate) fn plain(&self) -> impl Iterator<Item = &str> {
        self.plain.iter().map(|place| &self.text[self.all[*place].1.clone()])
    }

    /// Adds the word that is written, unless it is there; and says where it is.
    fn add(&mut self, write: impl FnOnce(&mut String)) -> Option<usize> {
        let start = self.text.len();
        write(&mut self.text);
        bound(&mut self.text, start);
        let word = &self.text[start..];
        let hash = self.hasher.hash_one(word);
        let is_word = |(other, range): &(u64, Range<usize>)| {
            *other == hash && self.text[range.clone()] == *word
        };
        let found = self.all.iter().position(is_word);
        if found.is_some() || word.is_empty() || self.all.len() >= WORDS_MAX {
            self.text.truncate(start);
            return found;
        }
        self.all.push((hash, start..self.text.len()));
        self.text.push(' ');
        Some(self.all.len() - 1)
    }

    fn address(&mut self, address: &str) {
        if address.is_empty() {
            return;
        }
        self.add(|text| of_address(text, address));
        self.text_words(address);
        if let Some((_, domain)) = address.rsplit_once('@') {
            self.domain(domain);
        }
    }

    /// The domain and those above it, save the topmost.
    fn domain(&mut self, domain: &str) {
        let domain = ascii(domain);
        let mut rest = Some(&*domain);
        for _ in 0..PARENTS_MAX {
            let Some(name) = rest.filter(|name| !name.is_empty()) else { break };
            if name.contains('.') || name.len() == domain.len() {
                self.add(|text| of_domain(text, name));
            }
            rest = name.split_once('.').map(|(_, parent)| parent);
        }
    }

    fn client(&mut self, address: IpAddr) {
        for length in lengths(address) {
            self.add(|text| of_network(text, address, *length));
        }
    }

    fn text_words(&mut self, of: &str) {
        for word in plain_words(of) {
            let place = self.add(|text| lower(text, word));
            self.plain.extend(place.filter(|place| !self.plain.contains(place)));
        }
    }
}

/// The words of a case's facts that are found by their beginnings.
pub(crate) fn plain_words_of(facts: &Facts, verdict: &Verdict) -> BTreeSet<String> {
    let mut words = Words::default();
    words.text_words(&facts.helo);
    addresses(facts, verdict).for_each(|address| words.text_words(address));
    words.plain().map(str::to_owned).collect()
}

/// A query of FTS5: all of what was added.
#[derive(Default)]
pub(crate) struct Query(String);

impl Query {
    /// The query; `None` if it asks for nothing.
    pub(crate) fn text(self) -> Option<String> {
        Some(self.0).filter(|text| !text.is_empty())
    }

    pub(crate) fn action(&mut self, action: Action) {
        self.all_of(&quoted(|word| of_action(word, action)));
    }

    pub(crate) fn domain(&mut self, domain: &str) {
        self.all_of(&quoted(|word| of_domain(word, &to_ascii(domain))));
    }

    pub(crate) fn address(&mut self, address: &str) {
        self.all_of(&quoted(|word| of_address(word, address)));
    }

    /// The widest network that is a word and holds this one; a wider one has none.
    pub(crate) fn client(&mut self, network: IpNet) {
        let lengths = lengths(network.addr()).iter().rev();
        if let Some(length) = lengths.copied().find(|length| *length <= network.prefix_len()) {
            self.all_of(&quoted(|word| of_network(word, network.network(), length)));
        }
    }

    /// Findings with what of the three is said.
    pub(crate) fn finding(
        &mut self,
        result: Option<FindingResult>,
        method: Option<Method>,
        identity: Option<Identity>,
    ) {
        if result.is_none() && method.is_none() && identity.is_none() {
            return;
        }
        let mut any = Vec::new();
        for result in FindingResult::ALL.iter().filter(|all| result.is_none_or(|one| one == **all))
        {
            for method in Method::ALL.iter().filter(|all| method.is_none_or(|one| one == **all)) {
                for identity in
                    Identity::ALL.iter().filter(|all| identity.is_none_or(|one| one == **all))
                {
                    any.push(quoted(|word| of_finding(word, (*result, *method, *identity))));
                }
            }
        }
        self.any_of(&any);
    }

    /// Each term of the text, as a whole field or as words of one, of which the last may go on.
    pub(crate) fn free_text(&mut self, text: &str, beginnings: &Beginnings) {
        for term in terms(text) {
            let mut any = vec![quoted(|word| of_domain(word, &to_ascii(&term)))];
            if term.contains('@') {
                any.push(quoted(|word| of_address(word, &term)));
            }
            if let Ok(address) = term.parse::<IpAddr>() {
                let length = lengths(address)[lengths(address).len() - 1];
                any.push(quoted(|word| of_network(word, address, length)));
            }
            let mut all: Vec<String> =
                plain_words(&term).map(|word| quoted(|text| lower(text, word))).collect();
            // As it stands it may be an id.
            any.extend(all.first().filter(|_| all.len() == 1).cloned());
            if let Some(last) = last_word(&term) {
                all.pop();
                match beginnings.get(&last).and_then(Option::as_ref) {
                    Some(words) if words.is_empty() => all.clear(),
                    Some(words) => {
                        let words: Vec<String> =
                            words.iter().map(|word| quoted(|text| text.push_str(word))).collect();
                        all.push(format!("({})", words.join(" OR ")));
                    }
                    // The index does not tell: any case may have it.
                    None if all.is_empty() => continue,
                    None => {}
                }
            }
            if !all.is_empty() {
                any.push(format!("({})", all.join(" AND ")));
            }
            self.any_of(&any);
        }
    }

    fn any_of(&mut self, any: &[String]) {
        self.all_of(&format!("({})", any.join(" OR ")));
    }

    fn all_of(&mut self, one: &str) {
        if !self.0.is_empty() {
            self.0.push_str(" AND ");
        }
        self.0.push_str(one);
    }
}

/// The words of which a search text has the beginnings.
pub(crate) fn last_words(text: &str) -> Vec<String> {
    terms(text).filter_map(|term| last_word(&term)).collect()
}

fn last_word(term: &str) -> Option<String> {
    plain_words(term).last().map(|word| {
        let mut last = String::new();
        lower(&mut last, word);
        bound(&mut last, 0);
        last
    })
}

/// The terms of a search text: what stands between blanks, in lower case.
pub(crate) fn terms(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().take(TERMS_MAX).map(str::to_lowercase)
}

fn of_action(word: &mut String, action: Action) {
    word.push_str("x:");
    word.push_str(action.word());
}

fn of_finding(word: &mut String, (result, method, identity): (FindingResult, Method, Identity)) {
    for text in ["f:", result.word(), ":", method.word(), ":", identity.word()] {
        word.push_str(text);
    }
}

fn of_domain(word: &mut String, domain: &str) {
    word.push_str("d:");
    safe(word, domain);
}

fn of_address(word: &mut String, address: &str) {
    word.push_str("a:");
    safe(word, address);
}

/// Without the dots, colons and zeros of the usual form, which makes it short.
fn of_network(word: &mut String, address: IpAddr, length: u8) {
    let network = IpNet::new(address, length).map_or(address, |network| network.network());
    write!(word, "c{length}:").expect("a String takes all text");
    match network {
        IpAddr::V4(address) => octets(word, &address.octets()),
        IpAddr::V6(address) => octets(word, &address.octets()),
    }
}

fn octets(word: &mut String, octets: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for octet in octets {
        for digit in [octet >> 4, octet & 15] {
            word.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
}

fn lengths(address: IpAddr) -> &'static [u8] {
    match address {
        IpAddr::V4(_) => LENGTHS_IPV4,
        IpAddr::V6(_) => LENGTHS_IPV6,
    }
}

/// Runs of letters and digits.
fn plain_words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// The domain as [`to_ascii`] has it, save for the case of its letters.
fn ascii(domain: &str) -> Cow<'_, str> {
    if domain.is_ascii() {
        Cow::Borrowed(domain.strip_suffix('.').unwrap_or(domain))
    } else {
        Cow::Owned(to_ascii(domain))
    }
}

/// A text in lower case.
fn lower(word: &mut String, text: &str) {
    if text.is_ascii() {
        word.extend(text.bytes().map(|octet| char::from(octet.to_ascii_lowercase())));
    } else {
        word.push_str(&text.to_lowercase());
    }
}

/// A text as one word, in lower case: what cannot stand in one becomes `_`.
fn safe(word: &mut String, text: &str) {
    let safe = |character: char| if is_safe(character) { character } else { '_' };
    if text.is_ascii() {
        word.extend(text.bytes().map(|octet| safe(char::from(octet.to_ascii_lowercase()))));
    } else {
        word.extend(text.chars().flat_map(char::to_lowercase).map(safe));
    }
}

fn is_safe(character: char) -> bool {
    character.is_alphanumeric() || "!#$%&*+-./:=?@^_{|}~".contains(character)
}

/// Cuts the word that begins there.
fn bound(text: &mut String, start: usize) {
    let end = start + WORD_OCTETS_MAX;
    if text.len() > end {
        text.truncate(text.floor_char_boundary(end));
    }
}

/// A word as a string of FTS5. Words have no quotation marks.
pub(crate) fn quoted(write: impl FnOnce(&mut String)) -> String {
    let mut word = String::new();
    write(&mut word);
    bound(&mut word, 0);
    format!("\"{word}\"")
}
