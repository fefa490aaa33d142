//! What a session answers by itself.

use quivive_mail::EnhancedStatus;

use crate::{LineError, Reply};

pub(super) const OK: Reply = Reply::new(250, EnhancedStatus(2, 0, 0), "OK");
pub(super) const BYE: Reply = Reply::new(221, EnhancedStatus(2, 0, 0), "Bye");
pub(super) const HELP: Reply =
    Reply::new(214, EnhancedStatus(2, 0, 0), "See RFC 5321. postmaster is answered by people");
pub(super) const CANNOT_VERIFY: Reply =
    Reply::new(252, EnhancedStatus(2, 5, 0), "Send it, and see: addresses are not verified here");
pub(super) const HELLO_FIRST: Reply =
    Reply::new(503, EnhancedStatus(5, 5, 1), "Say EHLO or HELO first");
pub(super) const NOT_LMTP: Reply =
    Reply::new(500, EnhancedStatus(5, 5, 1), "This is SMTP, not LMTP: say EHLO");
pub(super) const MAIL_TWICE: Reply =
    Reply::new(503, EnhancedStatus(5, 5, 1), "A transaction is open: send RSET before MAIL");
pub(super) const MAIL_FIRST: Reply = Reply::new(503, EnhancedStatus(5, 5, 1), "Send MAIL first");
pub(super) const RCPT_FIRST: Reply = Reply::new(503, EnhancedStatus(5, 5, 1), "Send RCPT first");
pub(super) const NO_RECIPIENTS: Reply =
    Reply::new(554, EnhancedStatus(5, 5, 1), "There are no valid recipients");
pub(super) const CHUNKS_OPEN: Reply =
    Reply::new(503, EnhancedStatus(5, 5, 1), "The message is coming by BDAT: send BDAT or RSET");
pub(super) const TRANSACTION_OPEN: Reply =
    Reply::new(503, EnhancedStatus(5, 5, 1), "Not inside a transaction");
pub(super) const NOT_OFFERED: Reply =
    Reply::new(555, EnhancedStatus(5, 5, 4), "A parameter belongs to what is not offered here");
pub(super) const NO_TLS: Reply =
    Reply::new(502, EnhancedStatus(5, 5, 1), "STARTTLS is not offered");
pub(super) const NO_AUTH: Reply = Reply::new(502, EnhancedStatus(5, 5, 1), "AUTH is not offered");
pub(super) const AUTH_NEEDS_TLS: Reply =
    Reply::new(538, EnhancedStatus(5, 7, 11), "Passwords are not for everybody: STARTTLS first");
pub(super) const AUTH_TWICE: Reply =
    Reply::new(503, EnhancedStatus(5, 5, 1), "You are logged in already");
pub(super) const NO_MECHANISM: Reply =
    Reply::new(504, EnhancedStatus(5, 5, 4), "This mechanism is not offered here");
pub(super) const AUTH_CANCELLED: Reply =
    Reply::new(501, EnhancedStatus(5, 7, 0), "As you like: you are not logged in");
pub(super) const AUTH_MALFORMED: Reply =
    Reply::new(501, EnhancedStatus(5, 5, 2), "This is no base64");
pub(super) const NO_XCLIENT: Reply =
    Reply::new(550, EnhancedStatus(5, 7, 1), "XCLIENT is not for you");
pub(super) const NO_CHUNKING: Reply =
    Reply::new(503, EnhancedStatus(5, 5, 1), "CHUNKING is not offered");
pub(super) const TOO_LARGE: Reply =
    Reply::new(552, EnhancedStatus(5, 3, 4), "The message is larger than is taken here");
pub(super) const TOO_MANY_RECIPIENTS: Reply =
    Reply::new(452, EnhancedStatus(4, 5, 3), "Too many recipients: send the rest separately");
pub(super) const TOO_MANY_ERRORS: Reply =
    Reply::new(421, EnhancedStatus(4, 7, 0), "Too many errors, closing");
pub(super) const TOO_MANY_COMMANDS: Reply =
    Reply::new(421, EnhancedStatus(4, 7, 0), "Too many commands without a message, closing");
pub(super) const LINE_TOO_LONG: Reply =
    Reply::new(500, EnhancedStatus(5, 5, 2), "The line is too long");

/// What has lost its framing cannot be answered and gone on with.
pub(super) fn broken_framing(error: LineError) -> Reply {
    match error {
        LineError::BareCr => Reply::new(
            521,
            EnhancedStatus(5, 5, 2),
            "A bare CR was received: only CRLF ends a line. Closing",
        ),
        LineError::BareLf => Reply::new(
            521,
            EnhancedStatus(5, 5, 2),
            "A bare LF was received: only CRLF ends a line. Closing",
        ),
        LineError::TooLong => {
            Reply::new(521, EnhancedStatus(5, 6, 0), "A line is longer than is taken here. Closing")
        }
    }
}

/// A chunk has a size, so that its framing survives what it holds.
pub(super) fn bad_chunk(error: LineError) -> Reply {
    match error {
        LineError::BareCr => Reply::new(554, EnhancedStatus(5, 6, 0), "The message has a bare CR"),
        LineError::BareLf => Reply::new(554, EnhancedStatus(5, 6, 0), "The message has a bare LF"),
        LineError::TooLong => {
            Reply::new(554, EnhancedStatus(5, 6, 0), "The message has a line that is too long")
        }
    }
}
