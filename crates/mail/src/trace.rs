use std::net::IpAddr;

use crate::{Charset, FieldBody, MailDomain, Mailbox, domain};

/// What the `Received` field of a hop tells (RFC 5321 section 4.4).
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// The argument of HELO, EHLO or LHLO, as the client gave it.
    pub helo: &'a str,
    /// The client's address.
    pub client_address: IpAddr,
    /// The client's name, if its address has one that leads back to it.
    pub client_name: Option<&'a str>,
    /// Our own name.
    pub hostname: &'a str,
    /// How the message came.
    pub protocol: Protocol,
    /// Our id of the message.
    pub id: &'a str,
    /// The recipients, without angle brackets. Only a single one is written: several would tell
    /// each of them about the others (RFC 5321 section 7.2).
    pub recipients: &'a [String],
    /// When it came, in seconds since 1970.
    pub now: u64,
}

/// The `with` of a `Received` field: a name of RFC 3848 section 1 or RFC 6531 section 4.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Protocol {
    /// LMTP; SMTP otherwise.
    pub lmtp: bool,
    /// The client said EHLO. LMTP and SMTPUTF8 imply it.
    pub extended: bool,
    /// The message needed SMTPUTF8.
    pub smtputf8: bool,
    /// The session was encrypted.
    pub tls: bool,
    /// The client had logged in.
    pub authenticated: bool,
}

impl Received<'_> {
    /// The field's name.
    pub const NAME: &'static str = "Received";

    /// The value, folded. Whatever the client said, it is one well-formed value.
    pub fn value(&self) -> String {
        let charset = self.charset();
        let mut body = FieldBody::new(Self::NAME, charset);
        self.write_client(&mut body);
        body.word("by");
        body.word(&host(self.hostname).unwrap_or_else(|| atom(self.hostname)));
        body.word("with");
        body.word(self.protocol.name());
        body.word("id");
        body.word(&atom(self.id));
        if let [recipient] = self.recipients
            && let Ok(mailbox) = Mailbox::parse(recipient.as_bytes(), charset)
        {
            body.word("for");
            body.push(&format!("<{mailbox}>"));
        }
        body.syntax(";");
        date_time(self.now).split(' ').for_each(|part| body.word(part));
        body.finish()
    }

    /// `from helo (name [address])`. A HELO that is no domain goes into a comment of its own.
    fn write_client(&self, body: &mut FieldBody) {
        let address = MailDomain::Literal(self.client_address.to_canonical()).to_string();
        let helo = host(self.helo).or_else(|| match MailDomain::parse(self.helo) {
            Ok(literal @ MailDomain::Literal(_)) => Some(literal.to_string()),
            _ => None,
        });
        body.word("from");
        body.word(helo.as_deref().unwrap_or(&address));
        // The brackets of an address literal are kept: this comment is TCP-info, no free text.
        match self.client_name.and_then(host) {
            Some(name) => body.comment(&format!("{name} {address}")),
            None => body.comment(&address),
        }
        if helo.is_none() {
            body.comment(&format!("helo={}", self.helo));
        }
    }

    fn charset(&self) -> Charset {
        if self.protocol.smtputf8 { Charset::Utf8 } else { Charset::Ascii }
    }
}

impl Protocol {
    /// The registered name, such as `ESMTPS`.
    pub fn name(self) -> &'static str {
        const NAMES: [[&str; 4]; 4] = [
            ["ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA"],
            ["LMTP", "LMTPS", "LMTPA", "LMTPSA"],
            ["UTF8SMTP", "UTF8SMTPS", "UTF8SMTPA", "UTF8SMTPSA"],
            ["UTF8LMTP", "UTF8LMTPS", "UTF8LMTPA", "UTF8LMTPSA"],
        ];
        let plain =
            !(self.lmtp || self.extended || self.smtputf8 || self.tls || self.authenticated);
        if plain {
            return "SMTP";
        }
        let row = usize::from(self.lmtp) + 2 * usize::from(self.smtputf8);
        let column = usize::from(self.tls) + 2 * usize::from(self.authenticated);
        NAMES[row][column]
    }
}

/// A `date-time` of RFC 5322 section 3.3, in UTC: `Thu, 1 Jan 1970 00:00:00 +0000`.
///
/// `seconds` since 1970; times after the year 9999 are written as its last second.
pub fn date_time(seconds: u64) -> String {
    const END_OF_9999: u64 = 253_402_300_799;
    const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let seconds = seconds.min(END_OF_9999);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil_date(days);
    format!(
        "{}, {day} {} {year:04} {:02}:{:02}:{:02} +0000",
        WEEKDAYS[(days % 7) as usize],
        MONTHS[month],
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Year, month from 0, day from 1.
fn civil_date(mut days: u64) -> (u64, usize, u64) {
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    // 400 years have 146,097 days.
    let mut year = 1970 + days / 146_097 * 400;
    days %= 146_097;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 0;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

fn host(name: &str) -> Option<String> {
    domain::is_host_name(name).then(|| domain::to_ascii(name))
}

/// What of the text may stand bare in a field; `unknown` if that is nothing.
fn atom(text: &str) -> String {
    let atom: String =
        text.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
    if atom.is_empty() { "unknown".to_owned() } else { atom }
}

#[cfg(test)]
mod tests;
