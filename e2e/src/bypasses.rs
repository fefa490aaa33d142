//! Every known way around submission binding (section 6 of its sheet), by its number, as alice
//! tries it who wants to pass for bob. What is a matter of the session stands with the tests.

use crate::book;
use crate::client::Dialogue;
use crate::submission::OWN;

/// A way around.
#[derive(Debug, Clone, Copy)]
pub struct Bypass {
    /// As the sheet counts.
    pub number: u32,
    /// As the page calls it.
    pub name: &'static str,
    /// How it is tried.
    pub attempts: &'static [Attempt],
}

/// One message.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// The reverse-path, without angle brackets, with the parameters behind it.
    mail_from: &'static str,
    message: &'static str,
    /// Whether the envelope gives it away.
    pub in_envelope: bool,
}

/// Grants that the page does not have, for what it does not show.
pub const GRANTS: &str = "\
@shared.example           alice, bob
boss@shared.example       bob
info@b\u{fc}cher.example  bob
j\u{f6}rg@example.org     bob
";

const fn envelope(mail_from: &'static str) -> Attempt {
    Attempt { mail_from, message: OWN, in_envelope: true }
}

const fn header(message: &'static str) -> Attempt {
    Attempt { mail_from: "<alice@example.org>", message, in_envelope: false }
}

/// All that are a matter of one message.
pub const BYPASSES: &[Bypass] = &[
    Bypass {
        number: 1,
        name: "own envelope, forged From",
        attempts: &[header("From: bob@example.org")],
    },
    Bypass {
        number: 2,
        name: "own Sender, forged From",
        attempts: &[
            header("From: bob@example.org\r\nSender: alice@example.org"),
            header("Sender: alice@example.org\r\nFrom: bob@example.org"),
        ],
    },
    Bypass {
        number: 3,
        name: "own Resent-From, forged From",
        attempts: &[header("Resent-From: alice@example.org\r\nFrom: bob@example.org")],
    },
    Bypass {
        number: 4,
        name: "a From that readers read otherwise",
        attempts: &[
            header("From: alice@example.org\r\nFrom: bob@example.org"),
            header("From: bob@example.org\r\nSubject: x\r\nfROM: alice@example.org"),
            header("From: alice@example.org, bob@example.org"),
            header("From: us: alice@example.org, bob@example.org;"),
            header("From: us:;"),
            header("From:\r\n bob@example.org"),
            header("From:\r\n\t\r\n bob@example.org"),
            header("From: alice@example.org,\r\n\tbob@example.org"),
            header("From : bob@example.org"),
            header("From: alice@example.org\r\nFrom\t: bob@example.org"),
            header("From: <@elsewhere.test:alice@example.org>"),
            header("From: <@elsewhere.test:bob@example.org>"),
            header("From: alice@example.org (bob@example.org)"),
            header("From: alice(bob@example.org)@example.org"),
            header("From: \"bob@example.org\" <alice@example.org>"),
            header("From: =?utf-8?q?bob=40example=2Eorg?= <alice@example.org>"),
            header("From: =?utf-8?b?Ym9iQGV4YW1wbGUub3Jn?= <alice@example.org>"),
            header("From: bob@example.org <alice@example.org>"),
            header("From: <bob@example.org> <alice@example.org>"),
            header("From: \"alice@example.org\" <bob@example.org>"),
            header("From: alice@example.org\0, bob@example.org"),
            header("From: alice@example.org; bob@example.org"),
            header("From:"),
            header("Subject: nobody wrote this"),
        ],
    },
    Bypass { number: 5, name: "null sender", attempts: &[envelope("<>")] },
    Bypass {
        number: 6,
        name: "details",
        attempts: &[
            envelope("<bob+x@example.org>"),
            envelope("<bob+alice@example.org>"),
            header("From: bob+alice@example.org"),
        ],
    },
    Bypass {
        number: 7,
        name: "spelling",
        attempts: &[
            envelope("<BOB@EXAMPLE.ORG>"),
            envelope("<\"bob\"@example.org>"),
            envelope("<\"b\\ob\"@Example.org>"),
            envelope("<bob@example.org.>"),
            envelope("<info@xn--bcher-kva.example>"),
            envelope("<jo\u{308}rg@example.org> SMTPUTF8"),
            envelope("<b\u{43e}b@example.org> SMTPUTF8"),
            header("From: Bob@Example.ORG"),
            header("From: \"bob\"@example.org"),
            header("From: bob @ example . org"),
            header("From: bob@example.org."),
            header("From: bob@\u{ff45}xample.org"),
            header("From: info@b\u{fc}cher.example"),
            header("From: J\u{d6}RG@example.org"),
            header("From: b\u{43e}b@example.org"),
        ],
    },
    Bypass {
        number: 8,
        name: "a domain granted to all its users",
        attempts: &[
            envelope("<boss@shared.example>"),
            envelope("<boss+x@shared.example>"),
            header("From: boss@shared.example"),
        ],
    },
    Bypass {
        number: 9,
        name: "percent hacks and source routes",
        attempts: &[
            envelope("<bob%example.org@example.org>"),
            envelope("<bob%example.org@shared.example>"),
            envelope("<example.org!bob@shared.example>"),
            envelope("<\"bob@example.org\"@shared.example>"),
            envelope("<@relay.test:bob@example.org>"),
            header("From: bob%example.org@shared.example"),
            header("From: example.org!bob@shared.example"),
            header("From: \"bob@example.org\"@shared.example"),
        ],
    },
    Bypass {
        number: 11,
        name: "an author inside an attached message",
        attempts: &[header(
            "From: bob@example.org\r\nContent-Type: message/rfc822\r\n\r\nFrom: alice@example.org",
        )],
    },
    Bypass {
        number: 17,
        name: "writing for another without a grant",
        attempts: &[
            header("From: bob@example.org\r\nSender: list@lists.example.org"),
            header("From: alice@example.org\r\nSender: bob@example.org"),
            header(
                "Resent-From: bob@example.org\r\nResent-To: x@y.test\r\nFrom: alice@example.org",
            ),
            header("From: alice@example.org\r\nSender: team@example.org"),
        ],
    },
    Bypass {
        number: 18,
        name: "a signature of another tenant",
        attempts: &[header(
            "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=x; h=from; bh=x; b=x\r\n\
             From: bob@example.org",
        )],
    },
];

impl Attempt {
    /// Tries it in a session of alice's, and gives the first reply that refuses it, or the last.
    ///
    /// # Panics
    /// When the session breaks.
    pub fn of(&self, client: &mut Dialogue) -> String {
        let is_well = |reply: &str| reply.starts_with('2') || reply.starts_with('3');
        for line in [&*format!("MAIL FROM:{}", self.mail_from), RCPT, "DATA"] {
            let reply = client.ask(line);
            if !is_well(&reply) {
                return reply;
            }
        }
        let has_body = self.message.contains("\r\n\r\n");
        let body = if has_body { "" } else { "\r\n\r\nbody" };
        client.ask(&format!("{}{body}\r\n.", self.message))
    }
}

/// The recipient of all of them.
pub const RCPT: &str = "RCPT TO:<somebody@example.test>";

/// Whether the page says that this one is refused through a door, by the number of its column.
///
/// # Panics
/// When the page does not know it.
pub fn page_says(number: u32, name: &str, column: usize) -> bool {
    let page = book::page("submission.md");
    let start = format!("| {number} | {name}");
    let row = page
        .lines()
        .find(|line| line.strip_prefix(&*start).is_some_and(|rest| rest.starts_with(" |")));
    let row = row.unwrap_or_else(|| panic!("docs/submission.md has no row {start}"));
    let words: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
    match words[column + 3] {
        "yes" => true,
        "-" => false,
        other => panic!("docs/submission.md: {other:?} in row {number}"),
    }
}
