use std::sync::Arc;
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use quivive_evidence::{
    DERIVED_OCTETS_MAX, DnsAnswer, Missing, Notebook, Noted, NotedAnswer, Question, Rounds,
};
use thiserror::Error;
use tokio::time::Instant;

use crate::records::weight;
use crate::{Inquest, Resolver};

/// How long all questions of one check may take together: as short as RFC 7208 section 4.6.4 lets
/// it be.
pub const QUESTIONS_TIME_MAX: Duration = Duration::from_secs(20);

/// How many answers a dossier has at most. One that would have more begins anew.
pub const DOSSIER_ANSWERS_MAX: usize = 128;

/// How many octets of memory all dossiers may take, unless asked otherwise: some thousand, all of
/// them as large as they may be.
pub const DOSSIERS_OCTETS_MAX: u64 = 128 << 20;

/// About what an answer takes in a dossier beside itself.
const ENTRY_OCTETS: usize = 256;

/// Evidence that outlives a check: what is known about a domain, for exactly as long as all of it
/// may be kept.
///
/// A check of a domain that was checked before asks nobody, and finds what methods have derived
/// from the answers together (`quivive_evidence::Derived`). Nothing is ever invalidated: a dossier
/// is over with the first of its answers that is. Domains that nobody asks for any more make room
/// for others. A handle: clones share everything.
///
/// ```no_run
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use quivive_evidence::FindingResult;
/// use quivive_resolver::{Dossiers, Resolver, Settings};
/// use quivive_spf::{Limits, Request, check_host};
///
/// let dossiers = Dossiers::new(Resolver::from_system(Settings::default())?);
/// let sender = ("somebody", "example.com");
/// let request = Request::of_sender("192.0.2.1".parse()?, sender, "mail.example.com");
/// let check = |evidence: &_| {
///     check_host(&request, evidence, Limits::default()).map(|outcome| outcome.result)
/// };
/// let result = dossiers.evaluate(request.domain(), check).await?;
/// assert_ne!(result, FindingResult::Permerror);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Dossiers {
    resolver: Resolver,
    // Looking into the resolver's own kind of cache takes longer than most checks.
    kept: Arc<Cache<Arc<str>, Arc<Dossier>, Weight>>,
}

/// What a dossier counts for: the most that it can come to take.
#[derive(Clone)]
struct Weight;

impl Weighter<Arc<str>, Arc<Dossier>> for Weight {
    fn weight(&self, subject: &Arc<str>, dossier: &Arc<Dossier>) -> u64 {
        (subject.len() + dossier.octets_max()) as u64
    }
}

/// The check comes to nothing: more rounds of questions than there may be
/// (`quivive_evidence::ROUNDS_MAX`). A temporary error (cause `round-budget`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it asks on and on")]
pub struct RoundBudget;

struct Dossier {
    evidence: Notebook,
    good_until: Instant,
}

impl Dossiers {
    /// Those of what `resolver` answers, within [`DOSSIERS_OCTETS_MAX`].
    pub fn new(resolver: Resolver) -> Self {
        Self::within(resolver, DOSSIERS_OCTETS_MAX)
    }

    /// Those of what `resolver` answers, with about so many octets of memory.
    pub fn within(resolver: Resolver, octets_max: u64) -> Self {
        let dossiers = usize::try_from(octets_max).unwrap_or(usize::MAX) / DERIVED_OCTETS_MAX;
        let kept = Arc::new(Cache::with_weighter(dossiers.max(1), octets_max, Weight));
        Self { resolver, kept }
    }

    /// What `evaluate` comes to, once it misses nothing. `subject` is the domain that it is about,
    /// in lower case; `evaluate` must depend on nothing but the evidence.
    ///
    /// All questions together take no longer than [`QUESTIONS_TIME_MAX`]: what has no answer by
    /// then has failed.
    ///
    /// # Errors
    /// It asks on and on.
    pub async fn evaluate<T>(
        &self,
        subject: &str,
        evaluate: impl Fn(&Notebook) -> Result<T, Missing>,
    ) -> Result<T, RoundBudget> {
        let kept = self.kept.get(subject).filter(|kept| Instant::now() < kept.good_until);
        let known = match &kept {
            None => Notebook::default(),
            Some(kept) => match evaluate(&kept.evidence) {
                Ok(end) => return Ok(end),
                Err(_) => kept.evidence.clone(),
            },
        };
        let mut rounds = Rounds::default();
        let mut inquest = Inquest::new(self.resolver.clone(), known, QUESTIONS_TIME_MAX);
        loop {
            match evaluate(inquest.notebook()) {
                Ok(end) => {
                    self.keep(subject, inquest.into_notebook());
                    return Ok(end);
                }
                Err(missing) => {
                    inquest.answer(&rounds.next(missing).ok_or(RoundBudget)?).await;
                }
            }
        }
    }

    /// Keeps evidence until its first answer is over; not at all where one is already, or was
    /// never to be kept.
    fn keep(&self, subject: &str, evidence: Notebook) {
        let good_until = evidence.noted().map(|noted| self.good_until(&noted)).min().flatten();
        match good_until {
            Some(good_until) if evidence.len() <= DOSSIER_ANSWERS_MAX => {
                self.kept.insert(subject.into(), Arc::new(Dossier { evidence, good_until }));
            }
            _ => {
                self.kept.remove(subject);
            }
        }
    }

    fn good_until(&self, noted: &Noted) -> Option<Instant> {
        match (&noted.question, &noted.answer) {
            (Question::Dns(question), NotedAnswer::Dns(answer)) => {
                self.resolver.good_until(question, answer)
            }
            _ => None,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Dossier {
    /// The most that it can come to take, with all that may yet be derived from it.
    fn octets_max(&self) -> usize {
        let octets = |noted: Noted| match noted.answer {
            NotedAnswer::Dns(answer) => {
                let derives = matches!(answer, DnsAnswer::Txt(_));
                ENTRY_OCTETS + weight(&answer) + if derives { DERIVED_OCTETS_MAX } else { 0 }
            }
            NotedAnswer::Stored(_) => ENTRY_OCTETS,
        };
        self.evidence.noted().map(octets).sum()
    }
}
