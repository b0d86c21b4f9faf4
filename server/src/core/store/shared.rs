//! Equal things in memory once: the sessions that are kept have users, addresses and clients in common.

use std::hash::Hash;
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::core::model::{Session, User, UserId};

/// What an `Arc` and the allocator add to what they hold.
const BLOCK: usize = 32;

/// How much memory a thing takes, in bytes.
trait Size {
    fn size(&self) -> usize;
}

impl Size for str {
    fn size(&self) -> usize {
        self.len() + BLOCK
    }
}

impl Size for User {
    fn size(&self) -> usize {
        let texts = [self.email.as_str(), self.username.as_str(), self.first_name.as_str(), self.last_name.as_str()];
        // A name is kept as it is written; the allocator rounds up.
        size_of::<Self>() + BLOCK + texts.into_iter().map(|text| text.len() + BLOCK / 2).sum::<usize>()
    }
}

#[derive(Clone)]
struct Weigh;

impl<K, T: Size + ?Sized> Weighter<K, Arc<T>> for Weigh {
    fn weight(&self, _: &K, thing: &Arc<T>) -> u64 {
        thing.size() as u64
    }
}

/// The users and texts of the sessions that are kept.
pub(super) struct Shared {
    users: Cache<UserId, Arc<User>, Weigh>,
    texts: Cache<Arc<str>, Arc<str>, Weigh>,
}

impl Shared {
    /// With room for about `bytes` of each kind that no session need have any more.
    pub(super) fn new(bytes: u64) -> Self {
        // A guess at how many that is, for the size of the first tables.
        let items = usize::try_from(bytes / 256).unwrap_or(usize::MAX).min(1024);
        Self { users: Cache::with_weighter(items, bytes, Weigh), texts: Cache::with_weighter(items, bytes, Weigh) }
    }

    /// Puts in the place of a session's texts and of its user what other sessions have already; the bytes that none had.
    pub(super) fn share(&self, session: &mut Session, user: &mut Arc<User>) -> usize {
        let mut new = take(&self.users, user.id, user);
        let Session { dialect, address, user_agent, .. } = session;
        for text in [Some(dialect), address.as_mut(), user_agent.as_mut()].into_iter().flatten() {
            new += take(&self.texts, Arc::clone(text), text);
        }
        new
    }
}

/// Takes an equal thing that is there, or leaves this one for others; the bytes that it adds.
fn take<K: Eq + Hash, T: Size + PartialEq + ?Sized>(all: &Cache<K, Arc<T>, Weigh>, key: K, thing: &mut Arc<T>) -> usize {
    match all.get(&key) {
        Some(there) if *there == **thing => {
            *thing = there;
            0
        }
        _ => {
            all.insert(key, Arc::clone(thing));
            thing.size()
        }
    }
}
