//! Speed: the benches of the package that holds them, beside their limits and peers.

use crate::Result;
use crate::program::{cargo, run as run_program};

const PACKAGE: &str = "quivive-bench";

/// Runs the benches; `arguments` go to them.
pub(crate) fn run(arguments: &[&str]) -> Result {
    run_program(cargo(&["bench", "--package", PACKAGE, "--"]).args(arguments))
}
