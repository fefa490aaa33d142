use std::net::IpAddr;

use quivive_evidence::{
    Ahead, Answer, Derived, Evidence, FindingResult, Missing, Outcome as Found, Question,
    RecordType, TermResult, Txt,
};

use crate::cause::Cause;
use crate::compiled::Candidates;
use crate::conclusion::{Conclusion, Decider, Stop};
use crate::domain_spec::DomainSpec;
use crate::published::Policy;
use crate::record::{Modifier, Qualifier, Record};
use crate::settled::{self, Role, Settled};
use crate::step::Place;
use crate::target::{NameBuffer, Target};
use crate::trace::Watch;
use crate::{Limits, Outcome, Published, Request, Scope};

/// How many terms that ask DNS a check may evaluate, over all its records (RFC 7208 section 4.6.4).
pub const TERMS_MAX: usize = 10;

/// How many look-ups a term may use: an `mx` its hosts, and the addresses of ten of them.
const TERM_QUESTIONS_MAX: usize = 11;

/// How many look-ups a check may use, the first record among them, unless [`Limits`] say otherwise.
pub const QUESTIONS_MAX: usize = 1 + TERMS_MAX * TERM_QUESTIONS_MAX;

/// How many more an explanation may use: its text, and for `%{p}` a reverse name with ten
/// addresses.
pub const EXPLANATION_QUESTIONS_MAX: usize = 12;

/// check_host() in progress: one walk over the records, from the start, with what is known.
///
/// Where an answer is missing, it is noted and the term is taken as no match, so that the walk
/// comes to what else it could ask. If anything was noted, what the walk concludes means nothing.
pub(crate) struct Walk<'a, E: ?Sized, W> {
    pub(crate) request: &'a Request<'a>,
    pub(crate) evidence: &'a E,
    pub(crate) watch: W,
    pub(crate) missing: Missing,
    /// The domain's own words about a fail.
    pub(crate) explanation: Option<String>,
    limits: Limits,
    terms: usize,
    void_lookups: usize,
    questions: usize,
    questions_max: usize,
    include_depth: usize,
}

impl<'a, E: Evidence + ?Sized, W: Watch> Walk<'a, E, W> {
    pub(crate) fn new(request: &'a Request<'a>, evidence: &'a E, limits: Limits, watch: W) -> Self {
        Self {
            request,
            evidence,
            watch,
            missing: Missing::default(),
            explanation: None,
            limits,
            terms: 0,
            void_lookups: 0,
            questions: 0,
            questions_max: 1 + limits.terms_max * TERM_QUESTIONS_MAX,
            include_depth: 0,
        }
    }

    /// check_host() for the request's own domain (RFC 7208 section 4).
    pub(crate) fn run(&mut self) -> Conclusion<'a> {
        if !self.request.domain_is_well_formed() {
            return Conclusion::of(FindingResult::None, Cause::MalformedDomain);
        }
        match self.check_host(self.request.domain(), Ahead::Allowed) {
            // RFC 4406 section 4.3: a responsible address at a domain that does not exist is false.
            Ok(Conclusion { cause: Cause::NoRecord, .. })
                if self.request.scope == Scope::Pra && self.does_not_exist() =>
            {
                Conclusion::of(FindingResult::Fail, Cause::NoSuchDomain)
            }
            Ok(conclusion) => conclusion,
            Err(stop) => Conclusion::of(stop.result, stop.cause),
        }
    }

    /// What was concluded, and what it took.
    pub(crate) fn outcome(&self, conclusion: Conclusion<'a>) -> Outcome<'a> {
        Outcome {
            result: conclusion.result,
            cause: conclusion.cause.token(),
            decided_by: conclusion.decided_by,
            terms: self.terms,
            void_lookups: self.void_lookups,
        }
    }

    fn does_not_exist(&self) -> bool {
        let answer = self.evidence.txt(self.request.domain());
        answer.is_some_and(|answer| matches!(answer.outcome, Found::NoName))
    }

    /// check_host() for one domain: its record, found and evaluated.
    pub(crate) fn check_host(
        &mut self,
        domain: &str,
        ahead: Ahead,
    ) -> Result<Conclusion<'a>, Stop> {
        let found = self.evidence.txt_with_derived(domain);
        if !W::LOOKS_AT_ALL
            && let Some((_, Some(derived))) = found
            && let Some(conclusion) = self.settled(derived, domain)
        {
            return conclusion;
        }
        let answer = found.map(|(answer, _)| answer);
        let Some(answer) = self.known(domain, RecordType::Txt, ahead, answer)? else {
            return Ok(Conclusion::of(FindingResult::None, Cause::Missing));
        };
        let policy = Policy::of(answer, self.request.scope);
        self.watch.begin(|| whole(policy.published.text()));
        self.watch.asked(domain, RecordType::Txt);
        let conclusion = self.evaluate_answer(answer, policy, domain);
        self.watch.end(TermResult::Result(match &conclusion {
            Ok(conclusion) => conclusion.result,
            Err(stop) => stop.result,
        }));
        conclusion
    }

    /// What a domain's policy comes to, where that is settled, with all that it counts.
    #[inline]
    fn settled(
        &mut self,
        derived: &'a Derived,
        domain: &str,
    ) -> Option<Result<Conclusion<'a>, Stop>> {
        // Other scopes have other records. Where an answer is missing, the walk is to come to
        // everything else that is.
        if self.request.scope != Scope::Spf || !self.missing.is_empty() {
            return None;
        }
        let role = if self.include_depth == 0 { Role::Own } else { Role::Included };
        let place = (self.evidence, derived);
        match self.request.address {
            IpAddr::V4(client) => {
                let (policy, settled) = settled::look_up(place, domain, role, client.to_bits())?;
                self.count(settled).then(|| policy.conclude(settled))
            }
            IpAddr::V6(client) => {
                let (policy, settled) = settled::look_up(place, domain, role, client.to_bits())?;
                self.count(settled).then(|| policy.conclude(settled))
            }
        }
    }

    /// Counts what is settled, unless a limit is met on the way: only the walk knows where.
    #[inline]
    fn count(&mut self, settled: Settled) -> bool {
        let terms = self.terms + usize::from(settled.terms);
        let void_lookups = self.void_lookups + usize::from(settled.void_lookups);
        let questions = self.questions + usize::from(settled.questions);
        let fits = terms <= self.limits.terms_max
            && void_lookups <= self.limits.void_lookups_max
            && questions <= self.questions_max;
        if fits {
            (self.terms, self.void_lookups, self.questions) = (terms, void_lookups, questions);
        }
        fits
    }

    /// What the limits are about: terms that ask DNS, look-ups that found nothing, all look-ups.
    pub(crate) fn counted(&self) -> [usize; 3] {
        [self.terms, self.void_lookups, self.questions]
    }

    fn evaluate_answer(
        &mut self,
        answer: &'a Answer<Txt>,
        policy: &'a Policy,
        domain: &str,
    ) -> Result<Conclusion<'a>, Stop> {
        match &policy.published {
            Published::One(record) => self.evaluate_record(record, policy, domain),
            Published::Several => Err(Stop::permanent(Cause::MultipleRecords)),
            Published::Broken(..) => Err(Stop::permanent(Cause::SyntaxError)),
            Published::Nothing => {
                answer.records().map_err(Stop::dns)?;
                Ok(Conclusion::of(FindingResult::None, Cause::NoRecord))
            }
        }
    }

    /// Where nobody looks on, directives that are known not to match are left out.
    fn evaluate_record(
        &mut self,
        record: &'a Record,
        policy: &'a Policy,
        domain: &str,
    ) -> Result<Conclusion<'a>, Stop> {
        let candidates = match W::LOOKS_AT_ALL {
            true => policy.compiled.all(),
            false => policy.compiled.candidates(record, self.request.address),
        };
        let matched = match candidates {
            Candidates::Unread => self.first_match(record.places(), domain),
            Candidates::All(steps) => {
                self.first_match(steps.iter().map(|step| step.within(record)), domain)
            }
            Candidates::Some(steps, places, rest) => {
                let some = places.iter().map(|place| &steps[usize::from(*place)]);
                self.first_match(some.chain(rest).map(|step| step.within(record)), domain)
            }
        };
        if let Some(directive) = matched? {
            return Ok(self.matched(record, directive, domain));
        }
        match record.redirect() {
            Some(redirect) => {
                self.watch.begin(|| (record.slice(redirect.span()), redirect.span()));
                let conclusion = self.redirected(&redirect, domain);
                self.watch.end(TermResult::Result(match &conclusion {
                    Ok(conclusion) => conclusion.result,
                    Err(stop) => stop.result,
                }));
                conclusion
            }
            // RFC 7208 section 4.7.
            None => Ok(Conclusion::of(FindingResult::Neutral, Cause::NoMatch)),
        }
    }

    /// Walks directives from left to right; the first match decides (RFC 7208 section 4.6.2).
    fn first_match(
        &mut self,
        directives: impl Iterator<Item = Place<'a>>,
        domain: &str,
    ) -> Result<Option<Place<'a>>, Stop> {
        for directive in directives {
            self.watch.begin(|| (directive.text(), directive.span()));
            let matched = self.matches(directive, domain);
            self.watch.end(match matched {
                Ok(true) => TermResult::Match,
                Ok(false) => TermResult::NoMatch,
                Err(stop) => TermResult::Result(stop.result),
            });
            if matched? {
                return Ok(Some(directive));
            }
        }
        Ok(None)
    }

    fn matched(
        &mut self,
        record: &'a Record,
        directive: Place<'a>,
        domain: &str,
    ) -> Conclusion<'a> {
        let result = directive.qualifier().result();
        // RFC 7208 section 6.2: only a fail is explained, and never by an included record.
        let explains = result == FindingResult::Fail && self.include_depth == 0;
        if explains && let Some(modifier) = record.explanation() {
            self.watch.depends_on_message();
            self.watch.begin(|| (record.slice(modifier.span()), modifier.span()));
            self.explanation = self.explain(&modifier, domain);
            self.watch.end(match self.explanation {
                Some(_) => TermResult::Explains,
                None => TermResult::NoMatch,
            });
        }
        let decided_by = Some(Decider::Directive(directive));
        Conclusion { result, cause: Cause::Match, decided_by }
    }

    /// `redirect=` (RFC 7208 section 6.1).
    fn redirected(
        &mut self,
        redirect: &Modifier<'a>,
        domain: &str,
    ) -> Result<Conclusion<'a>, Stop> {
        self.count_term()?;
        let mut buffer = NameBuffer::new();
        let conclusion = match self.target(redirect.target, domain, &mut buffer)? {
            Target::Unknown => return Ok(Conclusion::of(FindingResult::None, Cause::Missing)),
            Target::Unusable => Conclusion::of(FindingResult::None, Cause::NoRecord),
            Target::Name(name) => self.check_host(name, ahead(redirect.target))?,
        };
        if conclusion.result == FindingResult::None && self.missing.is_empty() {
            return Err(Stop::permanent(Cause::RedirectNoRecord));
        }
        Ok(conclusion)
    }

    /// `include` (RFC 7208 section 5.2).
    pub(crate) fn included(
        &mut self,
        target: Option<DomainSpec<'a>>,
        domain: &str,
    ) -> Result<bool, Stop> {
        let target = target.unwrap_or(DomainSpec::Literal(None));
        let mut buffer = NameBuffer::new();
        let name = match self.target(target, domain, &mut buffer)? {
            Target::Unknown => return Ok(false),
            Target::Unusable => return Err(Stop::permanent(Cause::IncludeNoRecord)),
            Target::Name(name) => name,
        };
        self.include_depth += 1;
        let conclusion = self.check_host(name, ahead(target));
        self.include_depth -= 1;
        match conclusion?.result {
            FindingResult::Pass => Ok(true),
            FindingResult::None if self.missing.is_empty() => {
                Err(Stop::permanent(Cause::IncludeNoRecord))
            }
            _ => Ok(false),
        }
    }

    /// From here on there may be so many look-ups more.
    pub(crate) fn allow_more(&mut self, questions: usize) {
        self.questions_max = self.questions + questions;
    }

    /// An answer for the term that began last; none, and noted, where it is missing.
    pub(crate) fn look_up<T>(
        &mut self,
        name: &str,
        record_type: RecordType,
        ahead: Ahead,
        answer: Option<&'a Answer<T>>,
    ) -> Result<Option<&'a Answer<T>>, Stop> {
        self.watch.asked(name, record_type);
        self.known(name, record_type, ahead, answer)
    }

    fn known<T>(
        &mut self,
        name: &str,
        record_type: RecordType,
        ahead: Ahead,
        answer: Option<&'a Answer<T>>,
    ) -> Result<Option<&'a Answer<T>>, Stop> {
        self.questions += 1;
        if self.questions > self.questions_max {
            let cause = Cause::QuestionBudget;
            return Err(Stop { result: FindingResult::Temperror, cause });
        }
        if answer.is_none() {
            self.missing.note(Question::dns(name, record_type), ahead);
        }
        Ok(answer)
    }

    /// Counts a term that asks DNS (RFC 7208 section 4.6.4).
    pub(crate) fn count_term(&mut self) -> Result<(), Stop> {
        self.terms += 1;
        if self.terms > self.limits.terms_max {
            Err(Stop::permanent(Cause::TermLimit))
        } else {
            Ok(())
        }
    }

    /// Counts a look-up that found nothing (RFC 7208 section 4.6.4).
    pub(crate) fn count_void_lookup(&mut self) -> Result<(), Stop> {
        self.void_lookups += 1;
        if self.void_lookups > self.limits.void_lookups_max {
            return Err(Stop::permanent(Cause::VoidLookupLimit));
        }
        Ok(())
    }
}

/// Whether the question for a term's target may be asked ahead of need.
pub(crate) fn ahead(target: DomainSpec<'_>) -> Ahead {
    if target.may_go_ahead() { Ahead::Allowed } else { Ahead::Forbidden }
}

fn whole(text: &str) -> (&str, (u32, u32)) {
    (text, (0, u32::try_from(text.len()).unwrap_or(u32::MAX)))
}

impl Qualifier {
    /// What a match means.
    pub fn result(self) -> FindingResult {
        match self {
            Self::Pass => FindingResult::Pass,
            Self::Fail => FindingResult::Fail,
            Self::Softfail => FindingResult::Softfail,
            Self::Neutral => FindingResult::Neutral,
        }
    }
}
