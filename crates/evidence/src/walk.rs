use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{
    Ahead, Answer, DomainName, Evaluation, Evidence, Failure, Finding, FindingResult, Identity,
    Method, Missing, Mx, Octets, Property, Question, RecordType, StoredQuestion, TermResult,
    Tracer, Txt,
};

/// The most needed questions of an evaluation whose method sets itself no lower number.
pub const NEEDED_QUESTIONS_MAX: usize = 60;

/// A walk over the evidence for one evaluation: it looks answers up, notes which are missing,
/// counts them, and writes the trace.
///
/// A missing answer is noted and taken as "no match", so that the walk comes to what else it could
/// ask. If anything was noted, what the walk concludes means nothing, and [`Walk::conclude`] gives
/// the questions instead.
pub struct Walk<'a> {
    evidence: &'a dyn Evidence,
    missing: Missing,
    questions: usize,
    questions_max: usize,
    /// What was evaluated so far.
    pub trace: Tracer,
}

/// Who is judged by what: the head of a finding.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The method.
    pub method: Method,
    /// The identity.
    pub identity: Identity,
    /// The domain that is asked, as A-labels where it can be written so.
    pub domain: String,
}

/// What a method concludes.
#[derive(Debug, Clone)]
pub struct Conclusion {
    /// The result.
    pub result: FindingResult,
    /// Why: a stable token of the method.
    pub cause: &'static str,
    /// What decided, in the method's own words.
    pub decided_by: Option<String>,
    /// The domain's own explanation, as it came.
    pub explanation: Option<String>,
    /// What of the message was judged, in the words of RFC 8601.
    pub properties: Vec<Property>,
}

/// What ends an evaluation at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// The result.
    pub result: FindingResult,
    /// Why.
    pub cause: &'static str,
}

/// Whether one of a name's addresses is the client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HasAddress {
    /// It is.
    Yes,
    /// There are addresses of the client's family, and the client's is none of them.
    No,
    /// There are no addresses of the client's family.
    Nothing,
    /// There is no usable answer.
    Failed(Failure),
    /// Not known yet.
    Unknown,
}

/// An answer; none, and noted, where it is missing.
pub type Found<'a, T> = Result<Option<&'a Answer<T>>, Stop>;

impl<'a> Walk<'a> {
    /// A walk that may come to so many needed questions; one more ends it with the cause
    /// `question-budget`.
    pub fn new(evidence: &'a dyn Evidence, questions_max: usize) -> Self {
        Self {
            evidence,
            missing: Missing::default(),
            questions: 0,
            questions_max,
            trace: Tracer::default(),
        }
    }

    /// Whether every answer that was looked up so far is known.
    pub fn is_certain(&self) -> bool {
        self.missing.is_empty()
    }

    /// Looks up the IPv4 addresses of a name.
    ///
    /// # Errors
    /// There are no questions left.
    pub fn ipv4(&mut self, name: &str, ahead: Ahead) -> Found<'a, Ipv4Addr> {
        let answer = self.evidence.ipv4(name);
        self.known(name, RecordType::A, ahead, answer)
    }

    /// Looks up the IPv6 addresses of a name.
    ///
    /// # Errors
    /// There are no questions left.
    pub fn ipv6(&mut self, name: &str, ahead: Ahead) -> Found<'a, Ipv6Addr> {
        let answer = self.evidence.ipv6(name);
        self.known(name, RecordType::Aaaa, ahead, answer)
    }

    /// Looks up the mail exchangers of a name.
    ///
    /// # Errors
    /// There are no questions left.
    pub fn mx(&mut self, name: &str, ahead: Ahead) -> Found<'a, Mx> {
        let answer = self.evidence.mx(name);
        self.known(name, RecordType::Mx, ahead, answer)
    }

    /// Looks up the names that a reverse name points to: never ahead of need.
    ///
    /// # Errors
    /// There are no questions left.
    pub fn ptr(&mut self, name: &str) -> Found<'a, DomainName> {
        let answer = self.evidence.ptr(name);
        self.known(name, RecordType::Ptr, Ahead::Forbidden, answer)
    }

    /// Looks up the text records of a name.
    ///
    /// # Errors
    /// There are no questions left.
    pub fn txt(&mut self, name: &str, ahead: Ahead) -> Found<'a, Txt> {
        let answer = self.evidence.txt(name);
        self.known(name, RecordType::Txt, ahead, answer)
    }

    /// Looks up the records of any other type.
    ///
    /// # Errors
    /// There are no questions left.
    pub fn other(&mut self, name: &str, record_type: u16, ahead: Ahead) -> Found<'a, Octets> {
        let answer = self.evidence.other(name, record_type);
        self.known(name, RecordType::Other(record_type), ahead, answer)
    }

    /// Looks up what is stored under a key of a table: never ahead of need.
    ///
    /// # Errors
    /// There are no questions left.
    pub fn stored(&mut self, table: &str, key: &str) -> Found<'a, Octets> {
        self.count()?;
        let question = StoredQuestion { table: table.into(), key: key.into() };
        let answer = self.evidence.stored(&question);
        let question = Question::Stored(question);
        self.trace.asked_question(question.clone());
        if answer.is_none() {
            self.missing.note(question, Ahead::Forbidden);
        }
        Ok(answer)
    }

    /// Looks up whether one of a name's addresses is the client's. Addresses of the other family
    /// are not asked for.
    ///
    /// # Errors
    /// There are no questions left.
    pub fn has_address(
        &mut self,
        name: &str,
        client: IpAddr,
        ahead: Ahead,
    ) -> Result<HasAddress, Stop> {
        fn among<T: PartialEq>(answer: Option<&Answer<T>>, client: &T) -> HasAddress {
            match answer.map(Answer::records) {
                None => HasAddress::Unknown,
                Some(Err(failure)) => HasAddress::Failed(failure),
                Some(Ok([])) => HasAddress::Nothing,
                Some(Ok(addresses)) if addresses.contains(client) => HasAddress::Yes,
                Some(Ok(_)) => HasAddress::No,
            }
        }
        Ok(match client {
            IpAddr::V4(client) => among(self.ipv4(name, ahead)?, &client),
            IpAddr::V6(client) => among(self.ipv6(name, ahead)?, &client),
        })
    }

    /// The finding; or, where answers are missing, the questions for them.
    pub fn conclude(mut self, judged: Judged, concluded: impl Into<Conclusion>) -> Evaluation {
        if !self.missing.is_empty() {
            return Evaluation::Missing(self.missing);
        }
        let mut finding = judged.finding(concluded);
        self.trace.close(TermResult::Result(finding.result));
        finding.trace = self.trace.roots;
        finding.needed = self.trace.needed;
        Evaluation::Done(Box::new(finding))
    }

    fn count(&mut self) -> Result<(), Stop> {
        self.questions += 1;
        match self.questions > self.questions_max {
            true => Err(Stop::temporary("question-budget")),
            false => Ok(()),
        }
    }

    fn known<T>(
        &mut self,
        name: &str,
        record_type: RecordType,
        ahead: Ahead,
        answer: Option<&'a Answer<T>>,
    ) -> Found<'a, T> {
        self.count()?;
        self.trace.asked(name, record_type);
        if answer.is_none() {
            self.missing.note(Question::dns(name, record_type), ahead);
        }
        Ok(answer)
    }
}

impl Judged {
    /// A finding without a trace.
    pub fn finding(self, concluded: impl Into<Conclusion>) -> Finding {
        let concluded = concluded.into();
        Finding {
            method: self.method,
            identity: self.identity,
            domain: self.domain,
            result: concluded.result,
            cause: concluded.cause.into(),
            decided_by: concluded.decided_by,
            explanation: concluded.explanation,
            properties: concluded.properties,
            trace: Vec::new(),
            needed: Vec::new(),
        }
    }
}

impl Conclusion {
    /// A conclusion that needs no more words.
    pub fn new(result: FindingResult, cause: &'static str) -> Self {
        Self { result, cause, decided_by: None, explanation: None, properties: Vec::new() }
    }

    /// The same, decided by this.
    #[must_use]
    pub fn decided_by(self, words: impl Into<String>) -> Self {
        Self { decided_by: Some(words.into()), ..self }
    }
}

impl Stop {
    /// What is published cannot be used.
    pub fn permanent(cause: &'static str) -> Self {
        Self { result: FindingResult::Permerror, cause }
    }

    /// There is no answer at this time.
    pub fn temporary(cause: &'static str) -> Self {
        Self { result: FindingResult::Temperror, cause }
    }
}

/// No usable answer of DNS is a temperror.
impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::temporary(match failure {
            Failure::Timeout => "dns-timeout",
            Failure::ServerFailure => "dns-servfail",
            Failure::Refused => "dns-refused",
            Failure::Malformed => "dns-malformed",
            Failure::AliasLoop => "dns-alias-loop",
            Failure::Unreachable => "dns-unreachable",
            Failure::TooLarge => "dns-too-large",
        })
    }
}

impl From<Stop> for Conclusion {
    fn from(stop: Stop) -> Self {
        Self::new(stop.result, stop.cause)
    }
}

impl From<Result<Self, Stop>> for Conclusion {
    fn from(concluded: Result<Self, Stop>) -> Self {
        concluded.unwrap_or_else(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{DnsAnswer, Notebook, Outcome, Source};

    fn judged() -> Judged {
        Judged { method: Method::Rmx, identity: Identity::Mailfrom, domain: "a.test".into() }
    }

    #[test]
    fn what_is_missing_is_asked_for_and_the_conclusion_thrown_away() {
        let notebook = Notebook::default();
        let mut walk = Walk::new(&notebook, 9);
        assert!(walk.txt("a.test", Ahead::Allowed).unwrap().is_none());
        let client = "2001:db8::1".parse().unwrap();
        let has = walk.has_address("b.test", client, Ahead::Allowed);
        assert_eq!((has, walk.is_certain()), (Ok(HasAddress::Unknown), false));
        let concluded = Conclusion::new(FindingResult::Pass, "match");
        let Evaluation::Missing(missing) = walk.conclude(judged(), concluded) else { panic!() };
        let asked: Vec<_> = missing.questions().iter().map(ToString::to_string).collect();
        assert_eq!(asked, ["a.test TXT", "b.test AAAA"]);
    }

    #[test]
    fn questions_are_bounded() {
        let mut notebook = Notebook::default();
        let answer = Answer::new(Outcome::of(vec![[192, 0, 2, 1].into()]), Source::default());
        notebook.note(&"a.test".into(), DnsAnswer::A(Arc::new(answer)));
        let mut walk = Walk::new(&notebook, 2);
        let has = |walk: &mut Walk<'_>, client: [u8; 4]| {
            walk.has_address("a.test", client.into(), Ahead::Allowed)
        };
        walk.trace.begin("record", (0, 6));
        assert_eq!(has(&mut walk, [192, 0, 2, 1]), Ok(HasAddress::Yes));
        assert_eq!(has(&mut walk, [192, 0, 2, 2]), Ok(HasAddress::No));
        assert_eq!(has(&mut walk, [192, 0, 2, 1]), Err(Stop::temporary("question-budget")));
        let stopped: Result<Conclusion, Stop> = Err(Stop::from(Failure::Timeout));
        let Evaluation::Done(finding) = walk.conclude(judged(), stopped) else { panic!() };
        assert_eq!((finding.result, &*finding.cause), (FindingResult::Temperror, "dns-timeout"));
        assert_eq!(finding.needed, [Question::dns("a.test", RecordType::A)]);
        assert_eq!(finding.trace[0].questions, finding.needed);
        let stopped = TermResult::Result(FindingResult::Temperror);
        assert_eq!(finding.trace[0].result, stopped, "what was open is closed");
    }
}
