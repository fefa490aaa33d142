//! Whom mail is taken for. RFC 5321 section 7.1 and long experience: a server that relays for
//! everybody is everybody's weapon.

use quivive_mail::{EnhancedStatus, ForwardPath, MailDomain, domain};
use quivive_smtp::Reply;

const RELAY: Reply =
    Reply::new(550, EnhancedStatus(5, 7, 1), "Mail for this domain is not taken here");
const ROUTE: Reply =
    Reply::new(550, EnhancedStatus(5, 7, 1), "A recipient may not route mail on from here");

const ODD_DOMAIN: Reply = Reply::new(
    501,
    EnhancedStatus(5, 1, 3),
    "The recipient's domain is not spelt as a domain name is",
);

/// What may part a mailbox from a route in a local part: also as the full-width and small forms
/// that a next hop may fold into the plain ones.
const ROUTING: [char; 9] =
    ['%', '!', '@', '\u{ff05}', '\u{ff01}', '\u{ff20}', '\u{fe6a}', '\u{fe57}', '\u{fe6b}'];

/// What speaks against a recipient. `domains`: those that mail is taken for, as A-labels; none of
/// them: any domain.
///
/// A local part with `%`, `!` or `@` may be a route to elsewhere for a next hop that believes in
/// such things (`user%other.example@here`): then whoever trusts us would relay.
pub(super) fn refusal(domains: &[String], recipient: &ForwardPath) -> Option<Reply> {
    let ForwardPath::Mailbox(mailbox) = recipient else { return None };
    if let Some(refusal) = odd_domain(mailbox.domain()) {
        return Some(refusal);
    }
    let ours = match mailbox.domain() {
        _ if domains.is_empty() => true,
        MailDomain::Literal(_) => false,
        name @ MailDomain::Name(_) => name.to_ascii().is_some_and(|name| domains.contains(&name)),
    };
    if !ours {
        return Some(RELAY);
    }
    mailbox.local_part().contains(ROUTING).then_some(ROUTE)
}

/// A next hop may read an oddly spelt domain as another one than we do.
pub(super) fn odd_domain(domain: &MailDomain) -> Option<Reply> {
    match domain {
        MailDomain::Name(name) if !domain::is_plainly_spelt(name) => Some(ODD_DOMAIN),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use quivive_mail::Charset;

    use super::*;

    fn is_taken(domains: &[&str], path: &str) -> bool {
        let domains: Vec<String> = domains.iter().map(|domain| domain.to_string()).collect();
        let path = ForwardPath::parse(path.as_bytes(), Charset::Utf8).unwrap();
        refusal(&domains, &path).is_none()
    }

    #[test]
    fn only_our_domains_are_taken() {
        let ours = &["here.example", "xn--bcher-kva.example"];
        for path in
            ["<a@here.example>", "<a@HERE.example>", "<a@b\u{fc}cher.example>", "<postmaster>"]
        {
            assert!(is_taken(ours, path), "{path}");
        }
        for path in [
            "<a@there.example>",
            "<a@sub.here.example>",
            "<a@[192.0.2.1]>",
            "<a@here.example.there.example>",
        ] {
            assert!(!is_taken(ours, path), "{path}");
        }
    }

    #[test]
    fn a_domain_is_spelt_as_we_and_the_next_hop_both_read_it() {
        for path in [
            "<a@\u{ff48}ere.example>",
            "<a@he\u{ad}re.example>",
            "<a@here\u{3002}example>",
            "<a@bu\u{308}cher.example>",
        ] {
            for domains in [vec![], vec!["here.example".to_owned()]] {
                let path = ForwardPath::parse(path.as_bytes(), Charset::Utf8).unwrap();
                let reply = refusal(&domains, &path).unwrap();
                assert_eq!(reply.to_string(), ODD_DOMAIN.to_string(), "{path}");
            }
        }
    }

    #[test]
    fn nobody_routes_through_us() {
        for path in [
            "<a%there.example@here.example>",
            "<there.example!a@here.example>",
            "<\"a@there.example\"@here.example>",
            "<\"a%there.example\"@here.example>",
            "<a\u{ff05}there.example@here.example>",
            "<a\u{ff20}there.example@here.example>",
            "<there.example\u{ff01}a@here.example>",
        ] {
            assert!(!is_taken(&["here.example"], path), "{path}");
            assert!(!is_taken(&[], path), "{path}");
        }
    }

    #[test]
    fn without_domains_all_are_taken() {
        assert!(is_taken(&[], "<a@anywhere.example>"));
        assert!(is_taken(&[], "<a@[192.0.2.1]>"));
    }
}
