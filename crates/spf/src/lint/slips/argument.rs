//! Slips in the arguments of terms.

use std::net::{IpAddr, Ipv4Addr};

use super::super::term::Term;
use super::{Cure, Slip, code, is_domain, network_mechanism, say, write};
use crate::syntax::SyntaxErrorKind;

/// `a:192.0.2.1`, `include:192.0.2.0/24`
pub(super) fn address_for_domain(term: &Term<'_>, _: &[Term<'_>]) -> Option<Slip> {
    let kind = term.error()?;
    let (name, value) = term.bare().split_once(':')?;
    let takes_domain = ["a", "mx", "include", "exists", "ptr"];
    if !takes_domain.iter().any(|known| name.eq_ignore_ascii_case(known)) {
        return None;
    }
    let mechanism = network_mechanism(value)?;
    Some(Slip::new(
        code(kind),
        format!("`{name}` takes a domain, and this is an address"),
        write(format!("{}{mechanism}:{value}", term.sign())),
    ))
}

/// What stands behind `ip4:` or `ip6:` and is no network of that family.
pub(super) fn network(term: &Term<'_>, _: &[Term<'_>]) -> Option<Slip> {
    let kind = term.error()?;
    let family = match kind {
        SyntaxErrorKind::Ipv4Network => "IPv4",
        SyntaxErrorKind::Ipv6Network => "IPv6",
        _ => return None,
    };
    let (name, value) = term.bare().split_once(':')?;
    let sign = term.sign();
    let slip = |message: String, cure: Cure| Some(Slip::new(code(kind), message, cure));
    if let Some(mechanism) = network_mechanism(value) {
        return slip(
            format!("`{name}` takes {family}, and this is an address of the other family"),
            write(format!("{sign}{mechanism}:{value}")),
        );
    }
    if is_domain(value) {
        return slip(
            format!("`{name}` takes an address, and this is a name"),
            say(format!(
                "write `{sign}a:{value}` for a host, `{sign}include:{value}` for a provider"
            )),
        );
    }
    let (message, cure) = match kind {
        SyntaxErrorKind::Ipv4Network => wrong_ipv4(value),
        _ => wrong_ipv6(value),
    };
    slip(message, cure.map(|words| words.replace("NAME:", &format!("{sign}{name}:"))))
}

fn wrong_ipv4(value: &str) -> (String, Cure) {
    let (address, rest) = match value.find('/') {
        Some(at) => value.split_at(at),
        None => (value, ""),
    };
    if let Some((first, last)) = address.split_once('-')
        && let (Ok(first), Ok(last)) = (first.parse(), last.parse())
    {
        return (
            "SPF knows networks, and no ranges from one address to another".to_owned(),
            match networks_of(first, last) {
                Some(networks) => write(networks.join(" ")),
                None => say("write the networks that make up the range"),
            },
        );
    }
    if let Some((bare, port)) = address.split_once(':')
        && bare.parse::<Ipv4Addr>().is_ok()
        && port.bytes().all(|octet| octet.is_ascii_digit())
    {
        return ("an address in a record has no port".to_owned(), write(format!("NAME:{bare}")));
    }
    let parts: Vec<_> = address.split('.').collect();
    let wild = parts.iter().take_while(|part| !matches!(**part, "*" | "x" | "X")).count();
    if wild > 0 && wild < 4 && parts.len() <= 4 && parts[..wild].iter().all(|part| is_octet(part)) {
        let network = padded(&parts[..wild]);
        return (
            "an IPv4 address has four numbers; a network is written with its prefix length"
                .to_owned(),
            write(format!("NAME:{network}/{}", wild * 8)),
        );
    }
    let plain: Vec<_> = parts.iter().map(|part| part.trim_start_matches('0')).collect();
    let plain = plain.iter().map(|part| if part.is_empty() { "0" } else { part });
    let plain = plain.collect::<Vec<_>>().join(".");
    if plain != address && plain.parse::<Ipv4Addr>().is_ok() {
        return (
            "numbers of an address have no leading zeros, which some programs read as octal"
                .to_owned(),
            write(format!("NAME:{plain}{rest}")),
        );
    }
    let large = parts.iter().find(|part| part.parse::<u32>().is_ok_and(|number| number > 255));
    let message = match large {
        Some(large) => format!("`{large}` is more than 255, so that this is no IPv4 address"),
        None => "this is no IPv4 address or network".to_owned(),
    };
    (
        message,
        say("write an address such as `NAME:192.0.2.1`, or a network such as \
             `NAME:192.0.2.0/24`"),
    )
}

fn wrong_ipv6(value: &str) -> (String, Cure) {
    let bare: String = value.chars().filter(|c| !matches!(c, '[' | ']')).collect();
    if bare != value && network_mechanism(&bare) == Some("ip6") {
        return (
            "an IPv6 address stands without brackets in a record".to_owned(),
            write(format!("NAME:{bare}")),
        );
    }
    (
        "this is no IPv6 address or network".to_owned(),
        say("write an address such as `NAME:2001:db8::1`, or a network such as \
             `NAME:2001:db8::/32`"),
    )
}

/// Prefix lengths: netmasks, `/24/64`, beyond the family.
pub(super) fn prefix(term: &Term<'_>, _: &[Term<'_>]) -> Option<Slip> {
    if term.error() != Some(SyntaxErrorKind::PrefixLength) {
        return None;
    }
    let slip = |message: &str, cure: Cure| Some(Slip::new("prefix-length", message, cure));
    let (before, length) = term.text.rsplit_once('/')?;
    if let Ok(mask) = length.parse::<Ipv4Addr>() {
        let bits = mask.to_bits();
        let is_mask = bits.leading_ones() + bits.trailing_zeros() >= 32;
        return slip(
            "a network is written with its prefix length, and not with a netmask",
            match is_mask {
                true => write(format!("{before}/{}", bits.leading_ones())),
                false => say("write the length of the prefix, as in `/24`"),
            },
        );
    }
    if let Some((name, first)) = before.rsplit_once('/')
        && !name.ends_with('/')
        && first.parse::<u8>().is_ok()
        && length.parse::<u8>().is_ok_and(|length| length <= 128)
    {
        return slip(
            "the prefix length for IPv6 stands behind two slashes",
            write(format!("{name}/{first}//{length}")),
        );
    }
    let longest = match term.bare().get(..4) {
        Some(name) if name.eq_ignore_ascii_case("ip6:") => 128,
        _ if before.ends_with('/') => 128,
        _ => 32,
    };
    match length.parse::<u32>() {
        Ok(number) if number <= longest => {
            slip("a prefix length has no leading zeros", write(format!("{before}/{number}")))
        }
        Ok(_) => slip(
            "the prefix is longer than the address",
            say(format!("write a number from 0 to {longest}")),
        ),
        Err(_) => slip(
            "behind the slash stands the length of the prefix",
            say(format!("write a number from 0 to {longest}, or leave out the slash")),
        ),
    }
}

/// `%d`, `100%`, `%{x}`
pub(super) fn percent(term: &Term<'_>, _: &[Term<'_>]) -> Option<Slip> {
    if term.error() != Some(SyntaxErrorKind::Macro) {
        return None;
    }
    let Err(error) = term.meaning() else { return None };
    let rest = term.text.get(error.span.start..)?;
    let letter = rest.chars().nth(1).filter(|c| "sldoipvhcrt".contains(c.to_ascii_lowercase()));
    let help = match (letter, rest.strip_prefix("%{")) {
        (Some(letter), _) => format!(
            "write `%{{{letter}}}` for the macro, `%%` for a percent \
             sign"
        ),
        (None, Some(inside)) if !inside.contains('}') => "close the macro with `}`".to_owned(),
        (None, Some(_)) => {
            "a macro is one of the letters s l o d i p v h, a number, `r`, and delimiters of \
             `.-+,/_=`, \
             as in `%{d2}` or `%{ir}`"
                .to_owned()
        }
        (None, None) => "write `%%` for a percent sign".to_owned(),
    };
    let message = match rest.starts_with("%{") {
        true if !rest.contains('}') => "the macro has no end",
        true => "SPF knows no such macro",
        false => "a percent sign begins no macro here",
    };
    Some(Slip::new("macro", message, say(help)))
}

/// Names that end in nothing that could be a top-level domain.
pub(super) fn domain(term: &Term<'_>, _: &[Term<'_>]) -> Option<Slip> {
    if term.error() != Some(SyntaxErrorKind::DomainEnd) {
        return None;
    }
    let at = term.text.find([':', '='])?;
    let (name, value) = (&term.text[..=at], &term.text[at + 1..]);
    let slip = |message: String, cure: Cure| Some(Slip::new("domain-end", message, cure));
    if value.is_empty() {
        return slip(
            format!("`{name}` is about no domain"),
            say(format!("write a domain behind it, as in `{name}_spf.example.net`")),
        );
    }
    let trimmed = value.trim_end_matches(['/', '.', ':', ',', ';', ')', '>']);
    if trimmed != value && is_domain(trimmed) {
        return slip(
            format!("`{}` stands behind the domain", &value[trimmed.len()..]),
            write(format!("{name}{trimmed}")),
        );
    }
    if !value.contains('.') {
        return slip(
            format!("`{value}` is a single label, and no domain that receivers could ask for"),
            say("write the whole name, with its top-level domain"),
        );
    }
    slip(
        format!("`{value}` does not end in a top-level domain"),
        say("write the name as DNS has it"),
    )
}

fn is_octet(text: &str) -> bool {
    text.parse::<u8>().is_ok() && (text == "0" || !text.starts_with('0'))
}

fn padded(parts: &[&str]) -> String {
    let zeros = std::iter::repeat_n(&"0", 4 - parts.len());
    parts.iter().chain(zeros).copied().collect::<Vec<_>>().join(".")
}

/// The networks that make up a range, if they are few.
fn networks_of(first: Ipv4Addr, last: Ipv4Addr) -> Option<Vec<String>> {
    const NETWORKS_MAX: usize = 8;
    let (mut at, last) = (u64::from(first.to_bits()), u64::from(last.to_bits()));
    let mut networks = Vec::new();
    while at <= last {
        if networks.len() == NETWORKS_MAX {
            return None;
        }
        let aligned = at.trailing_zeros().min(32);
        let fits = (last - at + 1).ilog2();
        let bits = aligned.min(fits);
        let address = IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(at).ok()?));
        networks.push(match bits {
            0 => format!("ip4:{address}"),
            bits => format!("ip4:{address}/{}", 32 - bits),
        });
        at += 1 << bits;
    }
    (!networks.is_empty()).then_some(networks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_as_networks() {
        let of = |first: &str, last: &str| {
            networks_of(first.parse().unwrap(), last.parse().unwrap()).map(|all| all.join(" "))
        };
        assert_eq!(of("192.0.2.0", "192.0.2.255").as_deref(), Some("ip4:192.0.2.0/24"));
        assert_eq!(
            of("192.0.2.1", "192.0.2.4").as_deref(),
            Some("ip4:192.0.2.1 ip4:192.0.2.2/31 ip4:192.0.2.4")
        );
        assert_eq!(of("0.0.0.0", "255.255.255.255").as_deref(), Some("ip4:0.0.0.0/0"));
        assert_eq!(of("192.0.2.9", "192.0.2.1"), None);
        assert_eq!(of("0.0.0.1", "255.255.255.254"), None);
    }
}
