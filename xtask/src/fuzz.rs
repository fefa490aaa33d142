//! Fuzz targets on the stable compiler: libFuzzer, with the compiler's coverage passes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::program::{cargo, is_installed, output, program, run as run_program, shown};
use crate::{Result, apt, root};

/// A program of `fuzz/targets`, with the longest input worth trying. Its seeds lie in
/// `fuzz/seeds/NAME`, what a run learns in `fuzz/corpus/NAME`, what breaks it in `fuzz/artifacts`.
struct Target {
    name: &'static str,
    octets_max: u32,
}

const TARGETS: &[Target] = &[
    Target { name: "address_list", octets_max: 1024 },
    Target { name: "aliases", octets_max: 512 },
    Target { name: "authentication_results", octets_max: 1024 },
    Target { name: "caller_id_document", octets_max: 2048 },
    Target { name: "config", octets_max: 2048 },
    Target { name: "domain", octets_max: 512 },
    Target { name: "grant_table", octets_max: 1024 },
    Target { name: "header", octets_max: 2048 },
    Target { name: "header_address", octets_max: 2048 },
    Target { name: "http_request", octets_max: 1024 },
    Target { name: "lint_world", octets_max: 2048 },
    Target { name: "macro_string", octets_max: 512 },
    Target { name: "milter_session", octets_max: 2048 },
    Target { name: "opensmtpd_filter", octets_max: 4096 },
    Target { name: "path", octets_max: 512 },
    Target { name: "policy_request", octets_max: 2048 },
    Target { name: "proxy_header", octets_max: 512 },
    Target { name: "received_from", octets_max: 1024 },
    Target { name: "rmx_rdata", octets_max: 512 },
    Target { name: "rmx_text", octets_max: 512 },
    Target { name: "sasl", octets_max: 1024 },
    Target { name: "simulation", octets_max: 1024 },
    Target { name: "smtp_command", octets_max: 512 },
    Target { name: "smtp_reply", octets_max: 2048 },
    Target { name: "smtp_session", octets_max: 2048 },
    Target { name: "socketmap", octets_max: 512 },
    Target { name: "spf_check", octets_max: 2048 },
    Target { name: "spf_lint", octets_max: 512 },
    Target { name: "spf_record", octets_max: 512 },
    Target { name: "srs", octets_max: 1100 },
    Target { name: "tcp_table", octets_max: 512 },
    Target { name: "zone", octets_max: 2048 },
];

/// Inputs per target in a smoke run, and the seconds after which it ends in any case.
const SMOKE_RUNS: u64 = 100_000;
const SMOKE_SECONDS: u64 = 10;

/// An input that takes longer is a finding.
const INPUT_SECONDS_MAX: u64 = 10;

/// A target that needs more memory is a finding.
const MEMORY_MIB_MAX: u64 = 1024;

/// What libFuzzer needs of the compiler: a counter per edge, a table of them, traced comparisons.
const FLAGS: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "--cfg=fuzzing",
];

/// Builds all targets and runs what the arguments name.
pub(crate) fn run(arguments: &[&str]) -> Result {
    match arguments {
        [] | ["--smoke"] => run_all(),
        [name] => run_one(name, None),
        [name, "--runs", runs] => run_one(name, Some(runs.parse()?)),
        _ => Err("usage: cargo xtask fuzz [--smoke] | TARGET [--runs N]".into()),
    }
}

fn run_all() -> Result {
    let programs = build()?;
    let mut table =
        format!("{:<20} {:>9} {:>8} {:>9} {:>7}\n", "target", "runs", "a second", "MiB", "");
    let mut broken = Vec::new();
    for target in TARGETS {
        let start = Instant::now();
        let mut command = target.command(&programs)?;
        command.arg(format!("-runs={SMOKE_RUNS}"));
        // One seed: a smoke run that failed fails again.
        command.args([format!("-max_total_time={SMOKE_SECONDS}"), "-seed=1".to_owned()]);
        eprintln!("+ {}", shown(&command));
        let output = command.stdin(Stdio::null()).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        let runs: u64 = statistic(&said, "number_of_executed_units").unwrap_or(0);
        let memory: u64 = statistic(&said, "peak_rss_mb").unwrap_or(0);
        let rate = (runs as f64 / start.elapsed().as_secs_f64()) as u64;
        let word = if output.status.success() { "ok" } else { "BROKEN" };
        table += &format!("{:<20} {runs:>9} {rate:>8} {memory:>9} {word:>7}\n", target.name);
        if !output.status.success() {
            eprintln!("{said}");
            broken.push(target.name);
        }
    }
    eprint!("{table}");
    if broken.is_empty() { Ok(()) } else { Err(format!("broken: {}", broken.join(", ")).into()) }
}

fn run_one(name: &str, runs: Option<u64>) -> Result {
    let Some(target) = TARGETS.iter().find(|target| target.name == name) else {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        return Err(format!("no target {name}; there are: {}", names.join(", ")).into());
    };
    let mut command = target.command(&build()?)?;
    command.args(runs.map(|runs| format!("-runs={runs}")));
    run_program(&mut command)
}

/// Builds every target and gives the folder of the programs.
fn build() -> Result<PathBuf> {
    if !is_installed("c++") {
        apt::install(&["g++"])?;
    }
    let host = host()?;
    // A platform by name keeps the flags away from build scripts and macros.
    let arguments = ["build", "--release", "--bins", "--target", &host];
    let mut command = cargo(&arguments);
    command.arg("--target-dir").arg(target_folder());
    command.current_dir(root().join("fuzz")).env("RUSTFLAGS", FLAGS.join(" "));
    run_program(&mut command)?;
    Ok(target_folder().join(host).join("release"))
}

fn target_folder() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder).join("fuzz"),
        None => root().join("fuzz/target"),
    }
}

/// The platform of the compiler, as in `x86_64-unknown-linux-gnu`.
fn host() -> Result<String> {
    let said = output(&mut program("rustc", &["-vV"], root()))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc -vV names no host".into())
}

impl Target {
    fn command(&self, programs: &Path) -> Result<Command> {
        let folder = root().join("fuzz");
        let learnt = format!("corpus/{}", self.name);
        let artifacts = format!("artifacts/{}/", self.name);
        fs::create_dir_all(folder.join(&learnt))?;
        fs::create_dir_all(folder.join(&artifacts))?;
        let mut command = Command::new(programs.join(self.name));
        command.args([learnt, format!("seeds/{}", self.name)]).args([
            format!("-artifact_prefix={artifacts}"),
            format!("-max_len={}", self.octets_max),
            format!("-timeout={INPUT_SECONDS_MAX}"),
            format!("-rss_limit_mb={MEMORY_MIB_MAX}"),
            "-print_final_stats=1".to_owned(),
        ]);
        command.current_dir(folder);
        Ok(command)
    }
}

/// The number in a line like `stat::peak_rss_mb:  74`.
fn statistic(said: &str, name: &str) -> Option<u64> {
    let values = said.lines().filter_map(|line| line.strip_prefix("stat::")?.split_once(':'));
    let value = values.filter(|(known, _)| *known == name).map(|(_, value)| value).next_back();
    value?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_program_is_a_target_with_seeds() {
        let names: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
        let entries = fs::read_dir(root().join("fuzz/targets")).unwrap();
        let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
        let programs = entries.map(|entry| stem(entry.unwrap().path())).collect();
        assert_eq!(names, programs);
        for name in names {
            let seeds = fs::read_dir(root().join("fuzz/seeds").join(&name));
            assert!(seeds.is_ok_and(|mut seeds| seeds.next().is_some()), "no seeds: {name}");
        }
    }

    #[test]
    fn statistics_are_read() {
        let said = "INFO: x\nstat::number_of_executed_units: 20002\nstat::peak_rss_mb:      74\n";
        assert_eq!(statistic(said, "number_of_executed_units"), Some(20_002));
        assert_eq!(statistic(said, "peak_rss_mb"), Some(74));
        assert_eq!(statistic(said, "none"), None);
    }
}
