//! Instructions a check, counted by callgrind: the one figure that a busy machine does not change.

use std::io::{Error, Result, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use super::rounds::warm_passes;
use super::worker::Worker;
use crate::corpus::Corpus;
use crate::table::Table;

/// How many queries of the mix are counted: counting takes fifty times as long as checking.
const QUERIES: usize = 1000;

/// The table of the compiled programs, or why there is none.
pub(super) fn report(workers: &[Worker], corpus: &Corpus) -> String {
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        return "\nskipped: instructions: valgrind is not installed\n".to_owned();
    }
    match table(workers, corpus) {
        Ok(table) => format!(
            "\nInstructions (callgrind; the same in every run), the first {QUERIES} queries, known \
             to each program beforehand.\n\n{table}"
        ),
        Err(error) => format!("\nskipped: instructions: {error}\n"),
    }
}

fn table(workers: &[Worker], corpus: &Corpus) -> Result<Table> {
    let folder = super::root().join("target/bench/counted");
    let queries = &corpus.mix[..QUERIES.min(corpus.mix.len())];
    corpus.write_groups(&folder, &[queries])?;
    let mut table = Table::new(&["", "instructions a check", "of the first row's"]);
    let mut yardstick = None;
    for worker in workers.iter().filter(|worker| worker.words()[0] != "python3") {
        let instructions = last_pass(worker, &folder)? as f64 / queries.len() as f64;
        let part = instructions / *yardstick.get_or_insert(instructions);
        let cells = [worker.name().to_owned(), format!("{instructions:.0}")];
        table.row(cells.into_iter().chain([format!("{part:.3}")]).collect());
    }
    Ok(table)
}

/// The instructions of a pass over the folder's queries after all that makes a program warm.
fn last_pass(worker: &Worker, folder: &Path) -> Result<u64> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*measured_pass*"]);
    command.arg(format!("--callgrind-out-file={}", folder.join("callgrind.out").display()));
    // The folder is the last word of every program's command line.
    let words = worker.words();
    command.args(&words[..words.len() - 1]).arg(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let mut input = child.stdin.take().expect("the input is piped");
    input.write_all(format!("warm 0 {}\npass 0 1\n", warm_passes(worker.name())).as_bytes())?;
    drop(input);
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let number = collected(&said);
    number.ok_or_else(|| Error::other(format!("valgrind counts nothing of {}", worker.name())))
}

fn collected(said: &str) -> Option<u64> {
    let line = said.lines().find_map(|line| line.split_once("Collected : "));
    line.and_then(|(_, number)| number.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::collected;

    #[test]
    fn the_count_is_read() {
        let said = "==7== Events    : Ir\n==7== Collected : 42176\n==7==\n";
        assert_eq!(collected(said), Some(42_176));
        assert_eq!(collected("valgrind: no such program"), None);
    }
}
