//! What is counted while Quivive runs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use quivive_evidence::{Finding, FindingResult, Identity, Method};
use quivive_verdict::{Action, Judgement};

/// The upper bounds of the classes into which the time of a check falls, in microseconds.
pub(crate) const CHECK_BOUNDS: [u64; 12] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000,
    25_000_000,
];

/// Counters of judgements and sessions. They begin at zero with the process, and only grow.
#[derive(Default)]
pub struct Metrics {
    judged: Mutex<Judged>,
    checks: Histogram,
    sessions: Mutex<BTreeMap<&'static str, SessionCounts>>,
    logins: Mutex<BTreeMap<(&'static str, LoginResult), u64>>,
    srs: [AtomicU64; SrsResult::ALL.len()],
}

/// How an attempt to log in ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoginResult {
    /// The client is logged in.
    Pass,
    /// The name or its proof was wrong, or may not act as whom it named.
    Fail,
    /// What the client said is not of the mechanism.
    Malformed,
    /// The client gave up.
    Cancelled,
    /// Its network had failed too often.
    Throttled,
    /// It could not be found out.
    Unavailable,
}

impl LoginResult {
    /// The value of the label.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Malformed => "malformed",
            Self::Cancelled => "cancelled",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
        }
    }

    /// What it counts, for people.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Pass => "Logged in",
            Self::Fail => "Refused: wrong name or password",
            Self::Malformed => "Refused: not of the mechanism",
            Self::Cancelled => "Given up",
            Self::Throttled => "Refused: too many failures",
            Self::Unavailable => "Could not be found out",
        }
    }
}

/// What became of an address that was to be rewritten, or found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SrsResult {
    /// A sender was rewritten.
    Rewritten,
    /// A sender stayed as it was.
    Kept,
    /// A rewritten address came back.
    Pass,
    /// One did not: it is forged, or may not be used so.
    Fail,
    /// One did not: it is too old.
    Expired,
    /// A recipient is no rewritten address of ours.
    None,
}

impl SrsResult {
    /// All of them.
    pub(crate) const ALL: [Self; 6] =
        [Self::Rewritten, Self::Kept, Self::Pass, Self::Fail, Self::Expired, Self::None];

    /// What it counts, for people.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Rewritten => "Senders rewritten",
            Self::Kept => "Senders left as they are",
            Self::Pass => "Came back",
            Self::Fail => "Refused: forged, or no bounce",
            Self::Expired => "Refused: too old",
            Self::None => "No forwarding address",
        }
    }

    /// What was done, and what came of it.
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Rewritten => ("forward", "rewritten"),
            Self::Kept => ("forward", "kept"),
            Self::Pass => ("reverse", "pass"),
            Self::Fail => ("reverse", "fail"),
            Self::Expired => ("reverse", "expired"),
            Self::None => ("reverse", "none"),
        }
    }
}

#[derive(Default)]
struct Judged {
    findings: BTreeMap<(Method, Identity, FindingResult), u64>,
    actions: BTreeMap<Action, u64>,
}

/// How many of a door's sessions there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SessionCounts {
    /// Since the start.
    pub(crate) begun: u64,
    /// Now.
    pub(crate) open: u64,
}

/// How many values fell into each class, and their sum.
#[derive(Default)]
pub(crate) struct Histogram {
    /// One more than there are bounds: the last has none.
    classes: [AtomicU64; CHECK_BOUNDS.len() + 1],
    sum: AtomicU64,
}

impl Metrics {
    /// Counts a judgement.
    pub fn judged(&self, judgement: &Judgement) {
        self.count(&judgement.findings, judgement.verdict.action);
        self.checks.add(judgement.cost.micros);
    }

    /// Counts a session at a door, for as long as what is given back exists.
    #[must_use]
    pub fn session(self: &std::sync::Arc<Self>, door: &'static str) -> OpenSession {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = sessions.entry(door).or_default();
        counts.begun += 1;
        counts.open += 1;
        OpenSession { metrics: self.clone(), door }
    }

    /// Counts an attempt to log in by this mechanism.
    pub fn login(&self, mechanism: &'static str, result: LoginResult) {
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        *logins.entry((mechanism, result)).or_default() += 1;
    }

    pub(crate) fn logins(&self) -> BTreeMap<(&'static str, LoginResult), u64> {
        self.logins.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts an address that was to be rewritten, or found again.
    pub fn srs(&self, result: SrsResult) {
        self.srs[result as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn srs_counts(&self) -> [(SrsResult, u64); SrsResult::ALL.len()] {
        SrsResult::ALL.map(|result| (result, self.srs[result as usize].load(Ordering::Relaxed)))
    }

    fn count(&self, findings: &[Finding], action: Action) {
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        for finding in findings {
            let key = (finding.method, finding.identity, finding.result);
            *judged.findings.entry(key).or_default() += 1;
        }
        *judged.actions.entry(action).or_default() += 1;
    }

    pub(crate) fn findings(&self) -> BTreeMap<(Method, Identity, FindingResult), u64> {
        self.judged.lock().unwrap_or_else(PoisonError::into_inner).findings.clone()
    }

    pub(crate) fn actions(&self) -> BTreeMap<Action, u64> {
        self.judged.lock().unwrap_or_else(PoisonError::into_inner).actions.clone()
    }

    pub(crate) fn checks(&self) -> &Histogram {
        &self.checks
    }

    pub(crate) fn sessions(&self) -> BTreeMap<&'static str, SessionCounts> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A session that is counted as open.
pub struct OpenSession {
    metrics: std::sync::Arc<Metrics>,
    door: &'static str,
}

impl Drop for OpenSession {
    fn drop(&mut self) {
        let mut sessions = self.metrics.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counts) = sessions.get_mut(self.door) {
            counts.open -= 1;
        }
    }
}

impl Histogram {
    fn add(&self, micros: u64) {
        let class = CHECK_BOUNDS.partition_point(|bound| *bound < micros);
        self.classes[class].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(micros, Ordering::Relaxed);
    }

    /// How many values were at most each bound, then how many there were; and their sum.
    pub(crate) fn cumulated(&self) -> (Vec<u64>, u64) {
        let mut below = 0;
        let counts = self.classes.iter().map(|class| {
            below += class.load(Ordering::Relaxed);
            below
        });
        (counts.collect(), self.sum.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn sessions_are_open_while_they_last() {
        let metrics = Arc::new(Metrics::default());
        let first = metrics.session("gateway");
        let second = metrics.session("gateway");
        drop(first);
        assert_eq!(metrics.sessions()["gateway"], SessionCounts { begun: 2, open: 1 });
        drop(second);
        assert_eq!(metrics.sessions()["gateway"], SessionCounts { begun: 2, open: 0 });
    }

    #[test]
    fn times_fall_into_classes() {
        let histogram = Histogram::default();
        for micros in [0, 500, 501, 25_000_000, u64::from(u32::MAX)] {
            histogram.add(micros);
        }
        let (counts, sum) = histogram.cumulated();
        assert_eq!(counts[..2], [2, 3]);
        assert_eq!(counts[CHECK_BOUNDS.len() - 1..], [4, 5]);
        assert_eq!(sum, 25_001_001 + u64::from(u32::MAX));
    }
}
