//! Applications: registered by an administrator, and checked on every call that one makes.

use super::authority::Authority;
use super::sweep;
use crate::core::audit::{Actor, Event, Record, record};
use crate::core::call::Call;
use crate::core::limit::{Charges, Limited};
use crate::core::model::{Application, ApplicationId, Network, Page, Paged};
use crate::core::store::applications;
use crate::core::token::Secret;
use crate::core::{Core, Refusal, Result};

/// What an application shows with every call.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The `app_id`, as presented.
    pub app_id: String,
    /// The consumer key.
    pub consumer_key: Secret,
    /// The access token.
    pub access_token: Secret,
}

/// An application with new secrets: this answer is the only one that carries them.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The application.
    pub application: Application,
    /// Its consumer key.
    pub consumer_key: Secret,
    /// Its access token.
    pub access_token: Secret,
}

/// What is registered.
#[derive(Clone, Debug)]
pub struct Registration {
    /// For people: 1 to 100 characters.
    pub name: String,
    /// From where it may be used; empty: from anywhere.
    pub networks: Vec<Network>,
    /// Whether its one-time token alone opens a session.
    pub one_time_token_suffices: bool,
}

/// Checks that the three credentials are those of one live application, called from where it may be.
///
/// # Errors
/// [`Refusal::ApplicationUnknown`], [`Refusal::NetworkNotAllowed`].
pub async fn authenticate(core: &Core, call: &Call, credentials: &Credentials) -> Result<Application> {
    let id = credentials.app_id.parse::<ApplicationId>().ok();
    let found = match id {
        None => None,
        Some(id) => {
            let work = core.store.read(move |tx| {
                Box::pin(async move {
                    let Some(secrets) = applications::secrets(tx, id).await? else { return Ok(None) };
                    Ok(applications::by_id(tx, id).await?.map(|application| (application, secrets)))
                })
            });
            work.await?
        }
    };
    let Some((application, (consumer_key, access_token))) = found else {
        return refuse(core, call, Refusal::ApplicationUnknown, id).await;
    };
    // Both are compared, whatever the first says.
    let key = credentials.consumer_key.consumer_key_hash().matches(&consumer_key);
    let token = credentials.access_token.access_token_hash().matches(&access_token);
    if !(key & token) {
        return refuse(core, call, Refusal::ApplicationUnknown, id).await;
    }
    if !application.allows(call.origin.vouched_address()) {
        return refuse(core, call, Refusal::NetworkNotAllowed, id).await;
    }
    Ok(application)
}

/// Puts a refusal on record. Failures are limited, and the log of them with that; a right application is not charged.
async fn refuse(core: &Core, call: &Call, refusal: Refusal, id: Option<ApplicationId>) -> Result<Application> {
    let charges = Charges::new(&core.policy.limits, call, &[Limited::SigninNetwork]);
    let (called, outcome, detail, taken) = (call.clone(), refusal.name(), id.map(|id| id.to_string()), charges.clone());
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            taken.take(tx, &called).await?;
            let refused = Record { outcome, ..Record::by(Actor::Anonymous, Event::ApplicationRefused, None, detail) };
            Ok(record(tx, &called, refused).await?)
        })
    });
    charges.on_record(core, call, Event::ApplicationRefused, None, work.await).await?;
    Err(refusal.into())
}

/// Registers an application.
///
/// # Errors
/// [`Refusal::RecentSignInRequired`]; [`Refusal::Invalid`] for the name.
pub async fn create(core: &Core, call: &Call, authority: Authority, registration: Registration) -> Result<Registered> {
    authority.demand_recent()?;
    let name = registration.name.trim().to_owned();
    if !(1..=100).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(
            Refusal::Invalid { field: "name", problem: "A name has 1 to 100 characters and no control characters." }.into()
        );
    }
    let application = Application {
        id: ApplicationId::new(call)?,
        name,
        networks: registration.networks,
        one_time_token_suffices: registration.one_time_token_suffices,
        created_at: call.now,
        revoked_at: None,
    };
    let registered = Registered { application, consumer_key: Secret::generate(call)?, access_token: Secret::generate(call)? };
    let made = registered.clone();
    let work = authority.write(core, call, move |tx, call| {
        Box::pin(async move {
            let (key, token) = (made.consumer_key.consumer_key_hash(), made.access_token.access_token_hash());
            applications::insert(tx, &made.application, &key, &token).await?;
            let detail = Some(made.application.id.to_string());
            Ok(record(tx, call, Record::by(authority.actor(), Event::ApplicationCreated, None, detail)).await?)
        })
    });
    work.await?;
    Ok(registered)
}

/// Gives an application new secrets; the old ones are worth nothing from then on. Sessions that it opened stay.
///
/// # Errors
/// [`Refusal::RecentSignInRequired`]; [`Refusal::NotFound`], also for a revoked one.
pub async fn rotate(core: &Core, call: &Call, authority: Authority, id: ApplicationId) -> Result<Registered> {
    authority.demand_recent()?;
    let (consumer_key, access_token) = (Secret::generate(call)?, Secret::generate(call)?);
    let (key, token) = (consumer_key.consumer_key_hash(), access_token.access_token_hash());
    let work = authority.write(core, call, move |tx, call| {
        Box::pin(async move {
            if !applications::rotate(tx, id, &key, &token).await? {
                return Err(Refusal::NotFound.into());
            }
            let detail = Some(id.to_string());
            record(tx, call, Record::by(authority.actor(), Event::ApplicationRotated, None, detail)).await?;
            Ok(applications::by_id(tx, id).await?.ok_or(Refusal::NotFound)?)
        })
    });
    let application = work.await?;
    Ok(Registered { application, consumer_key, access_token })
}

/// Limits an application to other networks than before; none: it may be used from anywhere. Counts for its next call. Sessions that it
/// opened stay, and are good for it from where it may be used.
///
/// # Errors
/// [`Refusal::RecentSignInRequired`]; [`Refusal::NotFound`], also for a revoked one.
pub async fn limit(
    core: &Core,
    call: &Call,
    authority: Authority,
    id: ApplicationId,
    networks: Vec<Network>,
) -> Result<Application> {
    authority.demand_recent()?;
    let work = authority.write(core, call, move |tx, call| {
        Box::pin(async move {
            if !applications::limit(tx, id, &networks).await? {
                return Err(Refusal::NotFound.into());
            }
            let application = applications::by_id(tx, id).await?.ok_or(Refusal::NotFound)?;
            let from: Vec<_> = application.networks.iter().map(ToString::to_string).collect();
            let from = if from.is_empty() { "all".to_owned() } else { from.join(" ") };
            let detail = Some(format!("{id}: {from}"));
            record(tx, call, Record::by(authority.actor(), Event::ApplicationLimited, None, detail)).await?;
            Ok(application)
        })
    });
    work.await
}

/// Revokes an application: its credentials, the sessions that it opened, and its one-time tokens. It holds once one row is written, however
/// many those are: they count for nothing from then on, and are deleted after it.
///
/// # Errors
/// [`Refusal::RecentSignInRequired`]; [`Refusal::NotFound`], also for one that is revoked already.
pub async fn revoke(core: &Core, call: &Call, authority: Authority, id: ApplicationId) -> Result<()> {
    authority.demand_recent()?;
    let work = authority.write(core, call, move |tx, call| {
        Box::pin(async move {
            if !applications::revoke(tx, id, call.now).await? {
                return Err(Refusal::NotFound.into());
            }
            let detail = Some(id.to_string());
            Ok(record(tx, call, Record::by(authority.actor(), Event::ApplicationRevoked, None, detail)).await?)
        })
    });
    work.await?;
    sweep::clear(core, id).await;
    Ok(())
}

/// One application.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn show(core: &Core, _: Authority, id: ApplicationId) -> Result<Application> {
    let work =
        core.store.read(move |tx| Box::pin(async move { Ok(applications::by_id(tx, id).await?.ok_or(Refusal::NotFound)?) }));
    work.await
}

/// All applications, newest first, revoked ones too.
///
/// # Errors
/// Faults only.
pub async fn list(core: &Core, _: Authority, page: Page) -> Result<Paged<Application>> {
    let work = core.store.read(move |tx| {
        Box::pin(async move { Ok(page.cut(applications::list(tx, &page).await?, |application| application.id.to_string())) })
    });
    work.await
}
