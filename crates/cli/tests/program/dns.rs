//! Where answers come from: the flags before the configuration before the system.

use std::net::SocketAddr;
use std::path::Path;

use crate::run::*;
use quivive_resolver::Zone;
use quivive_testkit::{Manner, NameServer};
use serde_json::Value;

/// A name server with the world of these tests, where one answer is authenticated.
async fn name_server() -> NameServer {
    let server = NameServer::start(Zone::read(Path::new(ZONE)).unwrap()).await.unwrap();
    server.treat("fail.example", Manner::Authenticated);
    server
}

const MESSAGE: [&str; 8] = [
    "check",
    "--ip",
    "203.0.113.9",
    "--helo",
    "x.example",
    "--mail-from",
    "a@fail.example",
    "--json",
];

/// What the answer to the first question of the mailfrom finding says of its source.
#[track_caller]
fn asked(arguments: &[&str]) -> (String, Value, bool) {
    let output = run(arguments);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let judgement: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let result = finding(&judgement, "mailfrom")["result"].as_str().unwrap().to_owned();
    let questions = judgement["questions"].as_array().unwrap();
    let mut questions = questions.iter();
    let question = questions.find(|asked| asked["question"] == "fail.example TXT").unwrap();
    (result, question["server"].clone(), question["ad"].as_bool().unwrap())
}

fn configured(folder: &Path, server: SocketAddr) -> String {
    let path = folder.join("quivive.toml");
    std::fs::write(&path, format!("[resolver]\nservers = [\"{server}\"]\n")).unwrap();
    named(&path).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_server_is_asked() {
    let server = name_server().await;
    let address = server.address().to_string();
    let by_flag = asked(&[&MESSAGE, ["--resolver", &address].as_slice()].concat());
    assert_eq!(by_flag, ("fail".to_owned(), address.clone().into(), true));
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path(), server.address());
    let by_config = asked(&[&MESSAGE, ["--config", &config].as_slice()].concat());
    assert_eq!(by_config, ("fail".to_owned(), address.into(), true));
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_go_before_the_configuration() {
    let (near, far) = (name_server().await, name_server().await);
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path(), far.address());
    let address = near.address().to_string();
    let flags = ["--config", &config, "--resolver", &address];
    assert_eq!(asked(&[&MESSAGE, flags.as_slice()].concat()).1, address);
    let zone = asked(&[&MESSAGE, ["--config", &config, "--zone", ZONE].as_slice()].concat());
    assert_eq!(zone, ("fail".to_owned(), Value::Null, false));
    assert_eq!(far.questions_in_all(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_asks_each_question_once() {
    let server = name_server().await;
    let line = "{\"ip\":\"203.0.113.9\",\"helo\":\"x.example\",\"mail_from\":\"a@soft.example\"}\n";
    let address = server.address().to_string();
    let arguments = ["check", "--resolver", &address, "--batch", "-"];
    let output = run_with_input(&arguments, line.repeat(500).as_bytes());
    assert_eq!((code(&output), stdout(&output).lines().count()), (0, 500));
    assert_eq!(server.questions("soft.example"), 1);
    assert_eq!(server.questions("x.example"), 1);
}
