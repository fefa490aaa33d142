use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use quivive_evidence::{
    Answer, DomainName, Evaluate, Evaluation, Evidence, Facts, Finding, FindingResult, Identity,
    Mx, Octets, Outcome, Source, StoredQuestion, Txt,
};

use crate::{Limits, Record, Request, Spf, SyntaxError};

/// The cause of a finding that rests on a guess.
pub const BEST_GUESS: &str = "best-guess";

/// A record that is taken for the one that a domain without any might publish (local practice; no
/// document knows it).
#[derive(Debug, Clone)]
pub struct BestGuess {
    answer: Arc<Answer<Txt>>,
}

/// SPF for one identity, with a guess where the domain publishes nothing.
///
/// A guess never refuses and never passes: where it would pass, the finding is `neutral` with the
/// cause [`BEST_GUESS`]; else it is what it is without a guess.
pub struct Guessing {
    spf: Spf,
    identity: Identity,
    guess: BestGuess,
}

impl BestGuess {
    /// A guess by this record.
    ///
    /// # Errors
    /// What is wrong with the record.
    pub fn parse(record: &str) -> Result<Self, SyntaxError> {
        Record::parse(record.as_bytes())?;
        let outcome = Outcome::of(vec![Txt::from(record)]);
        Ok(Self { answer: Arc::new(Answer::new(outcome, Source::default())) })
    }
}

impl Guessing {
    /// SPF for [`Identity::Helo`] or [`Identity::Mailfrom`].
    pub fn new(identity: Identity, limits: Limits, guess: BestGuess) -> Self {
        Self { spf: Spf::new(identity, limits), identity, guess }
    }
}

impl Evaluate for Guessing {
    fn evaluate(&self, facts: &Facts, evidence: &dyn Evidence) -> Evaluation {
        let mut finding = match self.spf.evaluate(facts, evidence) {
            Evaluation::Done(finding) if is_open(&finding) => finding,
            other => return other,
        };
        let request = Request::new(facts, self.identity);
        let guessed = WithRecord { evidence, name: request.domain(), answer: &self.guess.answer };
        let guess = match self.spf.evaluate(facts, &guessed) {
            Evaluation::Done(guess) => *guess,
            missing => return missing,
        };
        // The domain's own question stands first in both.
        finding.needed.extend(guess.needed.into_iter().skip(1));
        if guess.result == FindingResult::Pass {
            finding.result = FindingResult::Neutral;
            finding.cause = BEST_GUESS.into();
            finding.decided_by = guess.decided_by;
            finding.trace = guess.trace;
        }
        Evaluation::Done(finding)
    }

    fn give_up(&self, facts: &Facts, cause: &'static str) -> Finding {
        self.spf.give_up(facts, cause)
    }
}

/// Whether the domain exists, as far as SPF asked, and publishes nothing.
fn is_open(finding: &Finding) -> bool {
    finding.result == FindingResult::None && finding.cause == "no-record"
}

/// The evidence, as if a domain published a record.
struct WithRecord<'e> {
    evidence: &'e dyn Evidence,
    name: &'e str,
    answer: &'e Answer<Txt>,
}

impl Evidence for WithRecord<'_> {
    fn ipv4(&self, name: &str) -> Option<&Answer<Ipv4Addr>> {
        self.evidence.ipv4(name)
    }

    fn ipv6(&self, name: &str) -> Option<&Answer<Ipv6Addr>> {
        self.evidence.ipv6(name)
    }

    fn mx(&self, name: &str) -> Option<&Answer<Mx>> {
        self.evidence.mx(name)
    }

    fn ptr(&self, name: &str) -> Option<&Answer<DomainName>> {
        self.evidence.ptr(name)
    }

    fn txt(&self, name: &str) -> Option<&Answer<Txt>> {
        if name == self.name { Some(self.answer) } else { self.evidence.txt(name) }
    }

    fn other(&self, name: &str, record_type: u16) -> Option<&Answer<Octets>> {
        self.evidence.other(name, record_type)
    }

    fn stored(&self, question: &StoredQuestion) -> Option<&Answer<Octets>> {
        self.evidence.stored(question)
    }
}

#[cfg(test)]
mod tests {
    use quivive_evidence::{Notebook, what_if};

    use super::*;

    /// What is found about mail of `a@d.example` from this client.
    fn found(client: &str, records: &[&str]) -> Finding {
        let mut facts = Facts::new(client.parse().unwrap());
        facts.reverse_path = "a@d.example".to_owned();
        let mut notebook = Notebook::default();
        for answer in what_if(records, 0).unwrap() {
            answer.note(&mut notebook).unwrap();
        }
        let guess = BestGuess::parse("v=spf1 a/24 mx/24 ptr").unwrap();
        let method = Guessing::new(Identity::Mailfrom, Limits::default(), guess);
        match method.evaluate(&facts, &notebook) {
            Evaluation::Done(finding) => *finding,
            Evaluation::Missing(missing) => panic!("{:?}", missing.questions()),
        }
    }

    #[test]
    fn a_guess_is_labelled_and_never_more_than_neutral() {
        let finding = found("192.0.2.9", &["d.example TXT hello", "d.example A 192.0.2.1"]);
        assert_eq!((finding.result, &*finding.cause), (FindingResult::Neutral, BEST_GUESS));
        assert_eq!(finding.decided_by.as_deref(), Some("a/24"));
        let needed: Vec<_> = finding.needed.iter().map(ToString::to_string).collect();
        assert_eq!(needed, ["d.example TXT", "d.example A"]);
    }

    #[test]
    fn a_guess_that_does_not_match_says_nothing() {
        let records = [
            "d.example TXT hello",
            "d.example A 192.0.2.1",
            "d.example MX",
            "9.113.0.203.in-addr.arpa PTR h.elsewhere.example",
        ];
        let finding = found("203.0.113.9", &records);
        assert_eq!((finding.result, &*finding.cause), (FindingResult::None, "no-record"));
        assert_eq!(finding.needed.len(), 4);
    }

    #[test]
    fn what_is_published_is_no_matter_of_guessing() {
        let finding = found("192.0.2.9", &["d.example TXT v=spf1 -all"]);
        assert_eq!(finding.result, FindingResult::Fail);
    }

    #[test]
    fn a_guess_must_be_a_record() {
        assert!(BestGuess::parse("a/24 mx/24").is_err());
        assert!(BestGuess::parse("v=spf1 a/33").is_err());
    }
}
