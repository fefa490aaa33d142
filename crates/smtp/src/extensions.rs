//! Service extensions: what a server offers by its answer to EHLO.

use crate::sasl::{Mechanism, Mechanisms};
use crate::{Reply, xclient};

/// What is offered. The same type serves the server that offers and the client that is offered to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extensions {
    /// SIZE (RFC 1870). `Some(0)`: offered without a limit.
    pub size: Option<u64>,
    /// PIPELINING (RFC 2920).
    pub pipelining: bool,
    /// ENHANCEDSTATUSCODES (RFC 2034).
    pub enhanced_status_codes: bool,
    /// 8BITMIME (RFC 6152).
    pub eight_bit_mime: bool,
    /// SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// DSN (RFC 3461).
    pub dsn: bool,
    /// CHUNKING (RFC 3030).
    pub chunking: bool,
    /// STARTTLS (RFC 3207).
    pub starttls: bool,
    /// XCLIENT.
    pub xclient: bool,
    /// SUBMITTER (RFC 4405).
    pub submitter: bool,
    /// AUTH (RFC 4954), with the mechanisms that are known here.
    pub auth: Option<Mechanisms>,
}

impl Extensions {
    /// What a server's answer to EHLO or LHLO offers. What is not known here is left out.
    pub fn parse(reply: &Reply) -> Self {
        let mut offered = Self::default();
        for line in reply.lines().skip(1) {
            let mut words = line.split_ascii_whitespace();
            let keyword = words.next().unwrap_or_default().to_ascii_uppercase();
            match keyword.as_str() {
                "SIZE" => {
                    offered.size = Some(words.next().and_then(|n| n.parse().ok()).unwrap_or(0));
                }
                "PIPELINING" => offered.pipelining = true,
                "ENHANCEDSTATUSCODES" => offered.enhanced_status_codes = true,
                "8BITMIME" => offered.eight_bit_mime = true,
                "SMTPUTF8" => offered.smtputf8 = true,
                "DSN" => offered.dsn = true,
                "CHUNKING" => offered.chunking = true,
                "STARTTLS" => offered.starttls = true,
                "XCLIENT" => offered.xclient = true,
                "SUBMITTER" => offered.submitter = true,
                "AUTH" => offered.auth = Some(words.filter_map(Mechanism::from_name).collect()),
                _ => {}
            }
        }
        offered
    }

    /// The answer to EHLO of a host with this name.
    pub fn reply(&self, hostname: &str) -> Reply {
        let mut text = hostname.to_owned();
        let mut line = |offered: bool, keyword: &str| {
            if offered {
                text.push('\n');
                text.push_str(keyword);
            }
        };
        line(self.pipelining, "PIPELINING");
        if let Some(size) = self.size {
            line(true, &format!("SIZE {size}"));
        }
        line(self.starttls, "STARTTLS");
        line(self.enhanced_status_codes, "ENHANCEDSTATUSCODES");
        line(self.eight_bit_mime, "8BITMIME");
        line(self.smtputf8, "SMTPUTF8");
        line(self.dsn, "DSN");
        line(self.chunking, "CHUNKING");
        line(self.submitter, "SUBMITTER");
        if self.xclient {
            line(true, &format!("XCLIENT {}", xclient::ATTRIBUTES));
        }
        if let Some(auth) = self.auth.filter(|auth| !auth.is_empty()) {
            line(true, &format!("AUTH {auth}"));
        }
        Reply::plain(250, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_is_understood() {
        let all = Extensions {
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
            auth: Some(Mechanisms::default().with(Mechanism::Plain).with(Mechanism::External)),
        };
        for offered in [all, Extensions::default()] {
            assert_eq!(Extensions::parse(&offered.reply("mx.example")), offered);
        }
    }

    #[test]
    fn odd_lines_are_left_out() {
        let reply = Reply::plain(250, "8BITMIME\nSIZE\nfoo BAR\n\npipelining now");
        let offered = Extensions::parse(&reply);
        assert_eq!(
            offered,
            Extensions { size: Some(0), pipelining: true, ..Extensions::default() }
        );
    }
}
