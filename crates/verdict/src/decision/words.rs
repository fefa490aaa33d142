//! Why a result is what it is, in words for whoever is refused.

use quivive_evidence::{Finding, FindingResult, Identity, Method};
use quivive_spf::BEST_GUESS;

use super::clean;
use crate::Policy;

/// How much of what decided is repeated, in octets.
const DECIDED_OCTETS_MAX: usize = 80;

/// What SPF's causes say of the domain that stands before them.
const SPF: &[(&str, &str)] = &[
    ("no-match", "nothing in its record speaks of this address"),
    ("no-record", "it publishes no SPF record"),
    ("no-such-domain", "it does not exist"),
    ("malformed-domain", "it is no domain that could publish anything"),
    ("syntax-error", "its SPF record breaks the grammar"),
    ("multiple-records", "it has more than one SPF record"),
    ("include-no-record", "its SPF record includes a domain that has none"),
    ("redirect-no-record", "its SPF record redirects to a domain that has none"),
    ("term-limit", "its SPF record needs too many look-ups"),
    ("void-lookup-limit", "too many look-ups of its SPF record find nothing"),
    ("mx-limit", "its SPF record names a domain with more than ten mail exchangers"),
    ("question-budget", "its SPF record asks for more than any honest one"),
    ("round-budget", "its SPF record asks for more than any honest one"),
    (BEST_GUESS, "it publishes no SPF record, and the address may be its"),
];

/// What DNS did, for any method.
const DNS: &[(&str, &str)] = &[
    ("dns-timeout", "the name servers did not answer in time"),
    ("dns-servfail", "the name servers failed"),
    ("dns-refused", "the name servers refused to answer"),
    ("dns-malformed", "the answer of the name servers cannot be read"),
    ("dns-alias-loop", "an alias leads round and round"),
    ("dns-unreachable", "no name server can be reached"),
    ("dns-too-large", "the answer of the name servers is too large"),
];

/// As [`cause_in_words`], with the limits that were kept to.
pub(super) fn cause(policy: &Policy, finding: &Finding) -> Option<String> {
    let (terms, voids) = (policy.spf_terms_max, policy.spf_void_lookups_max);
    match (finding.method, &*finding.cause) {
        (Method::Spf | Method::SenderId, "term-limit") => {
            Some(format!("its SPF record needs more than {}", look_ups(terms)))
        }
        (Method::Spf | Method::SenderId, "void-lookup-limit") => {
            Some(format!("more than {} of its SPF record find nothing", look_ups(voids)))
        }
        _ => cause_in_words(finding),
    }
}

fn look_ups(count: usize) -> String {
    format!("{count} look-up{}", if count == 1 { "" } else { "s" })
}

/// The cause of a finding in words for whoever is refused: what is to be said of the domain, such
/// as `it publishes no SPF record`, or the method's own word where there are none. Nothing, where
/// the result says it all.
pub fn cause_in_words(finding: &Finding) -> Option<String> {
    let known = |table: &[(&str, &'static str)]| {
        table.iter().find(|(token, _)| *token == finding.cause).map(|(_, words)| *words)
    };
    let of_method = match finding.method {
        Method::Spf | Method::SenderId => known(SPF),
        _ => None,
    };
    match (of_method.or_else(|| known(DNS)), &*finding.cause, &finding.decided_by) {
        (Some(words), ..) => Some(words.to_owned()),
        (None, "match", Some(term)) => {
            Some(format!("its record says `{}`", clean(term, DECIDED_OCTETS_MAX)))
        }
        (None, "match", None) => None,
        (None, cause, _) => Some(clean(&cause.replace('-', " "), DECIDED_OCTETS_MAX)),
    }
}

/// What is said of a client that claims a domain.
pub(super) fn of_claim(policy: &Policy, finding: &Finding, address: &str, domain: &str) -> String {
    let claim = match finding.identity {
        Identity::Helo => "to call itself",
        _ => "to send mail for",
    };
    let why = cause(policy, finding).map_or_else(String::new, |cause| format!(" ({cause})"));
    match finding.result {
        FindingResult::Fail => format!("{address} is not permitted {claim} {domain}{why}"),
        FindingResult::Softfail => {
            format!("{address} is probably not permitted {claim} {domain}{why}")
        }
        FindingResult::Temperror => format!("no answer about {domain} at this time{why}"),
        FindingResult::Permerror => format!("what {domain} publishes cannot be used{why}"),
        result => format!("{address} is not known to be permitted {claim} {domain}: {result}{why}"),
    }
}
