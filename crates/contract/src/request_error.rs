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
    /// An error of this kind.
    pub fn new(kind: &'static str, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}

impl From<serde_json::Error> for RequestError {
    fn from(error: serde_json::Error) -> Self {
        let kind = if error.is_data() { "field" } else { "syntax" };
        Self::new(kind, shown(&error.to_string()))
    }
}

/// The parser repeats what stands in the request: nothing of it may start a line, or hide.
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
    }
}
