use borsh::BorshDeserialize;
use ipnet::IpNet;
use quivive_evidence::{Facts, Finding, FindingResult, Identity, Method};
use quivive_mail::domain::{is_within, to_ascii};
use quivive_verdict::{Action, Rewrite, Verdict};
use serde::{Deserialize, Serialize};

use crate::packed::Glance;
use crate::query::{Beginnings, Query, terms};
use crate::words::CaseWords;

/// How many lines a page has at most.
pub const LIMIT_MAX: u32 = 500;

/// Which cases are wanted: those for which everything holds that is said.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// At this time or later, in seconds since 1970.
    pub since: Option<u64>,
    /// Before this time, in seconds since 1970.
    pub until: Option<u64>,
    /// The domain of the sender, of HELO, of a recipient or of a finding is this or below it.
    pub domain: Option<String>,
    /// The sender or a recipient, without regard to case.
    pub address: Option<String>,
    /// The client is in this network.
    pub client: Option<IpNet>,
    /// There is a finding of this method; the next two are about the same finding.
    pub method: Option<Method>,
    /// There is a finding for this identity.
    pub identity: Option<Identity>,
    /// There is a finding with this result.
    pub result: Option<FindingResult>,
    /// What was done.
    pub action: Option<Action>,
    /// Each of its words stands in the client, HELO, the sender, a recipient or a finding's domain,
    /// where a word begins, or is the id of the case. Nothing in it is a wildcard.
    pub text: Option<String>,
    /// Behind this one.
    pub before: Option<Cursor>,
    /// How many lines, from 1 to [`LIMIT_MAX`].
    pub limit: u32,
}

/// A place in the list. Newer cases do not move it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub u64);

/// What of a case filters look at.
pub(crate) struct Looked<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) verdict: &'a Verdict,
    pub(crate) findings: &'a [FindingHead],
}

/// What of a finding is listed: that with which a packed one begins.
#[derive(Debug, Clone, PartialEq, Deserialize, BorshDeserialize)]
pub(crate) struct FindingHead {
    pub(crate) method: Method,
    pub(crate) identity: Identity,
    pub(crate) domain: String,
    pub(crate) result: FindingResult,
    pub(crate) cause: String,
}

impl Filter {
    /// The words to look for; `None`: any case may do.
    pub(crate) fn query(&self, beginnings: &Beginnings) -> Option<Query> {
        let mut all = Vec::new();
        all.extend(self.address.as_deref().map(Query::address));
        all.extend(self.domain.as_deref().map(Query::domain));
        all.extend(self.client.and_then(Query::client));
        all.extend(Query::finding(self.result, self.method, self.identity));
        all.extend(self.action.map(Query::action));
        let text = self.text.as_deref().unwrap_or_default();
        all.extend(Query::free_text(text, beginnings));
        (!all.is_empty()).then_some(Query::All(all))
    }

    /// Whether it wants this packed case; and nothing that it would not find as a row. The query is
    /// its own, of [`Beginnings::Compared`].
    pub(crate) fn wants_packed(&self, query: Option<&Query>, case: &Glance) -> bool {
        self.wants(&case.looked())
            && query.is_none_or(|query| {
                let kind = |head: &FindingHead| (head.method, head.identity, head.result);
                let findings = case.findings.iter().map(|head| (kind(head), &*head.domain));
                let words = CaseWords::of(&case.facts, findings, &case.verdict);
                query.is_fulfilled_by(&words, &case.facts.case_id)
            })
    }

    /// Whether it wants this case.
    pub(crate) fn wants(&self, case: &Looked<'_>) -> bool {
        let facts = case.facts;
        self.since.is_none_or(|since| facts.now >= since)
            && self.until.is_none_or(|until| facts.now < until)
            && self.client.is_none_or(|network| network.contains(&facts.client_address))
            && self.action.is_none_or(|action| action == case.verdict.action)
            && self.address.as_ref().is_none_or(|address| has_address(case, address))
            && self.domain.as_ref().is_none_or(|domain| has_domain(case, domain))
            && self.wants_finding(case.findings)
            && self.text.as_ref().is_none_or(|text| has_text(case, text))
    }

    fn wants_finding(&self, findings: &[FindingHead]) -> bool {
        let Self { method, identity, result, .. } = self;
        let any = method.is_none() && identity.is_none() && result.is_none();
        any || findings.iter().any(|finding| {
            method.is_none_or(|method| method == finding.method)
                && identity.is_none_or(|identity| identity == finding.identity)
                && result.is_none_or(|result| result == finding.result)
        })
    }
}

impl From<&Finding> for FindingHead {
    fn from(finding: &Finding) -> Self {
        Self {
            method: finding.method,
            identity: finding.identity,
            domain: finding.domain.clone(),
            result: finding.result,
            cause: finding.cause.to_string(),
        }
    }
}

/// Whether the address is the sender's or a recipient's, or one that stood for either.
fn has_address(case: &Looked<'_>, address: &str) -> bool {
    let address = address.to_lowercase();
    addresses(case.facts, case.verdict).any(|one| one.to_lowercase() == address)
}

fn has_domain(case: &Looked<'_>, domain: &str) -> bool {
    let domain = to_ascii(domain);
    let of_addresses =
        addresses(case.facts, case.verdict).filter_map(|one| Some(one.rsplit_once('@')?.1));
    let of_findings = case.findings.iter().map(|finding| finding.domain.as_str());
    of_addresses
        .chain(of_findings)
        .chain([case.facts.helo.as_str()])
        .any(|name| is_within(&to_ascii(name), &domain))
}

/// The sender and the recipients, and what they became on the way.
pub(crate) fn addresses<'a>(
    facts: &'a Facts,
    verdict: &'a Verdict,
) -> impl Iterator<Item = &'a str> {
    let of_facts = [&facts.reverse_path].into_iter().chain(&facts.recipients);
    of_facts.map(String::as_str).chain(verdict.rewrites.iter().flat_map(Rewrite::addresses))
}

fn has_text(case: &Looked<'_>, text: &str) -> bool {
    let facts = case.facts;
    let mut fields: Vec<String> = addresses(facts, case.verdict).map(str::to_lowercase).collect();
    fields.push(facts.helo.to_lowercase());
    fields.push(facts.client_address.to_string());
    fields.extend(case.findings.iter().map(|finding| finding.domain.to_lowercase()));
    terms(text).all(|term| {
        term == facts.case_id || fields.iter().any(|field| has_where_a_word_begins(field, &term))
    })
}

fn has_where_a_word_begins(field: &str, term: &str) -> bool {
    if !term.contains(char::is_alphanumeric) {
        return field == term;
    }
    let goes_on = term.starts_with(char::is_alphanumeric);
    field
        .match_indices(term)
        .any(|(place, _)| !(goes_on && field[..place].ends_with(char::is_alphanumeric)))
}
