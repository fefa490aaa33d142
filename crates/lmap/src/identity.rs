//! Whose records are asked for.

use quivive_evidence::{Conclusion, Facts, FindingResult, Identity, Judged, Method};
use quivive_mail::{Charset, Mailbox, domain};

/// The domain of the reverse-path: what stands behind its last `@`, as A-labels; empty without one.
/// Of a source route only the final domain counts.
pub(crate) fn sender_domain(facts: &Facts) -> String {
    let domain = facts.reverse_path.rsplit_once('@').map_or("", |(_, domain)| domain);
    domain::to_ascii(domain)
}

/// The local part of the reverse-path, without quotes; none for the null reverse-path.
pub(crate) fn local_part(facts: &Facts) -> Option<String> {
    let path = &*facts.reverse_path;
    // A source route ends in a colon (RFC 5321 section 4.1.2).
    let mailbox = match path.strip_prefix('@').and_then(|route| route.split_once(':')) {
        Some((_, mailbox)) => mailbox,
        None => path,
    };
    let local_part = match Mailbox::parse(mailbox.as_bytes(), Charset::Utf8) {
        Ok(mailbox) => mailbox.local_part().to_owned(),
        Err(_) => mailbox.rsplit_once('@')?.0.to_owned(),
    };
    Some(local_part).filter(|local_part| !local_part.is_empty())
}

/// The HELO name, as A-labels.
pub(crate) fn helo_name(facts: &Facts) -> String {
    domain::to_ascii(&facts.helo)
}

/// The sender's domain; for the null reverse-path the HELO name, if it stands for it.
pub(crate) fn judged(method: Method, facts: &Facts, helo_for_null_sender: bool) -> Judged {
    if facts.reverse_path.is_empty() && helo_for_null_sender {
        return Judged { method, identity: Identity::Helo, domain: helo_name(facts) };
    }
    Judged { method, identity: Identity::Mailfrom, domain: sender_domain(facts) }
}

/// Nothing is published, or there is nothing that could be.
pub(crate) fn none(cause: &'static str) -> Conclusion {
    Conclusion::new(FindingResult::None, cause)
}

/// What is concluded while it is not known: it means nothing.
pub(crate) fn unknown() -> Conclusion {
    none("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_the_reverse_path() {
        let parts = |path: &str| {
            let mut facts = Facts::new([192, 0, 2, 1].into());
            facts.reverse_path = path.to_owned();
            (local_part(&facts), sender_domain(&facts))
        };
        let some =
            |local_part: &str, domain: &str| (Some(local_part.to_owned()), domain.to_owned());
        assert_eq!(parts("John.Doe@A.Test"), some("John.Doe", "a.test"));
        assert_eq!(parts("\"john doe\"@a.test"), some("john doe", "a.test"));
        assert_eq!(parts("@m1.b.test,@m2.b.test:x@a.test"), some("x", "a.test"));
        assert_eq!(parts("a..b@a.test"), some("a..b", "a.test"));
        assert_eq!(parts("x@b\u{fc}cher.test"), some("x", "xn--bcher-kva.test"));
        assert_eq!(parts("@a.test"), (None, "a.test".to_owned()));
        assert_eq!(parts("postmaster"), (None, String::new()));
        assert_eq!(parts(""), (None, String::new()));
    }
}
