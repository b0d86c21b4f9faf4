//! `/reset`: choosing a new password with a mailed link.

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use super::Site;
use super::render::{Page, ResetForm, ResetSecret};
use crate::core::flows::recovery;
use crate::core::refusal::PasswordProblem;
use crate::core::token::Secret;
use crate::core::{Error, Refusal};
use crate::http::body::read_form;
use crate::http::call::Caller;

/// The secret as a link carries it: `code` and `user_id`, or `token`.
#[derive(Deserialize)]
pub(super) struct Link {
    code: Option<String>,
    user_id: Option<String>,
    token: Option<String>,
}

#[derive(Deserialize)]
struct Form {
    #[serde(flatten)]
    link: Link,
    password: Secret,
}

impl Link {
    fn secret(&self) -> Option<ResetSecret<'_>> {
        match (&self.code, &self.user_id, &self.token) {
            (Some(code), Some(user_id), None) => Some(ResetSecret::Code { code, user_id }),
            (None, None, Some(token)) => Some(ResetSecret::Token(token)),
            _ => None,
        }
    }
}

fn open(secret: ResetSecret<'_>) -> (Secret, Option<&str>) {
    match secret {
        ResetSecret::Code { code, user_id } => (Secret::new(code), Some(user_id)),
        ResetSecret::Token(token) => (Secret::new(token), None),
    }
}

/// Shows the form. Mail scanners open links: this spends nothing.
pub(super) async fn form(State(site): State<Site>, Caller(call): Caller, link: Result<Query<Link>, QueryRejection>) -> Response {
    let link = link.ok().map(|Query(link)| link);
    let Some(secret) = link.as_ref().and_then(Link::secret) else { return failed(&site) };
    match recovery::inspect(site.shared.core(), &call, &open(secret).0).await {
        Ok(()) => show(&site, StatusCode::OK, secret, None),
        Err(Error::Refused(Refusal::TicketInvalid)) => failed(&site),
        Err(error) => site.problem(&error),
    }
}

/// Sets the password.
pub(super) async fn confirm(State(site): State<Site>, Caller(call): Caller, headers: HeaderMap, body: Body) -> Response {
    let form: Form = match read_form(&headers, body, site.shared.max_body()).await {
        Ok(form) => form,
        Err(error) => return site.unreadable(&error),
    };
    let Some(secret) = form.link.secret() else { return failed(&site) };
    let (code, user_id) = open(secret);
    match recovery::confirm(site.shared.core(), &call, &code, user_id, &form.password).await {
        Ok(()) => site.respond(StatusCode::OK, &Page::ResetDone),
        Err(Error::Refused(Refusal::PasswordRejected(problems))) => {
            let told = PasswordProblem::messages(&problems);
            show(&site, StatusCode::UNPROCESSABLE_ENTITY, secret, Some(&told))
        }
        Err(Error::Refused(Refusal::TicketInvalid)) => failed(&site),
        Err(error) => site.problem(&error),
    }
}

fn show(site: &Site, status: StatusCode, secret: ResetSecret<'_>, problem: Option<&str>) -> Response {
    let password_minimum = site.shared.core().policy().passwords.min_length;
    site.respond(status, &Page::ResetForm(ResetForm { secret, password_minimum, problem }))
}

fn failed(site: &Site) -> Response {
    site.respond(StatusCode::BAD_REQUEST, &Page::ResetFailed)
}
