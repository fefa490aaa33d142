use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::{
    Answer, DnsAnswer, DnsQuestion, DomainName, Evidence, Failure, Mx, NotedAnswer, Octets,
    Outcome, Question, RecordType, Source, StoredQuestion, Txt,
};

/// Evidence as a driver records it: every question that was answered for a message, with its
/// answer.
///
/// The first answer to a question stands; later ones to the same question are ignored, so that an
/// evaluation never sees the world change under it.
#[derive(Debug, Clone, Default)]
pub struct Notebook {
    ipv4: Answers<Ipv4Addr>,
    ipv6: Answers<Ipv6Addr>,
    mx: Answers<Mx>,
    ptr: Answers<DomainName>,
    txt: Answers<Txt>,
    other: HashMap<(Arc<str>, u16), Arc<Answer<Octets>>, RandomState>,
    stored: HashMap<StoredQuestion, Arc<Answer<Octets>>, RandomState>,
    order: Vec<Question>,
}

/// A quick hash will do: the bounds of an inquiry keep a notebook so small that names made to
/// collide cost nothing.
type Answers<T> = HashMap<Arc<str>, Arc<Answer<T>>, RandomState>;

/// A question with its answer.
#[derive(Debug, Clone)]
pub struct Noted {
    /// What was asked.
    pub question: Question,
    /// What came.
    pub answer: NotedAnswer,
}

impl Notebook {
    /// Notes an answer. The record type is the answer's.
    pub fn note(&mut self, name: &Arc<str>, answer: DnsAnswer) {
        use std::collections::hash_map::Entry;
        fn add<K: Eq + std::hash::Hash, T>(
            answers: &mut HashMap<K, Arc<Answer<T>>, RandomState>,
            key: K,
            answer: Arc<Answer<T>>,
        ) -> bool {
            match answers.entry(key) {
                Entry::Occupied(_) => false,
                Entry::Vacant(vacant) => {
                    vacant.insert(answer);
                    true
                }
            }
        }
        let question = DnsQuestion { name: name.clone(), record_type: answer.record_type() };
        let key = name.clone();
        let new = match answer {
            DnsAnswer::A(answer) => add(&mut self.ipv4, key, answer),
            DnsAnswer::Aaaa(answer) => add(&mut self.ipv6, key, answer),
            DnsAnswer::Mx(answer) => add(&mut self.mx, key, answer),
            DnsAnswer::Ptr(answer) => add(&mut self.ptr, key, answer),
            DnsAnswer::Txt(answer) => add(&mut self.txt, key, answer),
            DnsAnswer::Other(number, answer) => add(&mut self.other, (key, number), answer),
        };
        if new {
            self.order.push(Question::Dns(question));
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
        let DnsQuestion { name, record_type } = question;
        let name: &str = name;
        match record_type {
            RecordType::A => self.ipv4.get(name).cloned().map(DnsAnswer::A),
            RecordType::Aaaa => self.ipv6.get(name).cloned().map(DnsAnswer::Aaaa),
            RecordType::Mx => self.mx.get(name).cloned().map(DnsAnswer::Mx),
            RecordType::Ptr => self.ptr.get(name).cloned().map(DnsAnswer::Ptr),
            RecordType::Txt => self.txt.get(name).cloned().map(DnsAnswer::Txt),
            RecordType::Other(number) => self
                .other
                .get(&(Arc::from(name), *number))
                .cloned()
                .map(|answer| DnsAnswer::Other(*number, answer)),
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

impl Evidence for Notebook {
    fn ipv4(&self, name: &str) -> Option<&Answer<Ipv4Addr>> {
        self.ipv4.get(name).map(Arc::as_ref)
    }

    fn ipv6(&self, name: &str) -> Option<&Answer<Ipv6Addr>> {
        self.ipv6.get(name).map(Arc::as_ref)
    }

    fn mx(&self, name: &str) -> Option<&Answer<Mx>> {
        self.mx.get(name).map(Arc::as_ref)
    }

    fn ptr(&self, name: &str) -> Option<&Answer<DomainName>> {
        self.ptr.get(name).map(Arc::as_ref)
    }

    fn txt(&self, name: &str) -> Option<&Answer<Txt>> {
        self.txt.get(name).map(Arc::as_ref)
    }

    fn other(&self, name: &str, record_type: u16) -> Option<&Answer<Octets>> {
        self.other.get(&(Arc::from(name), record_type)).map(Arc::as_ref)
    }

    fn stored(&self, question: &StoredQuestion) -> Option<&Answer<Octets>> {
        self.stored.get(question).map(Arc::as_ref)
    }
}
