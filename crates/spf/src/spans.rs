//! Spans of addresses: what is true of one address of a span is true of all.
//!
//! Nothing is known here of records. Whoever finds out what is true of an address reports each
//! network that the address is compared with; the next edge of one of them ends the span.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::trace::Watch;

/// The addresses of one family, and for each span of them what is true of it.
#[derive(Debug)]
pub(crate) struct Spans<A, T> {
    /// Of the addresses below all others.
    lowest: T,
    /// Of those from an address on, the lowest first.
    others: Box<[(A, T)]>,
}

/// How much may be done to find spans, and how many may come of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) spans: usize,
    pub(crate) comparisons: usize,
}

impl<A: Bits, T: Copy + PartialEq> Spans<A, T> {
    /// What `find` comes to for every address; none where that would pass the bounds.
    ///
    /// It must come to the same for addresses that no comparison it reports tells apart.
    pub(crate) fn over(
        bounds: Bounds,
        mut find: impl FnMut(IpAddr, &mut NextEdge) -> T,
    ) -> Option<Self> {
        let mut watch = NextEdge::above(0);
        let lowest = find(A::of(0).address(), &mut watch);
        let mut others: Vec<(A, T)> = Vec::new();
        let mut comparisons = watch.comparisons;
        while let Some(edge) = watch.edge {
            watch = NextEdge::above(edge);
            let found = find(A::of(edge).address(), &mut watch);
            comparisons += watch.comparisons;
            if found != others.last().map_or(lowest, |(_, before)| *before) {
                others.push((A::of(edge), found));
            }
            if others.len() > bounds.spans || comparisons > bounds.comparisons {
                return None;
            }
        }
        Some(Self { lowest, others: others.into() })
    }

    /// What is true of an address.
    #[inline]
    pub(crate) fn at(&self, client: A) -> &T {
        match self.others.partition_point(|(start, _)| *start <= client) {
            0 => &self.lowest,
            spans => &self.others[spans - 1].1,
        }
    }

    /// What is true of the spans, the lowest first.
    #[cfg(test)]
    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.lowest).chain(self.others.iter().map(|(_, value)| value))
    }

    /// Where each span but the lowest starts.
    #[cfg(test)]
    pub(crate) fn starts(&self) -> impl Iterator<Item = IpAddr> {
        self.others.iter().map(|(start, _)| start.address())
    }
}

/// Looks for the lowest address above a client's at which a comparison could come out otherwise.
#[derive(Debug)]
pub(crate) struct NextEdge {
    client: u128,
    edge: Option<u128>,
    comparisons: usize,
}

impl NextEdge {
    pub(crate) fn above(client: u128) -> Self {
        Self { client, edge: None, comparisons: 0 }
    }

    #[cfg(test)]
    pub(crate) fn edge(&self) -> Option<u128> {
        self.edge
    }
}

impl Watch for NextEdge {
    const LOOKS_AT_ALL: bool = true;

    fn compared(&mut self, network: IpAddr, prefix: u8) {
        let (network, width) = match network {
            IpAddr::V4(network) => (network.to_bits().into(), 32),
            IpAddr::V6(network) => (network.to_bits(), 128),
        };
        let host_bits = width - u32::from(prefix);
        // Of a whole address none is left.
        let first = network.checked_shr(host_bits).unwrap_or(0).checked_shl(host_bits).unwrap_or(0);
        let last = first | !u128::MAX.checked_shl(host_bits).unwrap_or(0);
        let behind = last.checked_add(1).filter(|behind| width == 128 || *behind >> width == 0);
        for edge in [Some(first), behind].into_iter().flatten().filter(|edge| *edge > self.client) {
            self.edge = Some(self.edge.map_or(edge, |known| known.min(edge)));
        }
        self.comparisons += 1;
    }
}

/// The bits of an address.
pub(crate) trait Bits: Copy + Ord + std::fmt::Debug + Send + Sync + 'static {
    /// From bits that are no more than it has.
    fn of(bits: u128) -> Self;

    fn address(self) -> IpAddr;
}

impl Bits for u32 {
    fn of(bits: u128) -> Self {
        bits as Self
    }

    fn address(self) -> IpAddr {
        Ipv4Addr::from_bits(self).into()
    }
}

impl Bits for u128 {
    fn of(bits: u128) -> Self {
        bits
    }

    fn address(self) -> IpAddr {
        Ipv6Addr::from_bits(self).into()
    }
}
