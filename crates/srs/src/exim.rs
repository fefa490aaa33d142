//! Exim's manner, as its specification of `srs_encode` and `inbound_srs` has it: HMAC-MD5 in
//! hexadecimal over the original address alone, in lower case and with its quotes.

use crate::Srs;
use crate::address::{Address, Quote, write};
use crate::dialect::Dialect;
use crate::fields;
use crate::forward::Target;
use crate::hash::{Key, SHORT_LENGTH, begins_with};
use crate::reverse::{Form, Original, Refusal, Verified};
use crate::stamp::Stamp;

/// An address that was rewritten before is rewritten again: Exim writes no SRS1.
pub(crate) fn sign(
    key: &Key,
    sender: &str,
    address: &Address<'_>,
    stamp: Stamp,
    target: Target<'_>,
) -> String {
    // Needless quotes may be lost on the way, and the hash covers what comes back.
    let bare =
        address.quoted.then(|| write(&[&address.local], Quote::UnlessDotString, address.domain));
    let hash = key.exim(&[bare.as_deref().unwrap_or(sender)]);
    let hash = str::from_utf8(&hash).unwrap_or_default();
    let digits = stamp.digits().map(|digit| digit.to_ascii_lowercase());
    // The first digits that are zero are left out.
    let zeros = digits.iter().take_while(|digit| **digit == b'a').count();
    let stamp = str::from_utf8(&digits[zeros..]).unwrap_or_default();
    target.write(&["SRS0=", hash, "=", stamp, "=", address.domain, "=", &address.local])
}

/// `rest` begins with the separator, which can only be `=`.
pub(crate) fn verify(srs: &Srs, rest: &str, quoted: bool, now: u64) -> Verified {
    let mut parts = rest.strip_prefix('=').unwrap_or_default().splitn(4, fields::SEPARATOR);
    let mut next = || parts.next().unwrap_or_default();
    let (hash, stamp, domain, user) = (next(), next(), next(), next());
    let Some(stamp) = Stamp::parse_short(stamp) else {
        return Verified::Refused(Refusal::BadStamp);
    };
    if domain.is_empty() || user.is_empty() {
        return Verified::Refused(Refusal::NoUser(Form::Srs0));
    }
    // Exim gives a router the local part without its quotes, and puts them back for the hash.
    let quoted = quoted || Quote::ForSpecials.is_needed(&[user]);
    let quote = if quoted { Quote::UnlessDotString } else { Quote::ForDots };
    let original = write(&[user], quote, domain);
    let is_right = |key: &Key| {
        // Some senders leave quotes away that there should be, and so they were signed.
        let whole = begins_with(&key.exim(&[&original]), hash)
            || begins_with(&key.exim(&[user, "@", domain]), hash);
        whole || quoted && begins_with(&key.exim(&["\"", user, "\"@", domain]), hash)
    };
    let secret = srs.find_secret(is_right).filter(|_| hash.len() == SHORT_LENGTH);
    let Some(secret) = secret else { return Verified::Refused(Refusal::HashInvalid) };
    let age_days = stamp.age_days(now);
    if age_days > srs.rules().max_age_days {
        return Verified::Expired(age_days);
    }
    Verified::Original(Original {
        address: original,
        form: Form::Srs0,
        dialect: Dialect::Exim,
        secret,
        age_days: Some(age_days),
    })
}
