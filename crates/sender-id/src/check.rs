use quivive_evidence::{
    Conclusion, Evaluate, Evaluation, Evidence, Facts, Finding, FindingResult, Identity, Judged,
    Method, Property, Stop, Walk,
};
use quivive_mail::{Charset, MailDomain, Mailbox};
use quivive_spf::{Limits, Request, Scope};

use crate::pra::{pra, same_address};

/// What a finding about the address that a client announced is about.
pub const SUBMITTER_PROPERTY: &str = "smtp.submitter";

/// Sender ID for one address (RFC 4406 section 4).
#[derive(Debug, Clone, Copy)]
pub struct SenderId {
    about: About,
    limits: Limits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    ReversePath,
    Submitter,
    Pra,
}

/// An address that is judged; or none, and what follows from that.
enum Subject {
    Address { property: &'static str, mailbox: Mailbox },
    None(Conclusion),
}

impl SenderId {
    /// For the reverse-path, in the scope `mfrom`.
    pub fn of_reverse_path(limits: Limits) -> Self {
        Self { about: About::ReversePath, limits }
    }

    /// For the address that a client announced by SUBMITTER (RFC 4405 section 4.2), before the
    /// header is known.
    pub fn of_submitter(limits: Limits) -> Self {
        Self { about: About::Submitter, limits }
    }

    /// For the Purported Responsible Address of the header, in the scope `pra`. It must be the one
    /// that was announced, if one was.
    pub fn of_pra(limits: Limits) -> Self {
        Self { about: About::Pra, limits }
    }

    fn subject(&self, facts: &Facts) -> Subject {
        match self.about {
            About::Pra => of_header(facts),
            _ => of_submitter(facts),
        }
    }
}

impl Evaluate for SenderId {
    fn evaluate(&self, facts: &Facts, evidence: &dyn Evidence) -> Evaluation {
        if self.about == About::ReversePath {
            let mut request = Request::new(facts, Identity::Mailfrom);
            request.scope = Scope::Mfrom;
            let judged = judged(Identity::Mailfrom, request.domain());
            return quivive_spf::evaluate(&request, evidence, self.limits, judged);
        }
        let (property, mailbox) = match self.subject(facts) {
            Subject::Address { property, mailbox } => (property, mailbox),
            Subject::None(conclusion) => {
                return Walk::new(evidence, 0).conclude(judged(Identity::Pra, ""), conclusion);
            }
        };
        let request = request(facts, &mailbox);
        let judged = judged(Identity::Pra, request.domain());
        let mut evaluation = quivive_spf::evaluate(&request, evidence, self.limits, judged);
        if let Evaluation::Done(finding) = &mut evaluation {
            finding.properties = vec![Property::new(property, mailbox.to_string())];
        }
        evaluation
    }

    fn give_up(&self, facts: &Facts, cause: &'static str) -> Finding {
        let judged = match (self.about, self.subject(facts)) {
            (About::ReversePath, _) => {
                let request = Request::new(facts, Identity::Mailfrom);
                judged(Identity::Mailfrom, request.domain())
            }
            (_, Subject::Address { mailbox, .. }) => {
                judged(Identity::Pra, request(facts, &mailbox).domain())
            }
            (_, Subject::None(_)) => judged(Identity::Pra, ""),
        };
        judged.finding(Stop::temporary(cause))
    }
}

fn judged(identity: Identity, domain: &str) -> Judged {
    Judged { method: Method::SenderId, identity, domain: domain.to_owned() }
}

/// What SPF is called with for a responsible address (RFC 4406 section 4.1).
fn request<'a>(facts: &'a Facts, mailbox: &'a Mailbox) -> Request<'a> {
    let domain = match mailbox.domain() {
        MailDomain::Name(name) => name,
        MailDomain::Literal(_) => "",
    };
    let sender = (mailbox.local_part(), domain);
    let mut request = Request::of_sender(facts.client_address, sender, &facts.helo);
    request.receiver = &facts.receiver;
    request.now = facts.now;
    request.scope = Scope::Pra;
    request
}

fn of_submitter(facts: &Facts) -> Subject {
    match facts.submitter.as_deref().map(announced) {
        Some(Some(mailbox)) => Subject::Address { property: SUBMITTER_PROPERTY, mailbox },
        Some(None) => nobody(FindingResult::Permerror, "bad-submitter"),
        None => nobody(FindingResult::None, "no-submitter"),
    }
}

fn of_header(facts: &Facts) -> Subject {
    let Some(header) = &facts.header else { return nobody(FindingResult::None, "no-header") };
    if header.cut {
        return nobody(FindingResult::Permerror, "header-too-large");
    }
    // RFC 8601 section 2.7.2: a header field that is needed and is not there is a permerror.
    let Some(found) = pra(header) else {
        let cause = if facts.submitter.is_some() { "no-pra-for-submitter" } else { "no-pra" };
        return nobody(FindingResult::Permerror, cause);
    };
    // RFC 4405 section 4.2: the announced address has to be that of the header.
    let is_other = facts.submitter.as_deref().is_some_and(|submitter| {
        announced(submitter).is_none_or(|announced| !same_address(&announced, &found.mailbox))
    });
    if is_other {
        let conclusion = Conclusion::new(FindingResult::Fail, "submitter-mismatch");
        let properties = vec![Property::new(found.property, found.mailbox.to_string())];
        return Subject::None(Conclusion { properties, ..conclusion });
    }
    Subject::Address { property: found.property, mailbox: found.mailbox }
}

fn nobody(result: FindingResult, cause: &'static str) -> Subject {
    Subject::None(Conclusion::new(result, cause))
}

/// The address that a client announced, if it has a domain name.
fn announced(submitter: &str) -> Option<Mailbox> {
    let mailbox = Mailbox::parse(submitter.as_bytes(), Charset::Utf8).ok()?;
    matches!(mailbox.domain(), MailDomain::Name(_)).then_some(mailbox)
}
