//! What follows from findings: the strictest action, in the words that the client hears.

use quivive_evidence::{Facts, Finding, FindingResult, Identity, Method};
use quivive_mail::EnhancedStatus;

use crate::refusal::Filling;
use crate::{Action, Mode, Policy, Verdict, VerdictReply, repair};

mod binding;
mod sender_id;
mod settings;
mod words;

pub use words::cause_in_words;

/// How much of a domain's own explanation is quoted, in octets.
const EXPLANATION_OCTETS_MAX: usize = 200;

/// How long the address of a page may be in a reply, in octets.
const LINK_OCTETS_MAX: usize = 200;

/// How much of a name that a peer chose is repeated to it, in octets.
const NAME_OCTETS_MAX: usize = 100;

/// Weighs the findings in order. `Accept` is firm and ends the weighing; otherwise the strictest
/// action wins.
pub(crate) fn decide(
    policy: &Policy,
    exception: Option<usize>,
    findings: &[&Finding],
    facts: &Facts,
) -> Verdict {
    let mut reasons: Vec<String> =
        policy.practice.standing(facts).reason(facts).into_iter().collect();
    let mut strictest: Option<(Action, &Finding)> = None;
    if let Some(index) = exception.filter(|index| policy.exceptions[*index].skip) {
        reasons.push(format!("nothing is checked ([[exception]] {}, skip)", index + 1));
    }
    let mended = repair::mends(policy, findings, facts);
    for finding in findings {
        let (action, rule) = match spared(policy, findings, finding) {
            _ if mended && is_author(finding) => (Action::Mark, "[binding] repair".to_owned()),
            Some(rule) => (Action::Mark, rule.to_owned()),
            None => {
                let (action, rule) = action(policy, exception, finding);
                local(policy, findings, finding, facts).apply(action, rule)
            }
        };
        let Finding { method, identity, result, .. } = finding;
        let setting = settings::behind(policy, finding);
        let setting = setting.map_or_else(String::new, |setting| format!(", by {setting}"));
        reasons.push(format!("{method} {identity} {result}: {action} ({rule}){setting}"));
        if strictest.is_none_or(|(strictest, _)| action > strictest) {
            strictest = Some((action, finding));
        }
        if action == Action::Accept {
            break;
        }
    }
    let action = strictest.map_or(Action::Accept, |(action, _)| match action {
        Action::Mark => Action::Accept,
        action => action,
    });
    let reply = reply(policy, action, strictest.map(|(_, finding)| finding), facts);
    let (recipients, rewrites) = (Vec::new(), Vec::new());
    let mut verdict = Verdict { action, reply, reasons, recipients, rewrites };
    verdict.recipients = verdict.for_each(&facts.recipients);
    if policy.practice.dry_run { without_refusal(verdict) } else { verdict }
}

/// The verdict of a dry run: what would have followed is said, and does not.
fn without_refusal(verdict: Verdict) -> Verdict {
    let Verdict { action, reply, mut reasons, mut recipients, rewrites } = verdict;
    if action != Action::Accept {
        reasons.push(format!(
            "dry run: {action} would have followed, with {} {} {}",
            reply.code, reply.enhanced, reply.text
        ));
    }
    for recipient in &mut recipients {
        (recipient.action, recipient.reply) = (Action::Accept, accepted());
    }
    Verdict { action: Action::Accept, reply: accepted(), reasons, recipients, rewrites }
}

/// What local practice makes of a finding's action.
enum Local {
    /// It stays.
    Nothing,
    /// It refuses nothing.
    Spares(&'static str),
    /// At least this follows.
    Demands(Action),
}

fn local(policy: &Policy, findings: &[&Finding], finding: &Finding, facts: &Facts) -> Local {
    let practice = &policy.practice;
    // Who logged in answers for its addresses, wherever it comes from.
    let of_client = finding.method != Method::Binding;
    match practice.spares(facts).filter(|_| of_client) {
        Some(rule) => Local::Spares(rule),
        None => practice.demand(policy, findings, finding).map_or(Local::Nothing, Local::Demands),
    }
}

impl Local {
    fn apply(self, action: Action, rule: String) -> (Action, String) {
        match self {
            Self::Spares(spares) if action > Action::Mark => (Action::Mark, spares.to_owned()),
            Self::Demands(demanded) if action != Action::Accept && demanded > action => {
                (demanded, "[local] must_pass".to_owned())
            }
            _ => (action, rule),
        }
    }
}

fn is_author(finding: &Finding) -> bool {
    finding.method == Method::Binding && finding.identity == Identity::From
}

/// What follows from one finding, and the rule that says so.
fn action(policy: &Policy, exception: Option<usize>, finding: &Finding) -> (Action, String) {
    let Finding { method, identity, result, .. } = *finding;
    if policy.mode(method) != Mode::Enforce {
        return (Action::Mark, format!("{method} is on report"));
    }
    if let Some(index) = exception
        && let Some(action) = policy.exceptions[index].actions.get(method, identity, result)
    {
        return (action, format!("[[exception]] {}", index + 1));
    }
    match policy.actions.get(method, identity, result) {
        Some(action) => (action, format!("[actions.{method}.{identity}]")),
        None => (Action::Mark, "no action is set".to_owned()),
    }
}

/// Why a finding only marks whatever the actions say, by a setting of its method.
fn spared(policy: &Policy, findings: &[&Finding], finding: &Finding) -> Option<&'static str> {
    use FindingResult::{Fail, None as Nothing, Pass, Temperror};
    let settings = &policy.settings;
    match (finding.method, finding.identity, finding.result) {
        (Method::Rmx, _, Fail) if finding.cause == "notinrmx" && !settings.rmx_not_listed_acts => {
            Some("rmx.not_listed_acts is false")
        }
        // draft-fecyk-dmp-02 section 5: where the HELO name is judged instead, what it says holds.
        (Method::Dmp, Identity::Mailfrom, Fail | Nothing) if settings.dmp.helo_alternative => {
            let of_helo = findings
                .iter()
                .find(|other| other.method == Method::Dmp && other.identity == Identity::Helo);
            let result = of_helo.map(|finding| finding.result);
            let is_decided = matches!(result, Some(Pass | Temperror));
            is_decided.then_some("the HELO name decides, dmp.helo_alternative")
        }
        _ => None,
    }
}

fn reply(
    policy: &Policy,
    action: Action,
    finding: Option<&Finding>,
    facts: &Facts,
) -> VerdictReply {
    let class = match action {
        Action::Reject => 5,
        Action::Defer => 4,
        _ => return accepted(),
    };
    let finding = finding.expect("only a finding refuses");
    if finding.method == Method::Binding {
        let reply = binding::reply(finding, class);
        return VerdictReply { text: reply.text + &reference(policy, facts), ..reply };
    }
    if finding.method == Method::SenderId {
        let reply = sender_id::reply(finding, facts, class);
        return VerdictReply { text: reply.text + &reference(policy, facts), ..reply };
    }
    VerdictReply {
        code: if class == 5 { 550 } else { 451 },
        enhanced: enhanced(class, finding),
        text: policy.refusal.fill(filling(policy, finding, facts)),
    }
}

fn accepted() -> VerdictReply {
    let text = "accepted".to_owned();
    VerdictReply { code: 250, enhanced: EnhancedStatus(2, 0, 0), text }
}

/// RFC 7372 section 3.2: 23 for an SPF result, 24 for an error on the way to one. Else 7.1, and
/// 4.3 where a name server gave no answer.
fn enhanced(class: u8, finding: &Finding) -> EnhancedStatus {
    match (finding.method, finding.result) {
        (Method::Spf, FindingResult::Temperror | FindingResult::Permerror) => {
            EnhancedStatus(class, 7, 24)
        }
        (Method::Spf, FindingResult::Fail | FindingResult::Softfail) => {
            EnhancedStatus(class, 7, 23)
        }
        // RFC 7372 section 3.3.
        (Method::Iprev, FindingResult::Fail | FindingResult::Permerror) => {
            EnhancedStatus(class, 7, 25)
        }
        (_, FindingResult::Temperror) if class == 4 => EnhancedStatus(4, 4, 3),
        _ => EnhancedStatus(class, 7, 1),
    }
}

/// What a refusal's template is filled with. All of it is printable ASCII.
fn filling(policy: &Policy, finding: &Finding, facts: &Facts) -> Filling {
    let domain = clean(&finding.domain, NAME_OCTETS_MAX);
    let explanation = finding.explanation.as_deref().unwrap_or_default();
    Filling([
        finding.method.name().to_owned(),
        reason(policy, finding, facts, &domain),
        clean(explanation, EXPLANATION_OCTETS_MAX),
        finding.result.to_string(),
        domain,
        facts.client_address.to_string(),
        clean(&facts.case_id, NAME_OCTETS_MAX),
        link(policy, facts).unwrap_or_default(),
        clean(&facts.receiver, NAME_OCTETS_MAX),
    ])
}

/// What a domain says itself about its refusal.
fn explained(finding: &Finding, domain: &str) -> String {
    match finding.explanation.as_deref().filter(|text| !text.is_empty()) {
        Some(explanation) => {
            let explanation = clean(explanation, EXPLANATION_OCTETS_MAX);
            format!("; {domain} says: \"{explanation}\"")
        }
        None => String::new(),
    }
}

/// Why the message is refused, in words.
fn reason(policy: &Policy, finding: &Finding, facts: &Facts, domain: &str) -> String {
    let address = facts.client_address.to_string();
    match finding.identity {
        Identity::Pra if finding.domain.is_empty() => {
            let cause = words::cause(policy, finding).unwrap_or_default();
            format!("nobody is responsible for this message ({cause})")
        }
        Identity::Ip => of_address(finding, facts, domain),
        _ => words::of_claim(policy, finding, &address, domain),
    }
}

/// What is said of a client's address alone.
fn of_address(finding: &Finding, facts: &Facts, domain: &str) -> String {
    let (address, cause) = (facts.client_address, &finding.cause);
    match (finding.method, finding.result) {
        (Method::Iprev, FindingResult::Fail) => {
            format!("no name of {address} has this address")
        }
        (Method::Iprev, FindingResult::Permerror) => format!("{address} has no reverse name"),
        (Method::Iprev, result) => format!("result {result} for {address} ({cause})"),
        (_, FindingResult::Fail | FindingResult::Pass) => format!("{address} is on {domain}"),
        (_, FindingResult::None) => format!("{address} is not on {domain}"),
        (_, result) => format!("result {result} of {domain} for {address} ({cause})"),
    }
}

/// Where more can be found out about a refusal: its case, and its page where there is one.
fn reference(policy: &Policy, facts: &Facts) -> String {
    let case = match &*facts.case_id {
        "" => String::new(),
        id => format!(" (case {})", clean(id, NAME_OCTETS_MAX)),
    };
    link(policy, facts).map_or(case.clone(), |link| format!("{case}; see {link}"))
}

/// The page that explains the refusal, where pages are published.
fn link(policy: &Policy, facts: &Facts) -> Option<String> {
    let url = policy.public_url.as_ref().filter(|_| !facts.public_id.is_empty())?;
    Some(clean(&format!("{url}{}", facts.public_id), LINK_OCTETS_MAX))
}

/// A stranger's text as it may stand in a reply: printable ASCII, no double quotes, bounded.
fn clean(text: &str, octets_max: usize) -> String {
    let printable = |character: char| match character {
        '"' => '\'',
        ' '..='~' => character,
        _ => '?',
    };
    let mut cleaned: String = text.chars().take(octets_max).map(printable).collect();
    if text.chars().nth(octets_max).is_some() {
        cleaned.push_str("...");
    }
    cleaned
}

#[cfg(test)]
mod tests;
