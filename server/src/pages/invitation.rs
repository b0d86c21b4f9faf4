//! `/invitation`: creating the account that one was invited to.

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use super::Site;
use super::render::{InvitationForm, InvitationProblems, Page};
use crate::core::flows::invitations::{self, NewAccount};
use crate::core::model::PersonName;
use crate::core::refusal::PasswordProblem;
use crate::core::token::Secret;
use crate::core::{Error, Refusal};
use crate::http::body::read_form;
use crate::http::call::Caller;

#[derive(Deserialize)]
pub(super) struct Link {
    id: String,
}

#[derive(Deserialize)]
struct Form {
    id: Secret,
    first_name: String,
    last_name: String,
    password: Secret,
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

/// Shows the form; spends nothing.
pub(super) async fn form(State(site): State<Site>, Caller(call): Caller, link: Result<Query<Link>, QueryRejection>) -> Response {
    let Ok(Query(Link { id })) = link else { return closed(&site) };
    match invitations::inspect(site.shared.core(), &call, &Secret::new(id.clone())).await {
        Ok(invitation) => {
            let form =
                Form { id: Secret::new(id), first_name: String::new(), last_name: String::new(), password: Secret::new("") };
            show(&site, StatusCode::OK, &form, Some(invitation.email.as_str()), InvitationProblems::default())
        }
        Err(error) => refuse(&site, &error),
    }
}

/// Creates the account.
pub(super) async fn create(State(site): State<Site>, Caller(call): Caller, headers: HeaderMap, body: Body) -> Response {
    let form: Form = match read_form(&headers, body, site.shared.max_body()).await {
        Ok(form) => form,
        Err(error) => return site.unreadable(&error),
    };
    let created = match form.account() {
        Ok(account) => invitations::create_account(site.shared.core(), &call, &form.id, account).await,
        Err(refusal) => Err(refusal.into()),
    };
    match created {
        Ok(_) => site.respond(StatusCode::OK, &Page::InvitationDone),
        Err(Error::Refused(Refusal::PasswordRejected(problems))) => {
            let told = PasswordProblem::messages(&problems);
            let problems = InvitationProblems { password: Some(&told), ..InvitationProblems::default() };
            show(&site, StatusCode::UNPROCESSABLE_ENTITY, &form, None, problems)
        }
        Err(Error::Refused(Refusal::Invalid { field, problem })) => {
            let (first_name, last_name) = if field == "first_name" { (Some(problem), None) } else { (None, Some(problem)) };
            let problems = InvitationProblems { first_name, last_name, ..InvitationProblems::default() };
            show(&site, StatusCode::UNPROCESSABLE_ENTITY, &form, None, problems)
        }
        Err(Error::Refused(Refusal::EmailTaken)) => {
            let problem = "There is an account with this address already. Sign in with it to accept the invitation.";
            let problems = InvitationProblems { form: Some(problem), ..InvitationProblems::default() };
            show(&site, StatusCode::CONFLICT, &form, None, problems)
        }
        Err(error) => refuse(&site, &error),
    }
}

fn show(site: &Site, status: StatusCode, form: &Form, email: Option<&str>, problems: InvitationProblems<'_>) -> Response {
    let page = Page::InvitationForm(InvitationForm {
        id: form.id.reveal(),
        email,
        first_name: &form.first_name,
        last_name: &form.last_name,
        password_minimum: site.shared.core().policy().passwords.min_length,
        problems,
    });
    site.respond(status, &page)
}

fn refuse(site: &Site, error: &Error) -> Response {
    match error {
        Error::Refused(Refusal::InvitationNotFound) => closed(site),
        Error::Refused(_) | Error::Faulted(_) => site.problem(error),
    }
}

fn closed(site: &Site) -> Response {
    site.respond(StatusCode::NOT_FOUND, &Page::InvitationClosed)
}
