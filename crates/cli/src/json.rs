//! What commands write as JSON: the objects of the contract, each on a line of its own.

pub(crate) use quivive_contract::{JudgementJson, line};

/// A field's value on one line (RFC 5322 section 2.2.3).
pub(crate) fn unfolded(value: &str) -> String {
    value.replace("\r\n\t", " ").replace("\r\n", "")
}
