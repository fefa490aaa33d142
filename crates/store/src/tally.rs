//! What of a case is counted.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;
use quivive_evidence::{Facts, FindingResult, Identity, Method};
use quivive_mail::domain::to_ascii;
use quivive_verdict::Action;

use crate::encode::Encoded;
use crate::part::FindingKind;

/// How many domains a day are counted by name; refusals of all further ones are counted together.
pub(crate) const DOMAINS_A_DAY_MAX: i64 = 2000;

/// How long a domain that is counted may be; none in DNS is longer.
const DOMAIN_OCTETS_MAX: usize = 255;

/// Seconds of an hour.
pub(crate) const HOUR: i64 = 3600;

/// Seconds of a day.
pub(crate) const DAY: i64 = 24 * HOUR;

/// The counters of some cases.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) actions: HashMap<(i64, Action), i64, RandomState>,
    pub(crate) findings: HashMap<(i64, Method, Identity, FindingResult), i64, RandomState>,
    pub(crate) refused: HashMap<(i64, String), i64, RandomState>,
}

/// Which numbers the cases of each hour have: the first and the last.
pub(crate) type Spans = HashMap<i64, (i64, i64), RandomState>;

impl Tally {
    /// Of these cases.
    pub(crate) fn of<'c>(cases: impl IntoIterator<Item = &'c Encoded>) -> Self {
        let mut tally = Self::default();
        for case in cases {
            let kinds = case.parts.heads().map(|head| head.kind);
            tally.count(case.at, case.action, kinds, case.refused.clone());
        }
        tally
    }

    /// Counts a case: when its message came, what was done, its findings, and which domain it
    /// claims to come from if it was refused.
    pub(crate) fn count(
        &mut self,
        at: i64,
        action: Action,
        kinds: impl Iterator<Item = FindingKind> + Clone,
        refused: Option<String>,
    ) {
        let hour = at / HOUR;
        *self.actions.entry((hour, action)).or_default() += 1;
        // A message with two findings alike is one message with such a finding.
        for (place, kind) in kinds.clone().enumerate() {
            if kinds.clone().take(place).all(|before| before != kind) {
                let (method, identity, result) = kind;
                *self.findings.entry((hour, method, identity, result)).or_default() += 1;
            }
        }
        if let Some(domain) = refused {
            *self.refused.entry((at / DAY, domain)).or_default() += 1;
        }
    }

    /// Adds another's, so many times.
    pub(crate) fn add(&mut self, other: &Self, times: i64) {
        fn add<K: Clone + Eq + Hash>(
            to: &mut HashMap<K, i64, RandomState>,
            of: &HashMap<K, i64, RandomState>,
            times: i64,
        ) {
            for (key, count) in of {
                *to.entry(key.clone()).or_default() += count * times;
            }
        }
        add(&mut self.actions, &other.actions, times);
        add(&mut self.findings, &other.findings, times);
        add(&mut self.refused, &other.refused, times);
    }

    /// The hours in which the messages came.
    pub(crate) fn hours(&self) -> impl Iterator<Item = i64> {
        self.actions.keys().map(|(hour, _)| *hour)
    }
}

/// Widens the span of an hour.
pub(crate) fn widen(spans: &mut Spans, hour: i64, (first, last): (i64, i64)) {
    let span = spans.entry(hour).or_insert((first, last));
    *span = (span.0.min(first), span.1.max(last));
}

/// When the message came.
pub(crate) fn seconds(facts: &Facts) -> i64 {
    i64::try_from(facts.now).unwrap_or(i64::MAX)
}

/// Which domain a message claims to come from, if it is refused.
pub(crate) fn refused(facts: &Facts, action: Action) -> Option<String> {
    is_refusal(action).then(|| sender_domain(facts))
}

/// Whether the client hears that its message is not taken.
pub(crate) fn is_refusal(action: Action) -> bool {
    matches!(action, Action::Reject | Action::Defer)
}

/// The domain that the message claims to come from: that of the reverse-path, or else HELO's.
fn sender_domain(facts: &Facts) -> String {
    let domain = facts.reverse_path.rsplit_once('@').map_or(&*facts.helo, |(_, domain)| domain);
    let mut domain = to_ascii(domain);
    domain.truncate(domain.floor_char_boundary(DOMAIN_OCTETS_MAX));
    domain
}
