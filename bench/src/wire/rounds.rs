//! Programs in turn, round by round.

use std::io::Result;
use std::time::Duration;

use quivive_bench_measure::{Start, WirePass, WireRequest};
use quivive_evidence::Notebook;

use super::peers::Program;
use crate::corpus::{self, Corpus};
use crate::series::Series;
use crate::spf::subject::WARM_PASSES;
use crate::table::{Table, percent, ratio};

/// How long a pass over what is known takes at least: well above the clock's ticks.
const PASS: Duration = Duration::from_millis(80);

/// Rounds of a program that is so slow that one pass takes longer than [`SLOW`].
const SLOW_ROUNDS: usize = 3;
const SLOW: Duration = Duration::from_millis(600);

/// What is asked of a program, and how often.
struct Plan {
    request: WireRequest,
    rounds: usize,
}

/// What came of it.
#[derive(Default, Clone)]
struct Measured {
    elapsed: Series,
    processor: Series,
    last: Option<WirePass>,
}

/// The table of the programs, over the name server that is near.
pub(super) fn near(programs: &mut [Program], request: WireRequest, rounds: usize) -> Result<Table> {
    let mut plans = Vec::new();
    for program in &mut *programs {
        plans.push(plan(program, request, rounds)?);
    }
    let mut measured = vec![Measured::default(); programs.len()];
    for round in 0..rounds {
        for turn in 0..programs.len() {
            let index = (round + turn) % programs.len();
            match &plans[index] {
                Some(plan) if round < plan.rounds => {
                    measured[index].add(programs[index].worker.wire(plan.request)?);
                }
                _ => {}
            }
        }
    }
    Ok(table(programs, &measured))
}

/// Makes a program ready, and sees how long it takes; none where it cannot do it.
fn plan(program: &mut Program, request: WireRequest, rounds: usize) -> Result<Option<Plan>> {
    let Some(request) = program.asked(request) else { return Ok(None) };
    let mut pass = program.worker.wire(WireRequest { start: Start::Cold, ..request })?;
    let mut repeats = 1;
    if request.start == Start::Warm {
        pass = program.worker.wire(request)?;
        if pass.elapsed < SLOW {
            program.worker.wire(WireRequest { repeats: WARM_PASSES, ..request })?;
            pass = program.worker.wire(request)?;
        }
        let passes = PASS.as_secs_f64() / pass.elapsed.as_secs_f64();
        repeats = passes.ceil() as usize;
    }
    let rounds = if pass.elapsed > SLOW { rounds.min(SLOW_ROUNDS) } else { rounds };
    Ok(Some(Plan { request: WireRequest { repeats, ..request }, rounds }))
}

impl Measured {
    fn add(&mut self, pass: WirePass) {
        let each = |time: Duration| time.as_secs_f64() * 1e6 / pass.checks as f64;
        self.elapsed.add(each(pass.elapsed));
        self.processor.add(each(pass.processor));
        self.last = Some(pass);
    }
}

fn table(programs: &[Program], measured: &[Measured]) -> Table {
    let headings =
        ["", "speed", "noise", "us", "speed by processor", "noise", "us of processor", "right"];
    let mut table = Table::new(&headings);
    for (program, measured_here) in programs.iter().zip(measured) {
        let Some(last) = measured_here.last else { continue };
        let mut cells = vec![program.worker.name().to_owned()];
        for (base, own) in [
            (&measured[0].elapsed, &measured_here.elapsed),
            (&measured[0].processor, &measured_here.processor),
        ] {
            let speed = base.ratio_to(own);
            cells.extend([
                ratio(speed.median()),
                percent(speed.noise(), 0),
                format!("{:.2}", own.median()),
            ]);
        }
        cells.push(right(&last));
        table.row(cells);
    }
    table
}

/// How often the queries wait in the mean when all questions of a round are answered at once.
pub(super) fn chain(corpus: &Corpus, queries: usize) -> f64 {
    let rounds = corpus.mix[..queries].iter().map(|query| {
        let mut notebook = Notebook::default();
        corpus::answer_in_rounds(query, &corpus.zone, &mut notebook).1
    });
    rounds.sum::<usize>() as f64 / queries as f64
}

/// The table of the programs, over the name server that is far away: one pass each, for it is the
/// delay that takes the time.
pub(super) fn far(programs: &mut [Program], request: WireRequest, chain: f64) -> Result<Table> {
    let mut table = Table::new(&["", "ms a check", "delays", "ms beyond", "right"]);
    let delay = super::DELAY.as_secs_f64();
    for program in programs {
        let Some(request) = program.asked(request) else { continue };
        let pass = program.worker.wire(request)?;
        let each = pass.count.waited.as_secs_f64() / pass.checks as f64;
        table.row(vec![
            program.worker.name().to_owned(),
            format!("{:.1}", each * 1e3),
            format!("{:.2}", each / delay),
            format!("{:.1}", (each - chain * delay) * 1e3),
            right(&pass),
        ]);
    }
    Ok(table)
}

fn right(pass: &WirePass) -> String {
    percent(pass.count.right as f64 / pass.checks as f64, 2)
}
