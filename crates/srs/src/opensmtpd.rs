//! OpenSMTPD's manner, as its `smtpd.conf(5)` names it: SHA1 over the secret and all that follows
//! the hash, the new domain included, in the case in which it stands. Its separator is `=` alone.

use crate::Srs;
use crate::address::{Address, Quote, write};
use crate::dialect::Dialect;
use crate::fields::{self, Tagged};
use crate::forward::{Forwarded, Target, Unusable};
use crate::hash::{Key, SHORT_LENGTH};
use crate::reverse::{Form, Original, Refusal, Verified};
use crate::stamp::Stamp;

/// How far a stamp may lie ahead: its clock and ours may differ.
const AHEAD_DAYS: u16 = 1;

pub(crate) fn sign(
    key: &Key,
    address: &Address<'_>,
    stamp: Stamp,
    target: Target<'_>,
) -> Forwarded {
    let digits = stamp.digits();
    let stamp = str::from_utf8(&digits).unwrap_or_default();
    let local: &str = &address.local;
    let (tag, [a, b, c, d, e]) = match Tagged::parse(local) {
        Some(Tagged::Srs0(rest)) if rest.starts_with('=') => {
            ("SRS1=", [address.domain, "=", rest, "", ""])
        }
        Some(Tagged::Srs1(rest)) if rest.starts_with('=') => match fields::srs1(&rest[1..]) {
            [_, None, _] => return Forwarded::Unusable(Unusable::NoHost),
            [_, _, None] => return Forwarded::Unusable(Unusable::NoUser),
            [_, Some(first), Some(rest)] => ("SRS1=", [first, "=", rest, "", ""]),
        },
        _ => ("SRS0=", [stamp, "=", address.domain, "=", local]),
    };
    let hash = key.opensmtpd(&[a, b, c, d, e, "@", target.domain]);
    let hash = str::from_utf8(&hash).unwrap_or_default();
    Forwarded::Rewritten(target.write(&[tag, hash, "=", a, b, c, d, e]))
}

pub(crate) fn verify(srs: &Srs, tagged: Tagged<'_>, address: &Address<'_>, now: u64) -> Verified {
    let (Tagged::Srs0(rest) | Tagged::Srs1(rest)) = tagged;
    let Some((hash, signed)) = rest.strip_prefix('=').and_then(|rest| rest.split_once('=')) else {
        return Verified::Refused(Refusal::HashInvalid);
    };
    let covered = [signed, "@", address.domain];
    let is_right = |key: &Key| is_same(&key.opensmtpd(&covered), hash);
    let Some(secret) = srs.find_secret(is_right) else {
        return Verified::Refused(Refusal::HashInvalid);
    };
    // What was rewritten twice still has the first stamp, and that counts.
    let (form, fields) = match tagged {
        Tagged::Srs0(_) => (Form::Srs0, fields::srs0(rest.strip_prefix('=').unwrap_or_default())),
        Tagged::Srs1(_) => {
            let inner = signed.split_once('=').map(|(_, inner)| inner).unwrap_or_default();
            (Form::Srs1, fields::srs0(inner.get(1..).unwrap_or_default()))
        }
    };
    let Some(stamp) = fields[1].and_then(Stamp::parse) else {
        return Verified::Refused(Refusal::BadStamp);
    };
    let age_days = stamp.age_days(now);
    if age_days > srs.rules().max_age_days && age_days < 1024 - AHEAD_DAYS {
        return Verified::Expired(age_days);
    }
    let quote = if address.quoted { Quote::UnlessDotString } else { Quote::ForDots };
    let original = match (form, fields, signed.split_once('=')) {
        (Form::Srs0, [_, _, Some(domain), Some(user)], _) => write(&[user], quote, domain),
        (Form::Srs1, _, Some((first, rest))) => write(&["SRS0", rest], quote, first),
        _ => return Verified::Refused(Refusal::NoUser(form)),
    };
    Verified::Original(Original {
        address: original,
        form,
        dialect: Dialect::OpenSmtpd,
        secret,
        age_days: Some(age_days).filter(|age_days| *age_days <= srs.rules().max_age_days),
    })
}

/// Exactly the digits: their case counts, as it does in what they cover.
fn is_same(right: &[u8; SHORT_LENGTH], given: &str) -> bool {
    use subtle::ConstantTimeEq;
    bool::from(right.as_slice().ct_eq(given.as_bytes()))
}
