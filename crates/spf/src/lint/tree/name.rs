//! The names that terms are about, as far as no message is needed to know them.

use std::net::IpAddr;

use crate::domain_spec::{DomainSpec, target_name};
use crate::macro_string::{Letter, Letters};
use crate::{Request, expand};

/// The domain that a term is about.
pub(super) enum Named {
    Name(String),
    /// It can never be asked for.
    Unusable,
    /// It depends on the message, or on a domain that is not known.
    Varies,
}

/// The name that a term is about, where it does not depend on the message.
pub(super) fn named(target: Option<DomainSpec<'_>>, domain: Option<&str>) -> Named {
    let macros = match target {
        None => return domain.map_or(Named::Varies, |domain| Named::Name(domain.to_owned())),
        Some(DomainSpec::Literal(Some(name))) => return Named::Name(name.to_string()),
        Some(DomainSpec::Literal(None)) => return Named::Unusable,
        Some(DomainSpec::Macros(macros)) => macros,
    };
    let is_known = domain.is_some() || !macros.uses(Letters::of(Letter::Domain));
    if !is_known || macros.uses(Letters::OF_THE_MESSAGE) {
        return Named::Varies;
    }
    let domain = domain.unwrap_or_default();
    let nobody = IpAddr::from([0, 0, 0, 0]);
    let request = Request::of_sender(nobody, ("", domain), "");
    let mut name = expand::expanded(macros, &request, domain, "");
    match target_name(&mut name).filter(|name| name.is_ascii()) {
        Some(name) => Named::Name(name.to_owned()),
        None => Named::Unusable,
    }
}

/// The name that a term is about, if there is one that does not depend on the message.
pub(crate) fn name_of(target: Option<DomainSpec<'_>>, domain: Option<&str>) -> Option<String> {
    match named(target, domain) {
        Named::Name(name) => Some(name),
        Named::Unusable | Named::Varies => None,
    }
}

impl DomainSpec<'_> {
    /// Whether it is the same name for every message.
    pub(crate) fn is_constant(self) -> bool {
        !self.uses(Letters::OF_THE_MESSAGE)
    }

    pub(crate) fn uses(self, letters: Letters) -> bool {
        match self {
            Self::Literal(_) => false,
            Self::Macros(macros) => macros.uses(letters),
        }
    }
}
