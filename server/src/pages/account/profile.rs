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

    /// The form once more, as it was sent.
    fn again(self) -> Names {
        Names { first_name: self.first_name, last_name: self.last_name, ..Names::default() }
    }
}

/// Shows the form with the names as they are, or as they were typed before a new sign-in.
pub(in crate::pages) async fn form(mut visit: Visit) -> Result<Response, Turned> {
    let here = visit.here.clone();
    let user = visit.signed_in(Need::Full, &here).await?.user;
    let typed = ["first_name", "last_name"].map(|name| visit.query(name).map(str::to_owned));
    let [first_name, last_name] = if typed.iter().any(Option::is_some) {
        typed.map(Option::unwrap_or_default)
    } else {
        [user.first_name, user.last_name].map(|name| name.as_str().to_owned())
    };
    Ok(visit.show(StatusCode::OK, &Names { first_name, last_name, ..Names::default() }))
}

/// Changes them.
pub(in crate::pages) async fn submit(Posted { mut visit, sent }: Posted<Form>) -> Result<Response, Turned> {
    let form = match sent {
        Sent::Fresh(form) => form,
        Sent::Stale(form) => {
            let (problem, here) = (Some(visit.say("stale.form", &[])), form.here());
            return show(&mut visit, &here, StatusCode::FORBIDDEN, Names { problem, ..form.again() }).await;
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
            let (here, mut view) = (form.here(), form.again());
            match field {
                "first_name" => view.first_name_problem = told,
                _ => view.last_name_problem = told,
            }
            show(&mut visit, &here, StatusCode::UNPROCESSABLE_ENTITY, view).await
        }
        Err(error) => Err(visit.turn(&error, &form.here())),
    }
}

async fn show(visit: &mut Visit, here: &str, status: StatusCode, view: Names) -> Result<Response, Turned> {
    visit.signed_in(Need::Full, here).await?;
    Ok(visit.show(status, &view))
}
