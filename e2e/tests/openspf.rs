//! The OpenSPF suite through the program, over a real name server: NSD where it can play the
//! scenario, and a scripted one where names must time out.

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::thread;

use quivive_e2e::{nsd, quivive};
use quivive_testkit::NameServer;
use quivive_testkit::suite::{self, Case, Scenario};
use serde_json::{Value, json};

/// How many of the suite's scenarios NSD plays, so that a change of ours cannot quietly leave it
/// without work.
const SCENARIOS_OF_NSD: usize = 11;

#[test]
fn every_case_over_the_wire() {
    let file = suite::find().expect("`cargo xtask test` fetches the suite");
    let scenarios = suite::load(&file).expect("the suite is read");
    let played = scenarios.iter().filter(|scenario| nsd_plays(scenario)).count();
    let cases: usize = scenarios.iter().map(|scenario| scenario.cases.len()).sum();
    assert_eq!((cases, played), (203, SCENARIOS_OF_NSD));
    // All at once: some wait for time-outs.
    let complaints: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> =
            scenarios.into_iter().map(|scenario| scope.spawn(|| complaints(scenario))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no scenario panics")).collect()
    });
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

fn nsd_plays(scenario: &Scenario) -> bool {
    nsd::can_serve(&scenario.zone.to_master_text())
}

/// What is wrong with the answers to a scenario's cases.
fn complaints(scenario: Scenario) -> Vec<String> {
    let answers = if nsd_plays(&scenario) {
        let nsd = nsd::start(&scenario.zone.to_master_text());
        check(&scenario.cases, nsd.address)
    } else {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
        let server = runtime.block_on(NameServer::start(scenario.zone)).expect("a port is free");
        check(&scenario.cases, server.address())
    };
    scenario
        .cases
        .iter()
        .zip(&answers)
        .filter_map(|(case, answer)| complaint(case, answer))
        .collect()
}

/// The program's answers to the cases of a scenario, in their order.
fn check(cases: &[Case], server: SocketAddr) -> Vec<Value> {
    let server = server.to_string();
    let mut command = Command::new(quivive::program());
    command.args(["check", "--batch", "-", "--json", "--resolver", &server]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
    let mut input = child.stdin.take().expect("the input is piped");
    for Case { ip, helo, mail_from, .. } in cases {
        let line = json!({
            "ip": ip, "helo": helo, "mail_from": mail_from, "identities": ["mailfrom"],
        });
        writeln!(input, "{line}").expect("the program reads");
    }
    drop(input);
    let output = child.wait_with_output().expect("the program ends");
    assert!(output.status.success(), "{}", output.status);
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    let answers: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    assert_eq!(answers.len(), cases.len());
    answers
}

/// What is wrong with an answer, if anything. Of several results that a case takes any will do: a
/// name server gives two equal records as one.
fn complaint(case: &Case, answer: &Value) -> Option<String> {
    let finding = &answer["findings"][0];
    let result = finding["result"].as_str().unwrap_or_default();
    let id = &case.id;
    if !case.expected.iter().any(|expected| expected == result) {
        return Some(format!("{id}: {} instead of {:?}", finding, case.expected));
    }
    let expected = case.explanation.as_deref().filter(|_| result == "fail")?;
    let explanation = finding["explanation"].as_str().unwrap_or("DEFAULT");
    (explanation != expected).then(|| format!("{id}: {explanation:?} instead of {expected:?}"))
}
