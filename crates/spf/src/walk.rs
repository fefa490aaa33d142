use std::borrow::Cow;

use quivive_evidence::{
    Ahead, Answer, Evidence, FindingResult, Missing, Outcome, Question, RecordType, Stop,
    TermResult, Txt,
};

use crate::domain_spec::{DomainSpec, target_name};
use crate::macro_string::{Letter, MacroString};
use crate::record::{Directive, Modifier, Qualifier, Record};
use crate::trace::Watch;
use crate::{Limits, Published, Request, Scope, expand};

/// How many terms that ask DNS a check may evaluate, over all its records (RFC 7208 section 4.6.4).
pub const TERMS_MAX: usize = 10;

/// How many look-ups a check may use: the first record, and for each of ten `mx` its hosts and the
/// addresses of ten of them.
pub const QUESTIONS_MAX: usize = 1 + TERMS_MAX * 11;

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
    pub(crate) limits: Limits,
    pub(crate) watch: W,
    pub(crate) missing: Missing,
    terms: usize,
    void_lookups: usize,
    questions: usize,
    questions_max: usize,
    include_depth: usize,
}

/// What check_host() concludes for a domain.
#[derive(Debug)]
pub(crate) struct Conclusion<'a> {
    pub(crate) result: FindingResult,
    pub(crate) cause: &'static str,
    pub(crate) decided_by: Option<(&'a Record, &'a Directive)>,
    pub(crate) explanation: Option<String>,
}

/// The domain a term is about.
pub(crate) enum Target<'t> {
    Name(Cow<'t, str>),
    /// No name that can be asked.
    Unusable,
    /// Not known yet.
    Unknown,
}

impl<'a, E: Evidence + ?Sized, W: Watch> Walk<'a, E, W> {
    pub(crate) fn new(request: &'a Request<'a>, evidence: &'a E, limits: Limits, watch: W) -> Self {
        Self {
            request,
            evidence,
            limits,
            watch,
            missing: Missing::default(),
            terms: 0,
            void_lookups: 0,
            questions: 0,
            questions_max: QUESTIONS_MAX,
            include_depth: 0,
        }
    }

    /// check_host() for the request's own domain (RFC 7208 section 4).
    pub(crate) fn run(&mut self) -> Conclusion<'a> {
        if !self.request.domain_is_well_formed() {
            return Conclusion::of(FindingResult::None, "malformed-domain");
        }
        let request = self.request;
        match self.check_host(&request.domain, Ahead::Allowed) {
            // RFC 4406 section 4.3: a responsible address at a domain that does not exist is false.
            Ok(Conclusion { cause: "no-record", .. })
                if request.scope == Scope::Pra && self.does_not_exist(&request.domain) =>
            {
                Conclusion::of(FindingResult::Fail, "no-such-domain")
            }
            Ok(conclusion) => conclusion,
            Err(stop) => Conclusion::of(stop.result, stop.cause),
        }
    }

    fn does_not_exist(&self, domain: &str) -> bool {
        let answer = self.evidence.txt(domain);
        answer.is_some_and(|answer| matches!(answer.outcome, Outcome::NoName))
    }

    /// check_host() for one domain: its record, found and evaluated.
    pub(crate) fn check_host(
        &mut self,
        domain: &str,
        ahead: Ahead,
    ) -> Result<Conclusion<'a>, Stop> {
        let Some(answer) = self.known(domain, RecordType::Txt, ahead, self.evidence.txt(domain))?
        else {
            return Ok(Conclusion::of(FindingResult::None, "unknown"));
        };
        let published = Published::in_scope(answer, self.request.scope);
        let (text, span) = match published {
            Published::One(record) => (record.text(), whole(record.text())),
            Published::Broken(text, _) => (&**text, whole(text)),
            Published::Nothing | Published::Several => ("", (0, 0)),
        };
        self.watch.begin(text, span);
        self.watch.asked(domain, RecordType::Txt);
        let conclusion = self.evaluate_answer(answer, published, domain);
        self.watch.end(TermResult::Result(match &conclusion {
            Ok(conclusion) => conclusion.result,
            Err(stop) => stop.result,
        }));
        conclusion
    }

    fn evaluate_answer(
        &mut self,
        answer: &'a Answer<Txt>,
        published: &'a Published,
        domain: &str,
    ) -> Result<Conclusion<'a>, Stop> {
        answer.records().map_err(Stop::from)?;
        match published {
            Published::Nothing => Ok(Conclusion::of(FindingResult::None, "no-record")),
            Published::Several => Err(Stop::permanent("multiple-records")),
            Published::Broken(..) => Err(Stop::permanent("syntax-error")),
            Published::One(record) => self.evaluate_record(record, domain),
        }
    }

    /// Walks the directives from left to right; the first match decides (RFC 7208 section 4.6.2).
    fn evaluate_record(
        &mut self,
        record: &'a Record,
        domain: &str,
    ) -> Result<Conclusion<'a>, Stop> {
        for directive in &record.directives {
            self.watch.begin(record.text(), directive.span());
            let matched = self.matches(&directive.mechanism, domain);
            self.watch.end(match matched {
                Ok(true) => TermResult::Match,
                Ok(false) => TermResult::NoMatch,
                Err(stop) => TermResult::Result(stop.result),
            });
            if matched? {
                return Ok(self.matched(record, directive, domain));
            }
        }
        match &record.redirect {
            Some(redirect) => {
                self.watch.begin(record.text(), redirect.span());
                let conclusion = self.redirected(redirect, domain);
                self.watch.end(TermResult::Result(match &conclusion {
                    Ok(conclusion) => conclusion.result,
                    Err(stop) => stop.result,
                }));
                conclusion
            }
            // RFC 7208 section 4.7.
            None => Ok(Conclusion::of(FindingResult::Neutral, "no-match")),
        }
    }

    fn matched(
        &mut self,
        record: &'a Record,
        directive: &'a Directive,
        domain: &str,
    ) -> Conclusion<'a> {
        let result = directive.qualifier.result();
        // RFC 7208 section 6.2: only a fail is explained, and never by an included record.
        let explains = result == FindingResult::Fail && self.include_depth == 0;
        let modifier = record.explanation.as_ref().filter(|_| explains);
        let explanation = modifier.and_then(|modifier| {
            self.watch.begin(record.text(), modifier.span());
            let explanation = self.explain(modifier, domain);
            self.watch.end(match explanation {
                Some(_) => TermResult::Explains,
                None => TermResult::NoMatch,
            });
            explanation
        });
        Conclusion { result, cause: "match", decided_by: Some((record, directive)), explanation }
    }

    /// `redirect=` (RFC 7208 section 6.1).
    fn redirected(&mut self, redirect: &'a Modifier, domain: &str) -> Result<Conclusion<'a>, Stop> {
        self.count_term()?;
        let conclusion = match self.target(&redirect.target, domain)? {
            Target::Unknown => return Ok(Conclusion::of(FindingResult::None, "unknown")),
            Target::Unusable => Conclusion::of(FindingResult::None, "no-record"),
            Target::Name(name) => self.check_host(&name, ahead(&redirect.target))?,
        };
        if conclusion.result == FindingResult::None && self.missing.is_empty() {
            return Err(Stop::permanent("redirect-no-record"));
        }
        Ok(conclusion)
    }

    /// `include` (RFC 7208 section 5.2).
    pub(crate) fn included(&mut self, target: &'a DomainSpec, domain: &str) -> Result<bool, Stop> {
        let name = match self.target(target, domain)? {
            Target::Unknown => return Ok(false),
            Target::Unusable => return Err(Stop::permanent("include-no-record")),
            Target::Name(name) => name,
        };
        self.include_depth += 1;
        let conclusion = self.check_host(&name, ahead(target));
        self.include_depth -= 1;
        match conclusion?.result {
            FindingResult::Pass => Ok(true),
            FindingResult::None if self.missing.is_empty() => {
                Err(Stop::permanent("include-no-record"))
            }
            _ => Ok(false),
        }
    }

    /// The text at `exp=`, expanded (RFC 7208 section 6.2). Whatever is wrong with it, there is
    /// none: it never changes a result.
    fn explain(&mut self, modifier: &'a Modifier, domain: &str) -> Option<String> {
        // With anything missing the fail itself is not certain: nothing is asked for its text.
        if !self.missing.is_empty() {
            return None;
        }
        self.questions_max = self.questions + EXPLANATION_QUESTIONS_MAX;
        let Ok(Target::Name(name)) = self.target(&modifier.target, domain) else { return None };
        let answer = self.evidence.txt(&name);
        let answer = self.look_up(&name, RecordType::Txt, Ahead::Forbidden, answer).ok()??;
        let [text] = answer.records().ok()? else { return None };
        let text = str::from_utf8(&text.0).ok()?;
        let macros = MacroString::parse_explanation(text).ok()?;
        self.expand(&macros, domain).ok()?.filter(|text| text.is_ascii())
    }

    /// The domain that a term is about.
    pub(crate) fn target(
        &mut self,
        spec: &'a DomainSpec,
        domain: &str,
    ) -> Result<Target<'a>, Stop> {
        let macros = match spec {
            DomainSpec::Literal(Some(name)) => return Ok(Target::Name((&**name).into())),
            DomainSpec::Literal(None) => return Ok(Target::Unusable),
            DomainSpec::Macros(macros) => macros,
        };
        // RFC 8616 section 4: a local part that is not ASCII can match nothing.
        let of_local_part = macros.uses(&[Letter::Sender, Letter::LocalPart]);
        if of_local_part && !self.request.local_part.is_ascii() {
            return Ok(Target::Unusable);
        }
        Ok(match self.expand(macros, domain)? {
            None => Target::Unknown,
            Some(name) if !name.is_ascii() => Target::Unusable,
            Some(name) => match target_name(name) {
                Some(name) => Target::Name(name.into()),
                None => Target::Unusable,
            },
        })
    }

    /// Expands macros; none while the name for `%{p}` is not known.
    fn expand(&mut self, macros: &MacroString, domain: &str) -> Result<Option<String>, Stop> {
        let validated_name = if macros.uses(&[Letter::ValidatedName]) {
            match self.validated_name(domain)? {
                Some(name) => name,
                None => return Ok(None),
            }
        } else {
            ""
        };
        Ok(Some(expand::expand(macros, self.request, domain, validated_name)))
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
            return Err(Stop::temporary("question-budget"));
        }
        if answer.is_none() {
            self.missing.note(Question::dns(name, record_type), ahead);
        }
        Ok(answer)
    }

    /// Counts a term that asks DNS (RFC 7208 section 4.6.4).
    pub(crate) fn count_term(&mut self) -> Result<(), Stop> {
        self.terms += 1;
        if self.terms > TERMS_MAX { Err(Stop::permanent("term-limit")) } else { Ok(()) }
    }

    /// Counts a look-up that found nothing (RFC 7208 section 4.6.4).
    pub(crate) fn count_void_lookup(&mut self) -> Result<(), Stop> {
        self.void_lookups += 1;
        if self.void_lookups > self.limits.void_lookups_max {
            return Err(Stop::permanent("void-lookup-limit"));
        }
        Ok(())
    }
}

/// Whether the question for a term's target may be asked ahead of need.
pub(crate) fn ahead(target: &DomainSpec) -> Ahead {
    if target.may_go_ahead() { Ahead::Allowed } else { Ahead::Forbidden }
}

fn whole(text: &str) -> (u32, u32) {
    (0, u32::try_from(text.len()).unwrap_or(u32::MAX))
}

impl Conclusion<'_> {
    fn of(result: FindingResult, cause: &'static str) -> Self {
        Self { result, cause, decided_by: None, explanation: None }
    }
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
