use crate::command::{self, number};
use crate::macros::MacroStage;
use crate::{Actions, ProtocolError, Step, Steps, packet};

/// The version of the protocol that is spoken here.
pub const VERSION: u32 = 6;

/// The oldest version that is understood.
pub const VERSION_MIN: u32 = 2;

/// The bit of an MTA that can leave out the rest of a body.
const SKIP: u32 = 0x400;

/// The bit of an MTA that can leave the blank after a field's colon where it is.
const LEADING_BLANKS: u32 = 0x10_0000;

/// What an MTA offers when it connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// The version of the protocol.
    pub version: u32,
    /// What it lets filters do.
    pub actions: Actions,
    /// What it can leave out or do otherwise, as bits.
    pub protocol: u32,
}

/// What a filter would like. The less it asks for, the less a message costs.
#[derive(Debug, Clone, Copy)]
pub struct Wishes {
    /// The events that it wants to hear of.
    pub steps: Steps,
    /// Those of them to which it has nothing to say: the MTA does not wait for an answer.
    pub unanswered: Steps,
    /// What it may want to do with messages.
    pub actions: Actions,
    /// The macros that it reads, parted by blanks, for each stage that is not to have those of the
    /// MTA's own choice.
    pub macros: &'static [(MacroStage, &'static str)],
}

/// What was agreed with an MTA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The version of the protocol: never more than [`VERSION`].
    pub version: u32,
    /// What may be done with messages.
    pub actions: Actions,
    /// What would have been done with messages, and the MTA does not let.
    pub refused: Actions,
    protocol: u32,
}

impl Offer {
    pub(crate) fn parse(mut data: &[u8]) -> Result<Self, ProtocolError> {
        let mut next = || number(&mut data).ok_or(ProtocolError::Malformed(command::OPTIONS));
        let (version, actions, protocol) = (next()?, Actions(next()?), next()?);
        if version < VERSION_MIN {
            return Err(ProtocolError::Version(version));
        }
        Ok(Self { version, actions, protocol })
    }
}

impl Wishes {
    /// Takes what is wanted of what is offered.
    pub fn agree(&self, offer: Offer) -> Terms {
        let wanted = self.steps.others().away_bits()
            | self.unanswered.unanswered_bits()
            | SKIP
            | LEADING_BLANKS;
        Terms {
            version: offer.version.min(VERSION),
            actions: self.wanted_actions() & offer.actions,
            refused: self.actions.without(offer.actions),
            protocol: wanted & offer.protocol,
        }
    }

    /// Appends the answer to an offer.
    pub(crate) fn write(&self, terms: &Terms, output: &mut Vec<u8>) {
        let mut data = Vec::new();
        for number in [terms.version, terms.actions.0, terms.protocol] {
            data.extend_from_slice(&number.to_be_bytes());
        }
        if terms.actions.has(Actions::CHOOSE_MACROS) {
            for (stage, names) in self.macros {
                data.extend_from_slice(&stage.number().to_be_bytes());
                data.extend_from_slice(names.as_bytes());
                data.push(0);
            }
        }
        packet::write(output, command::OPTIONS, &[&data]);
    }

    fn wanted_actions(&self) -> Actions {
        match self.macros {
            [] => self.actions,
            _ => self.actions | Actions::CHOOSE_MACROS,
        }
    }
}

impl Terms {
    /// Whether this event comes.
    pub fn sends(&self, step: Step) -> bool {
        !Steps::kept_away(self.protocol).has(step)
    }

    /// Whether the MTA waits for the answer to this event.
    pub fn awaits(&self, step: Step) -> bool {
        !Steps::unanswered(self.protocol).has(step)
    }

    /// Whether the rest of a body can be left out.
    pub fn can_skip(&self) -> bool {
        self.protocol & SKIP != 0
    }

    /// Whether the values of fields come, and are given back, with the blank after their colon.
    pub fn keeps_leading_blanks(&self) -> bool {
        self.protocol & LEADING_BLANKS != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WISHES: Wishes = Wishes {
        steps: Steps::NONE,
        unanswered: Steps::NONE,
        actions: Actions::ADD_HEADERS,
        macros: &[],
    };

    fn written(wishes: &Wishes, offer: Offer) -> Vec<u8> {
        let mut output = Vec::new();
        wishes.write(&wishes.agree(offer), &mut output);
        output[5..].to_vec()
    }

    /// What Postfix 3.7 and Sendmail 8.17 offer.
    fn modern() -> Offer {
        Offer { version: 6, actions: Actions(0x1ff), protocol: 0x1f_ffff }
    }

    #[test]
    fn nothing_is_asked_for_that_is_not_offered() {
        let wishes = Wishes {
            steps: Step::Mail | Step::Rcpt,
            unanswered: Step::Mail.into(),
            actions: Actions::ADD_HEADERS | Actions::QUARANTINE | Actions::CHANGE_SENDER,
            macros: &[(MacroStage::Connect, "j")],
        };
        // Sendmail 8.12: version 2, six actions, seven steps.
        let old = Offer { version: 2, actions: Actions(0x3f), protocol: 0x7f };
        let terms = wishes.agree(old);
        assert_eq!(terms.version, 2);
        assert_eq!(terms.actions, Actions::ADD_HEADERS | Actions::QUARANTINE);
        assert_eq!(terms.refused.to_string(), "change the sender");
        assert!(terms.awaits(Step::Mail) && terms.sends(Step::Data));
        assert!(!terms.can_skip() && !terms.keeps_leading_blanks());
        assert_eq!(written(&wishes, old), [0, 0, 0, 2, 0, 0, 0, 0x21, 0, 0, 0, 0x73]);
    }

    #[test]
    fn the_fewest_steps_are_asked_for() {
        let wishes = Wishes { steps: Step::Mail | Step::Rcpt | Step::Header, ..WISHES };
        let terms = wishes.agree(modern());
        let sent = |step: &Step| terms.sends(*step);
        let all = [Step::Connect, Step::Helo, Step::Mail, Step::Rcpt, Step::Data];
        let rest = [Step::Unknown, Step::Header, Step::EndOfHeader, Step::Body];
        let sent: Vec<Step> = all.into_iter().chain(rest).filter(sent).collect();
        assert_eq!(sent, [Step::Mail, Step::Rcpt, Step::Header]);
        assert!(terms.awaits(Step::Mail) && terms.refused == Actions::NONE);
    }

    #[test]
    fn versions_2_to_99_agree_on_no_more_than_6() {
        for version in VERSION_MIN..=99 {
            let terms = WISHES.agree(Offer { version, ..modern() });
            assert_eq!(terms.version, version.min(VERSION));
        }
        let offer = |version: u32| {
            Offer::parse(&[version.to_be_bytes(), [0; 4], [0; 4]].concat())
                .map(|offer| offer.version)
        };
        assert_eq!(offer(99), Ok(99));
        assert_eq!(offer(u32::MAX), Ok(u32::MAX));
        assert_eq!(offer(1), Err(ProtocolError::Version(1)));
        assert_eq!(Offer::parse(&[0; 11]), Err(ProtocolError::Malformed(b'O')));
    }

    #[test]
    fn lists_of_macros_end_the_answer() {
        let macros = &[(MacroStage::Connect, "j {client_addr}"), (MacroStage::Message, "i")];
        let octets = written(&Wishes { macros, ..WISHES }, modern());
        assert_eq!(octets[4..8], [0, 0, 1, 1]);
        assert_eq!(octets[12..], *b"\0\0\0\0j {client_addr}\0\0\0\0\x05i\0");
    }
}
