//! Authenticator apps: one row a user, of a seed that is awaiting its first code or has shown it.

use super::engine::{Row, Tx};
use super::{statements, values};
use crate::core::clock::Timestamp;
use crate::core::fault::Fault;
use crate::core::model::{AuthenticatorApp, UserId};
use crate::core::token::Secret;

statements! {
    BY_USER = "SELECT secret, confirmed_at, created_at FROM authenticators WHERE user_id = $1";
    START = "INSERT INTO authenticators (user_id, secret, last_step, created_at) VALUES ($1, $2, 0, $3)
        ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, last_step = 0, created_at = excluded.created_at
            WHERE authenticators.confirmed_at IS NULL";
    CONFIRM = "UPDATE authenticators SET confirmed_at = $1, last_step = $2 WHERE user_id = $3 AND secret = $4 AND confirmed_at IS NULL";
    USED = "UPDATE authenticators SET last_step = $1 WHERE user_id = $2 AND secret = $3 AND confirmed_at IS NOT NULL AND last_step < $1";
    DELETE = "DELETE FROM authenticators WHERE user_id = $1 AND confirmed_at IS NOT NULL";
}

fn app(row: Row) -> Result<AuthenticatorApp, Fault> {
    let mut row = row.fields();
    Ok(AuthenticatorApp { seed: Secret::new(row.text()?), confirmed_at: row.opt_time()?, created_at: row.time()? })
}

async fn by_user(tx: &mut Tx, user: UserId) -> Result<Option<AuthenticatorApp>, Fault> {
    tx.query_opt(BY_USER, values![user]).await?.map(app).transpose()
}

/// The user's authenticator app, if its enrolment is finished.
pub(in crate::core) async fn confirmed(tx: &mut Tx, user: UserId) -> Result<Option<AuthenticatorApp>, Fault> {
    Ok(by_user(tx, user).await?.filter(|app| app.confirmed_at.is_some()))
}

/// The enrolment that awaits its first code.
pub(in crate::core) async fn pending(tx: &mut Tx, user: UserId) -> Result<Option<AuthenticatorApp>, Fault> {
    Ok(by_user(tx, user).await?.filter(|app| app.confirmed_at.is_none()))
}

/// Begins an enrolment in the place of an unfinished one; false if there is a finished one.
pub(in crate::core) async fn start(tx: &mut Tx, user: UserId, seed: &Secret, now: Timestamp) -> Result<bool, Fault> {
    Ok(tx.execute(START, values![user, seed.reveal(), now]).await? == 1)
}

/// Finishes the enrolment of this very seed, and spends the step whose code it was finished with.
pub(in crate::core) async fn confirm(tx: &mut Tx, user: UserId, seed: &Secret, step: i64, now: Timestamp) -> Result<bool, Fault> {
    Ok(tx.execute(CONFIRM, values![now, step, user, seed.reveal()]).await? == 1)
}

/// Spends a step: true for exactly one of all who try, and only for later ones from then on.
pub(in crate::core) async fn used(tx: &mut Tx, user: UserId, seed: &Secret, step: i64) -> Result<bool, Fault> {
    Ok(tx.execute(USED, values![step, user, seed.reveal()]).await? == 1)
}

/// Removes a user's authenticator app; false if they have none.
pub(in crate::core) async fn delete(tx: &mut Tx, user: UserId) -> Result<bool, Fault> {
    Ok(tx.execute(DELETE, values![user]).await? == 1)
}
