//! `/sign-in`: with a password. The first field has browsers offer passkeys, too; they come back to [`super::passkey`].

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::passkey;
use super::posted::{Posted, Sent};
use super::problem::{self, Told};
use super::render::View;
use super::return_to::{ReturnTo, with_query};
use super::visit::{HOME, Turned, Visit};
use crate::core::flows::methods::methods;
use crate::core::flows::session::{self, Need};
use crate::core::flows::sign_in as flow;
use crate::core::flows::{Proof, SignedIn};
use crate::core::gate::Door;
use crate::core::model::{Identifier, SessionState};
use crate::core::token::Secret;
use crate::core::{Error, Refusal};

/// The form.
#[derive(Default, Serialize)]
pub(super) struct SignIn {
    return_to: Option<String>,
    identifier: String,
    /// Signed in already, and asked to do it again.
    again: bool,
    email_code: bool,
    /// For how many seconds a challenge for a passkey is good.
    passkey: Option<u64>,
    problem: Option<String>,
}

impl View for SignIn {
    const TEMPLATE: &'static str = "sign_in.html";

    fn samples() -> Vec<Self> {
        let text = || "Sample".to_owned();
        let full = Self {
            return_to: Some(text()),
            identifier: text(),
            again: true,
            email_code: true,
            passkey: Some(300),
            problem: Some(text()),
        };
        vec![full, Self::default()]
    }
}

#[derive(Deserialize)]
pub(super) struct Form {
    identifier: String,
    password: Secret,
    #[serde(default)]
    return_to: Option<String>,
    #[serde(default)]
    again: Option<String>,
}

/// The public URL itself: on to the account, or to signing in.
pub(super) async fn begin(visit: Visit) -> Result<Response, Turned> {
    match session::check(visit.core(), &visit.call, &visit.presented, Need::EvenHalf).await {
        Ok(checked) => Ok(go_on(&visit, checked.session.state, None)),
        Err(Error::Refused(_)) => Ok(visit.go("/sign-in", None)),
        Err(error) => Err(visit.turn(&error, HOME)),
    }
}

/// Shows the form; who is signed in already goes on, unless it is to be done again.
pub(super) async fn form(visit: Visit) -> Result<Response, Turned> {
    let return_to = visit.return_to(visit.query("return_to"));
    let again = visit.query("again").is_some();
    let mut identifier = String::new();
    match session::check(visit.core(), &visit.call, &visit.presented, Need::EvenHalf).await {
        Ok(checked) if again && checked.session.state == SessionState::Full => {
            identifier = checked.user.email.as_str().to_owned();
        }
        Ok(checked) => return Ok(go_on(&visit, checked.session.state, return_to.as_ref())),
        Err(Error::Refused(_)) => {}
        Err(error) => return Err(visit.turn(&error, HOME)),
    }
    if !methods(visit.core()).password {
        return Ok(visit.go(&with("/sign-in/code", return_to.as_ref()), None));
    }
    // Only who was signed in can be asked to do it again.
    let again = again && !identifier.is_empty();
    Ok(show(&visit, StatusCode::OK, identifier, return_to.as_ref(), again, None))
}

fn go_on(visit: &Visit, state: SessionState, return_to: Option<&ReturnTo>) -> Response {
    match state {
        SessionState::Full => visit.go(return_to.map_or(HOME, ReturnTo::as_str), None),
        SessionState::Half => visit.go(&with("/second-factor", return_to), None),
    }
}

/// A page of the way in, which takes along where it leads.
pub(super) fn with(path: &str, return_to: Option<&ReturnTo>) -> String {
    return_to.map_or_else(|| path.to_owned(), |place| with_query(path, &[("return_to", place.as_str())]))
}

/// Signs in.
pub(super) async fn submit(Posted { visit, sent }: Posted<Form>) -> Result<Response, Turned> {
    let form = match sent {
        Sent::Fresh(form) => form,
        Sent::Stale(form) => {
            let return_to = visit.return_to(form.return_to.as_deref());
            let problem = Some(visit.say("stale.form", &[]));
            return Ok(show(&visit, StatusCode::FORBIDDEN, form.identifier, return_to.as_ref(), false, problem));
        }
    };
    let return_to = visit.return_to(form.return_to.as_deref());
    match open(&visit, Identifier::any(&form.identifier), Proof::Password(form.password)).await {
        Ok(opened) => Ok(visit.enter(&opened, return_to.as_ref(), None)),
        Err(error) => {
            let Some(told) = refused(&visit, &error, "sign_in.wrong") else { return Err(visit.turn(&error, HOME)) };
            let (again, problem) = (form.again.is_some(), Some(told.told.clone()));
            Ok(told.on(show(&visit, told.status, form.identifier, return_to.as_ref(), again, problem)))
        }
    }
}

/// Opens a session in the place of those that came along.
pub(super) async fn open(visit: &Visit, identifier: Identifier, proof: Proof) -> crate::core::Result<SignedIn> {
    let replaces = visit.presented.tokens.clone();
    let request = flow::SignIn { identifier, proof, door: Door::OpensHalf, replaces };
    flow::sign_in(visit.core(), &visit.call, request).await
}

/// What the form says to an error.
pub(super) fn refused(visit: &Visit, error: &Error, wrong: &str) -> Option<Told> {
    let (status, words) = match error {
        Error::Refused(Refusal::InvalidCredentials) => (StatusCode::UNAUTHORIZED, wrong),
        Error::Refused(Refusal::AccountDisabled) => (StatusCode::FORBIDDEN, "sign_in.disabled"),
        Error::Refused(Refusal::SwitchedOff) => (StatusCode::FORBIDDEN, "problem.switched_off"),
        error => return problem::later(visit, error),
    };
    Some(Told::new(status, visit.say(words, &[])))
}

/// The page.
pub(super) fn show(
    visit: &Visit,
    status: StatusCode,
    identifier: String,
    return_to: Option<&ReturnTo>,
    again: bool,
    problem: Option<String>,
) -> Response {
    let return_to = return_to.map(|place| place.as_str().to_owned());
    let email_code = methods(visit.core()).email_code;
    visit.show(status, &SignIn { return_to, identifier, again, email_code, passkey: passkey::offered(visit), problem })
}
