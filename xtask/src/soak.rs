//! Long tests, whole: the ordinary tests run a hundredth of each.

use crate::Result;
use crate::peers;
use crate::program::{cargo, run as run_program};

/// Runs a soak test of `quivive-e2e` by its name, with optimisation: ours and the program's.
pub(crate) fn run(name: &str) -> Result {
    peers::unpack()?;
    let soak = ["run", "--release", "--package", "quivive-e2e", "--bin", "soak", "--", name];
    run_program(&mut cargo(&soak))
}
