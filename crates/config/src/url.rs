use std::fmt;
use std::path::Path;

use crate::Problem;
use crate::problem::quoted;
use crate::value::Word;

/// How long a URL may be, in octets: with an id it stands in a reply line, which has 512.
const URL_OCTETS_MAX: usize = 200;

/// Where pages are reached: `https://mx.example.test/`, always with a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url(String);

impl Url {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Word for Url {
    const KIND: &'static str = "a URL";
    const EXAMPLE: &'static str = "https://mx.example.test/";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let host = rest.unwrap_or_default().split('/').next().unwrap_or_default();
        let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~:/[]".contains(&octet);
        if host.is_empty() || text.len() > URL_OCTETS_MAX || !text.bytes().all(plain) {
            let text = quoted(text);
            return Err(Problem::Invalid(format!(
                "`{text}` is no URL for pages; write `https://HOST/` or `https://HOST/PATH/`, in \
                 at most {URL_OCTETS_MAX} octets, without a query"
            )));
        }
        Ok(Self(format!("{}/", text.trim_end_matches('/'))))
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_end_with_a_slash() {
        for (text, url) in [
            ("https://q.example", "https://q.example/"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/"),
            ("https://q.example/a/b", "https://q.example/a/b/"),
            ("https://[::1]:8080/", "https://[::1]:8080/"),
        ] {
            assert_eq!(Url::parse(text, Path::new("")).unwrap().as_str(), url);
        }
    }

    #[test]
    fn what_is_no_url_is_refused() {
        let long = format!("https://{}.example", "x".repeat(URL_OCTETS_MAX));
        for text in [
            "",
            "q.example",
            "ftp://q.example/",
            "https://",
            "https:///a",
            "https://q.example/?a",
            "https://q.example/<",
            "https://q.example/a b",
            "https://q.example/\r\n",
            &long,
        ] {
            assert!(Url::parse(text, Path::new("")).is_err(), "{text}");
        }
    }
}
