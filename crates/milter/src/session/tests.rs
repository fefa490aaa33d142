use quivive_mail::EnhancedStatus;

use super::*;
use crate::{Actions, Peer, Refusal, Steps, packet as wire};

fn wishes() -> Wishes {
    Wishes {
        steps: Steps::all(),
        unanswered: Steps::NONE,
        actions: Actions::ADD_HEADERS | Actions::QUARANTINE,
        macros: &[],
    }
}

fn offer(version: u32, actions: u32, protocol: u32) -> Vec<u8> {
    let data = [version, actions, protocol].map(u32::to_be_bytes).concat();
    wire(b'O', &data)
}

/// A session with an MTA that offers everything, which has said so.
fn agreed(wishes: Wishes) -> Session {
    let mut session = Session::new(wishes);
    hear(&mut session, &offer(6, 0x1ff, 0x1f_ffff));
    assert_eq!(session.event(), Ok(Event::Starved));
    session.output().clear();
    session
}

fn hear(session: &mut Session, octets: &[u8]) {
    for octet in octets {
        session.space()[0] = *octet;
        session.filled(1);
    }
}

fn say(session: &mut Session, command: u8, data: &[u8]) {
    hear(session, &wire(command, data));
}

/// Takes events with continue up to the point where nothing is known any more.
fn go_on(session: &mut Session) -> Result<usize, ProtocolError> {
    let mut events = 0;
    while !matches!(session.event()?, Event::Starved) {
        events += 1;
        session.answer(&Answer::Continue);
    }
    Ok(events)
}

fn begin_message(session: &mut Session) {
    say(session, b'C', b"mail.example\x004\0\x19192.0.2.25\0");
    say(session, b'H', b"mail.example\0");
    say(session, b'M', b"<a@b.example>\0");
    assert_eq!(go_on(session), Ok(3));
    session.output().clear();
}

fn output(session: &mut Session) -> String {
    let output = std::mem::take(session.output());
    output.escape_ascii().to_string()
}

#[test]
fn a_message_from_its_client_to_its_end() {
    let mut session = agreed(wishes());
    say(&mut session, b'D', b"Cj\0mx.example\0v\0Postfix 3.7.11\0");
    say(&mut session, b'C', b"mail.example\x004\0\x19192.0.2.25\0");
    let peer = Peer::Network("192.0.2.25:25".parse().unwrap());
    assert_eq!(session.event(), Ok(Event::Connect(Client { name: b"mail.example", peer })));
    session.answer(&Answer::Continue);
    assert_eq!(session.macros().value("j"), Some(&b"mx.example"[..]));
    say(&mut session, b'H', b"helo.example\0");
    assert_eq!(session.event(), Ok(Event::Helo(b"helo.example")));
    session.answer(&Answer::Continue);
    assert!(session.is_idle());
    say(&mut session, b'D', b"Mi\0ABC\0{auth_authen}\0ann\0");
    say(&mut session, b'M', b"<a@b.example>\0");
    assert!(
        matches!(session.event(), Ok(Event::Mail(address)) if address.path == b"<a@b.example>")
    );
    session.answer(&Answer::Continue);
    assert_eq!(session.macros().value("auth_authen"), Some(&b"ann"[..]));
    assert!(!session.is_idle());
    say(&mut session, b'R', b"<c@d.example>\0");
    say(&mut session, b'T', b"");
    say(&mut session, b'L', b"Subject\0 x\0");
    say(&mut session, b'N', b"");
    say(&mut session, b'B', b"body\r\n");
    assert_eq!(go_on(&mut session), Ok(5));
    assert_eq!(output(&mut session), "\\x00\\x00\\x00\\x01c".repeat(8));
    say(&mut session, b'E', b"");
    assert_eq!(session.event(), Ok(Event::EndOfMessage { body: b"" }));
    session.answer(&Answer::Continue);
    assert_eq!(session.macros().value("i"), None);
    assert_eq!(session.macros().value("j"), Some(&b"mx.example"[..]));
    say(&mut session, b'Q', b"");
    assert_eq!(session.event(), Ok(Event::Quit));
}

#[test]
fn several_messages_and_aborts_at_any_time() {
    let mut session = agreed(wishes());
    say(&mut session, b'A', b"");
    assert_eq!(session.event(), Ok(Event::Starved));
    begin_message(&mut session);
    say(&mut session, b'A', b"");
    assert_eq!(session.event(), Ok(Event::Abort));
    say(&mut session, b'A', b"");
    say(&mut session, b'A', b"");
    assert_eq!(session.event(), Ok(Event::Starved));
    for _ in 0..3 {
        say(&mut session, b'M', b"<a@b.example>\0");
        say(&mut session, b'R', b"<c@d.example>\0");
        say(&mut session, b'E', b"");
        assert_eq!(go_on(&mut session), Ok(3));
        assert!(session.is_idle());
    }
    say(&mut session, b'M', b"<a@b.example>\0");
    say(&mut session, b'M', b"<b@b.example>\0");
    assert_eq!(go_on(&mut session), Ok(2));
}

#[test]
fn another_client_on_the_same_connection() {
    let mut session = agreed(wishes());
    say(&mut session, b'D', b"Cj\0mx.example\0");
    begin_message(&mut session);
    say(&mut session, b'K', b"");
    assert_eq!(session.event(), Ok(Event::NextClient));
    assert_eq!(session.macros().value("j"), None);
    say(&mut session, b'M', b"<a@b.example>\0");
    assert_eq!(session.event(), Err(ProtocolError::OutOfOrder(b'M')));
    let mut session = agreed(wishes());
    begin_message(&mut session);
    say(&mut session, b'K', b"");
    assert_eq!(session.event(), Ok(Event::NextClient));
    begin_message(&mut session);
}

#[test]
fn what_was_not_wished_for_is_answered_and_not_told() {
    let wishes = Wishes { steps: Step::Mail | Step::Rcpt, ..wishes() };
    let mut session = Session::new(wishes);
    // An MTA that cannot leave anything out.
    hear(&mut session, &offer(2, 0, 0));
    assert_eq!(session.event(), Ok(Event::Starved));
    session.output().clear();
    say(&mut session, b'C', b"mail.example\x004\0\x19192.0.2.25\0");
    say(&mut session, b'H', b"mail.example\0");
    say(&mut session, b'M', b"<a@b.example>\0");
    say(&mut session, b'L', b"Subject\0x\0");
    say(&mut session, b'N', b"");
    say(&mut session, b'B', b"body");
    assert_eq!(go_on(&mut session), Ok(1));
    assert_eq!(output(&mut session), "\\x00\\x00\\x00\\x01c".repeat(6));
}

#[test]
fn what_awaits_no_answer_has_none() {
    let unanswered = Step::Connect | Step::Helo | Step::Mail | Step::Header;
    let mut session = agreed(Wishes { unanswered, ..wishes() });
    say(&mut session, b'C', b"mail.example\x004\0\x19192.0.2.25\0");
    say(&mut session, b'H', b"mail.example\0");
    say(&mut session, b'M', b"<a@b.example>\0");
    say(&mut session, b'L', b"Subject\0x\0");
    assert_eq!(go_on(&mut session), Ok(4));
    assert_eq!(output(&mut session), "");
    say(&mut session, b'R', b"<c@d.example>\0");
    assert_eq!(go_on(&mut session), Ok(1));
    assert_eq!(output(&mut session), "\\x00\\x00\\x00\\x01c");
}

#[test]
fn changes_at_the_end_of_a_message_alone_and_only_as_agreed() {
    let mut session = agreed(wishes());
    let edit = Edit::InsertField { index: 0, name: "X", value: "y" };
    assert!(!session.edit(edit));
    begin_message(&mut session);
    assert!(!session.edit(edit));
    say(&mut session, b'E', b"");
    assert_eq!(session.event(), Ok(Event::EndOfMessage { body: b"" }));
    assert!(session.edit(edit));
    assert!(session.edit(Edit::Quarantine { reason: "why" }));
    assert!(!session.edit(Edit::DeleteField { position: 1, name: b"X" }));
    session.answer(&Answer::Continue);
    assert!(!session.edit(edit));
    let expected = "\\x00\\x00\\x00\\ni\\x00\\x00\\x00\\x00X\\x00 y\\x00\
        \\x00\\x00\\x00\\x05qwhy\\x00\\x00\\x00\\x00\\x01c";
    assert_eq!(output(&mut session), expected);
}

#[test]
fn the_rest_of_a_body_is_skipped_where_that_was_agreed() {
    let mut session = agreed(wishes());
    begin_message(&mut session);
    let no = EnhancedStatus(5, 7, 1);
    let refusal = Answer::Refuse(Refusal { code: 550, enhanced: no, text: "no" });
    for (command, data, answer, expected) in [
        (b'R', &b"<c@d.example>\0"[..], Answer::Skip, "\\x00\\x00\\x00\\x01c"),
        (b'R', b"<e@d.example>\0", refusal, "\\x00\\x00\\x00\\x0ey550 5.7.1 no\\x00"),
        (b'B', b"body", Answer::Skip, "\\x00\\x00\\x00\\x01s"),
        (b'E', b"", Answer::Discard, "\\x00\\x00\\x00\\x01d"),
    ] {
        say(&mut session, command, data);
        session.event().unwrap();
        session.answer(&answer);
        assert_eq!(output(&mut session), expected);
    }
    let mut session = Session::new(wishes());
    hear(&mut session, &offer(6, 0x1ff, 0));
    session.event().unwrap();
    begin_message(&mut session);
    say(&mut session, b'B', b"body");
    session.event().unwrap();
    session.answer(&Answer::Skip);
    assert_eq!(output(&mut session), "\\x00\\x00\\x00\\x01c");
}

#[test]
fn progress_is_told_where_it_is_understood() {
    for (version, early) in [("Postfix 3.7.11", true), ("8.17.1.9", false)] {
        let mut session = agreed(wishes());
        assert!(!session.takes_progress());
        say(&mut session, b'D', format!("Cv\0{version}\0").as_bytes());
        begin_message(&mut session);
        say(&mut session, b'R', b"<c@d.example>\0");
        session.event().unwrap();
        assert_eq!(session.takes_progress(), early);
        session.progress();
        let told = if early { "\\x00\\x00\\x00\\x01p" } else { "" };
        assert_eq!(output(&mut session), told);
        session.answer(&Answer::Continue);
        assert!(!session.takes_progress());
        say(&mut session, b'E', b"");
        session.event().unwrap();
        session.progress();
        session.answer(&Answer::Continue);
        assert!(output(&mut session).ends_with("\\x00\\x00\\x00\\x01p\\x00\\x00\\x00\\x01c"));
    }
}

#[test]
fn what_comes_out_of_order_ends_the_connection() {
    let first = |command: u8, data: &[u8]| {
        let mut session = Session::new(wishes());
        say(&mut session, command, data);
        session.event().map(|event| event != Event::Starved)
    };
    for (command, data) in
        [(b'C', &b"x\0U"[..]), (b'D', b"C"), (b'A', b""), (b'K', b""), (b'M', b"<>\0"), (b'E', b"")]
    {
        assert_eq!(first(command, data), Err(ProtocolError::OutOfOrder(command)));
    }
    assert_eq!(first(b'Q', b""), Ok(true));
    assert_eq!(first(b'z', b""), Err(ProtocolError::Unknown(b'z')));
    for command in *b"HMRTLNBE" {
        let mut session = agreed(wishes());
        say(&mut session, command, b"x\0y\0");
        assert_eq!(session.event(), Err(ProtocolError::OutOfOrder(command)));
    }
    for command in *b"OC" {
        let mut session = agreed(wishes());
        begin_message(&mut session);
        say(&mut session, command, b"x\0U");
        assert_eq!(session.event(), Err(ProtocolError::OutOfOrder(command)));
    }
}

#[test]
fn malformed_data_end_the_connection() {
    for (command, data) in [
        (b'R', &b"<c@d.example>"[..]),
        (b'L', b"Subject\0"),
        (b'L', b"Subject\0x"),
        (b'H', b"no end"),
        (b'H', b"two\0ends\0"),
        (b'D', b""),
        (b'D', b"Ri\0"),
    ] {
        let mut session = agreed(wishes());
        begin_message(&mut session);
        say(&mut session, command, data);
        assert_eq!(session.event(), Err(ProtocolError::Malformed(command)));
    }
}

#[test]
fn a_body_without_end_is_passed_on_and_not_kept() {
    let mut session = agreed(wishes());
    begin_message(&mut session);
    let chunk = wire(b'B', &[b'x'; 65_535]);
    for _ in 0..500 {
        for piece in chunk.chunks(4096) {
            let space = session.space();
            let octets = space.len().min(piece.len());
            space[..octets].copy_from_slice(&piece[..octets]);
            session.filled(octets);
            hear(&mut session, &piece[octets..]);
        }
        assert_eq!(go_on(&mut session), Ok(1));
        session.output().clear();
        assert!(session.space().len() <= 256 * 1024);
    }
}
