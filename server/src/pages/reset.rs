//! `/reset`: choosing a new password with a mailed link. Opening it shows a form and spends nothing: mail scanners open links.

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::form::password_problems;
use super::notice::Notice;
use super::posted::{Posted, Sent};
use super::problem;
use super::render::View;
use super::visit::{HOME, Turned, Visit};
use crate::core::flows::recovery;
use crate::core::token::Secret;
use crate::core::{Error, Refusal};

/// The form. The secret travels in hidden fields, in the form in which the link carried it.
#[derive(Default, Serialize)]
pub(super) struct Reset {
    code: Option<String>,
    user_id: Option<String>,
    token: Option<String>,
    minimum: usize,
    problem: Option<String>,
}

impl View for Reset {
    const TEMPLATE: &'static str = "reset_form.html";

    fn samples() -> Vec<Self> {
        let text = || Some("Sample".to_owned());
        vec![
            Self { code: text(), user_id: text(), token: None, minimum: 8, problem: text() },
            Self { token: text(), minimum: 8, ..Self::default() },
        ]
    }
}

/// The link is unknown, spent or expired.
#[derive(Serialize)]
pub(super) struct Failed {}

impl View for Failed {
    const TEMPLATE: &'static str = "reset_failed.html";

    fn samples() -> Vec<Self> {
        vec![Self {}]
    }
}

/// The secret as a link carries it: `code` and `user_id`, or `token`.
#[derive(Clone, Deserialize)]
struct Link {
    code: Option<String>,
    user_id: Option<String>,
    token: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Form {
    #[serde(flatten)]
    link: Link,
    password: Secret,
}

impl Link {
    /// The secret, and whose it claims to be.
    fn secret(&self) -> Option<(Secret, Option<&str>)> {
        match (&self.code, &self.user_id, &self.token) {
            (Some(code), Some(user_id), None) => Some((Secret::new(code.as_str()), Some(user_id))),
            (None, None, Some(token)) => Some((Secret::new(token.as_str()), None)),
            _ => None,
        }
    }
}

/// Shows the form.
pub(super) async fn form(visit: Visit) -> Result<Response, Turned> {
    let part = |name| visit.query(name).map(str::to_owned);
    let link = Link { code: part("code"), user_id: part("user_id"), token: part("token") };
    let Some((secret, _)) = link.secret() else { return Ok(failed(&visit)) };
    match recovery::inspect(visit.core(), &visit.call, &secret).await {
        Ok(()) => Ok(show(&visit, StatusCode::OK, link, None)),
        Err(Error::Refused(Refusal::TicketInvalid)) => Ok(failed(&visit)),
        Err(error) => Err(visit.turn(&error, HOME)),
    }
}

/// Sets the password.
pub(super) async fn submit(Posted { visit, sent }: Posted<Form>) -> Result<Response, Turned> {
    let Form { link, password } = match sent {
        Sent::Fresh(form) => form,
        Sent::Stale(form) => {
            let problem = visit.say("stale.form", &[]);
            return Ok(show(&visit, StatusCode::FORBIDDEN, form.link, Some(problem)));
        }
    };
    let set = match link.secret() {
        Some((secret, user_id)) => recovery::confirm(visit.core(), &visit.call, &secret, user_id, &password).await,
        None => Err(Refusal::TicketInvalid.into()),
    };
    match set {
        Ok(()) => Ok(visit.go("/sign-in", Some(Notice::PasswordSet))),
        Err(Error::Refused(Refusal::PasswordRejected(problems))) => {
            let told = password_problems(&visit, &problems);
            Ok(show(&visit, StatusCode::UNPROCESSABLE_ENTITY, link, Some(told)))
        }
        Err(Error::Refused(Refusal::TicketInvalid)) => Ok(failed(&visit)),
        Err(error) => {
            let Some(later) = problem::later(&visit, &error) else { return Err(visit.turn(&error, HOME)) };
            Ok(later.on(show(&visit, later.status, link, Some(later.told.clone()))))
        }
    }
}

fn show(visit: &Visit, status: StatusCode, link: Link, problem: Option<String>) -> Response {
    let minimum = visit.core().policy().passwords.min_length;
    let Link { code, user_id, token } = link;
    visit.show(status, &Reset { code, user_id, token, minimum, problem })
}

fn failed(visit: &Visit) -> Response {
    visit.show(StatusCode::BAD_REQUEST, &Failed {})
}
