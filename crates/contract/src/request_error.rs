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
        Self::new(kind, error.to_string())
    }
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
