//! Where a recipient's mail goes: to the next hop, as nearly all of it, or elsewhere by the relay,
//! where the recipient is an alias or an address that we rewrote.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use quivive_mail::aliases::{Aliases, ExpansionError};
use quivive_mail::{Charset, EnhancedStatus, ForwardPath, MailDomain, Mailbox, ReversePath};
use quivive_smtp::{Mail, Reply};
use quivive_srs::Written;
use quivive_verdict::Rewrite;

use super::{Gateway, recipients};
use crate::next_hop::{Security, Target};
use crate::srs::{Incoming, Rewriter, Rewrites};

/// How a gateway forwards.
#[derive(Debug, Clone, Default)]
pub struct Forwarding {
    /// Which addresses stand for which others.
    pub aliases: Arc<Aliases>,
    /// What rewrites the senders of mail that leads elsewhere.
    pub rewriter: Option<Rewriter>,
    /// The way out for what leads elsewhere, an SMTP server, and how it is spoken to.
    pub relay: Option<(Target, Security)>,
}

/// Where a recipient's mail goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Destination {
    pub(super) way: Way,
    /// Under which addresses.
    pub(super) targets: Vec<ForwardPath>,
    /// The recipient is not one of them, and need not know of them.
    pub(super) is_private: bool,
}

/// What all recipients of a transaction have in common, for there is one envelope to hand on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) hop: WhichHop,
    pub(super) reverse_path: ReversePath,
    /// An address needs SMTPUTF8, although the client did not say so.
    pub(super) smtputf8: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WhichHop {
    Next,
    Relay,
}

/// As it stands in the log.
impl fmt::Display for WhichHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Next => "the next hop",
            Self::Relay => "the relay",
        })
    }
}

/// What became of the addresses of one transaction.
#[derive(Debug, Default)]
pub(super) struct Trail {
    pub(super) rewrites: Rewrites,
    /// The reverse-path for what leads elsewhere: the same for all recipients, also around
    /// midnight.
    outward: Option<ReversePath>,
}

const NO_FORWARDING_ADDRESS: Reply =
    Reply::new(550, EnhancedStatus(5, 1, 1), "There is no such forwarding address here");
const NO_RELAY: Reply = Reply::new(
    451,
    EnhancedStatus(4, 3, 5),
    "This address leads elsewhere, and there is no way there; please try again later",
);
const ALIAS_LOOP: Reply =
    Reply::new(554, EnhancedStatus(5, 4, 6), "This address leads back to itself");

impl Gateway {
    /// Where mail for a recipient goes, or how it is refused before anybody is asked.
    pub(super) fn destination(
        &self,
        client: IpAddr,
        mail: &Mail,
        recipient: &ForwardPath,
        trail: &mut Trail,
    ) -> Result<Destination, Reply> {
        let ForwardPath::Mailbox(mailbox) = recipient else {
            return self.ordinary(mail, recipient);
        };
        if let Some(refusal) = recipients::odd_domain(mailbox.domain()) {
            return Err(refusal);
        }
        if let Some(rewriter) = &self.settings.forwarding.rewriter
            && self.relay.is_some()
            && let Some(original) = self.returned(client, rewriter, mail, mailbox, trail)?
        {
            return self.onward(mail, vec![original], trail);
        }
        match self.settings.forwarding.aliases.expand(mailbox) {
            Ok(None) => self.ordinary(mail, recipient),
            Ok(Some(targets)) => {
                let names = targets.iter().map(Mailbox::to_string);
                trail.rewrites.note(Rewrite::of_alias(&mailbox.to_string()).to(names));
                self.onward(mail, targets, trail)
            }
            Err(ExpansionError::Circle | ExpansionError::TooDeep | ExpansionError::TooMany) => {
                Err(ALIAS_LOOP)
            }
        }
    }

    /// A recipient that is what it says.
    fn ordinary(&self, mail: &Mail, recipient: &ForwardPath) -> Result<Destination, Reply> {
        if let Some(refusal) = recipients::refusal(&self.settings.recipient_domains, recipient) {
            let of_srs = self.is_of_srs(recipient) && !self.is_named(recipient);
            return Err(if of_srs { NO_FORWARDING_ADDRESS } else { refusal });
        }
        let reverse_path = mail.reverse_path.clone();
        let way = Way { hop: WhichHop::Next, reverse_path, smtputf8: false };
        Ok(Destination { way, targets: vec![recipient.clone()], is_private: false })
    }

    /// The original of a recipient that is an address which we rewrote. None: it is not one, or
    /// looks like one and may be something else.
    fn returned(
        &self,
        client: IpAddr,
        rewriter: &Rewriter,
        mail: &Mail,
        mailbox: &Mailbox,
        trail: &mut Trail,
    ) -> Result<Option<Mailbox>, Reply> {
        let incoming = Incoming {
            client: Some(client).filter(|client| !self.is_exempt(*client)),
            sender: &mail.reverse_path.address(),
            recipient: mailbox,
            has_mailboxes: self.takes(mailbox.domain()),
        };
        self.returns.original(rewriter, &incoming, &mut trail.rewrites)
    }

    /// The way to what a recipient stands for. That all of it is here or all of it elsewhere was
    /// seen to when the table was read.
    fn onward(
        &self,
        mail: &Mail,
        targets: Vec<Mailbox>,
        trail: &mut Trail,
    ) -> Result<Destination, Reply> {
        let is_here = targets.iter().all(|target| self.takes(target.domain()));
        let smtputf8 = !mail.parameters.smtputf8 && targets.iter().any(Mailbox::needs_smtputf8);
        let targets: Vec<ForwardPath> = targets.into_iter().map(ForwardPath::Mailbox).collect();
        let (hop, reverse_path) = match is_here {
            true => {
                let domains = &self.settings.recipient_domains;
                let refusal = |target| recipients::refusal(domains, target);
                if let Some(refusal) = targets.iter().find_map(refusal) {
                    return Err(refusal);
                }
                (WhichHop::Next, mail.reverse_path.clone())
            }
            false if self.relay.is_none() => return Err(NO_RELAY),
            false => (WhichHop::Relay, self.outward(mail, trail)),
        };
        let way = Way { hop, reverse_path, smtputf8 };
        Ok(Destination { way, targets, is_private: true })
    }

    /// The reverse-path under which mail leads elsewhere.
    fn outward(&self, mail: &Mail, trail: &mut Trail) -> ReversePath {
        if let Some(outward) = &trail.outward {
            return outward.clone();
        }
        let own = &mail.reverse_path;
        let outward = match (&self.settings.forwarding.rewriter, own) {
            (None, _) | (_, ReversePath::Null) => own.clone(),
            (Some(rewriter), ReversePath::Mailbox(_)) => rewritten(rewriter, own, trail),
        };
        trail.outward.insert(outward).clone()
    }

    /// Whether mail for this domain is taken by name.
    pub(super) fn takes(&self, domain: &MailDomain) -> bool {
        domain.to_ascii().is_some_and(|name| self.settings.recipient_domains.contains(&name))
    }

    fn is_named(&self, recipient: &ForwardPath) -> bool {
        matches!(recipient, ForwardPath::Mailbox(mailbox) if self.takes(mailbox.domain()))
    }

    fn is_of_srs(&self, recipient: &ForwardPath) -> bool {
        let ForwardPath::Mailbox(mailbox) = recipient else { return false };
        let rewriter = self.settings.forwarding.rewriter.as_ref().filter(|_| self.relay.is_some());
        let domain = mailbox.domain().to_ascii();
        rewriter.zip(domain).is_some_and(|(rewriter, name)| rewriter.forwarder().is_ours(&name))
    }
}

fn rewritten(rewriter: &Rewriter, own: &ReversePath, trail: &mut Trail) -> ReversePath {
    let address = own.address();
    match rewriter.forward(&address) {
        Written::Rewritten(becomes) => {
            trail
                .rewrites
                .note(Rewrite::of_sender(&address, "rewritten", "").to([becomes.clone()]));
            let path = format!("<{becomes}>");
            ReversePath::parse(path.as_bytes(), Charset::Utf8).unwrap_or_else(|_| own.clone())
        }
        Written::Kept(reason) => {
            trail.rewrites.note(Rewrite::of_sender(&address, "kept", reason.text()));
            own.clone()
        }
    }
}

/// What of an alias table cannot be done here, with the alias.
pub(super) fn impossible(gateway: &Gateway, is_lmtp: bool) -> Option<(String, &'static str)> {
    let aliases = &gateway.settings.forwarding.aliases;
    let problem = |targets: &[Mailbox]| {
        let here = targets.iter().filter(|target| gateway.takes(target.domain())).count();
        match (here, targets.len() - here) {
            (_, 0) if is_lmtp && here > 1 => Some(
                "it stands for several addresses here, and LMTP takes one at a time; let the next \
                 hop expand it",
            ),
            (_, 0) => None,
            (0, _) if gateway.relay.is_some() => None,
            (0, _) => Some("it leads elsewhere, and [outgoing] names no relay"),
            _ => Some(
                "it leads to addresses here and elsewhere, which are two ways for one message, \
                 and there is no queue here to hold one of them; let the next hop expand it, or \
                 name only addresses elsewhere",
            ),
        }
    };
    aliases
        .samples()
        .find_map(|(alias, targets)| problem(&targets).map(|problem| (alias.to_owned(), problem)))
}
