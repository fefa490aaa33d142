//! Long tests, whole: the ordinary tests run a hundredth of each.

use crate::Result;
use crate::peers;
use crate::program::{cargo, run as run_program};

/// How many cases the store's soak writes and judges again.
const CASES: &str = "100000";

/// Runs the store's soak, or one of `quivive-e2e` by its name, with optimisation: ours and the
/// program's.
pub(crate) fn run(name: &str) -> Result {
    if name == "store" {
        let soak = ["run", "--release", "--package", "quivive-store", "--example", "soak", "--"];
        return run_program(cargo(&soak).arg(CASES));
    }
    peers::unpack()?;
    let soak = ["run", "--release", "--package", "quivive-e2e", "--bin", "soak", "--", name];
    run_program(&mut cargo(&soak))
}
