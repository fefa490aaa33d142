//! The main job: mail from smtp-source through `quivive serve` into Postfix, with SPF from a real
//! name server. Nothing is lost, doubled or unmarked, and memory stays within its bound.

use std::collections::HashSet;

use crate::quivive::Serve;
use crate::{client, maildir, nsd, postfix, quivive, wait};

/// How many messages the whole job has; the ordinary test sends a hundredth.
pub const MESSAGES: usize = 10_000;

/// How much memory the daemon may have had resident at its peak.
pub const MEMORY_KIB_MAX: u64 = 100 * 1024;

/// How many connections smtp-source keeps open at once.
const SESSIONS: usize = 20;

/// Runs the job with so many messages and gives the daemon's peak of resident memory, in KiB.
///
/// # Panics
/// When a message is lost, doubled or unmarked, or when memory is beyond its bound.
pub fn run(messages: usize) -> u64 {
    let nsd = nsd::start("sender.test. TXT \"v=spf1 ip4:127.0.0.0/8 -all\"");
    let postfix = postfix::start();
    let next_hop = format!("smtp:{}", postfix.address);
    let mut serve = Serve::start(&quivive::gateway(nsd.address, &next_hop, ""));

    let (count, sessions) = (messages.to_string(), SESSIONS.to_string());
    let arguments = ["-A", "-m", &count, "-s", &sessions, "-f", "a@sender.test"];
    let recipient = ["-M", "mail.sender.test", "-t", "b@example.test"];
    let sent =
        client::smtp_source(serve.address("gateway"), &[&arguments[..], &recipient].concat());
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));

    let folder = postfix::maildir(&postfix);
    wait::within(wait::DEADLINE, || (maildir::count(&folder) >= messages).then_some(()));
    let arrived = maildir::messages(&folder);
    assert_eq!(arrived.len(), messages, "messages that arrived");
    let ids: HashSet<_> =
        arrived.iter().filter_map(|message| maildir::field(message, "Message-Id")).collect();
    assert_eq!(ids.len(), messages, "different messages that arrived");
    let marked = arrived.iter().filter(|message| is_marked(message)).count();
    assert_eq!(marked, messages, "messages that say who vouched for them");

    assert!(serve.is_running(), "{}", serve.log());
    let memory = serve.peak_memory_kib();
    assert!(memory < MEMORY_KIB_MAX, "{memory} KiB were resident");
    memory
}

fn is_marked(message: &str) -> bool {
    let results = maildir::field(message, "Authentication-Results");
    let spf = maildir::field(message, "Received-SPF");
    results.is_some_and(|value| value.starts_with("mx.example.test;") && value.contains("spf=pass"))
        && spf.is_some_and(|value| value.to_ascii_lowercase().starts_with("pass"))
}
