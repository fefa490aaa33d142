//! Records as text: what is parsed from it again is the same.

use std::fmt::{self, Display, Formatter, Write};

use crate::domain_spec::DomainSpec;
use crate::macro_string::{Delimiters, Item, Letter, Macro, MacroString};
use crate::record::{Directive, DualPrefix, Mechanism, Qualifier, Record};

/// What stands for a name that can never be asked for: it has an empty label.
const UNUSABLE: &str = ".invalid";

/// The record in its plain form: directives as they are walked, then the modifiers that SPF knows.
/// [`Record::text`] is the record as it was published.
impl Display for Record {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("v=spf1")?;
        for directive in self.directives() {
            write!(f, " {directive}")?;
        }
        if let Some(redirect) = self.redirect() {
            write!(f, " redirect={}", redirect.target)?;
        }
        if let Some(explanation) = self.explanation() {
            write!(f, " exp={}", explanation.target)?;
        }
        Ok(())
    }
}

impl Display for Directive<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.qualifier, self.mechanism)
    }
}

/// The sign; a pass has none.
impl Display for Qualifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "",
            Self::Fail => "-",
            Self::Softfail => "~",
            Self::Neutral => "?",
        })
    }
}

impl Display for Mechanism<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let optional = |target: &Option<DomainSpec<'_>>| match target {
            Some(target) => format!(":{target}"),
            None => String::new(),
        };
        match self {
            Self::All => f.write_str("all"),
            Self::Include(target) => write!(f, "include:{target}"),
            Self::A(target, prefix) => write!(f, "a{}{prefix}", optional(target)),
            Self::Mx(target, prefix) => write!(f, "mx{}{prefix}", optional(target)),
            Self::Ptr(target) => write!(f, "ptr{}", optional(target)),
            Self::Ip4(address, 32) => write!(f, "ip4:{address}"),
            Self::Ip4(address, prefix) => write!(f, "ip4:{address}/{prefix}"),
            Self::Ip6(address, 128) => write!(f, "ip6:{address}"),
            Self::Ip6(address, prefix) => write!(f, "ip6:{address}/{prefix}"),
            Self::Exists(target) => write!(f, "exists:{target}"),
        }
    }
}

/// The lengths that are not those of single addresses.
impl Display for DualPrefix {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.ipv4 != 32 {
            write!(f, "/{}", self.ipv4)?;
        }
        if self.ipv6 != 128 {
            write!(f, "//{}", self.ipv6)?;
        }
        Ok(())
    }
}

impl Display for DomainSpec<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(Some(name)) => f.write_str(name),
            Self::Literal(None) => f.write_str(UNUSABLE),
            // Without a macro or an escape it is a name as soon as it is in lower case.
            Self::Macros(macros) if !macros.text().contains('%') => {
                let name = macros.text().strip_suffix('.').unwrap_or(macros.text());
                f.write_str(&name.to_ascii_lowercase())
            }
            Self::Macros(macros) => macros.fmt(f),
        }
    }
}

impl Display for MacroString<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.items().try_for_each(|item| match item {
            Item::Literal(text) => f.write_str(text),
            Item::Escape(octet) => write!(f, "%{octet}"),
            Item::Macro(item) => item.fmt(f),
        })
    }
}

impl Display for Macro {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let letter = self.letter.character();
        write!(f, "%{{{}", if self.escape { letter.to_ascii_uppercase() } else { letter })?;
        if let Some(keep) = self.keep {
            write!(f, "{keep}")?;
        }
        if self.reverse {
            f.write_char('r')?;
        }
        if self.delimiters != Delimiters::DOT {
            let all = Delimiters::ALL.iter().map(|octet| char::from(*octet));
            all.filter(|octet| self.delimiters.contains(*octet))
                .try_for_each(|octet| f.write_char(octet))?;
        }
        f.write_char('}')
    }
}

impl Letter {
    fn character(self) -> char {
        match self {
            Self::Sender => 's',
            Self::LocalPart => 'l',
            Self::SenderDomain => 'o',
            Self::Domain => 'd',
            Self::Address => 'i',
            Self::ValidatedName => 'p',
            Self::AddressFamily => 'v',
            Self::Helo => 'h',
            Self::ReadableAddress => 'c',
            Self::Receiver => 'r',
            Self::Timestamp => 't',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_forms() {
        for (text, plain) in [
            ("V=SPF1  +A ~MX:Example.COM./24//64 -all", "v=spf1 a ~mx:example.com/24//64 -all"),
            ("v=spf1 ip4:192.0.2.1/32 ip6:2001:DB8::/32", "v=spf1 ip4:192.0.2.1 ip6:2001:db8::/32"),
            ("v=spf1 exp=a.b redirect=c.d ?ptr x=y", "v=spf1 ?ptr redirect=c.d exp=a.b"),
            (
                "v=spf1 exists:%{I2R-.}.%%.%_x%- a:a..b",
                "v=spf1 exists:%{I2r.-}.%%.%_x%- a:.invalid",
            ),
        ] {
            let record = Record::parse(text.as_bytes()).unwrap();
            assert_eq!(record.to_string(), plain);
        }
    }
}
