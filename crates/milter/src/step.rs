use std::ops::{BitOr, BitOrAssign};

use crate::command;

/// An event that a filter can do without. The end of a message always comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A client has connected.
    Connect,
    /// HELO or EHLO.
    Helo,
    /// MAIL.
    Mail,
    /// RCPT.
    Rcpt,
    /// DATA.
    Data,
    /// A command that the MTA does not know.
    Unknown,
    /// A header field.
    Header,
    /// The header is complete.
    EndOfHeader,
    /// A piece of the body.
    Body,
}

/// A set of [`Step`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Steps(u16);

/// Every step with its command, the bit that says it is not to come, and the bit that says it has
/// no answer.
const STEPS: [(Step, u8, u32, u32); 9] = [
    (Step::Connect, command::CONNECT, 0x1, 0x1000),
    (Step::Helo, command::HELO, 0x2, 0x2000),
    (Step::Mail, command::MAIL, 0x4, 0x4000),
    (Step::Rcpt, command::RCPT, 0x8, 0x8000),
    (Step::Body, command::BODY, 0x10, 0x8_0000),
    (Step::Header, command::HEADER, 0x20, 0x80),
    (Step::EndOfHeader, command::END_OF_HEADER, 0x40, 0x4_0000),
    (Step::Unknown, command::UNKNOWN, 0x100, 0x2_0000),
    (Step::Data, command::DATA, 0x200, 0x1_0000),
];

impl Step {
    pub(crate) fn of_command(command: u8) -> Option<Self> {
        STEPS.iter().find(|(_, known, ..)| *known == command).map(|(step, ..)| *step)
    }
}

impl Steps {
    /// None.
    pub const NONE: Self = Self(0);

    /// Every step there is.
    pub fn all() -> Self {
        STEPS.iter().fold(Self::NONE, |all, (step, ..)| all | *step)
    }

    /// Whether a step is among them.
    pub fn has(self, step: Step) -> bool {
        self.0 & Self::from(step).0 != 0
    }

    /// Those of them for which this bit is set, by the bits that keep steps from coming.
    pub(crate) fn kept_away(bits: u32) -> Self {
        Self::chosen(|(_, _, away, _)| bits & away != 0)
    }

    /// The same by the bits of those without an answer.
    pub(crate) fn unanswered(bits: u32) -> Self {
        Self::chosen(|(.., unanswered)| bits & unanswered != 0)
    }

    /// The bits that keep these from coming.
    pub(crate) fn away_bits(self) -> u32 {
        self.bits(|(_, _, away, _)| *away)
    }

    /// The bits that say that these have no answer.
    pub(crate) fn unanswered_bits(self) -> u32 {
        self.bits(|(.., unanswered)| *unanswered)
    }

    /// Those that are not among them.
    pub(crate) fn others(self) -> Self {
        Self::chosen(|(step, ..)| !self.has(*step))
    }

    fn chosen(is_chosen: impl Fn(&(Step, u8, u32, u32)) -> bool) -> Self {
        STEPS.iter().filter(|row| is_chosen(row)).fold(Self::NONE, |all, (step, ..)| all | *step)
    }

    fn bits(self, bit: impl Fn(&(Step, u8, u32, u32)) -> u32) -> u32 {
        STEPS.iter().filter(|(step, ..)| self.has(*step)).map(bit).sum()
    }
}

impl From<Step> for Steps {
    fn from(step: Step) -> Self {
        Self(1 << step as u16)
    }
}

impl<T: Into<Self>> BitOr<T> for Steps {
    type Output = Self;

    fn bitor(self, other: T) -> Self {
        Self(self.0 | other.into().0)
    }
}

impl<T: Into<Self>> BitOrAssign<T> for Steps {
    fn bitor_assign(&mut self, other: T) {
        *self = *self | other;
    }
}

impl BitOr for Step {
    type Output = Steps;

    fn bitor(self, other: Self) -> Steps {
        Steps::from(self) | other
    }
}
