//! `/invitation`: creating the account that one was invited to, or accepting the invitation signed in.

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::form::password_problems;
use super::notice::Notice;
use super::posted::{Action, Posted, Sent};
use super::problem;
use super::render::View;
use super::return_to::with_query;
use super::visit::{HOME, Turned, Visit};
use crate::core::flows::invitations::{self, NewAccount};
use crate::core::flows::session::{self, Need};
use crate::core::model::{Invitation, PersonName, User};
use crate::core::token::Secret;
use crate::core::{Error, Refusal};

/// The form that creates an account.
#[derive(Default, Serialize)]
pub(super) struct Create {
    id: String,
    email: Option<String>,
    first_name: String,
    last_name: String,
    minimum: usize,
    /// Where who has an account signs in, to come back and accept.
    sign_in: String,
    /// There is an account with this address.
    taken: bool,
    problem: Option<String>,
    first_name_problem: Option<String>,
    last_name_problem: Option<String>,
    password_problem: Option<String>,
}

impl View for Create {
    const TEMPLATE: &'static str = "invitation_form.html";

    fn samples() -> Vec<Self> {
        let text = || "Sample".to_owned();
        let full = Self {
            id: text(),
            email: Some(text()),
            first_name: text(),
            last_name: text(),
            minimum: 8,
            sign_in: text(),
            taken: true,
            problem: Some(text()),
            first_name_problem: Some(text()),
            last_name_problem: Some(text()),
            password_problem: Some(text()),
        };
        vec![full, Self::default()]
    }
}

/// The form that accepts.
#[derive(Serialize)]
pub(super) struct Accept {
    id: String,
    email: String,
}

impl View for Accept {
    const TEMPLATE: &'static str = "invitation_accept.html";

    fn samples() -> Vec<Self> {
        vec![Self { id: "Sample".to_owned(), email: "Sample".to_owned() }]
    }
}

/// It is for another address than the visitor's.
#[derive(Serialize)]
pub(super) struct Other {
    email: String,
    own: String,
}

impl View for Other {
    const TEMPLATE: &'static str = "invitation_other.html";

    fn samples() -> Vec<Self> {
        vec![Self { email: "Sample".to_owned(), own: "Sample".to_owned() }]
    }
}

/// It is unknown, used, withdrawn or expired.
#[derive(Serialize)]
pub(super) struct Closed {}

impl View for Closed {
    const TEMPLATE: &'static str = "invitation_closed.html";

    fn samples() -> Vec<Self> {
        vec![Self {}]
    }
}

#[derive(Deserialize)]
pub(super) struct Form {
    id: Secret,
    first_name: String,
    last_name: String,
    password: Secret,
}

#[derive(Deserialize)]
pub(super) struct AcceptForm {
    id: Secret,
}

impl Form {
    fn account(&self) -> Result<NewAccount, Refusal> {
        Ok(NewAccount {
            first_name: PersonName::parse("first_name", &self.first_name)?,
            last_name: PersonName::parse("last_name", &self.last_name)?,
            password: self.password.clone(),
        })
    }
}

/// Shows what the visitor can do with it; spends nothing.
pub(super) async fn form(mut visit: Visit) -> Result<Response, Turned> {
    let Some(id) = visit.query("id").map(Secret::new) else { return Ok(closed(&visit)) };
    let invitation = match invitations::inspect(visit.core(), &visit.call, &id).await {
        Ok(invitation) => invitation,
        Err(error) => return refuse(&visit, &error, &id),
    };
    match session::check(visit.core(), &visit.call, &visit.presented, Need::Full).await {
        Ok(checked) => Ok(for_user(&mut visit, &id, &invitation, &checked.user)),
        Err(Error::Refused(Refusal::NotSignedIn)) => Ok(for_nobody(&visit, &id, &invitation)),
        Err(error) => Err(visit.turn(&error, &address(&id))),
    }
}

fn for_user(visit: &mut Visit, id: &Secret, invitation: &Invitation, user: &User) -> Response {
    visit.known_as(user);
    let email = invitation.email.as_str().to_owned();
    if invitation.email.key() == user.email.key() {
        visit.show(StatusCode::OK, &Accept { id: id.reveal().to_owned(), email })
    } else {
        visit.show(StatusCode::OK, &Other { email, own: user.email.as_str().to_owned() })
    }
}

fn for_nobody(visit: &Visit, id: &Secret, invitation: &Invitation) -> Response {
    let email = Some(invitation.email.as_str().to_owned());
    visit.show(StatusCode::OK, &Create { email, ..blank(visit, id) })
}

fn blank(visit: &Visit, id: &Secret) -> Create {
    Create {
        id: id.reveal().to_owned(),
        minimum: visit.core().policy().passwords.min_length,
        sign_in: with_query("/sign-in", &[("return_to", &address(id))]),
        ..Create::default()
    }
}

fn address(id: &Secret) -> String {
    with_query("/invitation", &[("id", id.reveal())])
}

/// Creates the account.
pub(super) async fn create(Posted { visit, sent }: Posted<Form>) -> Result<Response, Turned> {
    let form = match sent {
        Sent::Fresh(form) => form,
        Sent::Stale(form) => {
            let problem = Some(visit.say("stale.form", &[]));
            return Ok(again(&visit, StatusCode::FORBIDDEN, &form, |view| view.problem = problem).await);
        }
    };
    let created = match form.account() {
        Ok(account) => invitations::create_account(visit.core(), &visit.call, &form.id, account).await,
        Err(refusal) => Err(refusal.into()),
    };
    let invalid = StatusCode::UNPROCESSABLE_ENTITY;
    match created {
        Ok(_) => Ok(visit.go("/sign-in", Some(Notice::AccountReady))),
        Err(Error::Refused(Refusal::PasswordRejected(problems))) => {
            let told = Some(password_problems(&visit, &problems));
            Ok(again(&visit, invalid, &form, |view| view.password_problem = told).await)
        }
        Err(Error::Refused(Refusal::Invalid { field, .. })) => {
            let told = Some(visit.say("invitation.name_wrong", &[]));
            let put = |view: &mut Create| match field {
                "first_name" => view.first_name_problem = told,
                _ => view.last_name_problem = told,
            };
            Ok(again(&visit, invalid, &form, put).await)
        }
        Err(Error::Refused(Refusal::EmailTaken)) => {
            Ok(again(&visit, StatusCode::CONFLICT, &form, |view| view.taken = true).await)
        }
        Err(error) => {
            let Some(later) = problem::later(&visit, &error) else { return refuse(&visit, &error, &form.id) };
            Ok(later.on(again(&visit, later.status, &form, |view| view.problem = Some(later.told.clone())).await))
        }
    }
}

/// The form once more, with all that was typed but the password.
async fn again(visit: &Visit, status: StatusCode, form: &Form, put: impl FnOnce(&mut Create)) -> Response {
    let invitation = invitations::inspect(visit.core(), &visit.call, &form.id).await.ok();
    let mut view = Create {
        email: invitation.map(|invitation| invitation.email.as_str().to_owned()),
        first_name: form.first_name.clone(),
        last_name: form.last_name.clone(),
        ..blank(visit, &form.id)
    };
    put(&mut view);
    visit.show(status, &view)
}

/// Accepts, signed in.
pub(super) async fn accept(Action(visit, form): Action<AcceptForm>) -> Result<Response, Turned> {
    match invitations::accept(visit.core(), &visit.call, &visit.presented, &form.id).await {
        Ok(_) => Ok(visit.go(HOME, Some(Notice::InvitationAccepted))),
        // The page itself says whose it is.
        Err(Error::Refused(Refusal::InvitationForAnother)) => Ok(visit.go(&address(&form.id), None)),
        Err(error) => refuse(&visit, &error, &form.id),
    }
}

fn refuse(visit: &Visit, error: &Error, id: &Secret) -> Result<Response, Turned> {
    match error {
        Error::Refused(Refusal::InvitationNotFound) => Ok(closed(visit)),
        Error::Refused(_) | Error::Faulted(_) => Err(visit.turn(error, &address(id))),
    }
}

fn closed(visit: &Visit) -> Response {
    visit.show(StatusCode::NOT_FOUND, &Closed {})
}
