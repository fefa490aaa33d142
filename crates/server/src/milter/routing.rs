//! Where the recipients of a message lead, and what becomes of its envelope for it.
//!
//! A message has one reverse-path, and the mail server expands aliases after us: the sender can be
//! rewritten only if all recipients lead elsewhere. Those that do not agree with the first come
//! again in a message of their own.

use std::net::IpAddr;

use quivive_mail::{Charset, EnhancedStatus, MailDomain, Mailbox};
use quivive_milter::{Edit, Session};
use quivive_smtp::Reply;
use quivive_srs::Written;
use quivive_verdict::Rewrite;

use super::settings::Forwarding;
use crate::srs::{Incoming, Returns, Rewriter, Rewrites};

const BY_ITSELF: Reply = Reply::new(
    452,
    EnhancedStatus(4, 5, 3),
    "This recipient's mail goes on under another return address; please send it by itself",
);
const TWO_WAYS: Reply = Reply::new(
    451,
    EnhancedStatus(4, 3, 5),
    "This alias leads here and elsewhere, which needs two return addresses; let its postmaster \
     rewrite where aliases are expanded already, or part the alias",
);
const ALIAS_LOOP: Reply =
    Reply::new(554, EnhancedStatus(5, 4, 6), "This address leads back to itself");

/// The ways of a message's recipients.
#[derive(Debug, Default)]
pub(super) struct Routing {
    pub(super) rewrites: Rewrites,
    /// Where the accepted recipients lead, as far as that makes a difference.
    way: Option<Way>,
    /// Under which reverse-path mail leads elsewhere: none, if under its own. Known once a
    /// recipient leads there, and then the same for all, also around midnight.
    outward: Option<Option<String>>,
    /// Recipients that are addresses of our rewriting, as they came, and their originals.
    returned: Vec<(Vec<u8>, Mailbox)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Here,
    Elsewhere,
}

/// A recipient that the mail server has nothing against.
pub(super) struct Recipient<'a> {
    /// As it came, with its angle brackets.
    pub(super) path: &'a [u8],
    /// Without them, and without a route.
    pub(super) address: &'a str,
    /// The reverse-path of the message.
    pub(super) sender: &'a str,
    /// Who sends it; none: the mail server's own host.
    pub(super) client: Option<IpAddr>,
}

impl Routing {
    /// Takes a recipient.
    ///
    /// # Errors
    /// How it is refused.
    pub(super) fn take(
        &mut self,
        forwarding: &Forwarding,
        returns: &Returns,
        recipient: &Recipient<'_>,
    ) -> Result<(), Reply> {
        // What is no address is the mail server's to refuse; `postmaster` alone is here.
        let mailbox = Mailbox::parse(recipient.address.as_bytes(), Charset::Utf8);
        let Ok(mailbox) = mailbox else { return self.lead(Way::Here, forwarding, recipient) };
        let incoming = Incoming {
            client: recipient.client.filter(|client| !client.is_loopback()),
            sender: recipient.sender,
            recipient: &mailbox,
            has_mailboxes: forwarding.has_mailboxes_at(mailbox.domain()),
        };
        if let Some(original) =
            returns.original(&forwarding.rewriter, &incoming, &mut self.rewrites)?
        {
            self.lead(forwarding.way(&original), forwarding, recipient)?;
            self.returned.push((bracketed(recipient.path), original));
            return Ok(());
        }
        let Ok(expanded) = forwarding.aliases.expand(&mailbox) else { return Err(ALIAS_LOOP) };
        let Some(targets) = expanded else {
            return self.lead(forwarding.way(&mailbox), forwarding, recipient);
        };
        let names = targets.iter().map(Mailbox::to_string);
        self.rewrites.note(Rewrite::of_alias(&mailbox.to_string()).to(names));
        let mut ways = targets.iter().map(|target| forwarding.way(target));
        let first = ways.next().unwrap_or(Way::Here);
        let is_parted = ways.any(|way| way != first);
        if is_parted && self.outward(&forwarding.rewriter, recipient.sender).is_some() {
            return Err(TWO_WAYS);
        }
        self.lead(first, forwarding, recipient)
    }

    /// A recipient leads this way. Where the sender stays as it is, all may.
    fn lead(
        &mut self,
        way: Way,
        forwarding: &Forwarding,
        recipient: &Recipient<'_>,
    ) -> Result<(), Reply> {
        let is_first = self.way.is_none_or(|first| first == way);
        let changes = match way {
            Way::Here => !matches!(self.outward, Some(None)),
            Way::Elsewhere => self.outward(&forwarding.rewriter, recipient.sender).is_some(),
        };
        if changes && !is_first {
            return Err(BY_ITSELF);
        }
        if changes {
            self.way = Some(way);
        }
        Ok(())
    }

    /// The reverse-path under which mail from this sender leads elsewhere; none: its own.
    fn outward(&mut self, rewriter: &Rewriter, sender: &str) -> Option<&str> {
        if self.outward.is_none() {
            let outward = match sender {
                "" => None,
                _ => rewritten(rewriter, sender, &mut self.rewrites),
            };
            self.outward = Some(outward);
        }
        self.outward.as_ref().and_then(Option::as_deref)
    }

    /// Changes the envelope of a message that is taken: whether the mail server lets us.
    pub(super) fn change(&self, session: &mut Session) -> bool {
        let sender = self.outward.as_ref().and_then(Option::as_deref);
        let sender = sender.filter(|_| self.way == Some(Way::Elsewhere));
        let sent = sender.is_none_or(|reverse_path| {
            session.edit(Edit::ChangeSender { reverse_path, parameters: "" })
        });
        sent && self.returned.iter().all(|(path, original)| {
            let forward_path = &original.to_string();
            session.edit(Edit::DeleteRecipient { path })
                && session.edit(Edit::AddRecipient { forward_path, parameters: "" })
        })
    }
}

impl Forwarding {
    fn way(&self, mailbox: &Mailbox) -> Way {
        let is_ours = |name: String| self.rewriter.forwarder().is_ours(&name);
        let is_here = self.has_mailboxes_at(mailbox.domain())
            || mailbox.domain().to_ascii().is_some_and(is_ours);
        if is_here { Way::Here } else { Way::Elsewhere }
    }

    fn has_mailboxes_at(&self, domain: &MailDomain) -> bool {
        let own = &self.rewriter.forwarder().policy().own_domains;
        domain.to_ascii().is_some_and(|name| own.contains(&name))
    }

    /// An alias that leads here and elsewhere, so that mail for it would be deferred for ever.
    pub fn parted_alias(&self) -> Option<String> {
        let is_parted = |targets: &[Mailbox]| {
            targets.iter().any(|target| self.way(target) != self.way(&targets[0]))
        };
        let mut samples = self.aliases.samples();
        samples.find(|(_, targets)| is_parted(targets)).map(|(alias, _)| alias.to_owned())
    }
}

fn rewritten(rewriter: &Rewriter, sender: &str, rewrites: &mut Rewrites) -> Option<String> {
    match rewriter.forward(sender) {
        Written::Rewritten(becomes) => {
            rewrites.note(Rewrite::of_sender(sender, "rewritten", "").to([becomes.clone()]));
            Some(becomes)
        }
        Written::Kept(reason) => {
            rewrites.note(Rewrite::of_sender(sender, "kept", reason.text()));
            None
        }
    }
}

/// Mail servers know their recipients by the path in its brackets.
fn bracketed(path: &[u8]) -> Vec<u8> {
    match path.starts_with(b"<") {
        true => path.to_vec(),
        false => [b"<", path, b">"].concat(),
    }
}
