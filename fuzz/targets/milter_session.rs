//! An MTA's whole connection: it means the same in whatever pieces it arrives, every event has at
//! most one answer, and what is said are whole packets. The first octet decides what is wished for
//! and what is answered.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_mail::EnhancedStatus;
use quivive_milter::{
    Actions, Answer, Edit, Event, MacroStage, Refusal, Session, Step, Steps, Wishes,
};

const MACROS: &[(MacroStage, &str)] =
    &[(MacroStage::Connect, "j v {client_addr}"), (MacroStage::Message, "i")];

fuzz_target!(|input: &[u8]| {
    let Some((chance, input)) = input.split_first() else { return };
    let whole = talk(*chance, input, input.len().max(1));
    for piece in [1, 7] {
        assert_eq!(whole, talk(*chance, input, piece));
    }
    let (_, mut said) = whole;
    while !said.is_empty() {
        let (length, rest) = said.split_first_chunk().expect("a packet has a length");
        let length = u32::from_be_bytes(*length) as usize;
        assert!(length >= 1 && length <= rest.len(), "a packet is whole");
        said = rest[length..].to_vec();
    }
});

/// What the filter saw, and what it said.
fn talk(chance: u8, input: &[u8], piece: usize) -> (Vec<String>, Vec<u8>) {
    let mut session = Session::new(wishes(chance));
    let mut log = Vec::new();
    let mut fields = Vec::new();
    let mut rest = input;
    loop {
        let event = match session.event() {
            Ok(event) => event,
            Err(error) => {
                log.push(error.to_string());
                break;
            }
        };
        let (mut is_end, mut is_answered) = (false, true);
        match &event {
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
            Event::Abort | Event::NextClient => is_answered = false,
            Event::Quit => {
                log.push("quit".to_owned());
                break;
            }
            Event::Mail(address) | Event::Rcpt(address) => {
                let parameters = address.parameters().count();
                log.push(format!("{} {parameters}", address.unbracketed().escape_ascii()));
            }
            Event::Header(field) => field.write(&mut fields),
            Event::EndOfMessage { .. } => is_end = true,
            _ => {}
        }
        log.push(format!("{event:?}"));
        for name in ["i", "j", "auth_authen"] {
            let value = session.macros().value(name).map(|value| value.escape_ascii().to_string());
            log.push(format!("{name} {value:?}"));
        }
        if is_end {
            change(&mut session, &String::from_utf8_lossy(&fields));
        }
        if is_answered {
            log.push(format!("progress {}", session.takes_progress()));
            session.progress();
            session.answer(&answer(chance >> (log.len() % 8) & 3));
        }
    }
    (log, std::mem::take(session.output()))
}

fn wishes(chance: u8) -> Wishes {
    let steps = if chance & 1 == 1 { Steps::all() } else { Step::Mail | Step::Rcpt | Step::Header };
    let unanswered = if chance & 2 == 2 { Step::Mail | Step::Header } else { Steps::NONE };
    let actions = Actions::ADD_HEADERS | Actions::CHANGE_HEADERS | Actions::QUARANTINE;
    let macros = if chance & 4 == 4 { MACROS } else { &[] };
    Wishes { steps, unanswered, actions: actions | Actions::CHANGE_SENDER, macros }
}

fn change(session: &mut Session, text: &str) {
    session.edit(Edit::InsertField { index: 0, name: "X", value: text });
    session.edit(Edit::DeleteField { position: 1, name: text.as_bytes() });
    session.edit(Edit::ChangeSender { reverse_path: text, parameters: text });
    session.edit(Edit::ReplaceBody(text.as_bytes()));
    session.edit(Edit::Quarantine { reason: text });
}

fn answer(chance: u8) -> Answer<'static> {
    let enhanced = EnhancedStatus(5, 7, 1);
    match chance {
        0 => Answer::Continue,
        1 => Answer::Skip,
        2 => Answer::Accept,
        _ => Answer::Refuse(Refusal { code: 550, enhanced, text: "100 % no\nnever" }),
    }
}
