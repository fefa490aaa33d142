//! What of a case is counted.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use quivive_evidence::{Facts, FindingResult, Identity, Method};
use quivive_mail::domain::to_ascii;
use quivive_verdict::Action;

use crate::encode::Encoded;

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
    pub(crate) spans: HashMap<i64, (i64, i64), RandomState>,
    pub(crate) actions: HashMap<(i64, Action), i64, RandomState>,
    pub(crate) findings: HashMap<(i64, Method, Identity, FindingResult), i64, RandomState>,
    pub(crate) refused: HashMap<(i64, String), i64, RandomState>,
}

impl Tally {
    /// Counts a case that was written as number `seq`.
    pub(crate) fn add(&mut self, case: &Encoded, seq: i64) {
        let hour = case.at / HOUR;
        let span = self.spans.entry(hour).or_insert((seq, seq));
        *span = (span.0.min(seq), span.1.max(seq));
        *self.actions.entry((hour, case.action)).or_default() += 1;
        // A message with two findings alike is one message with such a finding.
        for (place, kind) in case.kinds().enumerate() {
            if case.kinds().take(place).all(|before| before != kind) {
                let (method, identity, result) = kind;
                *self.findings.entry((hour, method, identity, result)).or_default() += 1;
            }
        }
        if let Some(domain) = &case.refused {
            *self.refused.entry((case.at / DAY, domain.clone())).or_default() += 1;
        }
    }
}

/// When the message came.
pub(crate) fn seconds(facts: &Facts) -> i64 {
    i64::try_from(facts.now).unwrap_or(i64::MAX)
}

/// The domain that the message claims to come from: that of the reverse-path, or else HELO's.
pub(crate) fn sender_domain(facts: &Facts) -> String {
    let domain = facts.reverse_path.rsplit_once('@').map_or(&*facts.helo, |(_, domain)| domain);
    let mut domain = to_ascii(domain);
    domain.truncate(domain.floor_char_boundary(DOMAIN_OCTETS_MAX));
    domain
}
