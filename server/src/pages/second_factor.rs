//! `/second-factor`: the authenticator app's code, or a security key. The one page, but for signing out, that a half session reaches.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};

use super::posted::{Action, Nothing, Posted, Sent};
use super::problem;
use super::render::View;
use super::return_to::ReturnTo;
use super::visit::{HOME, Turned, Visit};
use crate::core::flows::second_factor_choice::choice;
use crate::core::flows::{SignedIn, second_factor, second_factor_code};
use crate::core::model::SessionState;
use crate::core::token::Secret;
use crate::core::{Error, PublicKeyCredential, Refusal};

/// The forms.
#[derive(Default, Serialize)]
pub(super) struct SecondFactor {
    return_to: Option<String>,
    app: bool,
    key: bool,
    /// Signed in already, and asked for it all the same.
    again: bool,
    app_problem: Option<String>,
    key_problem: Option<String>,
}

impl View for SecondFactor {
    const TEMPLATE: &'static str = "second_factor.html";

    fn samples() -> Vec<Self> {
        let text = || Some("Sample".to_owned());
        let full = Self { return_to: text(), app: true, key: true, again: true, app_problem: text(), key_problem: text() };
        vec![full, Self::default()]
    }
}

#[derive(Deserialize)]
pub(super) struct CodeForm {
    code: Secret,
    #[serde(default)]
    return_to: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct KeyForm {
    /// What the browser's key has answered, as JSON.
    credential: String,
    #[serde(default)]
    return_to: Option<String>,
}

/// What is wrong with which of the two.
#[derive(Default)]
struct Wrong {
    app: Option<String>,
    key: Option<String>,
}

/// Shows what the visitor can give, or is asked for. Who owes nothing goes on.
pub(super) async fn form(visit: Visit) -> Result<Response, Turned> {
    let return_to = visit.return_to(visit.query("return_to"));
    show(&visit, StatusCode::OK, return_to.as_ref(), visit.query("again").is_some(), Wrong::default()).await
}

async fn show(
    visit: &Visit,
    status: StatusCode,
    return_to: Option<&ReturnTo>,
    again: bool,
    wrong: Wrong,
) -> Result<Response, Turned> {
    let back = return_to.map_or(HOME, ReturnTo::as_str);
    let (checked, choice) =
        choice(visit.core(), &visit.call, &visit.presented).await.map_err(|error| visit.turn(&error, back))?;
    let full = checked.session.state == SessionState::Full;
    let problem = wrong.app.is_some() || wrong.key.is_some();
    if full && !problem && (!again || !(choice.totp || choice.security_key)) {
        return Ok(visit.go(back, None));
    }
    let view = SecondFactor {
        return_to: return_to.map(|place| place.as_str().to_owned()),
        app: choice.totp,
        key: choice.security_key && visit.core().has_webauthn(),
        again: full,
        app_problem: wrong.app,
        key_problem: wrong.key,
    };
    Ok(visit.show(status, &view))
}

/// Takes the app's code.
pub(super) async fn with_app(Posted { visit, sent }: Posted<CodeForm>) -> Result<Response, Turned> {
    let form = match sent {
        Sent::Fresh(form) => form,
        Sent::Stale(form) => return stale(&visit, form.return_to.as_deref()).await,
    };
    let return_to = visit.return_to(form.return_to.as_deref());
    let given = second_factor_code::present(visit.core(), &visit.call, &visit.presented, &form.code).await;
    let wrong = |app| Wrong { app: Some(app), key: None };
    finish(&visit, given, return_to.as_ref(), "second.wrong", wrong).await
}

/// Takes the security key's answer.
pub(super) async fn with_key(Posted { visit, sent }: Posted<KeyForm>) -> Result<Response, Turned> {
    let form = match sent {
        Sent::Fresh(form) => form,
        Sent::Stale(form) => return stale(&visit, form.return_to.as_deref()).await,
    };
    let return_to = visit.return_to(form.return_to.as_deref());
    let given = match serde_json::from_str::<PublicKeyCredential>(&form.credential) {
        Ok(credential) => second_factor::finish(visit.core(), &visit.call, &visit.presented, &credential).await,
        Err(_) => Err(Refusal::WebauthnFailed.into()),
    };
    let wrong = |key| Wrong { app: None, key: Some(key) };
    finish(&visit, given, return_to.as_ref(), "second.key_failed", wrong).await
}

async fn stale(visit: &Visit, return_to: Option<&str>) -> Result<Response, Turned> {
    let return_to = visit.return_to(return_to);
    let wrong = Wrong { app: Some(visit.say("stale.form", &[])), key: None };
    show(visit, StatusCode::FORBIDDEN, return_to.as_ref(), true, wrong).await
}

async fn finish(
    visit: &Visit,
    given: crate::core::Result<SignedIn>,
    return_to: Option<&ReturnTo>,
    words: &str,
    wrong: impl FnOnce(String) -> Wrong,
) -> Result<Response, Turned> {
    let back = return_to.map_or(HOME, ReturnTo::as_str);
    match given {
        Ok(raised) => Ok(visit.enter(&raised, return_to, None)),
        Err(Error::Refused(Refusal::InvalidCredentials | Refusal::WebauthnFailed)) => {
            show(visit, StatusCode::UNAUTHORIZED, return_to, true, wrong(visit.say(words, &[]))).await
        }
        Err(error) => {
            let Some(later) = problem::later(visit, &error) else { return Err(visit.turn(&error, back)) };
            Ok(later.on(show(visit, later.status, return_to, true, wrong(later.told.clone())).await?))
        }
    }
}

/// What the script is told instead of options.
#[derive(Serialize)]
pub(super) struct Instead {
    /// Where the visitor must go first.
    location: Option<String>,
    /// What to tell them.
    problem: Option<String>,
}

/// The challenge for the script, which hands it to the browser.
pub(super) async fn options(Action(visit, Nothing {}): Action<Nothing>) -> Response {
    match second_factor::start(visit.core(), &visit.call, &visit.presented).await {
        Ok(options) => Json(options).into_response(),
        Err(error) => instead(&visit, &error, HOME),
    }
}

/// A refusal, for the script.
pub(super) fn instead(visit: &Visit, error: &Error, back: &str) -> Response {
    if let Some(later) = problem::later(visit, error) {
        return later.on((later.status, Json(Instead { location: None, problem: Some(later.told.clone()) })).into_response());
    }
    let location = visit.way(error, back);
    let status = if location.is_some() { StatusCode::UNAUTHORIZED } else { problem::page(visit, error).status() };
    let problem = match (&location, error) {
        (Some(_), _) => None,
        (None, Error::Refused(_)) => Some(visit.say("problem.other", &[])),
        (None, Error::Faulted(_)) => Some(visit.say("problem.fault", &[])),
    };
    (status, Json(Instead { location, problem })).into_response()
}
