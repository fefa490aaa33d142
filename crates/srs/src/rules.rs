use crate::Dialect;

/// Base64 digits of a whole HMAC-SHA1.
pub const HASH_LENGTH_MAX: usize = 27;

/// How addresses are signed, and which are accepted. The defaults are those of Mail::SRS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The character behind `SRS0` and `SRS1`.
    pub separator: Separator,
    /// How many base64 digits of the hash are written, from 1 to [`HASH_LENGTH_MAX`].
    pub hash_length: usize,
    /// How many digits an address must have to be believed. More are believed if all are right.
    pub hash_length_min: usize,
    /// For how many days an address of the form SRS0 is good.
    pub max_age_days: u16,
    /// The digits in which hashes are written. Both kinds are read.
    pub alphabet: Alphabet,
    /// Whether a sender at the forwarder's own domain is rewritten too.
    pub always_rewrite: bool,
    /// In whose manner addresses are signed.
    pub signs: Dialect,
    /// Whose signatures are believed besides, with the same secrets.
    pub believes: Vec<Dialect>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            separator: Separator::Equals,
            hash_length: 4,
            hash_length_min: 4,
            max_age_days: 21,
            alphabet: Alphabet::Classic,
            always_rewrite: false,
            signs: Dialect::MailSrs,
            believes: Vec::new(),
        }
    }
}

impl Rules {
    /// The dialects whose signatures are believed, the one that signs first.
    pub(crate) fn dialects(&self) -> impl Iterator<Item = Dialect> {
        let others = self.believes.iter().copied().filter(|dialect| *dialect != self.signs);
        std::iter::once(self.signs).chain(others)
    }
}

/// The character behind `SRS0` and `SRS1`: some servers cut an address there to find its mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// `=`
    Equals,
    /// `+`
    Plus,
    /// `-`
    Minus,
}

impl Separator {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Equals, Self::Plus, Self::Minus];

    /// The character.
    pub fn character(self) -> char {
        match self {
            Self::Equals => '=',
            Self::Plus => '+',
            Self::Minus => '-',
        }
    }

    /// The separator that is written so.
    pub fn of(character: char) -> Option<Self> {
        Self::ALL.into_iter().find(|separator| separator.character() == character)
    }
}

/// The last two digits of base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// `+` and `/` (RFC 4648 section 4), as Mail::SRS, libsrs2 and PostSRSd before 2.2.6.
    Classic,
    /// `-` and `_` (RFC 4648 section 5), as PostSRSd since 2.2.6.
    Url,
}
