//! Ending sessions from the account page.

use axum::extract::Path;
use axum::response::Response;

use crate::core::flows::sessions;
use crate::core::model::SessionId;
use crate::core::{Error, Refusal};
use crate::pages::notice::Notice;
use crate::pages::posted::{Action, Nothing};
use crate::pages::visit::{HOME, Turned};

/// Ends one.
pub(in crate::pages) async fn end(
    Path(id): Path<String>,
    Action(visit, Nothing {}): Action<Nothing>,
) -> Result<Response, Turned> {
    let ended = match id.parse::<SessionId>() {
        Ok(id) => sessions::end_own(visit.core(), &visit.call, &visit.presented, id).await,
        Err(_) => Err(Refusal::NotFound.into()),
    };
    match ended {
        // One that has ended since is what was wanted.
        Ok(()) | Err(Error::Refused(Refusal::NotFound)) => Ok(visit.go(HOME, Some(Notice::SessionGone))),
        Err(error) => Err(visit.turn(&error, HOME)),
    }
}

/// Ends all but this one.
pub(in crate::pages) async fn end_others(Action(visit, Nothing {}): Action<Nothing>) -> Result<Response, Turned> {
    match sessions::end_others(visit.core(), &visit.call, &visit.presented).await {
        Ok(_) => Ok(visit.go(HOME, Some(Notice::OthersGone))),
        Err(error) => Err(visit.turn(&error, HOME)),
    }
}
