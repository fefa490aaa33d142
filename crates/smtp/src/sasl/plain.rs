//! Mechanisms of one message: PLAIN (RFC 4616) and EXTERNAL (RFC 4422 appendix A).

use super::{Claim, Password, Step, prepare};

/// `[authzid] NUL authcid NUL passwd`.
pub(super) fn read(message: &[u8]) -> Option<Step> {
    let mut parts = message.split(|octet| *octet == 0);
    let (acts_as, user, password) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let user = prepare(user)?;
    let acts_as = other(acts_as, &user)?;
    Some(Step::Password(Claim { user, acts_as }, Password(prepare(password)?)))
}

/// An authorisation identity, or nothing.
pub(super) fn read_external(message: &[u8]) -> Option<Step> {
    let acts_as = match message {
        b"" => None,
        name => Some(prepare(name)?),
    };
    Some(Step::External(acts_as))
}

/// An authorisation identity, where one is said and it is not that of authentication. None where it
/// cannot be read.
pub(super) fn other(acts_as: &[u8], user: &str) -> Option<Option<String>> {
    match acts_as {
        b"" => Some(None),
        // Logins compare without case.
        name => prepare(name)
            .map(|name| Some(name).filter(|name| name.to_lowercase() != user.to_lowercase())),
    }
}
