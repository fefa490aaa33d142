//! The parameters of MAIL and RCPT (RFC 5321 section 4.1.1.11) and their replies to what is wrong.

use std::fmt;

use quivive_mail::{Charset, EnhancedStatus, Mailbox};

use crate::{Reply, xtext};

/// The parameters of MAIL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailParameters {
    /// SIZE (RFC 1870): the message's octets, as the client estimates them.
    pub size: Option<u64>,
    /// BODY (RFC 6152).
    pub body: Option<Body>,
    /// SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// RET (RFC 3461): what a report returns.
    pub ret: Option<Ret>,
    /// ENVID (RFC 3461), as xtext.
    pub envid: Option<String>,
    /// AUTH (RFC 4954 section 5), as xtext or `<>`. Whoever did not log in is not believed.
    pub auth: Option<String>,
    /// SUBMITTER (RFC 4405 section 4): the responsible address, a mailbox without angle brackets.
    pub submitter: Option<String>,
}

/// What octets a message has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// ASCII alone.
    SevenBit,
    /// Any octets, in lines.
    EightBitMime,
}

/// How much of a message a report returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ret {
    /// All of it.
    Full,
    /// Its header.
    Headers,
}

/// The parameters of RCPT.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RcptParameters {
    /// NOTIFY (RFC 3461): when a report is wanted.
    pub notify: Option<Notify>,
    /// ORCPT (RFC 3461): type and address of the original recipient, `rfc822;` and xtext.
    pub orcpt: Option<String>,
}

/// When a report is wanted. Nothing set: never.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Notify {
    /// When the message is delivered.
    pub success: bool,
    /// When it cannot be.
    pub failure: bool,
    /// When it is late.
    pub delay: bool,
}

/// The value of AUTH where nobody is known to have submitted a message (RFC 4954 section 5).
pub const NO_SUBMITTER: &str = "<>";

/// The longest ENVID, in octets of xtext (RFC 3461 section 4.4).
const ENVID_OCTETS_MAX: usize = 100;

/// The longest ORCPT, in octets (RFC 3461 section 4.2).
const ORCPT_OCTETS_MAX: usize = 500;

/// The most digits of a SIZE (RFC 1870 section 3).
const SIZE_DIGITS_MAX: usize = 20;

const UNKNOWN: Reply =
    Reply::new(555, EnhancedStatus(5, 5, 4), "A parameter is not recognized here");
const TWICE: Reply = Reply::new(501, EnhancedStatus(5, 5, 4), "A parameter is given twice");

impl MailParameters {
    /// Reads what follows the path of MAIL.
    pub(crate) fn parse(text: &str) -> Result<Self, Reply> {
        let mut parameters = Self::default();
        for (name, value) in pairs(text) {
            let known = &mut parameters;
            match (name.as_str(), value) {
                ("SIZE", Some(value)) => once(&mut known.size, parse_size(value)?)?,
                ("BODY", Some(value)) => once(&mut known.body, parse_body(value)?)?,
                ("SMTPUTF8", None) if known.smtputf8 => return Err(TWICE),
                ("SMTPUTF8", None) => known.smtputf8 = true,
                ("RET", Some(value)) => once(&mut known.ret, parse_ret(value)?)?,
                ("ENVID", Some(value)) => once(&mut known.envid, parse_envid(value)?)?,
                ("AUTH", Some(value)) => once(&mut known.auth, parse_auth(value)?)?,
                ("SUBMITTER", Some(value)) => {
                    once(&mut known.submitter, parse_submitter(value)?)?;
                }
                ("SIZE" | "BODY" | "SMTPUTF8" | "RET" | "ENVID" | "AUTH" | "SUBMITTER", _) => {
                    return Err(BAD);
                }
                _ => return Err(UNKNOWN),
            }
        }
        Ok(parameters)
    }
}

impl RcptParameters {
    /// Reads what follows the path of RCPT.
    pub(crate) fn parse(text: &str) -> Result<Self, Reply> {
        let mut parameters = Self::default();
        for (name, value) in pairs(text) {
            match (name.as_str(), value) {
                ("NOTIFY", Some(value)) => once(&mut parameters.notify, parse_notify(value)?)?,
                ("ORCPT", Some(value)) => once(&mut parameters.orcpt, parse_orcpt(value)?)?,
                ("NOTIFY" | "ORCPT", None) => return Err(BAD),
                _ => return Err(UNKNOWN),
            }
        }
        Ok(parameters)
    }
}

const BAD: Reply = Reply::new(501, EnhancedStatus(5, 5, 4), "A parameter's value is malformed");
const UNKNOWN_VALUE: Reply =
    Reply::new(504, EnhancedStatus(5, 5, 4), "A parameter's value is not implemented");

fn pairs(text: &str) -> impl Iterator<Item = (String, Option<&str>)> {
    text.split(' ').filter(|pair| !pair.is_empty()).map(|pair| match pair.split_once('=') {
        Some((name, value)) => (name.to_ascii_uppercase(), Some(value)),
        None => (pair.to_ascii_uppercase(), None),
    })
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), Reply> {
    if place.replace(value).is_some() { Err(TWICE) } else { Ok(()) }
}

fn parse_size(value: &str) -> Result<u64, Reply> {
    let digits = value.bytes().all(|octet| octet.is_ascii_digit());
    if !digits || value.is_empty() || value.len() > SIZE_DIGITS_MAX {
        return Err(BAD);
    }
    // Twenty digits can exceed 64 bits: the largest number then stands for "too large".
    Ok(value.parse().unwrap_or(u64::MAX))
}

fn parse_body(value: &str) -> Result<Body, Reply> {
    match value.to_ascii_uppercase().as_str() {
        "7BIT" => Ok(Body::SevenBit),
        "8BITMIME" => Ok(Body::EightBitMime),
        _ => Err(UNKNOWN_VALUE),
    }
}

fn parse_ret(value: &str) -> Result<Ret, Reply> {
    match value.to_ascii_uppercase().as_str() {
        "FULL" => Ok(Ret::Full),
        "HDRS" => Ok(Ret::Headers),
        _ => Err(BAD),
    }
}

fn parse_envid(value: &str) -> Result<String, Reply> {
    let fits = !value.is_empty() && value.len() <= ENVID_OCTETS_MAX;
    if fits && xtext::decode(value).is_some() { Ok(value.to_owned()) } else { Err(BAD) }
}

/// RFC 4954 section 5: as xtext a mailbox, or `<>` where the submitter is not known.
fn parse_auth(value: &str) -> Result<String, Reply> {
    let decoded = xtext::decode(value).ok_or(BAD)?;
    let fits =
        decoded == NO_SUBMITTER.as_bytes() || Mailbox::parse(&decoded, Charset::Ascii).is_ok();
    // Written in one way, whatever way it came in.
    if fits { Ok(xtext::encode(&decoded)) } else { Err(BAD) }
}

fn parse_submitter(value: &str) -> Result<String, Reply> {
    let decoded = xtext::decode(value).ok_or(BAD)?;
    let mailbox = Mailbox::parse(&decoded, Charset::Utf8).map_err(|_| BAD)?;
    Ok(mailbox.to_string())
}

fn parse_notify(value: &str) -> Result<Notify, Reply> {
    let mut notify = Notify::default();
    if value.eq_ignore_ascii_case("NEVER") {
        return Ok(notify);
    }
    for word in value.split(',') {
        let flag = match word.to_ascii_uppercase().as_str() {
            "SUCCESS" => &mut notify.success,
            "FAILURE" => &mut notify.failure,
            "DELAY" => &mut notify.delay,
            _ => return Err(BAD),
        };
        *flag = true;
    }
    Ok(notify)
}

/// RFC 3461 section 4.2. With SMTPUTF8 the type `utf-8` has its own escapes (RFC 6533 section 3),
/// and its text may be UTF-8; it goes on as it came.
fn parse_orcpt(value: &str) -> Result<String, Reply> {
    let (kind, address) = value.split_once(';').ok_or(BAD)?;
    let atom = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
    let kind_fits = !kind.is_empty() && kind.bytes().all(atom);
    let address_fits = match kind.eq_ignore_ascii_case("utf-8") {
        true => address.chars().all(|c| !c.is_control() && !matches!(c, ' ' | '=' | '+')),
        false => xtext::decode(address).is_some(),
    };
    let fits = kind_fits && address_fits && !address.is_empty() && value.len() <= ORCPT_OCTETS_MAX;
    if fits { Ok(value.to_owned()) } else { Err(BAD) }
}

/// ` SIZE=10 BODY=8BITMIME`: each with a blank before it.
impl fmt::Display for MailParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(size) = self.size {
            write!(f, " SIZE={size}")?;
        }
        match self.body {
            Some(Body::SevenBit) => f.write_str(" BODY=7BIT")?,
            Some(Body::EightBitMime) => f.write_str(" BODY=8BITMIME")?,
            None => {}
        }
        if self.smtputf8 {
            f.write_str(" SMTPUTF8")?;
        }
        match self.ret {
            Some(Ret::Full) => f.write_str(" RET=FULL")?,
            Some(Ret::Headers) => f.write_str(" RET=HDRS")?,
            None => {}
        }
        if let Some(envid) = &self.envid {
            write!(f, " ENVID={envid}")?;
        }
        if let Some(auth) = &self.auth {
            write!(f, " AUTH={auth}")?;
        }
        if let Some(submitter) = &self.submitter {
            write!(f, " SUBMITTER={}", xtext::encode(submitter.as_bytes()))?;
        }
        Ok(())
    }
}

/// ` NOTIFY=FAILURE,DELAY`: each with a blank before it.
impl fmt::Display for RcptParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(notify) = self.notify {
            write!(f, " NOTIFY={notify}")?;
        }
        if let Some(orcpt) = &self.orcpt {
            write!(f, " ORCPT={orcpt}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [(self.success, "SUCCESS"), (self.failure, "FAILURE"), (self.delay, "DELAY")];
        let words: Vec<&str> =
            words.iter().filter(|(set, _)| *set).map(|(_, word)| *word).collect();
        f.write_str(if words.is_empty() { "NEVER".into() } else { words.join(",") }.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_parsed_formats_as_it_was() {
        let text = " SIZE=10 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ+20314159 AUTH=<> \
                    SUBMITTER=\"a+20b\"@example.com";
        assert_eq!(MailParameters::parse(text).unwrap().to_string(), text);
        for text in [" NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@example.com", " NOTIFY=NEVER"] {
            assert_eq!(RcptParameters::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn names_and_words_are_of_either_case() {
        let parameters = MailParameters::parse("size=10 body=7bit ret=full").unwrap();
        assert_eq!(parameters.size, Some(10));
        assert_eq!(parameters.body, Some(Body::SevenBit));
        assert_eq!(parameters.ret, Some(Ret::Full));
    }

    #[test]
    fn replies_say_what_is_wrong() {
        for (text, code) in [
            ("FOO=1", 555),
            ("SIZE", 501),
            ("SIZE=", 501),
            ("SIZE=-1", 501),
            ("SIZE=1 SIZE=2", 501),
            ("SIZE=123456789012345678901", 501),
            ("BODY=BINARYMIME", 504),
            ("SMTPUTF8=1", 501),
            ("SMTPUTF8 smtputf8", 501),
            ("RET=SOME", 501),
            ("ENVID=a=b", 501),
            ("AUTH=", 501),
        ] {
            assert_eq!(MailParameters::parse(text).unwrap_err().code, code, "{text}");
        }
        for (text, code) in [
            ("SIZE=1", 555),
            ("NOTIFY=NEVER,DELAY", 501),
            ("NOTIFY=", 501),
            ("ORCPT=a@b", 501),
            ("ORCPT=rfc822;", 501),
            ("ORCPT=rfc822;a=b", 501),
            ("ORCPT=rfc822;a b", 555),
        ] {
            assert_eq!(RcptParameters::parse(text).unwrap_err().code, code, "{text}");
        }
        let long = format!("ENVID={}", "a".repeat(ENVID_OCTETS_MAX + 1));
        assert_eq!(MailParameters::parse(&long).unwrap_err().code, 501);
        let long = format!("ORCPT=rfc822;{}", "a".repeat(ORCPT_OCTETS_MAX));
        assert_eq!(RcptParameters::parse(&long).unwrap_err().code, 501);
    }

    #[test]
    fn auth_is_a_mailbox_as_xtext() {
        for (value, mailbox) in [
            ("e+3Dmc2@example.com", &b"e=mc2@example.com"[..]),
            ("a+2Bb@e.test", b"a+b@e.test"),
            ("a+2bb@e.test", b"a+b@e.test"),
            ("<>", b"<>"),
            ("+3C+3E", b"<>"),
        ] {
            let auth = MailParameters::parse(&format!("AUTH={value}")).unwrap().auth.unwrap();
            assert_eq!(xtext::decode(&auth).unwrap(), mailbox, "{value}");
            assert_eq!(auth, xtext::encode(mailbox), "{value}");
        }
        for value in ["a+b@e.test", "", "x=y@e.test", "alice", "+0Aa@b", "a@b+0D+0A", "<a@b>"] {
            let reply = MailParameters::parse(&format!("AUTH={value}")).unwrap_err();
            assert_eq!((reply.code, reply.enhanced), (501, Some(EnhancedStatus(5, 5, 4))));
        }
    }

    /// The sessions of the sheet sender-id.md, section 10.
    #[test]
    fn submitters_are_mailboxes() {
        let submitter = |text: &str| MailParameters::parse(text).map(|known| known.submitter);
        assert_eq!(
            submitter("SUBMITTER=bob@almamater.edu.example"),
            Ok(Some("bob@almamater.edu.example".to_owned()))
        );
        assert_eq!(submitter("submitter=a+2Bb@c.test"), Ok(Some("a+b@c.test".to_owned())));
        assert_eq!(submitter("SUBMITTER=j+C3+B6@c.test"), Ok(Some("j\u{f6}@c.test".to_owned())));
        for text in [
            "SUBMITTER",
            "SUBMITTER=",
            "SUBMITTER=bob",
            "SUBMITTER=<bob@c.test>",
            "SUBMITTER=a+b@c.test",
            "SUBMITTER=a+0D+0A@c.test",
            "SUBMITTER=a@c.test SUBMITTER=a@c.test",
        ] {
            assert_eq!(submitter(text).unwrap_err().code, 501, "{text}");
        }
    }

    #[test]
    fn a_size_beyond_64_bits_is_the_largest() {
        let parameters = MailParameters::parse("SIZE=99999999999999999999").unwrap();
        assert_eq!(parameters.size, Some(u64::MAX));
    }
}
