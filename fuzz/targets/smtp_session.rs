//! A client's whole session: it means the same in whatever pieces it arrives, and no message holds
//! a bare CR or LF. The first octet decides what the server refuses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_mail::EnhancedStatus;
use quivive_smtp::sasl::Mechanism;
use quivive_smtp::session::{Event, Session};
use quivive_smtp::{Extensions, Reply};

const SIZE_MAX: u64 = 300;

const TAKEN: Reply = Reply::new(250, EnhancedStatus(2, 0, 0), "OK");
const REFUSED: Reply = Reply::new(550, EnhancedStatus(5, 7, 1), "No");
const NO_CONTENT: Reply = Reply::new(554, EnhancedStatus(5, 7, 0), "None of that");
const NO_TLS: Reply = Reply::new(454, EnhancedStatus(4, 7, 0), "Not now");

fuzz_target!(|input: &[u8]| {
    let Some((chance, input)) = input.split_first() else { return };
    let (events, output) = talk(*chance, input, input.len().max(1));
    // A client that sends a message without waiting whether DATA is taken is cut off if it is not:
    // that does depend on the pieces.
    if output.contains("\r\n503 ") || output.contains("\r\n554 ") {
        return;
    }
    for piece in [1, 7] {
        let (same_events, same_output) = talk(*chance, input, piece);
        assert_eq!(events, same_events);
        assert_eq!(output, same_output);
    }
});

/// What the server saw, and what it said.
fn talk(chance: u8, input: &[u8], piece: usize) -> (Vec<String>, String) {
    let mut session = Session::new(SIZE_MAX);
    session.greet(&Reply::new(220, EnhancedStatus(2, 0, 0), "mx.example.test"));
    let mut log = Vec::new();
    let mut content = Vec::new();
    let mut rest = input;
    loop {
        let refused = chance >> (log.len() % 8) & 1 == 1;
        let mut answer = if refused { REFUSED } else { TAKEN };
        match session.event() {
            Event::Starved if rest.is_empty() => break,
            Event::Starved => {
                let space = session.space();
                let octets = piece.min(rest.len()).min(space.len());
                assert!(octets > 0, "there is always space");
                space[..octets].copy_from_slice(&rest[..octets]);
                session.filled(octets);
                rest = &rest[octets..];
                continue;
            }
            Event::Content(octets) => {
                content.extend_from_slice(octets);
                continue;
            }
            Event::Closed => {
                log.push("closed".to_owned());
                break;
            }
            Event::Begin => {
                log.push("begin".to_owned());
                content.clear();
                if refused {
                    session.refuse_content(NO_CONTENT);
                }
                continue;
            }
            Event::Reset => {
                log.push("reset".to_owned());
                continue;
            }
            Event::Hello { extended, name } => {
                log.push(format!("hello {extended} {name}"));
                let extensions = Extensions { chunking: true, smtputf8: true, ..all() };
                session.welcome("mx.example.test", extensions);
                continue;
            }
            Event::Auth { mechanism, .. } if !refused => {
                log.push(format!("auth {mechanism}"));
                session.challenge(b"who?");
                continue;
            }
            Event::AuthEnded => {
                log.push("auth ended".to_owned());
                continue;
            }
            Event::End => {
                log.push(format!("end {}", content.escape_ascii()));
                assert!(content.len() as u64 <= SIZE_MAX);
                assert!(only_whole_line_ends(&content), "{}", content.escape_ascii());
            }
            Event::StartTls => {
                // What stands behind STARTTLS is dropped as far as it was read: that does depend
                // on the pieces.
                log.push("starttls".to_owned());
                answer = NO_TLS;
            }
            event => log.push(format!("{event:?}")),
        }
        session.answer(&answer);
    }
    (log, String::from_utf8_lossy(session.output()).into_owned())
}

fn all() -> Extensions {
    Extensions {
        size: Some(SIZE_MAX),
        pipelining: true,
        enhanced_status_codes: true,
        eight_bit_mime: true,
        dsn: true,
        starttls: true,
        xclient: true,
        auth: Some([Mechanism::Plain].into_iter().collect()),
        ..Extensions::default()
    }
}

fn only_whole_line_ends(content: &[u8]) -> bool {
    content.iter().enumerate().all(|(at, octet)| match octet {
        b'\n' => at > 0 && content[at - 1] == b'\r',
        b'\r' => content.get(at + 1) == Some(&b'\n'),
        _ => true,
    })
}
