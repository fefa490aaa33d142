//! The page of what is proven with which mail server: tests note their cells below `target`.

use std::fs;

use crate::program::{cargo, run};
use crate::{Result, root};

/// A run begins with nothing noted.
pub(crate) fn clear() -> Result {
    let folder = root().join("target/matrix");
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}

/// Fails where the page and the last run differ.
pub(crate) fn compare() -> Result {
    run(&mut matrix("compare"))
}

/// Writes the page from the last run.
pub(crate) fn write() -> Result {
    run(&mut matrix("write"))
}

fn matrix(what: &str) -> std::process::Command {
    cargo(&["run", "--quiet", "--package", "quivive-e2e", "--bin", "matrix", "--", what])
}
