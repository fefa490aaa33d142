//! Long tests, whole: the ordinary tests run a hundredth of each.

use crate::Result;
use crate::program::{cargo, run as run_program};
use crate::{peers, suites};

/// Runs a soak test of `quivive-e2e` by its name, with the release build of the program.
pub(crate) fn run(name: &str) -> Result {
    suites::fetch()?;
    peers::unpack()?;
    run_program(&mut cargo(&["build", "--release", "--package", "quivive"]))?;
    let soak = ["run", "--release", "--package", "quivive-e2e", "--bin", "soak", "--", name];
    run_program(&mut cargo(&soak))
}
