//! What Exim and OpenSMTPD sign comes back, as far as we believe them.

use quivive_srs::{Dialect, Forwarded, Refusal, Reversed, Rules, Secrets, Srs};

/// 2026-11-26, whose stamp is `JP`.
const NOW: u64 = 1_795_720_137;

fn srs(signs: Dialect, believes: &[Dialect]) -> Srs {
    let rules = Rules { signs, believes: believes.to_vec(), ..Rules::default() };
    Srs::new(&Secrets::parse(b"mysecret").unwrap(), rules)
}

#[track_caller]
fn forward(srs: &Srs, sender: &str) -> String {
    match srs.forward(sender, "fwd.example", NOW) {
        Ok(Forwarded::Rewritten(address)) => address,
        other => panic!("{sender}: {other:?}"),
    }
}

#[track_caller]
fn reverse(srs: &Srs, address: &str) -> String {
    match srs.reverse(address, NOW) {
        Ok(Reversed::Original(original)) => original.address,
        other => panic!("{address}: {other:?}"),
    }
}

/// As Exim 4.96 wrote them.
#[test]
fn exim() {
    let exim = srs(Dialect::Exim, &[]);
    for (sender, address) in [
        (
            "a_test_user@the.local.host.name",
            "SRS0=605e=jp=the.local.host.name=a_test_user@fwd.example",
        ),
        ("\"a b\"@the.local.host.name", "\"SRS0=69bf=jp=the.local.host.name=a b\"@fwd.example"),
        ("A.User@Host.Name", "SRS0=0462=jp=Host.Name=A.User@fwd.example"),
        (
            "SRS0=abcd=2W=foo.example=bar@the.local.host.name",
            "SRS0=e08c=jp=the.local.host.name=SRS0=abcd=2W=foo.example=bar@fwd.example",
        ),
    ] {
        assert_eq!(forward(&exim, sender), address);
        assert_eq!(reverse(&exim, address), sender);
    }
    // A router sees it without its quotes.
    let bare = "SRS0=69bf=jp=the.local.host.name=a b@fwd.example";
    assert_eq!(reverse(&exim, bare), "\"a b\"@the.local.host.name");
    let smashed = "srs0=605E=JP=the.local.host.name=a_test_user@fwd.example";
    assert_eq!(reverse(&exim, smashed), "a_test_user@the.local.host.name");
    for forged in [
        "SRS0=605f=jp=the.local.host.name=a_test_user@fwd.example",
        "SRS0=605=jp=the.local.host.name=a_test_user@fwd.example",
        "SRS0=605ea=jp=the.local.host.name=a_test_user@fwd.example",
        "SRS0==jp=the.local.host.name=a_test_user@fwd.example",
        "SRS0+605e=jp=the.local.host.name=a_test_user@fwd.example",
        "SRS1=605e=the.local.host.name==a_test_user@fwd.example",
    ] {
        let reversed = exim.reverse(forged, NOW);
        assert!(matches!(reversed, Ok(Reversed::Refused(_))), "{forged}: {reversed:?}");
    }
}

/// The days whose first digit is zero have one digit in Exim, and the first day of all has none.
/// Some senders leave away the quotes that such dots need: they get their bounces in quotes.
#[test]
fn exim_signs_odd_dots_as_they_come() {
    let exim = srs(Dialect::Exim, &[]);
    for (sender, back) in [
        ("a..b@s.example", "\"a..b\"@s.example"),
        ("a.@s.example", "\"a.\"@s.example"),
        ("\"a..b\"@s.example", "\"a..b\"@s.example"),
    ] {
        assert_eq!(reverse(&exim, &forward(&exim, sender)), back, "{sender}");
    }
}

#[test]
fn exims_short_stamps() {
    let exim = srs(Dialect::Exim, &[]);
    for (day, stamp) in [(0, ""), (1, "b"), (31, "7"), (32, "ba"), (1024, "")] {
        let now = day * 86_400;
        let Ok(Forwarded::Rewritten(address)) = exim.forward("a@b.example", "fwd.example", now)
        else {
            panic!("day {day}")
        };
        assert!(address.contains(&format!("={stamp}=b.example=a@")), "{address}");
        assert!(matches!(exim.reverse(&address, now), Ok(Reversed::Original(_))), "{address}");
    }
}

#[test]
fn opensmtpd() {
    let opensmtpd = srs(Dialect::OpenSmtpd, &[]);
    let first = forward(&opensmtpd, "User@Otherdomain.com");
    assert!(first.ends_with("=JP=Otherdomain.com=User@fwd.example"), "{first}");
    assert_eq!(reverse(&opensmtpd, &first), "User@Otherdomain.com");
    // The case of all it covers counts, and so does the domain that wrote it.
    for changed in [first.replace("User", "user"), first.replace("fwd.example", "x.example")] {
        let reversed = opensmtpd.reverse(&changed, NOW);
        assert_eq!(reversed, Ok(Reversed::Refused(Refusal::HashInvalid)), "{changed}");
    }
    let sender = "SRS0=abcd=JP=a.example=b@c.example";
    let second = forward(&opensmtpd, sender);
    assert!(second.ends_with("=c.example==abcd=JP=a.example=b@fwd.example"), "{second}");
    assert_eq!(reverse(&opensmtpd, &second), sender);
    // The stamp in it counts, and tomorrow's is good.
    let day = 86_400;
    for (days, good) in [(-2, false), (-1, true), (21, true), (22, false)] {
        let reversed = opensmtpd.reverse(&second, NOW.saturating_add_signed(days * day));
        assert_eq!(matches!(reversed, Ok(Reversed::Original(_))), good, "{days}: {reversed:?}");
    }
    // Other separators are ordinary characters to it.
    let plus = forward(&opensmtpd, "SRS0+abcd=JP=a.example=b@c.example");
    assert!(plus.starts_with("SRS0="), "{plus}");
}

#[test]
fn each_is_believed_where_it_is_named() {
    let all = srs(Dialect::MailSrs, &Dialect::ALL);
    let own = srs(Dialect::MailSrs, &[]);
    for dialect in Dialect::ALL {
        let address = forward(&srs(dialect, &[]), "user@otherdomain.com");
        assert_eq!(reverse(&all, &address), "user@otherdomain.com");
        let believed = matches!(own.reverse(&address, NOW), Ok(Reversed::Original(_)));
        assert_eq!(believed, dialect == Dialect::MailSrs, "{address}");
        // What is too old is called so, whoever signed it.
        let late = all.reverse(&address, NOW + 30 * 86_400);
        assert_eq!(late, Ok(Reversed::Refused(Refusal::Expired { age_days: 30 })), "{address}");
    }
}
