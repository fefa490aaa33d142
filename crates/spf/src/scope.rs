use quivive_evidence::Txt;

use crate::Record;

/// Which of a name's records hold the policy that is meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Scope {
    /// SPF: `v=spf1` (RFC 7208 section 4.5).
    #[default]
    Spf,
    /// Sender ID for the reverse-path: `spf2.0/mfrom`, or else `v=spf1` (RFC 4406 section 4.4).
    Mfrom,
    /// Sender ID for the purported responsible address: `spf2.0/pra`, or else `v=spf1`.
    Pra,
}

impl Scope {
    /// Whether TXT data is a record that names this scope: for SPF `v=spf1`, else `spf2.`, digits,
    /// and among its scopes this one as a whole word (RFC 4406 section 3.1).
    pub fn is_named_by(self, octets: &[u8]) -> bool {
        match self {
            Self::Spf => Record::is_spf(octets),
            Self::Mfrom => scopes(octets).is_some_and(|scopes| holds(scopes, b"mfrom")),
            Self::Pra => scopes(octets).is_some_and(|scopes| holds(scopes, b"pra")),
        }
    }

    /// The records that may be meant. More than one is one too many (RFC 4406 section 4.4).
    pub(crate) fn select(self, records: &[Txt]) -> Vec<&Txt> {
        let named: Vec<&Txt> =
            records.iter().filter(|record| self.is_named_by(&record.0)).collect();
        if named.is_empty() && self != Self::Spf {
            return Self::Spf.select(records);
        }
        named
    }
}

/// Behind the slash of `spf2.0/mfrom,pra`, if TXT data begins so.
fn scopes(octets: &[u8]) -> Option<&[u8]> {
    let version = octets.split(|octet| *octet == b' ').next()?;
    let (spf2, rest) = version.split_at_checked(5)?;
    let slash = rest.iter().position(|octet| *octet == b'/')?;
    let (minor, scopes) = rest.split_at(slash);
    let is_version = spf2.eq_ignore_ascii_case(b"spf2.")
        && !minor.is_empty()
        && minor.iter().all(u8::is_ascii_digit);
    is_version.then_some(&scopes[1..]).filter(|scopes| {
        scopes.split(|octet| *octet == b',').all(|scope| {
            scope.first().is_some_and(u8::is_ascii_alphabetic)
                && scope.iter().all(|o| o.is_ascii_alphanumeric() || b"-_.".contains(o))
        })
    })
}

fn holds(scopes: &[u8], wanted: &[u8]) -> bool {
    scopes.split(|octet| *octet == b',').any(|scope| scope.eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 4406 section 3.1, and what looks like them.
    #[test]
    fn scopes_are_whole_words() {
        for (record, mfrom, pra) in [
            ("spf2.0/mfrom,pra +mx +ip4:192.168.0.100 -all", true, true),
            ("spf2.0/mfrom,prattle,fubar", true, false),
            ("spf2.0/mfrom,pra,fubar", true, true),
            ("SPF2.17/PRA", false, true),
            ("spf2.0/pra\t-all", false, false),
            ("spf2.0/pra, -all", false, false),
            ("spf2./pra -all", false, false),
            ("spf2.x/pra -all", false, false),
            ("spf2.0 -all", false, false),
            ("spf2.0/ -all", false, false),
            ("spf2.0/,pra -all", false, false),
            ("v=spf2.0/pra -all", false, false),
            (" spf2.0/pra -all", false, false),
            ("", false, false),
        ] {
            let named = |scope: Scope| scope.is_named_by(record.as_bytes());
            assert_eq!((named(Scope::Mfrom), named(Scope::Pra)), (mfrom, pra), "{record}");
            assert!(!named(Scope::Spf), "{record}");
        }
    }

    #[test]
    fn a_record_of_the_scope_goes_before_one_of_spf() {
        let records = ["v=spf1 +all", "spf2.0/pra -all", "v=spf1 ?all"].map(Txt::from);
        let selected = |scope: Scope| {
            let texts = scope.select(&records).into_iter();
            texts.map(|record| String::from_utf8_lossy(&record.0).into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(selected(Scope::Pra), ["spf2.0/pra -all"]);
        assert_eq!(selected(Scope::Mfrom), ["v=spf1 +all", "v=spf1 ?all"]);
        assert_eq!(selected(Scope::Spf), ["v=spf1 +all", "v=spf1 ?all"]);
    }
}
