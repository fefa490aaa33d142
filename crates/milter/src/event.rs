use std::net::{IpAddr, SocketAddr};

use crate::command::string;

/// What an MTA says. Every event is answered before the next is asked for, unless it says
/// otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// Nothing is known before more is read. Send the output first. Not answered.
    Starved,
    /// A client has connected to the MTA.
    Connect(Client<'a>),
    /// HELO or EHLO, with its argument.
    Helo(&'a [u8]),
    /// MAIL: a message begins. If another was not at its end, it is over.
    Mail(Address<'a>),
    /// RCPT.
    Rcpt(Address<'a>),
    /// DATA.
    Data,
    /// A command that the MTA does not know.
    Unknown(&'a [u8]),
    /// A header field.
    Header(Field<'a>),
    /// The header is complete.
    EndOfHeader,
    /// A piece of the body. Lines end with CRLF.
    Body(&'a [u8]),
    /// The message is complete. Before the answer it may be changed.
    EndOfMessage {
        /// The last piece of the body, where an MTA sends it with the end.
        body: &'a [u8],
    },
    /// The message is over. Not answered.
    Abort,
    /// The client is gone, and another will follow. Not answered.
    NextClient,
    /// The MTA has said goodbye. Not answered.
    Quit,
}

/// A client of the MTA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client<'a> {
    /// Its name; an address in brackets if it has none.
    pub name: &'a [u8],
    /// Where it is.
    pub peer: Peer<'a>,
}

/// Where a client of the MTA is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer<'a> {
    /// Somewhere in the network; port 0 if the MTA does not say.
    Network(SocketAddr),
    /// At a UNIX socket of this path.
    Unix(&'a [u8]),
    /// The MTA does not know, or says it in a way that nobody understands.
    Unknown,
}

/// The argument of MAIL or RCPT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address<'a> {
    /// As the MTA writes it: mostly in angle brackets.
    pub path: &'a [u8],
    parameters: &'a [u8],
}

/// A header field as it comes: lines end with LF, and the last has no end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name.
    pub name: &'a [u8],
    /// The value. Its leading blank is there if it was agreed so; else one was taken away.
    pub value: &'a [u8],
    pub(crate) has_blank: bool,
}

impl<'a> Client<'a> {
    pub(crate) fn parse(mut data: &'a [u8]) -> Option<Self> {
        let name = string(&mut data)?;
        let (family, mut rest) = data.split_first()?;
        let peer = match family {
            b'4' | b'6' => {
                let (port, address) = rest.split_first_chunk()?;
                rest = address;
                let address = address_of(string(&mut rest)?);
                let port = u16::from_be_bytes(*port);
                address.map_or(Peer::Unknown, |address| Peer::Network((address, port).into()))
            }
            b'L' => {
                // Its port means nothing.
                let (_, path) = rest.split_first_chunk::<2>()?;
                rest = path;
                Peer::Unix(string(&mut rest)?)
            }
            _ => Peer::Unknown,
        };
        Some(Self { name, peer })
    }
}

/// Sendmail puts `IPv6:` before such addresses, Postfix does not. A zone says by which interface a
/// link-local one is reached, and is no part of it.
fn address_of(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(text).ok()?;
    let is_tagged = text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("IPv6:"));
    let text = if is_tagged { &text[5..] } else { text };
    text.split('%').next()?.parse().ok()
}

impl<'a> Address<'a> {
    pub(crate) fn parse(mut data: &'a [u8]) -> Option<Self> {
        let path = string(&mut data)?;
        let parameters = data;
        parameters.last().is_none_or(|octet| *octet == 0).then_some(Self { path, parameters })
    }

    /// What stands between the angle brackets; all of it where there are none.
    pub fn unbracketed(&self) -> &'a [u8] {
        let path = self.path.trim_ascii();
        path.strip_prefix(b"<").and_then(|path| path.strip_suffix(b">")).unwrap_or(path)
    }

    /// The ESMTP parameters, as they were written.
    pub fn parameters(&self) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = self.parameters;
        std::iter::from_fn(move || string(&mut rest))
    }
}

impl<'a> Field<'a> {
    pub(crate) fn parse(mut data: &'a [u8], has_blank: bool) -> Option<Self> {
        let name = string(&mut data)?;
        let value = string(&mut data)?;
        Some(Self { name, value, has_blank })
    }

    /// Appends the field's lines, each with its end: as in the message, as far as that is known.
    pub fn write(&self, output: &mut Vec<u8>) {
        let blank: &[u8] = if self.has_blank { b"" } else { b" " };
        for part in [self.name, b":", blank, self.value, b"\n"] {
            output.extend_from_slice(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_where_the_mta_says() {
        let at = |data: &'static [u8]| Client::parse(data).map(|client| client.peer);
        let network = |text: &str| Some(Peer::Network(text.parse().unwrap()));
        assert_eq!(at(b"mail.example\x004\x97\xae192.0.2.25\0"), network("192.0.2.25:38830"));
        assert_eq!(at(b"[v6]\x006\0\x192001:db8::25\0"), network("[2001:db8::25]:25"));
        assert_eq!(at(b"v6\x006\0\x19IPv6:2001:db8::25\0"), network("[2001:db8::25]:25"));
        assert_eq!(at(b"v6\x006\0\x19fe80::1%eth0\0"), network("[fe80::1]:25"));
        assert_eq!(at(b"x\x004\0\x19nonsense\0"), Some(Peer::Unknown));
        assert_eq!(at(b"x\x004\0\x19\xff\0"), Some(Peer::Unknown));
        assert_eq!(at(b"localhost\0L\0\0/run/socket\0"), Some(Peer::Unix(b"/run/socket")));
        assert_eq!(at(b"localhost\0U"), Some(Peer::Unknown));
        for malformed in
            [&b""[..], b"x", b"x\0", b"x\x004", b"x\x004\0\x19", b"x\x004\0\x19192.0.2.1"]
        {
            assert_eq!(at(malformed), None, "{}", malformed.escape_ascii());
        }
    }

    #[test]
    fn addresses_have_brackets_and_parameters_or_not() {
        let parse = |data: &'static [u8]| {
            let address = Address::parse(data)?;
            Some((address.unbracketed(), address.parameters().collect::<Vec<_>>()))
        };
        let (size, body) = (&b"SIZE=100"[..], &b"BODY=8BITMIME"[..]);
        assert_eq!(
            parse(b"<ann@example.net>\0SIZE=100\0BODY=8BITMIME\0"),
            Some((&b"ann@example.net"[..], vec![size, body]))
        );
        assert_eq!(parse(b"<>\0"), Some((&b""[..], vec![])));
        assert_eq!(parse(b" ann@example.net \0"), Some((&b"ann@example.net"[..], vec![])));
        assert_eq!(parse(b"<ann\0"), Some((&b"<ann"[..], vec![])));
        assert_eq!((parse(b""), parse(b"<>"), parse(b"<>\0SIZE")), (None, None, None));
    }

    #[test]
    fn a_field_is_written_as_it_was() {
        let lines = |data, has_blank| {
            let mut output = Vec::new();
            Field::parse(data, has_blank).unwrap().write(&mut output);
            String::from_utf8(output).unwrap()
        };
        assert_eq!(lines(b"To\0 a,\n\tb\0", true), "To: a,\n\tb\n");
        assert_eq!(lines(b"To\0a\0", false), "To: a\n");
        assert_eq!(lines(b"To\0\0", true), "To:\n");
        assert_eq!(Field::parse(b"To\0a", true), None);
        assert_eq!(Field::parse(b"To", true), None);
    }
}
