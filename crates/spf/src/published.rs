use quivive_evidence::{Answer, Outcome, Txt};

use crate::compiled::Compiled;
use crate::{Record, Scope, SyntaxError};

/// What a domain publishes about SPF, read out of its TXT records (RFC 7208 section 4.5).
#[derive(Debug)]
pub enum Published {
    /// No record.
    Nothing,
    /// More than one.
    Several,
    /// One that breaks the grammar: its text as far as it is UTF-8, and what is wrong.
    Broken(Box<str>, SyntaxError),
    /// One that can be used.
    One(Record),
}

/// What is kept beside an answer: what is published, and how it is evaluated quickly.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) published: Published,
    pub(crate) compiled: Compiled,
}

impl Published {
    /// What is published about SPF. An answer is read once; what was read is kept beside it.
    pub fn of(answer: &Answer<Txt>) -> &Self {
        Self::in_scope(answer, Scope::Spf)
    }

    /// What is published for a scope.
    pub fn in_scope(answer: &Answer<Txt>, scope: Scope) -> &Self {
        &Policy::of(answer, scope).published
    }

    /// The text of the record, if there is one and no other.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::One(record) => record.text(),
            Self::Broken(text, _) => text,
            Self::Nothing | Self::Several => "",
        }
    }

    fn read(answer: &Answer<Txt>, scope: Scope) -> Self {
        let Outcome::Found(records) = &answer.outcome else { return Self::Nothing };
        match *scope.select(records) {
            [] => Self::Nothing,
            [record] => match Record::parse_in(&record.0, scope) {
                Ok(record) => Self::One(record),
                Err(error) => Self::Broken(String::from_utf8_lossy(&record.0).into(), error),
            },
            _ => Self::Several,
        }
    }
}

impl Policy {
    pub(crate) fn of(answer: &Answer<Txt>, scope: Scope) -> &Self {
        struct ForMfrom(Policy);
        struct ForPra(Policy);
        let memo = answer.memo();
        match scope {
            Scope::Spf => memo.get_or_make(|| Self::read(answer, scope)),
            Scope::Mfrom => &memo.get_or_make(|| ForMfrom(Self::read(answer, scope))).0,
            Scope::Pra => &memo.get_or_make(|| ForPra(Self::read(answer, scope))).0,
        }
    }

    fn read(answer: &Answer<Txt>, scope: Scope) -> Self {
        let published = Published::read(answer, scope);
        let compiled = match &published {
            Published::One(record) => Compiled::of(record),
            _ => Compiled::nothing(),
        };
        Self { published, compiled }
    }
}
