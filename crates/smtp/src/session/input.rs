use std::ops::Range;

/// How many octets of input a session keeps: a command line, or what one read of content brings.
pub(super) const INPUT_OCTETS: usize = 32_768;

/// What was read and is not done with.
#[derive(Debug)]
pub(super) struct Input {
    buffer: Box<[u8]>,
    unread: Range<usize>,
}

impl Input {
    pub(super) fn new() -> Self {
        Self { buffer: vec![0; INPUT_OCTETS].into_boxed_slice(), unread: 0..0 }
    }

    pub(super) fn unread(&self) -> &[u8] {
        &self.buffer[self.unread.clone()]
    }

    pub(super) fn consume(&mut self, octets: usize) {
        self.unread.start += octets;
    }

    /// Content that was consumed stays until the next [`Input::space`].
    pub(super) fn consumed(&self, octets: usize) -> &[u8] {
        &self.buffer[self.unread.start - octets..self.unread.start]
    }

    pub(super) fn clear(&mut self) {
        self.unread = 0..0;
    }

    /// Where to read to. Never empty: nothing that must stay together fills the buffer.
    pub(super) fn space(&mut self) -> &mut [u8] {
        if self.unread.is_empty() {
            self.clear();
        } else if self.unread.start > 0 {
            self.buffer.copy_within(self.unread.clone(), 0);
            self.unread = 0..self.unread.len();
        }
        &mut self.buffer[self.unread.end..]
    }

    pub(super) fn filled(&mut self, octets: usize) {
        self.unread.end += octets;
    }
}
