//! Lists in pieces, by keyset: a page begins after an id, never at an offset, so that it stays right and fast while rows come and go.

/// Which piece of a list is wanted.
#[derive(Clone, Debug)]
pub struct Page {
    after: Option<String>,
    limit: i64,
}

impl Page {
    /// The largest page.
    pub const MAXIMUM: i64 = 200;

    /// The page of at most `limit` items (1 to 200) that come after the item with this id.
    #[must_use]
    pub fn new(after: Option<String>, limit: Option<i64>) -> Self {
        Self { after, limit: limit.unwrap_or(50).clamp(1, Self::MAXIMUM) }
    }

    /// An id as the ids in the store are written, which are compared as text; `None` for what is no id.
    #[must_use]
    pub fn cursor(text: &str) -> Option<String> {
        uuid::Uuid::parse_str(text).ok().map(|id| id.to_string())
    }

    /// The id to begin after, in a list that goes from the newest to the oldest: `z` sorts after every id.
    pub(in crate::core) fn before_id(&self) -> &str {
        self.after.as_deref().unwrap_or("z")
    }

    /// Whether so many items are enough to cut the page from.
    pub(in crate::core) fn is_filled_by(&self, items: usize) -> bool {
        i64::try_from(items).is_ok_and(|items| items >= self.fetch())
    }

    /// One row more than wanted, to know whether a next page exists.
    pub(in crate::core) fn fetch(&self) -> i64 {
        self.limit + 1
    }

    /// Cuts what was fetched to the page.
    pub(in crate::core) fn cut<T>(&self, mut items: Vec<T>, id: impl Fn(&T) -> String) -> Paged<T> {
        let wanted = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = items.len() > wanted;
        items.truncate(wanted);
        let next = if more { items.last().map(id) } else { None };
        Paged { items, next }
    }
}

/// A piece of a list.
#[derive(Clone, Debug)]
pub struct Paged<T> {
    /// The items, newest first.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_written_as_ids_are() {
        let id = "0197b3a0-0000-7000-8000-00000000000a";
        for text in [id, &id.to_uppercase(), &format!("{{{id}}}"), &format!("urn:uuid:{id}"), &id.replace('-', "")] {
            assert_eq!(Page::cursor(text).as_deref(), Some(id), "{text}");
        }
        for text in ["", "z", &id[1..]] {
            assert_eq!(Page::cursor(text), None, "{text}");
        }
    }
}
