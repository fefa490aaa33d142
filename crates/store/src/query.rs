//! What a filter asks of the words of a case.
//!
//! What a stranger wrote goes into a query of FTS5 in quotes only: it cannot be syntax.

use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};
use std::net::IpAddr;

use ipnet::IpNet;
use quivive_evidence::{FindingResult, Identity, Method};
use quivive_mail::domain::to_ascii;
use quivive_verdict::Action;

use crate::words::{
    CaseWords, bound, lengths, of_action, of_address, of_domain, of_finding, of_network,
    plain_words,
};

/// How many terms of a search text count.
const TERMS_MAX: usize = 8;

/// How many words may begin as a search text ends. Where there are more, cases are looked at one by
/// one: the next that fits is not far.
pub(crate) const BEGINNINGS_MAX: usize = 64;

/// What is known of words that begin as these.
pub(crate) enum Beginnings {
    /// Those that there are; `None`: too many.
    Known(HashMap<String, Option<Vec<String>>>),
    /// Nothing: each case is compared.
    Compared,
}

/// What has to be among the words of a case. As text it is a query of FTS5.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Query {
    /// This word.
    Word(String),
    /// One that begins so; or an id that is this.
    Beginning(String),
    /// Everything of these, of which there is one at least.
    All(Vec<Self>),
    /// Something of these, of which there is one at least.
    Any(Vec<Self>),
}

impl Query {
    /// This word, as it stands in the index.
    pub(crate) fn word(write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut word = Vec::new();
        write(&mut word);
        bound(&mut word, 0);
        Self::Word(String::from_utf8_lossy(&word).into_owned())
    }

    pub(crate) fn action(action: Action) -> Self {
        Self::word(|word| of_action(word, action))
    }

    pub(crate) fn domain(domain: &str) -> Self {
        Self::word(|word| of_domain(word, &to_ascii(domain)))
    }

    pub(crate) fn address(address: &str) -> Self {
        Self::word(|word| of_address(word, address))
    }

    /// The widest network that is a word and holds this one; a wider one has none.
    pub(crate) fn client(network: IpNet) -> Option<Self> {
        let mut lengths = lengths(network.addr()).iter().rev().copied();
        let length = lengths.find(|length| *length <= network.prefix_len())?;
        Some(Self::word(|word| of_network(word, network.network(), length)))
    }

    /// Findings with what of the three is said; `None` if nothing is.
    pub(crate) fn finding(
        result: Option<FindingResult>,
        method: Option<Method>,
        identity: Option<Identity>,
    ) -> Option<Self> {
        if result.is_none() && method.is_none() && identity.is_none() {
            return None;
        }
        let mut any = Vec::new();
        for result in FindingResult::ALL.iter().filter(|all| result.is_none_or(|one| one == **all))
        {
            for method in Method::ALL.iter().filter(|all| method.is_none_or(|one| one == **all)) {
                for identity in
                    Identity::ALL.iter().filter(|all| identity.is_none_or(|one| one == **all))
                {
                    any.push(Self::word(|word| of_finding(word, (*result, *method, *identity))));
                }
            }
        }
        Some(Self::Any(any))
    }

    /// Each term of the text, as a whole field or as words of one, of which the last may go on.
    pub(crate) fn free_text<'t>(
        text: &'t str,
        beginnings: &'t Beginnings,
    ) -> impl Iterator<Item = Self> + 't {
        terms(text).filter_map(|term| Self::term(&term, beginnings))
    }

    /// `None` if the index does not tell.
    fn term(term: &str, beginnings: &Beginnings) -> Option<Self> {
        let mut any = vec![Self::domain(term)];
        if term.contains('@') {
            any.push(Self::address(term));
        }
        if let Ok(address) = term.parse::<IpAddr>() {
            any.extend(Self::client(address.into()));
        }
        let mut all = Vec::new();
        plain_words(term, |word| all.push(Self::word(|text| text.extend_from_slice(word))));
        if let Some(last) = last_word(term) {
            all.pop();
            match beginnings.with(last) {
                Some(Self::Any(words)) if words.is_empty() => all.clear(),
                Some(beginning) => all.push(beginning),
                // Any case may have it.
                None if all.is_empty() => return None,
                None => {}
            }
        }
        if !all.is_empty() {
            any.push(Self::All(all));
        }
        Some(Self::Any(any))
    }

    /// Whether these are the words, and the id, of a case that is looked for.
    pub(crate) fn is_fulfilled_by(&self, words: &CaseWords, id: &str) -> bool {
        match self {
            Self::Word(word) => words.text().split_ascii_whitespace().any(|one| one == word),
            Self::Beginning(word) => id == word || words.plain().any(|one| one.starts_with(word)),
            Self::All(all) => all.iter().all(|one| one.is_fulfilled_by(words, id)),
            Self::Any(any) => any.iter().any(|one| one.is_fulfilled_by(words, id)),
        }
    }
}

impl Beginnings {
    /// What finds the words that begin so; `None`: any case may have one.
    fn with(&self, beginning: String) -> Option<Query> {
        match self {
            Self::Compared => Some(Query::Beginning(beginning)),
            Self::Known(known) => {
                let words = known.get(&beginning)?.as_ref()?;
                Some(Query::Any(words.iter().cloned().map(Query::Word).collect()))
            }
        }
    }
}

impl Display for Query {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (queries, between) = match self {
            // Words have no quotation marks.
            Self::Word(word) => return write!(formatter, "\"{word}\""),
            Self::Beginning(word) => return write!(formatter, "\"{word}\" *"),
            Self::All(all) => (all, " AND "),
            Self::Any(any) => (any, " OR "),
        };
        formatter.write_str("(")?;
        for (place, query) in queries.iter().enumerate() {
            let before = if place == 0 { "" } else { between };
            write!(formatter, "{before}{query}")?;
        }
        formatter.write_str(")")
    }
}

/// The terms of a search text, each with the word of which it has the beginning.
pub(crate) fn last_words(text: &str) -> impl Iterator<Item = (String, String)> {
    terms(text).filter_map(|term| last_word(&term).map(|word| (term, word)))
}

fn last_word(term: &str) -> Option<String> {
    let mut last = None;
    plain_words(term, |word| last = Some(word.to_vec()));
    let mut last = last?;
    bound(&mut last, 0);
    String::from_utf8(last).ok()
}

/// The terms of a search text: what stands between blanks, in lower case.
pub(crate) fn terms(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().take(TERMS_MAX).map(str::to_lowercase)
}
