use quivive_evidence::{Answer, Outcome, Txt};

use crate::{Record, SyntaxError};

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
    /// Reads an answer once; it is kept beside it.
    pub fn of(answer: &Answer<Txt>) -> &Self {
        answer.memo().get_or_make(|| {
            let Outcome::Found(records) = &answer.outcome else { return Self::Nothing };
            let mut records = records.iter().filter(|record| Record::is_spf(&record.0));
            match (records.next(), records.next()) {
                (None, _) => Self::Nothing,
                (Some(_), Some(_)) => Self::Several,
                (Some(record), None) => match Record::parse(&record.0) {
                    Ok(record) => Self::One(record),
                    Err(error) => Self::Broken(String::from_utf8_lossy(&record.0).into(), error),
                },
            }
        })
    }
}
