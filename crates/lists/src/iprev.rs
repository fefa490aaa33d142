use std::net::IpAddr;

use quivive_evidence::{
    Ahead, Conclusion, Evaluate, Evaluation, Evidence, Facts, Failure, Finding, FindingResult,
    HasAddress, Identity, Judged, Method, Property, Stop, TermResult, Walk, reverse_name, span,
    whole,
};
use quivive_mail::domain::is_askable;

/// How many names of an address are looked at; more are ignored (RFC 8601 section 3).
pub const NAMES_MAX: usize = 10;

/// The reverse name of the client's address, confirmed by its own addresses (RFC 8601 section 3).
#[derive(Debug, Clone, Copy, Default)]
pub struct Iprev;

impl Evaluate for Iprev {
    fn evaluate(&self, facts: &Facts, evidence: &dyn Evidence) -> Evaluation {
        let mut walk = Walk::new(evidence, 1 + NAMES_MAX);
        let concluded = check(&mut walk, facts.client_address);
        let mut judged = judged(facts);
        // What was found to be the client's name is what a reader wants to see.
        if let Ok(Conclusion { decided_by: Some(name), .. }) = &concluded {
            judged.domain.clone_from(name);
        }
        let concluded = Conclusion::from(concluded);
        let address = Property::new("policy.iprev", facts.client_address.to_string());
        walk.conclude(judged, Conclusion { properties: vec![address], ..concluded })
    }

    fn give_up(&self, facts: &Facts, cause: &'static str) -> Finding {
        judged(facts).finding(Stop::temporary(cause))
    }
}

fn judged(facts: &Facts) -> Judged {
    let domain = reverse_name(facts.client_address);
    Judged { method: Method::Iprev, identity: Identity::Ip, domain }
}

/// RFC 8601 section 2.7.3: without a reverse name the check cannot be made, which is a permerror.
fn check(walk: &mut Walk<'_>, client: IpAddr) -> Result<Conclusion, Stop> {
    walk.trace.begin("", (0, 0));
    let Some(answer) = walk.ptr(&reverse_name(client))? else {
        return Ok(Conclusion::new(FindingResult::None, "unknown"));
    };
    let names = answer.records()?;
    let names = &names[..names.len().min(NAMES_MAX)];
    if names.is_empty() {
        walk.trace.name("no reverse name", (0, 0));
        return Err(Stop::permanent("no-reverse-name"));
    }
    let text = names.join(" ");
    walk.trace.name(&*text, whole(&text));
    let mut failed: Option<Failure> = None;
    let mut start = 0;
    for name in names {
        walk.trace.begin(name, span(start, start + name.len()));
        start += name.len() + 1;
        let has_address = match is_askable(name) && !name.contains('\\') {
            true => walk.has_address(name, client, Ahead::Allowed)?,
            false => HasAddress::Nothing,
        };
        match has_address {
            HasAddress::Yes => {
                walk.trace.end(TermResult::Match);
                let passed = Conclusion::new(FindingResult::Pass, "confirmed");
                return Ok(passed.decided_by(&**name));
            }
            HasAddress::Failed(failure) => {
                failed.get_or_insert(failure);
                walk.trace.end(TermResult::Result(FindingResult::Temperror));
            }
            _ => walk.trace.end(TermResult::NoMatch),
        }
    }
    match failed {
        Some(failure) => Err(failure.into()),
        None => Ok(Conclusion::new(FindingResult::Fail, "not-confirmed")),
    }
}
