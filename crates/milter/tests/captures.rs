//! What a real Postfix says and hears: the sessions of the shared suite, where it is at hand. Our
//! session, answering as the recorded filter did, must say the same octets.
#![allow(clippy::print_stderr)]

use std::path::Path;

use quivive_mail::EnhancedStatus;
use quivive_milter::{
    Actions, Answer, Edit, Event, MacroStage, Peer, Refusal, Session, Step, Steps, Wishes,
};
use serde_json::Value;

/// Everything a filter can do.
const ALL_ACTIONS: [Actions; 8] = [
    Actions::ADD_HEADERS,
    Actions::CHANGE_BODY,
    Actions::ADD_RECIPIENTS,
    Actions::DELETE_RECIPIENTS,
    Actions::CHANGE_HEADERS,
    Actions::QUARANTINE,
    Actions::CHANGE_SENDER,
    Actions::ADD_RECIPIENTS_WITH_PARAMETERS,
];

/// The macros of the case `macro-list`.
const MACROS: &[(MacroStage, &str)] = &[
    (MacroStage::Connect, "j {client_addr} {client_name}"),
    (MacroStage::Mail, "{mail_addr} {auth_authen}"),
    (MacroStage::Message, "i"),
];

#[test]
fn every_session_of_a_real_postfix() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/suites/milter/postfix-milter-captures.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        eprintln!("skipped: {} is not there", file.display());
        return;
    };
    let suite: Value = serde_json::from_str(&text).unwrap();
    let cases = suite["cases"].as_array().unwrap();
    assert!(cases.len() >= 20);
    for case in cases {
        let name = case["case"].as_str().unwrap();
        for packets in case["milter_sessions"].as_array().unwrap() {
            for piece in [usize::MAX, 1, 7] {
                let seen = replay(name, packets.as_array().unwrap(), piece);
                check(name, case, &seen, packets);
            }
        }
    }
}

/// What a session has told.
#[derive(Default)]
struct Seen {
    clients: Vec<String>,
    paths: Vec<String>,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
    queue_id: Option<String>,
    messages: usize,
    has_quit: bool,
}

/// Plays a session to ours, in pieces of so many octets, answering as the filter did.
fn replay(case: &str, packets: &[Value], piece: usize) -> Seen {
    let mut session = Session::new(wishes(case));
    let mut seen = Seen::default();
    let mut answers = packets.iter().filter(|packet| packet["from"] == "milter").map(octets);
    for packet in packets.iter().filter(|packet| packet["from"] == "mta") {
        let mut octets = octets(packet);
        if packet["cmd"] == "OPTNEG" {
            withhold(&mut octets);
        }
        for piece in octets.chunks(piece.min(octets.len())) {
            let mut piece = piece;
            while !piece.is_empty() {
                let space = session.space();
                let count = space.len().min(piece.len());
                space[..count].copy_from_slice(&piece[..count]);
                session.filled(count);
                piece = &piece[count..];
            }
        }
        loop {
            let is_end = match session.event() {
                Ok(Event::Starved) => break,
                Ok(Event::Abort) => continue,
                Ok(Event::Quit) => {
                    seen.has_quit = true;
                    break;
                }
                Ok(event) => seen.note(&event),
                Err(error) => panic!("{case}: {error}"),
            };
            let queue_id = session.macros().value("i").map(text);
            seen.queue_id = queue_id.or(seen.queue_id);
            if is_end {
                edits(case).into_iter().for_each(|edit| assert!(session.edit(edit), "{case}"));
            }
            session.answer(&answer(case, &seen, is_end));
        }
        let mut said = &std::mem::take(session.output())[..];
        while !said.is_empty() {
            let expected = answers.next().unwrap_or_else(|| panic!("{case}: said too much"));
            let (own, rest) = said.split_at(expected.len().min(said.len()));
            let (own, expected) = (own.escape_ascii(), expected.escape_ascii());
            assert_eq!(own.to_string(), expected.to_string(), "{case}");
            said = rest;
        }
    }
    assert_eq!(answers.next(), None, "{case}: said too little");
    seen
}

/// Takes from an offer what the recorded filter did not take of it and we always do: to leave the
/// blank behind a colon where it is (0x100000), and to skip the rest of a body (0x400).
fn withhold(offer: &mut [u8]) {
    let protocol = offer.last_chunk_mut::<4>().unwrap();
    *protocol = (u32::from_be_bytes(*protocol) & !0x10_0400).to_be_bytes();
}

impl Seen {
    /// Whether it is the end of a message.
    fn note(&mut self, event: &Event<'_>) -> bool {
        match event {
            Event::Connect(client) => {
                let Peer::Network(address) = client.peer else { panic!("no address") };
                self.clients.push(format!("{} {}", text(client.name), address.ip()));
            }
            Event::Mail(address) | Event::Rcpt(address) => {
                let mut path = text(address.path);
                address.parameters().for_each(|word| path += &format!(" {}", text(word)));
                self.paths.push(path);
            }
            Event::Header(field) => self.fields.push((text(field.name), text(field.value))),
            Event::Body(piece) => self.body.extend_from_slice(piece),
            Event::EndOfMessage { .. } => {
                self.messages += 1;
                return true;
            }
            _ => {}
        }
        false
    }
}

fn wishes(case: &str) -> Wishes {
    let unanswered = match case {
        "no-reply-steps" => {
            Step::Connect
                | Step::Helo
                | Step::Mail
                | Step::Rcpt
                | Step::Data
                | Step::EndOfHeader
                | Step::Body
                | Step::Header
        }
        _ => Steps::NONE,
    };
    let actions = ALL_ACTIONS.into_iter().fold(Actions::CHOOSE_MACROS, |all, action| all | action);
    let macros = if case == "macro-list" { MACROS } else { &[] };
    Wishes { steps: Steps::all(), unanswered, actions, macros }
}

fn edits(case: &str) -> Vec<Edit<'static>> {
    match case {
        "addheader" => vec![Edit::AddField { name: "X-Added", value: "one" }],
        "insheader-0" => {
            let value = "mx.example.org;\r\n\tspf=pass smtp.mailfrom=example.net";
            vec![Edit::InsertField { index: 0, name: "Authentication-Results", value }]
        }
        "chgheader" => vec![
            Edit::ChangeField { position: 1, name: b"Subject", value: "changed" },
            Edit::DeleteField { position: 1, name: b"X-Empty" },
            Edit::ChangeField { position: 2, name: b"X-New", value: "appended" },
        ],
        _ => vec![],
    }
}

fn answer(case: &str, seen: &Seen, is_end: bool) -> Answer<'static> {
    let at_rcpt = seen.paths.len() == 2;
    let at_mail = seen.paths.len() == 1;
    match case {
        "reject-rcpt-450" if at_rcpt => {
            let enhanced = EnhancedStatus(4, 7, 1);
            Answer::Refuse(Refusal { code: 450, enhanced, text: "greylisted, try again" })
        }
        "reject-mail" if at_mail => Answer::Reject,
        "tempfail-mail" if at_mail => Answer::TemporaryFailure,
        "discard-eom" if is_end => Answer::Discard,
        _ => Answer::Continue,
    }
}

/// What must have been seen, beyond the octets that were said.
fn check(name: &str, case: &Value, seen: &Seen, packets: &Value) {
    assert!(seen.has_quit, "{name}");
    let last = case["milter_sessions"].as_array().unwrap().last().unwrap();
    if packets != last {
        return;
    }
    let xclient = case["xclient"].as_str().unwrap();
    let stated = |key: &str| {
        let word = xclient.split(' ').find_map(|word| word.strip_prefix(key)).unwrap();
        word.trim_start_matches("IPV6:").to_owned()
    };
    assert_eq!(seen.clients, [format!("{} {}", stated("NAME="), stated("ADDR="))], "{name}");
    let taken = |pair: &&Value| pair[0] == "S" && pair[1].as_str().unwrap().contains("queued as");
    let replies = case["smtp"].as_array().unwrap().iter().filter(taken);
    let ids: Vec<&str> = replies.map(|pair| pair[1].as_str().unwrap().trim_end()).collect();
    assert_eq!(seen.messages, ids.len(), "{name}");
    if let Some(said) = ids.last() {
        assert!(said.ends_with(seen.queue_id.as_deref().unwrap()), "{name}: {said}");
    }
    match name {
        "two-rcpt" => assert_eq!(
            seen.paths,
            [
                "<ann@example.net> SIZE=100 BODY=8BITMIME",
                "<bob@example.org>",
                "<carol@example.com> NOTIFY=NEVER"
            ]
        ),
        "helo-null-sender" => assert_eq!(seen.paths[0], "<>"),
        "body-chunks" => assert!(seen.body.len() > 65_535 && seen.body.ends_with(b"\r\n")),
        "plain" => {
            let field = |name: &str| {
                let found = seen.fields.iter().find(|(known, _)| known == name);
                found.map(|(_, value)| value.as_str())
            };
            // One blank after the colon was stripped: it was not agreed to leave it.
            let blank = |rest: &'static str| Some(rest);
            assert_eq!(field("Subject"), blank("folded\n\tsubject line"));
            assert_eq!(field("X-Spaces"), blank("  three"));
            assert_eq!(field("X-Empty"), blank(""));
            assert_eq!(seen.body, b"Hello\r\n.dot\r\n\r\nlast line\r\n");
        }
        _ => {}
    }
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}

/// The octets of a packet, which the suite writes in base64 (RFC 4648 section 4).
fn octets(packet: &Value) -> Vec<u8> {
    let value = |digit: u8| match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits = packet["raw_b64"].as_str().unwrap().trim_end_matches('=').as_bytes();
    let mut octets = Vec::new();
    for quad in digits.chunks(4) {
        let bits = quad.iter().fold(0u32, |bits, digit| bits << 6 | u32::from(value(*digit)));
        let bits = bits << (6 * (4 - quad.len()));
        octets.extend_from_slice(&bits.to_be_bytes()[1..quad.len()]);
    }
    octets
}
