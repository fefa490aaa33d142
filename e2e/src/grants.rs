//! A service that knows grants, asked by HTTPS: it answers every question with the same lines, and
//! notes what it was asked.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustls::{ServerConnection, StreamOwned};

use crate::trust::Trust;

/// A running service. It goes on until the process ends, and answers nobody after
/// [`Service::stop`].
pub struct Service {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    /// What it answers; none: it closes every connection.
    answer: Mutex<Option<String>>,
    /// Request lines and `Authorization` fields.
    asked: Mutex<Vec<String>>,
}

impl Service {
    /// Starts a service that has these grants.
    ///
    /// # Panics
    /// When it cannot listen.
    pub fn start(trust: &Arc<Trust>, grants: &[&str]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let answer = Mutex::new(Some(serde_json::json!(grants).to_string()));
        let shared = Arc::new(Shared { answer, asked: Mutex::default() });
        let (trust, known) = (trust.clone(), shared.clone());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (tls, known) = (trust.accepted(), known.clone());
                thread::spawn(move || serve(StreamOwned::new(tls, stream), &known));
            }
        });
        Self { address, shared }
    }

    /// From now on it closes every connection.
    pub fn stop(&self) {
        *self.shared.answer() = None;
    }

    /// From now on it answers this.
    pub fn answer(&self, text: &str) {
        *self.shared.answer() = Some(text.to_owned());
    }

    /// What it was asked.
    pub fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Shared {
    fn answer(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers the requests of a connection until it ends.
fn serve(stream: StreamOwned<ServerConnection, TcpStream>, shared: &Shared) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            match stream.read_line(&mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) if line.trim().is_empty() => break,
                Ok(_) => head.push(line.trim().to_owned()),
            }
        }
        let is_told = |line: &&String| {
            line.starts_with("GET ") || line.to_lowercase().starts_with("authorization:")
        };
        let told = head.iter().filter(is_told).cloned();
        shared.asked.lock().unwrap_or_else(PoisonError::into_inner).extend(told);
        let Some(body) = shared.answer().clone() else { return };
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        let stream = stream.get_mut();
        if stream.write_all(answer.as_bytes()).and_then(|()| stream.flush()).is_err() {
            return;
        }
    }
}
