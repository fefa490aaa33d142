//! What is written on top of a message.

use quivive_evidence::{Facts, Finding, FindingResult, Identity, Method};
use quivive_mail::authentication_results::{AuthenticationResults, MethodResult, Property};
use quivive_mail::{Charset, FieldBody, date_time};
use quivive_spf::{BEST_GUESS, received_spf};

use crate::{Headers, Mode, Policy, repair};

pub(crate) fn write<'f>(
    policy: &Policy,
    findings: impl Iterator<Item = &'f Finding>,
    facts: &Facts,
) -> Headers {
    let mut findings: Vec<&Finding> = findings.collect();
    // The result that readers look for first is that of the reverse-path.
    findings.sort_by_key(|finding| match finding.identity {
        Identity::Helo => 1,
        Identity::Ip => 2,
        _ => 0,
    });
    let written = findings.iter().filter(|finding| is_written(policy, finding));
    let mut results: Vec<MethodResult> = login(policy, facts)
        .into_iter()
        .chain(written.map(|finding| method_result(finding)))
        .collect();
    if let Some(first) = results.first_mut().filter(|_| !facts.case_id.is_empty()) {
        first.comment = Some(format!("case {}", facts.case_id));
    }
    let results =
        AuthenticationResults { authserv_id: policy.authserv_id.clone(), version: None, results };
    let of_spf = findings.iter().filter(|finding| finding.method == Method::Spf);
    Headers {
        received_spf: of_spf.map(|finding| received_spf(finding, facts)).collect(),
        authentication_results: results.value(Charset::Ascii),
        x_rmx: x_rmx(policy, &findings, facts),
        edits: repair::edits(policy, &findings, facts),
    }
}

/// The word of a method in Authentication-Results: registered (RFC 8601 section 2.7), or private
/// for one administrative domain.
fn result_word(method: Method) -> &'static str {
    match method {
        Method::CallerId => "x-callerid",
        Method::MailFromMx => "x-mailfrommx",
        Method::Rmx => "x-rmx",
        Method::Dmp => "x-dmp",
        Method::Drip => "x-drip",
        Method::Rmxpp => "x-rmxpp",
        Method::Callback => "x-cbv",
        Method::Challenge => "x-cr",
        Method::Binding => "x-binding",
        Method::Dnsbl => "x-dnsbl",
        registered => registered.word(),
    }
}

/// Private results are for those who ask for them; of what binding had nothing to judge, nobody
/// wants to read.
fn is_written(policy: &Policy, finding: &Finding) -> bool {
    let is_nothing = finding.method == Method::Binding && finding.result == FindingResult::None;
    let is_private = result_word(finding.method).starts_with("x-");
    !is_nothing && (policy.legacy_headers || !is_private)
}

/// Who logged in (RFC 8601 section 2.7.4), where that is what mail is held to.
fn login(policy: &Policy, facts: &Facts) -> Option<MethodResult> {
    let login = facts.auth_user.as_ref().filter(|login| !login.is_empty())?;
    (policy.mode(Method::Binding) != Mode::Off).then(|| MethodResult {
        method: "auth".to_owned(),
        result: "pass".to_owned(),
        properties: vec![property("smtp.auth", login)],
        ..MethodResult::default()
    })
}

/// `RESULT addr ADDRESS by HOST on DATE mechanism MECHANISM`.
fn x_rmx(policy: &Policy, findings: &[&Finding], facts: &Facts) -> Option<String> {
    let finding = findings.iter().find(|finding| finding.method == Method::Rmx)?;
    if !policy.legacy_headers {
        return None;
    }
    let result = match (finding.result, &*finding.cause) {
        (FindingResult::Pass, _) => "Granted",
        (FindingResult::Fail, "notinrmx") => "NotInRMX",
        (FindingResult::Fail, _) => "Denied",
        (FindingResult::Temperror, _) => "TempFail",
        (FindingResult::Permerror, _) => "BadData",
        _ => "NoRMX",
    };
    let entry = finding.decided_by.as_deref().unwrap_or("default");
    let (mechanism, _) = entry.trim_start_matches('!').split_once(':').unwrap_or((entry, ""));
    let mut body = FieldBody::new("X-RMX", Charset::Ascii);
    body.word(result);
    body.word("addr");
    body.word(&facts.client_address.to_string());
    body.word("by");
    body.text(&facts.receiver);
    body.word("on");
    date_time(facts.now).split(' ').for_each(|part| body.word(part));
    body.word("mechanism");
    body.text(&mechanism.to_ascii_lowercase());
    Some(body.finish())
}

fn method_result(finding: &Finding) -> MethodResult {
    let word = result_word(finding.method);
    // What the word of a private result leaves open, its reason says.
    // That of binding would tell strangers what the client is not told.
    let tells = word.starts_with("x-") && finding.method != Method::Binding;
    let reason = match (tells, finding.result) {
        // The private practice has no word of its own, and is no neutral of the domain's.
        _ if finding.cause == BEST_GUESS => Some("best guess".to_owned()),
        (true, result) if result != FindingResult::Pass => Some(finding.cause.to_string()),
        _ => None,
    };
    MethodResult {
        method: word.to_owned(),
        result: finding.result.word().to_owned(),
        reason,
        properties: properties(finding),
        ..MethodResult::default()
    }
}

/// What was judged: what the finding itself names, or else the domain of its identity.
fn properties(finding: &Finding) -> Vec<Property> {
    if !finding.properties.is_empty() {
        return finding.properties.iter().map(|own| property(&own.name, &own.value)).collect();
    }
    if finding.domain.is_empty() || finding.identity == Identity::Ip {
        return Vec::new();
    }
    // RFC 8601 section 2.7.2: the local part is left out, since nothing was decided by it.
    let name = match finding.identity {
        Identity::Helo => "smtp.helo",
        _ => "smtp.mailfrom",
    };
    vec![property(name, &finding.domain)]
}

fn property(name: &str, value: &str) -> Property {
    let (ptype, property) = name.split_once('.').unwrap_or(("policy", name));
    let (ptype, property) = (ptype.to_owned(), property.to_owned());
    Property { ptype, property, value: value.to_owned() }
}
