use std::fmt;
use std::io;

use quivive_evidence::{Identity, Method};

use crate::Place;

/// How many errors are reported at most; more are no help.
pub const ERRORS_MAX: usize = 100;

/// How many characters of a peer's or operator's text are quoted in a message.
const QUOTED_MAX: usize = 60;

/// Something that makes a configuration unusable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct Error {
    /// Where.
    pub place: Place,
    /// What, with the cure.
    pub problem: Problem,
}

/// Something that is allowed and probably not what was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where.
    pub place: Place,
    /// What, with the cure.
    pub doubt: Doubt,
}

/// What is wrong: first what the operator wrote, then what this version lacks, then the machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The text is not TOML.
    #[error("this is not TOML: {0}")]
    Syntax(String),
    /// A key stands twice in one table.
    #[error("duplicate key `{0}`; keep one of them")]
    DuplicateKey(String),
    /// A key, or a word where a choice of words is asked for, that does not exist.
    #[error("unknown {what} `{word}`; {cure}")]
    Unknown {
        /// What was expected there: "key", "door".
        what: &'static str,
        /// What stands there.
        word: String,
        /// What could have been meant.
        cure: String,
    },
    /// A value of another type, or out of range.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What belongs there, with an example.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// A text that does not say what it should.
    #[error("{0}")]
    Invalid(String),
    /// A key that must be there is not.
    #[error("missing key `{key}`: {prose} For example: {key} = {example}")]
    Missing {
        /// The key.
        key: &'static str,
        /// What it is for.
        prose: String,
        /// A value that would do.
        example: String,
    },
    /// Settings that cannot hold together.
    #[error("{0}")]
    Conflict(&'static str),
    /// A list, or the configuration as a whole, is longer than its bound.
    #[error("too many {what}: {found}, at most {max} are taken")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many are allowed.
        max: usize,
    },
    /// The text is too long to be a configuration.
    #[error("the configuration is longer than {0} octets")]
    TooLong(usize),
    /// The text is not UTF-8, as TOML must be.
    #[error("this is not UTF-8; TOML is written in UTF-8 only")]
    NotUtf8,
    /// A part of the contract that is not built yet.
    #[error("{what} `{word}` is not in this version; {cure}")]
    NotInThisVersion {
        /// What it is: "key", "door".
        what: &'static str,
        /// Its name.
        word: String,
        /// What can be done.
        cure: String,
    },
    /// The operating system did not give us the file.
    #[error("cannot read this file: {0}")]
    Unreadable(io::ErrorKind),
}

/// What is probably not what was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Doubt {
    /// A method decides, and no row says what.
    #[error(
        "`{0}` is enforced, but no [actions.{0}] row says what follows: its results only mark; \
         add a row such as [actions.{0}.{1}] fail = \"reject\", or write \"report\""
    )]
    EnforcedWithoutActions(Method, Identity),
    /// A method that judges by lists, and none is named.
    #[error("`{0}` has no lists, so that it finds nothing; name them in [{0}] lists")]
    NoLists(Method),
    /// A row that can have no effect.
    #[error("the actions of `{0}` have no effect, for it is not enforced in [methods]")]
    ActionsWithoutEffect(Method),
    /// `[methods]` is there and does not name a method that runs without it.
    #[error("[methods] does not name `{0}`, so it is off; name it, if only to say \"off\"")]
    NotNamed(Method),
    /// Methods that read the header, and no door that is sure to see one.
    #[error(
        "`{0}` also judges what the message's header says, and a policy service is shown none, \
         save by Exim at DATA: add a listener whose door is \"milter\" or \"gateway\" for it"
    )]
    HeaderUnseen(Method),
    /// Gateways before us, and no door that is sure to see what they write.
    #[error(
        "the client before these is told by the message's header, and a policy service is shown \
         none, save by Exim at DATA: their mail is not checked; let them state it by XCLIENT to \
         your mail server, or add a listener whose door is \"milter\" or \"gateway\""
    )]
    UpstreamsUnseen,
    /// Trust in more hosts than anybody knows.
    #[error("so wide a network holds hosts that nobody knows; name those that you trust")]
    TrustsMany,
    /// Nothing is refused.
    #[error("nothing is refused, held or discarded as long as this is true")]
    DryRun,
    /// Domains must pass, and nothing could.
    #[error(
        "no method that judges the sender is enforced in [methods], so that nothing must pass by it"
    )]
    NothingPasses,
    /// An exception that changes nothing.
    #[error("this exception changes nothing, and ends the search; say `skip = true` or `actions`")]
    EmptyException,
    /// A door that asks nobody who he is, where others can reach it.
    #[error(
        "whoever reaches this address is answered; let a firewall leave it to your mail servers, \
         or write a loopback address or a UNIX socket"
    )]
    OpenToAll,
    /// An exception that anybody can have by naming a domain.
    #[error(
        "whoever claims such a domain is not checked at all, and anybody can claim it; name the \
         `networks` that it sends from, too"
    )]
    SkippedByClaim,
    /// A console that others reach without TLS.
    #[error(
        "the console's password crosses the network in the clear; give it `tls`, or a loopback \
         address with a TLS proxy before it"
    )]
    PasswordInTheClear,
    /// An HTTP interface that others reach without TLS.
    #[error(
        "tokens cross the network in the clear; give it `tls`, or a loopback address with a TLS \
         proxy before it"
    )]
    TokensInTheClear,
    /// Pages about cases, and none is kept.
    #[error(
        "these pages explain recorded refusals, and none is recorded: give [store] a path; until \
         then no refusal names them"
    )]
    PagesWithoutCases,
    /// A refusal that leads nowhere.
    #[error(
        "`{{link}}` has nothing to say, as no refusal has a page: add a listener whose door is \
         \"public\" and a [store] path, or put what belongs to it into square brackets"
    )]
    LinkToNothing,
    /// Binding has nothing to look into.
    #[error(
        "[binding] names no grants, sqlite or url: whoever logs in by an address may use that \
         address, and nobody any other"
    )]
    WithoutGrants,
    /// A submission listener whose users may use any address.
    #[error(
        "whoever logs in here may send as anybody; write binding = \"enforce\" in [methods], and \
         grants in [binding]"
    )]
    UnboundLogins,
    /// Forwarding addresses without a hash come back.
    #[error(
        "whoever writes to such an address has mail sent anywhere through us; leave this out as \
         soon as the last of the old addresses is forgotten"
    )]
    UnsignedAddresses,
}

/// `quivive.toml:3:1: warning: ...`
impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: warning: {}", self.place, self.doubt)
    }
}

impl Problem {
    /// A word that is none of those that there are, with the nearest of them, or all.
    pub(crate) fn unknown(what: &'static str, word: &str, all: &[&str]) -> Self {
        let cure = match nearest(word, all) {
            Some(near) => format!("did you mean `{near}`?"),
            None if all.is_empty() => "nothing belongs here".to_owned(),
            None => format!("there are: {}", all.join(", ")),
        };
        Self::Unknown { what, word: quoted(word), cure }
    }
}

/// A text as it can stand in a message: no control characters, and not long.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted: String = text.chars().take(QUOTED_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(QUOTED_MAX).is_some() {
        quoted.push_str("...");
    }
    // escape_debug also escapes quotes, which need none between back-ticks.
    quoted.replace("\\\"", "\"").replace("\\'", "'")
}

/// The word that was probably meant: at most a third of its letters differ.
fn nearest<'a>(word: &str, all: &[&'a str]) -> Option<&'a str> {
    // What is that long is no slip of the finger, and measuring it would cost time.
    if word.len() > QUOTED_MAX {
        return None;
    }
    all.iter()
        .map(|known| (strsim::osa_distance(word, known), *known))
        .filter(|(distance, known)| *distance <= (known.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_offered() {
        let all = ["fail", "softfail", "recipient_domains"];
        assert_eq!(nearest("recipient_domain", &all), Some("recipient_domains"));
        assert_eq!(nearest("fial", &all), Some("fail"));
        assert_eq!(nearest("soft-fail", &all), Some("softfail"));
        assert_eq!(nearest("zone", &all), None);
        assert_eq!(nearest(&"fail".repeat(1000), &all), None);
    }

    #[test]
    fn quoted_text_is_short_and_printable() {
        assert_eq!(quoted("a\u{1b}[2J\n\"b'"), "a\\u{1b}[2J\\n\"b'");
        assert_eq!(quoted(&"x".repeat(60)), "x".repeat(60));
        assert_eq!(quoted(&"x".repeat(61)), format!("{}...", "x".repeat(60)));
    }
}
