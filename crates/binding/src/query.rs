use std::fmt;

use crate::address::folded;
use crate::client::write_login;
use crate::{Address, Client, Grant, Holder, Rules, words};

/// Grants of one client in an answer; more are left out.
pub const ENTRIES_MAX: usize = 32;

/// How many domains above that of an address are looked under.
pub const PARENTS_MAX: usize = 10;

/// What a source of grants is asked: what is granted of this to this client, and whether to others.
/// Who they are stays with the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// What somebody wants to use.
    pub subject: Subject,
    /// Who wants to.
    pub client: Client,
}

/// What can be granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An address.
    Address(Address),
    /// The null sender.
    Null,
    /// To act as another login (RFC 4422 section 2).
    As(String),
}

/// A key that is no query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no `ADDRESS CLIENT`, `<> CLIENT` or `as:LOGIN CLIENT`")]
pub struct QueryError;

impl Query {
    /// Reads the key of a question, which is what a query is written as.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(key: &str, rules: &Rules) -> Result<Self, QueryError> {
        let (subject, rest) = words::split(key).ok_or(QueryError)?;
        let (client, rest) = words::split(rest.trim_start()).ok_or(QueryError)?;
        let subject = Subject::parse(subject, rules).filter(|_| rest.is_empty());
        let (subject, client) = subject.zip(Client::parse(client)).ok_or(QueryError)?;
        Ok(Self { subject, client })
    }

    /// Whether a login may act as another one.
    pub fn to_act_as(login: &str, other: &str, rules: &Rules) -> Self {
        Self {
            subject: Subject::As(folded(other, rules)),
            client: Client::Login(folded(login, rules)),
        }
    }

    /// What a source says about one pattern, of which these are all grants: those of this client,
    /// and one line for all the others. Nothing if there are none.
    pub fn entries(&self, pattern: &str, grants: &[Grant]) -> Vec<String> {
        let (own, others): (Vec<&Grant>, Vec<&Grant>) =
            grants.iter().partition(|grant| grant.holder.is(&self.client));
        let others = (!others.is_empty()).then(|| Grant::new(pattern, Holder::Others).to_string());
        own.iter().take(ENTRIES_MAX).map(|grant| grant.to_string()).chain(others).collect()
    }
}

/// `user@domain login`, `<> login`, `as:boss login`.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.subject, self.client)
    }
}

impl Subject {
    /// Every pattern that it falls under, the most exact first: of the first that has grants, they
    /// decide.
    pub fn patterns(&self, rules: &Rules) -> Vec<String> {
        match self {
            Self::Address(address) => address_patterns(address, rules),
            Self::Null | Self::As(_) => vec![self.to_string()],
        }
    }

    fn parse(word: &str, rules: &Rules) -> Option<Self> {
        if word == "<>" {
            return Some(Self::Null);
        }
        match word.strip_prefix("as:") {
            Some(login) => {
                let login = words::unquoted(login).unwrap_or_else(|| login.to_owned());
                Some(Self::As(folded(&login, rules)))
            }
            None => Address::parse(word, rules).map(Self::Address),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Null => f.write_str("<>"),
            Self::As(login) => {
                f.write_str("as:")?;
                write_login(f, login)
            }
        }
    }
}

/// A pattern as [`Subject::patterns`] has it; none if it is no pattern.
pub(crate) fn pattern(word: &str, rules: &Rules) -> Option<String> {
    if word == "*" {
        return Some(word.to_owned());
    }
    let domain = |name: &str| {
        let name = quivive_mail::domain::to_ascii(name);
        quivive_mail::domain::is_host_name(&name).then_some(name)
    };
    if let Some(name) = word.strip_prefix('@') {
        return domain(name).map(|name| format!("@{name}"));
    }
    if let Some(name) = word.strip_prefix('.') {
        return domain(name).map(|name| format!(".{name}"));
    }
    if let Some(local_part) = word.strip_suffix("@*") {
        return Address::parse(&format!("{local_part}@x"), rules)
            .map(|address| format!("{}@*", address.written_local_part()));
    }
    match Subject::parse(word, rules) {
        Some(subject) => Some(subject.to_string()),
        None => {
            Address::parse(&format!("{word}@x"), rules).map(|address| address.written_local_part())
        }
    }
}

fn address_patterns(address: &Address, rules: &Rules) -> Vec<String> {
    let base = address.without_detail(rules);
    let written = || [Some(address), base.as_ref()].into_iter().flatten();
    let mut patterns: Vec<String> = written().map(Address::to_string).collect();
    if rules.domains.iter().any(|domain| domain == address.domain()) {
        patterns.extend(written().map(Address::written_local_part));
    }
    patterns.extend(written().map(|address| format!("{}@*", address.written_local_part())));
    let domain = address.domain();
    patterns.push(format!("@{domain}"));
    // An address literal has nothing above it.
    if !domain.starts_with('[') {
        let parents = std::iter::successors(Some(domain), |name| Some(name.split_once('.')?.1));
        patterns.extend(parents.take(PARENTS_MAX).map(|name| format!(".{name}")));
    }
    patterns.push("*".to_owned());
    patterns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        Rules { domains: vec!["e.test".to_owned()], ..Rules::default() }
    }

    fn patterns(text: &str) -> Vec<String> {
        let query = Query::parse(&format!("{text} alice"), &rules()).unwrap();
        query.subject.patterns(&rules())
    }

    #[test]
    fn the_most_exact_pattern_goes_first() {
        assert_eq!(
            patterns("Alice+x@E.TEST"),
            [
                "alice+x@e.test",
                "alice@e.test",
                "alice+x",
                "alice",
                "alice+x@*",
                "alice@*",
                "@e.test",
                ".e.test",
                ".test",
                "*",
            ]
        );
        let elsewhere = ["a@b.c.test", "a@*", "@b.c.test", ".b.c.test", ".c.test", ".test", "*"];
        assert_eq!(patterns("a@b.c.test"), elsewhere);
        assert_eq!(patterns("a@[192.0.2.1]"), ["a@[192.0.2.1]", "a@*", "@[192.0.2.1]", "*"]);
        assert_eq!(patterns("\"a b\"@c.test")[..2], ["\"a b\"@c.test", "\"a b\"@*"]);
        assert_eq!(patterns("<>"), ["<>"]);
        assert_eq!(patterns("as:Boss"), ["as:boss"]);
    }

    #[test]
    fn parents_are_bounded() {
        let deep = format!("a@{}e.test", "x.".repeat(100));
        let parents = patterns(&deep).iter().filter(|pattern| pattern.starts_with('.')).count();
        assert_eq!(parents, PARENTS_MAX);
    }

    #[test]
    fn queries_come_back_from_their_keys() {
        for key in [
            "alice@e.test alice",
            "\"a b\"@e.test \"al ice\"",
            "<> net:192.0.2.1",
            "as:boss alice",
            "as:\"the boss\" cert:\"a b\"",
            "a@[192.0.2.1] cert:ab",
        ] {
            assert_eq!(Query::parse(key, &rules()).unwrap().to_string(), key);
        }
        for key in ["", "alice@e.test", "alice bob", "alice@e.test al ice", "alice@e.test net:x"] {
            assert_eq!(Query::parse(key, &rules()), Err(QueryError), "{key}");
        }
    }

    #[test]
    fn patterns_are_brought_to_one_form() {
        for (word, expected) in [
            ("Alice@E.TEST", Some("alice@e.test")),
            ("\"alice\"@e.test", Some("alice@e.test")),
            ("Alice", Some("alice")),
            ("Alice@*", Some("alice@*")),
            ("@B\u{fc}cher.Test", Some("@xn--bcher-kva.test")),
            (".E.Test.", Some(".e.test")),
            ("*", Some("*")),
            ("<>", Some("<>")),
            ("as:Boss", Some("as:boss")),
            ("@", None),
            (".", None),
            ("@a b", None),
            ("a b", None),
            ("a@@b", None),
        ] {
            assert_eq!(pattern(word, &rules()).as_deref(), expected, "{word}");
        }
    }

    #[test]
    fn entries_do_not_name_others() {
        let grants = ["a@e.test alice [detail]", "a@e.test bob", "a@e.test carol", "a@e.test *"];
        let grants: Vec<Grant> = grants.iter().map(|text| Grant::parse(text).unwrap()).collect();
        let entries = |key: &str| Query::parse(key, &rules()).unwrap().entries("a@e.test", &grants);
        assert_eq!(
            entries("a@e.test alice"),
            ["a@e.test alice [detail]", "a@e.test *", "a@e.test -"]
        );
        assert_eq!(entries("a@e.test net:192.0.2.1"), ["a@e.test -"]);
        let none = Query::parse("a@e.test alice", &rules()).unwrap();
        assert!(none.entries("a@e.test", &[]).is_empty());
        let many = vec![grants[0].clone(); ENTRIES_MAX + 1];
        assert_eq!(none.entries("a@e.test", &many).len(), ENTRIES_MAX);
    }
}
