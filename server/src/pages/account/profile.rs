//! `/account/profile`: one's own names.

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::core::flows::profile::{self, Changes};
use crate::core::flows::session::Need;
use crate::core::model::PersonName;
use crate::core::{Error, Refusal};
use crate::pages::notice::Notice;
use crate::pages::posted::{Posted, Sent};
use crate::pages::problem;
use crate::pages::render::View;
use crate::pages::return_to::with_typed;
use crate::pages::visit::{HOME, Turned, Visit};

const HERE: &str = "/account/profile";

/// The form.
#[derive(Default, Serialize)]
pub(in crate::pages) struct Names {
    first_name: String,
    last_name: String,
    problem: Option<String>,
    first_name_problem: Option<String>,
    last_name_problem: Option<String>,
}

impl View for Names {
    const TEMPLATE: &'static str = "account_profile.html";

    fn samples() -> Vec<Self> {
        let (text, told) = (|| "Sample".to_owned(), || Some("Sample".to_owned()));
        let full = Self {
            first_name: text(),
            last_name: text(),
            problem: told(),
            first_name_problem: told(),
            last_name_problem: told(),
        };
        vec![full, Self::default()]
    }
}

#[derive(Deserialize, Serialize)]
pub(in crate::pages) struct Form {
    first_name: String,
    last_name: String,
}

impl Form {
    fn read(&self) -> Result<Changes, Refusal> {
        let first_name = Some(PersonName::parse("first_name", &self.first_name)?);
        Ok(Changes { first_name, last_name: Some(PersonName::parse("last_name", &self.last_name)?) })
    }

    /// Here, with what was typed.
    fn here(&self) -> String {
        with_typed(HERE, self)
    }
}

/// Shows the form with the names as they are, or as they were typed before one had to sign in again.
pub(in crate::pages) async fn form(mut visit: Visit) -> Result<Response, Turned> {
    let back = visit.here.clone();
    let user = visit.signed_in(Need::Full, &back).await?.user;
    let name = |field, now: &PersonName| visit.query(field).unwrap_or(now.as_str()).to_owned();
    let (first_name, last_name) = (name("first_name", &user.first_name), name("last_name", &user.last_name));
    Ok(visit.show(StatusCode::OK, &Names { first_name, last_name, ..Names::default() }))
}

/// Changes them.
pub(in crate::pages) async fn submit(Posted { mut visit, sent }: Posted<Form>) -> Result<Response, Turned> {
    let form = match sent {
        Sent::Fresh(form) => form,
        Sent::Stale(form) => {
            let problem = Some(visit.say("stale.form", &[]));
            return show(&mut visit, StatusCode::FORBIDDEN, &form, |view| view.problem = problem).await;
        }
    };
    let changed = match form.read() {
        Ok(changes) => profile::change(visit.core(), &visit.call, &visit.presented, changes).await,
        Err(refusal) => Err(refusal.into()),
    };
    match changed {
        Ok(_) => Ok(visit.go(HOME, Some(Notice::NameChanged))),
        Err(Error::Refused(Refusal::Invalid { field, .. })) => {
            let told = Some(visit.say("invitation.name_wrong", &[]));
            let put = |view: &mut Names| match field {
                "first_name" => view.first_name_problem = told,
                _ => view.last_name_problem = told,
            };
            show(&mut visit, StatusCode::UNPROCESSABLE_ENTITY, &form, put).await
        }
        Err(error) => {
            let Some(later) = problem::later(&visit, &error) else { return Err(visit.turn(&error, &form.here())) };
            let problem = Some(later.told.clone());
            Ok(later.on(show(&mut visit, later.status, &form, |view| view.problem = problem).await?))
        }
    }
}

/// The form once more, with what was typed.
async fn show(visit: &mut Visit, status: StatusCode, form: &Form, put: impl FnOnce(&mut Names)) -> Result<Response, Turned> {
    visit.signed_in(Need::Full, &form.here()).await?;
    let mut view = Names { first_name: form.first_name.clone(), last_name: form.last_name.clone(), ..Names::default() };
    put(&mut view);
    Ok(visit.show(status, &view))
}
