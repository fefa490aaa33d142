//! SASL exchanges: whatever a client says, lines apart, is answered, and nobody is let in who knows
//! no password.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_smtp::sasl::{Exchange, Mechanism, Step, Verifier};

fuzz_target!(|input: &[u8]| {
    if let Ok(text) = std::str::from_utf8(input)
        && let Ok(verifier) = text.parse::<Verifier>()
    {
        assert!(verifier.to_string().parse::<Verifier>().is_ok_and(|same| same == verifier));
    }
    for mechanism in Mechanism::ALL {
        let Some(mut exchange) = Exchange::new(*mechanism, "nonce") else { continue };
        for response in input.split(|octet| *octet == b'\n') {
            match exchange.respond(Some(response)) {
                Step::Verifier(user) => {
                    exchange.verify_with(Verifier::decoy(b"secret", &user, 1));
                }
                Step::Challenge(_) => {}
                Step::Proven(claim) => panic!("{claim:?} has proven what nobody knows"),
                _ => break,
            }
        }
    }
});
