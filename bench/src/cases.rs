//! What keeping a case of a flood takes, in instructions: to pack it on the message's path, to put
//! it into the file so, and to write it out later.

use std::fmt::Write;
use std::io::{Error, Result};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use quivive_evidence::{Facts, Nonce};
use quivive_resolver::Resolver;
use quivive_server::check::Checker;
use quivive_store::{Settings, Store};
use quivive_verdict::Policy;

use crate::corpus;
use crate::table::Table;

/// How many messages are judged in the shorter run; in the longer one twice as many.
const MESSAGES: usize = 4096;

/// After how many messages all that waits is written: as many as make a flood.
const BATCH: usize = 1024;

/// How often it is asked whether the store is at rest.
const REST_TURN: Duration = Duration::from_secs(1);

/// How many times at most.
const REST_TURNS_MAX: usize = 300;

/// The threads of a run in the order in which they begin: what each does for a case.
const THREADS: &[&str] =
    &["packed, on the message's path", "made ready, by the writer", "written, by SQLite"];

/// Counts everything, and says it in a table.
///
/// # Errors
/// callgrind does not run, or says nothing.
pub fn run() -> Result<String> {
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        return Ok("skipped: instructions of a case: valgrind is not installed\n".to_owned());
    }
    let folder = tempfile::tempdir()?;
    let judged = per_message(folder.path(), "judged")?;
    let kept = per_message(folder.path(), "kept")?;
    let mut table = Table::new(&["a case", "instructions"]);
    let mut sum = 0.0;
    for (place, what) in THREADS.iter().enumerate() {
        let without = if place == 0 { judged.threads[0] } else { 0.0 };
        let instructions = kept.threads.get(place).copied().unwrap_or_default() - without;
        sum += instructions;
        table.row(vec![(*what).to_owned(), format!("{instructions:.0}")]);
    }
    table.row(vec!["in all".to_owned(), format!("{sum:.0}")]);
    table.row(vec!["judging its message".to_owned(), format!("{:.0}", judged.threads[0])]);
    let mut report = "Cases: instructions (callgrind), senders as for the gateway.\n\n".to_owned();
    write!(report, "{table}\nOctets a case in the file and its log: {:.0}.\n", kept.octets).ok();
    Ok(report)
}

/// Judges so many messages, and keeps them in a store of this folder; or does the same without.
///
/// # Errors
/// The store does not open, or loses a case.
pub fn inside(kind: &str, messages: usize, folder: &Path) -> Result<()> {
    let corpus = corpus::find()?;
    let senders: Vec<String> = corpus.mix.into_iter().map(|query| query.sender).collect();
    let policy = Arc::new(Policy::new("mx.example.test"));
    let checker = Checker::new(policy, Resolver::from_zone(corpus.zone));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = match kind {
            "kept" => Some(open(folder).await?),
            _ => None,
        };
        for number in 0..messages {
            let mut judgement = checker.check(facts(number, &senders)).await;
            let Some(store) = &store else { continue };
            let outcome = format!("250 2.0.0 Taken as {}", judgement.facts.case_id);
            let recipients = judgement.facts.recipients.clone();
            judgement.name_recipients(recipients);
            store.record(&judgement, "gateway", &outcome);
            if (number + 1) % BATCH == 0 {
                store.flush().await;
            }
        }
        let Some(store) = store else { return Ok(()) };
        store.flush().await;
        until_at_rest(&store).await?;
        let written = store.health().written;
        store.close().await;
        if written == messages as u64 {
            return Ok(());
        }
        Err(Error::other(format!("{written} of {messages} cases were written")))
    })
}

/// Waits for what the store puts off.
async fn until_at_rest(store: &Store) -> Result<()> {
    for _ in 0..REST_TURNS_MAX {
        if store.overview(0, 1).await.map_err(Error::other)?.cases_packed == 0 {
            return Ok(());
        }
        tokio::time::sleep(REST_TURN).await;
    }
    Err(Error::other("cases stay packed for ever"))
}

async fn open(folder: &Path) -> Result<Store> {
    let path = folder.join("cases.db");
    let settings =
        Settings { path, retain_days: 30, retain_mib: 1024, hash_addresses_after_days: 0 };
    Store::open(settings).await.map_err(Error::other)
}

fn facts(number: usize, senders: &[String]) -> Facts {
    let mut facts = Facts::new([127, 0, 0, 1].into());
    facts.helo = "client.example.test".to_owned();
    facts.reverse_path.clone_from(&senders[number % senders.len()]);
    facts.recipients = vec!["user@example.test".to_owned()];
    facts.receiver = "mx.example.test".to_owned();
    // Ids with the second in front and no order behind, as real ones are.
    let id = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    facts.now = 1_794_916_800 + number as u64 / 1000;
    facts.case_id = format!("{:08x}{:08x}", facts.now, id >> 32);
    facts.nonce = Nonce(u128::from(id).to_le_bytes());
    facts
}

/// Of each thread, a message; and how large the store became.
struct Instructions {
    threads: Vec<f64>,
    octets: f64,
}

/// The longer run less the shorter one.
fn per_message(folder: &Path, kind: &str) -> Result<Instructions> {
    let (shorter, before) = counted(folder, kind, MESSAGES)?;
    let (longer, after) = counted(folder, kind, 2 * MESSAGES)?;
    let less = |(more, less): (&u64, &u64)| more.saturating_sub(*less) as f64 / MESSAGES as f64;
    let octets = after.saturating_sub(before) as f64 / MESSAGES as f64;
    Ok(Instructions { threads: longer.iter().zip(&shorter).map(less).collect(), octets })
}

/// Instructions of each thread, and the octets of the store's file.
fn counted(folder: &Path, kind: &str, messages: usize) -> Result<(Vec<u64>, u64)> {
    let folder = folder.join(format!("{kind}-{messages}"));
    std::fs::create_dir(&folder)?;
    let out = folder.join("callgrind.out");
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--separate-threads=yes"]);
    command.arg(format!("--callgrind-out-file={}", out.display()));
    command.arg(std::env::current_exe()?).args(["cases-inside", kind, &messages.to_string()]);
    command.arg(&folder).stdout(Stdio::null()).stderr(Stdio::piped());
    let output = command.output()?;
    if !output.status.success() {
        return Err(Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let threads = (1..).map_while(|thread| {
        let text = std::fs::read_to_string(format!("{}-{thread:02}", out.display())).ok()?;
        text.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok())
    });
    let octets = std::fs::metadata(folder.join("cases.db")).map_or(0, |file| file.len());
    Ok((threads.collect(), octets))
}
