//! `/setup`: the link of the first start, with which the first administrator is created. Opening it spends nothing.

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::form::password_problems;
use super::notice::Notice;
use super::posted::{Posted, Sent};
use super::problem;
use super::render::View;
use super::visit::{HOME, Turned, Visit};
use crate::core::flows::setup::{self, FirstAdministrator};
use crate::core::model::{Email, PersonName, Username};
use crate::core::token::Secret;
use crate::core::{Error, Refusal};

/// The form.
#[derive(Default, Serialize)]
pub(super) struct Create {
    token: String,
    username: String,
    email: String,
    first_name: String,
    last_name: String,
    minimum: usize,
    problem: Option<String>,
    username_problem: Option<String>,
    email_problem: Option<String>,
    first_name_problem: Option<String>,
    last_name_problem: Option<String>,
    password_problem: Option<String>,
}

impl View for Create {
    const TEMPLATE: &'static str = "setup_form.html";

    fn samples() -> Vec<Self> {
        let text = || "Sample".to_owned();
        let full = Self {
            token: text(),
            username: text(),
            email: text(),
            first_name: text(),
            last_name: text(),
            minimum: 8,
            problem: Some(text()),
            username_problem: Some(text()),
            email_problem: Some(text()),
            first_name_problem: Some(text()),
            last_name_problem: Some(text()),
            password_problem: Some(text()),
        };
        vec![full, Self::default()]
    }
}

/// The link is unknown, used or expired, or there is a user by now.
#[derive(Serialize)]
pub(super) struct Closed {}

impl View for Closed {
    const TEMPLATE: &'static str = "setup_closed.html";

    fn samples() -> Vec<Self> {
        vec![Self {}]
    }
}

#[derive(Deserialize)]
pub(super) struct Form {
    token: Secret,
    username: String,
    email: String,
    first_name: String,
    last_name: String,
    password: Secret,
}

impl Form {
    fn read(&self) -> Result<FirstAdministrator, Refusal> {
        Ok(FirstAdministrator {
            username: Username::parse(&self.username)?,
            email: Email::parse(&self.email)?,
            first_name: PersonName::parse("first_name", &self.first_name)?,
            last_name: PersonName::parse("last_name", &self.last_name)?,
            password: self.password.clone(),
        })
    }
}

/// Shows the form.
pub(super) async fn form(visit: Visit) -> Result<Response, Turned> {
    let Some(token) = visit.query("token").map(Secret::new) else { return Ok(closed(&visit)) };
    match setup::inspect(visit.core(), &visit.call, &token).await {
        Ok(()) => Ok(visit.show(StatusCode::OK, &Create { token: token.reveal().to_owned(), ..blank(&visit) })),
        Err(Error::Refused(Refusal::TicketInvalid)) => Ok(closed(&visit)),
        Err(error) => Err(visit.turn(&error, HOME)),
    }
}

/// Creates the administrator, who then signs in.
pub(super) async fn submit(Posted { visit, sent }: Posted<Form>) -> Result<Response, Turned> {
    let form = match sent {
        Sent::Fresh(form) => form,
        Sent::Stale(form) => {
            let problem = Some(visit.say("stale.form", &[]));
            return Ok(again(&visit, StatusCode::FORBIDDEN, &form, |view| view.problem = problem));
        }
    };
    let created = match form.read() {
        Ok(first) => setup::complete(visit.core(), &visit.call, &form.token, first).await,
        Err(refusal) => Err(refusal.into()),
    };
    let invalid = StatusCode::UNPROCESSABLE_ENTITY;
    match created {
        Ok(_) => Ok(visit.go("/sign-in", Some(Notice::AccountReady))),
        Err(Error::Refused(Refusal::PasswordRejected(problems))) => {
            let told = Some(password_problems(&visit, &problems));
            Ok(again(&visit, invalid, &form, |view| view.password_problem = told))
        }
        Err(Error::Refused(Refusal::Invalid { field, .. })) => {
            Ok(again(&visit, invalid, &form, |view| view.complain(&visit, field)))
        }
        Err(Error::Refused(Refusal::TicketInvalid)) => Ok(closed(&visit)),
        Err(error) => {
            let Some(later) = problem::later(&visit, &error) else { return Err(visit.turn(&error, HOME)) };
            Ok(later.on(again(&visit, later.status, &form, |view| view.problem = Some(later.told.clone()))))
        }
    }
}

impl Create {
    fn complain(&mut self, visit: &Visit, field: &str) {
        let (place, words) = match field {
            "username" => (&mut self.username_problem, "setup.username_wrong"),
            "email" => (&mut self.email_problem, "setup.email_wrong"),
            "first_name" => (&mut self.first_name_problem, "invitation.name_wrong"),
            _ => (&mut self.last_name_problem, "invitation.name_wrong"),
        };
        *place = Some(visit.say(words, &[]));
    }
}

fn blank(visit: &Visit) -> Create {
    Create { minimum: visit.core().policy().passwords.min_length, ..Create::default() }
}

/// The form once more, with all that was typed but the password.
fn again(visit: &Visit, status: StatusCode, form: &Form, put: impl FnOnce(&mut Create)) -> Response {
    let mut view = Create {
        token: form.token.reveal().to_owned(),
        username: form.username.clone(),
        email: form.email.clone(),
        first_name: form.first_name.clone(),
        last_name: form.last_name.clone(),
        ..blank(visit)
    };
    put(&mut view);
    visit.show(status, &view)
}

fn closed(visit: &Visit) -> Response {
    visit.show(StatusCode::BAD_REQUEST, &Closed {})
}
