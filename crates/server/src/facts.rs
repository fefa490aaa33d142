//! What a door notes once about a message besides what its client says.

use std::time::{SystemTime, UNIX_EPOCH};

use quivive_evidence::{Facts, Nonce};
use quivive_verdict::Policy;

/// The facts with our name, the time, a nonce, and the ids of a new case; that of a public
/// explanation only where the policy publishes such.
pub(crate) fn noted(mut facts: Facts, receiver: &str, policy: &Policy) -> Facts {
    let mut random = [0; 40];
    // Without randomness nothing here is safe; the system has it from its first second.
    getrandom::fill(&mut random).expect("the system has randomness");
    let (nonce, ids) = random.split_at(16);
    let (id, public_id) = ids.split_at(8);
    receiver.clone_into(&mut facts.receiver);
    facts.now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    facts.nonce = Nonce(nonce.try_into().unwrap_or_default());
    facts.case_id = hexadecimal(id);
    if policy.public_url.is_some() {
        facts.public_id = hexadecimal(public_id);
    }
    facts
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
