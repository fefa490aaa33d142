use std::ops::Range;

use crate::syntax::SyntaxErrorKind;

/// A macro-string (RFC 7208 section 7.1) that keeps to the grammar: literal text and macros, in
/// order. It is read anew whenever it is expanded, so that it takes no memory beside its text.
#[derive(Debug, Clone, Copy)]
pub struct MacroString<'t> {
    text: &'t str,
    letters: Letters,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item<'t> {
    /// Text that stands for itself.
    Literal(&'t str),
    /// `%%`, `%_` or `%-`, without the percent sign before it.
    Escape(char),
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

/// The macro letters (RFC 7208 section 7.2); those that only explanations may use come last.
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

/// A set of macro letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Letters(u16);

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

impl<'t> MacroString<'t> {
    /// Parses a macro-string as it may stand in a record.
    ///
    /// # Errors
    /// What is wrong, with its place in octets of `text`.
    pub fn parse(text: &'t str) -> Result<Self, crate::SyntaxError> {
        Self::parse_at(text, 0, Place::Record)
    }

    /// Parses an explanation text (explain-string, RFC 7208 section 6.2).
    ///
    /// # Errors
    /// What is wrong, with its place in octets of `text`.
    pub fn parse_explanation(text: &'t str) -> Result<Self, crate::SyntaxError> {
        Self::parse_at(text, 0, Place::Explanation)
    }

    /// Parses text that begins at `offset` of its record.
    pub(crate) fn parse_at(
        text: &'t str,
        offset: usize,
        place: Place,
    ) -> Result<Self, crate::SyntaxError> {
        let mut letters = Letters::default();
        let mut items = Items { text, at: 0, place };
        while let Some(item) = items.read() {
            match item {
                Ok(Item::Macro(item)) => letters = letters.with(item.letter),
                Ok(Item::Literal(_) | Item::Escape(_)) => {}
                Err((kind, span)) => return Err(kind.at(offset + span.start..offset + span.end)),
            }
        }
        Ok(Self { text, letters })
    }

    /// The macro-string of a text that was parsed before, with the letters that it uses.
    pub(crate) fn parsed(text: &'t str, letters: Letters) -> Self {
        Self { text, letters }
    }

    /// The text as it was written.
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// Whether its macros use any of these letters.
    pub(crate) fn uses(&self, letters: Letters) -> bool {
        self.letters.meet(letters)
    }

    /// The letters that its macros use.
    pub(crate) fn letters(&self) -> Letters {
        self.letters
    }

    /// The items, in order.
    pub(crate) fn items(&self) -> impl Iterator<Item = Item<'t>> + use<'t> {
        // Wherever it stands, it was found to keep to the grammar: the wider one reads it again.
        let mut items = Items { text: self.text, at: 0, place: Place::Explanation };
        std::iter::from_fn(move || items.read()?.ok())
    }
}

/// The same text and macros, however they are written.
impl PartialEq for MacroString<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.items().eq(other.items())
    }
}

impl Eq for MacroString<'_> {}

/// Reads the items of a text one by one.
struct Items<'t> {
    text: &'t str,
    at: usize,
    place: Place,
}

impl<'t> Items<'t> {
    fn read(&mut self) -> Option<Result<Item<'t>, (SyntaxErrorKind, Range<usize>)>> {
        let start = self.at;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        Some(match rest.as_bytes() {
            [b'%', b'{', ..] => {
                let length = rest.find('}').map_or(rest.len(), |end| end + 1);
                self.at += length;
                Macro::parse(&rest[..length], self.place)
                    .map(Item::Macro)
                    .map_err(|kind| (kind, start..start + length))
            }
            [b'%', escaped @ (b'%' | b'_' | b'-'), ..] => {
                self.at += 2;
                Ok(Item::Escape(char::from(*escaped)))
            }
            [b'%', ..] => Err((SyntaxErrorKind::Macro, start..start + 1)),
            octets => {
                let length = octets.iter().position(|octet| *octet == b'%').unwrap_or(rest.len());
                self.at += length;
                self.literal(start, &rest[..length])
            }
        })
    }

    /// macro-literal = %x21-24 / %x26-7E; explain-string adds the blank.
    fn literal(
        &self,
        start: usize,
        text: &'t str,
    ) -> Result<Item<'t>, (SyntaxErrorKind, Range<usize>)> {
        let blank = self.place == Place::Explanation;
        let may_stand = |octet: u8| octet.is_ascii_graphic() || (octet == b' ' && blank);
        match text.bytes().position(|octet| !may_stand(octet)) {
            None => Ok(Item::Literal(text)),
            Some(at) => {
                let length = text[at..].chars().next().map_or(1, char::len_utf8);
                Err((SyntaxErrorKind::Octet, start + at..start + at + length))
            }
        }
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

impl Letters {
    /// Those that name the local part of the sender.
    pub(crate) const OF_THE_LOCAL_PART: Self = Self(0).with(Letter::Sender).with(Letter::LocalPart);

    /// Those that tell something of the sender.
    pub(crate) const OF_THE_SENDER: Self =
        Self::OF_THE_LOCAL_PART.with(Letter::SenderDomain).with(Letter::Helo);

    /// Those whose value is another one for another message to the same domain.
    pub(crate) const OF_THE_MESSAGE: Self = Self::OF_THE_SENDER
        .with(Letter::Address)
        .with(Letter::ValidatedName)
        .with(Letter::AddressFamily)
        .with(Letter::ReadableAddress)
        .with(Letter::Receiver)
        .with(Letter::Timestamp);

    /// All of them.
    pub(crate) const ALL: Self = Self::OF_THE_MESSAGE.with(Letter::Domain);

    pub(crate) const fn of(letter: Letter) -> Self {
        Self(0).with(letter)
    }

    pub(crate) const fn with(self, letter: Letter) -> Self {
        Self(self.0 | 1 << letter as u16)
    }

    pub(crate) fn bits(self) -> u16 {
        self.0
    }

    pub(crate) fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    pub(crate) fn contain(self, letter: Letter) -> bool {
        self.meet(Self::of(letter))
    }

    /// Whether any letter is in both.
    pub(crate) fn meet(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl Delimiters {
    pub(crate) const ALL: &[u8] = b".-+,/_=";

    /// Parts are joined by dots again, whatever split them.
    pub(crate) const DOT: Self = Self(1);

    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::DOT);
        }
        text.bytes().try_fold(Self(0), |delimiters, octet| {
            let place = Self::ALL.iter().position(|delimiter| *delimiter == octet)?;
            Some(Self(delimiters.0 | 1 << place))
        })
    }

    pub(crate) fn contains(self, character: char) -> bool {
        let place = match character {
            '.' => 0,
            '-' => 1,
            '+' => 2,
            ',' => 3,
            '/' => 4,
            '_' => 5,
            '=' => 6,
            _ => return false,
        };
        self.0 & 1 << place != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_in_order() {
        let parsed = MacroString::parse("a%%b%_%-%{D2R}").unwrap();
        let items: Vec<_> = parsed.items().collect();
        let [Item::Literal("a"), Item::Escape('%'), rest @ ..] = &items[..] else {
            panic!("{items:?}")
        };
        let [Item::Literal("b"), Item::Escape('_'), Item::Escape('-'), Item::Macro(last)] = rest
        else {
            panic!("{items:?}")
        };
        assert_eq!((last.letter, last.escape, last.keep), (Letter::Domain, true, Some(2)));
        assert!(last.reverse && parsed.letters().contain(Letter::Domain));
    }

    #[test]
    fn every_delimiter_is_known() {
        for (place, octet) in Delimiters::ALL.iter().enumerate() {
            let parsed = Delimiters::parse(&char::from(*octet).to_string()).unwrap();
            assert_eq!(parsed, Delimiters(1 << place));
            assert!(parsed.contains(char::from(*octet)));
        }
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
