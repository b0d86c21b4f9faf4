//! `/admin/applications/{id}/networks`: from where an application may be used.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::applications::{LIST, SECTION, listed, networks};
use super::nothing;
use crate::core::flows::applications;
use crate::core::flows::authority::Authority;
use crate::core::flows::session::Need;
use crate::core::model::{Application, ApplicationId};
use crate::pages::notice::Notice;
use crate::pages::posted::{Posted, Sent};
use crate::pages::problem;
use crate::pages::render::View;
use crate::pages::return_to::with_typed;
use crate::pages::visit::{Turned, Visit};

/// The form.
#[derive(Serialize)]
pub(in crate::pages) struct Networks {
    section: &'static str,
    id: String,
    name: String,
    networks: String,
    problem: Option<String>,
    networks_problem: Option<String>,
}

impl Networks {
    fn of(application: &Application, networks: String) -> Self {
        let (id, name) = (application.id.to_string(), application.name.clone());
        Self { section: SECTION, id, name, networks, problem: None, networks_problem: None }
    }
}

impl View for Networks {
    const TEMPLATE: &'static str = "admin/application_networks.html";

    fn samples() -> Vec<Self> {
        let (text, some) = (|| "Sample".to_owned(), || Some("Sample".to_owned()));
        let plain =
            || Self { section: SECTION, id: text(), name: text(), networks: text(), problem: None, networks_problem: None };
        vec![Self { problem: some(), networks_problem: some(), ..plain() }, plain()]
    }
}

#[derive(Deserialize, Serialize)]
pub(in crate::pages) struct Form {
    /// Separated by commas or spaces; none: from anywhere.
    networks: String,
}

fn here(id: &str) -> String {
    format!("{LIST}/{id}/networks")
}

/// One that is not revoked; of any other there is nothing to change.
async fn application(visit: &Visit, authority: Authority, id: ApplicationId) -> Result<Application, Turned> {
    let found = applications::show(visit.core(), authority, id).await.map_err(|error| visit.turn(&error, LIST))?;
    if found.revoked_at.is_some() { Err(nothing(visit).into()) } else { Ok(found) }
}

/// Shows the form with the networks as they are, or as they were typed before a new sign-in.
pub(in crate::pages) async fn form(Path(id): Path<String>, mut visit: Visit) -> Result<Response, Turned> {
    let back = visit.here.clone();
    let authority = visit.administrator(Need::Full, &back).await?;
    let id = visit.known(&id)?;
    let found = application(&visit, authority, id).await?;
    let typed = visit.query("networks").map_or_else(|| listed(&found), str::to_owned);
    Ok(visit.show(StatusCode::OK, &Networks::of(&found, typed)))
}

/// Puts those that were typed in their place.
pub(in crate::pages) async fn submit(
    Path(id): Path<String>,
    Posted { mut visit, sent }: Posted<Form>,
) -> Result<Response, Turned> {
    let form = match sent {
        Sent::Fresh(form) => form,
        Sent::Stale(form) => return stale(visit, &id, form).await,
    };
    let authority = visit.administrator(Need::Recent, &with_typed(&here(&id), &form)).await?;
    let id = visit.known(&id)?;
    let found = application(&visit, authority, id).await?;
    let Ok(read) = networks(&form.networks) else {
        let networks_problem = Some(visit.say("admin.networks_wrong", &[]));
        let view = Networks { networks_problem, ..Networks::of(&found, form.networks) };
        return Ok(visit.show(StatusCode::UNPROCESSABLE_ENTITY, &view));
    };
    match applications::limit(visit.core(), &visit.call, authority, id, read).await {
        Ok(_) => Ok(visit.go(LIST, Some(Notice::ApplicationLimited))),
        Err(error) => Err(visit.turn(&error, LIST)),
    }
}

/// The form once more, with what was typed, if it is still one's to fill in.
async fn stale(mut visit: Visit, id: &str, form: Form) -> Result<Response, Turned> {
    let authority = visit.administrator(Need::Full, &with_typed(&here(id), &form)).await?;
    let found = match visit.known(id) {
        Ok(id) => application(&visit, authority, id).await,
        Err(turned) => Err(turned),
    };
    let Ok(found) = found else {
        return Ok(problem::told(&visit, StatusCode::FORBIDDEN, "stale.title", "stale.text"));
    };
    let problem = Some(visit.say("stale.form", &[]));
    Ok(visit.show(StatusCode::FORBIDDEN, &Networks { problem, ..Networks::of(&found, form.networks) }))
}
