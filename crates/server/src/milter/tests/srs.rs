//! Mail that is forwarded, and bounces that come home, by way of a mail server.

use std::sync::Arc;

use quivive_mail::Aliases;
use quivive_srs::Written;

use super::world::{Mta, World};
use crate::gateway::tests::world::checker;
use crate::milter::{Forwarding, Settings};
use crate::srs::sample::{rewriter, rewritten};
use crate::srs::{FORGERIES_MAX, unix_now};

const TABLE: &str = "info@here.example far@there.example\n\
    team@here.example one@there.example, two@elsewhere.example\n\
    local@here.example b@here.example\n\
    @new.example far@there.example, @here.example\n";

fn forwarding(table: &str, is_all: bool) -> Forwarding {
    let aliases = Arc::new(Aliases::parse(table).unwrap());
    Forwarding { aliases, rewriter: rewriter(), is_all }
}

fn world(is_all: bool) -> World {
    let set_up = |settings: &mut Settings| settings.forwarding = Some(forwarding(TABLE, is_all));
    World::judged_by(checker(), set_up)
}

/// What is said to each recipient: the first four octets.
async fn recipients(mta: &mut Mta, recipients: &[&str]) -> Vec<String> {
    let mut said = Vec::new();
    for recipient in recipients {
        let answer = mta.ask(b'R', &format!("<{recipient}>\0")).await;
        said.push(answer.chars().take(4).collect());
    }
    said
}

/// What becomes of the envelope of a message from this sender to these recipients.
async fn envelope(world: &World, sender: &str, to: &[&str]) -> Vec<String> {
    let mut mta = world.mail(sender).await;
    assert!(recipients(&mut mta, to).await.iter().all(|answer| answer == "c"), "{to:?}");
    let mut said = mta.end().await;
    assert_eq!(said.pop().unwrap(), "c");
    said.retain(|edit| !edit.starts_with('i'));
    said
}

#[tokio::test]
async fn what_leads_elsewhere_goes_under_our_reverse_path() {
    let sender = rewritten("a@pass.example");
    let changed = format!("e<{sender}>\\x00");
    for is_all in [false, true] {
        let world = world(is_all);
        for to in [
            &["info@here.example"][..],
            &["team@here.example", "info@here.example"],
            // Expanded already, or relayed.
            &["far@there.example"],
            &["INFO@Here.Example", "x@elsewhere.example"],
        ] {
            assert_eq!(envelope(&world, "a@pass.example", to).await, [&*changed], "{to:?}");
        }
    }
}

#[tokio::test]
async fn what_stays_is_left_alone() {
    let world = world(false);
    for to in ["b@here.example", "local@here.example", "postmaster", "x@fwd.example"] {
        assert_eq!(envelope(&world, "a@pass.example", &[to]).await, [""; 0], "{to}");
    }
    // The null sender, our own users, what lists except.
    for sender in ["", "u@here.example", "u@except.example", "u@fwd.example"] {
        let to = ["info@here.example", "b@here.example"];
        assert_eq!(envelope(&world, sender, &to).await, [""; 0], "{sender}");
    }
}

#[tokio::test]
async fn a_foreign_rewritten_sender_becomes_srs1() {
    let world = world(true);
    let sender = "SRS0=vmyz=2W=otherdomain.com=test@pass.example";
    let changed = envelope(&world, sender, &["info@here.example"]).await;
    assert!(changed[0].starts_with("e<SRS1="), "{changed:?}");
    assert!(
        changed[0].contains("=pass.example==vmyz=2W=otherdomain.com=test@fwd.example"),
        "{changed:?}"
    );
}

#[tokio::test]
async fn who_needs_another_return_address_comes_again() {
    let world = world(false);
    for (first, second) in
        [("b@here.example", "info@here.example"), ("info@here.example", "b@here.example")]
    {
        let mut mta = world.mail("a@pass.example").await;
        assert_eq!(recipients(&mut mta, &[first]).await, ["c"]);
        let put_off = mta.ask(b'R', &format!("<{second}>\0")).await;
        assert!(put_off.starts_with("y452 4.5.3 ") && put_off.contains("by itself"), "{put_off}");
        // The others go on.
        assert_eq!(recipients(&mut mta, &[first]).await, ["c"]);
        let changes = mta.end().await.iter().filter(|edit| edit.starts_with('e')).count();
        assert_eq!(changes, usize::from(first == "info@here.example"), "{first}");
    }
}

#[tokio::test]
async fn an_alias_that_leads_two_ways_says_what_helps() {
    let world = world(false);
    let mut mta = world.mail("a@pass.example").await;
    let deferral = mta.ask(b'R', "<x@new.example>\0").await;
    assert!(deferral.starts_with("y451 4.3.5 This alias leads here and elsewhere"), "{deferral}");
    assert!(deferral.contains("rewrite where aliases are expanded already"), "{deferral}");
    // It is known before any mail comes.
    assert_eq!(forwarding(TABLE, false).parted_alias().as_deref(), Some("@new.example"));
    let whole = TABLE.replace(", @here.example", "");
    assert_eq!(forwarding(&whole, false).parted_alias(), None);
    // Who is not rewritten takes both ways.
    assert_eq!(envelope(&world, "", &["x@new.example"]).await, [""; 0]);
}

#[tokio::test]
async fn a_bounce_goes_to_whom_it_is_for() {
    let ours = rewritten("user@source.example");
    for is_all in [false, true] {
        let world = world(is_all);
        let changes = envelope(&world, "", &[&ours]).await;
        let expected = [format!("-<{ours}>\\x00"), "+<user@source.example>\\x00".to_owned()];
        assert_eq!(changes, expected);
        // Together with ordinary mail, which the null sender may be.
        let changes = envelope(&world, "", &[&ours, "b@here.example"]).await;
        assert_eq!(changes, expected);
    }
}

#[tokio::test]
async fn what_did_not_come_from_us_does_not_come_back() {
    let ours = rewritten("user@source.example");
    let forged = ours.replace("user@", "used@");
    let long_ago = unix_now() - 30 * 86_400;
    let Written::Rewritten(expired) = rewriter().forwarder().forward("u@s.example", long_ago)
    else {
        panic!("it is rewritten")
    };
    let world = world(true);
    for (sender, recipient, refusal) in [
        ("", &*forged, "y550 5.1.1 Hash invalid in SRS address."),
        ("", &*expired, "y550 5.1.1 Time stamp out of date."),
        ("", "SRS0=x@fwd.example", "y550 5.1.1 No timestamp in SRS0 address."),
        ("a@pass.example", &ours, "y550 5.7.1 Only bounces"),
        ("", "user=source.example@fwd.example", "y550 5.1.1 Unsigned forwarding address"),
    ] {
        let mut mta = world.mail(sender).await;
        let said = mta.ask(b'R', &format!("<{recipient}>\0")).await;
        assert!(said.starts_with(refusal), "{recipient}: {said}");
    }
    // At our own domain it may be the tag of a mailing list; elsewhere it is not ours to judge.
    for (recipient, edits) in
        [("user=x.example@here.example", 0), (&*forged.replace("fwd", "x"), 0)]
    {
        assert_eq!(envelope(&world, "", &[recipient]).await.len(), edits, "{recipient}");
    }
}

#[tokio::test]
async fn whoever_guesses_is_put_off() {
    let world = world(false);
    let ours = rewritten("user@source.example");
    let mut mta = world.mail("").await;
    for guess in 0..FORGERIES_MAX {
        let said =
            mta.ask(b'R', &format!("<{}>\0", ours.replace("user@", &format!("u{guess}@")))).await;
        assert!(said.starts_with("y550 5.1.1 "), "{said}");
    }
    assert!(mta.ask(b'R', &format!("<{ours}>\0")).await.starts_with("y451 4.7.1 Too many forged"));
    // A mail server's own host is not put off.
    let mut own = world.connect();
    own.offer(6, 0x1ff, 0x1f_ffff).await;
    own.say(b'C', "localhost\0L\0\0/run/socket\0").await;
    own.say(b'M', "<>\0").await;
    assert_eq!(own.ask(b'R', &format!("<{ours}>\0")).await, "c");
}

#[tokio::test]
async fn alone_nothing_is_judged_and_the_header_is_not_asked_for() {
    let world = world(true);
    let mut mta = world.connect();
    let [_, actions, protocol] = mta.offer(6, 0x1ff, 0x1f_ffff).await;
    assert_eq!(actions, 0x40 | 0x04 | 0x08 | 0x100, "change sender, recipients, choose macros");
    assert_eq!(protocol & 0x20, 0x20, "no header");
    // What SPF would have refused has been judged before.
    assert_eq!(envelope(&world, "a@fail.example", &["b@here.example"]).await, [""; 0]);
}

#[tokio::test]
async fn who_may_not_change_the_envelope_defers() {
    let world = world(false);
    for (actions, to) in [(0x131, "info@here.example"), (0x171, &*rewritten("u@s.example"))] {
        let mut mta = world.connect();
        mta.offer(6, actions, 0x1f_ffff).await;
        mta.say(b'C', "mail.example\x004\0\x19192.0.2.1\0").await;
        let sender = if to.starts_with("SRS0") { "" } else { "a@pass.example" };
        mta.say(b'M', &format!("<{sender}>\0")).await;
        assert_eq!(mta.ask(b'R', &format!("<{to}>\0")).await, "c");
        let said = mta.end().await;
        assert!(said.last().unwrap().starts_with("y451 4.3.5 "), "{said:?}");
    }
}
