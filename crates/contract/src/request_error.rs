use serde::Serialize;

use crate::SelectionError;

/// Why a request cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestError {
    /// A stable word.
    pub kind: &'static str,
    /// For people: the place, and the cure.
    pub text: String,
}

impl RequestError {
    /// An error of this kind. What the text repeats of a request starts no line in it, and hides
    /// nothing.
    pub fn new(kind: &'static str, text: impl AsRef<str>) -> Self {
        Self { kind, text: shown(text.as_ref()) }
    }
}

impl From<serde_json::Error> for RequestError {
    fn from(error: serde_json::Error) -> Self {
        let kind = if error.is_data() { "field" } else { "syntax" };
        Self::new(kind, error.to_string())
    }
}

/// The text with its control characters written out.
fn shown(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.into() };
    text.chars().map(shown).collect()
}

impl From<SelectionError> for RequestError {
    fn from(error: SelectionError) -> Self {
        match error {
            SelectionError::NotInThisVersion { what, word } => {
                Self::new("not-in-this-version", format!("{what} `{word}` is not in this version"))
            }
            SelectionError::Nothing(text) => Self::new("field", text),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Request;

    #[test]
    fn what_a_request_says_starts_no_line_in_its_error() {
        let error = Request::parse("{\"ip\":\"::1\",\"a\\r\\nb\u{85}\":1}").unwrap_err();
        assert!(error.text.starts_with("unknown field `a\\r\\nb\\u{85}`"), "{}", error.text);
        let bare = r#""ip":"::1","helo":"h","mail_from":"""#;
        for (key, word) in [("methods", "method"), ("identities", "identity")] {
            let text = format!("{{{bare},\"{key}\":[\"a\\r\\n\u{7f}\u{85}\"]}}");
            let error = Request::parse(&text).unwrap_err();
            let expected = format!("`a\\r\\n\\u{{7f}}\\u{{85}}` is no {word}; there are: ");
            assert!(error.text.starts_with(&expected), "{}", error.text);
        }
    }
}
