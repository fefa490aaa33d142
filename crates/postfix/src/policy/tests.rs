use data_encoding::BASE64;
use proptest::prelude::*;
use quivive_mail::EnhancedStatus;

use super::*;

/// A request's attributes as they were sent.
type Sent = Vec<(Attribute, Vec<u8>)>;

/// What comes of octets that arrive in pieces of this size.
fn read(octets: &[u8], piece: usize) -> (Vec<Sent>, Option<RequestError>) {
    let mut requests = Requests::default();
    let (mut all, mut rest) = (Vec::new(), octets);
    loop {
        match requests.request() {
            Ok(Some(request)) => all.push(sent(request)),
            Ok(None) if rest.is_empty() => return (all, None),
            Ok(None) => {
                let space = requests.input().space();
                let length = piece.min(rest.len()).min(space.len());
                assert!(length > 0, "there is always space");
                space[..length].copy_from_slice(&rest[..length]);
                requests.input().filled(length);
                rest = &rest[length..];
            }
            Err(error) => return (all, Some(error)),
        }
    }
}

fn sent(request: Request<'_>) -> Sent {
    let value = |attribute: &Attribute| Some((*attribute, request.get(*attribute)?.to_vec()));
    Attribute::ALL.iter().filter_map(value).collect()
}

fn written(attributes: &[(&str, &[u8])]) -> Vec<u8> {
    let mut octets = Vec::new();
    for (name, value) in attributes {
        octets.extend([name.as_bytes(), b"=", value, b"\n"].concat());
    }
    octets.push(b'\n');
    octets
}

fn with_request<T>(octets: &[u8], look: impl FnOnce(Request<'_>) -> T) -> T {
    let mut requests = Requests::default();
    let mut rest = octets;
    loop {
        if let Some(request) = requests.request().unwrap() {
            return look(request);
        }
        let space = requests.input().space();
        let length = space.len().min(rest.len());
        space[..length].copy_from_slice(&rest[..length]);
        requests.input().filled(length);
        rest = &rest[length..];
    }
}

fn error(octets: &[u8]) -> Option<RequestError> {
    read(octets, 1000).1
}

const KIND_LINE: &str = "request=smtpd_access_policy\n";

#[test]
fn values_are_what_stands_behind_the_first_equals_sign() {
    let octets = written(&[
        ("request", KIND),
        ("unknown", b"ignored"),
        ("sender", b"a=b@example.test"),
        ("client_address", b"2001:db8::1"),
        ("client_address", b"192.0.2.1"),
        ("protocol_state", b"END-OF-MESSAGE"),
        ("helo_name", b"\xff"),
        ("recipient", b""),
    ]);
    with_request(&octets, |request| {
        assert_eq!(request.text(Attribute::Sender), "a=b@example.test");
        assert_eq!(request.client_address(), Some("2001:db8::1".parse().unwrap()));
        assert_eq!(request.state(), ProtocolState::EndOfMessage);
        assert_eq!(request.text(Attribute::HeloName), "\u{fffd}");
        assert_eq!(request.get(Attribute::Recipient), Some(&b""[..]));
        assert_eq!(request.get(Attribute::Instance), None);
        assert_eq!(request.text(Attribute::Instance), "");
    });
}

#[test]
fn a_client_without_an_address() {
    for address in [&b"unknown"[..], b"", b"192.0.2", b"\xff"] {
        let octets = written(&[("request", KIND), ("client_address", address)]);
        with_request(&octets, |request| assert_eq!(request.client_address(), None));
    }
    with_request(&written(&[("request", KIND)]), |request| {
        assert_eq!(request.client_address(), None);
    });
}

#[test]
fn what_is_no_request_is_named_with_its_line() {
    use RequestError::{NoEquals, NotPolicy, NotText};
    let with = |rest: &[u8]| error(&[KIND_LINE.as_bytes(), rest].concat());
    assert_eq!(with(b"\n"), None);
    assert_eq!(with(b"sender\n"), Some(NoEquals(2)));
    assert_eq!(with(b"sender=a\x00b\n\n"), Some(NotText(2)));
    assert_eq!(with(b"sender=a\r\n\r\n"), Some(NotText(2)));
    assert_eq!(with(b"\x00"), Some(NotText(2)));
    assert_eq!(error(b"\n"), Some(NotPolicy));
    assert_eq!(error(b"sender=a\n\n"), Some(NotPolicy));
    assert_eq!(error(b"request=junk\n\n"), Some(NotPolicy));
    assert_eq!(error(b"EHLO example.test\r\n"), Some(NotText(1)));
    assert_eq!(error(b"GET / HTTP/1.1\n"), Some(NoEquals(1)));
}

#[test]
fn a_request_has_so_many_octets_and_attributes_and_no_more() {
    let attributes = |count: usize| KIND_LINE.to_owned() + &"x=\n".repeat(count - 1) + "\n";
    assert_eq!(error(attributes(ATTRIBUTES_MAX).as_bytes()), None);
    let too_many = Some(RequestError::TooManyAttributes);
    assert_eq!(error(attributes(ATTRIBUTES_MAX + 1).as_bytes()), too_many);
    assert_eq!(error(attributes(10_000).as_bytes()), too_many);
    let octets = |count: usize| {
        KIND_LINE.to_owned() + "x=" + &"y".repeat(count - KIND_LINE.len() - 4) + "\n\n"
    };
    assert_eq!(error(octets(REQUEST_OCTETS_MAX).as_bytes()), None);
    let too_long = Some(RequestError::TooLong);
    assert_eq!(error(octets(REQUEST_OCTETS_MAX + 1).as_bytes()), too_long);
    assert_eq!(error(&vec![b'x'; 10 * REQUEST_OCTETS_MAX]), too_long);
}

#[test]
fn nothing_is_read_behind_an_error() {
    let mut requests = Requests::default();
    let octets = [b"junk\n", &written(&[("request", KIND)])[..]].concat();
    requests.input().space()[..octets.len()].copy_from_slice(&octets);
    requests.input().filled(octets.len());
    for _ in 0..2 {
        assert_eq!(requests.request().unwrap_err(), RequestError::NoEquals(1));
    }
}

#[test]
fn a_header_of_so_many_octets_and_no_more() {
    let header = |encoded: &[u8]| {
        let octets = written(&[("request", KIND), ("header_base64", encoded)]);
        with_request(&octets, |request| request.header())
    };
    let encoded = |length: usize| BASE64.encode(&vec![b'x'; length]).into_bytes();
    assert_eq!(header(b"RnJvbTogYQo="), Ok(Some(b"From: a\n".to_vec())));
    assert_eq!(header(b""), Ok(Some(Vec::new())));
    assert_eq!(header(b"RnJvbTogYQo"), Err(HeaderError::NotBase64));
    assert_eq!(header(b"RnJv bTog"), Err(HeaderError::NotBase64));
    assert!(header(&encoded(HEADER_OCTETS_MAX)).is_ok());
    for more in 1..5 {
        let length = HEADER_OCTETS_MAX + more;
        assert_eq!(header(&encoded(length)), Err(HeaderError::TooLong));
    }
    with_request(&written(&[("request", KIND)]), |request| {
        assert_eq!(request.header(), Ok(None));
    });
}

fn answer(action: Action<'_>) -> String {
    let mut output = Vec::new();
    action.write(&mut output);
    String::from_utf8(output).unwrap()
}

#[test]
fn answers_as_postfix_reads_them() {
    let enhanced = EnhancedStatus(5, 7, 23);
    assert_eq!(answer(Action::Dunno), "action=DUNNO\n\n");
    assert_eq!(
        answer(Action::Refuse { code: 550, enhanced, text: "no" }),
        "action=550 5.7.23 no\n\n"
    );
    let enhanced = EnhancedStatus(4, 7, 24);
    assert_eq!(
        answer(Action::DeferIfPermit { enhanced, text: "later" }),
        "action=DEFER_IF_PERMIT 4.7.24 later\n\n"
    );
    let field =
        Action::Prepend { prefix: "X-", name: "Received-SPF", value: "pass\r\n\t(a)\r\n b" };
    assert_eq!(answer(field), "action=PREPEND X-Received-SPF: pass (a) b\n\n");
}

#[test]
fn answers_are_bounded() {
    let field = |length: usize| {
        let value = "x".repeat(length - "X-Y: ".len());
        answer(Action::Prepend { prefix: "X-", name: "Y", value: &value })
    };
    assert!(field(FIELD_OCTETS_MAX).starts_with("action=PREPEND X-Y: x"));
    assert_eq!(field(FIELD_OCTETS_MAX + 1), "action=DUNNO\n\n");
    let text = "é".repeat(TEXT_OCTETS_MAX);
    let refusal =
        answer(Action::Refuse { code: 550, enhanced: EnhancedStatus(5, 7, 1), text: &text });
    assert_eq!(refusal.len(), "action=550 5.7.1 \n\n".len() + TEXT_OCTETS_MAX);
}

proptest! {
    #[test]
    fn pieces_make_no_difference(octets: Vec<u8>, piece in 1..30_usize) {
        let octets = [KIND_LINE.as_bytes(), &octets].concat();
        prop_assert_eq!(read(&octets, piece), read(&octets, octets.len()));
    }

    #[test]
    fn what_is_sent_is_read(
        values in prop::collection::vec("[^\\x00\\r\\n]{0,20}", Attribute::COUNT - 1),
        order in Just((1..Attribute::COUNT).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let mut attributes = vec![("request", KIND)];
        let mut expected = vec![(Attribute::Request, KIND.to_vec())];
        for (index, value) in order.iter().zip(&values) {
            let attribute = Attribute::ALL[*index];
            attributes.push((attribute.name(), value.as_bytes()));
            expected.push((attribute, value.as_bytes().to_vec()));
        }
        expected.sort_by_key(|(attribute, _)| *attribute as usize);
        prop_assert_eq!(read(&written(&attributes), 7), (vec![expected], None));
    }

    #[test]
    fn nothing_breaks_out_of_an_answer(text: String) {
        let enhanced = EnhancedStatus(5, 7, 1);
        for action in [
            Action::Refuse { code: 550, enhanced, text: &text },
            Action::DeferIfPermit { enhanced, text: &text },
            Action::Prepend { prefix: "", name: "X", value: &text },
        ] {
            let answer = answer(action);
            let line = answer.strip_suffix("\n\n").unwrap();
            prop_assert!(!line.bytes().any(|octet| octet.is_ascii_control()), "{:?}", line);
        }
    }
}
