//! A share of the connections for each address: one sender who opens all that he can must not take the others' places.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::config::Networks;

/// How many addresses it takes to fill a listener, and the share below which nobody's falls: a browser alone opens six.
const SENDERS: usize = 8;
const SMALLEST: usize = 16;

/// Counts the open connections of each address.
pub(super) struct Shares {
    share: usize,
    /// Proxies: their connections are those of many.
    unlimited: Networks,
    open: Mutex<HashMap<IpAddr, usize>>,
}

impl Shares {
    /// Of so many connections in all.
    pub(super) fn of(most: usize, unlimited: Networks) -> Arc<Self> {
        Arc::new(Self { share: (most / SENDERS).max(SMALLEST), unlimited, open: Mutex::default() })
    }

    /// A connection of this address, until it is dropped; `None` where it has its share already.
    pub(super) fn take(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let peer = peer.to_canonical();
        let share = if self.unlimited.contain(peer) { usize::MAX } else { self.share };
        let address = household(peer);
        let mut open = self.open();
        let taken = open.entry(address).or_default();
        (*taken < share).then(|| {
            *taken += 1;
            Place { shares: Arc::clone(self), address }
        })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's part in its address' share.
pub(super) struct Place {
    shares: Arc<Shares>,
    address: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.shares.open();
        if let Some(taken) = open.get_mut(&self.address) {
            *taken -= 1;
            if *taken == 0 {
                open.remove(&self.address);
            }
        }
    }
}

/// A household or a server has a whole /64 of IPv6 addresses: counted alone, none would ever have too many.
pub(crate) fn household(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(shares: &Arc<Shares>, address: &str, times: usize) -> Vec<Place> {
        (0..times).filter_map(|_| shares.take(address.parse().unwrap())).collect()
    }

    #[test]
    fn an_address_has_its_share_and_a_network_of_ipv6_has_one_together() {
        let shares = Shares::of(160, "198.51.100.0/24".parse().unwrap());
        let first = take(&shares, "192.0.2.1", 30);
        assert_eq!(first.len(), 20);
        assert_eq!(take(&shares, "::ffff:192.0.2.1", 1).len(), 0);
        assert_eq!(take(&shares, "192.0.2.2", 1).len(), 1);
        let _six = take(&shares, "2001:db8::1", 15);
        assert_eq!(take(&shares, "2001:db8::2", 30).len(), 5);
        assert_eq!(take(&shares, "2001:db8:0:1::2", 30).len(), 20);
        assert_eq!(take(&shares, "198.51.100.7", 90).len(), 90);
        drop(first);
        assert_eq!(take(&shares, "192.0.2.1", 30).len(), 20);
        assert_eq!(shares.open().len(), 1);
    }
}
