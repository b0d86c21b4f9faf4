//! Places at the hashing threads, so dealt out that nobody has them all: whoever sends more sign-ins than can be hashed is told to come back,
//! and the others go on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::call::Call;
use super::limit::network_of;

/// How many places there are, and who has them.
pub(in crate::core) struct Places {
    capacity: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_network: HashMap<Network, usize>,
}

/// One subscriber's network; `None` for the operator, and for the server itself.
type Network = Option<String>;

/// A place. Taken before a try is charged, so that a busy server costs nobody a try; free again when it is dropped.
pub(in crate::core) struct Place {
    places: Arc<Places>,
    network: Network,
}

impl Places {
    pub(in crate::core) fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self { capacity, taken: Mutex::default() })
    }

    /// Takes a place for the network of a call. While some have places, each may have an equal share, and one share is kept for whoever
    /// comes next. `None` when there is no place, or no more of them for this network.
    pub(in crate::core) fn take(self: &Arc<Self>, call: &Call) -> Option<Place> {
        let network = call.origin.address.map(network_of);
        let mut taken = self.lock();
        let own = taken.by_network.get(&network).copied().unwrap_or(0);
        let networks = taken.by_network.len() + usize::from(own == 0);
        let share = (self.capacity / (networks + 1)).max(1);
        if taken.all >= self.capacity || own >= share {
            return None;
        }
        taken.all += 1;
        taken.by_network.insert(network.clone(), own + 1);
        Some(Place { places: Arc::clone(self), network })
    }

    /// How many are taken.
    pub(in crate::core) fn taken(&self) -> usize {
        self.lock().all
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all = taken.all.saturating_sub(1);
        match taken.by_network.get_mut(&self.network) {
            Some(own) if *own > 1 => *own -= 1,
            _ => _ = taken.by_network.remove(&self.network),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::call::Origin;
    use crate::core::clock::Timestamp;
    use crate::core::entropy::Randomness;

    fn from(address: &str) -> Call {
        let origin = Origin { address: Some(address.parse().unwrap()), ..Origin::local("test", "test") };
        Call { now: Timestamp::from_millis(0), entropy: Randomness::System, origin }
    }

    fn all_for(places: &Arc<Places>, address: &str) -> Vec<Place> {
        std::iter::from_fn(|| places.take(&from(address))).collect()
    }

    #[test]
    fn nobody_has_them_all() {
        let places = Places::new(12);
        let noisy = all_for(&places, "192.0.2.1");
        assert_eq!(noisy.len(), 6, "half of them, however many it asks for");
        let second = all_for(&places, "192.0.2.2");
        assert_eq!(second.len(), 4, "a third, for there are two now");
        let third = all_for(&places, "2001:db8::1");
        assert_eq!((third.len(), places.taken()), (2, 12), "what is left");
        assert!(places.take(&from("192.0.2.4")).is_none(), "there are no more");
        drop(noisy);
        assert_eq!(places.taken(), 6);
        assert_eq!(all_for(&places, "192.0.2.1").len(), 3, "its share is a quarter now");
        assert!(places.take(&from("2001:db8:0:0:ffff::2")).is_some(), "of the third's network, which has less than its share");
    }

    #[test]
    fn one_place_is_for_everybody() {
        let places = Places::new(1);
        let place = places.take(&from("192.0.2.1")).unwrap();
        assert!(places.take(&from("192.0.2.2")).is_none());
        drop(place);
        assert_eq!(places.taken(), 0);
        assert!(places.take(&from("192.0.2.2")).is_some());
    }
}
