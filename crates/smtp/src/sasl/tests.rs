use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

/// The dialogue of RFC 7677 section 3.
const CLIENT_FIRST: &str = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
const SERVER_NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const SERVER_FIRST: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                            s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const CLIENT_FINAL: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                            p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const SERVER_FINAL: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

fn verifier() -> Verifier {
    static MADE: LazyLock<Verifier> = LazyLock::new(|| {
        let salt = data_encoding::BASE64.decode(b"W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        Verifier::of_password("pencil", &salt, 4096)
    });
    MADE.clone()
}

fn scram() -> Exchange {
    Exchange::new(Mechanism::ScramSha256, SERVER_NONCE).unwrap()
}

fn claim(user: &str, acts_as: Option<&str>) -> Claim {
    Claim { user: user.to_owned(), acts_as: acts_as.map(str::to_owned) }
}

fn challenge(text: &str) -> Step {
    Step::Challenge(text.as_bytes().to_vec())
}

/// An exchange up to the server's first message.
fn salted(client_first: &str) -> Exchange {
    let mut exchange = scram();
    assert!(matches!(exchange.respond(Some(client_first.as_bytes())), Step::Verifier(_)));
    assert!(matches!(exchange.verify_with(verifier()), Step::Challenge(_)));
    exchange
}

#[test]
fn the_dialogue_of_rfc_7677() {
    let mut exchange = scram();
    assert_eq!(exchange.respond(None), challenge(""));
    assert_eq!(exchange.respond(Some(CLIENT_FIRST.as_bytes())), Step::Verifier("user".into()));
    assert_eq!(exchange.verify_with(verifier()), challenge(SERVER_FIRST));
    assert_eq!(exchange.respond(Some(CLIENT_FINAL.as_bytes())), challenge(SERVER_FINAL));
    assert_eq!(exchange.respond(Some(b"")), Step::Proven(claim("user", None)));
    assert_eq!(exchange.respond(Some(b"")), Step::Malformed);
}

#[test]
fn a_wrong_proof_is_refused() {
    let changed = |from: &str, to: &str| CLIENT_FINAL.replacen(from, to, 1);
    for message in [
        changed("dHzb", "dHzc"),
        changed("c=biws", "c=eSws"),
        changed("r=rOpr", "r=rOps"),
        changed("%hvY", "%hvZ"),
    ] {
        let step = salted(CLIENT_FIRST).respond(Some(message.as_bytes()));
        assert_eq!(step, Step::Refused, "{message}");
    }
    let mut exchange = scram();
    exchange.respond(Some(CLIENT_FIRST.as_bytes()));
    exchange.verify_with(Verifier::decoy(b"secret", "user", 4096));
    assert_eq!(exchange.respond(Some(CLIENT_FINAL.as_bytes())), Step::Refused);
}

#[test]
fn final_messages_that_are_none() {
    for message in ["", "c=biws", "c=biws,r=x", "r=x,c=biws,p=AAAA", "c=biws,r=x,p=AAAA", "\u{ff}"]
    {
        assert_eq!(salted(CLIENT_FIRST).respond(Some(message.as_bytes())), Step::Malformed);
    }
}

#[test]
fn first_messages() {
    let first = |message: &str| scram().respond(Some(message.as_bytes()));
    assert_eq!(first("y,,n=user,r=x"), Step::Verifier("user".into()));
    assert_eq!(first("n,a=other,n=a=2Cb=3Dc,r=x,ext=1"), Step::Verifier("a,b=c".into()));
    assert_eq!(first("p=tls-exporter,,n=user,r=x"), Step::Refused);
    for message in [
        "",
        "n",
        "n,,",
        "x,,n=user,r=x",
        "n,,n=user",
        "n,,n=,r=x",
        "n,,n=a=2Db,r=x",
        "n,,n=user,r=",
        "n,,n=user,r=a b",
        "n,,m=1,n=user,r=x",
        "n,b=other,n=user,r=x",
        "n,,n=\u{7},r=x",
    ] {
        assert_eq!(first(message), Step::Malformed, "{message:?}");
    }
    let long = format!("n,,n=user,r={}", "r".repeat(257));
    assert_eq!(first(&long), Step::Malformed);
}

#[test]
fn whom_a_client_wants_to_act_as() {
    let mut exchange = salted("n,a=boss,n=user,r=rOprNGfwEbeRWgbNEkqO");
    // The header is part of what is proven: the proof is for another one.
    assert_eq!(exchange.respond(Some(CLIENT_FINAL.as_bytes())), Step::Refused);
    let plain =
        |message: &[u8]| Exchange::new(Mechanism::Plain, "").unwrap().respond(Some(message));
    let password = |claim| Step::Password(claim, Password("pw".into()));
    assert_eq!(plain(b"\0user\0pw"), password(claim("user", None)));
    assert_eq!(plain(b"user\0user\0pw"), password(claim("user", None)));
    assert_eq!(plain(b"User\0user\0pw"), password(claim("user", None)));
    assert_eq!(plain(b"boss\0user\0pw"), password(claim("user", Some("boss"))));
}

#[test]
fn plain_messages_that_are_none() {
    for message in [
        &b""[..],
        b"\0",
        b"user\0pw",
        b"\0\0pw",
        b"\0user\0",
        b"\0u\0p\0",
        b"\0\xff\0p",
        b"\x01\0u\0p",
    ] {
        let step = Exchange::new(Mechanism::Plain, "").unwrap().respond(Some(message));
        assert_eq!(step, Step::Malformed, "{message:?}");
    }
}

#[test]
fn login_asks_twice() {
    let mut login = Exchange::new(Mechanism::Login, "").unwrap();
    assert_eq!(login.respond(None), challenge("Username:"));
    assert_eq!(login.respond(Some(b"user")), challenge("Password:"));
    let password = Step::Password(claim("user", None), Password("pw".into()));
    assert_eq!(login.respond(Some(b"pw")), password);
    let mut login = Exchange::new(Mechanism::Login, "").unwrap();
    assert_eq!(login.respond(Some(b"user")), challenge("Password:"));
    assert_eq!(login.respond(Some(b"")), Step::Malformed);
    assert_eq!(login.respond(Some(b"pw")), Step::Malformed);
}

#[test]
fn external_names_nobody_or_somebody() {
    let external = |message| Exchange::new(Mechanism::External, "").unwrap().respond(message);
    assert_eq!(external(None), challenge(""));
    assert_eq!(external(Some(&b""[..])), Step::External(None));
    assert_eq!(external(Some(b"a@b.test")), Step::External(Some("a@b.test".into())));
    assert_eq!(external(Some(b"a\0b")), Step::Malformed);
}

#[test]
fn only_what_we_can_carry_out_begins() {
    for mechanism in Mechanism::ALL {
        let ours = matches!(
            mechanism,
            Mechanism::Plain | Mechanism::Login | Mechanism::External | Mechanism::ScramSha256
        );
        assert_eq!(Exchange::new(*mechanism, "n").is_some(), ours, "{mechanism}");
    }
}

#[test]
fn verifiers_are_written_as_rfc_5803_has_them() {
    let text = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$\
                WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:\
                wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
    assert_eq!(verifier().to_string(), text);
    assert_eq!(text.parse(), Ok(verifier()));
    for wrong in [
        "",
        "SCRAM-SHA-1$4096:W22Z$WG5d:wfPL",
        &text.replace("4096", "0"),
        &text.replace("4096", "+1"),
        &text.replace("4096", "10000001"),
        &text.replace("WG5d", "WG5"),
        &text.replace("W22ZaJ0SNY7soEsUEjb6gQ==", ""),
        &text.replace("$WG", "WG"),
        &format!("{text}$"),
    ] {
        assert_eq!(wrong.parse::<Verifier>(), Err(VerifierError), "{wrong}");
    }
}

#[test]
fn a_decoy_is_always_the_same() {
    let decoy = |user| Verifier::decoy(b"secret", user, 4096);
    assert!(decoy("a") == decoy("a"));
    assert!(decoy("a") != decoy("b"));
    assert!(decoy("a").to_string().parse::<Verifier>().is_ok());
}

#[test]
fn names_are_prepared() {
    assert_eq!(prepare("I\u{ad}X".as_bytes()).as_deref(), Some("IX"));
    assert_eq!(prepare("\u{aa}".as_bytes()).as_deref(), Some("a"));
    for text in [&b""[..], b"\x07", "\u{627}1".as_bytes(), b"\xff"] {
        assert_eq!(prepare(text), None);
    }
    assert!(prepare(&[b'a'; NAME_OCTETS_MAX]).is_some());
    assert!(prepare(&[b'a'; NAME_OCTETS_MAX + 1]).is_none());
}

#[test]
fn mechanisms_are_offered_in_their_order() {
    let set: Mechanisms = [Mechanism::Plain, Mechanism::External].into_iter().collect();
    assert_eq!(set.to_string(), "EXTERNAL PLAIN");
    assert!(set.without(Mechanism::Plain).without(Mechanism::External).is_empty());
    for mechanism in Mechanism::ALL {
        assert_eq!(Mechanism::from_name(&mechanism.name().to_lowercase()), Some(*mechanism));
    }
}

proptest! {
    #[test]
    fn no_octets_make_it_panic(
        responses in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..40),
                "(n|y|p=x),(a=[a-c=]{0,3})?,n=[a-c=23CD]{0,5},r=[a-c]{0,3}(,p=[A-D=]{0,4})?"
                    .prop_map(String::into_bytes),
            ],
            0..5,
        ),
    ) {
        for mechanism in Mechanism::ALL {
            let Some(mut exchange) = Exchange::new(*mechanism, "n") else { continue };
            for response in &responses {
                if let Step::Verifier(user) = exchange.respond(Some(response)) {
                    exchange.verify_with(Verifier::decoy(b"s", &user, 1));
                }
            }
        }
    }
}
