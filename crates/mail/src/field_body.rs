//! Writing the value of a structured header field, so that nothing in it can break out.

use std::borrow::Cow;

use crate::Charset;

/// Octets of a text from outside that are written; the rest is cut off. With every octet escaped,
/// and its key before it, it stays below the 998 of a line.
pub const TEXT_MAX: usize = 384;
/// Octets of a keyword that are written.
pub const KEYWORD_MAX: usize = 64;
/// The column that folding tries not to pass (RFC 5322 section 2.1.1 advises 78).
pub const FOLD_COLUMN: usize = 76;

/// Octets that most values of a field find room in.
const TEXT_USUAL: usize = 320;

// One blank, so that unfolding gives back exactly the line that was folded.
const FOLDING: &str = "\r\n ";

/// The value of a structured field under construction: words, a blank or folding between them.
///
/// Text from outside is cleaned first: control characters become `?`, as do characters above ASCII
/// without [`Charset::Utf8`], and it is cut at [`TEXT_MAX`].
#[derive(Debug)]
pub struct FieldBody {
    text: String,
    column: usize,
    charset: Charset,
}

impl FieldBody {
    /// An empty value for the field of this name.
    pub fn new(name: &str, charset: Charset) -> Self {
        Self { text: String::with_capacity(TEXT_USUAL), column: name.len() + 2, charset }
    }

    /// Fixed syntax, right after what is there.
    pub fn syntax(&mut self, syntax: &'static str) {
        self.text.push_str(syntax);
        self.column += syntax.len();
    }

    /// Begins a new line for what follows, if anything precedes it.
    pub fn new_line(&mut self) {
        self.column = self.column.max(FOLD_COLUMN);
    }

    /// A word that is syntax or known to be clean: a keyword, a number, a date's part.
    ///
    /// What may not stand in a field is cleaned all the same, and blanks are dropped.
    pub fn word(&mut self, word: &str) {
        let word = cleaned(word, self.charset);
        let word = if word.contains(' ') { word.replace(' ', "").into() } else { word };
        if !word.is_empty() {
            self.push(&word);
        }
    }

    /// A text: bare if it is an atom, else as a quoted-string.
    pub fn text(&mut self, text: &str) {
        let text = quoted_unless(cleaned(text, self.charset), is_bare);
        self.push(&text);
    }

    /// `key=text`, the text bare if it is an atom, else as a quoted-string.
    pub fn pair(&mut self, key: &str, text: &str) {
        let text = quoted_unless(cleaned(text, self.charset), is_bare);
        self.push_joined(&[&only_keyword(key), "=", &text]);
    }

    /// `ptype.property=text` (RFC 8601 section 2.2), the text bare if it is an atom, a plain
    /// mailbox or an `@` and a domain, else as a quoted-string.
    pub fn property(&mut self, ptype: &str, property: &str, text: &str) {
        let text = quoted_unless(cleaned(text, self.charset), is_bare_address);
        self.push_joined(&[&only_keyword(ptype), ".", &only_keyword(property), "=", &text]);
    }

    /// `method/version=result` (RFC 8601 section 2.2), all of it keywords.
    pub fn method(&mut self, method: &str, version: Option<u32>, result: &str) {
        let version = version.map_or_else(String::new, |version| format!("/{version}"));
        self.push_joined(&[&only_keyword(method), &version, "=", &only_keyword(result)]);
    }

    /// A comment. Parentheses in it become brackets, quotes and backslashes their likes, so that
    /// also a reader that knows no escapes finds its end. Nothing is written for an empty text.
    pub fn comment(&mut self, text: &str) {
        let text = cleaned(text, self.charset);
        let text = match text.bytes().any(|octet| matches!(octet, b'(' | b')' | b'"' | b'\\')) {
            true => text.chars().map(in_comment).collect(),
            false => text,
        };
        // It is clean: of all white space there are blanks alone.
        let mut words = text.split_ascii_whitespace().peekable();
        let mut open = "(";
        while let Some(word) = words.next() {
            let close = if words.peek().is_none() { ")" } else { "" };
            self.push_joined(&[open, word, close]);
            open = "";
        }
    }

    /// The value, folded with CRLF and one blank.
    pub fn finish(self) -> String {
        self.text
    }

    /// A word that may hold blanks only inside quotes.
    pub(crate) fn push(&mut self, word: &str) {
        self.push_joined(&[word]);
    }

    /// As [`FieldBody::push`], of a word in parts.
    fn push_joined(&mut self, parts: &[&str]) {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        if self.text.is_empty() {
            self.column += length;
        } else if self.column + 1 + length > FOLD_COLUMN {
            self.text.push_str(FOLDING);
            self.column = 1 + length;
        } else {
            self.text.push(' ');
            self.column += 1 + length;
        }
        self.text.extend(parts.iter().copied());
    }
}

/// The text as far as it may stand in a field: see [`FieldBody`].
pub fn clean(text: &str, charset: Charset) -> String {
    cleaned(text, charset).into_owned()
}

fn cleaned(text: &str, charset: Charset) -> Cow<'_, str> {
    // Nearly every text is clean already.
    if text.len() <= TEXT_MAX && text.bytes().all(|octet| matches!(octet, b' '..=b'~')) {
        return text.into();
    }
    let mut cleaned = String::new();
    for c in text.chars().map(|c| if charset.holds(c) { c } else { '?' }) {
        if cleaned.len() + c.len_utf8() > TEXT_MAX {
            break;
        }
        cleaned.push(c);
    }
    cleaned.into()
}

/// A keyword: letters, digits and hyphens, cut at [`KEYWORD_MAX`]. All else is dropped; what is
/// empty then, is `unknown`.
pub fn keyword(text: &str) -> String {
    only_keyword(text).into_owned()
}

fn only_keyword(text: &str) -> Cow<'_, str> {
    let may_stand = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
    let edges = text.starts_with('-') || text.ends_with('-');
    if matches!(text.len(), 1..=KEYWORD_MAX) && !edges && text.bytes().all(may_stand) {
        return text.into();
    }
    let keyword: String =
        text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(KEYWORD_MAX).collect();
    match keyword.trim_matches('-') {
        "" => "unknown".into(),
        keyword => keyword.to_owned().into(),
    }
}

/// Both an atom of RFC 5322 and a token of RFC 2045, of the harmless kind.
fn is_bare(text: &str) -> bool {
    // Parts between dots, none of them empty.
    let mut before = b'.';
    let may_stand = text.bytes().all(|octet| {
        let is_empty = before == b'.' && octet == b'.';
        before = octet;
        !is_empty && (octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'+' | b'.'))
    });
    may_stand && before != b'.'
}

fn is_bare_address(text: &str) -> bool {
    match text.split_once('@') {
        Some((local_part, domain)) => {
            (local_part.is_empty() || is_bare(local_part)) && is_bare(domain)
        }
        None => is_bare(text),
    }
}

fn quoted_unless(text: Cow<'_, str>, is_bare: impl Fn(&str) -> bool) -> Cow<'_, str> {
    if is_bare(&text) {
        return text;
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted.into()
}

fn in_comment(c: char) -> char {
    match c {
        '(' => '[',
        ')' => ']',
        '"' => '\'',
        '\\' => '/',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(charset: Charset) -> FieldBody {
        FieldBody::new("X", charset)
    }

    #[test]
    fn control_characters_and_utf8_are_replaced() {
        assert_eq!(clean("a\r\nb\0\tc\u{7f}\u{85}", Charset::Utf8), "a??b??c??");
        assert_eq!(clean("j\u{f6}rg", Charset::Ascii), "j?rg");
        assert_eq!(clean("j\u{f6}rg", Charset::Utf8), "j\u{f6}rg");
    }

    #[test]
    fn texts_are_quoted_where_needed() {
        let mut body = body(Charset::Ascii);
        body.text("mx.example");
        body.pair("helo", "a;b");
        body.pair("x", "");
        body.property("smtp", "mailfrom", "user@example.com");
        body.property("smtp", "mailfrom", "\"a\\b\"@example.com");
        body.property("policy", "iprev", "2001:db8::1");
        let value = crate::header::unfold(&body.finish());
        assert_eq!(
            value,
            "mx.example helo=\"a;b\" x=\"\" smtp.mailfrom=user@example.com \
             smtp.mailfrom=\"\\\"a\\\\b\\\"@example.com\" policy.iprev=\"2001:db8::1\""
        );
    }

    #[test]
    fn comments_have_one_end() {
        let mut body = body(Charset::Ascii);
        body.comment("a) (b \\ \"c\"\r\n");
        body.comment(" ");
        assert_eq!(body.finish(), "(a] [b / 'c'??)");
    }

    #[test]
    fn keywords() {
        assert_eq!(keyword("x-rmx"), "x-rmx");
        assert_eq!(keyword("-s p=f\r\n-"), "spf");
        assert_eq!(keyword("="), "unknown");
        assert_eq!(keyword(&"k".repeat(KEYWORD_MAX + 1)).len(), KEYWORD_MAX);
    }

    #[test]
    fn long_texts_are_cut_and_lines_stay_legal() {
        let mut body = body(Charset::Ascii);
        body.text("a");
        body.property(&"k".repeat(99), &"k".repeat(99), &"\"".repeat(TEXT_MAX + 1));
        body.syntax(";");
        let value = body.finish();
        assert_eq!(value.matches("\\\"").count(), TEXT_MAX);
        assert!(value.split("\r\n").all(|line| line.len() <= 998));
    }

    #[test]
    fn lines_are_folded_before_the_column() {
        let mut body = body(Charset::Ascii);
        (0..40).for_each(|_| body.word("example"));
        let value = body.finish();
        assert!(value.contains(FOLDING));
        for line in value.split("\r\n") {
            assert!(line.len() <= FOLD_COLUMN);
        }
    }
}
