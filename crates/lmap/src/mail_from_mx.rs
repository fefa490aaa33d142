//! MAIL-FROM MX: ordinary MX records at `MAIL-FROM.DOMAIN` name the hosts that may use the domain
//! as a sender's.
//!
//! There is no softer answer: a client is among the hosts, or it may not use the domain. A wildcard
//! MX record answers under that name too, with the hosts that take mail in, which nobody meant as a
//! list of senders: so a `fail` is only believed if a neighbouring name, which nobody can foresee,
//! has another answer.

use std::fmt::Write;

use quivive_evidence::{
    Ahead, Conclusion, Evaluate, Evaluation, Evidence, Facts, Failure, Finding, FindingResult,
    HasAddress, Judged, Method, Mx, Nonce, Stop, TermResult, Walk, span, whole,
};
use quivive_mail::domain::{is_askable, is_fully_qualified};

use crate::identity::{self, none, unknown};

/// The label before the domain.
pub const LABEL: &str = "mail-from";

/// How many hosts a domain may name; more are an error.
pub const HOSTS_MAX: usize = 10;

/// How many questions a check may use: the list, the addresses of its hosts, and the neighbouring
/// name.
pub const QUESTIONS_MAX: usize = 1 + HOSTS_MAX + 1;

/// What the memo leaves to the receiver.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// For the null reverse-path the HELO name is judged; otherwise nothing is.
    pub helo_for_null_sender: bool,
}

/// MAIL-FROM MX for the reverse-path.
#[derive(Debug, Clone, Copy)]
pub struct MailFromMx {
    settings: Settings,
}

impl MailFromMx {
    /// With these settings.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    fn judged(&self, facts: &Facts) -> Judged {
        identity::judged(Method::MailFromMx, facts, self.settings.helo_for_null_sender)
    }
}

impl Evaluate for MailFromMx {
    fn evaluate(&self, facts: &Facts, evidence: &dyn Evidence) -> Evaluation {
        let judged = self.judged(facts);
        let mut walk = Walk::new(evidence, QUESTIONS_MAX);
        let concluded = check(&mut walk, facts, &judged.domain);
        walk.conclude(judged, concluded)
    }

    fn give_up(&self, facts: &Facts, cause: &'static str) -> Finding {
        self.judged(facts).finding(Stop::temporary(cause))
    }
}

/// The name that has a domain's list.
pub fn owner_name(domain: &str) -> String {
    format!("{LABEL}.{domain}")
}

fn check(walk: &mut Walk<'_>, facts: &Facts, domain: &str) -> Result<Conclusion, Stop> {
    if domain.is_empty() && facts.reverse_path.is_empty() {
        return Ok(none("null-sender"));
    }
    let owner = owner_name(domain);
    if !is_fully_qualified(domain) || !is_askable(&owner) {
        return Ok(none("malformed-domain"));
    }
    walk.trace.begin("", (0, 0));
    let Some(answer) = walk.mx(&owner, Ahead::Allowed)? else { return Ok(unknown()) };
    let mut hosts: Vec<&Mx> = answer.records()?.iter().collect();
    // The preference means nothing, and the order is the name server's.
    hosts.sort_by_key(|mx| (mx.preference, &mx.exchange));
    let text = hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    walk.trace.name(&*text, whole(&text));
    match &*hosts {
        [] => return Ok(none("no-record")),
        [sole] if sole.exchange.is_empty() => {}
        hosts if hosts.iter().any(|mx| mx.exchange.is_empty()) => {
            return Err(Stop::permanent("null-mx-beside-others"));
        }
        hosts if hosts.len() > HOSTS_MAX => return Err(Stop::permanent("mx-limit")),
        hosts => {
            if let Some(passed) = among_hosts(walk, facts, hosts)? {
                return Ok(passed);
            }
        }
    }
    if is_wildcard(walk, facts, domain, &hosts)? {
        return Ok(none("wildcard"));
    }
    Ok(match &*hosts {
        // RFC 7505: no host at all.
        [sole] if sole.exchange.is_empty() => {
            Conclusion::new(FindingResult::Fail, "null-mx").decided_by(sole.to_string())
        }
        _ => Conclusion::new(FindingResult::Fail, "not-listed"),
    })
}

/// A pass, if the client is one of the hosts. It is an error if that cannot be told for all of
/// them.
fn among_hosts(
    walk: &mut Walk<'_>,
    facts: &Facts,
    hosts: &[&Mx],
) -> Result<Option<Conclusion>, Stop> {
    let mut failed: Option<Failure> = None;
    let mut start = 0;
    for mx in hosts {
        let term = mx.to_string();
        walk.trace.begin(&term, span(start, start + term.len()));
        start += term.len() + "; ".len();
        // A name with escapes in it is no host's. There is no implicit MX and no address at the
        // list's own name.
        let has_address = match is_askable(&mx.exchange) && !mx.exchange.contains('\\') {
            true => walk.has_address(&mx.exchange, facts.client_address, Ahead::Allowed)?,
            false => HasAddress::Nothing,
        };
        match has_address {
            HasAddress::Yes => {
                walk.trace.end(TermResult::Match);
                let passed = Conclusion::new(FindingResult::Pass, "listed");
                return Ok(Some(passed.decided_by(term)));
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
        None => Ok(None),
    }
}

/// Whether a neighbouring name, which derives from the message's nonce so that a replay asks the
/// same, has the same answer.
fn is_wildcard(
    walk: &mut Walk<'_>,
    facts: &Facts,
    domain: &str,
    hosts: &[&Mx],
) -> Result<bool, Stop> {
    walk.trace.begin("neighbouring name", (0, 0));
    let name = neighbour(&facts.nonce, domain);
    let Some(answer) = walk.mx(&name, Ahead::Allowed)? else { return Ok(false) };
    let others = answer.records()?;
    let is_wildcard = others.len() == hosts.len() && hosts.iter().all(|mx| others.contains(mx));
    walk.trace.end(if is_wildcard { TermResult::Match } else { TermResult::NoMatch });
    Ok(is_wildcard)
}

/// A name beside the domain's list: as many hexadecimal digits as [`LABEL`] has letters, so that
/// whatever domain can have a list has this neighbour.
pub(crate) fn neighbour(nonce: &Nonce, domain: &str) -> String {
    let mut label = String::with_capacity(2 * LABEL.len());
    for octet in nonce.derive(&format!("mail-from-mx {domain}")) {
        write!(label, "{octet:02x}").expect("a String takes all text");
    }
    label.truncate(LABEL.len());
    format!("{label}.{domain}")
}
