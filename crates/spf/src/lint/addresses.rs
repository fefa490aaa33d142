//! Sets of addresses, as ranges.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};

/// Addresses of both families. IPv4 addresses are held as their 32 bits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Addresses {
    ipv4: Ranges,
    ipv6: Ranges,
}

/// First and last of each range: in order, and never next to each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Ranges(Vec<(u128, u128)>);

impl Addresses {
    pub(crate) fn ipv4(network: Ipv4Addr, prefix: u8) -> Self {
        let range = range(u128::from(network.to_bits()), 32, prefix);
        Self { ipv4: Ranges(vec![range]), ipv6: Ranges::default() }
    }

    pub(crate) fn ipv6(network: Ipv6Addr, prefix: u8) -> Self {
        Self { ipv4: Ranges::default(), ipv6: Ranges(vec![range(network.to_bits(), 128, prefix)]) }
    }

    /// Everybody.
    pub(crate) fn all() -> Self {
        let mut all = Self::ipv4(Ipv4Addr::UNSPECIFIED, 0);
        all.add(&Self::ipv6(Ipv6Addr::UNSPECIFIED, 0));
        all
    }

    pub(crate) fn add(&mut self, others: &Self) {
        others.ipv4.0.iter().for_each(|range| self.ipv4.add(*range));
        others.ipv6.0.iter().for_each(|range| self.ipv6.add(*range));
    }

    /// Takes the others out.
    pub(crate) fn remove(&mut self, others: &Self) {
        others.ipv4.0.iter().for_each(|range| self.ipv4.remove(*range));
        others.ipv6.0.iter().for_each(|range| self.ipv6.remove(*range));
    }

    /// Whether any of the others is among these.
    pub(crate) fn meet(&self, others: &Self) -> bool {
        self.ipv4.meet(&others.ipv4) || self.ipv6.meet(&others.ipv6)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ipv4.0.is_empty() && self.ipv6.0.is_empty()
    }

    /// Whether all of the others are among these.
    pub(crate) fn cover(&self, others: &Self) -> bool {
        self.ipv4.cover(&others.ipv4) && self.ipv6.cover(&others.ipv6)
    }

    /// As networks, the fewest that there can be.
    pub(crate) fn networks(&self) -> Vec<IpNet> {
        let ipv4 = |bits: u128| Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or(u32::MAX));
        let of_ipv4 = self.ipv4.0.iter().flat_map(|(first, last)| {
            Ipv4Subnets::new(ipv4(*first), ipv4(*last), 0).map(IpNet::V4)
        });
        let of_ipv6 = self.ipv6.0.iter().flat_map(|(first, last)| {
            let (first, last) = (Ipv6Addr::from_bits(*first), Ipv6Addr::from_bits(*last));
            Ipv6Subnets::new(first, last, 0).map(IpNet::V6)
        });
        of_ipv4.chain(of_ipv6).collect()
    }

    /// How many IPv4 addresses there are.
    pub(crate) fn ipv4_count(&self) -> u128 {
        self.ipv4.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// Whether there is any IPv6 address.
    pub(crate) fn has_ipv6(&self) -> bool {
        !self.ipv6.0.is_empty()
    }
}

/// The first and last address of a network of `width` bits.
fn range(address: u128, width: u32, prefix: u8) -> (u128, u128) {
    let host_bits = width - u32::from(prefix);
    let hosts = u128::MAX.checked_shr(128 - host_bits).unwrap_or(0);
    (address & !hosts, address | hosts)
}

impl Ranges {
    fn add(&mut self, (first, last): (u128, u128)) {
        let ranges = &mut self.0;
        let start = ranges.partition_point(|(_, end)| end.saturating_add(1) < first);
        let stop = ranges.partition_point(|(begin, _)| *begin <= last.saturating_add(1));
        let touched = &ranges[start..stop];
        let first = touched.first().map_or(first, |(begin, _)| first.min(*begin));
        let last = touched.last().map_or(last, |(_, end)| last.max(*end));
        ranges.splice(start..stop, [(first, last)]);
    }

    fn remove(&mut self, (first, last): (u128, u128)) {
        let ranges = &mut self.0;
        let start = ranges.partition_point(|(_, end)| *end < first);
        let stop = ranges.partition_point(|(begin, _)| *begin <= last);
        let (Some(&(begin, _)), Some(&(_, end))) =
            (ranges[start..stop].first(), ranges[start..stop].last())
        else {
            return;
        };
        let before = (begin < first).then(|| (begin, first - 1));
        let after = (last < end).then(|| (last + 1, end));
        ranges.splice(start..stop, before.into_iter().chain(after));
    }

    fn meet(&self, others: &Self) -> bool {
        others.0.iter().any(|(first, last)| {
            let at = self.0.partition_point(|(_, end)| end < first);
            self.0.get(at).is_some_and(|(start, _)| start <= last)
        })
    }

    fn cover(&self, others: &Self) -> bool {
        others.0.iter().all(|(first, last)| {
            let at = self.0.partition_point(|(_, end)| end < first);
            self.0.get(at).is_some_and(|(start, end)| start <= first && last <= end)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ipv4(text: &str) -> Addresses {
        let (address, prefix) = text.split_once('/').unwrap();
        Addresses::ipv4(address.parse().unwrap(), prefix.parse().unwrap())
    }

    #[test]
    fn neighbours_become_one() {
        let mut set = ipv4("192.0.2.0/25");
        set.add(&ipv4("192.0.2.128/25"));
        assert_eq!(set, ipv4("192.0.2.77/24"));
        assert_eq!(set.ipv4_count(), 256);
        assert_eq!(set.networks(), ["192.0.2.0/24".parse().unwrap()]);
        assert!(set.cover(&ipv4("192.0.2.64/26")));
        assert!(!set.cover(&ipv4("192.0.2.0/23")));
        assert!(!set.has_ipv6());
    }

    #[test]
    fn what_is_taken_out() {
        let mut set = ipv4("192.0.2.0/24");
        set.remove(&ipv4("192.0.2.0/32"));
        set.remove(&ipv4("192.0.2.128/26"));
        set.remove(&ipv4("198.51.100.0/24"));
        assert_eq!(set.ipv4_count(), 256 - 1 - 64);
        assert!(set.meet(&ipv4("192.0.2.0/31")) && !set.meet(&ipv4("192.0.2.160/27")));
        assert!(!set.cover(&ipv4("192.0.2.0/31")) && set.cover(&ipv4("192.0.2.192/26")));
        set.add(&ipv4("192.0.2.0/32"));
        set.add(&ipv4("192.0.2.128/26"));
        assert_eq!(set, ipv4("192.0.2.0/24"));
        set.remove(&Addresses::all());
        assert!(set.is_empty());
    }

    #[test]
    fn the_ends_of_the_world() {
        let all = Addresses::all();
        assert_eq!(all.ipv4_count(), 1 << 32);
        assert!(all.cover(&Addresses::ipv6(Ipv6Addr::from_bits(u128::MAX), 128)));
        assert!(all.cover(&ipv4("255.255.255.255/32")));
        assert!(all.cover(&Addresses::default()) && Addresses::default().is_empty());
        let mut rest = all.clone();
        rest.remove(&ipv4("128.0.0.0/1"));
        rest.remove(&Addresses::ipv6(Ipv6Addr::UNSPECIFIED, 1));
        assert!(!rest.meet(&ipv4("255.255.255.255/32")) && rest.ipv4_count() == 1 << 31);
        assert!(rest.cover(&Addresses::ipv6(Ipv6Addr::from_bits(u128::MAX), 128)));
        rest.add(&ipv4("128.0.0.0/1"));
        rest.add(&Addresses::ipv6(Ipv6Addr::UNSPECIFIED, 1));
        assert_eq!(rest, all);
    }
}
