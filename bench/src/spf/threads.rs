//! Several threads that check at once, over the same answers.

use std::io::{Error, Result};
use std::path::Path;

use quivive_bench_measure::{ThreadsRequest, WirePass};

use super::rounds::warm_passes;
use super::{others, subject};
use crate::series::Series;
use crate::table::{Table, percent};

/// How long a pass takes at least, in seconds.
const PASS_SECONDS: f64 = 0.08;

/// The table of all programs with 1, 2, 4 ... threads, as many as there are processors.
pub(super) fn report(folder: &Path, rounds: usize) -> Result<String> {
    let counts = counts(std::thread::available_parallelism()?.get());
    let mut workers = others(folder, subject::THREADS, subject::NAMES[1])?;
    let mut plans = Vec::new();
    for worker in &mut workers {
        let warm = warm_passes(worker.name());
        worker.threads(ThreadsRequest { threads: 1, repeats: warm })?;
        let pass = worker.threads(ThreadsRequest { threads: 1, repeats: 1 })?;
        plans.push((PASS_SECONDS / pass.elapsed.as_secs_f64()).ceil() as usize);
    }
    let mut cost = vec![vec![Series::default(); counts.len()]; workers.len()];
    let mut last: Vec<Option<WirePass>> = vec![None; workers.len()];
    for round in 0..rounds {
        for turn in 0..workers.len() {
            let index = (round + turn) % workers.len();
            for (threads, cost) in counts.iter().zip(&mut cost[index]) {
                let request = ThreadsRequest { threads: *threads, repeats: plans[index] };
                let pass = workers[index].threads(request)?;
                cost.add(pass.elapsed.as_nanos() as f64 / pass.checks as f64);
                last[index] = Some(pass);
            }
        }
    }
    let mut headings = vec![String::new()];
    headings.extend(counts.iter().map(|count| match count {
        1 => "1 thread, us a check".to_owned(),
        count => format!("{count} threads"),
    }));
    headings.extend(["noise", "right"].map(str::to_owned));
    let mut table = Table::new(&headings.iter().map(String::as_str).collect::<Vec<_>>());
    for ((worker, cost), last) in workers.iter().zip(&cost).zip(last) {
        let last = last.ok_or_else(|| Error::other("no round"))?;
        let right = percent(last.count.right as f64 / last.checks as f64, 2);
        table.row(row(worker.name(), cost, right));
    }
    Ok(format!(
        "\nHow speed grows with threads that share the answers: how many times as many checks a \
         second as one of them\nmakes, by the clock on the wall.\n\n{table}"
    ))
}

fn row(name: &str, cost: &[Series], right: String) -> Vec<String> {
    let factors: Vec<Series> = cost[1..].iter().map(|many| cost[0].ratio_to(many)).collect();
    let noise = factors.last().map_or(0.0, Series::noise);
    let mut cells = vec![name.to_owned(), format!("{:.2}", cost[0].median() / 1000.0)];
    cells.extend(factors.iter().map(|factor| format!("{:.2}", factor.median())));
    cells.extend([percent(noise, 0), right]);
    cells
}

/// 1, 2, 4 ..., and all.
fn counts(processors: usize) -> Vec<usize> {
    let doubled = std::iter::successors(Some(1), |count| Some(count * 2));
    let mut counts: Vec<usize> = doubled.take_while(|count| *count < processors).collect();
    counts.push(processors);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_threads_as_processors() {
        assert_eq!([counts(1), counts(2), counts(6)], [vec![1], vec![1, 2], vec![1, 2, 4, 6]]);
    }

    #[test]
    fn factors_are_those_of_a_round() {
        let one: Series = [1000.0, 2000.0].into_iter().collect();
        let two: Series = [500.0, 1000.0].into_iter().collect();
        let cells = row("a", &[one, two], "100.00 %".to_owned());
        assert_eq!(cells, ["a", "1.50", "2.00", "0 %", "100.00 %"]);
    }
}
