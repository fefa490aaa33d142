use std::ops::Range;

use crate::ProtocolError;
use crate::command;

/// How many octets a packet may announce. Postfix sends 64 KiB of a body at a time, and of a header
/// field what its `header_size_limit` lets through (100 KiB unless it is set).
pub const PACKET_OCTETS_MAX: u32 = 1024 * 1024;

/// The same for packets that hold neither a header field nor a piece of a body.
pub const COMMAND_OCTETS_MAX: u32 = 64 * 1024;

/// Octets before the data: the length, of which they are no part, and the command, which is.
const LENGTH_OCTETS: usize = 4;

/// The first size of the buffer. It grows with what comes, never with what is announced.
const BUFFER_OCTETS: usize = 4096;

/// A buffer that grew beyond this is given back once it is empty.
const BUFFER_KEPT_OCTETS: usize = 128 * 1024;

/// A packet as it goes over the wire: its length in four octets, its command, its data.
pub fn packet(command: u8, data: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(LENGTH_OCTETS + 1 + data.len());
    write(&mut octets, command, &[data]);
    octets
}

/// Appends a packet whose data are these pieces.
pub(crate) fn write(output: &mut Vec<u8>, command: u8, data: &[&[u8]]) {
    let octets = 1 + data.iter().map(|piece| piece.len()).sum::<usize>();
    let length = u32::try_from(octets).expect("nothing that is written is so long");
    output.extend_from_slice(&length.to_be_bytes());
    output.push(command);
    data.iter().for_each(|piece| output.extend_from_slice(piece));
}

/// What was read and is not done with, as packets.
#[derive(Debug)]
pub(crate) struct Packets {
    buffer: Vec<u8>,
    unread: Range<usize>,
}

/// A packet that is complete. Its data stay until the next [`Packets::space`].
#[derive(Debug, Clone)]
pub(crate) struct Packet {
    pub(crate) command: u8,
    data: Range<usize>,
}

impl Packets {
    pub(crate) fn new() -> Self {
        Self { buffer: vec![0; BUFFER_OCTETS], unread: 0..0 }
    }

    /// Where to read to; never empty.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        if self.unread.is_empty() {
            self.unread = 0..0;
            if self.buffer.len() > BUFFER_KEPT_OCTETS {
                self.buffer = vec![0; BUFFER_OCTETS];
            }
        } else if self.unread.start > 0 {
            self.buffer.copy_within(self.unread.clone(), 0);
            self.unread = 0..self.unread.len();
        }
        if self.unread.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        &mut self.buffer[self.unread.end..]
    }

    pub(crate) fn filled(&mut self, octets: usize) {
        self.unread.end += octets;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.unread.is_empty()
    }

    /// The next packet, if it is complete.
    pub(crate) fn next(&mut self) -> Result<Option<Packet>, ProtocolError> {
        let unread = &self.buffer[self.unread.clone()];
        let Some((length, rest)) = unread.split_first_chunk::<LENGTH_OCTETS>() else {
            return Ok(None);
        };
        let octets = u32::from_be_bytes(*length);
        if octets == 0 {
            return Err(ProtocolError::Empty);
        }
        let Some(command) = rest.first().copied() else { return Ok(None) };
        if octets > octets_max(command) {
            return Err(ProtocolError::TooLong { command, octets });
        }
        let octets = octets as usize;
        if rest.len() < octets {
            return Ok(None);
        }
        let start = self.unread.start + LENGTH_OCTETS;
        self.unread.start = start + octets;
        Ok(Some(Packet { command, data: start + 1..start + octets }))
    }

    pub(crate) fn data(&self, packet: &Packet) -> &[u8] {
        &self.buffer[packet.data.clone()]
    }
}

fn octets_max(command: u8) -> u32 {
    match command {
        command::HEADER | command::BODY | command::END_OF_MESSAGE => PACKET_OCTETS_MAX,
        _ => COMMAND_OCTETS_MAX,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn feed(packets: &mut Packets, mut octets: &[u8]) {
        while !octets.is_empty() {
            let space = packets.space();
            let count = space.len().min(octets.len());
            space[..count].copy_from_slice(&octets[..count]);
            packets.filled(count);
            octets = &octets[count..];
        }
    }

    #[test]
    fn lying_lengths_are_errors_before_anything_is_kept() {
        let mut empty = Packets::new();
        feed(&mut empty, &[0, 0, 0, 0]);
        assert_eq!(empty.next().unwrap_err(), ProtocolError::Empty);
        for (command, octets) in [
            (b'M', COMMAND_OCTETS_MAX + 1),
            (b'D', COMMAND_OCTETS_MAX + 1),
            (b'L', PACKET_OCTETS_MAX + 1),
            (b'B', 2_000_000_000),
            (b'B', u32::MAX),
        ] {
            let mut packets = Packets::new();
            feed(&mut packets, &octets.to_be_bytes());
            assert!(packets.next().unwrap().is_none());
            feed(&mut packets, &[command]);
            assert_eq!(packets.next().unwrap_err(), ProtocolError::TooLong { command, octets });
            assert_eq!(packets.buffer.len(), BUFFER_OCTETS);
        }
    }

    #[test]
    fn the_buffer_grows_with_what_comes_and_is_given_back() {
        let mut packets = Packets::new();
        let data = vec![b'x'; PACKET_OCTETS_MAX as usize - 1];
        feed(&mut packets, &packet(b'B', &data)[..5000]);
        assert!(packets.next().unwrap().is_none());
        assert!(packets.buffer.len() <= 2 * 5000);
        feed(&mut packets, &packet(b'B', &data)[5000..]);
        let whole = packets.next().unwrap().unwrap();
        assert_eq!(packets.data(&whole), data);
        assert!(packets.buffer.len() <= 2 * (PACKET_OCTETS_MAX as usize + LENGTH_OCTETS));
        assert!(packets.space().len() <= BUFFER_OCTETS);
    }

    proptest! {
        #[test]
        fn packets_are_the_same_in_whatever_pieces(
            written in prop::collection::vec(
                (any::<u8>(), prop::collection::vec(any::<u8>(), 0..300)),
                0..40,
            ),
            piece in 1usize..600,
        ) {
            let octets: Vec<u8> =
                written.iter().flat_map(|(command, data)| packet(*command, data)).collect();
            let mut packets = Packets::new();
            let mut read = Vec::new();
            for piece in octets.chunks(piece) {
                feed(&mut packets, piece);
                while let Some(packet) = packets.next().unwrap() {
                    read.push((packet.command, packets.data(&packet).to_vec()));
                }
            }
            prop_assert_eq!(read, written);
            prop_assert!(packets.is_empty());
        }
    }
}
