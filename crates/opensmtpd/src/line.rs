//! The lines of smtpd, as smtpd-filters(7) has them: fields between bars, of which the last may
//! hold bars itself.

use std::fmt;

/// How long a line may be, in octets: smtpd takes 64 KiB from its clients.
pub const LINE_OCTETS_MAX: usize = 128 * 1024;

/// How long a session's id and a token may be, in octets. smtpd's have 16.
const WORD_OCTETS_MAX: usize = 64;

/// A version of the protocol, as every line says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

/// A line of smtpd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line<'a> {
    /// Something about smtpd: a key with its value.
    Config(&'a str, &'a [u8]),
    /// It has said what there is to know, and waits for what is registered.
    Ready,
    /// Something that has happened.
    Happened(&'a str, Report<'a>),
    /// Something that it wants to know.
    Asked(Request<'a>),
}

/// What has happened in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report<'a> {
    /// A client has connected: from where, as `ADDRESS:PORT` or `unix:PATH`.
    Connected(&'a [u8]),
    /// The client has said HELO or EHLO with this name.
    Identified(&'a [u8]),
    /// The client has logged in under this name.
    LoggedIn(&'a [u8]),
    /// MAIL was taken, with this reverse-path.
    Mail(&'a [u8]),
    /// RCPT was taken, or not, with this forward-path.
    Rcpt(bool, &'a [u8]),
    /// The message was not taken.
    DataRefused,
    /// The message was taken.
    Committed,
    /// The transaction is over.
    Reset,
    /// The client has heard this.
    Replied(&'a [u8]),
    /// The client is gone.
    Disconnected,
    /// Nothing of interest.
    Other,
}

/// What smtpd wants to know in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// Which version the answer has to have.
    pub version: Version,
    /// The session.
    pub session: &'a str,
    /// What the answer has to repeat.
    pub token: &'a str,
    /// About what.
    pub phase: Phase<'a>,
}

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase<'a> {
    /// Is this recipient to be taken?
    Rcpt(&'a [u8]),
    /// What becomes of this line of the message? A dot alone is its end.
    DataLine(&'a [u8]),
    /// Is the message to be taken?
    Commit,
    /// Something that is of no interest here.
    Other,
}

/// Why a line cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// It is none of the kinds that there are.
    Kind,
    /// It has no version.
    Version,
    /// It breaks off.
    Short,
    /// Its session or its token is none.
    Word,
}

impl Version {
    /// In answers the token stands before the session (until 0.4).
    pub(crate) fn puts_token_first(self) -> bool {
        self < Self(0, 5)
    }

    /// In reports an address stands before what became of it (until 0.5).
    fn puts_address_first(self) -> bool {
        self < Self(0, 6)
    }

    /// In reports the name of a login stands before what became of it (until 0.6).
    fn puts_login_first(self) -> bool {
        self < Self(0, 7)
    }

    /// `0.7`. What comes after the versions that are known is read as the last of them.
    fn parse(text: &[u8]) -> Option<Self> {
        let (major, minor) = str::from_utf8(text).ok()?.split_once('.')?;
        let number = |text: &str| {
            let digits = text.bytes().all(|octet| octet.is_ascii_digit());
            text.parse().ok().filter(|_| digits && text.len() <= 9)
        };
        Some(Self(number(major)?, number(minor)?))
    }
}

impl<'a> Line<'a> {
    /// Reads a line, without its end.
    ///
    /// # Errors
    /// It is not one of smtpd's.
    pub fn parse(line: &'a [u8]) -> Result<Self, Malformed> {
        let (kind, rest) = field(line).unwrap_or((line, &[]));
        match kind {
            b"config" if rest == b"ready" => Ok(Self::Ready),
            b"config" => {
                let (key, value) = field(rest).unwrap_or((rest, &[]));
                Ok(Self::Config(word(key)?, value))
            }
            b"report" => {
                let (version, event, rest) = head(rest)?;
                let (session, rest) = field(rest).unwrap_or((rest, &[]));
                Ok(Self::Happened(word(session)?, Report::parse(version, event, rest)?))
            }
            b"filter" => {
                let (version, phase, rest) = head(rest)?;
                let (session, rest) = field(rest).ok_or(Malformed::Short)?;
                let (token, rest) = field(rest).unwrap_or((rest, &[]));
                let phase = Phase::of(phase, rest);
                let (session, token) = (word(session)?, word(token)?);
                Ok(Self::Asked(Request { version, session, token, phase }))
            }
            _ => Err(Malformed::Kind),
        }
    }
}

/// Version, time and subsystem, then the event.
fn head(rest: &[u8]) -> Result<(Version, &[u8], &[u8]), Malformed> {
    let (version, rest) = field(rest).ok_or(Malformed::Short)?;
    let version = Version::parse(version).ok_or(Malformed::Version)?;
    let (_time, rest) = field(rest).ok_or(Malformed::Short)?;
    let (_subsystem, rest) = field(rest).ok_or(Malformed::Short)?;
    let (event, rest) = field(rest).ok_or(Malformed::Short)?;
    Ok((version, event, rest))
}

/// The first field, and what follows its bar.
fn field(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let bar = text.iter().position(|octet| *octet == b'|')?;
    Some((&text[..bar], &text[bar + 1..]))
}

/// The last field, and what stands before its bar.
fn last_field(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let bar = text.iter().rposition(|octet| *octet == b'|')?;
    Some((&text[..bar], &text[bar + 1..]))
}

/// Something that goes back as it came, and must not break a line there.
fn word(text: &[u8]) -> Result<&str, Malformed> {
    let plain = (1..=WORD_OCTETS_MAX).contains(&text.len())
        && text.iter().all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(octet));
    str::from_utf8(text).ok().filter(|_| plain).ok_or(Malformed::Word)
}

impl<'a> Report<'a> {
    fn parse(version: Version, event: &[u8], rest: &'a [u8]) -> Result<Self, Malformed> {
        Ok(match event {
            b"link-connect" => {
                // The reverse name, whether it leads back, the source, the destination.
                let (_name, rest) = field(rest).ok_or(Malformed::Short)?;
                let (_confirmed, rest) = field(rest).ok_or(Malformed::Short)?;
                Self::Connected(field(rest).map_or(rest, |(source, _)| source))
            }
            b"link-identify" => Self::Identified(field(rest).ok_or(Malformed::Short)?.1),
            b"link-auth" => match outcome(rest, version.puts_login_first())? {
                (b"pass", name) => Self::LoggedIn(name),
                _ => Self::Other,
            },
            b"tx-mail" => match of_message(rest, version)? {
                (b"ok", address) => Self::Mail(address),
                _ => Self::Other,
            },
            b"tx-rcpt" => {
                let (result, address) = of_message(rest, version)?;
                Self::Rcpt(result == b"ok", address)
            }
            b"tx-data" => match last_field(rest).ok_or(Malformed::Short)?.1 {
                b"ok" => Self::Other,
                _ => Self::DataRefused,
            },
            b"tx-commit" => Self::Committed,
            b"tx-rollback" | b"tx-reset" => Self::Reset,
            b"protocol-server" => Self::Replied(rest),
            b"link-disconnect" => Self::Disconnected,
            _ => Self::Other,
        })
    }
}

/// What became of an address: behind the message's id.
fn of_message(rest: &[u8], version: Version) -> Result<(&[u8], &[u8]), Malformed> {
    let (_message, rest) = field(rest).ok_or(Malformed::Short)?;
    outcome(rest, version.puts_address_first())
}

/// A word, and what it was said of, which may hold bars.
fn outcome(rest: &[u8], word_is_last: bool) -> Result<(&[u8], &[u8]), Malformed> {
    match word_is_last {
        true => last_field(rest).map(|(of, word)| (word, of)),
        false => field(rest),
    }
    .ok_or(Malformed::Short)
}

impl<'a> Phase<'a> {
    fn of(phase: &[u8], rest: &'a [u8]) -> Self {
        match phase {
            b"rcpt-to" => Self::Rcpt(rest),
            b"data-line" => Self::DataLine(rest),
            b"commit" => Self::Commit,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kind => "it begins with none of the words that there are",
            Self::Version => "it has no version",
            Self::Short => "it breaks off",
            Self::Word => "its session or token is none",
        })
    }
}

impl Request<'_> {
    /// Writes `filter-result|SESSION|TOKEN|proceed`, or `reject|REPLY`.
    pub(crate) fn answer(&self, refusal: Option<&str>, output: &mut Vec<u8>) {
        write_answer("filter-result", self.version, self.session, self.token, output);
        match refusal {
            None => output.extend_from_slice(b"proceed"),
            Some(reply) => {
                output.extend_from_slice(b"reject|");
                output.extend(reply.bytes().map(|octet| match octet {
                    b' '..=b'~' => octet,
                    _ => b'?',
                }));
            }
        }
        output.push(b'\n');
    }
}

/// The beginning of an answer.
pub(crate) fn write_answer(
    kind: &str,
    version: Version,
    session: &str,
    token: &str,
    output: &mut Vec<u8>,
) {
    let words = match version.puts_token_first() {
        true => [kind, token, session],
        false => [kind, session, token],
    };
    for word in words {
        output.extend_from_slice(word.as_bytes());
        output.push(b'|');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn happened(line: &str) -> Report<'_> {
        match Line::parse(line.as_bytes()) {
            Ok(Line::Happened("7641df9771b4ed00", report)) => report,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn report(version: &str, rest: &str) -> String {
        let (event, rest) = rest.split_once('|').unwrap_or((rest, ""));
        let bar = if rest.is_empty() { "" } else { "|" };
        format!("report|{version}|1576147242.200225|smtp-in|{event}|7641df9771b4ed00{bar}{rest}")
    }

    #[test]
    fn what_smtpd_says_of_itself() {
        assert_eq!(Line::parse(b"config|smtpd-version|6.8.0p2").unwrap(), {
            Line::Config("smtpd-version", b"6.8.0p2")
        });
        assert_eq!(Line::parse(b"config|subsystem|smtp-in").unwrap(), {
            Line::Config("subsystem", b"smtp-in")
        });
        assert_eq!(Line::parse(b"config|ready"), Ok(Line::Ready));
    }

    #[test]
    fn reports_of_every_version() {
        for version in ["0.4", "0.5", "0.6", "0.7", "0.42", "1.0"] {
            let connected =
                report(version, "link-connect|mail.example|pass|[2001:db8::25]:25|192.0.2.2:25");
            assert_eq!(happened(&connected), Report::Connected(b"[2001:db8::25]:25"));
            let identified = report(version, "link-identify|EHLO|a|b");
            assert_eq!(happened(&identified), Report::Identified(b"a|b"));
            let replied = report(version, "protocol-server|250 2.0.0 Ok|x");
            assert_eq!(happened(&replied), Report::Replied(b"250 2.0.0 Ok|x"));
            for (event, expected) in [
                ("link-disconnect", Report::Disconnected),
                ("tx-reset", Report::Reset),
                ("tx-reset|c8bb6d9e", Report::Reset),
                ("tx-rollback|c8bb6d9e", Report::Reset),
                ("tx-commit|c8bb6d9e|350", Report::Committed),
                ("tx-data|c8bb6d9e|ok", Report::Other),
                ("tx-data|c8bb6d9e|tempfail", Report::DataRefused),
                ("timeout", Report::Other),
                ("something-new|x", Report::Other),
            ] {
                assert_eq!(happened(&report(version, event)), expected, "{event}");
            }
        }
    }

    #[test]
    fn what_stands_first_depends_on_the_version() {
        for (version, mail, auth) in [
            ("0.4", "c8bb6d9e|a|b@c.example|ok", "u|x|pass"),
            ("0.5", "c8bb6d9e|a|b@c.example|ok", "u|x|pass"),
            ("0.6", "c8bb6d9e|ok|a|b@c.example", "u|x|pass"),
            ("0.7", "c8bb6d9e|ok|a|b@c.example", "pass|u|x"),
            ("0.8", "c8bb6d9e|ok|a|b@c.example", "pass|u|x"),
            ("2.3", "c8bb6d9e|ok|a|b@c.example", "pass|u|x"),
        ] {
            let said = report(version, &format!("tx-mail|{mail}"));
            assert_eq!(happened(&said), Report::Mail(b"a|b@c.example"), "{version}");
            let said = report(version, &format!("tx-rcpt|{mail}"));
            assert_eq!(happened(&said), Report::Rcpt(true, b"a|b@c.example"), "{version}");
            let refused = report(version, &format!("tx-rcpt|{}", mail.replace("ok", "permfail")));
            assert_eq!(happened(&refused), Report::Rcpt(false, b"a|b@c.example"), "{version}");
            let refused = report(version, &format!("tx-mail|{}", mail.replace("ok", "tempfail")));
            assert_eq!(happened(&refused), Report::Other, "{version}");
            let said = report(version, &format!("link-auth|{auth}"));
            assert_eq!(happened(&said), Report::LoggedIn(b"u|x"), "{version}");
            let failed = report(version, &format!("link-auth|{}", auth.replace("pass", "fail")));
            assert_eq!(happened(&failed), Report::Other, "{version}");
        }
        let null = report("0.6", "tx-mail|a9d1981e|ok|");
        assert_eq!(happened(&null), Report::Mail(b""));
    }

    #[test]
    fn requests_and_their_answers() {
        for (version, order) in [
            ("0.4", "1ef1c203cc576e5d|7641df9771b4ed00"),
            ("0.5", "7641df9771b4ed00|1ef1c203cc576e5d"),
            ("0.7", "7641df9771b4ed00|1ef1c203cc576e5d"),
            ("3.0", "7641df9771b4ed00|1ef1c203cc576e5d"),
        ] {
            let line = format!(
                "filter|{version}|1576146008.006099|smtp-in|rcpt-to|7641df9771b4ed00|\
                 1ef1c203cc576e5d|a|b@c.example"
            );
            let Ok(Line::Asked(request)) = Line::parse(line.as_bytes()) else { panic!("{line}") };
            assert_eq!(request.phase, Phase::Rcpt(b"a|b@c.example"));
            let mut output = Vec::new();
            request.answer(None, &mut output);
            request.answer(Some("550 5.7.23 a\r\nb|\u{e9}"), &mut output);
            let expected = format!(
                "filter-result|{order}|proceed\nfilter-result|{order}|reject|550 5.7.23 a??b|??\n"
            );
            assert_eq!(String::from_utf8(output).unwrap(), expected);
        }
    }

    #[test]
    fn phases() {
        let phase = |rest: &'static str| {
            let line = format!("filter|0.6|1.2|smtp-in|{rest}");
            let line: &'static str = Box::leak(line.into_boxed_str());
            match Line::parse(line.as_bytes()) {
                Ok(Line::Asked(request)) => request.phase,
                other => panic!("{line}: {other:?}"),
            }
        };
        assert_eq!(phase("data-line|s|t|a | b"), Phase::DataLine(b"a | b"));
        assert_eq!(phase("data-line|s|t|"), Phase::DataLine(b""));
        assert_eq!(phase("commit|s|t|"), Phase::Commit);
        assert_eq!(phase("commit|s|t"), Phase::Commit);
        assert_eq!(phase("connect|s|t|<unknown>|192.0.2.25"), Phase::Other);
        assert_eq!(phase("something-new|s|t"), Phase::Other);
    }

    #[test]
    fn what_is_no_line_is_said() {
        for (line, expected) in [
            ("", Malformed::Kind),
            ("hello", Malformed::Kind),
            ("config|", Malformed::Word),
            ("report|0.6|1.2|smtp-in", Malformed::Short),
            ("report|six|1.2|smtp-in|tx-reset|s", Malformed::Version),
            ("report|0.|1.2|smtp-in|tx-reset|s", Malformed::Version),
            ("report|0.-1|1.2|smtp-in|tx-reset|s", Malformed::Version),
            ("report|0.9999999999|1.2|smtp-in|tx-reset|s", Malformed::Version),
            ("report|0.6|1.2|smtp-in|tx-reset|", Malformed::Word),
            ("report|0.6|1.2|smtp-in|link-connect|s|name", Malformed::Short),
            ("report|0.6|1.2|smtp-in|tx-mail|s|id|ok", Malformed::Short),
            ("filter|0.6|1.2|smtp-in|commit|s", Malformed::Short),
            ("filter|0.6|1.2|smtp-in|commit|s|\n", Malformed::Word),
            ("filter|0.6|1.2|smtp-in|commit|s s|t", Malformed::Word),
        ] {
            assert_eq!(Line::parse(line.as_bytes()).unwrap_err(), expected, "{line}");
        }
        let long = format!("filter|0.6|1.2|smtp-in|commit|{}|t", "s".repeat(WORD_OCTETS_MAX + 1));
        assert_eq!(Line::parse(long.as_bytes()).unwrap_err(), Malformed::Word);
    }

    proptest! {
        #[test]
        fn no_octets_make_it_panic(line in "(config|report|filter)?\\|?([0-9.]{0,4}\\|)?\
            ([a-z-]{0,12}\\|){0,8}.{0,8}") {
            let _ = Line::parse(line.as_bytes());
        }
    }
}
