use proptest::prelude::*;

use super::*;
use crate::header::unfold;

fn received() -> Received<'static> {
    Received {
        helo: "client.example.com",
        client_address: [192, 0, 2, 1].into(),
        client_name: None,
        hostname: "mx.example.test",
        protocol: Protocol { extended: true, ..Protocol::default() },
        id: "0123-abc",
        recipients: &[],
        now: 0,
    }
}

#[test]
fn the_usual_field() {
    assert_eq!(
        unfold(&received().value()),
        "from client.example.com ([192.0.2.1]) by mx.example.test with ESMTP id 0123-abc; \
         Thu, 1 Jan 1970 00:00:00 +0000"
    );
}

#[test]
fn names_and_literals_of_the_client() {
    let mut received = received();
    received.client_name = Some("Host.example.net");
    received.client_address = "2001:db8::1".parse().unwrap();
    received.helo = "[ipv6:2001:DB8::1]";
    let value = unfold(&received.value());
    let expected = "from [IPv6:2001:db8::1] (host.example.net [IPv6:2001:db8::1]) by ";
    assert!(value.starts_with(expected), "{value}");
}

#[test]
fn a_helo_that_is_no_domain_becomes_a_comment() {
    let mut received = received();
    for (helo, comment) in [
        ("", "(helo=)"),
        ("a b); by evil", "(helo=a b]; by evil)"),
        ("win_server", "(helo=win_server)"),
        ("x\r\nSubject: y", "(helo=x??Subject: y)"),
    ] {
        received.helo = helo;
        let value = unfold(&received.value());
        let expected = format!("from [192.0.2.1] ([192.0.2.1]) {comment} by mx.example.test");
        assert!(value.starts_with(&expected), "{value}");
    }
}

#[test]
fn our_own_words_are_kept_from_breaking_out_too() {
    let mut received = received();
    (received.hostname, received.id) = ("mx_1.local(;", "\r\n;(");
    assert!(unfold(&received.value()).contains(" by mx_1.local with ESMTP id unknown; "));
}

#[test]
fn only_a_single_recipient_is_told() {
    let one = ["user@example.com".to_owned()];
    let two = [one[0].clone(), "other@example.com".to_owned()];
    let mut received = received();
    received.recipients = &one;
    assert!(unfold(&received.value()).contains(" for <user@example.com>; Thu"));
    received.recipients = &two;
    assert!(!received.value().contains("for"));
    let eight_bit = ["j\u{f6}rg@example.com".to_owned()];
    received.recipients = &eight_bit;
    assert!(!received.value().contains("for"));
    received.protocol.smtputf8 = true;
    assert!(unfold(&received.value()).contains(" UTF8SMTP id 0123-abc for <j\u{f6}rg@"));
}

#[test]
fn protocols_have_registered_names() {
    let name = |lmtp, smtputf8, tls, authenticated| {
        Protocol { lmtp, extended: true, smtputf8, tls, authenticated }.name()
    };
    assert_eq!(Protocol::default().name(), "SMTP");
    assert_eq!(name(false, false, false, false), "ESMTP");
    assert_eq!(name(false, false, true, false), "ESMTPS");
    assert_eq!(name(false, false, true, true), "ESMTPSA");
    assert_eq!(name(true, false, false, false), "LMTP");
    assert_eq!(name(true, false, false, true), "LMTPA");
    assert_eq!(name(false, true, true, false), "UTF8SMTPS");
    assert_eq!(name(true, true, true, true), "UTF8LMTPSA");
}

#[test]
fn dates() {
    for (seconds, date) in [
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
        (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 +0000"),
        (1_795_302_271, "Sat, 21 Nov 2026 23:04:31 +0000"),
        (4_107_542_400, "Mon, 1 Mar 2100 00:00:00 +0000"),
        (u64::MAX, "Fri, 31 Dec 9999 23:59:59 +0000"),
    ] {
        assert_eq!(date_time(seconds), date);
    }
}

proptest! {
    #[test]
    fn whatever_the_client_says_it_is_one_value(
        helo in any::<String>(),
        name in any::<Option<String>>(),
        id in any::<String>(),
        recipient in r#"("[ -~ö]{0,8}"|[a-zö]{1,6})@[a-zö.]{1,9}"#,
        address in any::<std::net::IpAddr>(),
        smtputf8 in any::<bool>(),
    ) {
        let recipients = [recipient];
        let value = Received {
            helo: &helo,
            client_address: address,
            client_name: name.as_deref(),
            id: &id,
            recipients: &recipients,
            protocol: Protocol { smtputf8, ..Protocol::default() },
            ..received()
        }
        .value();
        let rest = unfold(&value.replace("\r\n ", " "));
        prop_assert!(!rest.contains(char::is_control), "{value:?}");
        prop_assert!(smtputf8 || value.is_ascii());
        prop_assert!(value.split("\r\n").all(|line| line.len() <= 998));
        // Outside of comments and quotes there is one semicolon, before the date.
        let mut scanner = crate::scanner::Scanner::new(value.as_bytes());
        let mut semicolons = 0;
        while !scanner.at_end() {
            scanner.skip_cfws().unwrap();
            match scanner.peek() {
                Some(b'"') => { scanner.quoted_string().unwrap(); }
                Some(b';') => { semicolons += 1; scanner.take(b';'); }
                Some(octet) => { scanner.take(octet); }
                None => {}
            }
        }
        prop_assert_eq!(semicolons, 1);
    }
}
