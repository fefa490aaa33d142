//! One DNS question by hand, to see that a name server answers.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

/// The response code and the answer section's octets for a question of class IN; nothing when no
/// answer comes within a second.
pub fn ask(server: SocketAddr, name: &str, record_type: u16) -> Option<(u8, Vec<u8>)> {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
    let question = question(name, record_type);
    socket.send_to(&question, server).ok()?;
    let mut answer = [0; 4096];
    let length = socket.recv(&mut answer).ok()?;
    let answer = answer.get(..length)?;
    let code = answer.get(3)? & 15;
    Some((code, answer.get(question.len()..)?.to_vec()))
}

/// RFC 1035 section 4.1: one question, recursion desired.
fn question(name: &str, record_type: u16) -> Vec<u8> {
    let mut message = vec![0x51, 0x56, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.').filter(|label| !label.is_empty()) {
        message.push(label.len() as u8);
        message.extend_from_slice(label.as_bytes());
    }
    message.push(0);
    message.extend_from_slice(&record_type.to_be_bytes());
    message.extend_from_slice(&[0, 1]);
    message
}
