//! Speed, side by side with its limits and peers: what the package of benches measures.

use crate::Result;
use crate::peers;
use crate::program::{cargo, run_printing};

/// Runs the benches with optimisation; `arguments` go to them. What is missing of the peers they
/// say themselves.
pub(crate) fn run(arguments: &[&str]) -> Result {
    if !matches!(arguments.first(), Some(&"memory" | &"domains"))
        && let Err(error) = peers::unpack()
    {
        eprintln!("bench: without mail servers of others: {error}");
    }
    let program = ["run", "--release", "--package", "quivive-bench", "--"];
    run_printing(cargo(&program).args(arguments))
}
