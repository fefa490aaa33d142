use crate::command::{self, string};

/// When macros are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MacroStage {
    /// With the client's connection.
    Connect,
    /// With HELO or EHLO.
    Helo,
    /// With MAIL.
    Mail,
    /// With RCPT.
    Rcpt,
    /// With DATA.
    Data,
    /// With the message: its header fields, its body, its end.
    Message,
}

const STAGES: usize = 6;

/// What the MTA knows, by the names that Sendmail gave it: `i` is the queue id, `j` the MTA's own
/// name, `auth_authen` the login of the client.
///
/// Values come in lists, one with each command. A list replaces the one that came with the same
/// command before, and those that came with later ones.
#[derive(Debug, Default)]
pub struct Macros {
    lists: [Vec<u8>; STAGES],
}

impl Macros {
    /// The value of a macro, as it was sent last. The name is written without braces.
    pub fn value(&self, name: &str) -> Option<&[u8]> {
        self.lists
            .iter()
            .rev()
            .find_map(|list| pairs(list).find(|pair| is(pair.0, name)))
            .map(|pair| pair.1)
    }

    /// Takes the data of a packet: the command that it belongs to, then names and values. False if
    /// that is not what they are. What belongs to no command of ours is no error, and not kept.
    pub(crate) fn note(&mut self, data: &[u8]) -> bool {
        let Some((command, list)) = data.split_first() else { return false };
        let is_whole = list.last().is_none_or(|octet| *octet == 0);
        let strings = list.iter().filter(|octet| **octet == 0).count();
        if !is_whole || strings % 2 == 1 {
            return false;
        }
        if let Some(stage) = MacroStage::of_command(*command) {
            self.forget(stage);
            self.lists[stage as usize].extend_from_slice(list);
        }
        true
    }

    /// Forgets what came at this stage and later ones.
    pub(crate) fn forget(&mut self, stage: MacroStage) {
        self.lists[stage as usize..].iter_mut().for_each(Vec::clear);
    }
}

impl MacroStage {
    fn of_command(command: u8) -> Option<Self> {
        Some(match command {
            command::CONNECT => Self::Connect,
            command::HELO => Self::Helo,
            command::MAIL => Self::Mail,
            command::RCPT => Self::Rcpt,
            command::DATA => Self::Data,
            command::HEADER | command::END_OF_HEADER | command::BODY | command::END_OF_MESSAGE => {
                Self::Message
            }
            _ => return None,
        })
    }

    /// How the stage is named where macros are chosen. Those of the message are chosen for its end.
    pub(crate) fn number(self) -> u32 {
        match self {
            Self::Connect => 0,
            Self::Helo => 1,
            Self::Mail => 2,
            Self::Rcpt => 3,
            Self::Data => 4,
            Self::Message => 5,
        }
    }
}

fn pairs(mut list: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || Some((string(&mut list)?, string(&mut list)?)))
}

/// Names of one letter come without braces, others with them; some MTAs do not care.
fn is(sent: &[u8], name: &str) -> bool {
    let inner = sent.strip_prefix(b"{").and_then(|sent| sent.strip_suffix(b"}"));
    inner.unwrap_or(sent) == name.as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value<'a>(macros: &'a Macros, name: &str) -> Option<&'a str> {
        macros.value(name).map(|value| str::from_utf8(value).unwrap())
    }

    #[test]
    fn names_have_braces_or_not() {
        let mut macros = Macros::default();
        assert!(macros.note(b"Cj\0mx.example\0{client_addr}\x00192.0.2.1\0{v}\0Postfix\0"));
        assert_eq!(value(&macros, "j"), Some("mx.example"));
        assert_eq!(value(&macros, "client_addr"), Some("192.0.2.1"));
        assert_eq!(value(&macros, "v"), Some("Postfix"));
        assert_eq!(value(&macros, "client"), None);
    }

    #[test]
    fn a_later_list_hides_an_earlier_one_and_goes_with_it() {
        let mut macros = Macros::default();
        for data in [&b"Mi\0one\0"[..], b"Ri\0two\0{rcpt_addr}\0b\0", b"Li\0three\0"] {
            assert!(macros.note(data));
        }
        assert_eq!(value(&macros, "i"), Some("three"));
        assert!(macros.note(b"R"));
        assert_eq!((value(&macros, "i"), value(&macros, "rcpt_addr")), (Some("one"), None));
        macros.forget(MacroStage::Mail);
        assert_eq!(value(&macros, "i"), None);
    }

    #[test]
    fn what_is_no_list_is_refused_and_what_belongs_to_nothing_is_not_kept() {
        let mut macros = Macros::default();
        for data in [&b""[..], b"Mi", b"Mi\0", b"Mi\0a", b"Mi\0a\0b", b"Mi\0a\0b\0"] {
            assert!(!macros.note(data), "{}", data.escape_ascii());
        }
        for data in [&b"Ui\0a\0"[..], b"Qi\0a\0", b"\0i\0a\0"] {
            assert!(macros.note(data));
            assert_eq!(macros.value("i"), None);
        }
    }
}
