//! XCLIENT: what a listed peer states about its own client.

use std::fmt;
use std::net::IpAddr;

use quivive_mail::EnhancedStatus;

use crate::{Reply, xtext};

/// The attributes as EHLO lists them.
pub(crate) const ATTRIBUTES: &str = "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT";

/// What XCLIENT states. `None`: nothing was said, and what is known stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Xclient {
    /// The client's host name.
    pub name: Option<Stated<String>>,
    /// The client's address.
    pub address: Option<Stated<IpAddr>>,
    /// The client's port.
    pub port: Option<Stated<u16>>,
    /// The client's protocol: `SMTP` or `ESMTP`.
    pub protocol: Option<Stated<String>>,
    /// The argument of its HELO or EHLO.
    pub helo: Option<Stated<String>>,
    /// The name under which it logged in.
    pub login: Option<Stated<String>>,
    /// The address it connected to.
    pub destination_address: Option<Stated<IpAddr>>,
    /// The port it connected to.
    pub destination_port: Option<Stated<u16>>,
}

/// A value, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stated<T> {
    /// The value.
    Value(T),
    /// There is none.
    Unavailable,
    /// It could not be found out just now.
    TemporarilyUnavailable,
}

const BAD: Reply = Reply::new(501, EnhancedStatus(5, 5, 4), "An XCLIENT attribute is malformed");

impl Xclient {
    /// Reads the arguments of the command.
    pub(crate) fn parse(text: &str) -> Result<Self, Reply> {
        let mut xclient = Self::default();
        let mut some = false;
        for pair in text.split(' ').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(BAD)?;
            let value = xtext::decode(value).and_then(|v| String::from_utf8(v).ok()).ok_or(BAD)?;
            if value.chars().any(char::is_control) {
                return Err(BAD);
            }
            match name.to_ascii_uppercase().as_str() {
                "NAME" => once(&mut xclient.name, stated(&value, text_value)?)?,
                "ADDR" => once(&mut xclient.address, stated(&value, address_value)?)?,
                "PORT" => once(&mut xclient.port, stated(&value, port_value)?)?,
                "PROTO" => once(&mut xclient.protocol, stated(&value, protocol_value)?)?,
                "HELO" => once(&mut xclient.helo, stated(&value, text_value)?)?,
                "LOGIN" => once(&mut xclient.login, stated(&value, text_value)?)?,
                "DESTADDR" => {
                    once(&mut xclient.destination_address, stated(&value, address_value)?)?;
                }
                "DESTPORT" => once(&mut xclient.destination_port, stated(&value, port_value)?)?,
                _ => return Err(BAD),
            }
            some = true;
        }
        if some { Ok(xclient) } else { Err(BAD) }
    }
}

/// An attribute that is stated twice leaves open which of the two is meant.
fn once<T>(place: &mut Option<T>, value: T) -> Result<(), Reply> {
    if place.replace(value).is_some() { Err(BAD) } else { Ok(()) }
}

fn stated<T>(value: &str, parse: fn(&str) -> Option<T>) -> Result<Stated<T>, Reply> {
    if value.eq_ignore_ascii_case("[UNAVAILABLE]") {
        Ok(Stated::Unavailable)
    } else if value.eq_ignore_ascii_case("[TEMPUNAVAIL]") {
        Ok(Stated::TemporarilyUnavailable)
    } else {
        parse(value).map(Stated::Value).ok_or(BAD)
    }
}

fn text_value(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

fn protocol_value(value: &str) -> Option<String> {
    let value = value.to_ascii_uppercase();
    matches!(value.as_str(), "SMTP" | "ESMTP").then_some(value)
}

fn port_value(value: &str) -> Option<u16> {
    value.parse().ok()
}

/// An IPv6 address has the prefix `IPV6:`.
fn address_value(value: &str) -> Option<IpAddr> {
    const PREFIX: &str = "IPV6:";
    match value.get(..PREFIX.len()) {
        Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => {
            value[PREFIX.len()..].parse().ok().map(IpAddr::V6)
        }
        _ => value.parse().ok().map(IpAddr::V4),
    }
}

/// ` ADDR=192.0.2.1 HELO=host.example`: each with a blank before it.
impl fmt::Display for Xclient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |text: &String| text.clone();
        attribute(f, "NAME", self.name.as_ref(), text)?;
        attribute(f, "ADDR", self.address.as_ref(), format_address)?;
        attribute(f, "PORT", self.port.as_ref(), u16::to_string)?;
        attribute(f, "PROTO", self.protocol.as_ref(), text)?;
        attribute(f, "HELO", self.helo.as_ref(), text)?;
        attribute(f, "LOGIN", self.login.as_ref(), text)?;
        attribute(f, "DESTADDR", self.destination_address.as_ref(), format_address)?;
        attribute(f, "DESTPORT", self.destination_port.as_ref(), u16::to_string)
    }
}

fn attribute<T>(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    value: Option<&Stated<T>>,
    format: impl Fn(&T) -> String,
) -> fmt::Result {
    let value = match value {
        None => return Ok(()),
        Some(Stated::Unavailable) => "[UNAVAILABLE]".to_owned(),
        Some(Stated::TemporarilyUnavailable) => "[TEMPUNAVAIL]".to_owned(),
        Some(Stated::Value(value)) => format(value),
    };
    write!(f, " {name}={}", xtext::encode(value.as_bytes()))
}

fn format_address(address: &IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("IPV6:{address}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_parsed_formats_as_it_was() {
        let text = " NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::1 PORT=25 PROTO=ESMTP \
                    HELO=a+20b LOGIN=[TEMPUNAVAIL] DESTADDR=192.0.2.1 DESTPORT=2525";
        let xclient = Xclient::parse(text).unwrap();
        assert_eq!(xclient.helo, Some(Stated::Value("a b".to_owned())));
        assert_eq!(xclient.to_string(), text);
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for text in [
            "",
            "NAME",
            "FOO=1",
            "ADDR=2001:db8::1",
            "ADDR=IPV6:192.0.2.1",
            "ADDR=\u{e4}",
            "PORT=65536",
            "PROTO=LMTP",
            "HELO=",
            "HELO=a+0Db",
            "HELO=+FF",
            "ADDR=192.0.2.1 addr=192.0.2.2",
            "HELO=a HELO=[UNAVAILABLE]",
        ] {
            assert_eq!(Xclient::parse(text).unwrap_err().code, 501, "{text}");
        }
    }
}
