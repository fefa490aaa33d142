use quivive_evidence::{Answer, Txt};
use quivive_mail::domain::{is_fully_qualified, to_ascii};

/// How many alternative domains are looked at; more are ignored.
pub const ALTERNATIVES_MAX: usize = 4;

/// What a TXT record says, if it is one of DMP: `dmp=`, in any case, with blanks where they do no
/// harm (RFC 1464).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `dmp=`: the name takes part.
    Base,
    /// `dmp=allow`
    Allow,
    /// `dmp=deny`
    Deny,
    /// A base record with an extension (draft-fecyk-dmp-02 appendix B).
    Extension(Extension),
    /// `dmp=` and something that no draft has.
    Other,
}

/// An extension of the base record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extension {
    /// `dmp=altdomain:a.example.,b.example.`: the records of these domains count too.
    Alternatives(Vec<String>),
    /// `dmp=domain,host,forwarder`: as what the name takes part.
    Roles(Vec<Role>),
}

/// As what a name takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// As the domain of senders.
    Domain,
    /// As a host that sends.
    Host,
    /// As a host that forwards the mail of others.
    Forwarder,
}

impl Value {
    /// Reads TXT data; none if it is not about DMP.
    pub fn parse(octets: &[u8]) -> Option<Self> {
        let text = str::from_utf8(octets).ok()?;
        let (attribute, value) = text.split_once('=')?;
        let trimmed = |text: &str| text.trim_matches([' ', '\t']).to_ascii_lowercase();
        if trimmed(attribute) != "dmp" {
            return None;
        }
        Some(match &*trimmed(value) {
            "" => Self::Base,
            "allow" => Self::Allow,
            "deny" => Self::Deny,
            value => Extension::parse(value).map_or(Self::Other, Self::Extension),
        })
    }

    /// What a name's TXT records say of DMP, read once and kept beside the answer.
    pub(super) fn of(answer: &Answer<Txt>) -> &[Self] {
        struct Values(Vec<Value>);
        &answer
            .memo()
            .get_or_make(|| {
                let records = answer.records().unwrap_or_default().iter();
                Values(records.filter_map(|record| Self::parse(&record.0)).collect())
            })
            .0
    }
}

impl Extension {
    /// A word that is misspelt makes the whole no extension.
    fn parse(value: &str) -> Option<Self> {
        let words = |list: &str| list.split(',').map(|word| word.trim().to_owned()).collect();
        match value.split_once(':') {
            Some((keyword, list)) if keyword.trim() == "altdomain" => {
                let names: Vec<String> = words(list);
                let names: Vec<String> = names.iter().map(|name| to_ascii(name)).collect();
                let all_names = names.iter().all(|name| is_fully_qualified(name));
                all_names.then_some(Self::Alternatives(names))
            }
            Some(_) => None,
            None => {
                let words: Vec<String> = words(value);
                let roles = words.iter().map(|word| match &**word {
                    "domain" => Some(Role::Domain),
                    "host" => Some(Role::Host),
                    "forwarder" => Some(Role::Forwarder),
                    _ => None,
                });
                roles.collect::<Option<_>>().map(Self::Roles)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_either_case_with_blanks() {
        let parse = |text: &str| Value::parse(text.as_bytes());
        for (text, value) in [
            ("dmp=", Value::Base),
            (" DMP = ", Value::Base),
            ("dmp=allow", Value::Allow),
            ("DMP=Allow", Value::Allow),
            ("dmp =\tdeny ", Value::Deny),
            ("dmp=allowed", Value::Other),
            ("dmp=allow deny", Value::Other),
            ("dmp=hots", Value::Other),
            ("dmp=altdomain:", Value::Other),
            ("dmp=altdomain:localhost", Value::Other),
            ("dmp=alt:a.test", Value::Other),
        ] {
            assert_eq!(parse(text), Some(value), "{text}");
        }
        for text in ["", "dmp", "v=spf1 -all", "xdmp=allow", "=allow"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(Value::parse(b"dmp=\xff"), None);
    }

    #[test]
    fn extensions() {
        let names = vec!["other1.test".to_owned(), "other2.test".to_owned()];
        assert_eq!(
            Value::parse(b"dmp=altdomain:Other1.test.,other2.test."),
            Some(Value::Extension(Extension::Alternatives(names)))
        );
        let roles = vec![Role::Domain, Role::Forwarder];
        assert_eq!(
            Value::parse(b"dmp=domain, forwarder"),
            Some(Value::Extension(Extension::Roles(roles)))
        );
    }
}
