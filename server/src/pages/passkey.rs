//! `/sign-in/passkey`: with a key that says whose it is and has verified them. The script has it answer, at a press of the button or from
//! what the browser offers to fill in.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::code;
use super::posted::{Action, Nothing, Posted, Sent};
use super::problem::Told;
use super::second_factor::instead;
use super::sign_in::{self, refused};
use super::visit::{HOME, Turned, Visit};
use crate::core::flows::methods::methods;
use crate::core::flows::{SignedIn, passkey};
use crate::core::{Error, PublicKeyCredential, Refusal};

#[derive(Deserialize)]
pub(super) struct Form {
    /// What the browser's key has answered, as JSON.
    credential: String,
    #[serde(default)]
    return_to: Option<String>,
    #[serde(default)]
    again: Option<String>,
}

/// For how many seconds a challenge is good, where passkeys can be used at all.
pub(super) fn offered(visit: &Visit) -> Option<u64> {
    visit.core().has_webauthn().then(|| visit.core().policy().tickets.challenge.as_secs())
}

/// The challenge for the script.
pub(super) async fn options(Action(visit, Nothing {}): Action<Nothing>) -> Response {
    match passkey::start(visit.core(), &visit.call).await {
        Ok(options) => Json(options).into_response(),
        Err(error) => instead(&visit, &error, HOME),
    }
}

/// Signs in.
pub(super) async fn submit(Posted { visit, sent }: Posted<Form>) -> Result<Response, Turned> {
    let form = match sent {
        Sent::Fresh(form) => form,
        Sent::Stale(form) => {
            let problem = visit.say("stale.form", &[]);
            return Ok(again(&visit, StatusCode::FORBIDDEN, &form, problem));
        }
    };
    let return_to = visit.return_to(form.return_to.as_deref());
    match open(&visit, &form).await {
        Ok(opened) => Ok(visit.enter(&opened, return_to.as_ref(), None)),
        Err(error) => {
            let Some(told) = told(&visit, &error) else { return Err(visit.turn(&error, HOME)) };
            Ok(told.on(again(&visit, told.status, &form, told.told.clone())))
        }
    }
}

async fn open(visit: &Visit, form: &Form) -> crate::core::Result<SignedIn> {
    let credential: PublicKeyCredential = serde_json::from_str(&form.credential).map_err(|_| Refusal::WebauthnFailed)?;
    passkey::finish(visit.core(), &visit.call, visit.presented.tokens.clone(), &credential).await
}

fn told(visit: &Visit, error: &Error) -> Option<Told> {
    match error {
        Error::Refused(Refusal::WebauthnFailed) => Some(Told::new(StatusCode::UNAUTHORIZED, visit.say("passkey.failed", &[]))),
        other => refused(visit, other, "passkey.failed"),
    }
}

/// The page that the form stands on, once more.
fn again(visit: &Visit, status: StatusCode, form: &Form, problem: String) -> Response {
    let return_to = visit.return_to(form.return_to.as_deref());
    if methods(visit.core()).password {
        sign_in::show(visit, status, String::new(), return_to.as_ref(), form.again.is_some(), Some(problem))
    } else {
        code::show_request(visit, status, String::new(), return_to.as_ref(), Some(problem))
    }
}
