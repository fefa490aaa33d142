//! The parts of a rewritten local part.

/// What stands between the fields.
pub(crate) const SEPARATOR: char = '=';

/// A local part that begins with a tag and a separator: all that follows the tag, which so begins
/// with the separator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tagged<'a> {
    Srs0(&'a str),
    Srs1(&'a str),
}

impl<'a> Tagged<'a> {
    /// The tag may be written in any case: mail systems smash it.
    pub(crate) fn parse(local: &'a str) -> Option<Self> {
        let (tag, rest) = local.split_at_checked(4)?;
        if !rest.starts_with(['=', '+', '-']) {
            return None;
        }
        if tag.eq_ignore_ascii_case("SRS0") {
            return Some(Self::Srs0(rest));
        }
        tag.eq_ignore_ascii_case("SRS1").then_some(Self::Srs1(rest))
    }
}

/// The fields of an SRS0 address behind its separator, as far as they are there. The last keeps
/// further separators: a local part may hold anything, a domain none.
pub(crate) fn srs0(fields: &str) -> [Option<&str>; 4] {
    let mut fields =
        fields.splitn(4, SEPARATOR).map(|field| Some(field).filter(|field| !field.is_empty()));
    std::array::from_fn(|_| fields.next().flatten())
}

/// The same of SRS1: hash, first forwarder, and what followed `SRS0` there.
pub(crate) fn srs1(fields: &str) -> [Option<&str>; 3] {
    let mut fields =
        fields.splitn(3, SEPARATOR).map(|field| Some(field).filter(|field| !field.is_empty()));
    std::array::from_fn(|_| fields.next().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags() {
        assert_eq!(Tagged::parse("SRS0=a"), Some(Tagged::Srs0("=a")));
        assert_eq!(Tagged::parse("srs0+a"), Some(Tagged::Srs0("+a")));
        assert_eq!(Tagged::parse("sRs1-"), Some(Tagged::Srs1("-")));
        for local in ["", "SRS", "SRS0", "SRS0a", "SRS2=a", "SRS0*a", "xSRS0=a", "SR\u{17f}0=a"] {
            assert_eq!(Tagged::parse(local), None, "{local}");
        }
    }

    #[test]
    fn the_last_field_keeps_separators() {
        assert_eq!(srs0("h=t=d=u=v"), [Some("h"), Some("t"), Some("d"), Some("u=v")]);
        assert_eq!(srs0(""), [None; 4]);
        assert_eq!(srs0("h==d"), [Some("h"), None, Some("d"), None]);
        assert_eq!(srs1("h=d==h=t=d=u"), [Some("h"), Some("d"), Some("=h=t=d=u")]);
        assert_eq!(srs1("h=d="), [Some("h"), Some("d"), None]);
    }
}
