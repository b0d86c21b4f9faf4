//! Which piece of a list is wanted.

use clap::Args;
use uuid::Uuid;

use crate::core::model::{Page, Paged};

/// Flags of every list.
#[derive(Args, Clone, Debug)]
pub(super) struct Paging {
    /// Begin after the item with this id: the `next` of the page before.
    #[arg(long, value_name = "ID")]
    after: Option<Uuid>,
    /// At most so many items.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=Page::MAXIMUM))]
    limit: i64,
}

impl Paging {
    pub(super) fn page(&self) -> Page {
        Page::new(self.after.map(|id| id.to_string()), Some(self.limit))
    }
}

/// The page with each item as a row.
pub(super) fn rows<T, R>(page: Paged<T>, row: impl FnMut(T) -> R) -> Paged<R> {
    Paged { items: page.items.into_iter().map(row).collect(), next: page.next }
}
