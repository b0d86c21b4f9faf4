//! `/account/keys`: adding a security key, renaming it, removing it.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};

use super::Key;
use crate::core::flows::security_keys;
use crate::core::flows::session::Need;
use crate::core::model::{KeyName, KeyUse, SecurityKeyId};
use crate::core::{Error, Refusal, RegisterPublicKeyCredential};
use crate::pages::notice::Notice;
use crate::pages::posted::{Action, Nothing, Posted, Sent};
use crate::pages::render::View;
use crate::pages::return_to::with_query;
use crate::pages::second_factor::instead;
use crate::pages::visit::{HOME, Turned, Visit};

/// The form that adds one.
#[derive(Default, Serialize)]
pub(in crate::pages) struct Add {
    name: String,
    available: bool,
    problem: Option<String>,
    name_problem: Option<String>,
}

impl View for Add {
    const TEMPLATE: &'static str = "account_key_add.html";

    fn samples() -> Vec<Self> {
        let text = || Some("Sample".to_owned());
        vec![Self { name: "Sample".to_owned(), available: true, problem: text(), name_problem: text() }, Self::default()]
    }
}

/// One of them.
#[derive(Serialize)]
pub(in crate::pages) struct One {
    key: Key,
    /// What was typed as its new name.
    name: String,
    problem: Option<String>,
}

impl View for One {
    const TEMPLATE: &'static str = "account_key.html";

    fn samples() -> Vec<Self> {
        let text = || "Sample".to_owned();
        let key = |used| Key { id: text(), name: text(), added: text(), used };
        vec![
            Self { key: key(Some(text())), name: text(), problem: Some(text()) },
            Self { key: key(None), name: text(), problem: None },
        ]
    }
}

#[derive(Deserialize)]
pub(in crate::pages) struct AddForm {
    name: String,
    /// What the browser's key has answered, as JSON.
    credential: String,
}

#[derive(Deserialize)]
pub(in crate::pages) struct NameForm {
    name: String,
}

/// Here, with what was typed.
fn here(name: &str) -> String {
    if name.is_empty() { "/account/keys".to_owned() } else { with_query("/account/keys", &[("name", name)]) }
}

/// Shows the form that adds one, to who may.
pub(in crate::pages) async fn form(mut visit: Visit) -> Result<Response, Turned> {
    let name = visit.query("name").unwrap_or_default().to_owned();
    visit.may_change(&here(&name)).await?;
    let available = visit.core().has_webauthn();
    Ok(visit.show(StatusCode::OK, &Add { name, available, ..Add::default() }))
}

/// The options for the script, which hands them to the browser.
pub(in crate::pages) async fn options(Action(visit, form): Action<NameForm>) -> Response {
    match security_keys::start_registration(visit.core(), &visit.call, &visit.presented, KeyUse::Passkey).await {
        Ok(options) => Json(options).into_response(),
        Err(error) => instead(&visit, &error, &here(&form.name)),
    }
}

/// Adds it.
pub(in crate::pages) async fn add(Posted { mut visit, sent }: Posted<AddForm>) -> Result<Response, Turned> {
    let form = match sent {
        Sent::Fresh(form) => form,
        Sent::Stale(form) => {
            let problem = Some(visit.say("stale.form", &[]));
            return again(&mut visit, StatusCode::FORBIDDEN, form.name, problem, None).await;
        }
    };
    match register(&visit, &form).await {
        Ok(()) => Ok(visit.go(HOME, Some(Notice::KeyAdded))),
        Err(Error::Refused(Refusal::Invalid { .. })) => {
            let told = Some(visit.say("key.name_wrong", &[]));
            again(&mut visit, StatusCode::UNPROCESSABLE_ENTITY, form.name, None, told).await
        }
        Err(Error::Refused(Refusal::KeyNameTaken)) => {
            let told = Some(visit.say("key.name_taken", &[]));
            again(&mut visit, StatusCode::CONFLICT, form.name, None, told).await
        }
        Err(Error::Refused(Refusal::WebauthnFailed)) => {
            let told = Some(visit.say("key.failed", &[]));
            again(&mut visit, StatusCode::UNPROCESSABLE_ENTITY, form.name, told, None).await
        }
        Err(error) => Err(visit.turn(&error, &here(&form.name))),
    }
}

async fn register(visit: &Visit, form: &AddForm) -> crate::core::Result<()> {
    let name = KeyName::parse(&form.name)?;
    let credential: RegisterPublicKeyCredential = serde_json::from_str(&form.credential).map_err(|_| Refusal::WebauthnFailed)?;
    security_keys::finish_registration(visit.core(), &visit.call, &visit.presented, name, &credential).await?;
    Ok(())
}

async fn again(
    visit: &mut Visit,
    status: StatusCode,
    name: String,
    problem: Option<String>,
    name_problem: Option<String>,
) -> Result<Response, Turned> {
    visit.signed_in(Need::Full, &here(&name)).await?;
    let available = visit.core().has_webauthn();
    Ok(visit.show(status, &Add { name, available, problem, name_problem }))
}

/// Shows one of them.
pub(in crate::pages) async fn one(mut visit: Visit, Path(id): Path<String>) -> Result<Response, Turned> {
    let typed = visit.query("name").map(str::to_owned);
    show_one(&mut visit, StatusCode::OK, &id, typed, None).await
}

async fn show_one(
    visit: &mut Visit,
    status: StatusCode,
    id: &str,
    typed: Option<String>,
    problem: Option<String>,
) -> Result<Response, Turned> {
    let back = address(id, typed.as_deref());
    visit.signed_in(Need::Full, &back).await?;
    let keys = security_keys::list(visit.core(), &visit.call, &visit.presented).await;
    let keys = keys.map_err(|error| visit.turn(&error, &back))?;
    let Some(key) = keys.iter().find(|key| key.id.to_string() == id).map(Key::of) else {
        return Err(visit.turn(&Refusal::NotFound.into(), HOME));
    };
    let name = typed.unwrap_or_else(|| key.name.clone());
    Ok(visit.show(status, &One { key, name, problem }))
}

fn address(id: &str, typed: Option<&str>) -> String {
    // What is no id was never an address of ours.
    let id = id.parse::<SecurityKeyId>().map(|id| id.to_string()).unwrap_or_default();
    let path = format!("/account/keys/{id}");
    typed.map_or_else(|| path.clone(), |name| with_query(&path, &[("name", name)]))
}

fn known(visit: &Visit, id: &str) -> Result<SecurityKeyId, Turned> {
    id.parse().map_err(|_| visit.turn(&Refusal::NotFound.into(), HOME))
}

/// Renames it.
pub(in crate::pages) async fn rename(
    Path(id): Path<String>,
    Posted { mut visit, sent }: Posted<NameForm>,
) -> Result<Response, Turned> {
    let form = match sent {
        Sent::Fresh(form) => form,
        Sent::Stale(form) => {
            let problem = Some(visit.say("stale.form", &[]));
            return show_one(&mut visit, StatusCode::FORBIDDEN, &id, Some(form.name), problem).await;
        }
    };
    let key = known(&visit, &id)?;
    let renamed = match KeyName::parse(&form.name) {
        Ok(name) => security_keys::rename(visit.core(), &visit.call, &visit.presented, key, name).await,
        Err(refusal) => Err(refusal.into()),
    };
    let (status, words) = match renamed {
        Ok(()) => return Ok(visit.go(HOME, Some(Notice::KeyRenamed))),
        Err(Error::Refused(Refusal::Invalid { .. })) => (StatusCode::UNPROCESSABLE_ENTITY, "key.name_wrong"),
        Err(Error::Refused(Refusal::KeyNameTaken)) => (StatusCode::CONFLICT, "key.name_taken"),
        Err(error) => return Err(visit.turn(&error, &address(&id, Some(&form.name)))),
    };
    let problem = Some(visit.say(words, &[]));
    show_one(&mut visit, status, &id, Some(form.name), problem).await
}

/// Removes it.
pub(in crate::pages) async fn remove(
    Path(id): Path<String>,
    Action(visit, Nothing {}): Action<Nothing>,
) -> Result<Response, Turned> {
    let key = known(&visit, &id)?;
    match security_keys::remove(visit.core(), &visit.call, &visit.presented, key).await {
        // Who has removed it already, in another tab, has what they wanted.
        Ok(()) | Err(Error::Refused(Refusal::NotFound)) => Ok(visit.go(HOME, Some(Notice::KeyRemoved))),
        Err(error) => Err(visit.turn(&error, &address(&id, None))),
    }
}
