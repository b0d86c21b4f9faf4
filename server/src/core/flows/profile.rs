//! A user's own profile.

use super::session::{Need, Presented, check, still};
use crate::core::audit::{Event, Record, record};
use crate::core::call::Call;
use crate::core::model::{PersonName, User};
use crate::core::store::users;
use crate::core::{Core, Result};

/// What is to change; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Given name; may be empty.
    pub first_name: Option<PersonName>,
    /// Family name; may be empty.
    pub last_name: Option<PersonName>,
}

/// Changes the caller's own names; the user as they are then.
///
/// # Errors
/// [`crate::core::Refusal::NotSignedIn`], [`crate::core::Refusal::SecondFactorOwed`].
pub async fn change(core: &Core, call: &Call, presented: &Presented, changes: Changes) -> Result<User> {
    let checked = check(core, call, presented, Need::Full).await?;
    let call = call.clone();
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            let (_, mut user) = still(tx, &call, &checked).await?;
            user.first_name = changes.first_name.unwrap_or(user.first_name);
            user.last_name = changes.last_name.unwrap_or(user.last_name);
            users::set_names(tx, &user).await?;
            record(tx, &call, Record::own(Event::ProfileChanged, user.id)).await?;
            Ok(user)
        })
    });
    work.await
}
