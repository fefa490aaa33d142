//! The HTTP interface, as its page says.

use std::fs;
use std::path::Path;

use quivive_e2e::book::{self, Example};
use quivive_e2e::quivive::{self, Serve};
use quivive_e2e::{nsd, peer};

const DNS: &str = "example.com. TXT \"v=spf1 ip4:198.51.100.0/24 -all\"";

/// Where the page has its listener.
const ADDRESS: &str = "127.0.0.1:2590";

/// Runs a command in a folder, with curl and jq and the program at hand.
fn run(command: &str, folder: &Path) -> String {
    let program = quivive::program().parent().expect("it lies in a folder").display();
    let script = format!("PATH={program}:$PATH; {{ {command}\n}} 2>&1");
    let mut shell = peer::command("curl", &["sh", "-c", &script]);
    let output = shell.current_dir(folder).output().expect("unshare starts");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn keeps_its_promise(example: &Example, command: &str, folder: &Path) {
    let said = run(command, folder);
    assert!(example.says(&said), "$ {command}\n{said}\npromised: {:#?}", example.output);
}

#[test]
fn the_page_is_true() {
    let page = book::page("http.md");
    let nsd = nsd::start(DNS);
    let folder = peer::open_folder();
    let folder = folder.path();
    let configuration = book::blocks(&page, "toml").remove(0);
    fs::write(folder.join("quivive.toml"), &configuration).expect("the folder is ours");
    let examples = book::examples(&page);
    let is_start = |example: &Example| example.command.starts_with("quivive serve");
    let start = examples.iter().position(is_start).expect("the daemon is started");
    for example in &examples[..start] {
        keeps_its_promise(example, &example.command, folder);
    }
    let tokens = folder.join("http.tokens").display().to_string();
    let configuration =
        configuration.replace(ADDRESS, "127.0.0.1:0").replace("http.tokens", &tokens);
    let resolver = format!("[resolver]\nservers = [\"{}\"]\n", nsd.address);
    let serve = Serve::start(&(configuration + &resolver));
    let address = serve.address("http").to_string();
    let mut ran = 0;
    for example in &examples[start + 1..] {
        keeps_its_promise(example, &example.command.replace(ADDRESS, &address), folder);
        ran += 1;
    }
    assert!(ran >= 9, "{ran}");
    // What was revoked opens nothing.
    let asked = format!(
        "sleep 1.1; curl --silent -H \"Authorization: Bearer $(cat helpdesk.token)\" \
         http://{address}/v1/cases/x"
    );
    assert!(run(&asked, folder).contains("\"kind\":\"token\""));
}
