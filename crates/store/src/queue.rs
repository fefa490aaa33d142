//! What waits to be written.

use std::collections::VecDeque;
use std::sync::Mutex;

use quivive_evidence::{Finding, Header, Recorded, TraceNode};
use quivive_verdict::Case;
use tokio::sync::Notify;

/// How many cases wait at most; more are dropped, and counted.
pub const CASES_WAITING_MAX: usize = 20_000;

/// How many octets waiting cases take at most, as far as that can be told in a hurry.
pub const OCTETS_WAITING_MAX: usize = 64 * 1024 * 1024;

/// How many cases a transaction writes at most: what a batch has in common is written once.
pub(crate) const BATCH_MAX: usize = 2048;

/// How many octets of cases a transaction writes at most, by the same count, save for one case that
/// has more.
pub(crate) const BATCH_OCTETS_MAX: usize = 8 * 1024 * 1024;

/// What a case takes beside its texts.
const CASE_OCTETS: usize = 1024;

/// What each part of a case takes beside its texts.
const PART_OCTETS: usize = 160;

/// A bounded queue of cases.
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    cases_max: usize,
    octets_max: usize,
    /// Told with the first case that waits, and when there are [`BATCH_MAX`].
    pub(crate) filled: Notify,
    /// Told when cases were taken.
    drained: Notify,
}

#[derive(Default)]
struct Waiting {
    cases: VecDeque<(Case, usize)>,
    octets: usize,
}

impl Queue {
    pub(crate) fn new(cases_max: usize, octets_max: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            cases_max,
            octets_max,
            filled: Notify::new(),
            drained: Notify::new(),
        }
    }

    /// Puts a case at the end; `false` if there is no room.
    pub(crate) fn push(&self, case: Case) -> bool {
        let octets = octets(&case);
        let length = {
            let mut waiting = self.lock();
            let fits = waiting.cases.len() < self.cases_max
                && waiting.octets.saturating_add(octets) <= self.octets_max;
            if !fits {
                return false;
            }
            waiting.octets += octets;
            waiting.cases.push_back((case, octets));
            waiting.cases.len()
        };
        if length == 1 || length == BATCH_MAX {
            self.filled.notify_one();
        }
        true
    }

    /// Takes the first cases: `max` at most, and not more than go into a batch.
    pub(crate) fn take(&self, max: usize) -> Vec<Case> {
        let mut waiting = self.lock();
        let mut octets = 0;
        let fit = waiting.cases.iter().take(max.min(BATCH_MAX)).take_while(|(_, one)| {
            let is_first = octets == 0;
            octets += one;
            is_first || octets <= BATCH_OCTETS_MAX
        });
        let count = fit.count();
        let taken: Vec<_> = waiting.cases.drain(..count).collect();
        waiting.octets -= taken.iter().map(|(_, octets)| octets).sum::<usize>();
        drop(waiting);
        self.drained.notify_waiters();
        taken.into_iter().map(|(case, _)| case).collect()
    }

    /// Gives up all that waits, and says how many cases that were.
    pub(crate) fn give_up(&self) -> usize {
        std::mem::take(&mut *self.lock()).cases.len()
    }

    /// Whether half of it is free.
    pub(crate) fn has_room(&self) -> bool {
        let waiting = self.lock();
        waiting.cases.len() <= self.cases_max / 2 && waiting.octets <= self.octets_max / 2
    }

    /// Waits until half of it is free.
    pub(crate) async fn room(&self) {
        loop {
            let drained = self.drained.notified();
            if self.has_room() {
                return;
            }
            drained.await;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().cases.len()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.cases_max
    }

    /// Nobody panics with the lock held, so that it cannot be poisoned.
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// About how much memory a case takes. Nothing is written for it.
fn octets(case: &Case) -> usize {
    let texts = |texts: &[String]| texts.iter().map(|text| text.len() + 24).sum::<usize>();
    let facts = &case.facts;
    let recipients = case.verdict.recipients.iter();
    CASE_OCTETS
        + facts.helo.len()
        + facts.reverse_path.len()
        + facts.submitter.as_ref().map_or(0, String::len)
        + facts.header.as_ref().map_or(0, of_header)
        + texts(&facts.recipients)
        + recipients
            .map(|one| PART_OCTETS + one.recipient.len() + one.reply.text.len())
            .sum::<usize>()
        + texts(&case.verdict.reasons)
        + texts(&case.headers.received_spf)
        + case.headers.authentication_results.len()
        + case.findings.iter().map(of_finding).sum::<usize>()
        + case.evidence.iter().map(of_answer).sum::<usize>()
}

fn of_header(header: &Header) -> usize {
    let fields = header.fields.iter();
    fields.map(|field| 64 + field.name.len() + field.value.0.len()).sum::<usize>()
        + header.received.iter().map(|value| value.0.len()).sum::<usize>()
}

pub(crate) fn of_finding(finding: &Finding) -> usize {
    let explanation = finding.explanation.as_ref().map_or(0, String::len);
    let needed = finding.needed.len() * PART_OCTETS;
    let properties = finding.properties.iter();
    let properties = properties.map(|one| 64 + one.name.len() + one.value.len()).sum::<usize>();
    let texts = finding.domain.len() + explanation + properties;
    PART_OCTETS + texts + needed + of_trace(&finding.trace)
}

/// The depth is bounded by the terms that a record may have evaluated.
fn of_trace(trace: &[TraceNode]) -> usize {
    let of_node = |node: &TraceNode| {
        PART_OCTETS + node.term.len() + node.questions.len() * 32 + of_trace(&node.children)
    };
    trace.iter().map(of_node).sum()
}

pub(crate) fn of_answer(answer: &Recorded) -> usize {
    PART_OCTETS + answer.records.iter().map(|record| record.len() + 24).sum::<usize>()
}
