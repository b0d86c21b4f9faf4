//! `/account/app`: setting up an authenticator app, and removing it.

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::core::flows::authenticator_app;
use crate::core::flows::session::Need;
use crate::core::token::Secret;
use crate::core::{Error, Refusal};
use crate::pages::notice::Notice;
use crate::pages::posted::{Action, Nothing};
use crate::pages::problem;
use crate::pages::qr::{self, Qr};
use crate::pages::render::View;
use crate::pages::visit::{HOME, Turned, Visit};

/// The seed to be scanned or typed, and the form for a first code. The server shows a seed once; the form carries it along, so that the page
/// can be shown again after a wrong code.
#[derive(Default, Serialize)]
pub(in crate::pages) struct Enrol {
    seed: String,
    /// In groups, to be read.
    shown: String,
    uri: String,
    qr: Option<Qr>,
    problem: Option<String>,
}

impl View for Enrol {
    const TEMPLATE: &'static str = "account_app.html";

    fn samples() -> Vec<Self> {
        let text = || "Sample".to_owned();
        let full = Self { seed: text(), shown: text(), uri: text(), qr: qr::code("Sample"), problem: Some(text()) };
        vec![full, Self::default()]
    }
}

/// The question before it is removed.
#[derive(Serialize)]
pub(in crate::pages) struct Removal {}

impl View for Removal {
    const TEMPLATE: &'static str = "account_app_remove.html";

    fn samples() -> Vec<Self> {
        vec![Self {}]
    }
}

#[derive(Deserialize)]
pub(in crate::pages) struct Form {
    code: Secret,
    seed: String,
    uri: String,
}

const REMOVAL: &str = "/account/app/remove";

/// Nothing is here for who comes without a form: a seed is made by a POST alone.
pub(in crate::pages) async fn back(visit: Visit) -> Response {
    visit.go(HOME, None)
}

/// Makes a seed and shows it.
pub(in crate::pages) async fn start(Action(mut visit, Nothing {}): Action<Nothing>) -> Result<Response, Turned> {
    visit.signed_in(Need::Full, HOME).await?;
    match authenticator_app::start(visit.core(), &visit.call, &visit.presented).await {
        Ok(begun) => Ok(show(&visit, StatusCode::OK, begun.seed.reveal(), begun.uri.reveal(), None)),
        Err(Error::Refused(Refusal::Conflict { .. })) => {
            Ok(problem::told(&visit, StatusCode::CONFLICT, "problem.other_title", "app.has_one"))
        }
        Err(error) => Err(visit.turn(&error, HOME)),
    }
}

/// Takes a first code of it.
pub(in crate::pages) async fn confirm(Action(mut visit, form): Action<Form>) -> Result<Response, Turned> {
    visit.signed_in(Need::Full, HOME).await?;
    match authenticator_app::confirm(visit.core(), &visit.call, &visit.presented, &form.code).await {
        Ok(_) => Ok(visit.go(HOME, Some(Notice::AppAdded))),
        Err(Error::Refused(Refusal::InvalidCredentials)) => {
            let problem = Some(visit.say("app.wrong", &[]));
            Ok(show(&visit, StatusCode::UNPROCESSABLE_ENTITY, &form.seed, &form.uri, problem))
        }
        Err(Error::Refused(Refusal::Conflict { .. })) => {
            Ok(problem::told(&visit, StatusCode::CONFLICT, "problem.other_title", "app.expired"))
        }
        Err(error) => {
            let Some(later) = problem::later(&visit, &error) else { return Err(visit.turn(&error, HOME)) };
            Ok(later.on(show(&visit, later.status, &form.seed, &form.uri, Some(later.told.clone()))))
        }
    }
}

fn show(visit: &Visit, status: StatusCode, seed: &str, uri: &str, problem: Option<String>) -> Response {
    let groups: Vec<String> = seed.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
    let (seed, uri) = (seed.to_owned(), uri.to_owned());
    let qr = uri.starts_with("otpauth://").then(|| qr::code(&uri)).flatten();
    visit.show(status, &Enrol { seed, shown: groups.join(" "), uri, qr, problem })
}

/// Asks before it is removed.
pub(in crate::pages) async fn removal(mut visit: Visit) -> Result<Response, Turned> {
    visit.may_change(REMOVAL).await?;
    Ok(visit.show(StatusCode::OK, &Removal {}))
}

/// Removes it.
pub(in crate::pages) async fn remove(Action(visit, Nothing {}): Action<Nothing>) -> Result<Response, Turned> {
    match authenticator_app::remove(visit.core(), &visit.call, &visit.presented).await {
        // Who has removed it already, in another tab, has what they wanted.
        Ok(()) | Err(Error::Refused(Refusal::NotFound)) => Ok(visit.go(HOME, Some(Notice::AppRemoved))),
        Err(error) => Err(visit.turn(&error, REMOVAL)),
    }
}
