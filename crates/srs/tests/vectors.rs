//! The vectors of PostSRSd and Mail::SRS, and what else was computed by their rules.

use quivive_srs::{Alphabet, Forwarded, Refusal, Reversed, Rules, Secrets, Separator, Srs};

/// 2020-01-01 00:01 UTC, whose stamp is `2W`.
const NOW: u64 = 1_577_836_860;

fn srs(secrets: &str, rules: Rules) -> Srs {
    Srs::new(&Secrets::parse(secrets.as_bytes()).unwrap(), rules)
}

fn standard() -> Srs {
    srs("tops3cr3t", Rules::default())
}

#[track_caller]
fn forward(srs: &Srs, sender: &str, domain: &str) -> String {
    match srs.forward(sender, domain, NOW) {
        Ok(Forwarded::Rewritten(address)) => address,
        other => panic!("{sender}: {other:?}"),
    }
}

#[track_caller]
fn reverse(srs: &Srs, address: &str, now: u64) -> String {
    match srs.reverse(address, now) {
        Ok(Reversed::Original(original)) => original.address,
        other => panic!("{address}: {other:?}"),
    }
}

#[track_caller]
fn refusal(srs: &Srs, address: &str) -> Refusal {
    match srs.reverse(address, NOW) {
        Ok(Reversed::Refused(refusal)) => refusal,
        other => panic!("{address}: {other:?}"),
    }
}

#[test]
fn forward_and_back() {
    let srs = standard();
    for (sender, address) in [
        ("test@otherdomain.com", "SRS0=vmyz=2W=otherdomain.com=test@example.com"),
        ("hash234@somedomain.com", "SRS0=+3/5=2W=somedomain.com=hash234@example.com"),
        ("user=with=equals@domain.com", "SRS0=HOQX=2W=domain.com=user=with=equals@example.com"),
        ("user+tag@otherdomain.com", "SRS0=S9o7=2W=otherdomain.com=user+tag@example.com"),
        ("user-with-dash@domain.com", "SRS0=jvIt=2W=domain.com=user-with-dash@example.com"),
        ("a.b@sub.domain.example", "SRS0=6DQ7=2W=sub.domain.example=a.b@example.com"),
        ("Test.User@OtherDomain.COM", "SRS0=wUGm=2W=OtherDomain.COM=Test.User@example.com"),
    ] {
        assert_eq!(forward(&srs, sender, "example.com"), address);
        assert_eq!(reverse(&srs, address, NOW), sender);
    }
}

#[test]
fn both_alphabets_come_back_and_either_is_written() {
    let url = srs("tops3cr3t", Rules { alphabet: Alphabet::Url, ..Rules::default() });
    let address = "SRS0=-3_5=2W=somedomain.com=hash234@example.com";
    assert_eq!(forward(&url, "hash234@somedomain.com", "example.com"), address);
    for srs in [standard(), url] {
        for hash in ["+3/5", "-3_5", "+3_5", "-3/5"] {
            let address = address.replace("-3_5", hash);
            assert_eq!(reverse(&srs, &address, NOW), "hash234@somedomain.com");
        }
    }
}

#[test]
fn a_second_forwarder_wraps_and_a_third_signs_anew() {
    let srs = standard();
    for (sender, address) in [
        (
            "SRS0=opaque+string@otherdomain.com",
            "SRS1=chaI=otherdomain.com==opaque+string@example.com",
        ),
        (
            "SRS1=X=thirddomain.com==opaque+string@otherdomain.com",
            "SRS1=JIBX=thirddomain.com==opaque+string@example.com",
        ),
    ] {
        assert_eq!(forward(&srs, sender, "example.com"), address);
    }
    let address = "SRS1=JIBX=thirddomain.com==opaque+string@example.com";
    assert_eq!(reverse(&srs, address, NOW), "SRS0=opaque+string@thirddomain.com");
}

#[test]
fn a_chain_of_forwarders() {
    let secret = srs("secret", Rules::default());
    let b = forward(&secret, "usera@hosta.com", "hostb.com");
    assert_eq!(b, "SRS0=1Yqg=2W=hosta.com=usera@hostb.com");
    let c = forward(&secret, &b, "hostc.com");
    assert_eq!(c, "SRS1=rd0E=hostb.com==1Yqg=2W=hosta.com=usera@hostc.com");
    let d = forward(&secret, &c, "hostd.com");
    assert_eq!(d, "SRS1=rd0E=hostb.com==1Yqg=2W=hosta.com=usera@hostd.com");
    assert_eq!(reverse(&secret, &d, NOW), b);
    assert_eq!(reverse(&secret, &b, NOW), "usera@hosta.com");
    let foo = srs("foo", Rules::default());
    let b = forward(&foo, "usera@hosta.com", "hostb.com");
    assert!(b.starts_with("SRS0=FeL4="), "{b}");
    let c = forward(&foo, &b, "hostc.com");
    assert_eq!(c, "SRS1=7n/Y=hostb.com==FeL4=2W=hosta.com=usera@hostc.com");
}

#[test]
fn every_separator() {
    for separator in Separator::ALL {
        let srs = srs("tops3cr3t", Rules { separator, ..Rules::default() });
        let mark = separator.character();
        let address = forward(&srs, "test@otherdomain.com", "example.com");
        assert_eq!(address, format!("SRS0{mark}vmyz=2W=otherdomain.com=test@example.com"));
        // Whoever reads it need not write the same.
        assert_eq!(reverse(&standard(), &address, NOW), "test@otherdomain.com");
        let again = forward(&standard(), &address, "second.example");
        assert!(again.starts_with("SRS1="), "{again}");
        assert!(again.contains(&format!("=example.com={mark}vmyz=")), "{again}");
        assert_eq!(reverse(&standard(), &again, NOW), address);
    }
}

#[test]
fn hash_lengths() {
    for (hash_length, hash) in [(8, "vmyz7Bwa"), (27, "vmyz7BwaV7BFsJiaZTJeJaQF2Ys"), (1, "v")] {
        let srs = srs("tops3cr3t", Rules { hash_length, ..Rules::default() });
        let address = format!("SRS0={hash}=2W=otherdomain.com=test@example.com");
        assert_eq!(forward(&srs, "test@otherdomain.com", "example.com"), address);
        assert_eq!(reverse(&srs, &address, NOW), "test@otherdomain.com");
    }
    // A longer hash is believed if all of it is right, a shorter one from the least length on.
    let rules = Rules { hash_length: 8, hash_length_min: 6, ..Rules::default() };
    let srs = srs("tops3cr3t", rules);
    let address = |hash| format!("SRS0={hash}=2W=otherdomain.com=test@example.com");
    for hash in ["vmyz7B", "vmyz7Bwa", "vmyz7BwaV7BF", "vmyz7BwaV7BFsJiaZTJeJaQF2Ys"] {
        assert_eq!(reverse(&srs, &address(hash), NOW), "test@otherdomain.com");
    }
    assert_eq!(refusal(&srs, &address("vmyz7")), Refusal::HashTooShort);
    for hash in ["vmyz7Bwb", "vmyz7BwaX", "vmyz7BwaV7BFsJiaZTJeJaQF2Ysa"] {
        assert_eq!(refusal(&srs, &address(hash)), Refusal::HashInvalid);
    }
}

#[test]
fn smashed_case() {
    let srs = standard();
    for (address, original) in [
        ("srs0=xjo9=2v=otherdomain.com=test@example.com", "test@otherdomain.com"),
        ("SRS0=XJO9=2V=OTHERDOMAIN.COM=TEST@EXAMPLE.COM", "TEST@OTHERDOMAIN.COM"),
        ("SRS0=XjO9=2V=otherdomain.com=test@example.com", "test@otherdomain.com"),
        (
            "srs1=jibx=thirddomain.com==opaque+string@example.com",
            "SRS0=opaque+string@thirddomain.com",
        ),
    ] {
        assert_eq!(reverse(&srs, address, NOW), original);
    }
}

#[test]
fn stamps_age() {
    let rules = Rules { max_age_days: 49, ..Rules::default() };
    let srs = srs("tops3cr3t", rules);
    let address = "SRS0=vmyz=2W=otherdomain.com=test@example.com";
    let day = 86_400;
    for days in [0, 1, 20, 48, 49] {
        assert_eq!(reverse(&srs, address, NOW + days * day), "test@otherdomain.com", "{days}");
    }
    for (days, age_days) in [(50, 50), (60, 60), (1023, 1023)] {
        let reversed = srs.reverse(address, NOW + days * day);
        assert_eq!(reversed, Ok(Reversed::Refused(Refusal::Expired { age_days })), "{days}");
    }
    // Tomorrow's stamp is of the future, and so long past.
    let reversed = srs.reverse(address, NOW - day);
    assert_eq!(reversed, Ok(Reversed::Refused(Refusal::Expired { age_days: 1023 })));
    // Stamps come again after 1024 days.
    assert_eq!(reverse(&srs, address, NOW + 1024 * day), "test@otherdomain.com");
}

#[test]
fn what_is_not_believed() {
    use quivive_srs::Form::{Srs0, Srs1};
    let srs = standard();
    for (address, expected, text) in [
        (
            "SRS0=te87=T7=otherdomain.com=test@example.com",
            Refusal::Expired { age_days: 215 },
            "Time stamp out of date.",
        ),
        (
            "SRS0=VcIb=7N=otherdomain.com=test@example.com",
            Refusal::Expired { age_days: 873 },
            "Time stamp out of date.",
        ),
        (
            "SRS0=FAKE=2V=otherdomain.com=test@example.com",
            Refusal::HashInvalid,
            "Hash invalid in SRS address.",
        ),
        ("SRS0=@example.com", Refusal::NoHash(Srs0), "No hash in SRS0 address."),
        ("SRS0=XjO9@example.com", Refusal::NoStamp, "No timestamp in SRS0 address."),
        ("SRS0=XjO9=2V@example.com", Refusal::NoHost(Srs0), "No host in SRS0 address."),
        (
            "SRS0=XjO9=2V=otherdomain.com@example.com",
            Refusal::NoUser(Srs0),
            "No user in SRS0 address.",
        ),
        (
            "SRS0=XjO9=1V=otherdomain.com=test@example.com",
            Refusal::BadStamp,
            "Bad base32 character in timestamp.",
        ),
        (
            "SRS0=XjO=2V=otherdomain.com=test@example.com",
            Refusal::HashTooShort,
            "Hash too short in SRS address.",
        ),
        ("SRS1=@example.com", Refusal::NoHash(Srs1), "No hash in SRS1 address."),
        ("SRS1=JIBX@example.com", Refusal::NoHost(Srs1), "No host in SRS1 address."),
        ("SRS1=JIBX=a.example@example.com", Refusal::NoUser(Srs1), "No user in SRS1 address."),
        // Before Mail::SRS 0.28 there was no hash.
        (
            "SRS1=thirddomain.com==opaque+string@example.com",
            Refusal::NoHost(Srs1),
            "No host in SRS1 address.",
        ),
    ] {
        let refusal = refusal(&srs, address);
        assert_eq!(refusal, expected, "{address}");
        assert_eq!(refusal.to_string(), text);
    }
}

#[test]
fn secrets_rotate() {
    let old = forward(&standard(), "test@otherdomain.com", "example.com");
    let rotated = srs("newer\ntops3cr3t", Rules::default());
    let new = forward(&rotated, "test@otherdomain.com", "example.com");
    assert_ne!(new, old);
    for (address, secret) in [(&new, 0), (&old, 1)] {
        let Ok(Reversed::Original(original)) = rotated.reverse(address, NOW) else {
            panic!("{address}")
        };
        assert_eq!((&*original.address, original.secret), ("test@otherdomain.com", secret));
    }
    assert_eq!(refusal(&srs("newer", Rules::default()), &old), Refusal::HashInvalid);
}

#[test]
fn what_stays_as_it_is() {
    let srs = standard();
    for sender in ["test@example.com", "test@EXAMPLE.com", "SRS0=a=b=c=d@example.com"] {
        assert_eq!(srs.forward(sender, "example.com", NOW), Ok(Forwarded::SameDomain));
    }
    let always = Rules { always_rewrite: true, ..Rules::default() };
    let always = self::srs("tops3cr3t", always);
    let address = forward(&always, "test@example.com", "example.com");
    assert!(address.ends_with("=2W=example.com=test@example.com"), "{address}");
    for address in ["test@example.com", "SRS@example.com", "SRS2=a=b=c=d@example.com"] {
        assert_eq!(srs.reverse(address, NOW), Ok(Reversed::NotSrs), "{address}");
    }
}
