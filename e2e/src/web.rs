//! Pages as they come over the wire, and numbers before promtool.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Stdio;

use crate::{peer, wait};

/// A page of a server: its head and body.
///
/// # Panics
/// When there is no answer in UTF-8.
pub fn fetch(server: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(server).expect("it listens");
    stream.set_read_timeout(Some(wait::DEADLINE)).expect("a time is given");
    let head = format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers in UTF-8");
    answer
}

/// Prometheus has nothing against these numbers.
///
/// # Panics
/// When it has.
pub fn are_taken_by_promtool(metrics: &str) {
    let mut command = peer::command("prometheus", &["promtool", "check", "metrics"]);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("promtool starts");
    let mut input = child.stdin.take().expect("the input is piped");
    input.write_all(metrics.as_bytes()).expect("promtool reads");
    drop(input);
    let output = child.wait_with_output().expect("promtool ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}\n{metrics}");
}
