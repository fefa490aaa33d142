//! An MTA's connection as the filter sees it, without its socket: what was agreed, in which order
//! things come, and what must be answered.

#[cfg(test)]
mod tests;

use crate::macros::MacroStage;
use crate::packet::{self, Packet, Packets};
use crate::{
    Address, Answer, Client, Edit, Event, Field, Macros, Offer, ProtocolError, Step, Terms, Wishes,
    command,
};

/// One connection of an MTA. Octets are read into [`Session::space`]; [`Session::event`] says what
/// they mean; what there is to send collects in [`Session::output`].
#[derive(Debug)]
pub struct Session {
    packets: Packets,
    output: Vec<u8>,
    wishes: Wishes,
    terms: Option<Terms>,
    macros: Macros,
    state: State,
    asked: Option<Asked>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing was agreed.
    New,
    /// There is no client.
    Agreed,
    /// There is a client without a message.
    Connected,
    /// Between MAIL and the end of the message.
    Message,
}

/// An event that has no answer yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// To which the MTA awaits an answer, or not.
    Step(Step, bool),
    EndOfMessage,
}

impl Session {
    /// A connection on which nothing was said yet.
    pub fn new(wishes: Wishes) -> Self {
        Self {
            packets: Packets::new(),
            output: Vec::new(),
            wishes,
            terms: None,
            macros: Macros::default(),
            state: State::New,
            asked: None,
        }
    }

    /// Where to read to; never empty.
    pub fn space(&mut self) -> &mut [u8] {
        self.packets.space()
    }

    /// So many octets were read.
    pub fn filled(&mut self, octets: usize) {
        self.packets.filled(octets);
    }

    /// What there is to send. The driver clears it.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// What was agreed, once it was.
    pub fn terms(&self) -> Option<&Terms> {
        self.terms.as_ref()
    }

    /// What the MTA says of the client and the message.
    pub fn macros(&self) -> &Macros {
        &self.macros
    }

    /// Whether there is no message on its way.
    pub fn is_idle(&self) -> bool {
        self.state != State::Message && self.packets.is_empty()
    }

    /// What is next. What was not wished for and comes all the same, as from an MTA that knows no
    /// better, is answered here.
    ///
    /// # Errors
    /// The connection is of no more use.
    pub fn event(&mut self) -> Result<Event<'_>, ProtocolError> {
        debug_assert!(self.asked.is_none(), "an event was not answered");
        let packet = loop {
            let Some(packet) = self.packets.next()? else { return Ok(Event::Starved) };
            match packet.command {
                command::OPTIONS => self.negotiate(&packet)?,
                command::MACROS => self.note_macros(&packet)?,
                _ if self.enter(packet.command)? => break packet,
                _ => {}
            }
        };
        self.told(&packet)
    }

    /// Answers an event. To events to which the MTA awaits no answer none is sent.
    pub fn answer(&mut self, answer: &Answer<'_>) {
        let Some(asked) = self.asked.take() else { return };
        let can_skip = asked == Asked::Step(Step::Body, true)
            && self.terms.is_some_and(|terms| terms.can_skip());
        match (asked, answer) {
            (Asked::Step(_, false), _) => {}
            (_, Answer::Skip) if !can_skip => Answer::Continue.write(&mut self.output),
            _ => answer.write(&mut self.output),
        }
        if asked == Asked::EndOfMessage {
            self.end_message();
        }
    }

    /// Changes the message. Only between [`Event::EndOfMessage`] and its answer, and only what was
    /// agreed: else nothing is done, and the answer is false.
    pub fn edit(&mut self, edit: Edit<'_>) -> bool {
        let Some(terms) = &self.terms else { return false };
        let may = self.asked == Some(Asked::EndOfMessage) && terms.actions.has(edit.action());
        if may {
            edit.write(terms.keeps_leading_blanks(), &mut self.output);
        }
        may
    }

    /// Whether the MTA waits for an answer, and can be told to go on waiting: at the end of a
    /// message every one can, before it Postfix alone.
    pub fn takes_progress(&self) -> bool {
        match self.asked {
            Some(Asked::EndOfMessage) => true,
            Some(Asked::Step(_, awaits)) => awaits && self.is_postfix(),
            None => false,
        }
    }

    /// Tells an MTA to go on waiting, if it can be told.
    pub fn progress(&mut self) {
        if self.takes_progress() {
            packet::write(&mut self.output, b'p', &[]);
        }
    }

    fn is_postfix(&self) -> bool {
        self.macros.value("v").is_some_and(|version| version.starts_with(b"Postfix"))
    }

    fn negotiate(&mut self, packet: &Packet) -> Result<(), ProtocolError> {
        if self.state != State::New {
            return Err(ProtocolError::OutOfOrder(command::OPTIONS));
        }
        let terms = self.wishes.agree(Offer::parse(self.packets.data(packet))?);
        self.wishes.write(&terms, &mut self.output);
        self.terms = Some(terms);
        self.state = State::Agreed;
        Ok(())
    }

    fn note_macros(&mut self, packet: &Packet) -> Result<(), ProtocolError> {
        if self.state == State::New {
            return Err(ProtocolError::OutOfOrder(command::MACROS));
        }
        match self.macros.note(self.packets.data(packet)) {
            true => Ok(()),
            false => Err(ProtocolError::Malformed(command::MACROS)),
        }
    }

    /// Takes the session where a command leads. Whether the driver is to hear of it.
    fn enter(&mut self, command: u8) -> Result<bool, ProtocolError> {
        let step = Step::of_command(command);
        match command {
            command::QUIT => return Ok(true),
            command::NEXT_CLIENT | command::ABORT if self.state == State::New => {
                return Err(ProtocolError::OutOfOrder(command));
            }
            command::NEXT_CLIENT => {
                self.macros.forget(MacroStage::Connect);
                self.state = State::Agreed;
                return Ok(true);
            }
            // It comes at any time, and twice.
            command::ABORT => {
                let was_message = self.state == State::Message;
                self.end_message();
                return Ok(was_message);
            }
            command::END_OF_MESSAGE => {}
            _ if step.is_none() => return Err(ProtocolError::Unknown(command)),
            _ => {}
        }
        if !self.is_in_order(step) {
            return Err(ProtocolError::OutOfOrder(command));
        }
        match step {
            Some(Step::Connect) => self.state = State::Connected,
            Some(Step::Mail) => self.state = State::Message,
            _ => {}
        }
        let awaits = |step| self.terms.is_some_and(|terms| terms.awaits(step));
        self.asked = Some(step.map_or(Asked::EndOfMessage, |step| Asked::Step(step, awaits(step))));
        if step.is_some_and(|step| !self.wishes.steps.has(step)) {
            self.answer(&Answer::Continue);
            return Ok(false);
        }
        Ok(true)
    }

    /// Whether a step, or the end of a message, can come now.
    fn is_in_order(&self, step: Option<Step>) -> bool {
        let Some(terms) = &self.terms else { return false };
        match step {
            Some(Step::Connect) => self.state == State::Agreed,
            Some(Step::Helo | Step::Unknown | Step::Mail) => {
                self.state != State::Agreed || !terms.sends(Step::Connect)
            }
            _ => self.state == State::Message || !terms.sends(Step::Mail),
        }
    }

    fn end_message(&mut self) {
        self.macros.forget(MacroStage::Mail);
        if self.state == State::Message {
            self.state = State::Connected;
        }
    }

    /// The event that a packet is.
    fn told(&mut self, packet: &Packet) -> Result<Event<'_>, ProtocolError> {
        let keeps_blank = self.terms.is_some_and(|terms| terms.keeps_leading_blanks());
        let data = self.packets.data(packet);
        let text = || data.strip_suffix(b"\0").filter(|text| !text.contains(&0));
        let event = match packet.command {
            command::CONNECT => Client::parse(data).map(Event::Connect),
            command::HELO => text().map(Event::Helo),
            command::MAIL => Address::parse(data).map(Event::Mail),
            command::RCPT => Address::parse(data).map(Event::Rcpt),
            command::DATA => Some(Event::Data),
            command::UNKNOWN => text().map(Event::Unknown),
            command::HEADER => Field::parse(data, keeps_blank).map(Event::Header),
            command::END_OF_HEADER => Some(Event::EndOfHeader),
            command::BODY => Some(Event::Body(data)),
            command::END_OF_MESSAGE => Some(Event::EndOfMessage { body: data }),
            command::ABORT => Some(Event::Abort),
            command::NEXT_CLIENT => Some(Event::NextClient),
            _ => Some(Event::Quit),
        };
        event.ok_or(ProtocolError::Malformed(packet.command))
    }
}
