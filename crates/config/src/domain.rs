use std::fmt;
use std::path::Path;

use quivive_mail::domain::to_ascii;

use crate::Problem;
use crate::problem::quoted;
use crate::value::Word;

/// The longest domain name, in octets, as it is written (RFC 1035 section 2.3.4).
const DOMAIN_OCTETS_MAX: usize = 253;

/// The longest label, in octets (RFC 1035 section 2.3.4).
const LABEL_OCTETS_MAX: usize = 63;

/// A domain or host name: A-labels in lower case, without a closing dot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain(String);

/// A name under which results are written: a token (RFC 8601 section 2.5, RFC 2045 section 5.1).
///
/// RFC 8601 allows quoted strings too; a token needs no quoting anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthservId(String);

impl Domain {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of this host as the system knows it, or `localhost` if that cannot be one.
    pub(crate) fn of_this_host() -> Self {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self::parse(name.trim(), Path::new("")).unwrap_or_else(|_| Self("localhost".to_owned()))
    }
}

impl AuthservId {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A host name is a token.
impl From<&Domain> for AuthservId {
    fn from(domain: &Domain) -> Self {
        Self(domain.0.clone())
    }
}

impl Word for Domain {
    const KIND: &'static str = "a domain";
    const EXAMPLE: &'static str = "example.test";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        let name = to_ascii(text);
        let label = |label: &str| {
            (1..=LABEL_OCTETS_MAX).contains(&label.len())
                && label
                    .bytes()
                    .all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(&octet))
        };
        if name.len() <= DOMAIN_OCTETS_MAX && name.split('.').all(label) {
            return Ok(Self(name));
        }
        let cure = match text.trim_start_matches("*.").trim_start_matches('.') {
            bare if bare != text => format!("; write `{}`", quoted(bare)),
            _ => ", such as `example.test`".to_owned(),
        };
        Err(Problem::Invalid(format!("`{}` is no domain{cure}", quoted(text))))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

impl Word for AuthservId {
    const KIND: &'static str = "a name without blanks or special characters";
    const EXAMPLE: &'static str = "mx.example.test";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        let token = |octet: u8| octet.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&octet);
        if !text.is_empty() && text.len() <= DOMAIN_OCTETS_MAX && text.bytes().all(token) {
            return Ok(Self(text.to_owned()));
        }
        let text = quoted(text);
        Err(Problem::Invalid(format!(
            "`{text}` cannot be an authserv-id; write a name such as `mx.example.test`"
        )))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for AuthservId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for Domain {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(text: &str) -> Result<String, String> {
        let domain = Domain::parse(text, Path::new(""));
        domain.map(|domain| domain.to_string()).map_err(|problem| problem.to_string())
    }

    #[test]
    fn domains_are_a_labels() {
        assert_eq!(domain("Bücher.Example."), Ok("xn--bcher-kva.example".to_owned()));
        assert_eq!(domain("localhost"), Ok("localhost".to_owned()));
        assert_eq!(domain("_x.example"), Ok("_x.example".to_owned()));
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        assert_eq!(domain("*.a.test"), Err("`*.a.test` is no domain; write `a.test`".to_owned()));
        assert_eq!(domain(".a.test"), Err("`.a.test` is no domain; write `a.test`".to_owned()));
        let long = format!("{}.test", "a".repeat(LABEL_OCTETS_MAX + 1));
        let too_long = vec!["a".repeat(LABEL_OCTETS_MAX); 4].join(".");
        for text in ["", ".", "a..b", "a b", "a@b", "a\r\nb", "[192.0.2.1]", &long, &too_long] {
            assert!(domain(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_authserv_id_is_a_token() {
        let parse = |text: &str| AuthservId::parse(text, Path::new("")).is_ok();
        assert!(parse("mx1.example.test"));
        assert!(parse(&"a".repeat(DOMAIN_OCTETS_MAX)));
        for text in ["", "a b", "a;b", "a\nb", "bücher", &"a".repeat(DOMAIN_OCTETS_MAX + 1)] {
            assert!(!parse(text), "{text}");
        }
    }

    #[test]
    fn this_host_has_a_name() {
        assert!(!Domain::of_this_host().as_str().is_empty());
    }
}
