//! What the sessions in memory say of the programs that opened them, each text once.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::core::model::Session;

/// Through what a session was opened.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Client {
    pub(super) dialect: Box<str>,
    pub(super) user_agent: Option<Box<str>>,
}

impl Client {
    pub(super) fn of(session: &Session) -> Self {
        Self { dialect: (&*session.dialect).into(), user_agent: session.user_agent.as_deref().map(Into::into) }
    }

    /// The bytes that it takes: the texts, and what surrounds them and the allocator adds.
    pub(super) fn size(&self) -> usize {
        self.dialect.len() + self.user_agent.as_deref().map_or(0, str::len) + size_of::<Self>() + 48
    }
}

#[derive(Clone)]
struct Weigh;

impl Weighter<Arc<Client>, Arc<Client>> for Weigh {
    fn weight(&self, client: &Arc<Client>, _: &Arc<Client>) -> u64 {
        client.size() as u64
    }
}

/// See the top of the file.
pub(super) struct Clients(Cache<Arc<Client>, Arc<Client>, Weigh>);

impl Clients {
    /// With room for about `bytes` of those that no session need have any more.
    pub(super) fn new(bytes: u64) -> Self {
        // A guess at how many that is, for the size of the first table.
        let items = usize::try_from(bytes / 256).unwrap_or(usize::MAX).min(1024);
        Self(Cache::with_weighter(items, bytes, Weigh))
    }

    /// An equal one that is there, or this one, left for others; and whether it is new.
    pub(super) fn share(&self, client: Client) -> (Arc<Client>, bool) {
        if let Some(there) = self.0.get(&client) {
            return (there, false);
        }
        let client = Arc::new(client);
        self.0.insert(Arc::clone(&client), Arc::clone(&client));
        (client, true)
    }
}
