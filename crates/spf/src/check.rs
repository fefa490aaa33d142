use quivive_evidence::{
    Evaluate, Evaluation, Evidence, Facts, Finding, FindingResult, Identity, Judged, Method, Stop,
    Tracer,
};

use crate::Request;
use crate::conclusion::{Conclusion, Decider};
use crate::walk::{TERMS_MAX, Walk};

/// The limits that RFC 7208 section 4.6.4 leaves to the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many look-ups may find nothing; one more is a permerror.
    pub void_lookups_max: usize,
    /// How many terms may ask DNS, over all records of a check; one more is a permerror.
    pub terms_max: usize,
}

impl Default for Limits {
    /// Two, as RFC 7208 section 4.6.4 recommends, and ten, as it says.
    fn default() -> Self {
        Self { void_lookups_max: 2, terms_max: TERMS_MAX }
    }
}

/// SPF for one identity.
///
/// ```
/// use quivive_evidence::{Evaluate, Evaluation, Facts, Identity, Notebook};
/// use quivive_spf::{Limits, Spf};
///
/// let mut facts = Facts::new("192.0.2.1".parse().unwrap());
/// facts.reverse_path = "somebody@example.com".to_owned();
/// let spf = Spf::new(Identity::Mailfrom, Limits::default());
///
/// // Nothing is known yet, so that it asks for the domain's policy.
/// let Evaluation::Missing(missing) = spf.evaluate(&facts, &Notebook::default()) else { panic!() };
/// assert_eq!(missing.questions()[0].to_string(), "example.com TXT");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Spf {
    identity: Identity,
    limits: Limits,
}

impl Spf {
    /// SPF for [`Identity::Helo`] or [`Identity::Mailfrom`].
    pub fn new(identity: Identity, limits: Limits) -> Self {
        Self { identity, limits }
    }
}

impl Evaluate for Spf {
    fn evaluate(&self, facts: &Facts, evidence: &dyn Evidence) -> Evaluation {
        let request = Request::new(facts, self.identity);
        evaluate(&request, evidence, self.limits, self.judged(&request))
    }

    fn give_up(&self, facts: &Facts, cause: &'static str) -> Finding {
        self.judged(&Request::new(facts, self.identity)).finding(Stop::temporary(cause))
    }
}

impl Spf {
    fn judged(&self, request: &Request<'_>) -> Judged {
        Judged { method: Method::Spf, identity: self.identity, domain: request.domain().to_owned() }
    }
}

/// check_host() (RFC 7208 section 4) with its trace, as a finding about `judged`.
pub fn evaluate(
    request: &Request<'_>,
    evidence: &dyn Evidence,
    limits: Limits,
    judged: Judged,
) -> Evaluation {
    // The trace is written only once it can be had: unwatched rounds cost no allocation.
    let mut walk = Walk::new(request, evidence, limits, ());
    walk.run();
    if !walk.missing.is_empty() {
        return Evaluation::Missing(walk.missing);
    }
    let mut walk = Walk::new(request, evidence, limits, Tracer::default());
    let conclusion = walk.run();
    let mut finding = judged.finding(conclusion);
    finding.explanation = walk.explanation;
    finding.trace = walk.watch.roots;
    finding.needed = walk.watch.needed;
    Evaluation::Done(Box::new(finding))
}

/// As a finding has it.
impl From<Conclusion<'_>> for quivive_evidence::Conclusion {
    fn from(conclusion: Conclusion<'_>) -> Self {
        Self {
            decided_by: conclusion.decided_by.map(|directive| directive.text().to_owned()),
            ..Self::new(conclusion.result, conclusion.cause.token())
        }
    }
}

/// The result of check_host() alone, without a trace: what a caller in a hurry needs.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<'e> {
    /// The result.
    pub result: FindingResult,
    /// Why, as [`Finding::cause`].
    pub cause: &'static str,
    /// How many terms that ask DNS were evaluated (RFC 7208 section 4.6.4).
    pub terms: usize,
    /// How many look-ups found nothing.
    pub void_lookups: usize,
    pub(crate) decided_by: Option<Decider<'e>>,
}

impl<'e> Outcome<'e> {
    /// The directive that decided, if one did.
    pub fn decided_by(&self) -> Option<&'e str> {
        self.decided_by.map(Decider::text)
    }
}

impl PartialEq for Outcome<'_> {
    fn eq(&self, other: &Self) -> bool {
        let parts =
            |outcome: &Self| (outcome.result, outcome.cause, outcome.terms, outcome.void_lookups);
        parts(self) == parts(other) && self.decided_by() == other.decided_by()
    }
}

impl Eq for Outcome<'_> {}

/// check_host() (RFC 7208 section 4) with what is known.
///
/// # Errors
/// The questions that need answers first.
pub fn check_host<'e, E: Evidence + ?Sized>(
    request: &'e Request<'_>,
    evidence: &'e E,
    limits: Limits,
) -> Result<Outcome<'e>, quivive_evidence::Missing> {
    let mut walk = Walk::new(request, evidence, limits, ());
    let conclusion = walk.run();
    if walk.missing.is_empty() { Ok(walk.outcome(conclusion)) } else { Err(walk.missing) }
}
