//! Evidence as it is written into a case, and read again.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use crate::{
    Answer, DnsAnswer, DnsQuestion, Failure, Mx, Notebook, Noted, NotedAnswer, Octets, Outcome,
    Question, RecordType, Source,
};

/// A question with its answer, in a form for storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshDeserialize, BorshSerialize)]
pub struct Recorded {
    /// What was asked.
    pub question: Question,
    /// What came: `found`, `nodata`, `nxdomain`, or the token of a failure.
    pub status: String,
    /// The records in their text form; TXT, unknown types and stored entries with every octet
    /// that is not printable ASCII, and every backslash, as `\DDD`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<String>,
    /// How long it could be kept, in seconds from `noted_at`.
    pub ttl: u32,
    /// When it came, in seconds since 1970.
    pub noted_at: u64,
    /// How long it took, in microseconds.
    pub micros: u32,
    /// The server set the AD bit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub authenticated: bool,
    /// Its AD bit is believed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trusted: bool,
    /// Who gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<SocketAddr>,
}

impl Recorded {
    /// The stored form of a noted answer.
    pub fn of(noted: &Noted) -> Self {
        let source = noted.answer.source();
        Self {
            question: noted.question.clone(),
            status: noted.answer.status().to_owned(),
            records: match &noted.answer {
                NotedAnswer::Dns(DnsAnswer::Txt(answer) | DnsAnswer::Other(_, answer))
                | NotedAnswer::Stored(answer) => escaped(answer),
                answer => answer.record_texts(),
            },
            ttl: source.ttl,
            noted_at: source.noted_at,
            micros: source.micros,
            authenticated: source.authenticated,
            trusted: source.trusted,
            server: source.server,
        }
    }

    /// Notes the answer in a notebook.
    ///
    /// # Errors
    /// What cannot be read, in words.
    pub fn note(&self, notebook: &mut Notebook) -> Result<(), String> {
        match &self.question {
            Question::Dns(question) => notebook.note(&question.name, self.answer(question)?),
            Question::Stored(question) => notebook.note_stored(question, self.stored()?),
        }
        Ok(())
    }

    fn source(&self) -> Source {
        Source {
            server: self.server,
            authenticated: self.authenticated,
            trusted: self.trusted,
            ttl: self.ttl,
            noted_at: self.noted_at,
            micros: self.micros,
        }
    }

    fn stored(&self) -> Result<Arc<Answer<Octets>>, String> {
        let source = self.source();
        let outcome = match &*self.status {
            "found" => return self.read(source, Octets::from_escaped),
            "nodata" => Outcome::NoData,
            token => Outcome::Failed(failure(token)?),
        };
        Ok(Arc::new(Answer::new(outcome, source)))
    }

    fn answer(&self, question: &DnsQuestion) -> Result<DnsAnswer, String> {
        let source = self.source();
        let outcome = match &*self.status {
            "found" => return self.found(question.record_type, source),
            "nodata" => Outcome::NoData,
            "nxdomain" => Outcome::NoName,
            token => Outcome::Failed(failure(token)?),
        };
        Ok(DnsAnswer::without_records(question.record_type, outcome, source))
    }

    fn found(&self, record_type: RecordType, source: Source) -> Result<DnsAnswer, String> {
        Ok(match record_type {
            RecordType::A => DnsAnswer::A(self.read(source, |text| text.parse::<Ipv4Addr>().ok())?),
            RecordType::Aaaa => {
                DnsAnswer::Aaaa(self.read(source, |text| text.parse::<Ipv6Addr>().ok())?)
            }
            RecordType::Mx => DnsAnswer::Mx(self.read(source, read_mx)?),
            RecordType::Ptr => DnsAnswer::Ptr(self.read(source, |text| Some(text.into()))?),
            RecordType::Txt => DnsAnswer::Txt(self.read(source, Octets::from_escaped)?),
            RecordType::Other(number) => {
                DnsAnswer::Other(number, self.read(source, Octets::from_escaped)?)
            }
        })
    }

    fn read<T>(
        &self,
        source: Source,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Arc<Answer<T>>, String> {
        let records = self.records.iter().map(|text| {
            read(text).ok_or_else(|| format!("`{text}` does not answer {}", self.question))
        });
        let records = records.collect::<Result<Vec<T>, String>>()?;
        Ok(Arc::new(Answer::new(Outcome::of(records), source)))
    }
}

fn read_mx(text: &str) -> Option<Mx> {
    let (preference, exchange) = text.split_once(' ')?;
    let exchange = if exchange == "." { "" } else { exchange };
    Some(Mx { preference: preference.parse().ok()?, exchange: exchange.into() })
}

fn failure(token: &str) -> Result<Failure, String> {
    Failure::from_token(token).ok_or_else(|| format!("`{token}` is no status"))
}

fn escaped(answer: &Answer<Octets>) -> Vec<String> {
    answer.records().unwrap_or_default().iter().map(Octets::escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(name: &str, answer: DnsAnswer) {
        let mut notebook = Notebook::default();
        notebook.note(&name.into(), answer);
        let recorded: Vec<Recorded> = notebook.noted().map(|noted| Recorded::of(&noted)).collect();
        let json = serde_json::to_string(&recorded).unwrap();
        let read: Vec<Recorded> = serde_json::from_str(&json).unwrap();
        assert_eq!(read, recorded, "{json}");
        let mut second = Notebook::default();
        read.iter().try_for_each(|recorded| recorded.note(&mut second)).unwrap();
        let recorded_again: Vec<Recorded> =
            second.noted().map(|noted| Recorded::of(&noted)).collect();
        assert_eq!(recorded_again, recorded);
    }

    fn answer<T>(records: Vec<T>) -> Arc<Answer<T>> {
        let source = Source {
            server: Some("[::1]:53".parse().unwrap()),
            authenticated: true,
            trusted: true,
            ttl: 300,
            noted_at: 1_700_000_000,
            micros: 1234,
        };
        Arc::new(Answer::new(Outcome::of(records), source))
    }

    #[test]
    fn every_type_comes_back_as_it_was() {
        again("a.example", DnsAnswer::A(answer(vec![[192, 0, 2, 1].into()])));
        again("a.example", DnsAnswer::Aaaa(answer(vec!["2001:db8::1".parse().unwrap()])));
        let mx = |exchange: &str| Mx { preference: 10, exchange: exchange.into() };
        again("", DnsAnswer::Mx(answer(vec![mx("mail.example"), mx("")])));
        again("1.in-addr.arpa", DnsAnswer::Ptr(answer(vec!["a\\046b.example".into()])));
        let text: Vec<u8> = (0..=255).collect();
        again("t.example", DnsAnswer::Txt(answer(vec![Octets::from(&text[..]), "".into()])));
        again("r.example", DnsAnswer::Other(65280, answer(vec![Octets::from(&text[..])])));
        again("n.example", DnsAnswer::A(answer(Vec::new())));
    }

    #[test]
    fn every_failure_comes_back_as_it_was() {
        for failure in Failure::ALL {
            let outcome = Outcome::Failed(*failure);
            let answer = DnsAnswer::without_records(RecordType::Mx, outcome, Source::default());
            again("f.example", answer);
        }
    }

    #[test]
    fn stored_entries_come_back_as_they_were() {
        let mut notebook = Notebook::default();
        let Question::Stored(known) = Question::stored("grants", "\"a b\"@c.test") else {
            panic!()
        };
        let Question::Stored(empty) = Question::stored("grants", "x:y STORED") else { panic!() };
        let down = Question::stored("grants", "");
        notebook.note_stored(&known, answer(vec!["a b\\".into(), "\u{e9}".into()]));
        notebook.note_stored(&empty, answer(Vec::new()));
        notebook.note_failure(&down, Failure::Unreachable, Source::default());
        let recorded: Vec<Recorded> = notebook.noted().map(|noted| Recorded::of(&noted)).collect();
        let json = serde_json::to_string(&recorded).unwrap();
        let read: Vec<Recorded> = serde_json::from_str(&json).unwrap();
        assert_eq!(read, recorded, "{json}");
        let mut second = Notebook::default();
        read.iter().try_for_each(|recorded| recorded.note(&mut second)).unwrap();
        assert!(second.noted().map(|noted| Recorded::of(&noted)).eq(recorded));
        assert_eq!(second.answer(&down).unwrap().status(), "unreachable");
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let recorded = |question: &str, status: &str, record: &str| {
            let json = format!(
                r#"{{"question":"{question}","status":"{status}","records":["{record}"],
                    "ttl":0,"noted_at":0,"micros":0}}"#
            );
            let recorded: Recorded = serde_json::from_str(&json).unwrap();
            recorded.note(&mut Notebook::default()).unwrap_err()
        };
        assert_eq!(recorded("a.b A", "found", "1.2.3"), "`1.2.3` does not answer a.b A");
        assert_eq!(recorded("a.b TXT", "found", "\\\\99"), "`\\99` does not answer a.b TXT");
        assert_eq!(recorded("a.b TXT", "lost", ""), "`lost` is no status");
    }
}
