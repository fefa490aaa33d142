//! Words of the table's grammar: a run of anything but blanks, commas and brackets; inside double
//! quotes, anything.

/// The word at the start of a text, as it was written, and what follows it. None if there is no
/// word, or if a quote is not closed.
pub(crate) fn split(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let mut escaped = false;
    let mut end = text.len();
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c if !quoted && (c.is_whitespace() || matches!(c, ',' | '[' | ']')) => {
                // The brackets of an address literal belong to the address.
                if c == '[' && text[..at].ends_with('@') {
                    end = at + text[at..].find(']')? + 1;
                    break;
                }
                end = at;
                break;
            }
            _ => {}
        }
    }
    let (word, rest) = text.split_at(end);
    (!quoted && !word.is_empty()).then_some((word, rest))
}

/// A word without its quotes, if all of it stands in quotes.
pub(crate) fn unquoted(word: &str) -> Option<String> {
    let content = word.strip_prefix('"')?.strip_suffix('"')?;
    let mut text = String::with_capacity(content.len());
    let mut chars = content.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.push(chars.next()?),
            '"' => return None,
            c => text.push(c),
        }
    }
    Some(text)
}

/// A text in quotes.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_where_no_quotes_are_open() {
        assert_eq!(split("a@b c"), Some(("a@b", " c")));
        assert_eq!(split("a, b"), Some(("a", ", b")));
        assert_eq!(split("\"a b\\\" c\"@d [x]"), Some(("\"a b\\\" c\"@d", " [x]")));
        assert_eq!(split("a@[192.0.2.1] [x]"), Some(("a@[192.0.2.1]", " [x]")));
        assert_eq!(split("a[x]"), Some(("a", "[x]")));
        for text in ["", " a", ",", "\"a", "a@[1"] {
            assert_eq!(split(text), None, "{text}");
        }
    }

    #[test]
    fn quotes_come_off_and_on() {
        for text in ["", "a b", "a\"b\\c"] {
            assert_eq!(unquoted(&quoted(text)).as_deref(), Some(text));
        }
        for word in ["a", "\"", "\"a\"b\"", "\"a\\\""] {
            assert_eq!(unquoted(word), None, "{word}");
        }
    }
}
