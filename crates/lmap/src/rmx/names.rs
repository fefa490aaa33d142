//! Under which names records stand (draft-danisch-dns-rr-smtp-04 sections 3 and 10).

use std::fmt::Write;
use std::net::IpAddr;

use quivive_mail::domain::is_askable;

/// The label that stands for `@` where a record is about an address, and before a domain.
pub const LABEL: &str = "_rmx";

/// The name of a domain's record.
pub fn owner_name(domain: &str) -> String {
    format!("{LABEL}.{domain}")
}

/// The name of the record for clients of one family.
pub fn family_name(domain: &str, client: IpAddr) -> String {
    let family = if client.is_ipv4() { "_ipv4" } else { "_ipv6" };
    format!("{family}.{LABEL}.{domain}")
}

/// The name of an address's record. The drafts ask that addresses stay apart which DNS cannot tell
/// apart, and leave open how: dots split the local part into labels, lower-case letters, digits and
/// hyphens stand for themselves, and every other octet is `=` with two hexadecimal digits.
///
/// None where that is no name: an empty label, or a label or a name that is too long.
pub fn address_name(local_part: &str, domain: &str) -> Option<String> {
    let mut name = String::with_capacity(local_part.len() + domain.len() + 8);
    for octet in local_part.bytes() {
        match octet {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' => name.push(octet.into()),
            octet => write!(name, "={octet:02x}").expect("a String takes all text"),
        }
    }
    name.push('.');
    name.push_str(&owner_name(domain));
    is_askable(&name).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stay_apart() {
        let name = |local_part| address_name(local_part, "e.org");
        assert_eq!(name("john.doe").as_deref(), Some("john.doe._rmx.e.org"));
        assert_eq!(name("John.Doe").as_deref(), Some("=4aohn.=44oe._rmx.e.org"));
        assert_eq!(address_name("john", "doe.e.org").as_deref(), Some("john._rmx.doe.e.org"));
        assert_eq!(name("a_b+c=d").as_deref(), Some("a=5fb=2bc=3dd._rmx.e.org"));
        assert_eq!(name("j\u{f6}").as_deref(), Some("j=c3=b6._rmx.e.org"));
        for local_part in ["", "a..b", ".a", "a.", &"a".repeat(64), &"A".repeat(22)] {
            assert_eq!(name(local_part), None, "{local_part}");
        }
        assert_eq!(family_name("e.org", "2001:db8::1".parse().unwrap()), "_ipv6._rmx.e.org");
    }
}
