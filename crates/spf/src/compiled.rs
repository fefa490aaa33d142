//! Compiled policies: which terms of a record can matter to an address.
//!
//! A record's table divides the addresses of each family into spans. For every address of a span
//! the same term is the first to match of those that ask nothing; what stands before it and asks
//! nothing either can be left out. What asks DNS is always evaluated, by the walk, so that a table
//! depends on nothing but its record and ends with the answer that the record came in.
//!
//! No meaning of a term is written down here: [`matches_unasked`] is tried on the first address of
//! each span (`spans.rs`). What a domain comes to with all that it includes is in `settled.rs`.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use smallvec::SmallVec;

use crate::matching::matches_unasked;
use crate::record::{Name, Record};
use crate::spans::{Bounds, NextEdge, Spans};
use crate::step::{Place, Step};

/// At which evaluation a record's table is made. That takes as long as a few dozen evaluations, and
/// the table is lost with the answer.
pub const COMPILED_AT: u32 = 20;

/// Records with fewer networks have no table: they are as quickly walked term by term.
pub const NETWORKS_MIN: usize = 8;

/// Records with more directives are read term by term where they stand: the time for a table grows
/// with the square of their number.
pub const DIRECTIVES_MAX: usize = 256;

/// What so many directives can come to: each network has two edges, and at each all are compared.
const BOUNDS: Bounds =
    Bounds { spans: 2 * DIRECTIVES_MAX, comparisons: (2 * DIRECTIVES_MAX + 1) * DIRECTIVES_MAX };

/// A record made ready for evaluation.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// All directives; none for a record that has too many.
    steps: SmallVec<[Step; 4]>,
    evaluations: AtomicU32,
    table: OnceLock<Option<Box<Table>>>,
}

/// Which directives can matter to an address.
#[derive(Debug)]
struct Table {
    /// The places of those that ask DNS.
    asking: Box<[u16]>,
    /// The place of the first directive that matches without asking; the number of directives where
    /// none does.
    ipv4: Spans<u32, u16>,
    ipv6: Spans<u128, u16>,
}

/// The directives of a record that are evaluated.
pub(crate) enum Candidates<'r> {
    /// All of them.
    All(&'r [Step]),
    /// Those at some places, and all of the others.
    Some(&'r [Step], &'r [u16], &'r [Step]),
    /// All of them, read where they stand.
    Unread,
}

impl Compiled {
    /// Without a table; never with one where it would not pay.
    pub(crate) fn of(record: &Record) -> Self {
        let steps: SmallVec<[Step; 4]> =
            record.places().take(DIRECTIVES_MAX + 1).map(Place::step).collect();
        if steps.len() > DIRECTIVES_MAX {
            return Self::nothing();
        }
        let is_network = |step: &&Step| matches!(step.within(record).name(), Name::Ip4 | Name::Ip6);
        let table = match steps.iter().filter(is_network).count() {
            NETWORKS_MIN.. => OnceLock::new(),
            _ => OnceLock::from(None),
        };
        Self { steps, evaluations: AtomicU32::new(0), table }
    }

    /// Nothing of a record at all.
    pub(crate) fn nothing() -> Self {
        let steps = SmallVec::new();
        Self { steps, evaluations: AtomicU32::new(0), table: OnceLock::from(None) }
    }

    /// The directives.
    #[inline]
    pub(crate) fn all(&self) -> Candidates<'_> {
        match self.steps.is_empty() {
            true => Candidates::Unread,
            false => Candidates::All(&self.steps),
        }
    }

    /// The directives that can matter to an address.
    #[inline]
    pub(crate) fn candidates<'r>(&'r self, record: &'r Record, client: IpAddr) -> Candidates<'r> {
        let Some(table) = self.table(record) else { return self.all() };
        let decisive = table.decisive(client);
        let before = table.asking.partition_point(|place| *place < decisive);
        let rest = &self.steps[usize::from(decisive)..];
        Candidates::Some(&self.steps, &table.asking[..before], rest)
    }

    #[inline]
    fn table(&self, record: &Record) -> Option<&Table> {
        match self.table.get() {
            Some(table) => table.as_deref(),
            None => self.make_table(record),
        }
    }

    fn make_table(&self, record: &Record) -> Option<&Table> {
        if self.evaluations.fetch_add(1, Ordering::Relaxed) + 1 < COMPILED_AT {
            return None;
        }
        self.table.get_or_init(|| Table::of(record, &self.steps).map(Box::new)).as_deref()
    }
}

impl Table {
    fn of(record: &Record, steps: &[Step]) -> Option<Self> {
        let places = || steps.iter().map(|step| step.within(record));
        let first_to_match = |client: IpAddr, watch: &mut NextEdge| {
            let matches = |place| matches_unasked(place, client, watch) == Some(true);
            places().position(matches).unwrap_or(steps.len()) as u16
        };
        let anybody = Ipv4Addr::UNSPECIFIED.into();
        let asks = |place: &Place<'_>| matches_unasked(*place, anybody, &mut ()).is_none();
        let numbered = (0..).zip(places());
        Some(Self {
            asking: numbered.filter(|(_, place)| asks(place)).map(|(at, _)| at).collect(),
            ipv4: Spans::over(BOUNDS, first_to_match)?,
            ipv6: Spans::over(BOUNDS, first_to_match)?,
        })
    }

    #[inline]
    fn decisive(&self, client: IpAddr) -> u16 {
        match client {
            IpAddr::V4(client) => *self.ipv4.at(client.to_bits()),
            IpAddr::V6(client) => *self.ipv6.at(client.to_bits()),
        }
    }
}

#[cfg(test)]
mod tests;
