/// Which characters an address or a field may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Charset {
    /// ASCII alone.
    #[default]
    Ascii,
    /// UTF-8 as well: the transaction was opened with SMTPUTF8 (RFC 6531).
    Utf8,
}

impl Charset {
    /// Whether the character may stand in text: never a control character.
    pub fn holds(self, c: char) -> bool {
        !c.is_control() && (c.is_ascii() || self == Self::Utf8)
    }
}
