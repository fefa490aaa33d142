use quivive_srs::{Bounces, Forwarded, Forwarder, Policy, Rules, Secrets, Srs};

use super::*;

fn rewriter() -> Rewriter {
    let srs = Srs::new(&Secrets::parse(b"tops3cr3t").unwrap(), Rules::default());
    let policy = Policy {
        domain: "example.com".to_owned(),
        former_domains: Vec::new(),
        own_domains: vec!["own.example".to_owned()],
        only: Vec::new(),
        except: vec!["except.example".to_owned()],
        unsigned_domains: Vec::new(),
        local_part_max: 64,
        bounces: Bounces::Only,
    };
    Rewriter::new(Forwarder::new(srs, policy), Arc::default())
}

/// What the address becomes at our domain today.
fn rewritten(sender: &str) -> String {
    match rewriter().forwarder().srs().forward(sender, "example.com", unix_now()) {
        Ok(Forwarded::Rewritten(address)) => address,
        other => panic!("{sender}: {other:?}"),
    }
}

fn found(address: &str) -> Answer {
    Answer::Found(address.to_owned())
}

#[test]
fn tcp_table_answers_as_postsrsd_1() {
    let forward = forward_map(&rewriter(), Manner::PostSrsd1);
    let ours = rewritten("test@otherdomain.com");
    assert_eq!(forward.look_up("test@otherdomain.com"), found(&ours));
    for same in ["test@example.com", "SRS0=FAKE=2V=otherdomain.com=test@example.com"] {
        assert_eq!(forward.look_up(same), found(same));
    }
    let at_another = ours.replace("@example.com", "@elsewhere.example");
    for (sender, reason) in [
        ("bla", "No at sign in sender address"),
        ("", "No at sign in sender address"),
        (&*ours, "Already rewritten"),
        (&*at_another, "Already rewritten"),
        ("a@own.example", "Domain excluded by policy"),
        ("a@except.example", "Domain excluded by policy"),
        ("SRS1=x@c.example", "No host in SRS1 address."),
        ("SRS1=x=y@c.example", "No user in SRS1 address."),
    ] {
        assert_eq!(forward.look_up(sender), Answer::NotFound(reason), "{sender}");
    }
    let foreign = forward.look_up("SRS0=opaque+string@otherdomain.com");
    assert_eq!(foreign, found("SRS1=chaI=otherdomain.com==opaque+string@example.com"));
}

#[test]
fn socketmap_answers_as_postsrsd_2() {
    let forward = forward_map(&rewriter(), Manner::PostSrsd2);
    let ours = rewritten("test@otherdomain.com");
    assert_eq!(forward.look_up("test@otherdomain.com"), found(&ours));
    for (sender, reason) in [
        ("test@example.com", "Need not rewrite local domain."),
        ("SRS0=XjO9=2V=otherdomain.com=test@example.com", "Need not rewrite local domain."),
        ("a@own.example", "Need not rewrite local domain."),
        ("foo", "No domain."),
        ("", "No domain."),
        ("\"\"", "No domain."),
    ] {
        assert_eq!(forward.look_up(sender), Answer::NotFound(reason), "{sender}");
    }
    let long = format!("test@{}.net", "a".repeat(504));
    assert_eq!(forward.look_up(&long), Answer::Permanent("Too big."));
    let foreign = forward.look_up("SRS1=X=thirddomain.com==opaque+string@otherdomain.com");
    assert_eq!(foreign, found("SRS1=JIBX=thirddomain.com==opaque+string@example.com"));
}

#[test]
fn what_does_not_come_back_is_no_match() {
    for manner in [Manner::PostSrsd1, Manner::PostSrsd2] {
        let reverse = reverse_map(&rewriter(), manner);
        let ours = rewritten("test@otherdomain.com");
        assert_eq!(reverse.look_up(&ours), found("test@otherdomain.com"));
        assert_eq!(reverse.look_up(&ours.to_lowercase()), found("test@otherdomain.com"));
        let second = reverse.look_up("SRS1=JIBX=thirddomain.com==opaque+string@example.com");
        assert_eq!(second, found("SRS0=opaque+string@thirddomain.com"));
        let elsewhere = ours.replace("@example.com", "@elsewhere.example");
        for (recipient, reason) in [
            ("test@example.com", "Not an SRS address."),
            ("bla", "Not an SRS address."),
            (&*elsewhere, "Not an SRS address."),
            ("SRS0=te87=T7=otherdomain.com=test@example.com", "Time stamp out of date."),
            (&*ours.replace("test@", "best@"), "Hash invalid in SRS address."),
            ("SRS0=@example.com", "No hash in SRS0 address."),
            (
                "user=source.example@example.com",
                "Unsigned forwarding address: anybody could have written it.",
            ),
        ] {
            let answer = reverse.look_up(recipient);
            let Answer::NotFound(text) = answer else { panic!("{recipient}: {answer:?}") };
            // The stamp in the first example may come again one day.
            assert!(text == reason || recipient.contains("=T7="), "{recipient}: {text}");
        }
    }
}
