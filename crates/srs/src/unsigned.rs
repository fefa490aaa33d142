use crate::address::{Address, Quote, is_domain, write};

/// An address in the early form of SRS, `user=source.example@forwarder.example`.
///
/// It has no hash: whoever reverses it sends bounces wherever a stranger likes. Tags of mailing
/// lists look the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    /// What would be the original address.
    pub address: String,
}

impl Unsigned {
    /// Reads an address; none if it has no such form. The user may hold a `=`, a domain does not.
    pub(crate) fn of(address: &Address<'_>) -> Option<Self> {
        let (user, domain) = address.local.rsplit_once('=')?;
        let named =
            domain.contains('.') && !domain.starts_with(['.', '[']) && !domain.ends_with('.');
        let quote = if address.quoted { Quote::UnlessDotString } else { Quote::ForDots };
        (named && is_domain(domain) && !user.is_empty())
            .then(|| Self { address: write(&[user], quote, domain) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_the_early_form() {
        let original = |local: &str| {
            let address = format!("{local}@forwarder.example");
            Unsigned::of(&Address::parse(&address).unwrap()).map(|found| found.address)
        };
        assert_eq!(original("user=source.domain").as_deref(), Some("user@source.domain"));
        assert_eq!(original("a=b=source.domain").as_deref(), Some("a=b@source.domain"));
        assert_eq!(original("\"a b=c.d\"").as_deref(), Some("\"a b\"@c.d"));
        for local in ["user", "user=", "=source.domain", "user=word", "a=.b", "a=b.", "\"a=b c.d\""]
        {
            assert_eq!(original(local), None, "{local}");
        }
    }
}
