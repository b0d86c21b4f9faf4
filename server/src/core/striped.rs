//! Numbers that all threads add to, without meeting: each thread has a place of its own, or shares one with few others.
//!
//! A number that two processors add to travels between them, which takes each a part of what a whole session check does.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

const STRIPES: usize = 16;

/// On lines of the processor's memory of its own; two, for they are fetched in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Apart<T>(T);

/// One `T` for each thread, or for a few of them.
#[derive(Debug, Default)]
pub struct Striped<T>([Apart<T>; STRIPES]);

impl<T> Striped<T> {
    /// That of the present thread.
    pub fn own(&self) -> &T {
        thread_local! {
            static PLACE: usize = {
                static NEXT: AtomicUsize = AtomicUsize::new(0);
                NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES
            };
        }
        &self.0[PLACE.with(|place| *place)].0
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|apart| &apart.0)
    }
}

/// A count.
pub type Count = Striped<AtomicU64>;

impl Count {
    /// Adds to it.
    pub fn add(&self, number: u64) {
        self.own().fetch_add(number, Ordering::Relaxed);
    }

    /// What all have added so far.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.all().map(|part| part.load(Ordering::Relaxed)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_however_many_add() {
        let count = Count::default();
        std::thread::scope(|scope| {
            for _ in 0..3 * STRIPES {
                scope.spawn(|| (0..1000).for_each(|_| count.add(2)));
            }
        });
        assert_eq!(count.sum(), 3 * 16 * 2000);
        assert!(count.all().filter(|part| part.load(Ordering::Relaxed) > 0).count() > 1, "all at one place");
    }
}
