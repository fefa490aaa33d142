//! `cargo xtask bench [spf | memory | domains | wire | gateway | cases | doors | srs]`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line program")]

use std::io::{Error, Result};
use std::path::Path;
use std::process::ExitCode;

use quivive_bench::doors::null::Asked;
use quivive_bench::{cases, corpus, differential, domains, doors, gateway, spf, srs, wire};

const USAGE: &str = "\
Usage: cargo xtask bench [spf | memory | domains | wire | gateway | cases | doors | srs]
                         [--rounds N]

  spf       an SPF check, beside other implementations: the next three
  memory    its processor time, answers in memory
  domains   memory and time of a check among a million domains
  wire      its time over a real name server, near and far away
  gateway   messages per second, beside a bare relay and Postfix
  keeping   of these what keeping cases costs a gateway alone
  cases     instructions that keeping a case takes
  doors     what filters cost Postfix, ours beside others and beside those that do nothing
  srs       look-ups of forwarding addresses, beside PostSRSd and tables that do nothing";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut rounds = ROUNDS;
    if let [.., "--rounds", number] = arguments[..] {
        let Some(number) = number.parse().ok().filter(|number| *number > 0) else {
            return usage();
        };
        rounds = number;
        arguments.truncate(arguments.len() - 2);
    }
    let outcome = match arguments.as_slice() {
        [] => spf(rounds)
            .and_then(|()| gateway(rounds))
            .and_then(|()| cases())
            .and_then(|()| doors::enter(rounds))
            .and_then(|()| srs(rounds)),
        ["spf"] => spf(rounds),
        ["memory"] => memory(rounds),
        ["domains"] => domains(),
        ["wire"] => wire::enter(rounds),
        ["gateway"] => gateway(rounds),
        ["keeping"] => keeping(rounds),
        ["cases"] => cases(),
        ["doors"] => doors::enter(rounds),
        ["srs"] => srs(rounds),
        // Measured programs, started by the commands above, and by whoever looks for what takes
        // their time.
        ["differential", "--cases", cases, "--seed", seed] => {
            let (Ok(cases), Ok(seed)) = (cases.parse(), seed.parse()) else { return usage() };
            differential::run(cases, seed).map(|report| print!("{report}"))
        }
        ["wire-inside"] => wire_inside(rounds),
        ["wire-subject", name, folder, address] => match address.parse() {
            Ok(address) => wire::subject::serve(name, Path::new(folder), address),
            Err(_) => return usage(),
        },
        ["subject", name, folder] => spf::subject::serve(name, Path::new(folder)),
        ["cases-inside", kind, messages, folder] => {
            let Ok(messages) = messages.parse() else { return usage() };
            cases::inside(kind, messages, Path::new(folder))
        }
        ["doors-inside"] => doors_inside(rounds),
        ["null-table", protocol] => {
            let Some(protocol) = srs::null::Protocol::of(protocol) else { return usage() };
            block_on(srs::null::serve(protocol, |address| println!("{address}")))
        }
        ["null-policy"] => block_on(doors::null::policy(|address| println!("{address}"))),
        ["noop-milter", asked, prompt] => noop_milter(asked, prompt, None),
        ["noop-milter", asked, prompt, socket] => noop_milter(asked, prompt, Some(socket)),
        ["hop"] => hop(None),
        ["hop", next_hop] => hop(Some(next_hop)),
        ["corpus", folder] => corpus(Path::new(folder)),
        _ => return usage(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quivive-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Rounds that a ratio near 1 needs.
const ROUNDS: usize = 15;

fn spf(rounds: usize) -> Result<()> {
    memory(rounds).and_then(|()| domains()).and_then(|()| wire::enter(rounds))
}

fn memory(rounds: usize) -> Result<()> {
    println!("{}", spf::run(rounds)?);
    Ok(())
}

fn wire_inside(rounds: usize) -> Result<()> {
    println!("{}", wire::inside(rounds)?);
    Ok(())
}

fn domains() -> Result<()> {
    println!("{}", domains::run(domains::DOMAINS)?);
    Ok(())
}

fn gateway(rounds: usize) -> Result<()> {
    println!("{}", gateway::run(rounds)?);
    Ok(())
}

fn keeping(rounds: usize) -> Result<()> {
    println!("{}", gateway::keeping(rounds)?);
    Ok(())
}

fn cases() -> Result<()> {
    println!("{}", cases::run()?);
    Ok(())
}

fn srs(rounds: usize) -> Result<()> {
    println!("{}", srs::run(rounds)?);
    Ok(())
}

fn doors_inside(rounds: usize) -> Result<()> {
    println!("{}", doors::inside(rounds)?);
    Ok(())
}

fn noop_milter(asked: &str, prompt: &str, socket: Option<&str>) -> Result<()> {
    let asked = match asked {
        "ours" => Asked::AsOurs,
        "answered" => Asked::Answered,
        _ => Asked::All,
    };
    let said = |address| println!("{address}");
    block_on(doors::null::milter(socket, asked, prompt == "prompt", said))
}

/// Writes the files that `subject` reads.
fn corpus(folder: &Path) -> Result<()> {
    let corpus = corpus::find()?;
    let groups = corpus.write(folder)?;
    eprintln!("{}: {groups} groups", corpus.origin);
    Ok(())
}

fn hop(next_hop: Option<&str>) -> Result<()> {
    let next_hop = next_hop.map(str::parse).transpose().map_err(Error::other)?;
    block_on(gateway::hop::serve(next_hop, |address| println!("{address}")))
}

fn block_on(serving: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serving)
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}
