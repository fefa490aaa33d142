use std::ops::Range;

/// How many octets are kept of a client that sends nothing long.
pub(crate) const INPUT_OCTETS: usize = 4096;

/// What was read and is not done with: octets are read into [`Input::space`], and
/// [`Input::filled`] says how many they were. It grows when it must, to its decoder's bound.
#[derive(Debug)]
pub struct Input {
    buffer: Vec<u8>,
    unread: Range<usize>,
    octets_max: usize,
}

impl Input {
    pub(crate) fn new(octets_max: usize) -> Self {
        Self { buffer: vec![0; INPUT_OCTETS.min(octets_max)], unread: 0..0, octets_max }
    }

    pub(crate) fn unread(&self) -> &[u8] {
        &self.buffer[self.unread.clone()]
    }

    /// Whether no more can be kept: what is not whole now will not be.
    pub(crate) fn is_full(&self) -> bool {
        self.unread.len() >= self.octets_max
    }

    /// What is consumed stays until the next [`Input::space`].
    pub(crate) fn consume(&mut self, octets: usize) -> &[u8] {
        let start = self.unread.start;
        self.unread.start += octets;
        &self.buffer[start..self.unread.start]
    }

    /// Whether nothing has come that is not done with: no question is on its way.
    pub fn is_empty(&self) -> bool {
        self.unread.is_empty()
    }

    /// Where to read to. Never empty after a decoder said that more must be read.
    pub fn space(&mut self) -> &mut [u8] {
        if self.unread.is_empty() {
            self.unread = 0..0;
            if self.buffer.len() > INPUT_OCTETS {
                self.buffer.truncate(INPUT_OCTETS);
                self.buffer.shrink_to_fit();
            }
        } else if self.unread.end == self.buffer.len() && self.unread.start > 0 {
            self.buffer.copy_within(self.unread.clone(), 0);
            self.unread = 0..self.unread.len();
        }
        if self.unread.end == self.buffer.len() {
            let octets = (self.buffer.len() * 2).min(self.octets_max);
            self.buffer.resize(octets, 0);
        }
        &mut self.buffer[self.unread.end..]
    }

    /// So many octets were read.
    pub fn filled(&mut self, octets: usize) {
        self.unread.end += octets;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(input: &mut Input, octets: &[u8]) -> usize {
        let space = input.space();
        let length = space.len().min(octets.len());
        space[..length].copy_from_slice(&octets[..length]);
        input.filled(length);
        length
    }

    #[test]
    fn it_grows_to_its_bound_and_shrinks_when_it_is_empty() {
        let mut input = Input::new(INPUT_OCTETS * 3);
        let octets = vec![b'x'; INPUT_OCTETS * 4];
        let mut taken = 0;
        while !input.is_full() {
            taken += fill(&mut input, &octets[taken..]);
        }
        assert_eq!((taken, input.space().len()), (INPUT_OCTETS * 3, 0));
        assert_eq!(input.consume(taken).len(), taken);
        assert_eq!(input.space().len(), INPUT_OCTETS);
    }

    #[test]
    fn what_is_not_consumed_stays() {
        let mut input = Input::new(8);
        fill(&mut input, b"12345678");
        assert_eq!(input.consume(6), b"123456");
        assert_eq!(fill(&mut input, b"abcdefgh"), 6);
        assert_eq!(input.unread(), b"78abcdef");
    }
}
