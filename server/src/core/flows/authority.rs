//! Leave to act on other people's accounts: who has it, and that they still have it when what they do is written.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::factors::enrolled;
use super::session::{Need, Presented, check, is_recent, still_open};
use crate::core::audit::{Actor, Event, with_refusal};
use crate::core::call::Call;
use crate::core::gate::may_administer;
use crate::core::model::{Role, SessionState, User, UserId};
use crate::core::store::Tx;
use crate::core::token::SecretHash;
use crate::core::{Core, Refusal, Result};

/// Leave to act on other people's accounts: an administrator's, or the operator's.
#[derive(Clone, Copy, Debug)]
pub struct Authority {
    holder: Holder,
    /// Whether a factor was proven a short while ago.
    recent: bool,
}

#[derive(Clone, Copy, Debug)]
enum Holder {
    Operator,
    /// By the session that this token opens.
    Administrator {
        user: UserId,
        token: SecretHash,
    },
}

impl Authority {
    /// Whoever may run the command line on the server's machine has read the database anyway.
    #[must_use]
    pub const fn operator() -> Self {
        Self { holder: Holder::Operator, recent: true }
    }

    pub(super) const fn actor(self) -> Actor {
        match self.holder {
            Holder::Operator => Actor::Operator,
            Holder::Administrator { user, .. } => Actor::User(user),
        }
    }

    /// Refuses what takes something away for good or lets somebody in, to a session that was not signed in a short while ago: a stolen
    /// cookie of the morning must not do it in the afternoon.
    pub(super) const fn demand_recent(self) -> std::result::Result<(), Refusal> {
        if self.recent { Ok(()) } else { Err(Refusal::RecentSignInRequired) }
    }

    /// Refuses what an administrator must not do to their own account: they could not undo it.
    pub(super) fn refuse_self(self, user: UserId) -> std::result::Result<(), Refusal> {
        self.refuse(user, "An administrator cannot disable or delete their own account; another can.")
    }

    /// Refuses to take an administrator's own second factor away in this role: their account's own rules for it hold.
    pub(super) fn refuse_own_factor(self, user: UserId) -> std::result::Result<(), Refusal> {
        self.refuse(
            user,
            "An administrator removes a factor of their own as a user does, on the account page; another can do it here.",
        )
    }

    fn refuse(self, user: UserId, problem: &'static str) -> std::result::Result<(), Refusal> {
        if self.actor() == Actor::User(user) { Err(Refusal::Conflict { problem }) } else { Ok(()) }
    }

    /// Runs `work` as `Store::write` does, in a transaction that first reads again what the authority rests on. The call may have waited since it
    /// was checked, for a hash or for other writers; whoever lost the session or the role meanwhile does nothing more with it. So of two
    /// administrators who disable each other at once, one stays.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], [`Refusal::NotPermitted`], [`Refusal::SecondFactorOwed`]; those of `work`.
    pub(super) async fn write<T, F>(self, core: &Core, call: &Call, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx, &'t Call) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        let (call, always) = (call.clone(), core.policy.administrators_second_factor);
        let work = core.store.write(move |tx| {
            Box::pin(async move {
                if let Holder::Administrator { token, .. } = self.holder {
                    let (session, user) = still_open(tx, &call, &token, SessionState::Full).await?;
                    if user.role != Role::Admin {
                        return Err(Refusal::NotPermitted.into());
                    }
                    may_administer(session.factors, enrolled(tx, user.id).await?, always)?;
                }
                work(tx, &call).await
            })
        });
        work.await
    }
}

/// Checks that the caller is an administrator who has proven a second factor where one is demanded.
///
/// # Errors
/// As [`check`], and [`Refusal::NotPermitted`].
pub async fn check_administrator(core: &Core, call: &Call, presented: &Presented, need: Need) -> Result<(Authority, Arc<User>)> {
    let checked = check(core, call, presented, Need::Full).await?;
    match checked.user.role {
        Role::Admin => {
            let user = checked.user.id;
            let enrolled = core.store.read(move |tx| Box::pin(async move { Ok(enrolled(tx, user).await?) })).await?;
            may_administer(checked.session.factors, enrolled, core.policy.administrators_second_factor)?;
            // Last: who is no administrator learns nothing from how fresh their session would have to be.
            let checked = check(core, call, presented, need).await?;
            let holder = Holder::Administrator { user: checked.user.id, token: checked.token };
            Ok((Authority { holder, recent: is_recent(core, call, &checked.session) }, checked.user))
        }
        Role::Member => {
            let refused = Err(Refusal::NotPermitted.into());
            with_refusal(core, call, Event::AdministrationRefused, Some(checked.user.id), refused).await
        }
    }
}
