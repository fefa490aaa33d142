//! The rules of a running forwarder.

use quivive_srs::{
    Bounces, Fault, Form, Forwarder, Kept, Policy, Refusal, ReturnRefusal, Returned, Rules,
    Secrets, Srs, Unusable, Written,
};

const NOW: u64 = 1_577_836_860;

fn policy() -> Policy {
    Policy {
        domain: "fwd.example".to_owned(),
        former_domains: vec!["old.example".to_owned()],
        own_domains: vec!["own.example".to_owned()],
        only: Vec::new(),
        except: vec!["except.example".to_owned()],
        unsigned_domains: vec!["old.example".to_owned()],
        local_part_max: 64,
        bounces: Bounces::Only,
    }
}

fn forwarder(policy: Policy) -> Forwarder {
    let secrets = Secrets::parse(b"tops3cr3t").unwrap();
    Forwarder::new(Srs::new(&secrets, Rules::default()), policy)
}

#[track_caller]
fn rewritten(forwarder: &Forwarder, sender: &str) -> String {
    match forwarder.forward(sender, NOW) {
        Written::Rewritten(address) => address,
        kept => panic!("{sender}: {kept:?}"),
    }
}

#[track_caller]
fn original(forwarder: &Forwarder, recipient: &str) -> String {
    match forwarder.reverse(recipient, Some(""), NOW) {
        Returned::Original(original) => original.address,
        other => panic!("{recipient}: {other:?}"),
    }
}

#[test]
fn who_is_rewritten() {
    let forwarder = forwarder(policy());
    assert!(rewritten(&forwarder, "a@elsewhere.example").starts_with("SRS0="));
    // Below a domain of ours others may live.
    assert!(rewritten(&forwarder, "a@sub.own.example").starts_with("SRS0="));
    for (sender, reason) in [
        ("", Kept::Null),
        ("<>", Kept::Null),
        ("a@own.example", Kept::Own),
        ("a@OWN.example.", Kept::Own),
        ("a@fwd.example", Kept::Own),
        ("a@old.example", Kept::Own),
        ("SRS0=aaaa=2W=a.example=b@fwd.example", Kept::Ours),
        ("SRS1=aaaa=a.example==b@old.example", Kept::Ours),
        ("a@except.example", Kept::Excepted),
        ("a@sub.except.example", Kept::Excepted),
        ("SRS1=x@elsewhere.example", Kept::Unusable(Unusable::NoHost)),
        ("SRS1=x=y@elsewhere.example", Kept::Unusable(Unusable::NoUser)),
        ("postmaster", Kept::Fault(Fault::NoAt)),
    ] {
        assert_eq!(forwarder.forward(sender, NOW), Written::Kept(reason), "{sender}");
    }
}

#[test]
fn only_some_are_rewritten() {
    let forwarder = forwarder(Policy { only: vec!["some.example".to_owned()], ..policy() });
    rewritten(&forwarder, "a@some.example");
    rewritten(&forwarder, "a@sub.some.example");
    let other = forwarder.forward("a@awesome.example", NOW);
    assert_eq!(other, Written::Kept(Kept::NotListed));
}

#[test]
fn what_becomes_too_long_stays_as_it_is() {
    let forwarder = forwarder(policy());
    // `SRS0=HHHH=TT=` and a separator are 14 octets.
    let sender = |octets: usize| format!("{}@elsewhere.example", "a".repeat(octets - 17));
    assert_eq!(rewritten(&forwarder, &sender(50)).find('@'), Some(64));
    assert_eq!(forwarder.forward(&sender(51), NOW), Written::Kept(Kept::TooLong));
    let wide = self::forwarder(Policy { local_part_max: 250, ..policy() });
    rewritten(&wide, &sender(51));
    // The whole path still has to be one.
    assert_eq!(wide.forward(&sender(320 - 60), NOW), Written::Kept(Kept::TooLong));
}

#[test]
fn bounces_come_home() {
    let forwarder = forwarder(policy());
    let address = rewritten(&forwarder, "test@otherdomain.com");
    assert_eq!(original(&forwarder, &address), "test@otherdomain.com");
    assert_eq!(
        original(&forwarder, &address.replace("fwd.example", "OLD.example")),
        "test@otherdomain.com"
    );
    for reporter in ["MAILER-DAEMON@mx.example", "postmaster@mx.example", "Postmaster"] {
        let returned = forwarder.reverse(&address, Some(reporter), NOW);
        assert!(matches!(returned, Returned::Original(_)), "{reporter}");
    }
    // Tables do not know the sender.
    assert!(matches!(forwarder.reverse(&address, None, NOW), Returned::Original(_)));
    let other = forwarder.reverse(&address, Some("a@b.example"), NOW);
    assert_eq!(other, Returned::Refused(ReturnRefusal::NotABounce));
    let open = self::forwarder(Policy { bounces: Bounces::OrAnything, ..policy() });
    assert!(matches!(open.reverse(&address, Some("a@b.example"), NOW), Returned::Original(_)));
}

#[test]
fn what_is_not_ours_is_no_match() {
    let forwarder = forwarder(policy());
    let address = rewritten(&forwarder, "test@otherdomain.com");
    for recipient in [
        &*address.replace("fwd.example", "elsewhere.example"),
        "SRS0=FAKE=2W=a.example=b@own.example",
        "user@fwd.example",
        "SRS0@fwd.example",
        "postmaster",
        "",
    ] {
        assert_eq!(forwarder.reverse(recipient, Some(""), NOW), Returned::NotOurs, "{recipient}");
    }
}

#[test]
fn what_is_forged_or_old_does_not_come_back() {
    let forwarder = forwarder(policy());
    let refused = |recipient: &str, now| match forwarder.reverse(recipient, Some(""), now) {
        Returned::Refused(refusal) => refusal,
        other => panic!("{recipient}: {other:?}"),
    };
    let address = rewritten(&forwarder, "test@otherdomain.com");
    let forged = refused(&address.replace("test@", "best@"), NOW);
    assert_eq!((forged.word(), &forged), ("fail", &ReturnRefusal::Srs(Refusal::HashInvalid)));
    let old = refused(&address, NOW + 22 * 86_400);
    assert_eq!(old.word(), "expired");
    assert_eq!(old.to_string(), "Time stamp out of date.");
}

#[test]
fn the_early_form_comes_back_only_where_it_is_listed() {
    let forwarder = forwarder(policy());
    let returned = forwarder.reverse("user=source.example@old.example", Some(""), NOW);
    let Returned::Unsigned(unsigned) = returned else { panic!("{returned:?}") };
    assert_eq!(unsigned.address, "user@source.example");
    let returned = forwarder.reverse("user=source.example@fwd.example", Some(""), NOW);
    let Returned::Refused(ReturnRefusal::Unsigned(unsigned)) = returned else { panic!() };
    assert_eq!(unsigned.address, "user@source.example");
    let no_bounce = forwarder.reverse("user=source.example@old.example", Some("a@b.c"), NOW);
    assert_eq!(no_bounce, Returned::Refused(ReturnRefusal::NotABounce));
}

#[test]
fn our_own_address_in_our_own_unwinds() {
    let forwarder = forwarder(policy());
    // We rewrote it, another did, it came back to us and we did again.
    let first = rewritten(&forwarder, "test@otherdomain.com");
    let Ok(quivive_srs::Forwarded::Rewritten(second)) =
        forwarder.srs().forward(&first, "elsewhere.example", NOW)
    else {
        panic!()
    };
    let third = rewritten(&forwarder, &second);
    assert!(third.starts_with("SRS1=") && third.contains("=fwd.example="), "{third}");
    let returned = forwarder.reverse(&third, Some(""), NOW);
    let Returned::Original(found) = returned else { panic!("{returned:?}") };
    assert_eq!((&*found.address, found.form), ("test@otherdomain.com", Form::Srs0));
    // The first stamp counts.
    let late = forwarder.reverse(&third, Some(""), NOW + 22 * 86_400);
    assert!(matches!(late, Returned::Refused(ReturnRefusal::Srs(Refusal::Expired { .. }))));
}

#[test]
fn ten_deep() {
    let forwarder = forwarder(policy());
    let mut local = "SRS0=aaaa=2W=a.example=b".to_owned();
    for _ in 0..10 {
        local = format!("SRS1=aaaa=fwd.example=={}", local.replace('@', "="));
    }
    let returned = forwarder.reverse(&format!("{local}@fwd.example"), Some(""), NOW);
    assert_eq!(returned, Returned::Refused(ReturnRefusal::Srs(Refusal::HashInvalid)));
    // Rewritten ten times, an address does not grow.
    let mut address = rewritten(&forwarder, "a@b.example");
    for hop in 0..10 {
        let domain = format!("hop{hop}.example");
        let Ok(quivive_srs::Forwarded::Rewritten(next)) =
            forwarder.srs().forward(&address, &domain, NOW)
        else {
            panic!("{address}")
        };
        address = next;
    }
    assert!(address.len() < 80, "{address}");
}

#[test]
fn how_it_came_back_in_words() {
    let forwarder = forwarder(policy());
    let address = rewritten(&forwarder, "test@otherdomain.com");
    let Returned::Original(found) = forwarder.reverse(&address, None, NOW + 86_400) else {
        panic!("{address}")
    };
    assert_eq!(found.to_string(), "SRS0 in the manner of mail-srs, secret 1, a day old");
}
