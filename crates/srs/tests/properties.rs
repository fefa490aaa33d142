//! What holds for all addresses.

use proptest::prelude::*;
use quivive_mail::{Charset, Mailbox};
use quivive_srs::{Alphabet, Dialect, Forwarded, Reversed, Rules, Secrets, Separator, Srs, Stamp};

const DAY: u64 = 86_400;

fn srs(dialect: Dialect, separator: Separator, alphabet: Alphabet, hash_length: usize) -> Srs {
    let secrets = Secrets::parse(b"tops3cr3t").unwrap();
    let rules = Rules { signs: dialect, separator, alphabet, hash_length, ..Rules::default() };
    Srs::new(&secrets, rules)
}

fn any_srs() -> impl Strategy<Value = Srs> {
    (
        prop::sample::select(Dialect::ALL.as_slice()),
        prop::sample::select(Separator::ALL.as_slice()),
        prop::sample::select([Alphabet::Classic, Alphabet::Url].as_slice()),
        4..=27_usize,
    )
        .prop_map(|(dialect, separator, alphabet, length)| {
            srs(dialect, separator, alphabet, length)
        })
}

/// Local parts without quotes, some with tags.
fn local_part() -> impl Strategy<Value = String> {
    let plain = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~äß-]{1,24}(\\.[a-z0-9=-]{1,8}){0,2}";
    let srs0 = "(SRS0|srs0)[=+-][A-Za-z+/]{4}=[A-Z2-7]{2}=[a-z]{1,8}\\.example=[a-z=]{1,12}";
    let srs1 = "SRS1[=+-][A-Za-z+/]{4}=[a-z]{1,8}\\.example=[=+-][A-Za-z=]{1,20}";
    prop_oneof![4 => plain, 1 => srs0, 1 => srs1]
}

fn domain() -> impl Strategy<Value = String> {
    "[a-z0-9]{1,10}(-[a-z0-9]{1,4})?(\\.[a-z]{2,8}){1,2}"
}

proptest! {
    /// What was forwarded comes back as it was. Exim writes what it reads in lower case, which ours
    /// need not; of a tagged address that comes back which its own forwarder wrote.
    #[test]
    fn reverse_undoes_forward(
        srs in any_srs(),
        local in local_part(),
        host in domain(),
        day in 0..3000_u64,
        age in 0..=21_u64,
    ) {
        let sender = format!("{local}@{host}");
        let forwarded = srs.forward(&sender, "forwarder.example.net", day * DAY).unwrap();
        let Forwarded::Rewritten(address) = forwarded else { panic!("{sender}: {forwarded:?}") };
        let back = srs.reverse(&address, (day + age) * DAY);
        // Of OpenSMTPD's SRS1 the first stamp counts, which here is anything.
        if srs.rules().signs == Dialect::OpenSmtpd && address.starts_with("SRS1") {
            return Ok(());
        }
        let Ok(Reversed::Original(original)) = back else { panic!("{address}: {back:?}") };
        let tag = local.get(..5).unwrap_or_default().to_ascii_uppercase();
        let wrapped = address.starts_with("SRS1");
        let expected = match (wrapped, &*tag) {
            (false, _) => sender,
            (true, "SRS0=" | "SRS0+" | "SRS0-") => format!("SRS0{}@{host}", &local[4..]),
            (true, _) => {
                let mut fields = local.splitn(3, '=');
                // With another separator than `=` the hash stands before the first `=`.
                if local.as_bytes()[4] == b'=' { fields = local[5..].splitn(3, '='); }
                let [_, first, rest] = std::array::from_fn(|_| fields.next().unwrap());
                format!("SRS0{rest}@{first}")
            }
        };
        prop_assert_eq!(original.address, expected);
    }

    /// Whatever of an address is changed, it does not come back, unless only cases and alphabets
    /// differ, or the boundary between domain and local part, which no hash of the scheme covers.
    #[test]
    fn nothing_tampered_with_comes_back(
        place in 5..42_usize,
        octet in prop::sample::select(b"abcXYZ0123456789.=+-/_".as_slice()),
    ) {
        let srs = srs(Dialect::MailSrs, Separator::Equals, Alphabet::Classic, 8);
        let now = 18_262 * DAY;
        let Ok(Forwarded::Rewritten(address)) =
            srs.forward("test@otherdomain.com", "example.com", now)
        else { panic!() };
        let mut octets = address.into_bytes();
        octets[place] = octet;
        let tampered = String::from_utf8(octets).unwrap();
        if let Ok(Reversed::Original(original)) = srs.reverse(&tampered, now) {
            prop_assert!(original.address.eq_ignore_ascii_case("test@otherdomain.com"));
        }
    }

    /// A quoted local part comes back as the same mailbox.
    #[test]
    fn quoted_local_parts(content in "[ -~äß]{1,20}") {
        let escaped = content.replace('\\', "\\\\").replace('"', "\\\"");
        let sender = format!("\"{escaped}\"@otherdomain.com");
        for dialect in [Dialect::MailSrs, Dialect::OpenSmtpd] {
            let srs = srs(dialect, Separator::Equals, Alphabet::Classic, 4);
            let Ok(Forwarded::Rewritten(address)) = srs.forward(&sender, "example.com", 0) else {
                // It was tagged, and is not usable.
                return Ok(());
            };
            let back = srs.reverse(&address, 0);
            let Ok(Reversed::Original(original)) = back else { panic!("{address}: {back:?}") };
            if address.contains("SRS0=") {
                let read = |text: &str| Mailbox::parse(text.as_bytes(), Charset::Utf8);
                prop_assert_eq!(read(&original.address), read(&sender));
            }
        }
    }

    /// No text makes it panic, and what it writes has no line end.
    #[test]
    fn any_text(text in ".{0,80}", tag in "(SRS[01][=+-])?", now in any::<u64>()) {
        for text in [format!("{tag}{text}"), format!("{tag}{text}@b.example"), format!("\"{tag}{text}\"@b")] {
            for dialect in Dialect::ALL {
                let srs = srs(dialect, Separator::Plus, Alphabet::Url, 4);
                if let Ok(Forwarded::Rewritten(address)) = srs.forward(&text, "example.com", now) {
                    prop_assert!(!address.contains(['\r', '\n', '\0']));
                }
                let _ = srs.reverse(&text, now);
            }
        }
    }

    #[test]
    fn stamps(now in any::<u64>()) {
        let stamp = Stamp::at(now);
        prop_assert_eq!(Stamp::parse(&stamp.to_string()), Some(stamp));
        prop_assert_eq!(stamp.age_days(now), 0);
    }
}
