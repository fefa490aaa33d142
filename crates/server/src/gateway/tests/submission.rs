//! Users log in and send; those bypasses of the sheet's section 6 that are a matter of the session.

use std::collections::BTreeMap;
use std::sync::Arc;

use data_encoding::BASE64;
use quivive_binding::{GRANTS, GrantTable, Rules};
use quivive_evidence::{FindingResult, Identity, Method};
use quivive_resolver::{Resolver, Zone};
use quivive_verdict::{Action, Mode, Policy, Repair};

use super::trust::Trust;
use super::world::{Answer, Client, Next, World};
use crate::check::Checker;
use crate::gateway::TlsMode;
use crate::grants::TableGrants;
use crate::logins::users::{self, User};
use crate::logins::{LoginSource, Logins};
use crate::tables::{Table, Tables};

const PASSWORD: &str = "correct horse";

const TABLE: &str = "\
alice@e.test   alice, alice@cert.test  [detail]
victim@e.test  victim
as:alice       clerk
";

const OWN: &str = "From: alice@e.test\r\nSubject: hello\r\n\r\nHow are you?\r\n";

struct Site {
    world: World,
    trust: Trust,
    /// Files of users, certificates and keys lie here.
    _folder: tempfile::TempDir,
}

impl Site {
    async fn new() -> Self {
        Self::with(None, |_| {}).await
    }

    async fn with(next: Option<&Next>, change: impl FnOnce(&mut Policy)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("users");
        // One hash for all: it is work by intent.
        let user = User::with_password(PASSWORD).unwrap();
        for name in ["alice", "victim", "clerk"] {
            users::change(&file, |users| users.set(name, user.clone())).unwrap();
        }
        let rules: Arc<Rules> = Arc::default();
        let table = GrantTable::parse(TABLE, &rules).unwrap();
        let table: Arc<dyn Table> = Arc::new(TableGrants::new(table, rules.clone()));
        let tables = Tables::default().with(GRANTS, table);
        let mut policy = Policy::new("mx.example");
        policy.methods = BTreeMap::from([(Method::Binding, Mode::Enforce)]);
        for identity in [Identity::Mailfrom, Identity::From, Identity::Sender, Identity::Resent] {
            for result in [FindingResult::Fail, FindingResult::Permerror] {
                policy.actions.set(Method::Binding, identity, result, Action::Reject);
            }
        }
        change(&mut policy);
        let resolver = Resolver::from_zone(Zone::parse(b"").unwrap());
        let checker = Checker::new(Arc::new(policy), resolver).with_tables(tables.clone());
        let source = LoginSource::Users(file);
        let logins = Logins::new(&source, tables, rules, Logins::tries()).unwrap();
        let trust = Trust::new(folder.path(), TlsMode::StartTls);
        let tls = trust.tls.clone();
        let logins = Some(Arc::new(logins));
        let world = World::of(checker, next, logins, |settings| settings.tls = Some(tls)).await;
        Self { world, trust, _folder: folder }
    }

    /// A client in TLS that has said EHLO.
    async fn connect(&self) -> Client {
        let mut client = self.world.connect().await;
        client.all(&["EHLO laptop", "STARTTLS"]).await;
        let mut client = self.trust.handshake(client).await;
        client.all(&["EHLO laptop"]).await;
        client
    }

    /// One that has logged in.
    async fn login(&self, name: &str) -> Client {
        let mut client = self.connect().await;
        assert_eq!(client.say(&plain("", name, PASSWORD)).await, 235);
        client
    }
}

fn plain(acts_as: &str, name: &str, password: &str) -> String {
    let message = format!("{acts_as}\0{name}\0{password}");
    format!("AUTH PLAIN {}", BASE64.encode(message.as_bytes()))
}

const RCPT: &str = "RCPT TO:<somebody@elsewhere.test>";

/// MAIL, RCPT and DATA; the answer to the first that is refused, or to the message.
async fn send(client: &mut Client, mail_from: &str, message: &str) -> String {
    for line in [&*format!("MAIL FROM:<{mail_from}>"), RCPT] {
        let reply = client.ask(line).await;
        if !reply.is_positive() {
            client.all(&["RSET"]).await;
            return reply.to_string();
        }
    }
    client.message(message).await.to_string()
}

#[track_caller]
fn refused(reply: String) {
    assert!(reply.starts_with("550 5.7.1 "), "{reply}");
}

#[tokio::test]
async fn a_user_logs_in_and_sends_to_everybody() {
    let site = Site::new().await;
    let mut client = site.login("alice").await;
    let reply = send(&mut client, "alice+x@e.test", OWN).await;
    assert!(reply.starts_with("250 2.0.0 "), "{reply}");
    let mail = &site.world.mails()[0];
    assert!(mail.contains("with ESMTPSA"), "{mail}");
    assert!(mail.contains("Authentication-Results: mx.example;\n auth=pass"), "{mail}");
    assert!(mail.contains("smtp.auth=alice"), "{mail}");
}

#[tokio::test]
async fn nobody_sends_without_logging_in() {
    let site = Site::new().await;
    let mut client = site.world.connect().await;
    assert!(!client.ask("EHLO laptop").await.text.contains("AUTH"));
    let reply = client.ask("MAIL FROM:<alice@e.test>").await.to_string();
    assert_eq!(reply, "530 5.7.0 Send STARTTLS first, then AUTH");
    // RFC 8314 section 3.3: no password without TLS.
    let reply = client.ask(&plain("", "alice", PASSWORD)).await.to_string();
    assert!(reply.starts_with("538 5.7.11 "), "{reply}");
    let mut client = site.connect().await;
    let reply = client.ask("MAIL FROM:<alice@e.test> AUTH=<>").await.to_string();
    assert_eq!(reply, "530 5.7.0 Log in first: send AUTH");
    let reply = client.ask("MAIL FROM:<alice@e.test> AUTH=a+b@e.test").await.to_string();
    assert!(reply.starts_with("501 5.5.4 "), "{reply}");
    assert_eq!(client.say(RCPT).await, 503);
    assert!(site.world.mails().is_empty());
}

#[tokio::test]
async fn what_is_offered_and_when() {
    let site = Site::new().await;
    let mut client = site.connect().await;
    let offered = client.ask("EHLO laptop").await.text;
    assert!(
        offered.contains("AUTH SCRAM-SHA-256 PLAIN LOGIN\n") || offered.ends_with("PLAIN LOGIN")
    );
    assert_eq!(client.say("AUTH EXTERNAL").await, 504);
    client.all(&[&plain("", "alice", PASSWORD)]).await;
    assert!(!client.ask("EHLO laptop").await.text.contains("AUTH"));
}

#[tokio::test]
async fn certificates_log_in() {
    let site = Site::new().await;
    let connect = async |address: &str| {
        let mut client = site.world.connect().await;
        client.all(&["EHLO laptop", "STARTTLS"]).await;
        let mut client = site.trust.handshake_as(client, address, true).await;
        assert!(client.ask("EHLO laptop").await.text.contains("AUTH EXTERNAL SCRAM-SHA-256"));
        client
    };
    let mut client = connect("alice@cert.test").await;
    // To have it is not to have logged in.
    assert_eq!(client.say("MAIL FROM:<alice@e.test>").await, 530);
    assert_eq!(client.say("AUTH EXTERNAL").await, 334);
    assert_eq!(client.say("").await, 235);
    assert!(send(&mut client, "alice@e.test", OWN).await.starts_with("250 "));
    let mut client = connect("mallory@cert.test").await;
    assert_eq!(client.say("AUTH EXTERNAL =").await, 235);
    refused(send(&mut client, "alice@e.test", OWN).await);
    let victim = BASE64.encode(b"victim");
    let mut client = connect("mallory@cert.test").await;
    assert_eq!(client.say(&format!("AUTH EXTERNAL {victim}")).await, 535);
}

#[tokio::test]
async fn failures_end_a_session_and_then_a_network_waits() {
    let site = Site::new().await;
    for _ in 0..3 {
        let mut client = site.connect().await;
        for _ in 0..3 {
            assert_eq!(client.say(&plain("", "alice", "wrong")).await, 535);
        }
        assert_eq!(client.reply().await.to_string(), "421 4.7.0 Too many failed logins, closing");
        assert!(client.is_closed().await);
    }
    let mut client = site.connect().await;
    assert_eq!(client.say(&plain("", "alice", "wrong")).await, 535);
    let reply = client.ask(&plain("", "alice", PASSWORD)).await.to_string();
    assert!(reply.starts_with("454 4.7.0 Too many failed logins"), "{reply}");
}

#[tokio::test]
async fn bypasses_1_to_3_a_forged_author() {
    let site = Site::new().await;
    let mut client = site.login("alice").await;
    for header in [
        "From: victim@e.test\r\n",
        "From: victim@e.test\r\nSender: alice@e.test\r\n",
        "Resent-From: alice@e.test\r\nFrom: victim@e.test\r\n",
    ] {
        refused(send(&mut client, "alice@e.test", &format!("{header}\r\n")).await);
    }
    refused(send(&mut client, "victim@e.test", OWN).await);
    assert!(site.world.mails().is_empty());
}

#[tokio::test]
async fn bypass_5_the_null_sender() {
    let site = Site::new().await;
    let mut client = site.login("alice").await;
    refused(send(&mut client, "", OWN).await);
}

#[tokio::test]
async fn bypass_11_a_message_inside_the_message_names_no_author() {
    let site = Site::new().await;
    let mut client = site.login("alice").await;
    let inside = "Content-Type: message/rfc822\r\n\r\nFrom: victim@e.test\r\n\r\nHello\r\n";
    let reply = send(&mut client, "alice@e.test", &format!("From: alice@e.test\r\n{inside}")).await;
    assert!(reply.starts_with("250 "), "{reply}");
    let forged =
        "From: victim@e.test\r\nContent-Type: message/rfc822\r\n\r\nFrom: alice@e.test\r\n";
    refused(send(&mut client, "alice@e.test", forged).await);
}

#[tokio::test]
async fn bypass_12_a_message_smuggled_past_its_end() {
    let site = Site::new().await;
    let smuggled = "MAIL FROM:<victim@e.test>\r\nRCPT TO:<b@e.test>\r\nDATA\r\n";
    for end in ["\n.\r\n", "\r\n.\n", "\n.\n", "\r.\r\n", "\r\n.\r", "\r\n\0.\r\n"] {
        let mut client = site.login("alice").await;
        client.all(&["MAIL FROM:<alice@e.test>", RCPT]).await;
        assert_eq!(client.say("DATA").await, 354);
        client.send(format!("{OWN}text{end}{smuggled}From: victim@e.test\r\n\r\n.\r\n")).await;
        let reply = client.reply().await;
        if reply.is_positive() {
            // All of it was one message, by alice.
            let mails = site.world.mails();
            assert!(mails.iter().all(|mail| mail.contains("smtp.auth=alice")), "{end:?}");
        } else {
            assert_eq!(reply.code, 521, "{end:?}");
            assert!(client.is_closed().await);
        }
    }
    let from_victim = |mail: &String| mail.starts_with("Return-Path: <victim");
    assert!(!site.world.mails().iter().any(from_victim));
}

#[tokio::test]
async fn bypass_13_a_field_across_the_borders_of_chunks() {
    let site = Site::new().await;
    for forged in [
        &["Fro", "m: victim@e.test\r\n\r\n"][..],
        &["From: alice@e.test\r\nFrom", ": victim@e.test\r\n\r\nx\r\n"],
        &["From: victim", "@e.test\r", "\n\r\n"],
    ] {
        let mut client = site.login("alice").await;
        client.all(&["MAIL FROM:<alice@e.test>", RCPT]).await;
        for chunk in forged {
            client.send(format!("BDAT {}\r\n{chunk}", chunk.len())).await;
            assert_eq!(client.reply().await.code, 250);
        }
        refused(client.ask("BDAT 0 LAST").await.to_string());
    }
    assert!(site.world.mails().is_empty());
}

#[tokio::test]
async fn bypass_14_another_authorisation_identity() {
    let site = Site::new().await;
    let mut client = site.connect().await;
    assert_eq!(client.say(&plain("victim", "alice", PASSWORD)).await, 535);
    assert_eq!(client.say(&plain("alice", "clerk", PASSWORD)).await, 235);
    assert!(send(&mut client, "alice@e.test", OWN).await.starts_with("250 "));
    let mut client = site.login("clerk").await;
    refused(send(&mut client, "alice@e.test", OWN).await);
}

#[tokio::test]
async fn bypass_15_a_path_beside_the_listener() {
    // Whoever states a login by XCLIENT, as a web mailer's proxy does, is held to the same grants.
    let site = Site::new().await;
    let checker = site.world.gateway.checker.clone();
    let world = World::of(checker, None, None, |settings| {
        settings.xclient_from = vec!["192.0.2.1/32".parse().unwrap()];
        settings.recipient_domains.push("elsewhere.test".to_owned());
    })
    .await;
    let mut client = world.connect().await;
    client.all(&["EHLO proxy", "XCLIENT ADDR=198.51.100.1 LOGIN=alice", "EHLO proxy"]).await;
    refused(send(&mut client, "victim@e.test", OWN).await);
    refused(send(&mut client, "alice@e.test", "From: victim@e.test\r\n\r\n").await);
    assert!(send(&mut client, "alice@e.test", OWN).await.starts_with("250 "));
}

#[tokio::test]
async fn bypass_16_a_second_message_and_a_second_login() {
    let site = Site::new().await;
    let mut client = site.login("alice").await;
    client.all(&["MAIL FROM:<alice@e.test>", "RSET"]).await;
    refused(send(&mut client, "victim@e.test", OWN).await);
    assert!(send(&mut client, "alice@e.test", OWN).await.starts_with("250 "));
    refused(send(&mut client, "alice@e.test", "From: victim@e.test\r\n\r\n").await);
    assert_eq!(client.say(&plain("", "victim", PASSWORD)).await, 503);
    client.all(&["EHLO laptop"]).await;
    // It is not offered any more.
    assert_eq!(client.say(&plain("", "victim", PASSWORD)).await, 502);
    refused(send(&mut client, "victim@e.test", OWN).await);
    client.all(&["MAIL FROM:<alice@e.test>"]).await;
    assert_eq!(client.say(&plain("", "victim", PASSWORD)).await, 502);
}

#[tokio::test]
async fn fields_that_are_not_for_users_go() {
    let site = Site::new().await;
    let mut client = site.login("alice").await;
    let claims = "Received-SPF: pass (other.test: x) receiver=other.test\r\nARC-Seal: i=1\r\n\
                  X-TMDA-Confirmed: yes\r\nRMXPP-Receipt: x\r\n\
                  Authentication-Results: mx.example; auth=pass smtp.auth=boss\r\n";
    let reply = send(&mut client, "alice@e.test", &format!("{claims}{OWN}")).await;
    assert!(reply.starts_with("250 "), "{reply}");
    let mail = &site.world.mails()[0];
    for gone in ["Received-SPF", "ARC-Seal", "X-TMDA", "RMXPP", "boss"] {
        assert!(!mail.contains(gone), "{gone}: {mail}");
    }
}

#[tokio::test]
async fn a_from_field_is_mended_where_that_is_wanted() {
    let next = Next::well().await;
    let site = Site::with(Some(&next), |policy| policy.repair = Repair::RewriteFrom).await;
    let mut client = site.login("alice").await;
    let forged = "X-First: 1\r\nFrom: \"The Boss\"\r\n <victim@e.test>\r\nSubject: s\r\n\r\nHi\r\n";
    assert!(send(&mut client, "alice@e.test", forged).await.starts_with("250 "));
    let content = &next.contents()[0];
    assert_eq!(content.matches("From: ").count(), 1, "{content}");
    assert!(content.contains("\r\nFrom: \"The Boss\"\r\n <alice@e.test>\r\n"), "{content}");
    assert!(content.ends_with("X-First: 1\r\nSubject: s\r\n\r\nHi\r\n"), "{content}");
    // In a foreign envelope nothing is mended.
    refused(send(&mut client, "victim@e.test", forged).await);

    let site = Site::with(Some(&next), |policy| policy.repair = Repair::AddSender).await;
    let mut client = site.login("alice").await;
    let forged = "From: victim@e.test\r\nSubject: s\r\n\r\nHi\r\n";
    assert!(send(&mut client, "alice@e.test", forged).await.starts_with("250 "));
    let content = &next.contents()[1];
    assert!(content.contains("\r\nSender: <alice@e.test>\r\nFrom: victim@e.test\r\n"), "{content}");
}

/// A next hop that offers AUTH.
async fn next_with_logins() -> Next {
    Next::new(|line| match line.split(' ').next() {
        Some("EHLO") => Answer::Say("250-next.example\r\n250 AUTH PLAIN\r\n"),
        _ => Answer::Well,
    })
    .await
}

/// The parameters of MAIL as this next hop heard them, one after the other.
fn mail_parameters(next: &Next) -> Vec<String> {
    let heard = next.heard().into_iter();
    heard.filter_map(|line| Some(line.strip_prefix("MAIL FROM:")?.to_owned())).collect()
}

#[tokio::test]
async fn the_submitter_goes_on_where_logins_are_offered() {
    let next = next_with_logins().await;
    let named = |policy: &mut Policy| {
        policy.binding =
            Arc::new(Rules { login_domain: Some("e.test".to_owned()), ..Rules::default() });
    };
    let site = Site::with(Some(&next), named).await;
    let mut client = site.login("alice").await;
    for parameter in ["", " AUTH=<>", " AUTH=victim@e.test"] {
        client.all(&[&format!("MAIL FROM:<alice@e.test>{parameter}"), RCPT]).await;
        assert_eq!(client.message(OWN).await.code, 250);
    }
    // What a client states of somebody else is not believed, nor is it credited itself; and that
    // nobody is known need not be said to a server where we have no login.
    let own = "<alice@e.test> AUTH=alice@e.test";
    assert_eq!(mail_parameters(&next), [own, "<alice@e.test>", "<alice@e.test>"]);
    // Where no login is an address there is none to name.
    let next = next_with_logins().await;
    let site = Site::with(Some(&next), |_| {}).await;
    assert!(send(&mut site.login("alice").await, "alice@e.test", OWN).await.starts_with("250 "));
    assert_eq!(mail_parameters(&next), ["<alice@e.test>"]);
    // Nor does it go where none are offered.
    let next = Next::well().await;
    let site = Site::with(Some(&next), named).await;
    assert!(send(&mut site.login("alice").await, "alice@e.test", OWN).await.starts_with("250 "));
    assert_eq!(mail_parameters(&next), ["<alice@e.test>"]);
}

#[tokio::test]
async fn a_peer_that_is_believed_states_the_submitter() {
    let next = next_with_logins().await;
    let checker = Site::new().await.world.gateway.checker.clone();
    let world = World::of(checker, Some(&next), None, |settings| {
        settings.auth_from = vec!["192.0.2.1/32".parse().unwrap()];
        settings.recipient_domains.push("elsewhere.test".to_owned());
    })
    .await;
    for (address, heard) in [("192.0.2.1", " AUTH=e+3Dmc2@e.test"), ("192.0.2.2", "")] {
        let mut client = world.connect_from(address);
        assert_eq!(client.reply().await.code, 220);
        client.all(&["EHLO peer", "MAIL FROM:<x@other.test> AUTH=e+3dmc2@e.test", RCPT]).await;
        assert_eq!(client.message(OWN).await.code, 250);
        let told = mail_parameters(&next).pop().unwrap();
        assert_eq!(told, format!("<x@other.test>{heard}"), "{address}");
    }
}
