//! Slips in the names of terms, and in what stands between terms.

use super::super::term::{self, Term};
use super::{Slip, is_domain, network_mechanism, say, write};
use crate::syntax::SyntaxErrorKind;

/// Names of mechanisms that take an argument.
const WITH_ARGUMENT: &[&str] = &["ip4", "ip6", "include", "a", "mx", "ptr", "exists"];

/// Names that people write for others.
const MEANT: &[(&str, &str)] = &[
    ("ipv4", "ip4"),
    ("ipv6", "ip6"),
    ("ip", "ip4"),
    ("ip-4", "ip4"),
    ("ip-6", "ip6"),
    ("host", "a"),
    ("domain", "a"),
    ("server", "a"),
    ("inc", "include"),
    ("includes", "include"),
    ("exist", "exists"),
    ("redir", "redirect"),
    ("explanation", "exp"),
];

/// How a term begins that somebody may have written without a blank before it.
const BEGINNINGS: &[&str] =
    &["ip4:", "ip6:", "include:", "exists:", "redirect=", "v=spf1", "-all", "~all", "?all", "+all"];

/// `- all`
pub(super) fn lone_qualifier(term: &Term<'_>, after: &[Term<'_>]) -> Option<Slip> {
    let next = after.first().filter(|_| term.bare().is_empty() && !term.text.is_empty())?;
    let written = format!("{}{}", term.text, next.text);
    let slip = Slip::new(
        "stray-blank",
        format!("a blank separates `{}` from what it qualifies", term.text),
        write(written),
    );
    Some(Slip { following: usize::from(next.sign().is_empty()), ..slip })
}

/// `-a11`, `-al`, `-all.`
pub(super) fn all(term: &Term<'_>, _: &[Term<'_>]) -> Option<Slip> {
    if term.error() != Some(SyntaxErrorKind::UnknownMechanism) {
        return None;
    }
    let written = term.bare().trim_start_matches(['_', '=']);
    let letters: String = written
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| if matches!(c, '1' | 'i' | 'I' | 'L') { 'l' } else { c.to_ascii_lowercase() })
        .collect();
    let is_all = !written.contains([':', '/', '='])
        && (matches!(&*letters, "al" | "alll" | "aal" | "lal" | "aall" | "all")
            || (letters.len() == 3 && strsim::damerau_levenshtein(&letters, "all") <= 1));
    let sign = match term.text.chars().next() {
        Some('_' | '=') => "-",
        _ => term.sign(),
    };
    is_all.then(|| {
        Slip::new(
            "unknown-mechanism",
            format!(
                "`{}` is no mechanism, so that the record has no end that receivers know",
                term.text
            ),
            write(format!("{sign}all")),
        )
    })
}

/// `ip4:192.0.2.1ip4:192.0.2.2`, `ip4:192.0.2.1-all`: often where two strings of a TXT record
/// meet, which are joined without a blank (RFC 7208 section 3.3).
pub(super) fn missing_blank(term: &Term<'_>, _: &[Term<'_>]) -> Option<Slip> {
    let lower = term.text.to_ascii_lowercase();
    let begins =
        |beginning: &&str| lower.match_indices(*beginning).map(|(at, _)| at).find(|at| *at > 1);
    let at = BEGINNINGS.iter().filter_map(begins).min()?;
    let (mut first, mut second) = term.text.split_at(at);
    // The sign belongs to what follows.
    if let Some(bare) = first.strip_suffix(['+', '-', '~', '?']) {
        first = bare;
        second = &term.text[bare.len()..];
    }
    let alone = format!("v=spf1 {first}");
    let is_good =
        !first.is_empty() && term::split(&alone, 0).iter().all(|one| one.error().is_none());
    is_good.then(|| {
        Slip::new(
            "missing-blank",
            format!(
                "there is no blank before `{second}`; strings of a TXT record are joined \
                 without one"
            ),
            write(format!("{first} {second}")),
        )
    })
}

/// `ip4 192.0.2.1`, `ip4: 192.0.2.1`, `include spf.example.net`, `ip4192.0.2.1`
pub(super) fn missing_colon(term: &Term<'_>, after: &[Term<'_>]) -> Option<Slip> {
    let name = term.bare().strip_suffix(':').unwrap_or(term.bare());
    let known = WITH_ARGUMENT.iter().find(|known| name.eq_ignore_ascii_case(known));
    if let (Some(known), Some(next)) = (known, after.first()) {
        let is_argument = network_mechanism(&next.text).is_some() || is_domain(&next.text);
        if is_argument && next.error().is_some() {
            let has_colon = term.bare().ends_with(':');
            let what = if has_colon { "a blank follows the colon of" } else { "no colon follows" };
            let name = if next.text.contains(':') && *known == "ip4" { "ip6" } else { name };
            let slip = Slip::new(
                if has_colon { "stray-blank" } else { "missing-colon" },
                format!("{what} `{}`, so that its argument stands alone", term.text),
                write(format!("{}{name}:{}", term.sign(), next.text)),
            );
            return Some(Slip { following: 1, ..slip });
        }
    }
    let joined = |known: &'static str| {
        let rest = term.bare().get(known.len()..)?.trim_start_matches([';', '.', ',', '-', '_']);
        let starts = term.bare().get(..known.len())?.eq_ignore_ascii_case(known);
        let is_argument = network_mechanism(rest).is_some() || (known.len() > 2 && is_domain(rest));
        (starts && is_argument).then(|| (known, rest.to_owned()))
    };
    let (known, rest) = WITH_ARGUMENT.iter().find_map(|known| joined(known))?;
    let name = network_mechanism(&rest).unwrap_or(known);
    Some(Slip::new(
        "missing-colon",
        format!("no colon separates `{known}` from its argument"),
        write(format!("{}{name}:{rest}", term.sign())),
    ))
}

/// `redirect:example.com`
pub(super) fn colon_for_equals(term: &Term<'_>, _: &[Term<'_>]) -> Option<Slip> {
    let (name, value) = term.bare().split_once(':')?;
    let known = ["redirect", "exp"].into_iter().find(|known| name.eq_ignore_ascii_case(known))?;
    Some(Slip::new(
        "unknown-mechanism",
        format!("`{known}` is a modifier, which has an equals sign and no colon"),
        write(format!("{known}={value}")),
    ))
}

/// `-redirect=example.com`
pub(super) fn modifier_with_qualifier(term: &Term<'_>, _: &[Term<'_>]) -> Option<Slip> {
    let (name, _) = term.bare().split_once('=').filter(|_| !term.sign().is_empty())?;
    let is_name = name.bytes().all(|octet| octet.is_ascii_alphanumeric());
    (is_name && !name.is_empty()).then(|| {
        Slip::new(
            "unknown-mechanism",
            format!("`{name}=` is a modifier, which takes no `{}`", term.sign()),
            write(term.bare()),
        )
    })
}

/// `192.0.2.1`
pub(super) fn bare_address(term: &Term<'_>, _: &[Term<'_>]) -> Option<Slip> {
    let mechanism = network_mechanism(term.bare())?;
    Some(Slip::new(
        "bare-address",
        "an address stands alone, without the mechanism that it belongs to",
        write(format!("{}{mechanism}:{}", term.sign(), term.bare())),
    ))
}

/// `_spf.example.net`
pub(super) fn bare_domain(term: &Term<'_>, _: &[Term<'_>]) -> Option<Slip> {
    let (sign, name) = (term.sign(), term.bare());
    is_domain(name).then(|| {
        Slip::new(
            "bare-domain",
            "a domain stands alone, without the mechanism that it belongs to",
            say(format!(
                "write `{sign}include:{name}` for a provider, `{sign}a:{name}` for a host"
            )),
        )
    })
}

/// `ip:192.0.2.1`, `ipv4:192.0.2.1`, `inculde:spf.example.net`
pub(super) fn unknown_name(term: &Term<'_>, _: &[Term<'_>]) -> Option<Slip> {
    if term.error() != Some(SyntaxErrorKind::UnknownMechanism) {
        return None;
    }
    let end = term.bare().find([':', '/', '=']).unwrap_or(term.bare().len());
    let (name, argument) = term.bare().split_at(end);
    let message = match name {
        "" => {
            format!("`{}` is no term of SPF; one error makes the whole record unusable", term.text)
        }
        name => {
            format!("`{name}` is no mechanism of SPF; one error makes the whole record unusable")
        }
    };
    let cure = match meant(name, argument) {
        Some(meant) => {
            let sign = if meant.contains('=') { "" } else { term.sign() };
            write(format!("{sign}{meant}"))
        }
        None => say("there are: all, include, a, mx, ptr, ip4, ip6, exists; redirect= and exp="),
    };
    Some(Slip::new("unknown-mechanism", message, cure))
}

/// What was probably meant by a name, with its argument.
fn meant(name: &str, argument: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let value = argument.trim_start_matches([':', '=']);
    if let Some(mechanism) = network_mechanism(value) {
        return Some(format!("{mechanism}:{value}"));
    }
    let aliases = MEANT.iter().find(|(written, _)| *written == lower).map(|(_, meant)| *meant);
    let close = || {
        let all = WITH_ARGUMENT.iter().chain(&["redirect", "exp"]).copied();
        let distance = |known: &str| strsim::damerau_levenshtein(&lower, known);
        all.filter(|known| known.len() > 2 && distance(known) <= known.len() / 3)
            .min_by_key(|known| distance(known))
    };
    let meant = aliases.or_else(close)?;
    // Addresses have been told above.
    let meant = match meant {
        "ip4" | "ip6" if is_domain(value) => "a",
        meant => meant,
    };
    match meant {
        "redirect" | "exp" if !value.is_empty() => Some(format!("{meant}={value}")),
        _ if argument.is_empty() => Some(meant.to_owned()),
        _ if value.is_empty() => None,
        _ => Some(format!("{meant}:{value}")),
    }
}
