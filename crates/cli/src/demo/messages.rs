//! What the demo sends, and what it promises to come of it.

use quivive_evidence::FindingResult::{
    self, Fail, Neutral, None, Pass, Permerror, Softfail, Temperror,
};
use quivive_evidence::{Identity, Method};
use quivive_mail::EnhancedStatus;

/// A message of the demo.
pub(super) struct Message {
    /// What it is an example of.
    pub(super) title: &'static str,
    pub(super) client: Client,
    /// Without angle brackets.
    pub(super) reverse_path: &'static str,
    /// Without angle brackets.
    pub(super) recipient: &'static str,
    pub(super) content: Content,
    /// The method and the identity whose result the table shows.
    pub(super) method: Method,
    pub(super) identity: Identity,
    /// What is found.
    pub(super) result: FindingResult,
    pub(super) outcome: Outcome,
}

/// Who sends it.
#[derive(Clone, Copy)]
pub(super) struct Client {
    /// Stated by XCLIENT.
    pub(super) address: &'static str,
    pub(super) helo: &'static str,
}

/// What is between DATA and the end of the message.
#[derive(Clone, Copy)]
pub(super) enum Content {
    /// A few lines.
    Plain,
    /// A few lines, below these fields; the first list must arrive, the second must not.
    Fields { kept: &'static [&'static str], forged: &'static [&'static str] },
    /// So many octets, announced in MAIL or not.
    Large { octets: usize, announced: bool },
    /// So many `Received` fields.
    Received(usize),
    /// A line, these octets, and a second message that must never be taken for one.
    Smuggled(&'static str),
}

/// What happens to a message.
pub(super) enum Outcome {
    /// It arrives, with its results written on top.
    Delivered,
    /// The client hears this, and nothing arrives.
    Refused {
        code: u16,
        enhanced: EnhancedStatus,
        /// Stands in the reply.
        text: &'static str,
    },
}

impl Message {
    /// A plain message from `client`, whose reverse-path is judged with this result, and which
    /// arrives.
    const fn new(
        title: &'static str,
        client: Client,
        reverse_path: &'static str,
        result: FindingResult,
    ) -> Self {
        Self {
            title,
            client,
            reverse_path,
            result,
            recipient: RECIPIENT,
            content: Content::Plain,
            method: Method::Spf,
            identity: Identity::Mailfrom,
            outcome: Outcome::Delivered,
        }
    }

    const fn content(self, content: Content) -> Self {
        Self { content, ..self }
    }

    const fn to(self, recipient: &'static str) -> Self {
        Self { recipient, ..self }
    }

    const fn by(self, identity: Identity) -> Self {
        Self { identity, ..self }
    }

    const fn of(self, method: Method, identity: Identity) -> Self {
        Self { method, identity, ..self }
    }

    const fn refused(self, code: u16, detail: (u16, u16), text: &'static str) -> Self {
        let class = if code >= 500 { 5 } else { 4 };
        let enhanced = EnhancedStatus(class, detail.0, detail.1);
        Self { outcome: Outcome::Refused { code, enhanced, text }, ..self }
    }
}

/// Who gets the mail.
const RECIPIENT: &str = "you@demo.example";

/// In the network of honest.example.
const HONEST: Client = Client { address: "198.51.100.10", helo: "mail.honest.example" };

/// The mail exchanger of honest.example.
const EXCHANGER: Client = Client { address: "198.51.100.77", helo: "mx.honest.example" };

/// A server of a provider.
const PROVIDER: Client = Client { address: "203.0.113.25", helo: "out.provider.example" };

/// The one address of exact.example.
const EXACT: Client = Client { address: "192.0.2.25", helo: "out.exact.example" };

/// The one address of six.example.
const SIX: Client = Client { address: "2001:db8:6::25", helo: "out.six.example" };

/// The one address of the bookshop.
const BOOKSHOP: Client = Client { address: "198.51.100.40", helo: "mail.xn--bcher-kva.example" };

/// Somebody who is listed nowhere.
const STRANGER: Client = Client { address: "192.0.2.66", helo: "dialup.provider.example" };

/// The same, without a name.
const NAMELESS: Client = Client { address: "192.0.2.66", helo: "[192.0.2.66]" };

/// The same, under another's name.
const IMPOSTOR: Client = Client { address: "192.0.2.66", helo: "out.strict.example" };

/// The same, under a name below that of relay.example.
const UNKNOWN_RELAY: Client = Client { address: "192.0.2.66", helo: "mail.relay.example" };

const DATE: &str = "Sat, 21 Nov 2026 12:00:00 +0000";

const FORGED_RESULTS: Content = Content::Fields {
    kept: &["Authentication-Results: mx.elsewhere.example; dkim=pass header.d=silent.example"],
    forged: &[
        "Authentication-Results: mx.demo.example; spf=pass smtp.mailfrom=bank.example",
        "Authentication-Results: MX.Demo.Example 1; dkim=pass header.d=bank.example",
        "Received-SPF: pass (mx.demo.example: all is well) receiver=mx.demo.example;",
    ],
};

/// Somebody else takes responsibility for a message of tenant.example.
const SENT_FOR: Content =
    Content::Fields { kept: &["Sender: owner@circle-of-friends.example"], forged: &[] };

/// The messages, in the order in which they are sent.
pub(super) const MESSAGES: &[Message] =
    &[
        Message::new("a listed network", HONEST, "ann@honest.example", Pass),
        Message::new("a mail exchanger", EXCHANGER, "bob@honest.example", Pass),
        Message::new("a provider, by include", PROVIDER, "shop@tenant.example", Pass),
        Message::new("another's policy, by redirect", HONEST, "eve@branch.example", Pass),
        Message::new("a single address, by macro", EXACT, "dan@exact.example", Pass),
        Message::new("an IPv6 client", SIX, "six@six.example", Pass),
        Message::new("an international address", BOOKSHOP, "jürgen@bücher.example", Pass),
        Message::new("a bounce, by its HELO name", HONEST, "", Pass),
        Message::new("probably not authorised", STRANGER, "joe@soft.example", Softfail),
        Message::new("no statement either way", STRANGER, "may@unsure.example", Neutral),
        Message::new("no policy published", STRANGER, "tim@silent.example", None),
        Message::new("no domain at all", NAMELESS, "root@[192.0.2.66]", None),
        Message::new("two policies at once", STRANGER, "sue@twice.example", Permerror),
        Message::new("a slip in the policy", STRANGER, "max@typo.example", Permerror),
        Message::new("a policy including itself", STRANGER, "oro@circle.example", Permerror),
        Message::new("forged results inside", STRANGER, "pia@silent.example", None)
            .content(FORGED_RESULTS),
        Message::new("a forged sender", STRANGER, "boss@strict.example", Fail).refused(
            550,
            (7, 23),
            "192.0.2.66 is not permitted to send mail for strict.example",
        ),
        Message::new("a refusal with explanation", STRANGER, "ceo@explains.example", Fail).refused(
            550,
            (7, 23),
            "says: \"192.0.2.66 does not send for explains.example",
        ),
        Message::new("an explanation that injects", STRANGER, "me@injects.example", Fail).refused(
            550,
            (7, 23),
            "send mail for injects.example (its record says `-all`) (case",
        ),
        Message::new("a forged HELO name", IMPOSTOR, "zoe@silent.example", Fail)
            .by(Identity::Helo)
            .refused(550, (7, 23), "not permitted to call itself out.strict.example"),
        Message::new("a bounce under a forged name", IMPOSTOR, "", Fail).refused(
            550,
            (7, 23),
            "out.strict.example",
        ),
        Message::new("name servers out of order", STRANGER, "kim@stormy.example", Temperror)
            .refused(451, (7, 24), "no answer about stormy.example"),
        Message::new("smuggling by LF . LF", HONEST, "ann@honest.example", Pass)
            .content(Content::Smuggled("\n.\n"))
            .refused(521, (5, 2), "bare LF"),
        Message::new("smuggling by CRLF . CR CRLF", HONEST, "ann@honest.example", Pass)
            .content(Content::Smuggled("\r\n.\r\r\n"))
            .refused(521, (5, 2), "bare CR"),
        Message::new("relaying to elsewhere", HONEST, "ann@honest.example", Pass)
            .to("victim@elsewhere.example")
            .refused(550, (7, 1), "not taken here"),
        Message::new("relaying by percent sign", HONEST, "ann@honest.example", Pass)
            .to("victim%elsewhere.example@demo.example")
            .refused(550, (7, 1), "may not route mail"),
        Message::new("too large, and says so", HONEST, "ann@honest.example", Pass)
            .content(Content::Large { octets: 100_000, announced: true })
            .refused(552, (3, 4), "larger than is taken"),
        Message::new("too large, unannounced", HONEST, "ann@honest.example", Pass)
            .content(Content::Large { octets: 100_000, announced: false })
            .refused(552, (3, 4), "larger than is taken"),
        Message::new("going round in circles", HONEST, "ann@honest.example", Pass)
            .content(Content::Received(60))
            .refused(554, (4, 6), "round in circles"),
        Message::new("MAIL-FROM MX: no listed host", STRANGER, "ada@hosts.example", Fail)
            .of(Method::MailFromMx, Identity::Mailfrom)
            .refused(550, (7, 1), "not permitted to send mail for hosts.example"),
        Message::new("RMX: an entry that refuses", STRANGER, "ceo@rules.example", Fail)
            .of(Method::Rmx, Identity::Mailfrom)
            .refused(550, (7, 1), "not permitted to send mail for rules.example"),
        Message::new("DMP: a name for the address", HONEST, "joy@each.example", Pass)
            .of(Method::Dmp, Identity::Mailfrom),
        Message::new("DRIP: an unknown relay", UNKNOWN_RELAY, "tim@silent.example", Fail)
            .of(Method::Drip, Identity::Helo)
            .refused(550, (7, 1), "not permitted to call itself mail.relay.example"),
        Message::new("Caller ID: outside its set", STRANGER, "lee@letter.example", Fail)
            .of(Method::CallerId, Identity::Pra)
            .refused(550, (7, 1), "not permitted to send mail for letter.example"),
        Message::new("Sender ID: sent for others", PROVIDER, "shop@tenant.example", Pass)
            .of(Method::SenderId, Identity::Pra)
            .content(SENT_FOR),
    ];

impl Message {
    /// The field by which it is known again.
    pub(super) fn message_id(&self, number: usize) -> String {
        format!("Message-ID: <{number}.demo@client.example>")
    }

    /// Whether it is announced with SMTPUTF8 (RFC 6531 section 3.4).
    pub(super) fn is_international(&self) -> bool {
        !self.reverse_path.is_ascii()
    }

    /// What is sent after DATA, without the end.
    pub(super) fn octets(&self, number: usize) -> Vec<u8> {
        let Self { title, reverse_path, recipient, .. } = self;
        let author =
            if reverse_path.is_empty() { "postmaster@client.example" } else { reverse_path };
        let mut fields = vec![
            format!("From: <{author}>"),
            format!("To: <{recipient}>"),
            format!("Subject: Demo {number}: {title}"),
            format!("Date: {DATE}"),
            self.message_id(number),
        ];
        let mut body = "This is a message of the demo.".to_owned();
        match self.content {
            Content::Plain => {}
            Content::Fields { kept, forged } => {
                fields.splice(0..0, kept.iter().chain(forged).map(|field| (*field).to_owned()));
            }
            Content::Large { octets, .. } => {
                let line = "This is a rather long message of the demo.\r\n";
                body = line.repeat(octets / line.len());
            }
            Content::Received(count) => {
                let hop = |hop| format!("Received: from h{hop}.example by h{hop}.example; {DATE}");
                fields.splice(0..0, (0..count).map(hop));
            }
            Content::Smuggled(end) => body.push_str(&smuggled(end)),
        }
        let mut octets = fields.join("\r\n");
        octets.push_str("\r\n\r\n");
        octets.push_str(&body);
        octets.into_bytes()
    }
}

/// A second message behind an end that only some servers take for one.
fn smuggled(end: &str) -> String {
    format!(
        "{end}MAIL FROM:<ceo@honest.example>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n\
         From: <ceo@honest.example>\r\nSubject: {SMUGGLED}\r\n\r\nPay at once."
    )
}

/// Stands in every message that came by smuggling.
pub(super) const SMUGGLED: &str = "smuggled in";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_result_is_there() {
        let results: BTreeSet<_> = MESSAGES.iter().map(|message| message.result).collect();
        let judged = FindingResult::ALL.iter().copied();
        assert!(results.into_iter().eq(judged.filter(|result| *result != FindingResult::Policy)));
    }

    #[test]
    fn no_message_ends_too_soon() {
        for (number, message) in MESSAGES.iter().enumerate() {
            let octets = message.octets(number);
            assert!(!octets.windows(5).any(|end| end == b"\r\n.\r\n"), "{}", message.title);
        }
    }
}
