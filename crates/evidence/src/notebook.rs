use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::{
    Answer, Derived, DnsAnswer, DnsQuestion, DomainName, Evidence, Failure, Mx, NotedAnswer,
    Octets, Outcome, Question, RecordType, Source, StoredQuestion, Txt,
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Evidence as a driver records it: every question that was answered for a message, with its
/// answer.
///
/// The first answer to a question stands; later ones to the same question are ignored, so that an
/// evaluation never sees the world change under it.
#[derive(Debug, Clone, Default)]
pub struct Notebook {
    // A quick hash will do: the bounds of an inquiry keep a notebook so small that names made to
    // collide cost nothing.
    names: HashMap<Arc<str>, Known, RandomState>,
    stored: HashMap<StoredQuestion, Arc<Answer<Octets>>, RandomState>,
    order: Vec<Question>,
}

/// What is known of a name.
#[derive(Debug, Clone, Default)]
struct Known {
    ipv4: Option<Arc<Answer<Ipv4Addr>>>,
    ipv6: Option<Arc<Answer<Ipv6Addr>>>,
    mx: Option<Arc<Answer<Mx>>>,
    ptr: Option<Arc<Answer<DomainName>>>,
    txt: Option<Arc<Answer<Txt>>>,
    /// Few names have any, and none has many.
    other: Option<Box<Others>>,
    derived: Derived,
}

type Others = Vec<(u16, Arc<Answer<Octets>>)>;

/// A question with its answer.
#[derive(Debug, Clone, BorshDeserialize, BorshSerialize)]
pub struct Noted {
    /// What was asked.
    pub question: Question,
    /// What came.
    pub answer: NotedAnswer,
}

impl Notebook {
    /// Notes an answer. The record type is the answer's.
    pub fn note(&mut self, name: &Arc<str>, answer: DnsAnswer) {
        fn add<T>(place: &mut Option<T>, answer: T) -> bool {
            let is_new = place.is_none();
            place.get_or_insert(answer);
            is_new
        }
        let record_type = answer.record_type();
        let known = self.names.entry(name.clone()).or_default();
        let is_new = match answer {
            DnsAnswer::A(answer) => add(&mut known.ipv4, answer),
            DnsAnswer::Aaaa(answer) => add(&mut known.ipv6, answer),
            DnsAnswer::Mx(answer) => add(&mut known.mx, answer),
            DnsAnswer::Ptr(answer) => add(&mut known.ptr, answer),
            DnsAnswer::Txt(answer) => add(&mut known.txt, answer),
            DnsAnswer::Other(number, _) if known.other(number).is_some() => false,
            DnsAnswer::Other(number, answer) => {
                known.other.get_or_insert_default().push((number, answer));
                true
            }
        };
        if is_new {
            self.order.push(Question::Dns(DnsQuestion { name: name.clone(), record_type }));
        }
    }

    /// Notes the entries that are stored.
    pub fn note_stored(&mut self, question: &StoredQuestion, answer: Arc<Answer<Octets>>) {
        if !self.stored.contains_key(question) {
            self.stored.insert(question.clone(), answer);
            self.order.push(Question::Stored(question.clone()));
        }
    }

    /// Notes that there was no usable answer.
    pub fn note_failure(&mut self, question: &Question, failure: Failure, source: Source) {
        match question {
            Question::Dns(DnsQuestion { name, record_type }) => {
                let outcome = Outcome::Failed(failure);
                self.note(name, DnsAnswer::without_records(*record_type, outcome, source));
            }
            Question::Stored(question) => {
                let answer = Answer::new(Outcome::Failed(failure), source);
                self.note_stored(question, Arc::new(answer));
            }
        }
    }

    /// The answer to a question, if it is known.
    pub fn answer(&self, question: &Question) -> Option<NotedAnswer> {
        match question {
            Question::Dns(question) => self.dns_answer(question).map(NotedAnswer::Dns),
            Question::Stored(question) => {
                self.stored.get(question).cloned().map(NotedAnswer::Stored)
            }
        }
    }

    fn dns_answer(&self, question: &DnsQuestion) -> Option<DnsAnswer> {
        let known = self.names.get(&question.name)?;
        match question.record_type {
            RecordType::A => known.ipv4.clone().map(DnsAnswer::A),
            RecordType::Aaaa => known.ipv6.clone().map(DnsAnswer::Aaaa),
            RecordType::Mx => known.mx.clone().map(DnsAnswer::Mx),
            RecordType::Ptr => known.ptr.clone().map(DnsAnswer::Ptr),
            RecordType::Txt => known.txt.clone().map(DnsAnswer::Txt),
            RecordType::Other(number) => {
                known.other(number).cloned().map(|answer| DnsAnswer::Other(number, answer))
            }
        }
    }

    /// All that was noted, in the order in which it was noted.
    pub fn noted(&self) -> impl Iterator<Item = Noted> + '_ {
        self.order.iter().map(|question| Noted {
            question: question.clone(),
            answer: self.answer(question).expect("every question in the order has its answer"),
        })
    }

    /// How many answers there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Nothing was noted.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

impl Known {
    fn other(&self, record_type: u16) -> Option<&Arc<Answer<Octets>>> {
        let mut others = self.other.as_deref().into_iter().flatten();
        others.find(|(number, _)| *number == record_type).map(|(_, answer)| answer)
    }
}

impl Evidence for Notebook {
    fn ipv4(&self, name: &str) -> Option<&Answer<Ipv4Addr>> {
        self.names.get(name)?.ipv4.as_deref()
    }

    fn ipv6(&self, name: &str) -> Option<&Answer<Ipv6Addr>> {
        self.names.get(name)?.ipv6.as_deref()
    }

    fn mx(&self, name: &str) -> Option<&Answer<Mx>> {
        self.names.get(name)?.mx.as_deref()
    }

    fn ptr(&self, name: &str) -> Option<&Answer<DomainName>> {
        self.names.get(name)?.ptr.as_deref()
    }

    fn txt(&self, name: &str) -> Option<&Answer<Txt>> {
        self.names.get(name)?.txt.as_deref()
    }

    fn txt_with_derived(&self, name: &str) -> Option<(&Answer<Txt>, Option<&Derived>)> {
        let known = self.names.get(name)?;
        Some((known.txt.as_deref()?, Some(&known.derived)))
    }

    fn other(&self, name: &str, record_type: u16) -> Option<&Answer<Octets>> {
        self.names.get(name)?.other(record_type).map(Arc::as_ref)
    }

    fn stored(&self, question: &StoredQuestion) -> Option<&Answer<Octets>> {
        self.stored.get(question).map(Arc::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> DnsAnswer {
        let outcome = Outcome::of(vec![[192, 0, 2, last].into()]);
        DnsAnswer::A(Arc::new(Answer::new(outcome, Source::default())))
    }

    fn other(record_type: u16) -> DnsAnswer {
        let outcome = Outcome::NoData;
        DnsAnswer::without_records(RecordType::Other(record_type), outcome, Source::default())
    }

    #[test]
    fn the_first_answer_stands() {
        let mut notebook = Notebook::default();
        let name = "a.test".into();
        for answer in [address(1), other(99), address(2), other(99), other(100)] {
            notebook.note(&name, answer);
        }
        assert_eq!(notebook.len(), 3);
        let first = notebook.ipv4("a.test").unwrap().records().unwrap();
        assert_eq!(first, [Ipv4Addr::new(192, 0, 2, 1)]);
        let noted: Vec<String> = notebook.noted().map(|noted| noted.question.to_string()).collect();
        assert_eq!(noted, ["a.test A", "a.test TYPE99", "a.test TYPE100"]);
        assert!(notebook.txt("a.test").is_none() && notebook.other("a.test", 98).is_none());
        assert!(notebook.ipv4("b.test").is_none());
    }
}
