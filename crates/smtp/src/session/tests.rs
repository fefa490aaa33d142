use proptest::prelude::*;

use super::*;

const ALL: Extensions = Extensions {
    size: Some(1000),
    pipelining: true,
    enhanced_status_codes: true,
    eight_bit_mime: true,
    smtputf8: true,
    dsn: true,
    chunking: true,
    starttls: true,
    xclient: true,
    submitter: true,
    auth: None,
};

/// A door that says yes, save to recipients and messages that say `no`, and notes what it hears.
#[derive(Default)]
struct Door {
    heard: Vec<String>,
    content: Vec<u8>,
}

impl Door {
    /// Runs the session until it starves.
    fn run(&mut self, session: &mut Session) {
        let ok = Reply::plain(250, "yes");
        let no = Reply::plain(550, "no");
        loop {
            match session.event() {
                Event::Starved => return,
                Event::Closed => return self.heard.push("closed".into()),
                Event::Hello { name, .. } => {
                    self.heard.push(format!("hello {name}"));
                    let auth = [Mechanism::Plain, Mechanism::Login].into_iter().collect();
                    let auth = (name != "plain").then_some(auth);
                    session.welcome("mx", Extensions { auth, starttls: name != "bare", ..ALL });
                }
                Event::Mail(mail) => {
                    self.heard.push(format!("mail {}", mail.reverse_path));
                    session.answer(&ok);
                }
                Event::Rcpt(rcpt) => {
                    self.heard.push(format!("rcpt {}", rcpt.forward_path));
                    let refused = rcpt.forward_path.to_string().contains("no");
                    session.answer(if refused { &no } else { &ok });
                }
                Event::Begin => {
                    self.heard.push("begin".into());
                    self.content.clear();
                }
                Event::Content(content) => self.content.extend_from_slice(content),
                Event::End => {
                    self.heard.push(format!("end {}", self.content.escape_ascii()));
                    session.answer(&ok);
                }
                Event::Reset => self.heard.push("reset".into()),
                Event::StartTls => {
                    self.heard.push("starttls".into());
                    session.answer(&Reply::plain(220, "go on"));
                }
                Event::Auth { mechanism, initial_response } => {
                    self.heard.push(format!("auth {mechanism}"));
                    match initial_response {
                        None => session.challenge(b"who?"),
                        Some(Secret(octets)) => self.log_in(session, &octets),
                    }
                }
                Event::Response(Secret(octets)) => self.log_in(session, &octets),
                Event::AuthEnded => self.heard.push("auth ended".into()),
                Event::Xclient(xclient) => {
                    self.heard.push(format!("xclient{xclient}"));
                    session.answer(&Reply::plain(220, "go on"));
                }
            }
        }
    }
}

impl Door {
    fn log_in(&mut self, session: &mut Session, response: &[u8]) {
        self.heard.push(format!("response {}", response.escape_ascii()));
        session.answer(&Reply::plain(if response == b"me" { 235 } else { 535 }, "so"));
    }
}

fn feed(session: &mut Session, mut input: &[u8], door: &mut Door) {
    while !input.is_empty() && door.heard.last().is_none_or(|event| event != "closed") {
        let space = session.space();
        let octets = space.len().min(input.len());
        space[..octets].copy_from_slice(&input[..octets]);
        session.filled(octets);
        input = &input[octets..];
        door.run(session);
    }
}

/// The codes that are answered, and what the door heard.
fn talk(pieces: &[&[u8]]) -> (Vec<u16>, Vec<String>) {
    let mut session = Session::new(1000);
    let mut door = Door::default();
    session.greet(&Reply::plain(220, "mx"));
    for piece in pieces {
        feed(&mut session, piece, &mut door);
    }
    let output = String::from_utf8(session.output().clone()).unwrap();
    let last_lines = output.lines().filter(|line| line.as_bytes().get(3) != Some(&b'-'));
    (last_lines.skip(1).map(|line| line[..3].parse().unwrap()).collect(), door.heard)
}

fn codes(input: &str) -> Vec<u16> {
    talk(&[input.as_bytes()]).0
}

const OPEN: &str = "EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n";

#[test]
fn a_message_comes_in() {
    let input = format!("{OPEN}DATA\r\n..a\r\n.\r\nQUIT\r\n");
    let (codes, heard) = talk(&[input.as_bytes()]);
    assert_eq!(codes, [250, 250, 250, 354, 250, 221]);
    let expected = ["hello c", "mail <a@b>", "rcpt <c@d>", "begin", "end .a\\r\\n", "closed"];
    assert_eq!(heard, expected);
}

#[test]
fn clients_log_in() {
    // "me" is bWU=, "you" is eW91.
    for (input, expected) in [
        ("AUTH PLAIN bWU=\r\n", vec![503]),
        ("EHLO c\r\nAUTH PLAIN bWU=\r\n", vec![250, 235]),
        ("EHLO c\r\nauth plain\r\nbWU=\r\n", vec![250, 334, 235]),
        ("EHLO c\r\nAUTH PLAIN eW91\r\nAUTH PLAIN bWU=\r\n", vec![250, 535, 235]),
        ("EHLO c\r\nAUTH PLAIN bWU=\r\nAUTH PLAIN bWU=\r\n", vec![250, 235, 503]),
        ("EHLO c\r\nAUTH PLAIN bWU=\r\nEHLO c\r\nAUTH LOGIN\r\n", vec![250, 235, 250, 503]),
        ("EHLO c\r\nMAIL FROM:<>\r\nAUTH PLAIN bWU=\r\n", vec![250, 250, 503]),
        ("EHLO c\r\nAUTH CRAM-MD5\r\n", vec![250, 504]),
        ("EHLO c\r\nAUTH NO-SUCH\r\n", vec![250, 504]),
        ("EHLO c\r\nAUTH PLAIN =\r\n", vec![250, 535]),
        ("EHLO c\r\nAUTH PLAIN b\r\n", vec![250, 501]),
        ("EHLO c\r\nAUTH PLAIN bWV=\r\n", vec![250, 501]),
        ("EHLO c\r\nAUTH LOGIN\r\n*\r\nNOOP\r\n", vec![250, 334, 501, 250]),
        ("EHLO c\r\nAUTH LOGIN\r\n?\r\nNOOP\r\n", vec![250, 334, 501, 250]),
        ("EHLO c\r\nAUTH LOGIN\r\n\r\n", vec![250, 334, 535]),
        ("EHLO plain\r\nAUTH PLAIN bWU=\r\n", vec![250, 538]),
        ("HELO bare\r\nAUTH PLAIN bWU=\r\n", vec![250, 502]),
    ] {
        assert_eq!(codes(input), expected, "{input}");
    }
    let (_, heard) = talk(&[b"EHLO c\r\nAUTH LOGIN\r\n*\r\nQUIT\r\n"]);
    assert_eq!(heard, ["hello c", "auth LOGIN", "auth ended", "closed"]);
}

#[test]
fn a_response_is_bounded() {
    let response =
        |octets: usize| format!("EHLO c\r\nAUTH LOGIN\r\n{}\r\nNOOP\r\n", "A".repeat(octets));
    assert_eq!(codes(&response(RESPONSE_LINE_OCTETS_MAX)), [250, 334, 535, 250]);
    assert_eq!(codes(&response(RESPONSE_LINE_OCTETS_MAX + 1)), [250, 334, 500, 250]);
    // Inside an exchange, too, only CRLF ends a line.
    assert_eq!(codes("EHLO c\r\nAUTH LOGIN\r\nbWU=\nNOOP\r\n"), [250, 334, 521]);
}

#[test]
fn what_may_be_a_password_is_not_shown() {
    let event = Event::Response(Secret(b"secret".to_vec()));
    assert_eq!(format!("{event:?}"), "Response(Secret(..))");
    let auth = crate::Command::parse(b"AUTH PLAIN c2VjcmV0").unwrap();
    assert!(!format!("{auth:?}").contains("c2VjcmV0"));
}

#[test]
fn the_order_of_commands_holds() {
    for (input, expected) in [
        ("MAIL FROM:<a@b>\r\n", vec![503]),
        ("EHLO c\r\nRCPT TO:<c@d>\r\n", vec![250, 503]),
        ("EHLO c\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\n", vec![250, 250, 503]),
        ("EHLO c\r\nMAIL FROM:<>\r\nDATA\r\n", vec![250, 250, 503]),
        ("EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<no@d>\r\nDATA\r\n", vec![250, 250, 550, 554]),
        ("EHLO c\r\nMAIL FROM:<>\r\nSTARTTLS\r\n", vec![250, 250, 503]),
        ("EHLO c\r\nMAIL FROM:<>\r\nEHLO c\r\nRCPT TO:<c@d>\r\n", vec![250, 250, 250, 503]),
        ("EHLO c\r\nMAIL FROM:<>\r\nRSET\r\nRCPT TO:<c@d>\r\n", vec![250, 250, 250, 503]),
        ("HELP\r\nVRFY a\r\nEXPN a\r\nNOOP\r\nLHLO a\r\n", vec![214, 252, 502, 250, 500]),
    ] {
        assert_eq!(codes(input), expected, "{input}");
    }
}

#[test]
fn what_is_not_offered_is_not_taken() {
    for command in ["MAIL FROM:<> SIZE=1", "MAIL FROM:<> BODY=8BITMIME", "MAIL FROM:<> RET=FULL"] {
        assert_eq!(codes(&format!("HELO c\r\n{command}\r\n")), [250, 555], "{command}");
        assert_eq!(codes(&format!("EHLO c\r\n{command}\r\n")), [250, 250], "{command}");
    }
    assert_eq!(codes("HELO c\r\nSTARTTLS\r\nXCLIENT HELO=x\r\n"), [250, 502, 550]);
    assert_eq!(codes("HELO c\r\nMAIL FROM:<>\r\nBDAT 6 LAST\r\nQUIT\r\n"), [250, 250, 503]);
}

#[test]
fn sizes_are_bounded() {
    assert_eq!(codes("EHLO c\r\nMAIL FROM:<> SIZE=1001\r\n"), [250, 552]);
    let line = "x".repeat(98) + "\r\n";
    let fits = format!("{OPEN}DATA\r\n{}.\r\n", line.repeat(10));
    assert_eq!(codes(&fits), [250, 250, 250, 354, 250]);
    let (codes, heard) = talk(&[format!("{OPEN}DATA\r\n{}.\r\n", line.repeat(11)).as_bytes()]);
    assert_eq!(codes, [250, 250, 250, 354, 552]);
    assert_eq!(heard.last().unwrap(), "reset");
    let (codes, heard) = talk(&[format!("{OPEN}BDAT 1100 LAST\r\n{}", line.repeat(11)).as_bytes()]);
    assert_eq!(codes, [250, 250, 250, 552]);
    assert_eq!(heard.last().unwrap(), "reset");
    let excess = 1001 + EXCESS_OCTETS_MAX;
    let (codes, heard) = talk(&[format!("{OPEN}BDAT {excess} LAST\r\n").as_bytes()]);
    assert_eq!(codes, [250, 250, 250, 552]);
    assert_eq!(heard.last().unwrap(), "closed");
}

#[test]
fn chunks_make_a_message() {
    let input = format!("{OPEN}BDAT 2\r\na\rBDAT 0\r\nBDAT 4 LAST\r\n\nb\r\n");
    let (codes, heard) = talk(&[input.as_bytes()]);
    assert_eq!(codes, [250, 250, 250, 250, 250, 250]);
    assert_eq!(heard.last().unwrap(), "end a\\r\\nb\\r\\n");
    let between =
        format!("{OPEN}BDAT 0\r\nRCPT TO:<c@d>\r\nDATA\r\nMAIL FROM:<>\r\nBDAT 0 LAST\r\n");
    assert_eq!(self::codes(&between), [250, 250, 250, 250, 503, 503, 503, 250]);
}

#[test]
fn a_bad_chunk_ends_the_transaction_and_nothing_else() {
    for input in
        ["BDAT 3\r\na\nb", "BDAT 1\r\naBDAT 1\r\n\n", "BDAT 1 LAST\r\n\r", "BDAT 2\r\n\r\r"]
    {
        let input = format!("{OPEN}{input}BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n");
        let (codes, heard) = talk(&[input.as_bytes()]);
        assert_eq!(codes[codes.len() - 3..], [554, 503, 250], "{input}");
        assert!(!heard.iter().any(|event| event.starts_with("end")));
    }
}

#[test]
fn no_smuggling_sequence_ends_data() {
    for sequence in ["\n.\n", "\r.\r", "\r\n.\n", "\n.\r\n", "\r\n.\r\r\n", "\r.\r\n"] {
        let smuggled = "MAIL FROM:<evil@b>\r\n";
        let input = format!("{OPEN}DATA\r\nhello{sequence}{smuggled}\r\n.\r\n");
        let (codes, heard) = talk(&[input.as_bytes()]);
        assert_eq!(codes, [250, 250, 250, 354, 521], "{sequence:?}");
        assert_eq!(heard.last().unwrap(), "closed");
        assert!(!heard.iter().any(|event| event.starts_with("end") || event.contains("evil")));
    }
}

#[test]
fn bare_line_ends_in_commands_close() {
    assert_eq!(codes("EHLO c\nNOOP\r\n"), [521]);
    assert_eq!(codes("NOOP\rNOOP\r\n"), [521]);
}

#[test]
fn plaintext_behind_starttls_is_dropped() {
    let (codes, heard) = talk(&[b"EHLO c\r\nSTARTTLS\r\nMAIL FROM:<evil@b>\r\nNO", b"OP\r\n"]);
    assert_eq!(codes, [250, 220, 500]);
    assert_eq!(heard, ["hello c", "starttls"]);
    // And what was said before it is forgotten.
    assert_eq!(talk(&[b"EHLO c\r\nSTARTTLS\r\n", b"MAIL FROM:<>\r\n"]).0, [250, 220, 503]);
}

#[test]
fn xclient_begins_again() {
    let again = b"EHLO c\r\nXCLIENT ADDR=192.0.2.1\r\nMAIL FROM:<>\r\n";
    assert_eq!(talk(&[again]).0, [250, 220, 503]);
    let with_helo = b"EHLO c\r\nXCLIENT HELO=other.example\r\nMAIL FROM:<>\r\n";
    assert_eq!(talk(&[with_helo]).0, [250, 220, 250]);
}

#[test]
fn long_lines_are_skipped() {
    let long = "x".repeat(COMMAND_LINE_OCTETS_MAX + 1);
    assert_eq!(codes(&format!("{long}\r\nNOOP\r\n")), [500, 250]);
    assert_eq!(codes(&format!("{long}\nNOOP\r\n")), [521]);
    let endless = "x".repeat(SKIPPED_OCTETS_MAX + 1);
    let (codes, heard) = talk(&[endless.as_bytes()]);
    assert_eq!((codes, heard), (vec![500], vec!["closed".to_owned()]));
}

#[test]
fn a_thousand_recipients_and_no_more() {
    let mut input = "EHLO c\r\nMAIL FROM:<a@b>\r\n".to_owned();
    for index in 0..=RECIPIENTS_MAX {
        input += &format!("RCPT TO:<r{index}@d>\r\n");
    }
    let codes = codes(&(input + "DATA\r\n.\r\n"));
    assert_eq!(codes[codes.len() - 4..], [250, 452, 354, 250]);
    assert_eq!(codes.len(), 2 + RECIPIENTS_MAX + 3);
}

#[test]
fn errors_and_commands_are_counted() {
    let codes_of = |line: &str, times| codes(&line.repeat(times));
    let errors = codes_of("FOO\r\n", ERRORS_MAX + 1);
    assert_eq!(errors.len(), ERRORS_MAX + 1);
    assert_eq!(errors.last(), Some(&421));
    let commands = codes_of("NOOP\r\n", COMMANDS_MAX + 2);
    assert_eq!(commands.len(), COMMANDS_MAX + 1);
    assert_eq!(commands.last(), Some(&421));
    let message = format!("FOO\r\n{OPEN}DATA\r\n.\r\n").repeat(ERRORS_MAX + 1);
    assert!(!codes(&message).contains(&421));
}

#[test]
fn a_message_behind_a_refused_data_is_not_commands() {
    let input = "EHLO c\r\nMAIL FROM:<>\r\nDATA\r\nMAIL FROM:<evil@b>\r\n";
    let (codes, heard) = talk(&[input.as_bytes()]);
    assert_eq!(codes, [250, 250, 503]);
    assert_eq!(heard.last().unwrap(), "closed");
}

#[test]
fn web_browsers_are_turned_away() {
    let (codes, heard) = talk(&[b"POST / HTTP/1.1\r\n\r\nEHLO c\r\n"]);
    assert_eq!((codes, heard), (vec![521], vec!["closed".to_owned()]));
}

#[test]
fn utf8_needs_its_word() {
    let rcpt = "RCPT TO:<\u{e4}@d.example>\r\n";
    assert_eq!(codes(&format!("EHLO c\r\nMAIL FROM:<> SMTPUTF8\r\n{rcpt}")), [250, 250, 250]);
    assert_eq!(codes(&format!("EHLO c\r\nMAIL FROM:<>\r\n{rcpt}")), [250, 250, 553]);
    assert_eq!(codes("HELO c\r\nMAIL FROM:<\u{e4}@d.example> SMTPUTF8\r\n"), [250, 555]);
}

fn dialogue() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just("EHLO c\r\n".to_owned()),
        Just("MAIL FROM:<a@b>\r\n".to_owned()),
        Just("RCPT TO:<c@d>\r\n".to_owned()),
        Just("DATA\r\n".to_owned()),
        Just("..a\r\n".to_owned()),
        Just(".\r\n".to_owned()),
        Just("BDAT 3\r\nab\r".to_owned()),
        Just("BDAT 2 LAST\r\n\na".to_owned()),
        Just("RSET\r\n".to_owned()),
        Just("STARTTLSS\r\n".to_owned()),
        Just(format!("{}\r\n", "x".repeat(2050))),
        "[\r\n.a ]{0,6}",
    ];
    prop::collection::vec(line, 0..16).prop_map(|lines| lines.concat().into_bytes())
}

proptest! {
    #[test]
    fn pieces_change_nothing(
        input in dialogue(),
        mut borders in prop::collection::vec(0usize..256, 0..6),
    ) {
        // A message behind a refused DATA closes at once only if it is there already; all else is
        // the same however it comes.
        let refused = codes(&String::from_utf8(input.clone()).unwrap());
        prop_assume!(!refused.iter().any(|code| [503, 554].contains(code)));
        borders.sort_unstable();
        let mut pieces = Vec::new();
        let mut rest = &input[..];
        for border in borders {
            let (piece, tail) = rest.split_at(border.min(rest.len()));
            pieces.push(piece);
            rest = tail;
        }
        pieces.push(rest);
        prop_assert_eq!(talk(&pieces), talk(&[&input]));
    }

    #[test]
    fn no_octets_panic(input in prop::collection::vec(any::<u8>(), 0..256)) {
        talk(&[OPEN.as_bytes(), &input]);
        talk(&[OPEN.as_bytes(), b"DATA\r\n", &input]);
    }
}
