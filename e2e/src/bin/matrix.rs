//! The page of what is proven with which mail server: compares it with the last run of the tests,
//! or writes it. `cargo xtask test` and `cargo xtask matrix` run this.
#![expect(clippy::print_stderr, reason = "a command line program")]

use std::fs;
use std::io;
use std::process::ExitCode;

use quivive_e2e::matrix;

fn main() -> io::Result<ExitCode> {
    let page = matrix::page_of_run()?;
    let path = matrix::page_path();
    if std::env::args().nth(1).as_deref() == Some("write") {
        fs::write(path, page)?;
        return Ok(ExitCode::SUCCESS);
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    if written == page {
        return Ok(ExitCode::SUCCESS);
    }
    for line in page.lines().filter(|line| !written.lines().any(|known| known == *line)) {
        eprintln!("the run shows:  {line}");
    }
    for line in written.lines().filter(|line| !page.lines().any(|known| known == *line)) {
        eprintln!("docs/matrix.md: {line}");
    }
    eprintln!("docs/matrix.md is not what the tests have shown: `cargo xtask matrix` writes it");
    Ok(ExitCode::FAILURE)
}
