//! The words under which a case is found, and the queries for them.
//!
//! SQLite's own: FTS5 keeps for each word the ascending numbers of its cases, so that any filters
//! together are an intersection of sorted lists, walked from the newest and no further than a page
//! needs. In PostgreSQL the same words would stand in a `tsvector` with a GIN index.
//!
//! What a stranger wrote becomes letters, digits and a few signs here, and goes into a query in
//! quotes only: it cannot be syntax. A word is a hint: whoever searches compares the case itself.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::net::IpAddr;

use ipnet::IpNet;
use quivive_evidence::{Facts, FindingResult, Identity, Method};
use quivive_mail::domain::to_ascii;
use quivive_verdict::{Action, Case, Rewrite, Verdict};

use crate::filter::addresses;

/// How many words a case has at most; what comes later is not found by them.
pub(crate) const WORDS_MAX: usize = 1024;

/// How long a word is, in octets; longer ones are found by their beginning.
const WORD_OCTETS_MAX: usize = 64;

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

/// The words of a case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words {
    /// What stands in the index.
    all: BTreeSet<String>,
    /// Those of them that are found by their beginnings.
    plain: BTreeSet<String>,
}

/// The words that begin as each of these; `None`: too many.
pub(crate) type Beginnings = HashMap<String, Option<Vec<String>>>;

impl Words {
    pub(crate) fn of(case: &Case) -> Self {
        let mut words = Self::default();
        let facts = &case.facts;
        words.add(of_action(case.verdict.action));
        for finding in &case.findings {
            words.add(of_finding(finding.result, finding.method, finding.identity));
            words.domain(&finding.domain);
        }
        // The id is found as a whole.
        plain_words(&facts.case_id).for_each(|word| words.add(word));
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
    pub(crate) fn text(&self) -> String {
        let mut text = String::with_capacity(self.all.len() * 12);
        for word in &self.all {
            text.push_str(word);
            text.push(' ');
        }
        text
    }

    /// Those that are found by their beginnings.
    pub(crate) fn plain(&self) -> impl Iterator<Item = &String> {
        self.plain.iter()
    }

    fn add(&mut self, word: String) {
        if self.all.len() < WORDS_MAX && !word.is_empty() {
            self.all.insert(word);
        }
    }

    fn address(&mut self, address: &str) {
        if address.is_empty() {
            return;
        }
        self.add(of_address(address));
        self.text_words(address);
        if let Some((_, domain)) = address.rsplit_once('@') {
            self.domain(domain);
        }
    }

    /// The domain and those above it, save the topmost.
    fn domain(&mut self, domain: &str) {
        let domain = to_ascii(domain);
        let mut rest = Some(domain.as_str());
        for _ in 0..PARENTS_MAX {
            let Some(name) = rest.filter(|name| !name.is_empty()) else { break };
            if name.contains('.') || name.len() == domain.len() {
                self.add(of_domain(name));
            }
            rest = name.split_once('.').map(|(_, parent)| parent);
        }
    }

    fn client(&mut self, address: IpAddr) {
        for length in lengths(address) {
            self.add(of_network(address, *length));
        }
    }

    fn text_words(&mut self, text: &str) {
        for word in plain_words(text) {
            if self.all.len() < WORDS_MAX {
                self.plain.insert(word.clone());
            }
            self.add(word);
        }
    }
}

/// The words of a case's facts that are found by their beginnings.
pub(crate) fn plain_words_of(facts: &Facts, verdict: &Verdict) -> BTreeSet<String> {
    let mut words = Words::default();
    words.text_words(&facts.helo);
    addresses(facts, verdict).for_each(|address| words.text_words(address));
    words.plain
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
        self.all_of(&quoted(&of_action(action)));
    }

    pub(crate) fn domain(&mut self, domain: &str) {
        self.all_of(&quoted(&of_domain(&to_ascii(domain))));
    }

    pub(crate) fn address(&mut self, address: &str) {
        self.all_of(&quoted(&of_address(address)));
    }

    /// The widest network that is a word and holds this one; a wider one has none.
    pub(crate) fn client(&mut self, network: IpNet) {
        let lengths = lengths(network.addr()).iter().rev();
        if let Some(length) = lengths.copied().find(|length| *length <= network.prefix_len()) {
            self.all_of(&quoted(&of_network(network.network(), length)));
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
                    any.push(quoted(&of_finding(*result, *method, *identity)));
                }
            }
        }
        self.any_of(&any);
    }

    /// Each term of the text, as a whole field or as words of one, of which the last may go on.
    pub(crate) fn free_text(&mut self, text: &str, beginnings: &Beginnings) {
        for term in terms(text) {
            let mut any = vec![quoted(&of_domain(&to_ascii(&term)))];
            if term.contains('@') {
                any.push(quoted(&of_address(&term)));
            }
            if let Ok(address) = term.parse::<IpAddr>() {
                let length = lengths(address)[lengths(address).len() - 1];
                any.push(quoted(&of_network(address, length)));
            }
            let mut all: Vec<String> = plain_words(&term).map(|word| quoted(&word)).collect();
            // As it stands it may be an id.
            any.extend(all.first().filter(|_| all.len() == 1).cloned());
            if let Some(last) = last_word(&term) {
                all.pop();
                match beginnings.get(&last).and_then(Option::as_ref) {
                    Some(words) if words.is_empty() => all.clear(),
                    Some(words) => {
                        let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
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
    plain_words(term).last()
}

/// The terms of a search text: what stands between blanks, in lower case.
pub(crate) fn terms(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().take(TERMS_MAX).map(str::to_lowercase)
}

fn of_action(action: Action) -> String {
    format!("x:{action}")
}

fn of_finding(result: FindingResult, method: Method, identity: Identity) -> String {
    format!("f:{result}:{method}:{identity}")
}

fn of_domain(domain: &str) -> String {
    safe("d:", domain)
}

fn of_address(address: &str) -> String {
    safe("a:", address)
}

fn of_network(address: IpAddr, length: u8) -> String {
    let network = IpNet::new(address, length).map_or(address, |network| network.network());
    let mut word = format!("c{length}:");
    // Without the colons and zeros of the usual form, which makes it short.
    match network {
        IpAddr::V4(address) => octets(&mut word, &address.octets()),
        IpAddr::V6(address) => octets(&mut word, &address.octets()),
    }
    word
}

fn octets(word: &mut String, octets: &[u8]) {
    for octet in octets {
        write!(word, "{octet:02x}").expect("a String takes all text");
    }
}

fn lengths(address: IpAddr) -> &'static [u8] {
    match address {
        IpAddr::V4(_) => LENGTHS_IPV4,
        IpAddr::V6(_) => LENGTHS_IPV6,
    }
}

/// Runs of letters and digits, in lower case.
fn plain_words(text: &str) -> impl Iterator<Item = String> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| bounded(word.to_lowercase()))
}

/// A text as one word: what cannot stand in one becomes `_`.
fn safe(kind: &str, text: &str) -> String {
    let is_safe =
        |character: char| character.is_alphanumeric() || "!#$%&*+-./:=?@^_{|}~".contains(character);
    let mut word = kind.to_owned();
    let lower = text.chars().flat_map(char::to_lowercase);
    word.extend(lower.map(|character| if is_safe(character) { character } else { '_' }));
    bounded(word)
}

fn bounded(mut word: String) -> String {
    word.truncate(word.floor_char_boundary(WORD_OCTETS_MAX));
    word
}

/// A word as a string of FTS5. Words have no quotation marks.
pub(crate) fn quoted(word: &str) -> String {
    format!("\"{word}\"")
}
