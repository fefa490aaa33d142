use proptest::prelude::*;

use super::*;

fn expand(aliases: &Aliases, address: &str) -> Result<Vec<String>, ExpansionError> {
    let mailbox = Mailbox::parse(address.as_bytes(), Charset::Utf8).unwrap();
    let found = aliases.expand(&mailbox)?.unwrap_or_default();
    Ok(found.iter().map(Mailbox::to_string).collect())
}

#[track_caller]
fn expanded(table: &str, address: &str) -> Vec<String> {
    expand(&Aliases::parse(table).unwrap(), address).unwrap()
}

#[test]
fn an_address_stands_for_others() {
    let table = "# comment\n\ninfo@here.example someone@there.example\n\
        team@here.example\ta@one.example, b@two.example,\n   c@three.example # no comment here\n\
        \"a b\"@here.example \"c, d\"@there.example\n";
    assert!(Aliases::parse(table).is_err(), "`#` begins a comment at the start of a line alone");
    let table = table.replace(" # no comment here", "");
    for (address, targets) in [
        ("info@here.example", &["someone@there.example"][..]),
        ("INFO@Here.Example", &["someone@there.example"]),
        ("team@here.example", &["a@one.example", "b@two.example", "c@three.example"]),
        ("\"a b\"@here.example", &["\"c, d\"@there.example"]),
        ("other@here.example", &[]),
    ] {
        assert_eq!(expanded(&table, address), targets, "{address}");
    }
}

#[test]
fn a_domain_stands_for_an_address_or_for_another() {
    let table = "@old.example new@here.example\n@former.example @here.example\n\
        known@former.example x@there.example\n@b\u{fc}cher.example y@there.example\n";
    for (address, target) in [
        ("any@old.example", "new@here.example"),
        ("User@former.example", "User@here.example"),
        ("known@former.example", "x@there.example"),
        ("any@xn--bcher-kva.example", "y@there.example"),
    ] {
        assert_eq!(expanded(table, address), [target], "{address}");
    }
}

#[test]
fn aliases_stand_behind_each_other_and_for_themselves() {
    let table = "a@x.example b@x.example c@there.example\n\
        b@x.example c@there.example, B@x.example d@there.example\n";
    let targets = ["c@there.example", "B@x.example", "d@there.example"];
    assert_eq!(expanded(table, "a@x.example"), targets);
}

#[test]
fn what_leads_nowhere_is_named() {
    for (table, line, problem) in [
        ("a b@c.example", 1, "`a` is no address"),
        ("\na@b.example", 2, "stands for nothing"),
        ("a@b.example c", 1, "`c` is no address"),
        ("a@b.example @[192.0.2.1]", 1, "`@[192.0.2.1]` is no address"),
        ("a@b.example c@d.example\nA@B.example e@f.example", 2, "an earlier line"),
        ("  a@b.example c@d.example", 1, "begins with a blank"),
        ("a@x.example b@x.example\nb@x.example a@x.example", 1, "by way of others"),
        ("@x.example @y.example\n@y.example @x.example", 1, "by way of others"),
        ("a@b.example \u{1b}[2J", 1, "`\\u{1b}[2J` is no address"),
    ] {
        let error = Aliases::parse(table).unwrap_err();
        assert_eq!(error.line, line, "{table}");
        assert!(error.problem.to_string().contains(problem), "{table}: {error}");
    }
}

#[test]
fn the_bounds() {
    let chain = |length: usize| -> String {
        (0..length).map(|n| format!("a{n}@x.example a{}@x.example\n", n + 1)).collect()
    };
    assert!(Aliases::parse(&chain(NESTING_MAX)).is_ok());
    let error = Aliases::parse(&chain(NESTING_MAX + 1)).unwrap_err();
    assert_eq!(error.problem, AliasProblem::Expansion(ExpansionError::TooDeep));
    let wide = |targets: usize| -> String {
        let targets: Vec<_> = (0..targets).map(|n| format!("t{n}@x.example")).collect();
        format!("all@x.example {}", targets.join(", "))
    };
    assert!(Aliases::parse(&wide(TARGETS_MAX)).is_ok());
    let error = Aliases::parse(&wide(TARGETS_MAX + 1)).unwrap_err();
    assert_eq!(error.problem, AliasProblem::Expansion(ExpansionError::TooMany));
    let long = "#".repeat(TABLE_OCTETS_MAX);
    assert!(Aliases::parse(&long).is_ok());
    let error = Aliases::parse(&(long + "#")).unwrap_err();
    assert_eq!(error.problem, AliasProblem::TooLong);
}

/// Ten levels that each stand for all of the next.
fn levels(width: usize) -> String {
    let targets = |level: usize| -> String {
        (0..width).map(|n| format!(" a{level}-{n}@x.example")).collect()
    };
    let entry = |level: usize, n: usize| format!("a{level}-{n}@x.example{}\n", targets(level + 1));
    (0..NESTING_MAX).flat_map(|level| (0..width).map(move |n| entry(level, n))).collect()
}

#[test]
fn ways_are_bounded() {
    let aliases = Aliases::parse(&levels(2)).unwrap();
    assert_eq!(expand(&aliases, "a0-0@x.example").unwrap().len(), 2);
    let error = Aliases::parse(&levels(9)).unwrap_err();
    assert_eq!(error.problem, AliasProblem::Expansion(ExpansionError::TooMany));
}

proptest! {
    /// No table makes it panic or hang, and what it finds is written and read again.
    #[test]
    fn any_table(text in "([ab@#,\" \\\\.\n]|a@a\\.aa|b@a\\.aa|@b\\.bb){0,60}", address in "[ab]@[ab]\\.[ab]{2}") {
        if let Ok(aliases) = Aliases::parse(&text) {
            let mailbox = Mailbox::parse(address.as_bytes(), Charset::Utf8).unwrap();
            for found in aliases.expand(&mailbox).ok().flatten().unwrap_or_default() {
                let written = found.to_string();
                prop_assert_eq!(Mailbox::parse(written.as_bytes(), Charset::Utf8), Ok(found));
            }
        }
    }
}
