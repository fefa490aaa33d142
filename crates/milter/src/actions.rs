use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign};

/// What a filter may do with a message at its end, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Actions(pub(crate) u32);

impl Actions {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Add and insert header fields.
    pub const ADD_HEADERS: Self = Self(0x1);
    /// Replace the body.
    pub const CHANGE_BODY: Self = Self(0x2);
    /// Add recipients.
    pub const ADD_RECIPIENTS: Self = Self(0x4);
    /// Delete recipients.
    pub const DELETE_RECIPIENTS: Self = Self(0x8);
    /// Change and delete header fields.
    pub const CHANGE_HEADERS: Self = Self(0x10);
    /// Have the message kept back.
    pub const QUARANTINE: Self = Self(0x20);
    /// Change the envelope sender.
    pub const CHANGE_SENDER: Self = Self(0x40);
    /// Add recipients with ESMTP parameters.
    pub const ADD_RECIPIENTS_WITH_PARAMETERS: Self = Self(0x80);
    /// Say which macros are to be sent.
    pub const CHOOSE_MACROS: Self = Self(0x100);

    const WORDS: &[(Self, &str)] = &[
        (Self::ADD_HEADERS, "add header fields"),
        (Self::CHANGE_BODY, "replace the body"),
        (Self::ADD_RECIPIENTS, "add recipients"),
        (Self::DELETE_RECIPIENTS, "delete recipients"),
        (Self::CHANGE_HEADERS, "delete header fields"),
        (Self::QUARANTINE, "quarantine"),
        (Self::CHANGE_SENDER, "change the sender"),
        (Self::ADD_RECIPIENTS_WITH_PARAMETERS, "add recipients with parameters"),
        (Self::CHOOSE_MACROS, "choose macros"),
    ];

    /// Whether all of these are among them.
    pub fn has(self, actions: Self) -> bool {
        self & actions == actions
    }

    /// Those of them that are not among `others`.
    #[must_use]
    pub fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }
}

/// What they are, in words, parted by commas.
impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = Self::WORDS.iter().filter(|(action, _)| self.has(*action));
        let words: Vec<&str> = words.map(|(_, word)| *word).collect();
        f.write_str(&words.join(", "))
    }
}

impl BitOr for Actions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Actions {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

impl BitAnd for Actions {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}
