use crate::syntax::SyntaxErrorKind;

/// A macro-string (RFC 7208 section 7.1): literal text and macros, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MacroString {
    pub(crate) items: Box<[Item]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// Text that stands for itself; `%%`, `%_` and `%-` are already resolved.
    Literal(Box<str>),
    Macro(Macro),
}

/// `%{...}`: a letter and its transformers (RFC 7208 section 7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Macro {
    pub(crate) letter: Letter,
    /// An upper-case letter: the value is URL-escaped.
    pub(crate) escape: bool,
    /// How many right-hand parts are kept; none: all of them.
    pub(crate) keep: Option<usize>,
    pub(crate) reverse: bool,
    pub(crate) delimiters: Delimiters,
}

/// The macro letters (RFC 7208 section 7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Letter {
    Sender,
    LocalPart,
    SenderDomain,
    Domain,
    Address,
    ValidatedName,
    AddressFamily,
    Helo,
    ReadableAddress,
    Receiver,
    Timestamp,
}

/// Which of `.-+,/_=` split a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delimiters(u8);

/// Where a macro-string stands, which decides the letters it may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a record: no `c`, `r`, `t`, no blanks.
    Record,
    /// An explanation text (RFC 7208 section 6.2): all letters, and blanks.
    Explanation,
}

impl MacroString {
    /// Parses a macro-string as it may stand in a record.
    ///
    /// # Errors
    /// What is wrong, with its place in octets of `text`.
    pub fn parse(text: &str) -> Result<Self, crate::SyntaxError> {
        Self::parse_at(text, 0, Place::Record)
    }

    /// Parses an explanation text (explain-string, RFC 7208 section 6.2).
    ///
    /// # Errors
    /// What is wrong, with its place in octets of `text`.
    pub fn parse_explanation(text: &str) -> Result<Self, crate::SyntaxError> {
        Self::parse_at(text, 0, Place::Explanation)
    }

    /// Parses text that begins at `offset` of its record.
    pub(crate) fn parse_at(
        text: &str,
        offset: usize,
        place: Place,
    ) -> Result<Self, crate::SyntaxError> {
        let mut items = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            let at = offset + text.len() - rest.len();
            if character != '%' {
                // macro-literal = %x21-24 / %x26-7E; explain-string adds the blank.
                let blank = character == ' ' && place == Place::Explanation;
                if !character.is_ascii_graphic() && !blank {
                    return Err(SyntaxErrorKind::Octet.at(at..at + character.len_utf8()));
                }
                literal.push(character);
                rest = &rest[1..];
                continue;
            }
            let (resolved, length) = match rest.as_bytes().get(1) {
                Some(b'%') => ("%", 2),
                Some(b'_') => (" ", 2),
                Some(b'-') => ("%20", 2),
                Some(b'{') => {
                    let length = rest.find('}').map_or(rest.len(), |end| end + 1);
                    let parsed = Macro::parse(&rest[..length], place);
                    if !literal.is_empty() {
                        items.push(Item::Literal(std::mem::take(&mut literal).into()));
                    }
                    items.push(Item::Macro(parsed.map_err(|kind| kind.at(at..at + length))?));
                    ("", length)
                }
                _ => return Err(SyntaxErrorKind::Macro.at(at..at + 1)),
            };
            literal.push_str(resolved);
            rest = &rest[length..];
        }
        if !literal.is_empty() {
            items.push(Item::Literal(literal.into()));
        }
        Ok(Self { items: items.into() })
    }

    /// The text, if there is no macro in it.
    pub(crate) fn literal(&self) -> Option<&str> {
        match &*self.items {
            [] => Some(""),
            [Item::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether any macro's letter is one of these.
    pub(crate) fn uses(&self, letters: &[Letter]) -> bool {
        self.items
            .iter()
            .any(|item| matches!(item, Item::Macro(item) if letters.contains(&item.letter)))
    }
}

impl Macro {
    /// Parses `%{ letter *DIGIT [ "r" ] *delimiter }`, braces included.
    fn parse(text: &str, place: Place) -> Result<Self, SyntaxErrorKind> {
        let inside = text.strip_prefix("%{").and_then(|text| text.strip_suffix('}'));
        let mut characters = inside.ok_or(SyntaxErrorKind::Macro)?.chars();
        let name = characters.next().ok_or(SyntaxErrorKind::Macro)?;
        let letter = Letter::of(name.to_ascii_lowercase()).ok_or(SyntaxErrorKind::Macro)?;
        if letter.explanation_only() && place == Place::Record {
            return Err(SyntaxErrorKind::ExplanationMacro);
        }
        let rest = characters.as_str();
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (digits, rest) = rest.split_at(digits);
        let keep = match digits {
            "" => None,
            // More parts than a usize counts are all parts. RFC 7208 section 7.3: not zero.
            digits => Some(digits.parse().unwrap_or(usize::MAX)),
        };
        if keep == Some(0) {
            return Err(SyntaxErrorKind::Macro);
        }
        let (reverse, rest) = match rest.strip_prefix(['r', 'R']) {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let delimiters = Delimiters::parse(rest).ok_or(SyntaxErrorKind::Macro)?;
        Ok(Self { letter, escape: name.is_ascii_uppercase(), keep, reverse, delimiters })
    }
}

impl Letter {
    fn of(letter: char) -> Option<Self> {
        Some(match letter {
            's' => Self::Sender,
            'l' => Self::LocalPart,
            'o' => Self::SenderDomain,
            'd' => Self::Domain,
            'i' => Self::Address,
            'p' => Self::ValidatedName,
            'v' => Self::AddressFamily,
            'h' => Self::Helo,
            'c' => Self::ReadableAddress,
            'r' => Self::Receiver,
            't' => Self::Timestamp,
            _ => return None,
        })
    }

    fn explanation_only(self) -> bool {
        matches!(self, Self::ReadableAddress | Self::Receiver | Self::Timestamp)
    }
}

impl Delimiters {
    pub(crate) const ALL: &[u8] = b".-+,/_=";

    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(1));
        }
        text.bytes().try_fold(Self(0), |delimiters, octet| {
            let place = Self::ALL.iter().position(|delimiter| *delimiter == octet)?;
            Some(Self(delimiters.0 | 1 << place))
        })
    }

    pub(crate) fn contains(self, character: char) -> bool {
        Self::ALL
            .iter()
            .position(|delimiter| char::from(*delimiter) == character)
            .is_some_and(|place| self.0 & 1 << place != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_become_literal_text() {
        let parsed = MacroString::parse("a%%b%_c%-d").unwrap();
        assert_eq!(parsed.literal(), Some("a%b c%20d"));
    }

    #[test]
    fn errors_name_their_place() {
        let place = |text: &str| MacroString::parse(text).unwrap_err().span;
        assert_eq!(place("ab%x"), 2..3);
        assert_eq!(place("ab%{d0}c"), 2..7);
        assert_eq!(place("ab%{d"), 2..5);
        assert_eq!(place("ab%{x}"), 2..6);
        assert_eq!(place("a b"), 1..2);
        assert_eq!(place("aé"), 1..3);
    }

    #[test]
    fn explanation_letters_have_their_place() {
        let error = MacroString::parse("%{c}").unwrap_err();
        assert_eq!(error.kind, SyntaxErrorKind::ExplanationMacro);
        assert!(MacroString::parse_explanation("%{c} is not %{R}'s, at %{t}").is_ok());
    }
}
