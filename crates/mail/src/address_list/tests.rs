use proptest::prelude::*;

use super::*;

fn parse(value: &str) -> Result<AddressList, AddressError> {
    AddressList::parse(value.as_bytes(), Charset::Utf8)
}

fn one(value: &str) -> NamedMailbox {
    parse(value).unwrap().sole_mailbox().expect("one mailbox").clone()
}

fn fault(value: &str) -> (AddressFault, usize) {
    let error = parse(value).expect_err(value);
    (error.fault, error.at)
}

#[test]
fn names_and_addresses() {
    for (value, name, address) in [
        ("a@b.test", None, "a@b.test"),
        ("  a@b.test \r\n", None, "a@b.test"),
        ("<a@b.test>", None, "a@b.test"),
        ("Alice <a@b.test>", Some("Alice"), "a@b.test"),
        ("Alice\r\n\tSmith <a@b.test>", Some("Alice Smith"), "a@b.test"),
        ("\"Smith, Alice\" <a@b.test>", Some("Smith, Alice"), "a@b.test"),
        ("\"a \\\"b\\\\\" c <a@b.test>", Some("a \"b\\ c"), "a@b.test"),
        ("John Q. Public <a@b.test>", Some("John Q. Public"), "a@b.test"),
        ("\"\" <a@b.test>", Some(""), "a@b.test"),
        ("=?utf-8?q?J=C3=B6rg?= <a@b.test>", Some("=?utf-8?q?J=C3=B6rg?="), "a@b.test"),
        ("Jörg <jörg@bücher.test>", Some("Jörg"), "jörg@bücher.test"),
        ("a+b=c@b.test", None, "a+b=c@b.test"),
        ("\"a b\"@b.test", None, "\"a b\"@b.test"),
        ("\"a\"@b.test", None, "a@b.test"),
        ("a@[192.0.2.1]", None, "a@[192.0.2.1]"),
        ("a@[IPv6:2001:db8::1]", None, "a@[IPv6:2001:db8::1]"),
        ("a@b_c.test", None, "a@b_c.test"),
        // The name is an address, and is no address: only addr-spec counts.
        ("\"a@victim.test\" <b@me.test>", Some("a@victim.test"), "b@me.test"),
        ("\"a@victim.test>\" <b@me.test>", Some("a@victim.test>"), "b@me.test"),
        ("(a@victim.test) b@me.test (c@d.test)", None, "b@me.test"),
    ] {
        let mailbox = one(value);
        assert_eq!(mailbox.display_name.as_deref(), name, "{value}");
        assert_eq!(mailbox.mailbox.to_string(), address, "{value}");
        assert!(mailbox.plain, "{value}");
    }
}

#[test]
fn what_is_written_in_pieces_is_read_and_not_plain() {
    for (value, address) in [
        ("a . b@c.test", "a.b@c.test"),
        ("a.\"b\"@c.test", "a.b@c.test"),
        ("\"a\".b@c.test", "a.b@c.test"),
        ("a@c. test", "a@c.test"),
        ("a@c(x).test", "a@c.test"),
        ("a (x)@c.test", "a@c.test"),
        ("a@ c.test", "a@c.test"),
        ("a\r\n @c.test", "a@c.test"),
        ("a(victim@d.test)@c.test", "a@c.test"),
        ("< a@c.test>", "a@c.test"),
        ("<a@c.test >", "a@c.test"),
        ("<(victim@d.test)a@c.test>", "a@c.test"),
        ("<@relay.test:a@c.test>", "a@c.test"),
        ("<@r1.test,@r2.test:a@c.test>", "a@c.test"),
        ("<,@r1.test,,:a@c.test>", "a@c.test"),
    ] {
        let mailbox = one(value);
        assert_eq!(mailbox.mailbox.to_string(), address, "{value}");
        assert!(!mailbox.plain, "{value}");
    }
    assert_eq!(one("x <@r1.test,@r2.test:a@c.test>").route.unwrap(), "@r1.test,@r2.test");
}

#[test]
fn lists_and_groups() {
    let list = parse("a@b.test, Team: c@d.test, \"X\" <e@f.test>;, <g@h.test>").unwrap();
    let mailboxes: Vec<String> =
        list.mailboxes().map(|mailbox| mailbox.mailbox.to_string()).collect();
    assert_eq!(mailboxes, ["a@b.test", "c@d.test", "e@f.test", "g@h.test"]);
    assert!(list.has_group() && list.sole_mailbox().is_none());
    assert_eq!(parse(",a@b.test,, c@d.test,").unwrap().addresses.len(), 2);
    let empty = parse("Undisclosed recipients:;").unwrap();
    let group = Address::Group { name: "Undisclosed recipients".into(), mailboxes: Vec::new() };
    assert_eq!(empty.addresses, [group]);
    assert_eq!(parse("g:,a@b.test,;").unwrap().mailboxes().count(), 1);
}

#[test]
fn comments_are_kept_apart() {
    let list = parse("(one \\) (two)) Al (th\r\n ree)ice <a@b.test>(four)").unwrap();
    assert_eq!(list.comments, ["one ) (two)", "th ree", "four"]);
    assert_eq!(list.sole_mailbox().unwrap().display_name.as_deref(), Some("Al ice"));
    assert_eq!(parse("a@b.test (x)").unwrap().comments, ["x"]);
}

#[test]
fn faults_have_a_place() {
    use AddressFault::*;
    for (value, expected) in [
        ("", (Empty, 0)),
        (" (a) , ", (Empty, 7)),
        ("root", (NoDomain, 4)),
        ("<root>", (NoDomain, 5)),
        ("Alice Smith", (NoAddress, 11)),
        ("<>", (NullAddress, 1)),
        ("Alice <>", (NullAddress, 7)),
        ("a@b.test c@d.test", (AfterAddress, 9)),
        ("a@victim.test <b@me.test>", (AfterAddress, 14)),
        ("\"a\" <a@b.test> <c@d.test>", (AfterAddress, 15)),
        ("<a@b.test", (Bracket, 0)),
        ("<a@b.test>>", (AfterAddress, 10)),
        ("<<a@b.test>>", (LocalPart, 1)),
        ("<a@b.test x>", (AfterAddress, 10)),
        ("a@b.test; c@d.test", (AfterAddress, 8)),
        ("\"a", (QuotedString, 0)),
        ("\"a\\", (QuotedString, 0)),
        ("a@b.test (x", (Comment, 9)),
        ("(a (b) a@b.test", (Comment, 0)),
        ("g: a@b.test", (Group, 11)),
        ("g: h: a@b.test;;", (NestedGroup, 4)),
        ("g: a@b.test c;", (AfterAddress, 12)),
        (": a@b.test;", (Unexpected, 0)),
        (".x <a@b.test>", (Unexpected, 0)),
        ("@b.test", (LocalPart, 0)),
        ("a b@c.test", (LocalPart, 0)),
        (".a@c.test", (LocalPart, 0)),
        ("a..b@c.test", (LocalPart, 0)),
        ("\"a\tb\"@c.test", (LocalPart, 0)),
        ("a@", (Domain, 2)),
        ("a@-b", (Domain, 2)),
        ("a@b.test.", (Domain, 9)),
        ("a@b..test", (Domain, 4)),
        ("a@b@c.test", (AfterAddress, 3)),
        ("a@[192.0.2.256]", (Domain, 2)),
        ("a@[192.0.2.1", (Domain, 12)),
        ("a@[192.0.2. 1]", (Domain, 11)),
        ("a@b!c", (Domain, 2)),
        ("<@relay.test a@c.test>", (Route, 13)),
        ("<,:a@c.test>", (Route, 2)),
        ("a@b.test\0", (Control, 8)),
        ("a\u{85}@b.test", (Control, 1)),
        ("a@b.test\r", (LineEnd, 8)),
        ("a@b\rc.test", (LineEnd, 3)),
        ("a@b\r\nc.test", (LineEnd, 4)),
        ("]", (Unexpected, 0)),
        (">", (Unexpected, 0)),
        ("\\", (Unexpected, 0)),
    ] {
        assert_eq!(fault(value), expected, "{value:?}");
    }
    let error = parse("a@b.test c").unwrap_err();
    assert_eq!(error.to_string(), "something follows an address, at octet 9 of the field's value");
}

#[test]
fn octets_above_ascii() {
    let fault = |value: &[u8], charset| AddressList::parse(value, charset).unwrap_err();
    let error = |fault, at| AddressError { fault, at };
    let latin1 = b"J\xf6rg <a@b.test>";
    assert_eq!(fault(latin1, Charset::Utf8), error(AddressFault::NotUtf8, 1));
    let utf8 = "Jörg <a@b.test>".as_bytes();
    assert_eq!(fault(utf8, Charset::Ascii), error(AddressFault::Utf8NotAllowed, 1));
}

#[test]
fn spans_are_those_of_the_addresses() {
    for (value, address) in [
        (" a@b.test ", "a@b.test"),
        ("\"x\" <a@b.test> (c)", "a@b.test"),
        ("x <@r.test:a@b.test >", "@r.test:a@b.test "),
        ("a . b @ c.test (d)", "a . b @ c.test"),
    ] {
        let (start, end) = one(value).span;
        assert_eq!(&value[start..end], address);
    }
}

#[test]
fn bounds() {
    let list = vec!["a@b.test"; ADDRESSES_MAX].join(",");
    assert_eq!(parse(&list).unwrap().addresses.len(), ADDRESSES_MAX);
    assert_eq!(fault(&format!("{list},a@b.test")).0, AddressFault::TooMany);
    assert_eq!(fault(&format!("g:{list};")).0, AddressFault::TooMany);
    let padded = |length: usize| format!("a@b.test{}", " ".repeat(length - 8));
    assert!(parse(&padded(READ_MAX)).is_ok());
    assert_eq!(fault(&padded(READ_MAX + 1)), (AddressFault::TooLong, READ_MAX));
    let local_part = "a".repeat(crate::LOCAL_PART_MAX);
    assert!(parse(&format!("{local_part}@b.test")).is_ok());
    assert_eq!(fault(&format!("{local_part}a@b.test")).0, AddressFault::LocalPart);
    assert_eq!(fault(&format!("\"{local_part} \"@b.test")).0, AddressFault::LocalPart);
    let domain = "d.".repeat(crate::DOMAIN_MAX / 2) + "d";
    assert!(parse(&format!("a@{domain}")).is_ok());
    assert_eq!(fault(&format!("a@{domain}d.d")).0, AddressFault::Domain);
    let deep = "(".repeat(30_000) + &")".repeat(30_000) + "a@b.test";
    assert!(parse(&deep).is_ok());
}

/// What holds of whatever is read.
fn examine(value: &[u8], charset: Charset) {
    let Ok(list) = AddressList::parse(value, charset) else { return };
    for named in list.mailboxes() {
        let written = named.mailbox.to_string();
        let again = AddressList::parse(written.as_bytes(), charset).unwrap();
        let again = again.sole_mailbox().unwrap();
        assert!(again.plain);
        assert_eq!(again.mailbox, named.mailbox);
        let (start, end) = named.span;
        let spliced = [&value[..start], written.as_bytes(), &value[end..]].concat();
        let spliced = AddressList::parse(&spliced, charset).unwrap();
        assert_eq!(spliced.mailboxes().count(), list.mailboxes().count());
    }
}

proptest! {
    #[test]
    fn no_octets_make_it_panic(value in proptest::collection::vec(any::<u8>(), 0..80)) {
        examine(&value, Charset::Ascii);
        examine(&value, Charset::Utf8);
    }

    #[test]
    fn what_is_read_is_written_and_read_again(
        parts in proptest::collection::vec(
            r#"[a-cö]{1,3}|[.@,:;<> ]|"[ab\\ "]{0,3}"|\([ab\\()]{0,3}\)|\r\n |\[192\.0\.2\.1\]"#,
            0..24,
        ),
    ) {
        examine(parts.concat().as_bytes(), Charset::Utf8);
    }

    #[test]
    fn well_formed_lists_are_read(
        names in proptest::collection::vec(r#"|[a-z]{1,5} |"[a-z ,<>@]{0,6}" "#, 1..6),
    ) {
        let mailboxes = names.iter().enumerate().map(|(at, name)| format!("{name}<u{at}@d.test>"));
        let list = parse(&mailboxes.collect::<Vec<_>>().join(",\r\n ")).unwrap();
        let local_parts = list.mailboxes().map(|named| named.mailbox.local_part().to_owned());
        let expected = (0..names.len()).map(|at| format!("u{at}"));
        prop_assert!(local_parts.eq(expected));
    }
}
