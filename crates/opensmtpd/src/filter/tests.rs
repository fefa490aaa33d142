use proptest::prelude::*;
use quivive_evidence::Header;

use super::*;
use crate::talk::{Mail, Outcome};

const S: &str = "727038f37f91f444";
const T: &str = "6d8b57ad712c782c";

/// A filter that smtpd has told of itself.
struct Smtpd(Filter);

impl Smtpd {
    fn new(when_down: WhenDown) -> Self {
        let mut smtpd = Self(Filter::new(Settings { when_down }));
        for line in
            ["config|smtpd-version|6.8.0p2", "config|subsystem|smtp-in", "config|admd|mx.example"]
        {
            smtpd.say(line);
        }
        assert_eq!(smtpd.hears(), "");
        smtpd.say("config|ready");
        assert!(smtpd.hears().ends_with("register|filter|smtp-in|commit\nregister|ready\n"));
        smtpd.0.set_names(vec!["mx.example".to_owned()]);
        smtpd
    }

    fn say(&mut self, line: &str) {
        self.0.line(line.as_bytes(), false).unwrap();
    }

    fn report(&mut self, session: &str, report: &str) {
        let (event, rest) = report.split_once('|').unwrap_or((report, ""));
        let bar = if rest.is_empty() { "" } else { "|" };
        self.say(&format!("report|0.6|1795721154.812383|smtp-in|{event}|{session}{bar}{rest}"));
    }

    fn ask(&mut self, session: &str, request: &str) {
        let (phase, rest) = request.split_once('|').unwrap();
        self.say(&format!("filter|0.6|1795721154.812446|smtp-in|{phase}|{session}|{T}|{rest}"));
    }

    /// Everything that goes back, without the words around it.
    fn hears(&mut self) -> String {
        String::from_utf8(std::mem::take(self.0.output())).unwrap()
    }

    fn hears_of(&mut self, session: &str) -> Vec<String> {
        let heard = self.hears();
        let part = |line: &str| {
            line.replace(&format!("filter-result|{session}|{T}|"), "=")
                .replace(&format!("filter-dataline|{session}|{T}|"), "")
        };
        heard.lines().map(part).collect()
    }

    fn event(&mut self) -> Event {
        self.0.event().expect("the daemon is to hear something")
    }

    /// A client that has said MAIL.
    fn begin(&mut self, session: &str, address: &str) -> TransactionId {
        self.report(session, &format!("link-connect|<unknown>|fail|{address}:1234|192.0.2.2:25"));
        self.report(session, "link-identify|EHLO|client.test");
        self.report(session, "protocol-server|250 2.0.0 Ok");
        self.report(session, "tx-begin|c8bb6d9e");
        self.report(session, "tx-mail|c8bb6d9e|ok|a@vouched.test");
        let Event { transaction, question } = self.event();
        let Question::Mail(Mail { client, helo, mail_from, login }) = question else {
            panic!("{question:?}");
        };
        assert_eq!(client.to_string(), address.trim_matches(['[', ']']));
        assert_eq!((&*helo, &*mail_from, login), ("client.test", "a@vouched.test", None));
        transaction
    }

    /// As [`Smtpd::begin`], with a recipient that was taken.
    fn with_recipient(&mut self) -> TransactionId {
        let transaction = self.begin(S, "192.0.2.25");
        self.ask(S, "rcpt-to|b@example.test");
        let question = Question::Rcpt("b@example.test".to_owned());
        assert_eq!(self.event(), Event { transaction, question });
        assert_eq!(self.hears(), "", "it waits for the daemon");
        assert!(self.0.answered(transaction, Answer::Rcpt(None)));
        assert_eq!(self.hears_of(S), ["=proceed"]);
        self.report(S, "tx-rcpt|c8bb6d9e|ok|b@example.test");
        transaction
    }

    fn lines(&mut self, lines: &[&str]) {
        for line in lines {
            self.ask(S, &format!("data-line|{line}"));
        }
    }
}

fn taken(fields: &[(&str, &str)]) -> Answer {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Answer::Message(Outcome { refusal: None, fields: fields.collect() })
}

const MESSAGE: &[&str] = &[
    "Received: from client.test",
    "Authentication-Results: mx.example; spf=pass",
    "From: a@vouched.test",
    "",
    "body | bar",
    "..dot",
    ".",
];

#[test]
fn what_passes_is_marked() {
    let mut smtpd = Smtpd::new(WhenDown::Defer);
    let transaction = smtpd.with_recipient();
    smtpd.lines(MESSAGE);
    let Event { question: Question::Message(message), .. } = smtpd.event() else {
        panic!("the daemon gets the header");
    };
    assert_eq!(message.recipients, ["b@example.test"]);
    let header = message.whole_header();
    assert_eq!(header, Header::read(b"Received: from client.test\r\nFrom: a@vouched.test\r\n"));
    assert_eq!(smtpd.hears(), "", "it waits for the daemon");
    let results = ("Authentication-Results", "mx.example;\r\n spf=pass smtp.mailfrom=vouched.test");
    assert!(smtpd.0.answered(transaction, taken(&[results])));
    assert_eq!(
        smtpd.hears_of(S),
        [
            "Authentication-Results: mx.example;",
            " spf=pass smtp.mailfrom=vouched.test",
            "Received: from client.test",
            "From: a@vouched.test",
            "",
            "body | bar",
            "..dot",
            ".",
        ]
    );
    smtpd.ask(S, "commit|");
    assert_eq!(smtpd.hears_of(S), ["=proceed"]);
    smtpd.report(S, "protocol-server|250 2.0.0 c8bb6d9e Message accepted for delivery");
    smtpd.report(S, "tx-commit|c8bb6d9e|350");
    let question = Question::End("250 2.0.0 c8bb6d9e Message accepted for delivery".to_owned());
    assert_eq!(smtpd.event(), Event { transaction, question });
    smtpd.report(S, "tx-reset|c8bb6d9e");
    smtpd.report(S, "link-disconnect");
    assert_eq!(smtpd.0.event(), None);
    assert!(smtpd.0.sessions.is_empty() && smtpd.0.transactions.is_empty());
    assert_eq!(smtpd.0.held, 0);
}

#[test]
fn a_sender_is_refused_at_rcpt() {
    let mut smtpd = Smtpd::new(WhenDown::Defer);
    let transaction = smtpd.begin(S, "[2001:db8::66]");
    for recipient in ["b@example.test", "c@example.test"] {
        smtpd.ask(S, &format!("rcpt-to|{recipient}"));
        let question = Question::Rcpt(recipient.to_owned());
        assert_eq!(smtpd.event(), Event { transaction, question });
        let refusal = Some("550 5.7.23 SPF: no".to_owned());
        assert!(smtpd.0.answered(transaction, Answer::Rcpt(refusal)));
        assert_eq!(smtpd.hears_of(S), ["=reject|550 5.7.23 SPF: no"]);
        smtpd.report(S, "protocol-server|550 5.7.23 SPF: no");
        smtpd.report(S, &format!("tx-rcpt|c8bb6d9e|permfail|{recipient}"));
    }
    smtpd.report(S, "protocol-server|221 2.0.0 Bye");
    smtpd.report(S, "tx-rollback|c8bb6d9e");
    smtpd.report(S, "tx-reset|c8bb6d9e");
    let question = Question::End("550 5.7.23 SPF: no".to_owned());
    assert_eq!(smtpd.event(), Event { transaction, question });
    assert_eq!(smtpd.0.event(), None);
}

#[test]
fn a_message_is_refused_at_its_end() {
    let mut smtpd = Smtpd::new(WhenDown::Accept);
    let transaction = smtpd.with_recipient();
    smtpd.lines(MESSAGE);
    smtpd.event();
    let refusal = Some("451 4.7.24 SPF: later".to_owned());
    let outcome = Outcome { refusal, fields: vec![("X".to_owned(), "y".to_owned())] };
    assert!(smtpd.0.answered(transaction, Answer::Message(outcome)));
    let lines = smtpd.hears_of(S);
    assert_eq!((lines.len(), lines[0].as_str()), (6, "Received: from client.test"));
    smtpd.ask(S, "commit|");
    assert_eq!(smtpd.hears_of(S), ["=reject|451 4.7.24 SPF: later"]);
    smtpd.report(S, "protocol-server|451 4.7.24 SPF: later");
    smtpd.report(S, "tx-data|c8bb6d9e|tempfail");
    smtpd.report(S, "tx-rollback|c8bb6d9e");
    let question = Question::End("451 4.7.24 SPF: later".to_owned());
    assert_eq!(smtpd.event(), Event { transaction, question });
}

#[test]
fn sessions_are_interleaved() {
    let mut smtpd = Smtpd::new(WhenDown::Defer);
    let names: Vec<String> = (0..20).map(|index| format!("{index:016x}")).collect();
    let open: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(index, name)| smtpd.begin(name, &format!("192.0.2.{index}")))
        .collect();
    for name in &names {
        smtpd.ask(name, "rcpt-to|b@example.test");
    }
    for transaction in open.iter().rev() {
        assert!(smtpd.0.answered(*transaction, Answer::Rcpt(None)));
    }
    let heard = smtpd.hears();
    let expected = names.iter().rev().map(|name| format!("filter-result|{name}|{T}|proceed\n"));
    assert_eq!(heard, expected.collect::<String>());
    // Lines of all of them come in turn.
    while smtpd.0.event().is_some() {}
    for line in MESSAGE {
        names.iter().for_each(|name| smtpd.ask(name, &format!("data-line|{line}")));
    }
    while smtpd.0.event().is_some() {}
    assert_ne!(smtpd.0.held, 0);
    for (name, transaction) in names.iter().zip(&open) {
        assert!(smtpd.0.answered(*transaction, taken(&[("X", "y")])));
        let lines = smtpd.hears_of(name);
        assert_eq!((lines.len(), &*lines[0], &*lines[6]), (7, "X: y", "."), "{lines:?}");
    }
    assert_eq!(smtpd.0.held, 0);
}

#[test]
fn several_messages_of_one_session() {
    let mut smtpd = Smtpd::new(WhenDown::Defer);
    let first = smtpd.with_recipient();
    smtpd.report(S, "tx-rollback|c8bb6d9e");
    assert_eq!(smtpd.event().question, Question::End(String::new()));
    smtpd.report(S, "link-auth|u|pass");
    smtpd.report(S, "tx-mail|a9d1981e|ok|");
    let Event { transaction, question: Question::Mail(mail) } = smtpd.event() else { panic!() };
    assert_ne!(transaction, first);
    assert_eq!((&*mail.mail_from, mail.login.as_deref()), ("", Some("u")));
    // What comes for the first one is too late.
    smtpd.ask(S, "rcpt-to|c@example.test");
    smtpd.0.answered(first, Answer::Rcpt(None));
    smtpd.0.lost(first);
    assert_eq!(smtpd.hears(), "");
    smtpd.0.answered(transaction, Answer::Rcpt(None));
    assert_eq!(smtpd.hears_of(S), ["=proceed"]);
    // A further one begins although nobody said that this one is over.
    assert_eq!(smtpd.event().question, Question::Rcpt("c@example.test".to_owned()));
    smtpd.report(S, "tx-mail|a9d1981f|ok|d@example.com");
    assert_eq!(smtpd.event(), Event { transaction, question: Question::End(String::new()) });
    assert!(matches!(smtpd.event().question, Question::Mail(_)));
}

#[test]
fn without_a_daemon_mail_is_deferred_and_nothing_hangs() {
    let mut smtpd = Smtpd::new(WhenDown::Defer);
    let transaction = smtpd.begin(S, "192.0.2.25");
    smtpd.ask(S, "rcpt-to|b@example.test");
    smtpd.event();
    smtpd.0.lost(transaction);
    assert_eq!(smtpd.hears_of(S), [format!("=reject|{NOT_CHECKED}")]);
    smtpd.ask(S, "rcpt-to|c@example.test");
    assert_eq!(smtpd.hears_of(S), [format!("=reject|{NOT_CHECKED}")]);
    smtpd.report(S, "tx-rollback|c8bb6d9e");
    assert_eq!(smtpd.0.event(), None, "there is nobody to tell");
    // Lost on the way through a message.
    for after in 0..MESSAGE.len() {
        let transaction = smtpd.with_recipient();
        smtpd.lines(&MESSAGE[..after]);
        smtpd.0.lost(transaction);
        smtpd.lines(&MESSAGE[after..]);
        assert_eq!(smtpd.hears_of(S).last().map(String::as_str), Some("."), "{after}");
        smtpd.ask(S, "commit|");
        assert_eq!(smtpd.hears_of(S), [format!("=reject|{NOT_CHECKED}")], "{after}");
        smtpd.report(S, "tx-rollback|c8bb6d9e");
        while smtpd.0.event().is_some() {}
    }
}

#[test]
fn without_a_daemon_mail_may_be_taken_but_nothing_forged() {
    for after in 0..MESSAGE.len() {
        let mut smtpd = Smtpd::new(WhenDown::Accept);
        let transaction = smtpd.with_recipient();
        smtpd.lines(&MESSAGE[..after]);
        smtpd.0.lost(transaction);
        smtpd.lines(&MESSAGE[after..]);
        let expected = MESSAGE.iter().filter(|line| !line.starts_with("Authentication-Results"));
        assert_eq!(smtpd.hears_of(S), expected.copied().collect::<Vec<_>>(), "{after}");
        smtpd.ask(S, "commit|");
        assert_eq!(smtpd.hears_of(S), ["=proceed"]);
        while smtpd.0.event().is_some() {}
        let next = smtpd.begin(&S.replace('7', "8"), "192.0.2.26");
        smtpd.ask(&S.replace('7', "8"), "rcpt-to|b@example.test");
        smtpd.0.lost(next);
        assert!(smtpd.hears().ends_with("|proceed\n"));
    }
}

#[test]
fn what_the_daemon_said_of_a_message_holds_when_it_is_lost_after_that() {
    let mut smtpd = Smtpd::new(WhenDown::Defer);
    let transaction = smtpd.with_recipient();
    smtpd.lines(&MESSAGE[..4]);
    assert!(smtpd.0.answered(transaction, taken(&[])));
    smtpd.0.lost(transaction);
    smtpd.lines(&MESSAGE[4..]);
    smtpd.ask(S, "commit|");
    assert_eq!(smtpd.hears_of(S).last().map(String::as_str), Some("=proceed"));
}

#[test]
fn an_answer_to_another_question_is_none() {
    let mut smtpd = Smtpd::new(WhenDown::Defer);
    let transaction = smtpd.begin(S, "192.0.2.25");
    assert!(!smtpd.0.answered(transaction, Answer::Rcpt(None)), "nothing was asked");
    smtpd.ask(S, "rcpt-to|b@example.test");
    smtpd.ask(S, "rcpt-to|c@example.test");
    assert!(!smtpd.0.answered(transaction, taken(&[])));
    assert_eq!(smtpd.hears(), "");
    smtpd.0.lost(transaction);
    assert_eq!(smtpd.hears_of(S).len(), 2);
}

#[test]
fn clients_that_nobody_knows_are_not_let_through() {
    let mut smtpd = Smtpd::new(WhenDown::Defer);
    // smtpd has not said where it comes from.
    smtpd.report(S, "tx-mail|c8bb6d9e|ok|a@vouched.test");
    assert_eq!(smtpd.0.event(), None);
    smtpd.ask(S, "rcpt-to|b@example.test");
    assert_eq!(smtpd.hears_of(S), [format!("=reject|{NOT_CHECKED}")]);
    // Nor that there is a session at all.
    smtpd.ask("0000000000000001", "commit|");
    assert!(smtpd.hears().contains("|reject|451 "));
}

#[test]
fn sessions_are_bounded() {
    let mut smtpd = Smtpd::new(WhenDown::Accept);
    for index in 0..SESSIONS_MAX {
        smtpd.report(&format!("{index:x}"), "link-identify|HELO|x");
    }
    let further = "ffffffffffffffff";
    smtpd.report(further, "link-connect|<unknown>|fail|192.0.2.1:1|192.0.2.2:25");
    smtpd.report(further, "tx-mail|c8bb6d9e|ok|a@vouched.test");
    assert_eq!(smtpd.0.event(), None);
    smtpd.ask(further, "data-line|a line");
    smtpd.ask(further, "data-line|.");
    smtpd.ask(further, "commit|");
    assert_eq!(
        smtpd.hears_of(further),
        ["a line".to_owned(), ".".to_owned(), format!("=reject|{NOT_CHECKED}")]
    );
    smtpd.report("0", "link-disconnect");
    smtpd.report(further, "link-connect|<unknown>|fail|192.0.2.1:1|192.0.2.2:25");
    smtpd.report(further, "tx-mail|c8bb6d9e|ok|a@vouched.test");
    assert!(smtpd.0.event().is_some(), "there is room again");
}

#[test]
fn what_is_held_is_counted() {
    let mut smtpd = Smtpd::new(WhenDown::Defer);
    let transaction = smtpd.with_recipient();
    let line = "x".repeat(100_000);
    smtpd.lines(&["Subject: x", ""]);
    let mut count = 0;
    while !smtpd.0.is_full() {
        smtpd.lines(&[&line]);
        count += 1;
    }
    assert!(count * line.len() <= HELD_MAX + line.len());
    smtpd.0.answered(transaction, taken(&[]));
    assert!(!smtpd.0.is_full());
    smtpd.lines(&[&line]);
    assert_eq!(smtpd.0.held, 0);
    let lines = smtpd.hears().lines().count();
    assert_eq!(lines, count + 3);
}

#[test]
fn a_line_that_is_too_long_refuses_its_message() {
    let mut smtpd = Smtpd::new(WhenDown::Accept);
    let transaction = smtpd.with_recipient();
    smtpd.lines(&["Subject: x", ""]);
    smtpd.0.answered(transaction, taken(&[]));
    let line = format!("filter|0.6|1.2|smtp-in|data-line|{S}|{T}|the beginning");
    smtpd.0.line(line.as_bytes(), true).unwrap();
    smtpd.lines(&["."]);
    smtpd.ask(S, "commit|");
    let heard = smtpd.hears_of(S);
    assert_eq!(heard[2..], ["the beginning", ".", &format!("=reject|{LINE_TOO_LONG}")]);
}

#[test]
fn only_what_smtpd_offers_is_registered() {
    let registered = |subsystems: &[&str]| {
        let mut filter = Filter::new(Settings { when_down: WhenDown::Defer });
        for subsystem in subsystems {
            filter.line(format!("config|subsystem|{subsystem}").as_bytes(), false).unwrap();
        }
        filter.line(b"config|ready", false).unwrap();
        String::from_utf8(std::mem::take(filter.output())).unwrap().lines().count()
    };
    let all = REPORTS.len() + REQUESTS.len() + 1;
    assert_eq!(registered(&["smtp-in"]), all);
    assert_eq!(registered(&["smtp-out", "smtp-in", "stats"]), all);
    assert_eq!(registered(&[]), all, "old ones name none");
    assert_eq!(registered(&["smtp-out"]), 1);
}

#[test]
fn other_phases_go_on_at_once() {
    let mut smtpd = Smtpd::new(WhenDown::Defer);
    for phase in ["connect|<unknown>|192.0.2.1", "helo|x", "mail-from|a", "data|", "new|"] {
        smtpd.ask(S, phase);
        assert_eq!(smtpd.hears_of(S), ["=proceed"], "{phase}");
    }
}

#[test]
fn the_names_of_smtpd_count_until_the_daemon_has_said_its_own() {
    let mut filter = Filter::new(Settings { when_down: WhenDown::Accept });
    filter.line(b"config|admd|mx.first.example", false).unwrap();
    assert_eq!(&*filter.names, ["mx.first.example"]);
    filter.set_names(vec!["mx.second.example".to_owned()]);
    filter.line(b"config|admd|mx.first.example", false).unwrap();
    assert_eq!(&*filter.names, ["mx.second.example"]);
}

/// A line of smtpd about one of a few sessions.
fn any_line() -> impl Strategy<Value = String> {
    let session = prop_oneof![Just("1"), Just("2"), Just("")];
    let version = prop_oneof![Just("0.4"), Just("0.5"), Just("0.6"), Just("0.7"), Just("1.0")];
    let report = prop_oneof![
        Just("link-connect|S|n|pass|192.0.2.1:25|192.0.2.2:25"),
        Just("link-connect|S|n|pass|nowhere|192.0.2.2:25"),
        Just("link-identify|S|HELO|h"),
        Just("link-auth|S|pass|pass"),
        Just("tx-mail|S|id|ok|ok"),
        Just("tx-rcpt|S|id|ok|ok"),
        Just("tx-rcpt|S|id|permfail|permfail"),
        Just("tx-data|S|id|tempfail"),
        Just("tx-commit|S|id|1"),
        Just("tx-rollback|S|id"),
        Just("tx-reset|S"),
        Just("protocol-server|S|250 Ok"),
        Just("link-disconnect|S"),
        Just("other|S"),
    ];
    let request = prop_oneof![
        Just("rcpt-to|S|T|b@example.test"),
        Just("data-line|S|T|From: a"),
        Just("data-line|S|T|Authentication-Results: mx.example; x"),
        Just("data-line|S|T| continued"),
        Just("data-line|S|T|"),
        Just("data-line|S|T|.."),
        Just("data-line|S|T|."),
        Just("commit|S|T|"),
        Just("helo|S|T|x"),
    ];
    let line = prop_oneof![
        3 => (version.clone(), report).prop_map(|(version, report)| {
            format!("report|{version}|1.2|smtp-in|{report}")
        }),
        5 => (version, request).prop_map(|(version, request)| {
            format!("filter|{version}|1.2|smtp-in|{request}")
        }),
        1 => ".{0,10}",
    ];
    (session, line).prop_map(|(session, line)| line.replace("|S", &format!("|{session}")))
}

proptest! {
    /// Whatever smtpd says and the daemon answers, each request is answered once in the end, each
    /// line of a message goes on unless it was forged, and nothing is kept for ever.
    #[test]
    fn everything_is_answered(
        lines in proptest::collection::vec((any_line(), 0_u8..4), 0..60),
        accepts in any::<bool>(),
    ) {
        let when_down = if accepts { WhenDown::Accept } else { WhenDown::Defer };
        let mut filter = Filter::new(Settings { when_down });
        filter.set_names(vec!["mx.example".to_owned()]);
        let mut waiting: Vec<Event> = Vec::new();
        let (mut requests, mut ends) = (0, 0);
        for (line, chance) in lines {
            if let Ok(Line::Asked(request)) = Line::parse(line.as_bytes()) {
                let is_line = matches!(request.phase, Phase::DataLine(_));
                requests += usize::from(!is_line);
                ends += usize::from(request.phase == Phase::DataLine(b"."));
            }
            let _ = filter.line(line.as_bytes(), chance == 3);
            while let Some(event) = filter.event() {
                waiting.push(event);
            }
            if chance == 0 {
                for event in waiting.drain(..) {
                    let answer = match event.question {
                        Question::Rcpt(_) => Answer::Rcpt(Some("550 5.7.23 no".to_owned())),
                        Question::Message(_) => taken(&[("X", "y\r\n z")]),
                        Question::Mail(_) | Question::End(_) => continue,
                    };
                    filter.answered(event.transaction, answer);
                }
            }
            if chance == 1 && let Some(event) = waiting.first() {
                filter.lost(event.transaction);
            }
        }
        let open: Vec<TransactionId> = filter.transactions.keys().copied().collect();
        open.into_iter().for_each(|transaction| filter.lost(transaction));
        let output = String::from_utf8(std::mem::take(filter.output())).unwrap();
        let answered = output.lines().filter(|line| line.starts_with("filter-result|")).count();
        let ended = output.lines().filter(|line| line.ends_with("|.")).count();
        // A session that is gone needs no answer.
        prop_assert!(answered <= requests && ended <= ends, "{output}");
        prop_assert_eq!(filter.held, 0);
        for line in output.lines() {
            prop_assert!(line.starts_with("filter-"), "{line}");
        }
    }
}
