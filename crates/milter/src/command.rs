//! The octets that begin what an MTA says.

pub(crate) const ABORT: u8 = b'A';
pub(crate) const BODY: u8 = b'B';
pub(crate) const CONNECT: u8 = b'C';
pub(crate) const MACROS: u8 = b'D';
pub(crate) const END_OF_MESSAGE: u8 = b'E';
pub(crate) const HELO: u8 = b'H';
/// The connection's client is gone; another may follow on the same connection to the filter.
pub(crate) const NEXT_CLIENT: u8 = b'K';
pub(crate) const HEADER: u8 = b'L';
pub(crate) const MAIL: u8 = b'M';
pub(crate) const END_OF_HEADER: u8 = b'N';
pub(crate) const OPTIONS: u8 = b'O';
pub(crate) const QUIT: u8 = b'Q';
pub(crate) const RCPT: u8 = b'R';
pub(crate) const DATA: u8 = b'T';
/// An SMTP command that the MTA does not know, or an invalid one.
pub(crate) const UNKNOWN: u8 = b'U';

/// Takes the string before the next NUL from the head of `data`.
pub(crate) fn string<'a>(data: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = data.iter().position(|octet| *octet == 0)?;
    let (string, rest) = data.split_at(end);
    *data = &rest[1..];
    Some(string)
}

/// Takes a number of four octets from the head of `data`.
pub(crate) fn number(data: &mut &[u8]) -> Option<u32> {
    let (octets, rest) = data.split_first_chunk()?;
    *data = rest;
    Some(u32::from_be_bytes(*octets))
}
