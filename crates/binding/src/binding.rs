use std::sync::Arc;

use quivive_evidence::{
    Conclusion, Evaluate, Evaluation, Evidence, Facts, Finding, FindingResult, Header, Identity,
    Judged, Method, Property, Stop, TermResult, Walk,
};

use crate::address::mailbox;
use crate::ownership::{ADDRESSES_MAX, Inquiry, Ownership};
use crate::usage::UseOf;
use crate::{Address, Mode, Rate, Rules, Scope, Subject, author, resent};

/// Submission binding for one identity.
#[derive(Debug, Clone)]
pub struct Binding {
    identity: Identity,
    rules: Arc<Rules>,
}

/// What comes of judging an identity, with the address that decided where one did.
pub(crate) struct Judgement {
    pub(crate) conclusion: Conclusion,
    pub(crate) address: Option<Address>,
}

impl Binding {
    /// Binding for [`Identity::Mailfrom`], [`Identity::From`], [`Identity::Sender`] or
    /// [`Identity::Resent`].
    pub fn new(identity: Identity, rules: Arc<Rules>) -> Self {
        Self { identity, rules }
    }
}

impl Evaluate for Binding {
    fn evaluate(&self, facts: &Facts, evidence: &dyn Evidence) -> Evaluation {
        let walk = Walk::new(evidence, ADDRESSES_MAX);
        let mut inquiry = Inquiry::new(walk, &self.rules, facts);
        let client = inquiry.client.to_string();
        inquiry.walk.trace.begin(&client, (0, client.len().try_into().unwrap_or(u32::MAX)));
        let judgement = match (self.identity, &facts.header) {
            (Identity::Mailfrom, _) => mailfrom(&mut inquiry, facts),
            (_, None) => Ok(Judgement::new(FindingResult::None, "no-message")),
            (identity, Some(header)) => of_header(&mut inquiry, identity, header),
        };
        let judgement =
            judgement.unwrap_or_else(|stop| Judgement { conclusion: stop.into(), address: None });
        let Judgement { conclusion, address } = judgement;
        inquiry.walk.trace.end(TermResult::Result(conclusion.result));
        inquiry
            .walk
            .conclude(self.judged(address.as_ref()), self.described(conclusion, address.as_ref()))
    }

    fn give_up(&self, _: &Facts, cause: &'static str) -> Finding {
        self.judged(None).finding(Conclusion::new(FindingResult::Temperror, cause))
    }
}

impl Binding {
    fn judged(&self, address: Option<&Address>) -> Judged {
        Judged {
            method: Method::Binding,
            identity: self.identity,
            domain: address.map_or_else(String::new, |address| address.domain().to_owned()),
        }
    }

    fn described(&self, conclusion: Conclusion, address: Option<&Address>) -> Conclusion {
        let name = match self.identity {
            Identity::From => "header.from",
            Identity::Sender => "header.sender",
            Identity::Resent => "header.resent-from",
            _ => "smtp.mailfrom",
        };
        let properties = address.map(|address| Property::new(name, address.to_string()));
        Conclusion { properties: properties.into_iter().collect(), ..conclusion }
    }
}

impl Judgement {
    pub(crate) fn new(result: FindingResult, cause: &'static str) -> Self {
        Self { conclusion: Conclusion::new(result, cause), address: None }
    }

    pub(crate) fn of(self, address: &Address) -> Self {
        Self { address: Some(address.clone()), ..self }
    }

    pub(crate) fn decided_by(self, words: impl Into<String>) -> Self {
        Self { conclusion: self.conclusion.decided_by(words), ..self }
    }

    pub(crate) fn is(&self, result: FindingResult) -> bool {
        self.conclusion.result == result
    }
}

fn of_header(
    inquiry: &mut Inquiry<'_>,
    identity: Identity,
    header: &Header,
) -> Result<Judgement, Stop> {
    if header.cut {
        return Err(Stop::permanent("header-too-long"));
    }
    match identity {
        Identity::From => author::from(inquiry, header),
        Identity::Sender => author::sender(inquiry, header),
        _ => resent::newest(inquiry, header),
    }
}

fn mailfrom(inquiry: &mut Inquiry<'_>, facts: &Facts) -> Result<Judgement, Stop> {
    if facts.reverse_path.is_empty() {
        return null_sender(inquiry);
    }
    let Some(mailbox) = mailbox(&facts.reverse_path) else {
        return match inquiry.ours {
            true => Err(Stop::permanent("mailfrom-malformed")),
            false => Ok(Judgement::new(FindingResult::None, "no-client-of-ours")),
        };
    };
    let address = Address::new(&mailbox, inquiry.rules);
    let (judgement, rate) = judge(inquiry, &address, Scope::Mailfrom)?;
    limited(inquiry, judgement, rate)
}

/// Reports are sent with it, and so are messages for which nobody wants to be asked.
fn null_sender(inquiry: &mut Inquiry<'_>) -> Result<Judgement, Stop> {
    if !inquiry.ours {
        return Ok(Judgement::new(FindingResult::None, "null-sender"));
    }
    let (result, rate) = match inquiry.granted(&Subject::Null, Scope::Mailfrom)? {
        Ownership::Own(grant) => (FindingResult::Pass, grant.and_then(|grant| grant.rate)),
        _ => (FindingResult::Fail, None),
    };
    limited(inquiry, Judgement::new(result, "null-sender"), rate)
}

/// Whether the client may use an address, with the rate of the grant that says so.
pub(crate) fn judge(
    inquiry: &mut Inquiry<'_>,
    address: &Address,
    scope: Scope,
) -> Result<(Judgement, Option<Rate>), Stop> {
    use FindingResult::{Fail, None as Nothing, Pass};
    let verdict = |result, cause| (Judgement::new(result, cause).of(address), None);
    if inquiry.ours && address.is_routed() {
        return Ok(verdict(Fail, "routed-address"));
    }
    let owner = match inquiry.owner(address, scope) {
        Ok(owner) => owner,
        Err(stop) => {
            let conclusion = stop.into();
            return Ok((Judgement { conclusion, address: Some(address.clone()) }, None));
        }
    };
    Ok(match owner {
        Ownership::Own(None) => verdict(Pass, "own-address"),
        Ownership::Own(Some(grant)) => {
            let (judgement, _) = verdict(Pass, "granted");
            (judgement.decided_by(grant.pattern), grant.rate)
        }
        Ownership::Short(cause) => verdict(Fail, cause),
        // What others are granted belongs to whoever logs in as one of them. In a header it may
        // have come a long way: that is for DMARC to judge.
        Ownership::Others
            if !inquiry.ours && inquiry.rules.bind_outsiders && scope == Scope::Mailfrom =>
        {
            verdict(Fail, "not-logged-in")
        }
        Ownership::Others | Ownership::Nobody if !inquiry.ours => {
            verdict(Nothing, "no-client-of-ours")
        }
        Ownership::Others => verdict(Fail, "owned-by-another"),
        Ownership::Nobody => match inquiry.rules.mode {
            Mode::Strict => verdict(Fail, "not-granted"),
            Mode::ProtectKnown => verdict(Pass, "nobodys-address"),
        },
    })
}

/// The same, unless the client has sent too much.
fn limited(
    inquiry: &mut Inquiry<'_>,
    judgement: Judgement,
    rate: Option<Rate>,
) -> Result<Judgement, Stop> {
    let Some(rate) = rate.or(inquiry.rules.rate) else { return Ok(judgement) };
    let used = inquiry.used(UseOf::Messages { seconds: rate.seconds })?;
    match used.is_some_and(|used| used > u64::from(rate.count)) {
        true if judgement.is(FindingResult::Pass) => {
            let over = Judgement::new(FindingResult::Policy, "rate-limit");
            Ok(Judgement { address: judgement.address, ..over }.decided_by(rate.to_string()))
        }
        _ => Ok(judgement),
    }
}
