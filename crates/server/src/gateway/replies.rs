//! What the door says of its own.

use quivive_mail::EnhancedStatus;
use quivive_smtp::Reply;

pub(super) const SENDER_OK: Reply = Reply::new(250, EnhancedStatus(2, 1, 0), "Sender noted");
pub(super) const RECIPIENT_OK: Reply = Reply::new(250, EnhancedStatus(2, 1, 5), "Recipient noted");
pub(super) const ONE_RECIPIENT: Reply =
    Reply::new(452, EnhancedStatus(4, 5, 3), "One recipient a message: send the others separately");
pub(super) const ANOTHER_WAY: Reply = Reply::new(
    452,
    EnhancedStatus(4, 5, 3),
    "This recipient goes another way than those before it: send it separately",
);
pub(super) const NO_TRANSACTION: Reply =
    Reply::new(503, EnhancedStatus(5, 5, 1), "Send MAIL first");
pub(super) const TOO_LARGE: Reply =
    Reply::new(552, EnhancedStatus(5, 3, 4), "The message is larger than is taken here");
pub(super) const NO_SPACE: Reply =
    Reply::new(452, EnhancedStatus(4, 3, 1), "The message cannot be stored now; try again later");
pub(super) const CANNOT_HOLD: Reply =
    Reply::new(451, EnhancedStatus(4, 3, 3), "The message cannot be held here; try again later");
pub(super) const LOOP: Reply =
    Reply::new(554, EnhancedStatus(5, 4, 6), "The message is going round in circles");
pub(super) const TALKED_FIRST: Reply =
    Reply::new(554, EnhancedStatus(5, 5, 1), "You talked before the greeting. Closing");
pub(super) const TOO_MANY_CONNECTIONS: Reply =
    Reply::new(421, EnhancedStatus(4, 7, 0), "Too many connections from your address, closing");
pub(super) const NO_NEXT_HOP: Reply = Reply::new(
    421,
    EnhancedStatus(4, 4, 1),
    "The next server cannot be reached; please try again later",
);
pub(super) const UNKNOWN_CLIENT: Reply = Reply::new(
    451,
    EnhancedStatus(4, 7, 0),
    "XCLIENT did not state the client's address, so that nobody can be checked",
);
pub(super) const NO_PLACE: Reply =
    Reply::new(421, EnhancedStatus(4, 3, 2), "Too many connections; please try again later");
pub(super) const NO_LOGIN: Reply =
    Reply::new(502, EnhancedStatus(5, 5, 1), "Nobody can log in here");
pub(super) const LOGIN_FIRST: Reply =
    Reply::new(530, EnhancedStatus(5, 7, 0), "Log in first: send AUTH");
pub(super) const TLS_FIRST: Reply =
    Reply::new(530, EnhancedStatus(5, 7, 0), "Send STARTTLS first, then AUTH");
pub(super) const LOGGED_IN: Reply = Reply::new(235, EnhancedStatus(2, 7, 0), "You are logged in");
pub(super) const LOGIN_WRONG: Reply =
    Reply::new(535, EnhancedStatus(5, 7, 8), "Name or password are wrong");
pub(super) const LOGIN_MALFORMED: Reply =
    Reply::new(501, EnhancedStatus(5, 5, 2), "This is not what the mechanism says");
pub(super) const LOGIN_TOO_OFTEN: Reply = Reply::new(
    454,
    EnhancedStatus(4, 7, 0),
    "Too many failed logins from your network; please try again later",
);
pub(super) const LOGIN_UNAVAILABLE: Reply =
    Reply::new(454, EnhancedStatus(4, 7, 0), "Nobody can log in now; please try again later");
pub(super) const NO_LOGINS_NOW: Reply =
    Reply::new(421, EnhancedStatus(4, 3, 0), "Nobody can log in now; please try again later");
pub(super) const TOO_MANY_LOGINS: Reply =
    Reply::new(421, EnhancedStatus(4, 7, 0), "Too many failed logins, closing");
pub(super) const CLOSING_DOWN: Reply =
    Reply::new(421, EnhancedStatus(4, 3, 2), "The server is going down; come again later");
pub(super) const TOO_SLOW: Reply =
    Reply::new(421, EnhancedStatus(4, 4, 2), "You took too long, closing");
