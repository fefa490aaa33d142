//! What hostile and unlucky senders send, one kind a test.

use quivive_srs::{
    Bounces, Forwarded, Forwarder, Kept, Policy, Refusal, ReturnRefusal, Returned, Reversed, Rules,
    Secrets, SecretsError, Separator, Srs, Written, is_overlong,
};

const NOW: u64 = 1_577_836_860;
const DAY: u64 = 86_400;

fn srs(separator: Separator) -> Srs {
    let rules = Rules { separator, ..Rules::default() };
    Srs::new(&Secrets::parse(b"tops3cr3t").unwrap(), rules)
}

fn plain() -> Srs {
    srs(Separator::Equals)
}

#[track_caller]
fn forward(srs: &Srs, sender: &str, domain: &str) -> String {
    match srs.forward(sender, domain, NOW) {
        Ok(Forwarded::Rewritten(address)) => address,
        other => panic!("{sender}: {other:?}"),
    }
}

#[track_caller]
fn original(srs: &Srs, address: &str) -> String {
    match srs.reverse(address, NOW) {
        Ok(Reversed::Original(original)) => original.address,
        other => panic!("{address}: {other:?}"),
    }
}

#[track_caller]
fn refusal(srs: &Srs, address: &str, now: u64) -> Refusal {
    match srs.reverse(address, now) {
        Ok(Reversed::Refused(refusal)) => refusal,
        other => panic!("{address}: {other:?}"),
    }
}

#[test]
fn a_tampered_hash() {
    let srs = plain();
    let signed = forward(&srs, "test@otherdomain.com", "example.com");
    assert_eq!(signed, "SRS0=vmyz=2W=otherdomain.com=test@example.com");
    for place in 0..4 {
        let mut octets = signed.clone().into_bytes();
        octets[5 + place] = b'0';
        let forged = String::from_utf8(octets).unwrap();
        assert_eq!(refusal(&srs, &forged, NOW), Refusal::HashInvalid, "{forged}");
    }
}

#[test]
fn swapped_parts() {
    let srs = plain();
    for swapped in [
        "SRS0=vmyz=2W=test=otherdomain.com@example.com",
        "SRS0=vmyz=2W=otherdomain.co=mtest@example.com",
        "SRS0=vmyz=2W=com.otherdomain=test@example.com",
    ] {
        // A character moved over a separator is the same text to the hash, as everywhere.
        let is_same_text = swapped.contains("otherdomain.co=mtest");
        match is_same_text {
            true => assert_eq!(original(&srs, swapped), "mtest@otherdomain.co"),
            false => assert_eq!(refusal(&srs, swapped, NOW), Refusal::HashInvalid, "{swapped}"),
        }
    }
    assert_eq!(
        refusal(&srs, "SRS0=2W=vmyz=otherdomain.com=test@example.com", NOW),
        Refusal::BadStamp
    );
}

#[test]
fn an_expired_stamp() {
    let srs = plain();
    let signed = forward(&srs, "test@otherdomain.com", "example.com");
    assert!(matches!(srs.reverse(&signed, NOW + 21 * DAY), Ok(Reversed::Original(_))));
    let late = refusal(&srs, &signed, NOW + 22 * DAY);
    assert_eq!(late, Refusal::Expired { age_days: 22 });
}

#[test]
fn a_future_stamp() {
    let srs = plain();
    let Ok(Forwarded::Rewritten(tomorrows)) =
        srs.forward("test@otherdomain.com", "example.com", NOW + DAY)
    else {
        panic!("it is rewritten")
    };
    assert_eq!(refusal(&srs, &tomorrows, NOW), Refusal::Expired { age_days: 1023 });
}

#[test]
fn every_separator_in_every_other() {
    for first in Separator::ALL {
        for second in Separator::ALL {
            let signed = forward(&srs(first), "test@otherdomain.com", "b.example");
            let again = forward(&srs(second), &signed, "c.example");
            assert_eq!(original(&plain(), &again), signed);
            assert_eq!(original(&plain(), &signed), "test@otherdomain.com");
        }
    }
}

#[test]
fn addresses_of_320_octets() {
    let srs = plain();
    let label = format!(".{}", "d".repeat(63));
    let domain = format!("{}{}", "d".repeat(63), label.repeat(3));
    let sender = format!("{}@{domain}", "a".repeat(64));
    assert_eq!(sender.len(), 320);
    let signed = forward(&srs, &sender, "example.com");
    assert!(is_overlong(&signed));
    assert_eq!(original(&srs, &signed), sender);
    // A running forwarder does not write what nobody takes.
    let kept = forwarder(250).forward(&sender, NOW);
    assert_eq!(kept, Written::Kept(Kept::TooLong));
}

#[test]
fn quoted_local_parts_with_equals() {
    let srs = plain();
    for sender in ["\"a=b c\"@s.example", "\"=\\\"=\"@s.example", "\"SRS0=x y=\"@s.example"] {
        let signed = forward(&srs, sender, "example.com");
        assert!(signed.starts_with("\"SRS"), "{signed}");
        if !signed.starts_with("\"SRS1") {
            assert_eq!(original(&srs, &signed), sender);
        }
    }
}

#[test]
fn utf8() {
    let srs = plain();
    for sender in ["j\u{f6}rg@b\u{fc}cher.example", "\u{7528}\u{6237}@\u{4f8b}.example"] {
        let signed = forward(&srs, sender, "example.com");
        assert_eq!(original(&srs, &signed), sender);
        // Cut anywhere before its domain, it is refused and breaks nothing.
        let local = signed.rfind('@').unwrap();
        for (cut, _) in signed.char_indices().filter(|(cut, _)| *cut <= local) {
            assert!(!matches!(srs.reverse(&signed[..cut], NOW), Ok(Reversed::Original(_))));
        }
    }
}

#[test]
fn srs0_in_srs1_ten_deep() {
    let forwarder = forwarder(250);
    let mut local = "SRS0=aaaa=2W=a.example=b".to_owned();
    for _ in 0..10 {
        local = format!("SRS1=aaaa=fwd.example=={local}");
    }
    let returned = forwarder.reverse(&format!("{local}@fwd.example"), Some(""), NOW);
    assert_eq!(returned, Returned::Refused(ReturnRefusal::Srs(Refusal::HashInvalid)));
    // Honest forwarders do not make it longer than the second did.
    let mut address = "test@otherdomain.com".to_owned();
    let mut lengths = Vec::new();
    for hop in 0..10 {
        address = forward(&plain(), &address, &format!("hop{hop}.example"));
        lengths.push(address.len());
    }
    assert_eq!(lengths[1], lengths[9]);
}

#[test]
fn an_empty_secrets_file() {
    for text in [&b""[..], b"\n\n", b"\r\n"] {
        assert_eq!(Secrets::parse(text), Err(SecretsError::None));
    }
}

fn forwarder(local_part_max: usize) -> Forwarder {
    let policy = Policy {
        domain: "fwd.example".to_owned(),
        former_domains: Vec::new(),
        own_domains: Vec::new(),
        only: Vec::new(),
        except: Vec::new(),
        unsigned_domains: Vec::new(),
        local_part_max,
        bounces: Bounces::Only,
    };
    Forwarder::new(plain(), policy)
}
