//! Who wrote a message and who sent it, as its header says: From, Sender, Reply-To.

use quivive_evidence::{FindingResult, Header, HeaderField, Octets, Stop};
use quivive_mail::{AddressList, Charset, NamedMailbox};

use crate::binding::{Judgement, judge};
use crate::ownership::{Inquiry, Ownership};
use crate::usage::UseOf;
use crate::{Address, Excuse, Scope, names, resent};

/// How many domains of a From field are counted.
const DOMAINS_MAX: usize = 10;

/// What makes a field one that others may read otherwise than we do.
pub(crate) enum Fault {
    /// A second one, none where one must be, or one whose name is hidden.
    Number(&'static str),
    /// No list of addresses: what is wrong.
    Malformed(&'static str, String),
    /// An address in pieces.
    NotPlain(&'static str),
}

impl From<Fault> for Judgement {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Number(cause) | Fault::NotPlain(cause) => Self::new(FindingResult::Fail, cause),
            Fault::Malformed(cause, error) => {
                Self::new(FindingResult::Permerror, cause).decided_by(error)
            }
        }
    }
}

/// Every author must be the client's own.
pub(crate) fn from(inquiry: &mut Inquiry<'_>, header: &Header) -> Result<Judgement, Stop> {
    let list = match one(header, "From") {
        Ok(list) => list,
        Err(fault) => return Ok(unless_foreign(inquiry, fault)),
    };
    let over = over_domains(inquiry, &list)?;
    let judgement = all_granted(inquiry, &list, Scope::From)?;
    if judgement.is(FindingResult::Fail) && is_excused(inquiry, header)? {
        let excused = Judgement::new(FindingResult::Pass, "on-behalf");
        return Ok(Judgement { address: judgement.address, ..excused });
    }
    if !judgement.is(FindingResult::Pass) {
        return Ok(judgement);
    }
    if let Some(refused) = names::of_others(inquiry, &list)? {
        return Ok(refused);
    }
    if let Some(refused) = reply_to(inquiry, header)? {
        return Ok(refused);
    }
    match over {
        Some(count) => {
            let over = Judgement::new(FindingResult::Policy, "new-from-domains");
            let over = over.decided_by(format!("{count} in an hour"));
            Ok(Judgement { address: judgement.address, ..over })
        }
        None => Ok(judgement),
    }
}

/// Who sent it for the authors, where that is said.
pub(crate) fn sender(inquiry: &mut Inquiry<'_>, header: &Header) -> Result<Judgement, Stop> {
    if header.all("Sender").next().is_none() {
        return Ok(Judgement::new(FindingResult::None, "no-sender-field"));
    }
    match one(header, "Sender").and_then(|list| sole(&list, "sender-not-one-mailbox").cloned()) {
        Ok(mailbox) => {
            let address = Address::new(&mailbox.mailbox, inquiry.rules);
            judge(inquiry, &address, Scope::Sender).map(|(judgement, _)| judgement)
        }
        Err(fault) => Ok(unless_foreign(inquiry, fault)),
    }
}

/// A fault in the header of somebody who is not ours is not ours to judge.
pub(crate) fn unless_foreign(inquiry: &Inquiry<'_>, fault: Fault) -> Judgement {
    match inquiry.ours {
        true => fault.into(),
        false => Judgement::new(FindingResult::None, "no-client-of-ours"),
    }
}

/// The addresses of the one field of a name (RFC 5322 section 3.6).
fn one(header: &Header, name: &'static str) -> Result<AddressList, Fault> {
    let causes = Causes::of(name);
    if header.fields.iter().any(|field| !field.is(name) && field.resembles(name)) {
        return Err(Fault::Number(causes.hidden));
    }
    if header.broken {
        return Err(Fault::Number("header-broken"));
    }
    let mut fields = header.all(name);
    let field = fields.next().ok_or(Fault::Number(causes.missing))?;
    if fields.next().is_some() {
        return Err(Fault::Number(causes.twice));
    }
    read(field, causes)
}

/// The causes of a field's faults.
#[derive(Clone, Copy)]
pub(crate) struct Causes {
    missing: &'static str,
    twice: &'static str,
    hidden: &'static str,
    malformed: &'static str,
    not_plain: &'static str,
}

impl Causes {
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "From" => Self {
                missing: "from-missing",
                twice: "from-twice",
                hidden: "from-hidden",
                malformed: "from-malformed",
                not_plain: "from-not-plain",
            },
            "Sender" => Self {
                missing: "sender-missing",
                twice: "sender-twice",
                hidden: "sender-hidden",
                malformed: "sender-malformed",
                not_plain: "sender-not-plain",
            },
            "Reply-To" => Self {
                missing: "reply-to-missing",
                twice: "reply-to-twice",
                hidden: "reply-to-hidden",
                malformed: "reply-to-malformed",
                not_plain: "reply-to-not-plain",
            },
            _ => Self {
                missing: "resent-from-missing",
                twice: "resent-twice",
                hidden: "resent-hidden",
                malformed: "resent-malformed",
                not_plain: "resent-not-plain",
            },
        }
    }
}

/// The addresses of a field, each written in one piece.
pub(crate) fn read(field: &HeaderField, causes: Causes) -> Result<AddressList, Fault> {
    let Octets(value) = &field.value;
    let list = AddressList::parse(value, Charset::Utf8)
        .map_err(|error| Fault::Malformed(causes.malformed, error.to_string()))?;
    let plain = list.mailboxes().all(|mailbox| mailbox.plain);
    if plain { Ok(list) } else { Err(Fault::NotPlain(causes.not_plain)) }
}

pub(crate) fn sole<'l>(
    list: &'l AddressList,
    cause: &'static str,
) -> Result<&'l NamedMailbox, Fault> {
    list.sole_mailbox().ok_or(Fault::Number(cause))
}

/// Whether the client may use every address of a list: the first that it may not decides.
pub(crate) fn all_granted(
    inquiry: &mut Inquiry<'_>,
    list: &AddressList,
    scope: Scope,
) -> Result<Judgement, Stop> {
    let mut first = None;
    for mailbox in list.mailboxes() {
        let address = Address::new(&mailbox.mailbox, inquiry.rules);
        let (judgement, _) = judge(inquiry, &address, scope)?;
        if !judgement.is(FindingResult::Pass) && inquiry.walk.is_certain() {
            return Ok(judgement);
        }
        first.get_or_insert(judgement);
    }
    // A group may be empty (RFC 6854): then nobody is the author.
    Ok(first.unwrap_or_else(|| unless_foreign(inquiry, Fault::Number("no-mailbox"))))
}

/// Whether a field that was granted speaks for authors who were not.
fn is_excused(inquiry: &mut Inquiry<'_>, header: &Header) -> Result<bool, Stop> {
    for excuse in &inquiry.rules.excused_by {
        let judgement = match excuse {
            Excuse::Sender => sender(inquiry, header)?,
            Excuse::Resent => resent::newest(inquiry, header)?,
        };
        // What belongs to nobody speaks for nobody.
        let granted = !matches!(judgement.conclusion.cause, "nobodys-address");
        if judgement.is(FindingResult::Pass) && granted {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What speaks against the Reply-To fields, where they are bound.
fn reply_to(inquiry: &mut Inquiry<'_>, header: &Header) -> Result<Option<Judgement>, Stop> {
    if !inquiry.rules.bind_reply_to || header.all("Reply-To").next().is_none() {
        return Ok(None);
    }
    let list = match one(header, "Reply-To") {
        Ok(list) => list,
        Err(fault) => return Ok(Some(fault.into())),
    };
    for mailbox in list.mailboxes() {
        let address = Address::new(&mailbox.mailbox, inquiry.rules);
        let owner = inquiry.owner(&address, Scope::ReplyTo)?;
        if !matches!(owner, Ownership::Own(_)) && inquiry.walk.is_certain() {
            let judgement = Judgement::new(FindingResult::Fail, "reply-to-not-granted");
            return Ok(Some(judgement.of(&address)));
        }
    }
    Ok(None)
}

/// How many new domains the client's From fields have named, if that is too many.
fn over_domains(inquiry: &mut Inquiry<'_>, list: &AddressList) -> Result<Option<u64>, Stop> {
    let Some(most) = inquiry.rules.new_domains_max else { return Ok(None) };
    let mut domains: Vec<String> = Vec::new();
    for mailbox in list.mailboxes() {
        let domain = Address::new(&mailbox.mailbox, inquiry.rules).domain().to_owned();
        if !domains.contains(&domain) && domains.len() < DOMAINS_MAX {
            domains.push(domain);
        }
    }
    let used = if domains.is_empty() { None } else { inquiry.used(UseOf::Domains(domains))? };
    Ok(used.filter(|used| *used > u64::from(most)))
}
