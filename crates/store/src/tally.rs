//! What of a case is counted.

use std::collections::HashMap;

use quivive_evidence::{Finding, FindingResult, Identity, Method};
use quivive_mail::domain::to_ascii;
use quivive_verdict::{Action, Case};

/// How many domains a day are counted by name; refusals of all further ones are counted together.
pub(crate) const DOMAINS_A_DAY_MAX: i64 = 2000;

/// How long a domain that is counted may be; none in DNS is longer.
const DOMAIN_OCTETS_MAX: usize = 255;

/// Seconds of an hour.
pub(crate) const HOUR: i64 = 3600;

/// Seconds of a day.
pub(crate) const DAY: i64 = 24 * HOUR;

/// The counters of a batch.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) spans: HashMap<i64, (i64, i64)>,
    pub(crate) actions: HashMap<(i64, Action), i64>,
    pub(crate) findings: HashMap<(i64, Method, Identity, FindingResult), i64>,
    pub(crate) refused: HashMap<(i64, String), i64>,
}

impl Tally {
    /// Counts a case that was written as number `seq`.
    pub(crate) fn add(&mut self, case: &Case, seq: i64) {
        let at = seconds(case);
        let hour = at / HOUR;
        let span = self.spans.entry(hour).or_insert((seq, seq));
        *span = (span.0.min(seq), span.1.max(seq));
        let action = case.verdict.action;
        *self.actions.entry((hour, action)).or_default() += 1;
        // A message with two findings alike is one message with such a finding.
        let kind = |finding: &Finding| (finding.method, finding.identity, finding.result);
        for (place, finding) in case.findings.iter().enumerate() {
            let (method, identity, result) = kind(finding);
            if case.findings[..place].iter().all(|before| kind(before) != kind(finding)) {
                *self.findings.entry((hour, method, identity, result)).or_default() += 1;
            }
        }
        if matches!(action, Action::Reject | Action::Defer) {
            *self.refused.entry((at / DAY, sender_domain(case))).or_default() += 1;
        }
    }
}

/// When the message came.
pub(crate) fn seconds(case: &Case) -> i64 {
    i64::try_from(case.facts.now).unwrap_or(i64::MAX)
}

/// The domain that the message claims to come from: that of the reverse-path, or else HELO's.
fn sender_domain(case: &Case) -> String {
    let facts = &case.facts;
    let domain = facts.reverse_path.rsplit_once('@').map_or(&*facts.helo, |(_, domain)| domain);
    let mut domain = to_ascii(domain);
    domain.truncate(domain.floor_char_boundary(DOMAIN_OCTETS_MAX));
    domain
}
