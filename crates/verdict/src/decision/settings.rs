//! Which settings of our own an SPF result rests on, where the standard alone would give another.

use quivive_evidence::{Finding, Method, TraceNode};
use quivive_spf::{BEST_GUESS, Limits};

use crate::Policy;

/// The terms that ask DNS (RFC 7208 section 4.6.4).
const LOOK_UP_TERMS: &[&str] = &["include", "a", "mx", "ptr", "exists", "redirect"];

/// The setting, as the operator reads it in the reasons.
pub(super) fn behind(policy: &Policy, finding: &Finding) -> Option<String> {
    if finding.method != Method::Spf {
        return None;
    }
    let Limits { terms_max, void_lookups_max } = Limits::default();
    let (terms, voids) = (policy.spf_terms_max, policy.spf_void_lookups_max);
    match &*finding.cause {
        BEST_GUESS => Some("[spf] best_guess".to_owned()),
        "term-limit" if terms != terms_max => Some(format!("[spf] terms_max = {terms}")),
        "void-lookup-limit" if voids != void_lookups_max => {
            Some(format!("[spf] void_lookups_max = {voids}"))
        }
        _ if terms > terms_max && look_up_terms(&finding.trace) > terms_max => {
            Some(format!("[spf] terms_max = {terms}"))
        }
        _ => None,
    }
}

/// How many terms that ask DNS were evaluated.
fn look_up_terms(trace: &[TraceNode]) -> usize {
    let count = |node: &TraceNode| usize::from(asks(&node.term)) + look_up_terms(&node.children);
    trace.iter().map(count).sum()
}

fn asks(term: &str) -> bool {
    let term = term.trim_start_matches(['+', '-', '~', '?']);
    let name = term.split([':', '=', '/']).next().unwrap_or_default();
    LOOK_UP_TERMS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_that_ask() {
        for term in ["a", "-A/24", "?include:b.example", "redirect=b.example", "exists:%{i}.x"] {
            assert!(asks(term), "{term}");
        }
        for term in ["all", "ip4:192.0.2.1", "exp=a.example", "v=spf1 a", "", "amx"] {
            assert!(!asks(term), "{term}");
        }
    }
}
