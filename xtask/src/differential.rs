//! The same generated worlds judged by Quivive and by other implementations of SPF.

use crate::Result;
use crate::peers;
use crate::program::{cargo, run_printing};

/// How many cases are compared where no number is given.
const CASES: &str = "100000";
const SEED: &str = "1";

/// Compares; `arguments` may hold `--cases N` and `--seed S`.
pub(crate) fn run(arguments: &[&str]) -> Result {
    let (mut cases, mut seed) = (CASES, SEED);
    for pair in arguments.chunks(2) {
        match pair {
            ["--cases", number] => cases = number,
            ["--seed", number] => seed = number,
            _ => return Err(format!("not understood: {}", pair.join(" ")).into()),
        }
    }
    peers::unpack()?;
    let program = ["run", "--package", "quivive-bench", "--", "differential"];
    run_printing(cargo(&program).args(["--cases", cases, "--seed", seed]))
}
