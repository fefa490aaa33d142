//! Domain names as they are compared: A-labels in lower case, without a closing dot.

/// Octets of a name in its text form without the closing dot (RFC 1035 section 2.3.4).
pub const HOST_NAME_MAX: usize = 253;
/// Octets of a label (RFC 1035 section 2.3.4).
pub const LABEL_MAX: usize = 63;
/// Octets of a name that IDNA is asked to convert: its cost grows with the square of a label.
pub const CONVERTED_MAX: usize = 1024;

/// The name as A-labels in ASCII lower case, without a closing dot (RFC 8616 section 4).
///
/// A name that IDNA cannot convert, or that is longer than [`CONVERTED_MAX`], comes back in lower
/// case as it is: what to make of it is the caller's matter.
pub fn to_ascii(name: &str) -> String {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    if name.len() > CONVERTED_MAX {
        return name.to_lowercase();
    }
    let Ok(mut ascii) = idna::domain_to_ascii(name) else { return name.to_lowercase() };
    // IDNA knows other dots than the full stop (UTS #46 section 4.5): one may have closed the name.
    if ascii.ends_with('.') {
        ascii.pop();
    }
    ascii
}

/// The name as people read it: U-labels, where its A-labels are some. A name that IDNA cannot
/// convert, or that is longer than [`CONVERTED_MAX`], comes back as it is.
pub fn to_unicode(name: &str) -> String {
    if name.len() > CONVERTED_MAX {
        return name.to_owned();
    }
    match idna::domain_to_unicode(name) {
        (unicode, Ok(())) => unicode,
        _ => name.to_owned(),
    }
}

/// A domain as somebody writes it, in the form of [`to_ascii`]: labels of letters, digits, hyphens
/// and underscores.
///
/// # Errors
/// It can be none, with the cure.
pub fn read(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    let name = to_ascii(text);
    let is_label = |label: &str| {
        (1..=LABEL_MAX).contains(&label.len())
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(&octet))
    };
    if name.len() <= HOST_NAME_MAX && name.split('.').all(is_label) {
        return Ok(name);
    }
    Err(match text {
        text if text.contains('@') => "write what stands behind the @",
        text if text.contains("://") => "write the name without the rest of the address",
        _ => "write one such as `example.com`",
    })
}

/// Whether `name` is `domain` or below it. Both in the form of [`to_ascii`].
pub fn is_within(name: &str, domain: &str) -> bool {
    match name.strip_suffix(domain) {
        Some(rest) => rest.is_empty() || rest.ends_with('.'),
        None => false,
    }
}

/// Whether a name is spelt as IDNA itself would spell it (RFC 5890 section 2.3.2.1): in ASCII or
/// in U-labels. Full-width letters, soft hyphens and other dots are not; upper case is no matter.
pub fn is_plainly_spelt(name: &str) -> bool {
    if name.is_ascii() {
        return true;
    }
    let (unicode, result) = idna::domain_to_unicode(&to_ascii(name));
    result.is_ok() && unicode == name.to_lowercase()
}

/// Whether it is the name of a host (RFC 1123 section 2.1): labels of letters, digits and inner
/// hyphens, 63 octets each, [`HOST_NAME_MAX`] in all. A U-label counts as its A-label.
pub fn is_host_name(name: &str) -> bool {
    let name = to_ascii(name);
    name.len() <= HOST_NAME_MAX
        && name.split('.').all(|label| label.len() <= LABEL_MAX && is_label(label))
}

/// Whether DNS can be asked for a name: labels of 1 to [`LABEL_MAX`] octets of printable ASCII,
/// [`HOST_NAME_MAX`] in all.
pub fn is_askable(name: &str) -> bool {
    name.len() <= HOST_NAME_MAX
        && name.split('.').all(|label| {
            (1..=LABEL_MAX).contains(&label.len()) && label.bytes().all(|o| o.is_ascii_graphic())
        })
}

/// Whether a name, in the form of [`to_ascii`], is one that a domain of mail or a host on the
/// Internet can have: askable, of several labels, neither an address nor an address literal.
pub fn is_fully_qualified(name: &str) -> bool {
    let top = name.rsplit_once('.').map(|(_, top)| top);
    is_askable(name)
        && !name.starts_with('[')
        && top.is_some_and(|top| !top.bytes().all(|octet| octet.is_ascii_digit()))
}

/// `sub-domain` of RFC 5321 section 4.1.2 in ASCII.
pub(crate) fn is_label(label: &str) -> bool {
    label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
        && !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// As [`is_label`], with underscores.
pub(crate) fn is_sender_label(label: &str) -> bool {
    is_label(&label.replace('_', "x"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_as_a_labels() {
        assert_eq!(to_ascii("Bücher.Example."), "xn--bcher-kva.example");
        assert_eq!(to_ascii("EXAMPLE.com"), "example.com");
        assert_eq!(to_ascii("example\u{3002}com\u{3002}"), "example.com");
    }

    #[test]
    fn what_somebody_writes_is_a_domain_or_gets_the_cure() {
        assert_eq!(read(" B\u{fc}cher.Example. ").unwrap(), "xn--bcher-kva.example");
        assert_eq!(read("_spf.a.example").unwrap(), "_spf.a.example");
        for (text, cure) in [
            ("a@b.example", "behind the @"),
            ("https://b.example/", "rest of the address"),
            ("a b", "such as `example.com`"),
            ("", "such as `example.com`"),
            (&"a.".repeat(200), "such as `example.com`"),
        ] {
            assert!(read(text).unwrap_err().contains(cure), "{text}");
        }
    }

    #[test]
    fn names_for_people() {
        assert_eq!(to_unicode("xn--bcher-kva.example"), "b\u{fc}cher.example");
        for name in ["_spf.example", "xn--a.example", "a b", ""] {
            assert_eq!(to_unicode(name), name);
        }
    }

    #[test]
    fn plain_spelling_is_that_of_u_labels() {
        for name in ["a.Example", "b\u{fc}cher.example", "B\u{dc}CHER.example", "xn--bcher-kva.a"] {
            assert!(is_plainly_spelt(name), "{name}");
        }
        for name in [
            "\u{ff48}ere.example",
            "he\u{ad}re.example",
            "here\u{3002}example",
            "bu\u{308}cher.example",
        ] {
            assert!(!is_plainly_spelt(name), "{name}");
        }
    }

    #[test]
    fn within_goes_by_labels() {
        assert!(is_within("example.com", "example.com"));
        assert!(is_within("a.example.com", "example.com"));
        assert!(!is_within("badexample.com", "example.com"));
        assert!(!is_within("com", "example.com"));
    }

    #[test]
    fn host_names() {
        for name in ["mx", "mx.example.test", "MX.example.test.", "1.2", "b\u{fc}cher.example"] {
            assert!(is_host_name(name), "{name}");
        }
        let label = "a".repeat(LABEL_MAX);
        assert!(is_host_name(&label));
        let long = "a.".repeat(HOST_NAME_MAX / 2) + "a";
        assert_eq!(long.len(), HOST_NAME_MAX);
        assert!(is_host_name(&long));
        for name in ["", ".", "a..b", "a_b", "-a", "a-", "a b", "[192.0.2.1]", "a\0b"] {
            assert!(!is_host_name(name), "{name}");
        }
        assert!(!is_host_name(&format!("{label}a")));
        assert!(!is_host_name(&format!("{long}b")));
    }

    #[test]
    fn names_to_ask_for() {
        let label = "a".repeat(LABEL_MAX);
        let longest = format!("{}a", "a.".repeat(HOST_NAME_MAX / 2));
        for name in ["a.b", "_x.a_b.c", "a+b.c", &format!("{label}.b"), &longest] {
            assert!(is_askable(name) && is_fully_qualified(name), "{name}");
        }
        for name in ["", ".", "a..b", ".a", "a.", "a b.c", "a\u{e9}.b", &format!("{label}a.b")] {
            assert!(!is_askable(name), "{name}");
        }
        assert!(!is_askable(&format!("{longest}a")));
        for name in ["localhost", "192.0.2.1", "[192.0.2.1]", "[ipv6:2001:db8::1]", "a.1"] {
            assert!(!is_fully_qualified(name), "{name}");
        }
    }

    #[test]
    fn overlong_names_are_not_converted() {
        let name = "\u{fc}".repeat(CONVERTED_MAX / 2);
        assert_eq!(to_ascii(&format!("{name}.a")), format!("{name}.a"));
        assert!(!is_host_name(&format!("{name}.a")));
    }
}
