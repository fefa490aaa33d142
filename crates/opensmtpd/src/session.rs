use std::net::{IpAddr, Ipv4Addr};

use crate::talk::{Mail, TEXT_OCTETS_MAX};
use crate::transaction::Transaction;

/// How much of a reply is noted, in octets.
const REPLY_OCTETS_MAX: usize = 512;

/// A client of smtpd.
#[derive(Default)]
pub(crate) struct Session {
    client: Option<IpAddr>,
    helo: String,
    login: Option<String>,
    /// What it heard last.
    reply: String,
    pub(crate) transaction: Option<Transaction>,
}

impl Session {
    pub(crate) fn connected(&mut self, source: &[u8]) {
        self.client = address(source);
    }

    pub(crate) fn identified(&mut self, name: &[u8]) {
        self.helo = text(name);
    }

    pub(crate) fn logged_in(&mut self, name: &[u8]) {
        self.login = Some(text(name));
    }

    pub(crate) fn replied(&mut self, reply: &[u8]) {
        self.reply = text(&reply[..reply.len().min(REPLY_OCTETS_MAX)]);
    }

    pub(crate) fn reply(&self) -> &str {
        &self.reply
    }

    pub(crate) fn rcpt_done(&mut self, is_taken: bool, recipient: &[u8]) {
        if let Some(open) = &mut self.transaction {
            open.rcpt_done(is_taken, text(recipient), &self.reply);
        }
    }

    pub(crate) fn data_refused(&mut self) {
        if let Some(open) = &mut self.transaction {
            open.refused(&self.reply);
        }
    }

    /// What is known when a message begins; none: not who the client is.
    pub(crate) fn mail(&self, reverse_path: &[u8]) -> Option<Mail> {
        Some(Mail {
            client: self.client?,
            helo: self.helo.clone(),
            mail_from: text(reverse_path),
            login: self.login.clone(),
        })
    }
}

/// What a client said, bounded.
pub(crate) fn text(octets: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(&octets[..octets.len().min(TEXT_OCTETS_MAX)]);
    if text.len() > TEXT_OCTETS_MAX {
        let end = (0..=TEXT_OCTETS_MAX).rev().find(|at| text.is_char_boundary(*at));
        text = text[..end.unwrap_or(0)].to_owned().into();
    }
    text.into_owned()
}

/// The address in `192.0.2.25:1234`, `[2001:db8::25]:1234` or `unix:/var/run/smtpd.sock`, whose
/// clients are on this host.
fn address(source: &[u8]) -> Option<IpAddr> {
    if source.starts_with(b"unix:") || source == b"local" {
        return Some(Ipv4Addr::LOCALHOST.into());
    }
    let source = str::from_utf8(source).ok()?;
    let (address, port) = source.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    let bare = address.strip_prefix('[').and_then(|address| address.strip_suffix(']'));
    let address = match bare {
        // The zone of an address is of no interest to others.
        Some(bare) => bare.split('%').next()?.parse().ok().map(IpAddr::V6)?,
        None => address.parse().ok().map(IpAddr::V4)?,
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_clients() {
        let address = |source: &str| address(source.as_bytes()).map(|address| address.to_string());
        assert_eq!(address("192.0.2.25:1234").as_deref(), Some("192.0.2.25"));
        assert_eq!(address("[2001:db8::25]:1234").as_deref(), Some("2001:db8::25"));
        assert_eq!(address("[::ffff:192.0.2.25]:1234").as_deref(), Some("192.0.2.25"));
        assert_eq!(address("[fe80::1%em0]:25").as_deref(), Some("fe80::1"));
        assert_eq!(address("unix:/var/run/smtpd.sock").as_deref(), Some("127.0.0.1"));
        assert_eq!(address("local").as_deref(), Some("127.0.0.1"));
        for source in
            ["", "192.0.2.25", "2001:db8::25:25", "[192.0.2.25]:25", "x:25", "192.0.2.25:x"]
        {
            assert_eq!(address(source), None, "{source}");
        }
    }

    #[test]
    fn texts_are_bounded() {
        assert_eq!(text(b"a\xffb"), "a\u{fffd}b");
        assert_eq!(text(&[b'x'; TEXT_OCTETS_MAX + 1]).len(), TEXT_OCTETS_MAX);
        assert!(text(&[0xff; TEXT_OCTETS_MAX]).len() <= TEXT_OCTETS_MAX);
    }
}
