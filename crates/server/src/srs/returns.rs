//! Mail for addresses that we rewrote, at whatever door it comes in: whose it is, or how it is
//! refused.

use std::net::IpAddr;
use std::time::Duration;

use quivive_console::{Throttle, network};
use quivive_mail::{Charset, EnhancedStatus, Mailbox};
use quivive_smtp::Reply;
use quivive_srs::{Refusal, ReturnRefusal, Returned};
use quivive_verdict::Rewrite;

use super::{Rewriter, Rewrites};

/// How many forged forwarding addresses a network may try at once; of four base64 digits there are
/// sixteen million.
pub(crate) const FORGERIES_MAX: u32 = 20;

/// How long it takes until one of them is forgiven.
const FORGERY_TIME: Duration = Duration::from_secs(60);

const NO_WAY_BACK: Reply =
    Reply::new(550, EnhancedStatus(5, 1, 3), "What this forwarding address holds is no address");
const BOUNCES_ONLY: Reply = Reply::new(
    550,
    EnhancedStatus(5, 7, 1),
    "Only bounces are taken for a forwarding address; write to the sender itself",
);
const TOO_MANY_FORGED: Reply = Reply::new(
    451,
    EnhancedStatus(4, 7, 1),
    "Too many forged forwarding addresses from you; please try again later",
);

/// What comes back, with the forged addresses by the network that tried them.
pub(crate) struct Returns {
    forgeries: Throttle,
}

/// Mail for a recipient that may be an address of our rewriting.
pub(crate) struct Incoming<'a> {
    /// Who sends it, to be put off after too many forged addresses; none: nobody to put off.
    pub(crate) client: Option<IpAddr>,
    /// Its reverse-path.
    pub(crate) sender: &'a str,
    /// Whom it is for.
    pub(crate) recipient: &'a Mailbox,
    /// Whether mailboxes of others than us are at the recipient's domain too.
    pub(crate) has_mailboxes: bool,
}

impl Returns {
    pub(crate) fn new() -> Self {
        Self { forgeries: Throttle::new(FORGERIES_MAX, FORGERY_TIME) }
    }

    /// The original of a recipient that is an address which we rewrote. None: it is not one, or
    /// looks like one and may be something else.
    pub(crate) fn original(
        &self,
        rewriter: &Rewriter,
        incoming: &Incoming<'_>,
        rewrites: &mut Rewrites,
    ) -> Result<Option<Mailbox>, Reply> {
        let address = incoming.recipient.to_string();
        let (original, how) = match self.returned(rewriter, incoming, &address)? {
            Returned::NotOurs => return Ok(None),
            Returned::Original(original) => {
                let how = original.to_string();
                (original.address, how)
            }
            Returned::Unsigned(unsigned) => {
                (unsigned.address, "the early form without a hash, still taken".to_owned())
            }
            Returned::Refused(refusal) => {
                let word = refusal.word();
                rewrites.note(Rewrite::of_recipient(&address, word, refusal.text()));
                return match refusal {
                    // It may be the tag of a mailing list at a domain of ours.
                    ReturnRefusal::Unsigned(_) if incoming.has_mailboxes => Ok(None),
                    ReturnRefusal::NotABounce => Err(BOUNCES_ONLY),
                    _ => Err(Reply::new(550, EnhancedStatus(5, 1, 1), refusal.text())),
                };
            }
        };
        rewrites.note(Rewrite::of_recipient(&address, "pass", &how).to([original.clone()]));
        match Mailbox::parse(original.as_bytes(), Charset::Utf8) {
            Ok(original) => Ok(Some(original)),
            Err(_) => Err(NO_WAY_BACK),
        }
    }

    /// Whoever guesses hashes hears nothing after some that were wrong, not even of a right one.
    fn returned(
        &self,
        rewriter: &Rewriter,
        incoming: &Incoming<'_>,
        address: &str,
    ) -> Result<Returned, Reply> {
        let account = network(incoming.client);
        let is_counted = account.is_some() && rewriter.is_tagged(address);
        if is_counted && !self.forgeries.take(account) {
            return Err(TOO_MANY_FORGED);
        }
        let returned = rewriter.reverse(address, Some(incoming.sender));
        let is_forged =
            matches!(returned, Returned::Refused(ReturnRefusal::Srs(Refusal::HashInvalid)));
        if is_counted && !is_forged {
            self.forgeries.give_back(account);
        }
        Ok(returned)
    }
}
