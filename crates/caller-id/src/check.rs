use quivive_evidence::{
    Conclusion, Evaluate, Evaluation, Evidence, Facts, Finding, FindingResult, Identity, Judged,
    Method, Property, Stop, TermResult, Walk,
};
use quivive_mail::Mailbox;
use quivive_mail::domain::{is_askable, is_fully_qualified};

use crate::outgoing::{Membership, Search};
use crate::prd::{self, Responsible, responsible};
use crate::published::{Published, owner_name};
use crate::{Document, QUESTIONS_MAX};

/// Caller ID for the purported responsible domain.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallerId;

/// Who is to be judged.
enum Subject {
    Responsible(Responsible, String),
    /// Nobody: the result, and why.
    Nobody(FindingResult, &'static str),
}

impl Evaluate for CallerId {
    fn evaluate(&self, facts: &Facts, evidence: &dyn Evidence) -> Evaluation {
        let mut walk = Walk::new(evidence, QUESTIONS_MAX);
        let subject = Subject::of(facts);
        let concluded = match &subject {
            Subject::Nobody(result, cause) => Ok(Conclusion::new(*result, cause)),
            Subject::Responsible(_, domain) => check(&mut walk, facts, domain),
        };
        let properties = subject.properties();
        let concluded = Conclusion { properties, ..Conclusion::from(concluded) };
        walk.conclude(subject.judged(), concluded)
    }

    fn give_up(&self, facts: &Facts, cause: &'static str) -> Finding {
        Subject::of(facts).judged().finding(Stop::temporary(cause))
    }
}

impl Subject {
    fn of(facts: &Facts) -> Self {
        let Some(header) = &facts.header else {
            return Self::Nobody(FindingResult::None, "no-header");
        };
        if header.cut {
            return Self::Nobody(FindingResult::Permerror, "header-too-large");
        }
        match responsible(header) {
            Some(responsible) => {
                let domain = responsible.mailbox.domain().to_ascii().unwrap_or_default();
                Self::Responsible(responsible, domain)
            }
            None => Self::Nobody(FindingResult::Permerror, "no-pra"),
        }
    }

    fn judged(self) -> Judged {
        let domain = match self {
            Self::Responsible(_, domain) => domain,
            Self::Nobody(..) => String::new(),
        };
        Judged { method: Method::CallerId, identity: Identity::Pra, domain }
    }

    fn properties(&self) -> Vec<Property> {
        match self {
            Self::Responsible(responsible, domain) => vec![
                Property::new(responsible.property, responsible.mailbox.to_string()),
                Property::new("policy.prd", domain),
            ],
            Self::Nobody(..) => Vec::new(),
        }
    }
}

/// The check (draft-atkinson-callerid-00 section 5).
fn check(walk: &mut Walk<'_>, facts: &Facts, domain: &str) -> Result<Conclusion, Stop> {
    if !is_fully_qualified(domain) || !is_askable(&owner_name(domain)) {
        return Ok(Conclusion::new(FindingResult::None, "malformed-domain"));
    }
    let mut search = Search::new(walk, facts.client_address);
    let (membership, part) = search.outgoing(domain)?;
    let cause = match membership {
        Membership::Member => "listed",
        Membership::Stranger => "not-listed",
        Membership::Failed(cause) | Membership::Broken(cause) | Membership::Undefined(cause) => {
            cause
        }
    };
    let conclusion = Conclusion::new(membership.result(), cause);
    if membership != Membership::Member {
        return Ok(conclusion);
    }
    let author = facts.header.as_ref().and_then(prd::author);
    if let Some(author) = author.as_ref().and_then(other_domain(domain))
        && sends_directly_only(&mut search, &author)?
    {
        let fail = Conclusion::new(FindingResult::Fail, "directonly");
        return Ok(fail.decided_by(author));
    }
    Ok(match part {
        Some(part) => conclusion.decided_by(part),
        None => conclusion,
    })
}

/// The author's domain, if it is another and can have a document.
fn other_domain(domain: &str) -> impl Fn(&Mailbox) -> Option<String> + '_ {
    move |author| {
        let author = author.domain().to_ascii()?;
        let can_have = is_fully_qualified(&author) && is_askable(&owner_name(&author));
        (author != domain && can_have).then_some(author)
    }
}

/// Whether a domain says that its mail comes from no servers but its own. A document that cannot be
/// used says nothing.
fn sends_directly_only(search: &mut Search<'_, '_>, domain: &str) -> Result<bool, Stop> {
    search.walk.trace.begin(domain, (0, 0));
    let direct_only = match search.published(domain)? {
        Some(Published::One(document)) => is_direct_only(document, domain),
        _ => false,
    };
    let result = if direct_only { FindingResult::Fail } else { FindingResult::None };
    search.walk.trace.end(TermResult::Result(result));
    Ok(direct_only)
}

fn is_direct_only(document: &Document, domain: &str) -> bool {
    !document.testing
        && document.is_about(domain)
        && document.outgoing.as_ref().is_some_and(|outgoing| outgoing.direct_only)
}
