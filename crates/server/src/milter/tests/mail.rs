use std::time::Duration;

use quivive_evidence::{FindingResult, Identity, Method};
use quivive_resolver::{Resolver, Zone};
use quivive_verdict::{Action, Mode, Policy};

use super::world::World;
use crate::check::Checker;
use crate::gateway::tests::world::{checker_of_logins, checker_with};
use crate::milter::forgeries::FORGERIES_MAX;

/// What is asked for: neither DATA nor unknown commands, the end of the header or the body; no
/// answer to connections, HELO, MAIL and header fields; what an MTA can do better.
const PROTOCOL: u32 = 0x200 | 0x100 | 0x40 | 0x10 | 0x1000 | 0x2000 | 0x4000 | 0x80 | 0x10_0400;

const RCPT: &str = "<b@here.example>\0";

/// A name server that answers nothing.
fn silence() -> (std::net::UdpSocket, Resolver) {
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let servers = [silent.local_addr().unwrap()];
    let resolver = Resolver::from_servers(&servers, quivive_resolver::Settings::default());
    (silent, resolver)
}

#[tokio::test]
async fn the_least_is_asked_for() {
    let mut mta = World::new().connect();
    assert_eq!(mta.offer(6, 0x1ff, 0x1f_ffff).await, [6, 0x131, PROTOCOL]);
}

#[tokio::test]
async fn every_version_is_answered_in_what_it_has() {
    for version in 2..=99 {
        let mut mta = World::new().connect();
        assert_eq!(mta.offer(version, 0x3f, 0x7f).await, [version.min(6), 0x31, 0x50]);
        // An old one awaits an answer to everything.
        assert_eq!(mta.ask(b'C', "x\x004\0\x19192.0.2.1\0").await, "c");
        assert_eq!(mta.ask(b'H', "helo.example\0").await, "c");
        assert_eq!(mta.ask(b'M', "<a@pass.example>\0").await, "c");
        assert_eq!(mta.ask(b'R', RCPT).await, "c");
        assert_eq!(mta.ask(b'L', "Subject\0x\0").await, "c");
        assert_eq!(mta.end().await.last().unwrap(), "c");
    }
}

#[tokio::test]
async fn who_logged_in_is_not_judged_by_where_it_is_unless_it_is_wanted() {
    let asked = async |world: &World| {
        let mut mta = world.client("Postfix 3.7.11").await;
        mta.say(b'D', "M{auth_authen}\0ann\0").await;
        mta.say(b'M', "<a@fail.example>\0").await;
        (mta.ask(b'R', RCPT).await, mta)
    };
    let (answer, mut mta) = asked(&World::new()).await;
    assert_eq!(answer, "c");
    let said = mta.end().await;
    let results = "i\\x00\\x00\\x00\\x00Authentication-Results\\x00 mx.example; none\\x00";
    assert_eq!(said, [results, "c"]);
    // The next message is of somebody who did not.
    mta.say(b'D', "M").await;
    mta.say(b'M', "<a@fail.example>\0").await;
    let answer = mta.ask(b'R', RCPT).await;
    assert!(answer.starts_with("y550 5.7.23 SPF: "), "{answer}");
    let (answer, _) = asked(&World::judged_by(checker_of_logins(), |_| {})).await;
    assert!(answer.starts_with("y550 5.7.23 SPF: "), "{answer}");
}

#[tokio::test]
async fn what_passes_is_marked_on_top() {
    let mut mta = World::new().mail("a@pass.example").await;
    assert_eq!(mta.ask(b'R', RCPT).await, "c");
    mta.field("Subject", "x").await;
    let said = mta.end().await;
    assert_eq!(said.len(), 4, "{said:?}");
    // The last that goes in stands on top.
    assert!(said[0].starts_with("i\\x00\\x00\\x00\\x00Received-SPF\\x00 none "), "{said:?}");
    assert!(said[1].starts_with("i\\x00\\x00\\x00\\x00Received-SPF\\x00 pass "), "{said:?}");
    let results = "i\\x00\\x00\\x00\\x00Authentication-Results\\x00 mx.example;\\n";
    assert!(said[2].starts_with(results) && !said[2].contains("\\r"), "{said:?}");
    assert_eq!(said[3], "c");
}

#[tokio::test]
async fn who_is_refused_hears_it_at_every_recipient() {
    let mut mta = World::new().mail("a@fail.example").await;
    for _ in 0..2 {
        let refusal = mta.ask(b'R', RCPT).await;
        assert!(refusal.starts_with("y550 5.7.23 SPF: 192.0.2.1 is not permitted"), "{refusal}");
        assert!(refusal.ends_with("\\x00"), "{refusal}");
    }
    // Another message of the same client is another matter.
    mta.say(b'A', "").await;
    mta.say(b'M', "<a@pass.example>\0").await;
    assert_eq!(mta.ask(b'R', RCPT).await, "c");
    assert_eq!(mta.end().await.last().unwrap(), "c");
    mta.say(b'M', "<a@slow.example>\0").await;
    let deferral = mta.ask(b'R', RCPT).await;
    assert!(deferral.starts_with("y451 4.7.24 "), "{deferral}");
}

#[tokio::test]
async fn what_is_thrown_away_is_taken() {
    let mut mta = World::new().mail("a@broken.example").await;
    assert_eq!(mta.ask(b'R', RCPT).await, "c");
    assert_eq!(mta.end().await, ["d"]);
}

#[tokio::test]
async fn what_is_held_is_marked_and_kept_back_with_its_reasons() {
    let zone = Zone::parse(b"soft.example. TXT \"v=spf1 ~all\"").unwrap();
    let mut policy = Policy::new("mx.example");
    policy.actions.set(Method::Spf, Identity::Mailfrom, FindingResult::Softfail, Action::Hold);
    let checker = Checker::new(policy.into(), Resolver::from_zone(zone));
    let mut mta = World::judged_by(checker, |_| {}).mail("a@soft.example").await;
    assert_eq!(mta.ask(b'R', RCPT).await, "c");
    let said = mta.end().await;
    let [.., results, hold, go_on] = &said[..] else { panic!("{said:?}") };
    assert!(results.contains("spf=softfail"), "{said:?}");
    assert!(hold.starts_with("qspf helo none: mark"), "{said:?}");
    assert!(
        hold.contains("; spf mailfrom softfail: hold ([actions.spf.mailfrom])\\x00"),
        "{said:?}"
    );
    assert_eq!(go_on, "c");
}

#[tokio::test]
async fn forged_results_go_before_ours_come() {
    let mut mta = World::new().mail("a@pass.example").await;
    assert_eq!(mta.ask(b'R', RCPT).await, "c");
    mta.field("Authentication-Results", "mx.example; spf=pass").await;
    mta.field("Authentication-Results", "other.example; spf=pass").await;
    mta.field("authentication-results", "MX.example; spf=pass").await;
    mta.field("Received-SPF", "pass").await;
    let said = mta.end().await;
    assert_eq!(said[0], "m\\x00\\x00\\x00\\x01Received-SPF\\x00\\x00");
    assert_eq!(said[1], "m\\x00\\x00\\x00\\x03Authentication-Results\\x00\\x00");
    assert_eq!(said[2], "m\\x00\\x00\\x00\\x01Authentication-Results\\x00\\x00");
    assert!(said[3].starts_with('i') && said.len() == 7, "{said:?}");
}

#[tokio::test]
async fn a_message_with_more_forged_results_than_can_go_is_refused() {
    let mut mta = World::new().mail("a@pass.example").await;
    assert_eq!(mta.ask(b'R', RCPT).await, "c");
    for _ in 0..=FORGERIES_MAX {
        mta.field("Authentication-Results", "mx.example; spf=pass").await;
    }
    let said = mta.end().await;
    assert!(said.len() == 1 && said[0].starts_with("y554 5.6.0 "), "{said:?}");
}

#[tokio::test]
async fn what_cannot_be_marked_is_deferred_and_not_let_through() {
    // No fields may be added; none may be deleted.
    for (actions, forged) in [(0x130, false), (0x121, true)] {
        let mut mta = World::new().connect();
        assert_eq!(mta.offer(6, actions, 0x1f_ffff).await[1], actions);
        mta.say(b'C', "mail.example\x004\0\x19192.0.2.1\0").await;
        mta.say(b'M', "<a@pass.example>\0").await;
        assert_eq!(mta.ask(b'R', RCPT).await, "c");
        if forged {
            mta.field("Authentication-Results", "mx.example; spf=pass").await;
        }
        let said = mta.end().await;
        assert!(said.len() == 1 && said[0].starts_with("y451 4.3.5 "), "{said:?}");
    }
}

#[tokio::test]
async fn mail_of_the_mail_servers_own_host_is_not_judged_and_cleaned_all_the_same() {
    let mut mta = World::new().connect();
    mta.offer(6, 0x1ff, 0x1f_ffff).await;
    mta.say(b'C', "localhost\0L\0\0/run/socket\0").await;
    mta.say(b'M', "<a@fail.example>\0").await;
    assert_eq!(mta.ask(b'R', RCPT).await, "c");
    mta.field("Received-SPF", "pass").await;
    assert_eq!(mta.end().await, ["m\\x00\\x00\\x00\\x01Received-SPF\\x00\\x00", "c"]);
    // Unless the mail server says by another way where it came from.
    mta.say(b'K', "").await;
    mta.say(b'D', "C{client_addr}\x00192.0.2.1\0").await;
    mta.say(b'C', "localhost\0U").await;
    mta.say(b'M', "<a@fail.example>\0").await;
    assert!(mta.ask(b'R', RCPT).await.starts_with("y550 5.7.23 SPF: 192.0.2.1 "));
}

#[tokio::test]
async fn nothing_is_marked_where_no_method_runs() {
    let mut policy = Policy::new("mx.example");
    policy.methods.insert(Method::Spf, Mode::Off);
    let checker = Checker::new(policy.into(), Resolver::from_zone(Zone::parse(b"").unwrap()));
    let mut mta = World::judged_by(checker, |_| {}).mail("a@fail.example").await;
    assert_eq!(mta.ask(b'R', RCPT).await, "c");
    let said = mta.end().await;
    assert_eq!(said.last().unwrap(), "c");
    assert!(!said.iter().any(|said| said.contains("spf")), "{said:?}");
}

/// Time is paused: it passes only while nothing else can happen.
#[tokio::test(start_paused = true)]
async fn postfix_is_told_that_a_check_still_runs() {
    let (_silent, resolver) = silence();
    let world = World::judged_by(checker_with(resolver), |settings| {
        settings.patience.progress = Duration::from_secs(1);
    });
    let mut mta = world.mail("a@pass.example").await;
    let mut told = mta.ask(b'R', RCPT).await;
    let mut progress = 0;
    while told == "p" {
        progress += 1;
        told = mta.told().await;
    }
    assert!(progress >= 3, "{progress}");
    assert!(told.starts_with("y451 4.7.24 "), "{told}");
}

#[tokio::test(start_paused = true)]
async fn sendmail_hears_late_what_it_would_not_have_waited_for() {
    let (_silent, resolver) = silence();
    let world = World::judged_by(checker_with(resolver), |settings| {
        settings.patience.progress = Duration::from_secs(1);
        settings.patience.silence = Duration::from_secs(1);
    });
    let mut mta = world.client("8.17.1.9").await;
    mta.say(b'M', "<a@pass.example>\0").await;
    assert_eq!(mta.ask(b'R', RCPT).await, "c");
    let said = mta.end().await;
    let [progress @ .., refusal] = &said[..] else { panic!("nothing is said") };
    assert!(!progress.is_empty() && progress.iter().all(|word| word == "p"), "{said:?}");
    assert!(refusal.starts_with("y451 4.7.24 "), "{said:?}");
}
