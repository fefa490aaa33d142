//! Paths in commands: where they end, and what to answer when they are none.

use quivive_mail::{EnhancedStatus, PathError, path_length};

use crate::Reply;

pub(crate) const NEEDS_SMTPUTF8: Reply =
    Reply::new(553, EnhancedStatus(5, 6, 7), "This address needs SMTPUTF8");

/// Parts `FROM:<path> parameters` into path, brackets included, and parameters.
pub(crate) fn split<'a>(arguments: &'a str, label: &str) -> Option<(&'a str, &'a str)> {
    let (head, rest) = arguments.split_at_checked(label.len())?;
    if !head.eq_ignore_ascii_case(label) {
        return None;
    }
    // RFC 5321 section 3.3 has no blank after the colon; people who type have.
    let rest = rest.trim_start_matches(' ');
    let (path, parameters) = rest.split_at(path_length(rest.as_bytes())?);
    let parted = parameters.is_empty() || parameters.starts_with(' ');
    parted.then_some((path, parameters))
}

/// What MAIL is answered.
pub(crate) fn refuse_reverse(error: PathError) -> Reply {
    match error {
        PathError::SourceRoute => {
            Reply::new(553, EnhancedStatus(5, 1, 7), "Source routes are not taken")
        }
        PathError::Domain => {
            Reply::new(501, EnhancedStatus(5, 1, 8), "The sender's domain is malformed")
        }
        _ => Reply::new(501, EnhancedStatus(5, 1, 7), "The sender is no well-formed address"),
    }
}

/// What RCPT is answered. RFC 5321 section 3.6.1 lets a host decline to relay by source routes.
pub(crate) fn refuse_forward(error: PathError) -> Reply {
    match error {
        PathError::SourceRoute => {
            Reply::new(550, EnhancedStatus(5, 7, 1), "Source routes are not taken")
        }
        _ => Reply::new(501, EnhancedStatus(5, 1, 3), "The recipient is no well-formed address"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_ends_at_its_bracket() {
        assert_eq!(split("FROM:<a@b> X", "FROM:"), Some(("<a@b>", " X")));
        assert_eq!(split("from: <\">\\\"\"@b>", "FROM:"), Some(("<\">\\\"\"@b>", "")));
        for wrong in ["FROM:<a@b", "FROM:<a@b>X", "FROM:a@b", "FROM<a@b>", "\u{e4}ROM:<a>", ""] {
            assert_eq!(split(wrong, "FROM:"), None, "{wrong}");
        }
    }
}
