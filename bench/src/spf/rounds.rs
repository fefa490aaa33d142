//! Programs in turn, round by round.

use std::io::{Error, Result};

use quivive_bench_measure::Pass;

use super::subject;
use super::worker::Worker;
use crate::series::Series;

/// How long a pass takes at least, in nanoseconds of processor time: well above the clock's ticks.
const PASS_NANOSECONDS: u64 = 80_000_000;

/// Rounds of a program that is so slow that one pass takes longer than [`SLOW_NANOSECONDS`].
const SLOW_ROUNDS: usize = 3;
const SLOW_NANOSECONDS: u64 = 1_000_000_000;

/// What one program did with one group of queries.
pub(super) struct Row {
    pub(super) name: String,
    /// Nanoseconds a check.
    pub(super) cost: Series,
    pub(super) last: Pass,
}

impl Row {
    /// Microseconds a check.
    pub(super) fn micros(&self) -> f64 {
        self.cost.median() / 1000.0
    }
}

/// Lets every program pass over a group in turn, round by round; who begins changes every round.
pub(super) fn measure(workers: &mut [Worker], group: usize, rounds: usize) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut plans = Vec::new();
    for worker in &mut *workers {
        // Passes ahead fill whatever the program keeps.
        let cold = worker.pass(group, 1)?;
        let slow = cold.nanoseconds > SLOW_NANOSECONDS;
        if !slow {
            worker.warm(group, warm_passes(worker.name()))?;
        }
        let last = if slow { cold } else { worker.pass(group, 1)? };
        let repeats = PASS_NANOSECONDS.div_ceil(last.nanoseconds.max(1));
        let repeats = usize::try_from(repeats).map_err(Error::other)?;
        plans.push((repeats, if slow { rounds.min(SLOW_ROUNDS) } else { rounds }));
        rows.push(Row { name: worker.name().to_owned(), cost: Series::default(), last });
    }
    for round in 0..rounds {
        for turn in 0..workers.len() {
            let index = (round + turn) % workers.len();
            let (repeats, rounds) = plans[index];
            if round < rounds {
                let pass = workers[index].pass(group, repeats)?;
                rows[index].cost.add(pass.nanoseconds as f64 / pass.checks as f64);
                rows[index].last = pass;
            }
        }
    }
    Ok(rows)
}

/// How often a program checks everything before nothing changes any more.
pub(super) fn warm_passes(name: &str) -> usize {
    if subject::NAMES.contains(&name) { subject::WARM_PASSES } else { 1 }
}
