//! How many connections each client address holds; of IPv6, each /64, of which one client has all.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The seats of all addresses. There are no more entries than connections.
#[derive(Debug, Default)]
pub(crate) struct Seats(Mutex<HashMap<IpAddr, usize>>);

/// A seat, until it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Arc<Seats>,
    address: IpAddr,
}

impl Seats {
    /// A seat for an address that may have `max` of them; none if all are taken.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr, max: usize) -> Option<Seat> {
        let address = network(address);
        let mut taken = self.taken();
        let seats = taken.entry(address).or_default();
        if *seats >= max {
            return None;
        }
        *seats += 1;
        Some(Seat { seats: self.clone(), address })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        // Nothing that holds the lock can leave it in disorder.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Entry::Occupied(mut seats) = self.seats.taken().entry(self.address) {
            *seats.get_mut() -= 1;
            if *seats.get() == 0 {
                seats.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own() {
        let seats = Arc::new(Seats::default());
        let (here, there) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let first = seats.take(here, 2);
        let _second = seats.take(here, 2);
        assert!(seats.take(here, 2).is_none());
        assert!(seats.take(there, 2).is_some());
        drop(first);
        assert!(seats.take(here, 2).is_some());
        assert_eq!(seats.taken().len(), 1);
    }

    #[test]
    fn a_client_has_a_whole_network_of_ipv6() {
        let seats = Arc::new(Seats::default());
        let take = |address: &str| seats.take(address.parse().unwrap(), 1);
        let first = take("2001:db8:0:1::1");
        assert!(first.is_some());
        assert!(take("2001:db8:0:1:ffff:ffff:ffff:ffff").is_none());
        assert!(take("2001:db8:0:2::1").is_some());
        drop(first);
        assert!(take("2001:db8:0:1::2").is_some());
        assert!(seats.taken().is_empty());
    }
}
