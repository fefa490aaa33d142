//! All that smtpd can say, line by line, and whatever the daemon answers: an octet before each line
//! says what it does. Each request is answered at most once, lines stay lines, and nothing is held
//! once every daemon is lost.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quivive_evidence::RECEIVED_MAX;
use quivive_opensmtpd::talk::{self, Answer, Hello, LINE_OCTETS_MAX, Outcome, Question};
use quivive_opensmtpd::{Event, Filter, Line, Phase, Settings, WhenDown};

fuzz_target!(|text: &[u8]| {
    let (first, text) = text.split_first().unwrap_or((&0, &[]));
    let when_down = if first & 1 == 0 { WhenDown::Defer } else { WhenDown::Accept };
    let mut filter = Filter::new(Settings { when_down });
    let mut asked: Vec<Event> = Vec::new();
    let mut requests = 0;
    for line in text.split(|octet| *octet == b'\n') {
        let (chance, line) = line.split_first().unwrap_or((&0, &[]));
        if let Ok(Line::Asked(request)) = Line::parse(line) {
            requests += usize::from(!matches!(request.phase, Phase::DataLine(_)));
        }
        let _ = filter.line(line, chance & 8 != 0);
        hear(line);
        while let Some(event) = filter.event() {
            let said = talk::write(&event.question);
            assert_eq!(talk::read::<Question>(&said).as_ref(), Ok(&event.question));
            assert!(said.len() <= LINE_OCTETS_MAX);
            asked.push(event);
        }
        match chance & 3 {
            0 => asked.drain(..).for_each(|event| answer(&mut filter, &event)),
            1 => asked.drain(..).for_each(|event| filter.lost(event.transaction)),
            2 => filter.set_names(vec!["mx.example".to_owned()]),
            _ => {}
        }
    }
    asked.drain(..).for_each(|event| filter.lost(event.transaction));
    let output = std::mem::take(filter.output());
    let mut answers = 0;
    for line in output.split(|octet| *octet == b'\n').filter(|line| !line.is_empty()) {
        answers += usize::from(line.starts_with(b"filter-result|"));
        let known = [&b"filter-result|"[..], b"filter-dataline|", b"register|"];
        assert!(known.iter().any(|known| line.starts_with(known)), "{}", line.escape_ascii());
    }
    assert!(answers <= requests, "{answers} answers to {requests} requests");
    assert!(!filter.is_full());
});

/// What a filter or a daemon may hear of the other instead.
fn hear(line: &[u8]) {
    if let Ok(Question::Message(message)) = talk::read(line) {
        let header = message.whole_header();
        assert!(header.received.len() <= RECEIVED_MAX);
    }
    let _ = talk::read::<Answer>(line);
    let _ = talk::read::<Hello>(line);
}

fn answer(filter: &mut Filter, event: &Event) {
    let answer = match event.question {
        Question::Rcpt(_) => Answer::Rcpt(None),
        Question::Message(_) => {
            let field = ("Authentication-Results".to_owned(), "mx.example;\r\n none".to_owned());
            Answer::Message(Outcome { refusal: None, fields: vec![field] })
        }
        Question::Mail(_) | Question::End(_) => return,
    };
    filter.answered(event.transaction, answer);
}
