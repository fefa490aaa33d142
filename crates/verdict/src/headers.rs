//! What is written on top of a message.

use quivive_evidence::{Facts, Finding, Identity, Method};
use quivive_mail::Charset;
use quivive_mail::authentication_results::{AuthenticationResults, MethodResult, Property};
use quivive_spf::received_spf;

use crate::{Headers, Policy};

pub(crate) fn write<'f>(
    policy: &Policy,
    findings: impl Iterator<Item = &'f Finding>,
    facts: &Facts,
) -> Headers {
    let mut findings: Vec<&Finding> = findings.collect();
    // The result that readers look for first is that of the reverse-path.
    findings.sort_by_key(|finding| finding.identity == Identity::Helo);
    let mut results: Vec<MethodResult> =
        findings.iter().map(|finding| method_result(finding)).collect();
    if let Some(first) = results.first_mut().filter(|_| !facts.case_id.is_empty()) {
        first.comment = Some(format!("case {}", facts.case_id));
    }
    let results =
        AuthenticationResults { authserv_id: policy.authserv_id.clone(), version: None, results };
    let of_spf = findings.iter().filter(|finding| finding.method == Method::Spf);
    Headers {
        received_spf: of_spf.map(|finding| received_spf(finding, facts)).collect(),
        authentication_results: results.value(Charset::Ascii),
    }
}

fn method_result(finding: &Finding) -> MethodResult {
    MethodResult {
        method: finding.method.word().to_owned(),
        result: finding.result.word().to_owned(),
        properties: properties(finding),
        ..MethodResult::default()
    }
}

/// What was judged: what the finding itself names, or else the domain of its identity.
fn properties(finding: &Finding) -> Vec<Property> {
    let property = |name: &str, value: &str| {
        let (ptype, property) = name.split_once('.').unwrap_or(("policy", name));
        let (ptype, property) = (ptype.to_owned(), property.to_owned());
        Property { ptype, property, value: value.to_owned() }
    };
    if !finding.properties.is_empty() {
        return finding.properties.iter().map(|own| property(&own.name, &own.value)).collect();
    }
    if finding.domain.is_empty() {
        return Vec::new();
    }
    // RFC 8601 section 2.7.2: the local part is left out, since nothing was decided by it.
    let name = match finding.identity {
        Identity::Helo => "smtp.helo",
        _ => "smtp.mailfrom",
    };
    vec![property(name, &finding.domain)]
}
