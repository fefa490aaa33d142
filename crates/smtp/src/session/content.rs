use quivive_mail::EnhancedStatus;

use super::{Asked, Content, EXCESS_OCTETS_MAX, Event, Mode, Session, Step, Transaction, replies};
use crate::{DataDecoder, Reply};

/// Content: what follows DATA and BDAT.
impl Session {
    /// Why no message can come now.
    fn content_refusal(&self) -> Option<Reply> {
        match &self.transaction {
            None => Some(replies::MAIL_FIRST),
            Some(Transaction { recipients: 0, attempted: true, .. }) => {
                Some(replies::NO_RECIPIENTS)
            }
            Some(Transaction { recipients: 0, .. }) => Some(replies::RCPT_FIRST),
            Some(_) => None,
        }
    }

    pub(super) fn data_command(&mut self) -> Step {
        if self.content.is_some() {
            return self.error(&replies::CHUNKS_OPEN);
        }
        match self.content_refusal() {
            Some(reply) => self.refuse_data(&reply),
            None => {
                self.content = Some(Content::default());
                self.mode = Mode::BeforeData;
                Step::Event(Event::Begin)
            }
        }
    }

    /// RFC 2920 section 3.1: nothing follows DATA before its answer. What does is a message, which
    /// must not be taken for commands.
    fn refuse_data(&mut self, reply: &Reply) -> Step {
        if self.has_unread() {
            self.close(reply);
            return Step::Again;
        }
        self.error(reply)
    }

    pub(super) fn before_data(&mut self) -> Step {
        self.mode = Mode::Commands;
        match self.content.as_mut().and_then(|content| content.refusal.take()) {
            Some(reply) => {
                self.refuse_data(&reply);
                self.end_transaction();
                Step::Event(Event::Reset)
            }
            None => {
                self.mode = Mode::Data(DataDecoder::new());
                self.say(&Reply::plain(354, "Go on; CRLF.CRLF is the end"))
            }
        }
    }

    pub(super) fn data(&mut self) -> Step {
        let Mode::Data(decoder) = &mut self.mode else { return Step::Again };
        let decoded = match decoder.decode(self.input.unread()) {
            Ok(decoded) => decoded,
            Err(error) => {
                self.close(&replies::broken_framing(error));
                return Step::Again;
            }
        };
        let (consumed, octets, end) = (decoded.consumed, decoded.content.len(), decoded.end);
        self.input.consume(consumed);
        if end {
            self.mode = Mode::Commands;
            self.end_message()
        } else if consumed == 0 {
            Step::Event(Event::Starved)
        } else {
            self.take_content(octets)
        }
    }

    pub(super) fn bdat(&mut self, octets: u64, last: bool) -> Step {
        let refusal = match self.offered.chunking {
            true => self.content_refusal(),
            false => Some(replies::NO_CHUNKING),
        };
        let first = self.content.is_none() && refusal.is_none();
        let content = self.content.get_or_insert_default();
        content.chunks.begin(octets, last);
        let announced = content.octets.saturating_add(octets);
        if content.refusal.is_none() {
            content.refusal =
                refusal.or_else(|| (announced > self.size_max).then_some(replies::TOO_LARGE));
        }
        self.mode = Mode::Chunk { last };
        if announced > self.size_max.saturating_add(EXCESS_OCTETS_MAX) {
            self.close(&replies::TOO_LARGE);
        }
        if first { Step::Event(Event::Begin) } else { Step::Again }
    }

    pub(super) fn chunk(&mut self, last: bool) -> Step {
        let Some(content) = &mut self.content else { return Step::Again };
        let before = content.chunks.remaining();
        let unread = self.input.unread();
        let octets = match content.refusal {
            Some(_) => {
                content.chunks.skip(unread);
                0
            }
            None => match content.chunks.decode(unread) {
                Ok(decoded) => decoded.content.len(),
                Err(error) => {
                    content.refusal = Some(replies::bad_chunk(error));
                    0
                }
            },
        };
        let remaining = content.chunks.remaining();
        // No more than was unread, which fits.
        let consumed = usize::try_from(before - remaining).unwrap_or(0);
        self.input.consume(consumed);
        if octets > 0 {
            self.take_content(octets)
        } else if remaining > 0 {
            Step::Event(Event::Starved)
        } else {
            self.mode = Mode::Commands;
            self.end_chunk(last)
        }
    }

    fn end_chunk(&mut self, last: bool) -> Step {
        let refused = self.content.as_ref().is_some_and(|content| content.refusal.is_some());
        if last || refused {
            return self.end_message();
        }
        self.say(&Reply::new(250, EnhancedStatus(2, 0, 0), "The chunk is taken"))
    }

    fn take_content(&mut self, octets: usize) -> Step {
        let Some(content) = &mut self.content else { return Step::Again };
        content.octets += octets as u64;
        if content.octets > self.size_max.saturating_add(EXCESS_OCTETS_MAX) {
            self.close(&replies::TOO_LARGE);
            return Step::Again;
        }
        if content.octets > self.size_max {
            content.refusal.get_or_insert(replies::TOO_LARGE);
        }
        if content.refusal.is_some() { Step::Again } else { Step::Content(octets) }
    }

    fn end_message(&mut self) -> Step {
        match self.content.as_mut().and_then(|content| content.refusal.take()) {
            Some(reply) => {
                reply.write(&mut self.output);
                if self.end_transaction() { Step::Event(Event::Reset) } else { Step::Again }
            }
            None => self.ask(Asked::End, Event::End),
        }
    }
}
