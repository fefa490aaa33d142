use quivive_evidence::{Answer, Outcome, Txt};

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

impl Published {
    /// What is published about SPF. An answer is read once; what was read is kept beside it.
    pub fn of(answer: &Answer<Txt>) -> &Self {
        answer.memo().get_or_make(|| Self::read(answer, Scope::Spf))
    }

    /// What is published for a scope.
    pub fn in_scope(answer: &Answer<Txt>, scope: Scope) -> &Self {
        struct ForMfrom(Published);
        struct ForPra(Published);
        match scope {
            Scope::Spf => Self::of(answer),
            Scope::Mfrom => &answer.memo().get_or_make(|| ForMfrom(Self::read(answer, scope))).0,
            Scope::Pra => &answer.memo().get_or_make(|| ForPra(Self::read(answer, scope))).0,
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
