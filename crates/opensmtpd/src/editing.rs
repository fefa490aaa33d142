use std::mem;
use std::sync::Arc;

use quivive_evidence::Header;
use quivive_mail::header::Field;
use quivive_mail::header_edit::HeaderEditor;

use crate::line::{Request, Version, write_answer};

/// How many octets of a header are held until its end has come. The daemon gets no more of a longer
/// one, and is told so.
pub const HEADER_HELD_MAX: usize = 1024 * 1024;

/// The names under which no results may come in.
pub(crate) type Names = Arc<[String]>;

/// A message on its way through the filter.
pub(crate) struct Editing {
    state: State,
    /// The lines that may not go on yet, each with a line feed.
    held: Vec<u8>,
    /// Its last line has come.
    ended: bool,
}

enum State {
    /// Its header is coming.
    Gathering(Box<Gathering>),
    /// The daemon has the header.
    Waiting,
    /// It goes on.
    Passing(HeaderEditor<Names>),
}

struct Gathering {
    survey: HeaderEditor<[String; 0]>,
    header: Header,
}

/// Where the lines of a message go on to.
pub(crate) struct Way<'o> {
    version: Version,
    session: &'o str,
    token: &'o str,
    output: &'o mut Vec<u8>,
}

impl<'o> Way<'o> {
    /// The way that a request asks for.
    pub(crate) fn of(request: &'o Request<'_>, output: &'o mut Vec<u8>) -> Self {
        Self::new(request.version, request.session, request.token, output)
    }

    pub(crate) fn new(
        version: Version,
        session: &'o str,
        token: &'o str,
        output: &'o mut Vec<u8>,
    ) -> Self {
        Self { version, session, token, output }
    }

    fn line(&mut self, line: &[u8]) {
        write_answer("filter-dataline", self.version, self.session, self.token, self.output);
        self.output.extend_from_slice(line);
        self.output.push(b'\n');
    }

    /// Lines that each end with a line feed.
    fn lines(&mut self, lines: &[u8]) {
        lines.split_inclusive(|octet| *octet == b'\n').for_each(|line| {
            self.line(line.strip_suffix(b"\n").unwrap_or(line));
        });
    }
}

impl Editing {
    pub(crate) fn new() -> Self {
        let survey = HeaderEditor::new([]);
        let gathering = Gathering { survey, header: Header::default() };
        let state = State::Gathering(Box::new(gathering));
        Self { state, held: Vec::new(), ended: false }
    }

    /// How many octets are held.
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    /// Takes the next line of the message, dots doubled as in SMTP. The header, once it is known.
    pub(crate) fn take(&mut self, line: &[u8], way: &mut Way<'_>) -> Option<Header> {
        match &mut self.state {
            State::Passing(editor) if line == b"." => {
                let mut rest = Vec::new();
                editor.finish(&mut rest);
                way.lines(&rest);
                way.line(line);
                None
            }
            State::Passing(editor) if editor.in_body() => {
                way.line(line);
                None
            }
            State::Passing(editor) => {
                let mut edited = Vec::new();
                editor.push(&[line, b"\n"].concat(), &mut edited);
                way.lines(&edited);
                None
            }
            State::Waiting => {
                self.hold(line);
                None
            }
            State::Gathering(gathering) => {
                let is_known = gathering.take(line);
                self.hold(line);
                let is_long = self.held.len() > HEADER_HELD_MAX;
                (is_known || is_long).then(|| self.ask(is_long && !is_known))
            }
        }
    }

    fn hold(&mut self, line: &[u8]) {
        match line {
            b"." => self.ended = true,
            line => {
                self.held.extend_from_slice(line);
                self.held.push(b'\n');
            }
        }
    }

    fn ask(&mut self, is_cut: bool) -> Header {
        let State::Gathering(gathering) = mem::replace(&mut self.state, State::Waiting) else {
            return Header::default();
        };
        let mut header = gathering.header;
        header.cut |= is_cut;
        header
    }

    /// Lets the message go on, with these fields on top and without those that claim to be from
    /// one of the names.
    pub(crate) fn release(
        &mut self,
        fields: &[(String, String)],
        names: &Names,
        way: &mut Way<'_>,
    ) {
        if matches!(self.state, State::Passing(_)) {
            return;
        }
        for (name, value) in fields {
            let field = format!("{name}: {value}").replace("\r\n", "\n");
            way.lines(field.as_bytes());
        }
        self.state = State::Passing(HeaderEditor::with_line_end(names.clone(), "\n"));
        let held = mem::take(&mut self.held);
        for line in held.split_inclusive(|octet| *octet == b'\n') {
            self.take(line.strip_suffix(b"\n").unwrap_or(line), way);
        }
        if self.ended {
            self.take(b".", way);
        }
    }
}

impl Gathering {
    /// Whether the header ends with this line.
    fn take(&mut self, line: &[u8]) -> bool {
        let Self { survey, header } = self;
        let mut see = |field: Field<'_>| header.push(field);
        let mut passed = Vec::new();
        if line == b"." {
            survey.finish_seeing(&mut passed, &mut see);
            return true;
        }
        survey.push_seeing(&[line, b"\r\n"].concat(), &mut passed, &mut see);
        survey.in_body()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What goes on of a message in these lines, and the header that is asked about.
    fn edit(lines: &[&[u8]], release_after: usize, fields: &[(&str, &str)]) -> (String, Header) {
        let names: Names = ["mx.example".to_owned()].into();
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut editing = Editing::new();
        let mut output = Vec::new();
        let mut header = None;
        for (count, line) in lines.iter().enumerate() {
            let mut way = Way::new(Version(0, 7), "s", "t", &mut output);
            if let Some(known) = editing.take(line, &mut way) {
                assert!(header.replace(known).is_none(), "it is asked about once");
            }
            if header.is_some() && count >= release_after {
                editing.release(&fields, &names, &mut way);
            }
        }
        let mut way = Way::new(Version(0, 7), "s", "t", &mut output);
        editing.release(&fields, &names, &mut way);
        assert_eq!(editing.held(), 0);
        let output = String::from_utf8_lossy(&output).into_owned();
        let lines = output.lines().map(|line| line.strip_prefix("filter-dataline|s|t|").unwrap());
        (lines.collect::<Vec<_>>().join("\n"), header.expect("a message has a header"))
    }

    const FIELDS: &[(&str, &str)] =
        &[("Authentication-Results", "mx.example;\r\n spf=pass"), ("Received-SPF", "pass x")];
    const TOP: &str = "Authentication-Results: mx.example;\n spf=pass\nReceived-SPF: pass x\n";

    #[test]
    fn our_fields_stand_on_top_and_forged_ones_go() {
        let lines: &[&[u8]] = &[
            b"Received: from x",
            b"\tby y",
            b"Authentication-Results: mx.example;",
            b" spf=pass smtp.mailfrom=king.example",
            b"From: a@example.com,",
            b" b@example.com",
            b"Authentication-Results: other.example; none",
            b"",
            b"Authentication-Results: mx.example; in the body",
            b"..a dot | a bar",
            b"",
            b".",
        ];
        for release_after in 0..lines.len() {
            let (edited, header) = edit(lines, release_after, FIELDS);
            let rest = "Received: from x\n\tby y\nFrom: a@example.com,\n b@example.com\n\
                        Authentication-Results: other.example; none\n\n\
                        Authentication-Results: mx.example; in the body\n..a dot | a bar\n\n.";
            assert_eq!(edited, format!("{TOP}{rest}"));
            let seen: Vec<_> =
                header.fields.iter().map(|field| (&*field.name, field.value.escaped())).collect();
            let from = " a@example.com,\\013\\010 b@example.com".to_owned();
            assert_eq!(seen, [("Received", String::new()), ("From", from)]);
            assert!(!header.cut);
        }
    }

    #[test]
    fn messages_of_little() {
        let (edited, header) = edit(&[b"."], 0, FIELDS);
        assert_eq!((edited, header), (format!("{TOP}."), Header::default()));
        let (edited, _) = edit(&[b"", b"."], 0, FIELDS);
        assert_eq!(edited, format!("{TOP}\n."));
        let (edited, header) = edit(&[b"From: a@example.com", b"."], 0, &[]);
        assert_eq!(edited, "From: a@example.com\n.");
        assert_eq!(header.fields.len(), 1);
        let (edited, _) = edit(&[b"\tcontinues: nothing", b"."], 0, FIELDS);
        assert_eq!(edited, format!("{TOP}X-Quivive-Unnamed:\n\tcontinues: nothing\n."));
    }

    #[test]
    fn a_header_without_end_is_not_waited_for() {
        let line = [b"X: ".to_vec(), vec![b'x'; 1000]].concat();
        let mut lines: Vec<&[u8]> = vec![&line; HEADER_HELD_MAX / 1000 + 10];
        lines.push(b"Authentication-Results: mx.example; none");
        lines.push(b".");
        let (edited, header) = edit(&lines, 0, FIELDS);
        assert!(header.cut);
        assert_eq!(edited.lines().count(), TOP.lines().count() + lines.len() - 1);
        assert!(edited.ends_with("\n."));
    }

    proptest! {
        #[test]
        fn without_fields_of_ours_nothing_changes(
            lines in proptest::collection::vec("(X|To|Received)?:? ?[a|.\u{e9}]{0,4}", 0..12),
            release_after in 0_usize..13,
        ) {
            prop_assume!(lines.iter().all(|line| line != "."));
            prop_assume!(!lines.first().is_some_and(|line| line.starts_with(' ')));
            let octets = lines.iter().map(String::as_bytes).chain([&b"."[..]]);
            let octets: Vec<&[u8]> = octets.collect();
            let (edited, _) = edit(&octets, release_after, &[]);
            let whole: Vec<&str> = lines.iter().map(String::as_str).chain(["."]).collect();
            prop_assert_eq!(edited, whole.join("\n"));
        }
    }
}
