//! Whom mail is taken for. RFC 5321 section 7.1 and long experience: a server that relays for
//! everybody is everybody's weapon.

use quivive_mail::{EnhancedStatus, ForwardPath, MailDomain};
use quivive_smtp::Reply;

const RELAY: Reply =
    Reply::new(550, EnhancedStatus(5, 7, 1), "Mail for this domain is not taken here");
const ROUTE: Reply =
    Reply::new(550, EnhancedStatus(5, 7, 1), "A recipient may not route mail on from here");

/// What speaks against a recipient. `domains`: those that mail is taken for, as A-labels; none of
/// them: any domain.
///
/// A local part with `%`, `!` or `@` may be a route to elsewhere for a next hop that believes in
/// such things (`user%other.example@here`): then whoever trusts us would relay.
pub(super) fn refusal(domains: &[String], recipient: &ForwardPath) -> Option<Reply> {
    let ForwardPath::Mailbox(mailbox) = recipient else { return None };
    let ours = match mailbox.domain() {
        _ if domains.is_empty() => true,
        MailDomain::Literal(_) => false,
        name @ MailDomain::Name(_) => name.to_ascii().is_some_and(|name| domains.contains(&name)),
    };
    if !ours {
        return Some(RELAY);
    }
    mailbox.local_part().contains(['%', '!', '@']).then_some(ROUTE)
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
    fn nobody_routes_through_us() {
        for path in [
            "<a%there.example@here.example>",
            "<there.example!a@here.example>",
            "<\"a@there.example\"@here.example>",
            "<\"a%there.example\"@here.example>",
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
