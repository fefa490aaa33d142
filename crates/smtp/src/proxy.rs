//! The PROXY protocol, versions 1 and 2: who the client behind a proxy is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use memchr::memchr;

/// The longest header of version 1, with its CRLF.
pub const VERSION_1_OCTETS_MAX: usize = 107;

/// The longest header of version 2 that is taken, with all its extensions.
pub const VERSION_2_OCTETS_MAX: usize = 4096;

/// The twelve octets that begin version 2.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxied {
    /// The proxy speaks for itself, or does not know its client, or the client has no IP address:
    /// the connection's own addresses hold.
    Unknown,
    /// The proxy speaks for a client.
    Client {
        /// The client's address.
        source: SocketAddr,
        /// The address that it connected to.
        destination: SocketAddr,
    },
}

/// Why octets are no PROXY header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// They begin like neither version.
    #[error("no PROXY header was sent")]
    Absent,
    /// They begin like one and go on otherwise.
    #[error("the PROXY header is malformed")]
    Malformed,
    /// It is longer than any header needs to be.
    #[error("the PROXY header is too long")]
    TooLong,
}

/// Reads a header from the head of `input`: what it says and its length in octets. `None`: more is
/// needed.
pub fn parse(input: &[u8]) -> Result<Option<(Proxied, usize)>, ProxyError> {
    const VERSION_1: &[u8] = b"PROXY ";
    if begins(input, SIGNATURE) {
        version_2(input)
    } else if begins(input, VERSION_1) {
        version_1(input)
    } else {
        Err(ProxyError::Absent)
    }
}

/// How many octets may be read after `input` without reading past the end of the header, as long as
/// [`parse`] needs more. Never none.
pub fn wanted(input: &[u8]) -> usize {
    // "PROXY TC" and "PROXY UN": no header of either version is shorter.
    const FIRST: usize = 8;
    if input.len() < FIRST {
        FIRST - input.len()
    } else if !begins(input, SIGNATURE) {
        1
    } else if input.len() < 16 {
        16 - input.len()
    } else {
        let length = 16 + usize::from(u16::from_be_bytes([input[14], input[15]]));
        length.saturating_sub(input.len()).max(1)
    }
}

/// As far as the input goes.
fn begins(input: &[u8], start: &[u8]) -> bool {
    let length = input.len().min(start.len());
    input[..length] == start[..length]
}

fn version_1(input: &[u8]) -> Result<Option<(Proxied, usize)>, ProxyError> {
    let window = &input[..input.len().min(VERSION_1_OCTETS_MAX)];
    let Some(end) = memchr(b'\n', window) else {
        let full = window.len() == VERSION_1_OCTETS_MAX;
        return if full { Err(ProxyError::TooLong) } else { Ok(None) };
    };
    let line = window[..end].strip_suffix(b"\r").ok_or(ProxyError::Malformed)?;
    let line = std::str::from_utf8(line).map_err(|_| ProxyError::Malformed)?;
    let mut words = line.split(' ').skip(1);
    let proxied = match words.next() {
        Some("UNKNOWN") => Some(Proxied::Unknown),
        Some("TCP4") => addresses::<Ipv4Addr>(words),
        Some("TCP6") => addresses::<Ipv6Addr>(words),
        _ => None,
    };
    Ok(Some((proxied.ok_or(ProxyError::Malformed)?, end + 1)))
}

fn addresses<'a, A>(mut words: impl Iterator<Item = &'a str>) -> Option<Proxied>
where
    A: std::str::FromStr + Into<IpAddr>,
{
    let source: A = words.next()?.parse().ok()?;
    let destination: A = words.next()?.parse().ok()?;
    let source = SocketAddr::new(source.into(), words.next()?.parse().ok()?);
    let destination = SocketAddr::new(destination.into(), words.next()?.parse().ok()?);
    words.next().is_none().then_some(Proxied::Client { source, destination })
}

fn version_2(input: &[u8]) -> Result<Option<(Proxied, usize)>, ProxyError> {
    let [version_command, family, high, low] = match input.get(12..16) {
        Some(fixed) => [fixed[0], fixed[1], fixed[2], fixed[3]],
        None => return Ok(None),
    };
    let length = 16 + usize::from(u16::from_be_bytes([high, low]));
    if length > VERSION_2_OCTETS_MAX {
        return Err(ProxyError::TooLong);
    }
    let Some(block) = input.get(16..length) else {
        return Ok(None);
    };
    let proxied = match (version_command, family) {
        (0x20, _) => Proxied::Unknown,
        (0x21, 0x11) => ports::<4>(block, |octets| Ipv4Addr::from(octets).into())?,
        (0x21, 0x21) => ports::<16>(block, |octets| Ipv6Addr::from(octets).into())?,
        // Datagrams, UNIX sockets and unspecified or unknown families: nothing that we can use.
        (0x21, _) => Proxied::Unknown,
        _ => return Err(ProxyError::Malformed),
    };
    Ok(Some((proxied, length)))
}

fn ports<const N: usize>(
    block: &[u8],
    address: fn([u8; N]) -> IpAddr,
) -> Result<Proxied, ProxyError> {
    let mut rest = block;
    let mut source = [0; N];
    let mut destination = [0; N];
    let mut ports = [0; 4];
    for part in [&mut source[..], &mut destination[..], &mut ports[..]] {
        let (head, tail) = rest.split_at_checked(part.len()).ok_or(ProxyError::Malformed)?;
        part.copy_from_slice(head);
        rest = tail;
    }
    let [a, b, c, d] = ports;
    Ok(Proxied::Client {
        source: SocketAddr::new(address(source), u16::from_be_bytes([a, b])),
        destination: SocketAddr::new(address(destination), u16::from_be_bytes([c, d])),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn client(source: &str, destination: &str) -> Proxied {
        Proxied::Client {
            source: source.parse().unwrap(),
            destination: destination.parse().unwrap(),
        }
    }

    fn binary(version_command: u8, family: u8, block: &[u8]) -> Vec<u8> {
        let length = u16::try_from(block.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[version_command, family], &length, block].concat()
    }

    #[test]
    fn version_1_is_read() {
        let input = b"PROXY TCP4 192.0.2.1 198.51.100.1 1000 25\r\nEHLO a\r\n";
        let expected = client("192.0.2.1:1000", "198.51.100.1:25");
        assert_eq!(parse(input), Ok(Some((expected, 43))));
        let input = b"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n";
        let expected = client("[2001:db8::1]:1", "[2001:db8::2]:2");
        assert_eq!(parse(input), Ok(Some((expected, input.len()))));
        assert_eq!(parse(b"PROXY UNKNOWN what ever\r\n"), Ok(Some((Proxied::Unknown, 25))));
        for wrong in [
            "PROXY TCP4 2001:db8::1 192.0.2.1 1 2\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.1 1 65536\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.1 1 2 3\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.1 1 2\n",
            "PROXY UDP4\r\n",
        ] {
            assert_eq!(parse(wrong.as_bytes()), Err(ProxyError::Malformed), "{wrong}");
        }
    }

    #[test]
    fn version_2_is_read() {
        let block = [192, 0, 2, 1, 198, 51, 100, 1, 0, 7, 0, 25, 4, 0, 1, 9];
        let expected = client("192.0.2.1:7", "198.51.100.1:25");
        assert_eq!(parse(&binary(0x21, 0x11, &block)), Ok(Some((expected, 32))));
        let mut block = [0; 36];
        (block[15], block[31], block[33], block[35]) = (1, 2, 3, 4);
        let expected = client("[::1]:3", "[::2]:4");
        assert_eq!(parse(&binary(0x21, 0x21, &block)), Ok(Some((expected, 52))));
        assert_eq!(parse(&binary(0x20, 0, &[])), Ok(Some((Proxied::Unknown, 16))));
        assert_eq!(parse(&binary(0x21, 0x31, &[0; 216])), Ok(Some((Proxied::Unknown, 232))));
        assert_eq!(parse(&binary(0x31, 0x11, &block)), Err(ProxyError::Malformed));
        assert_eq!(parse(&binary(0x21, 0x11, &[0; 11])), Err(ProxyError::Malformed));
    }

    #[test]
    fn what_is_no_header_is_told_at_its_first_octet() {
        assert_eq!(parse(b"E"), Err(ProxyError::Absent));
        assert_eq!(parse(b"PROXO"), Err(ProxyError::Absent));
        assert_eq!(parse(b""), Ok(None));
        assert_eq!(parse(b"PRO"), Ok(None));
    }

    #[test]
    fn headers_are_bounded() {
        let long = format!("PROXY UNKNOWN {}", "a".repeat(VERSION_1_OCTETS_MAX));
        assert_eq!(parse(long.as_bytes()), Err(ProxyError::TooLong));
        let long = vec![0; VERSION_2_OCTETS_MAX - 15];
        assert_eq!(parse(&binary(0x21, 0x11, &long)), Err(ProxyError::TooLong));
    }

    /// Reads as a door does, which must not read what follows the header.
    fn read(wire: &[u8]) -> Result<(Proxied, usize), ProxyError> {
        let mut length = 0;
        loop {
            match parse(&wire[..length])? {
                Some(header) => return Ok(header),
                None => length += wanted(&wire[..length]),
            }
        }
    }

    #[test]
    fn nothing_behind_a_header_is_wanted() {
        for header in [
            b"PROXY UNKNOWN\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 198.51.100.1 1000 25\r\n".to_vec(),
            binary(0x20, 0, &[]),
            binary(0x21, 0x11, &[1; 40]),
        ] {
            assert_eq!(read(&header).unwrap().1, header.len());
        }
    }

    proptest! {
        #[test]
        fn no_octets_panic(
            input in prop::collection::vec(any::<u8>(), 0..64),
            two in any::<bool>(),
        ) {
            let start: &[u8] = if two { SIGNATURE } else { b"PROXY TCP4 " };
            let _ = parse(&[start, &input].concat());
        }

        #[test]
        fn a_part_of_a_header_needs_more(cut in 0usize..32) {
            let whole = binary(0x21, 0x11, &[1; 16]);
            prop_assert_eq!(parse(&whole[..cut]), Ok(None));
        }
    }
}
