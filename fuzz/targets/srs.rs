//! Forwarding addresses in every dialect: what is rewritten is found again, and nothing else is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_srs::{
    Alphabet, Bounces, Dialect, Forwarded, Forwarder, Policy, Returned, Reversed, Rules, Secrets,
    Separator, Srs, Written,
};

const DOMAIN: &str = "fwd.example";
const NOW: u64 = 1_577_836_860;

fuzz_target!(|input: &[u8]| {
    let Ok(address) = std::str::from_utf8(input) else { return };
    for dialect in Dialect::ALL {
        let srs = srs(dialect);
        if let Ok(Reversed::Original(original)) = srs.reverse(address, NOW) {
            // Nobody guesses a hash of 24 digits.
            panic!("{address:?} comes back as {original:?}");
        }
        let Ok(Forwarded::Rewritten(rewritten)) = srs.forward(address, DOMAIN, NOW) else {
            continue;
        };
        assert!(!rewritten.contains(['\r', '\n', '\0']), "{rewritten:?}");
        let reversed = srs.reverse(&rewritten, NOW);
        // The first stamp counts in OpenSMTPD's SRS1, and may be anything here; and what others
        // rewrite can be longer than an address may be.
        let excused = dialect == Dialect::OpenSmtpd && rewritten.contains("SRS1=")
            || rewritten.len() > quivive_srs::ADDRESS_OCTETS_MAX;
        assert!(
            matches!(reversed, Ok(Reversed::Original(_))) || excused,
            "{rewritten:?} {reversed:?}"
        );
    }
    forwarder(address);
});

fn srs(signs: Dialect) -> Srs {
    let secrets = Secrets::parse(b"a secret that nobody knows").expect("it is one");
    let hash_length = 24;
    let rules = Rules {
        signs,
        hash_length,
        hash_length_min: hash_length,
        separator: Separator::Plus,
        alphabet: Alphabet::Url,
        ..Rules::default()
    };
    Srs::new(&secrets, rules)
}

fn forwarder(address: &str) {
    let policy = Policy {
        domain: DOMAIN.to_owned(),
        former_domains: Vec::new(),
        own_domains: Vec::new(),
        only: Vec::new(),
        except: Vec::new(),
        unsigned_domains: Vec::new(),
        local_part_max: 64,
        bounces: Bounces::Only,
    };
    let forwarder = Forwarder::new(srs(Dialect::MailSrs), policy);
    if let Written::Rewritten(rewritten) = forwarder.forward(address, NOW) {
        assert!(rewritten.rfind('@').is_some_and(|local| local <= 64), "{rewritten:?}");
        let returned = forwarder.reverse(&rewritten, Some(""), NOW);
        // What pretends that we were the first forwarder is looked into, and found out.
        let first = rewritten.split('=').nth(1);
        let pretends = first.is_some_and(|first| forwarder.is_ours(first));
        assert!(
            matches!(returned, Returned::Original(_)) || pretends,
            "{rewritten:?} {returned:?}"
        );
    }
    let returned = forwarder.reverse(address, Some(""), NOW);
    assert!(!matches!(returned, Returned::Original(_) | Returned::Unsigned(_)), "{address:?}");
}
