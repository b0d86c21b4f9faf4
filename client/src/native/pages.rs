//! Lists in pieces.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::model::Items;
use super::signed_in::Carried;
use super::{Problem, Result};
use crate::request::Request;

/// A list, newest first, page by page (by keyset: what comes and goes meanwhile shifts nothing).
///
/// ```
/// # use doorward_client::native::Client;
/// # doorward_started::example(async |server| {
/// # let client = Client::new(&server.at(""))?;
/// # for _ in 0..4 { client.sign_in("ann", &server.password().into()).await?; }
/// # let session = client.sign_in("ann", &server.password().into()).await?.full().unwrap();
/// let mut pages = session.sessions().limit(2);
/// let mut count = 0;
/// while let Some(page) = pages.next().await? {
///     count += page.len();
/// }
/// # assert_eq!(count, 5);
/// # assert_eq!(session.sessions().limit(2).all(3).await?.len(), 3);
/// # Ok(()) });
/// ```
#[must_use = "a list is asked for page by page, with next() or all()"]
#[derive(Debug)]
pub struct Pages<T> {
    carried: Carried,
    request: Request,
    limit: Option<u16>,
    place: Place,
    items: PhantomData<fn() -> T>,
}

/// Where the next page begins.
#[derive(Debug)]
enum Place {
    Start,
    After(String),
    End,
}

impl<T: DeserializeOwned> Pages<T> {
    pub(super) fn new(carried: &Carried, request: Request) -> Self {
        Self { carried: carried.clone(), request, limit: None, place: Place::Start, items: PhantomData }
    }

    /// Pages of at most so many items: 1 to 200, 50 if not set.
    pub fn limit(mut self, limit: u16) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The next page; `None` after the last. A page may be empty and not the last. Tried again, and after an error the same page can be asked
    /// for again.
    ///
    /// # Errors
    /// See [`Error`](super::Error).
    pub async fn next(&mut self) -> Result<Option<Vec<T>>> {
        let mut request = self.request.clone();
        match &self.place {
            Place::Start => (),
            Place::After(after) => request = request.query("after", after),
            Place::End => return Ok(None),
        }
        if let Some(limit) = self.limit {
            request = request.query("limit", limit.to_string());
        }
        let page: Items<T> = self.carried.send(request).await?.json::<_, Problem>()?;
        self.place = page.next.map_or(Place::End, Place::After);
        Ok(Some(page.items))
    }

    /// All items, but no more than `most`.
    ///
    /// # Errors
    /// See [`Error`](super::Error).
    pub async fn all(mut self, most: usize) -> Result<Vec<T>> {
        let mut all = Vec::new();
        while all.len() < most
            && let Some(page) = self.next().await?
        {
            all.extend(page);
        }
        all.truncate(most);
        Ok(all)
    }
}
