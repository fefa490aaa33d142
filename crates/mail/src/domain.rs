//! Domain names as they are compared: A-labels in lower case, without a closing dot.

/// The name as A-labels in ASCII lower case, without a closing dot (RFC 8616 section 4).
///
/// A name that IDNA cannot convert comes back in lower case as it is: what to make of it is the
/// caller's matter.
pub fn to_ascii(name: &str) -> String {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    idna::domain_to_ascii(name).unwrap_or_else(|_| name.to_lowercase())
}

/// Whether `name` is `domain` or below it. Both in the form of [`to_ascii`].
pub fn is_within(name: &str, domain: &str) -> bool {
    match name.strip_suffix(domain) {
        Some(rest) => rest.is_empty() || rest.ends_with('.'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_as_a_labels() {
        assert_eq!(to_ascii("Bücher.Example."), "xn--bcher-kva.example");
        assert_eq!(to_ascii("EXAMPLE.com"), "example.com");
    }

    #[test]
    fn within_goes_by_labels() {
        assert!(is_within("example.com", "example.com"));
        assert!(is_within("a.example.com", "example.com"));
        assert!(!is_within("badexample.com", "example.com"));
        assert!(!is_within("com", "example.com"));
    }
}
