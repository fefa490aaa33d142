//! Whose login may send as whom, and From fields that are mended.

use std::sync::Arc;

use quivive_binding::{GRANTS, GrantTable, Rules};
use quivive_evidence::{FindingResult, Identity, Method};
use quivive_resolver::{Resolver, Zone};
use quivive_verdict::{Action, Mode, Policy, Repair};

use super::world::World;
use crate::check::Checker;
use crate::grants::TableGrants;
use crate::tables::{Table, Tables};

const RCPT: &str = "<b@here.example>\0";

/// Knows whose addresses at `e.test` are; its policy mends so.
pub(crate) fn bound(repair: Repair) -> Checker {
    let table = GrantTable::parse(
        "alice@e.test alice\nvictim@e.test victim\nc@e.test cert:mailer.e.test\n\
         printer@e.test cert:ab:cd:ef\nodd@e.test cert:\"O=E Ltd\"\n",
        &Rules::default(),
    );
    let grants: Arc<dyn Table> = Arc::new(TableGrants::new(table.unwrap(), Arc::default()));
    let mut policy = Policy::new("mx.example");
    policy.methods = [(Method::Binding, Mode::Enforce)].into();
    policy.repair = repair;
    for identity in [Identity::Mailfrom, Identity::From, Identity::Sender] {
        for result in [FindingResult::Fail, FindingResult::Permerror] {
            policy.actions.set(Method::Binding, identity, result, Action::Reject);
        }
    }
    let resolver = Resolver::from_zone(Zone::parse(b"").unwrap());
    let tables = Tables::default().with(GRANTS, grants);
    Checker::new(policy.into(), resolver).with_tables(tables)
}

#[tokio::test]
async fn a_login_is_held_to_its_grants() {
    let world = World::judged_by(bound(Repair::Nothing), |_| {});
    let send = async |login: &str, sender: &str, from: &str| {
        let mut mta = world.client("Postfix 3.7.11").await;
        mta.say(b'D', &format!("M{{auth_authen}}\0{login}\0")).await;
        mta.say(b'M', &format!("<{sender}>\0")).await;
        let said = mta.ask(b'R', RCPT).await;
        if said != "c" {
            return said;
        }
        mta.field("From", from).await;
        mta.end().await.pop().unwrap()
    };
    assert_eq!(send("alice", "alice@e.test", "Alice <alice@e.test>").await, "c");
    let refusal = send("alice", "victim@e.test", "alice@e.test").await;
    assert!(refusal.starts_with("y550 5.7.1 You may not send as <victim@e.test>"), "{refusal}");
    let refusal = send("alice", "alice@e.test", "victim@e.test").await;
    assert!(refusal.starts_with("y550 5.7.1 You may not use <victim@e.test> in"), "{refusal}");
    let refusal = send("", "alice@e.test", "alice@e.test").await;
    assert!(refusal.starts_with("y550 5.7.1 Log in to send as <alice@e.test>"), "{refusal}");
    // Bypass 9: a route does not hide whose address it is.
    let refusal = send("alice", "@relay.test:victim@e.test", "alice@e.test").await;
    assert!(refusal.starts_with("y550 5.1.7 The reverse-path is not an address"), "{refusal}");
}

#[tokio::test]
async fn a_certificate_counts_if_it_was_verified() {
    let world = World::judged_by(bound(Repair::Nothing), |_| {});
    for (version, macros, taken) in [
        ("Postfix 3.7.11", "{cert_subject}\0mailer.e.test\0", true),
        ("Postfix 3.7.11", "{cert_issuer}\0mailer.e.test\0", false),
        ("8.17.1", "{cert_subject}\0mailer.e.test\0", false),
        ("8.17.1", "{cert_subject}\0/CN=x\0{cn_subject}\0mailer.e.test\0{verify}\0OK\0", true),
        ("8.17.1", "{cn_subject}\0mailer.e.test\0{verify}\0FAIL\0", false),
        ("Postfix 3.7.11", "{cert_subject}\0other.e.test\0", false),
    ] {
        let mut mta = world.client(version).await;
        mta.say(b'D', &format!("H{macros}")).await;
        mta.say(b'H', "helo.example\0").await;
        mta.say(b'M', "<c@e.test>\0").await;
        assert_eq!(mta.ask(b'R', RCPT).await == "c", taken, "{version} {macros}");
    }
}

#[tokio::test]
async fn a_from_field_is_mended() {
    let world = World::judged_by(bound(Repair::RewriteFrom), |_| {});
    let send = async |fields: &[(&str, &str)]| {
        let mut mta = world.client("Postfix 3.7.11").await;
        mta.say(b'D', "M{auth_authen}\0alice\0").await;
        mta.say(b'M', "<alice@e.test>\0").await;
        assert_eq!(mta.ask(b'R', RCPT).await, "c");
        for (name, value) in fields {
            mta.field(name, value).await;
        }
        mta.end().await
    };
    let said = send(&[("Subject", "x"), ("from", "Boss <victim@e.test>")]).await;
    assert_eq!(said[0], "m\\x00\\x00\\x00\\x01From\\x00 Boss <alice@e.test>\\x00", "{said:?}");
    assert_eq!(said.last().unwrap(), "c");
    let said = send(&[("Subject", "x")]).await;
    assert_eq!(said[0], "i\\x00\\x00\\x00\\x00From\\x00 <alice@e.test>\\x00", "{said:?}");
    let own = send(&[("From", "alice@e.test")]).await;
    assert!(!own.iter().any(|edit| edit.starts_with('m')), "{own:?}");
}
