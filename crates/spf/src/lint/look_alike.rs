//! Names that can be taken for others: a slip, or somebody who hopes for one.

use quivive_evidence::{Remark, Severity};
use quivive_mail::domain;
use unicode_security::skeleton;

use super::term::{Meaning, Term};
use super::tree;
use crate::record::Mechanism;

/// What providers have their customers include. A name that is nearly one of these is hardly
/// somebody else's.
const PROVIDERS: &[&str] = &[
    "_netblocks.mimecast.com",
    "_spf.atlassian.net",
    "_spf.firebasemail.com",
    "_spf.google.com",
    "_spf.kundenserver.de",
    "_spf.mail.ru",
    "_spf.mailgun.org",
    "_spf.mlsend.com",
    "_spf.mx.cloudflare.net",
    "_spf.perfora.net",
    "_spf.protonmail.ch",
    "_spf.salesforce.com",
    "_spf.yandex.net",
    "amazonses.com",
    "aspmx.googlemail.com",
    "emailsrvr.com",
    "eu._netblocks.mimecast.com",
    "helpscoutemail.com",
    "mail.zendesk.com",
    "mailgun.org",
    "mktomail.com",
    "mx.ovh.com",
    "relay.mailchannels.net",
    "secureserver.net",
    "sendgrid.net",
    "servers.mcsv.net",
    "spf.brevo.com",
    "spf.mailjet.com",
    "spf.mandrillapp.com",
    "spf.messagingengine.com",
    "spf.migadu.com",
    "spf.mtasv.net",
    "spf.protection.outlook.com",
    "spf.sendinblue.com",
    "spf.sparkpostmail.com",
    "spf.web-hosting.com",
    "us._netblocks.mimecast.com",
    "zoho.com",
    "zohomail.com",
];

/// Remarks about what the terms include or redirect to.
pub(super) fn remarks(terms: &[Term<'_>]) -> Vec<Remark> {
    let named: Vec<_> = terms.iter().filter_map(|term| Some((term, policy_name(term)?))).collect();
    let mut remarks = Vec::new();
    for (index, (term, name)) in named.iter().enumerate() {
        let before = named[..index].iter().map(|(_, name)| &**name);
        let known = PROVIDERS.iter().copied().chain(before);
        let remark = known.filter(|known| known != &&**name).find_map(|known| {
            let likeness = likeness(name, known)?;
            Some(Remark::new(
                Severity::Warning,
                "look-alike",
                term.span.clone(),
                format!(
                    "`{name}` {likeness} `{known}`; whoever owns it may send for this \
                     domain"
                ),
                format!("write `{known}`, or make sure that `{name}` is meant"),
            ))
        });
        remarks.extend(remark.or_else(|| mixed(term, name)));
    }
    remarks
}

/// The domain whose policy becomes a part of this one.
fn policy_name(term: &Term<'_>) -> Option<String> {
    let is_policy = matches!(
        term.meaning(),
        Ok(Meaning::Redirect(_) | Meaning::Directive(_, Mechanism::Include(_)))
    );
    term.target().filter(|_| is_policy).and_then(|target| tree::name_of(Some(target), None))
}

/// How a name can be taken for a known one.
fn likeness(name: &str, known: &str) -> Option<&'static str> {
    if seen(name) == seen(known) {
        return Some("looks like");
    }
    // Labels that a domain gives itself differ by a letter on purpose: `_spf1`, `_spf2`.
    let (ours, theirs) = (registered(name), registered(known));
    let is_near = ours != theirs
        && theirs.len() >= 7
        && !is_numbered(ours, theirs)
        && strsim::osa_distance(ours, theirs) == 1;
    is_near.then_some("is one letter away from")
}

/// A name as the eye takes it: letters that look alike are one (UTS #39 section 4, and what a
/// narrow font does to ASCII).
fn seen(name: &str) -> String {
    let name = domain::to_unicode(name).to_lowercase();
    let seen: String = skeleton(&name).collect();
    seen.replace('0', "o")
        .replace(['1', 'i', '|'], "l")
        .replace("rn", "m")
        .replace("vv", "w")
        .to_lowercase()
}

/// The last two labels: what somebody has registered, as far as that can be said without a list.
fn registered(name: &str) -> &str {
    let mut dots = name.rmatch_indices('.').map(|(at, _)| at);
    let _ = dots.next();
    dots.next().map_or(name, |at| &name[at + 1..])
}

/// Whether two names differ in a digit alone.
fn is_numbered(one: &str, other: &str) -> bool {
    let letters = |name: &str| name.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    letters(one) == letters(other)
}

/// Letters of several alphabets in one label, which no language needs.
fn mixed(term: &Term<'_>, name: &str) -> Option<Remark> {
    use unicode_security::MixedScript;
    let unicode = domain::to_unicode(name);
    let label = unicode.split('.').find(|label| !label.is_single_script())?;
    Some(Remark::new(
        Severity::Warning,
        "look-alike",
        term.span.clone(),
        format!(
            "`{label}` mixes letters of several alphabets, so that it looks like another \
             name"
        ),
        format!("make sure that `{name}` is meant"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike() {
        for (name, known) in [
            ("_spf.g00gle.com", "_spf.google.com"),
            ("_spf.goog1e.com", "_spf.google.com"),
            ("_spf.xn--ggle-55da.com", "_spf.google.com"),
            ("arnazonses.com", "amazonses.com"),
        ] {
            assert_eq!(likeness(name, known), Some("looks like"), "{name}");
        }
        for (name, known) in [
            ("_spf.gogle.com", "_spf.google.com"),
            ("spf.protection.outlok.com", "spf.protection.outlook.com"),
            ("sendgird.net", "sendgrid.net"),
        ] {
            assert_eq!(likeness(name, known), Some("is one letter away from"), "{name}");
        }
    }

    #[test]
    fn names_that_do_not() {
        for (name, known) in [
            ("_spf.google.com", "_spf.google.co.uk"),
            ("_spf1.example.com", "_spf2.example.com"),
            ("a.example1.com", "a.example2.com"),
            ("_spf.example.com", "_spf.google.com"),
            ("zoho.eu", "zoho.com"),
        ] {
            assert_eq!(likeness(name, known), None, "{name}");
        }
    }
}
