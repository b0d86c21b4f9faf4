//! `/account/password`: changing it.

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::core::flows::change_password::change_password;
use crate::core::token::Secret;
use crate::core::{Error, Refusal};
use crate::pages::form::password_problems;
use crate::pages::notice::Notice;
use crate::pages::posted::{Posted, Sent};
use crate::pages::problem;
use crate::pages::render::View;
use crate::pages::return_to::ReturnTo;
use crate::pages::visit::{Turned, Visit};

const HERE: &str = "/account/password";

/// The form.
#[derive(Default, Serialize)]
pub(in crate::pages) struct Change {
    /// For password managers: whose password it is.
    email: String,
    minimum: usize,
    problem: Option<String>,
    current_problem: Option<String>,
    new_problem: Option<String>,
}

impl View for Change {
    const TEMPLATE: &'static str = "account_password.html";

    fn samples() -> Vec<Self> {
        let text = || Some("Sample".to_owned());
        let full = Self { email: "Sample".to_owned(), minimum: 8, problem: text(), current_problem: text(), new_problem: text() };
        vec![full, Self::default()]
    }
}

#[derive(Deserialize)]
pub(in crate::pages) struct Form {
    current: Secret,
    new: Secret,
}

/// Shows the form to who may change it: nobody is to type twice.
pub(in crate::pages) async fn form(mut visit: Visit) -> Result<Response, Turned> {
    show(&mut visit, StatusCode::OK, Change::default()).await
}

async fn show(visit: &mut Visit, status: StatusCode, view: Change) -> Result<Response, Turned> {
    let checked = visit.may_change(HERE).await?;
    let minimum = visit.core().policy().passwords.min_length;
    Ok(visit.show(status, &Change { email: checked.user.email.as_str().to_owned(), minimum, ..view }))
}

/// Changes it. The session goes on under a new token.
pub(in crate::pages) async fn submit(Posted { mut visit, sent }: Posted<Form>) -> Result<Response, Turned> {
    let Sent::Fresh(form) = sent else {
        let problem = Some(visit.say("stale.form", &[]));
        return show(&mut visit, StatusCode::FORBIDDEN, Change { problem, ..Change::default() }).await;
    };
    let changed = change_password(visit.core(), &visit.call, &visit.presented, &form.current, &form.new).await;
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    match changed {
        Ok(changed) => Ok(visit.enter(&changed, None::<&ReturnTo>, Some(Notice::PasswordChanged))),
        Err(Error::Refused(Refusal::InvalidCredentials)) => {
            let current_problem = Some(visit.say("change.wrong", &[]));
            show(&mut visit, unprocessable, Change { current_problem, ..Change::default() }).await
        }
        Err(Error::Refused(Refusal::PasswordRejected(problems))) => {
            let new_problem = Some(password_problems(&visit, &problems));
            show(&mut visit, unprocessable, Change { new_problem, ..Change::default() }).await
        }
        Err(error) => {
            let Some(later) = problem::later(&visit, &error) else { return Err(visit.turn(&error, HERE)) };
            let view = Change { problem: Some(later.told.clone()), ..Change::default() };
            Ok(later.on(show(&mut visit, later.status, view).await?))
        }
    }
}
