//! Speed, side by side with its limits and peers: what the package of benches measures.

use crate::Result;
use crate::peers;
use crate::program::{cargo, run_printing};

/// Runs the benches with optimisation; `arguments` go to them.
pub(crate) fn run(arguments: &[&str]) -> Result {
    peers::unpack()?;
    let program = ["run", "--release", "--package", "quivive-bench", "--"];
    run_printing(cargo(&program).args(arguments))
}
