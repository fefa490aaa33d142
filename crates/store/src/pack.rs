//! Packed cases, one behind the other.

use std::io;

use crate::packed::{Packing, next_sized};
use crate::queue::OCTETS_WAITING_MAX;
use crate::tally::Tally;

/// Into how many octets as many cases go as fit; a larger one has a pack to itself.
const PACK_OCTETS: usize = 256 * 1024;

/// How many octets a pack of a file may have: one case as large as the queue takes, and how long it
/// is. More is damage.
const FILED_OCTETS_MAX: usize = OCTETS_WAITING_MAX + size_of::<u32>();

/// Packed cases: of each how many octets it has, and these.
#[derive(Debug, Default)]
pub(crate) struct Pack {
    pub(crate) cases: usize,
    pub(crate) octets: Vec<u8>,
    /// The ids of all, with a blank before and behind each.
    pub(crate) ids: String,
    /// What of them is counted.
    pub(crate) tally: Tally,
}

impl Pack {
    /// Whether a case of so many octets more fits.
    pub(crate) fn has_room(&self, octets: usize) -> bool {
        self.octets.is_empty() || self.octets.len() + octets + size_of::<u32>() <= PACK_OCTETS
    }

    /// Adds a case that was packed into these octets.
    pub(crate) fn add(&mut self, case: &Packing<'_>, octets: &[u8]) {
        if self.octets.is_empty() {
            self.octets.reserve_exact(PACK_OCTETS.max(octets.len() + size_of::<u32>()));
        }
        let length = u32::try_from(octets.len()).expect("what waits has a bound");
        self.octets.extend_from_slice(&length.to_le_bytes());
        self.octets.extend_from_slice(octets);
        for id in case.ids() {
            let before = if self.ids.is_empty() { " " } else { "" };
            self.ids.extend([before, id, " "]);
        }
        case.count(&mut self.tally);
        self.cases += 1;
    }

    /// As it stands in a file: cases of an hour have much in common.
    pub(crate) fn filed(&self) -> Vec<u8> {
        lz4_flex::block::compress_prepend_size(&self.octets)
    }
}

/// What [`Pack::filed`] was made of.
///
/// # Errors
/// It is damaged.
pub(crate) fn unfiled(octets: &[u8]) -> io::Result<Vec<u8>> {
    let (length, packed) = lz4_flex::block::uncompressed_size(octets).map_err(io::Error::other)?;
    if length > FILED_OCTETS_MAX {
        return Err(io::Error::other("it is too large"));
    }
    lz4_flex::block::decompress(packed, length).map_err(io::Error::other)
}

/// The packed cases of a pack.
pub(crate) fn cases(mut octets: &[u8]) -> impl Iterator<Item = io::Result<&[u8]>> {
    std::iter::from_fn(move || {
        let next = (!octets.is_empty()).then(|| next_sized(&mut octets))?;
        if next.is_err() {
            octets = &[];
        }
        Some(next)
    })
}
