//! Instructions a check, counted by callgrind: the one figure that a busy machine does not change.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::spf::worker::Worker;
use crate::table::Table;

/// The table of the compiled programs, or why there is none.
pub(crate) fn report(workers: &[Worker], folder: &Path, queries: usize) -> String {
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        return "\nskipped: instructions: valgrind is not installed\n".to_owned();
    }
    let mut table = Table::new(&["", "instructions a check", "of the first row's"]);
    let mut yardstick = None;
    for worker in workers.iter().filter(|worker| worker.words()[0] != "python3") {
        match warm_pass(worker, folder) {
            Ok(instructions) => {
                let instructions = instructions as f64 / queries as f64;
                let part = instructions / *yardstick.get_or_insert(instructions);
                let cells = [worker.name().to_owned(), format!("{instructions:.0}")];
                table.row(cells.into_iter().chain([format!("{part:.3}")]).collect());
            }
            Err(reason) => return format!("\nskipped: instructions: {reason}\n"),
        }
    }
    format!("\nInstructions (callgrind; the same in every run).\n\n{table}")
}

/// The instructions of a second pass: those of two passes without those of one.
fn warm_pass(worker: &Worker, folder: &Path) -> Result<u64, String> {
    Ok(passes(worker, folder, 2)?.saturating_sub(passes(worker, folder, 1)?))
}

fn passes(worker: &Worker, folder: &Path, count: usize) -> Result<u64, String> {
    let failed = |error: std::io::Error| format!("valgrind: {error}");
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*measured_pass*"]);
    command.arg(format!("--callgrind-out-file={}", folder.join("callgrind.out").display()));
    command.args(worker.words());
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let mut input = child.stdin.take().expect("the input is piped");
    input.write_all("pass 0 1\n".repeat(count).as_bytes()).map_err(failed)?;
    drop(input);
    let output = child.wait_with_output().map_err(failed)?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| line.split_once("Collected : "));
    let number = collected.and_then(|(_, number)| number.trim().parse().ok());
    number.ok_or_else(|| format!("valgrind says no number of instructions for {}", worker.name()))
}
