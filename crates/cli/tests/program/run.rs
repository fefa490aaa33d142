use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The DNS of these tests.
pub(crate) const ZONE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/world.zone");

/// The program with these arguments.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quivive"));
    command.args(arguments).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command
}

/// What the program says and how it ends, with this on its standard input.
#[track_caller]
pub(crate) fn run_with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = program(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // Both ends at once, or full pipes would stop us both. A program that wants no input is fine.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

#[track_caller]
pub(crate) fn run(arguments: &[&str]) -> Output {
    run_with_input(arguments, b"")
}

/// `check` in the world of these tests, with more flags.
#[track_caller]
pub(crate) fn check(ip: &str, helo: &str, mail_from: &str, more: &[&str]) -> Output {
    let arguments = ["check", "--zone", ZONE, "--ip", ip, "--helo", helo, "--mail-from", mail_from];
    run(&[&arguments, more].concat())
}

/// `check --json`, which must end well.
#[track_caller]
pub(crate) fn check_json(ip: &str, helo: &str, mail_from: &str, more: &[&str]) -> Value {
    let output = check(ip, helo, mail_from, &[&["--json"], more].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = stdout(&output);
    assert_eq!(text.matches('\n').count(), 1, "one line: {text}");
    serde_json::from_str(&text).unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// The finding for an identity.
#[track_caller]
pub(crate) fn finding<'a>(judgement: &'a Value, identity: &str) -> &'a Value {
    let findings = judgement["findings"].as_array().unwrap();
    let mut found = findings.iter().filter(|finding| finding["identity"] == identity);
    let finding = found.next().unwrap();
    assert!(found.next().is_none(), "one finding for {identity}");
    finding
}

/// A path as an argument.
pub(crate) fn named(path: &Path) -> &str {
    path.to_str().unwrap()
}
