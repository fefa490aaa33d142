//! What of a case is counted.

use std::collections::{BTreeSet, HashMap};

use quivive_evidence::{FindingResult, Identity, Method};
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

/// What of one case is counted.
#[derive(Debug, Clone)]
pub(crate) struct Counted {
    pub(crate) action: Action,
    pub(crate) findings: BTreeSet<(Method, Identity, FindingResult)>,
    /// The domain that was refused, if it was.
    pub(crate) refused: Option<String>,
}

/// The counters of a batch.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) spans: HashMap<i64, (i64, i64)>,
    pub(crate) actions: HashMap<(i64, Action), i64>,
    pub(crate) findings: HashMap<(i64, Method, Identity, FindingResult), i64>,
    pub(crate) refused: HashMap<(i64, String), i64>,
}

impl Counted {
    pub(crate) fn of(case: &Case) -> Self {
        let findings = case.findings.iter();
        let refused = matches!(case.verdict.action, Action::Reject | Action::Defer);
        Self {
            action: case.verdict.action,
            findings: findings
                .map(|finding| (finding.method, finding.identity, finding.result))
                .collect(),
            refused: refused.then(|| sender_domain(case)),
        }
    }
}

impl Tally {
    /// Counts a case that was written as number `seq`.
    pub(crate) fn add(&mut self, at: i64, seq: i64, counted: &Counted) {
        let hour = at / HOUR;
        let span = self.spans.entry(hour).or_insert((seq, seq));
        *span = (span.0.min(seq), span.1.max(seq));
        *self.actions.entry((hour, counted.action)).or_default() += 1;
        for (method, identity, result) in &counted.findings {
            *self.findings.entry((hour, *method, *identity, *result)).or_default() += 1;
        }
        if let Some(domain) = &counted.refused {
            *self.refused.entry((at / DAY, domain.clone())).or_default() += 1;
        }
    }
}

/// The domain that the message claims to come from: that of the reverse-path, or else HELO's.
fn sender_domain(case: &Case) -> String {
    let facts = &case.facts;
    let domain = facts.reverse_path.rsplit_once('@').map_or(&*facts.helo, |(_, domain)| domain);
    let mut domain = to_ascii(domain);
    domain.truncate(domain.floor_char_boundary(DOMAIN_OCTETS_MAX));
    domain
}
