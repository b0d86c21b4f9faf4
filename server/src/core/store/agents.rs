//! The `User-Agent`s of the sessions that are in memory, each once.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// What an `Arc` and the allocator add to a text.
const BLOCK: usize = 32;

fn size(text: &str) -> usize {
    text.len() + BLOCK
}

#[derive(Clone)]
struct Weigh;

impl Weighter<Arc<str>, Arc<str>> for Weigh {
    fn weight(&self, text: &Arc<str>, _: &Arc<str>) -> u64 {
        size(text) as u64
    }
}

/// See the top of the file.
pub(super) struct Agents(Cache<Arc<str>, Arc<str>, Weigh>);

impl Agents {
    /// With room for about `bytes` of texts that no session need have any more.
    pub(super) fn new(bytes: u64) -> Self {
        // A guess at how many that is, for the size of the first table.
        let items = usize::try_from(bytes / 256).unwrap_or(usize::MAX).min(1024);
        Self(Cache::with_weighter(items, bytes, Weigh))
    }

    /// Puts an equal text that is there in the place of this one, or leaves this one for others; the bytes that it adds.
    pub(super) fn share(&self, text: &mut Arc<str>) -> usize {
        if let Some(there) = self.0.get(text) {
            *text = there;
            return 0;
        }
        self.0.insert(Arc::clone(text), Arc::clone(text));
        size(text)
    }
}
