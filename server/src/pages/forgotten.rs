//! `/forgotten`: asking for a link that sets a new password. The answer is the same whether or not anybody has that name.

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::posted::{Posted, Sent};
use super::render::View;
use super::sign_in::refused;
use super::visit::{HOME, Turned, Visit};
use crate::core::flows::recovery;
use crate::core::model::Identifier;
use crate::core::outbox::LinkForm;

/// The form.
#[derive(Default, Serialize)]
pub(super) struct Forgotten {
    identifier: String,
    problem: Option<String>,
}

impl View for Forgotten {
    const TEMPLATE: &'static str = "forgotten.html";

    fn samples() -> Vec<Self> {
        vec![Self { identifier: "Sample".to_owned(), problem: Some("Sample".to_owned()) }, Self::default()]
    }
}

/// A link is on its way, perhaps.
#[derive(Serialize)]
pub(super) struct Mailed {
    valid_for: String,
}

impl View for Mailed {
    const TEMPLATE: &'static str = "check_mail.html";

    fn samples() -> Vec<Self> {
        vec![Self { valid_for: "Sample".to_owned() }]
    }
}

#[derive(Deserialize)]
pub(super) struct Form {
    identifier: String,
}

/// Shows the form.
pub(super) async fn form(visit: Visit) -> Response {
    visit.show(StatusCode::OK, &Forgotten::default())
}

/// Asks for the link.
pub(super) async fn submit(Posted { visit, sent }: Posted<Form>) -> Result<Response, Turned> {
    let form = match sent {
        Sent::Fresh(form) => form,
        Sent::Stale(Form { identifier }) => {
            let problem = Some(visit.say("stale.form", &[]));
            return Ok(visit.show(StatusCode::FORBIDDEN, &Forgotten { identifier, problem }));
        }
    };
    let identifier = Identifier::any(&form.identifier);
    match recovery::request(visit.core(), &visit.call, &identifier, LinkForm::CodeAndUser).await {
        Ok(()) => Ok(visit.go("/check-your-mail", None)),
        Err(error) => {
            let Some(told) = refused(&visit, &error, "problem.other") else { return Err(visit.turn(&error, HOME)) };
            let view = Forgotten { identifier: form.identifier, problem: Some(told.told.clone()) };
            Ok(told.on(visit.show(told.status, &view)))
        }
    }
}

/// Says where to look.
pub(super) async fn sent(visit: Visit) -> Response {
    let valid_for = visit.span(visit.core().policy().tickets.recovery);
    visit.show(StatusCode::OK, &Mailed { valid_for })
}
