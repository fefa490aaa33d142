use std::borrow::Cow;
use std::net::IpAddr;

use data_encoding::BASE64;

use super::{Attribute, Values};

/// How many octets a header may have.
pub const HEADER_OCTETS_MAX: usize = 64 * 1024;

/// A request, as it was sent.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    octets: &'a [u8],
    values: &'a Values,
}

/// How far the message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProtocolState {
    /// The client has connected.
    Connect,
    /// HELO or EHLO.
    Helo,
    /// MAIL.
    Mail,
    /// RCPT.
    Rcpt,
    /// DATA, before the message is sent; from Exim, after its header and body came.
    Data,
    /// The message was sent. No field can be written on top of it any more.
    EndOfMessage,
    /// VRFY, ETRN, or what is not known here: not about a message.
    Other,
}

/// Why a header cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It is not Base64.
    #[error("header_base64 is not Base64 without line breaks")]
    NotBase64,
    /// It is too long.
    #[error("header_base64 holds more than {HEADER_OCTETS_MAX} octets")]
    TooLong,
}

impl<'a> Request<'a> {
    pub(super) fn new(octets: &'a [u8], values: &'a Values) -> Self {
        Self { octets, values }
    }

    /// An attribute's value. None: it was not sent.
    pub fn get(&self, attribute: Attribute) -> Option<&'a [u8]> {
        let value = self.values[attribute as usize].clone();
        // A value stands behind its name.
        (value.end > 0).then(|| &self.octets[value])
    }

    /// An attribute's value as text, with U+FFFD for what is not UTF-8. Empty if it was not sent.
    pub fn text(&self, attribute: Attribute) -> Cow<'a, str> {
        String::from_utf8_lossy(self.get(attribute).unwrap_or_default())
    }

    /// How far the message has come.
    pub fn state(&self) -> ProtocolState {
        match self.get(Attribute::ProtocolState).unwrap_or_default() {
            b"CONNECT" => ProtocolState::Connect,
            b"HELO" | b"EHLO" => ProtocolState::Helo,
            b"MAIL" => ProtocolState::Mail,
            b"RCPT" => ProtocolState::Rcpt,
            b"DATA" => ProtocolState::Data,
            b"END-OF-MESSAGE" => ProtocolState::EndOfMessage,
            _ => ProtocolState::Other,
        }
    }

    /// The client's address. None: the mail server does not know it.
    pub fn client_address(&self) -> Option<IpAddr> {
        let address = str::from_utf8(self.get(Attribute::ClientAddress)?).ok()?;
        address.parse().ok()
    }

    /// The message's header. None: it was not sent.
    ///
    /// # Errors
    /// It is not Base64, or too long.
    pub fn header(&self) -> Result<Option<Vec<u8>>, HeaderError> {
        let Some(encoded) = self.get(Attribute::HeaderBase64) else { return Ok(None) };
        if encoded.len() > BASE64.encode_len(HEADER_OCTETS_MAX) {
            return Err(HeaderError::TooLong);
        }
        let header = BASE64.decode(encoded).map_err(|_| HeaderError::NotBase64)?;
        if header.len() > HEADER_OCTETS_MAX { Err(HeaderError::TooLong) } else { Ok(Some(header)) }
    }
}
