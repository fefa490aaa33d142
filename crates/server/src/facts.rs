//! What a door notes once about a message besides what its client says.

use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::{BASE32HEX_NOPAD, HEXLOWER};
use quivive_evidence::{Facts, Nonce};
use quivive_verdict::Policy;

/// The facts with our name, the time, a nonce, and the ids of a new case; that of a public
/// explanation only where the policy publishes such.
pub(crate) fn noted(mut facts: Facts, receiver: &str, policy: &Policy) -> Facts {
    let mut random = [0; 38];
    // Without randomness nothing here is safe; the system has it from its first second.
    getrandom::fill(&mut random).expect("the system has randomness");
    let (nonce, ids) = random.split_at(16);
    let (id, public_id) = ids.split_at(6);
    receiver.clone_into(&mut facts.receiver);
    facts.now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    facts.nonce = Nonce(nonce.try_into().unwrap_or_default());
    facts.case_id = case_id(facts.now, id);
    if policy.public_url.is_some() {
        facts.public_id = HEXLOWER.encode(public_id);
    }
    facts
}

/// 16 digits and letters: the second, then what is random. An id opens nothing, so that it may say
/// when it was given; and those of cases that are written together stand side by side in the
/// store's index.
fn case_id(now: u64, random: &[u8]) -> String {
    // Its last four octets count seconds until 2106, and then anew.
    let mut id = now.to_be_bytes()[4..].to_vec();
    id.extend_from_slice(random);
    BASE32HEX_NOPAD.encode(&id).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_in_the_order_of_their_seconds() {
        let id = |now, random: u8| case_id(now, &[random; 6]);
        let ids = [id(0, 255), id(1, 0), id(1, 1), id(1_800_000_000, 7), id(0xffff_ffff, 0)];
        assert!(ids.is_sorted(), "{ids:?}");
        assert!(ids.iter().all(|id| id.len() == 16), "{ids:?}");
        assert_eq!(id(1 << 32, 0), id(0, 0));
    }

    #[test]
    fn no_two_messages_are_noted_alike() {
        let mut policy = Policy::new("mx.example.test");
        policy.public_url = Some("https://mx.example.test/".to_owned());
        let note = || noted(Facts::new([192, 0, 2, 1].into()), "mx.example.test", &policy);
        let (one, other) = (note(), note());
        assert_ne!(one.case_id, other.case_id);
        assert_ne!(one.public_id, other.public_id);
        assert_ne!(one.nonce, other.nonce);
        assert_eq!((one.case_id.len(), one.public_id.len()), (16, 32));
    }
}
