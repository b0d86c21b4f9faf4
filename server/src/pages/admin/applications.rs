//! `/admin/applications`: registering, new secrets, revoking. Secrets are on the answer to the form that made them, and nowhere else.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::core::flows::applications::{self, Registered, Registration};
use crate::core::flows::authority::Authority;
use crate::core::flows::session::Need;
use crate::core::model::{Application, ApplicationId, Network};
use crate::core::{Error, Refusal, Result as Outcome};
use crate::locale::minute;
use crate::pages::notice::Notice;
use crate::pages::posted::{Action, Nothing, Posted, Sent};
use crate::pages::render::View;
use crate::pages::return_to::with_typed;
use crate::pages::visit::{Turned, Visit};

/// The list, and the form that registers one.
#[derive(Default, Serialize)]
pub(in crate::pages) struct Applications {
    section: &'static str,
    name: String,
    networks: String,
    suffices: bool,
    problem: Option<String>,
    name_problem: Option<String>,
    networks_problem: Option<String>,
    applications: Vec<Row>,
    next: Option<String>,
}

/// An application.
#[derive(Serialize)]
struct Row {
    id: String,
    name: String,
    networks: String,
    suffices: bool,
    created: String,
    revoked: Option<String>,
}

/// Its secrets, once.
#[derive(Serialize)]
pub(in crate::pages) struct Secrets {
    section: &'static str,
    name: String,
    app_id: String,
    consumer_key: String,
    access_token: String,
}

impl Row {
    fn of(application: &Application) -> Self {
        Self {
            id: application.id.to_string(),
            name: application.name.clone(),
            networks: listed(application),
            suffices: application.one_time_token_suffices,
            created: minute(application.created_at),
            revoked: application.revoked_at.map(minute),
        }
    }
}

impl View for Applications {
    const TEMPLATE: &'static str = "admin/applications.html";

    fn samples() -> Vec<Self> {
        let text = || "Sample".to_owned();
        let some = || Some(text());
        let row = |suffices: bool| {
            let networks = if suffices { text() } else { String::new() };
            Row { id: text(), name: text(), networks, suffices, created: text(), revoked: suffices.then(text) }
        };
        let full = Self {
            section: SECTION,
            name: text(),
            networks: text(),
            suffices: true,
            problem: some(),
            name_problem: some(),
            networks_problem: some(),
            applications: vec![row(true), row(false)],
            next: some(),
        };
        vec![full, Self::default()]
    }
}

impl View for Secrets {
    const TEMPLATE: &'static str = "admin/application_secrets.html";

    fn samples() -> Vec<Self> {
        let text = || "Sample".to_owned();
        let (name, app_id, consumer_key, access_token) = (text(), text(), text(), text());
        vec![Self { section: SECTION, name, app_id, consumer_key, access_token }]
    }
}

pub(super) const SECTION: &str = "applications";
pub(super) const LIST: &str = "/admin/applications";
const SHOWN: i64 = 50;

#[derive(Default, Deserialize, Serialize)]
pub(in crate::pages) struct Form {
    name: String,
    /// Separated by commas or spaces; none: from anywhere.
    networks: String,
    /// `yes`: the one-time token stands for the access code.
    suffices: String,
}

impl Form {
    fn read(&self) -> Result<Registration, Refusal> {
        let networks = networks(&self.networks)?;
        Ok(Registration { name: self.name.clone(), networks, one_time_token_suffices: self.suffices == "yes" })
    }
}

/// Separated by commas or spaces.
pub(super) fn networks(text: &str) -> Result<Vec<Network>, Refusal> {
    text.split([',', ' ']).filter(|network| !network.is_empty()).map(str::parse).collect()
}

/// As they are read.
pub(super) fn listed(application: &Application) -> String {
    application.networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What is wrong with the form.
#[derive(Default)]
struct Wrong {
    form: Option<String>,
    name: Option<String>,
    networks: Option<String>,
}

/// Shows them.
pub(in crate::pages) async fn list(mut visit: Visit) -> Result<Response, Turned> {
    let here = visit.here.clone();
    let authority = visit.administrator(Need::Full, &here).await?;
    show(&visit, authority, StatusCode::OK, visit.typed(), Wrong::default()).await
}

async fn show(visit: &Visit, authority: Authority, status: StatusCode, form: Form, wrong: Wrong) -> Result<Response, Turned> {
    let found = applications::list(visit.core(), authority, visit.page(SHOWN)).await;
    let found = found.map_err(|error| visit.turn(&error, LIST))?;
    let view = Applications {
        section: SECTION,
        suffices: form.suffices == "yes",
        name: form.name,
        networks: form.networks,
        problem: wrong.form,
        name_problem: wrong.name,
        networks_problem: wrong.networks,
        applications: found.items.iter().map(Row::of).collect(),
        next: found.next,
    };
    Ok(visit.show(status, &view))
}

/// Registers one, and shows its secrets.
pub(in crate::pages) async fn create(Posted { mut visit, sent }: Posted<Form>) -> Result<Response, Turned> {
    let form = match sent {
        Sent::Fresh(form) => form,
        Sent::Stale(form) => {
            let authority = visit.administrator(Need::Full, &with_typed(LIST, &form)).await?;
            let wrong = Wrong { form: Some(visit.say("stale.form", &[])), ..Wrong::default() };
            return show(&visit, authority, StatusCode::FORBIDDEN, form, wrong).await;
        }
    };
    let back = with_typed(LIST, &form);
    let authority = visit.administrator(Need::Recent, &back).await?;
    let made: Outcome<Registered> = match form.read() {
        Ok(registration) => applications::create(visit.core(), &visit.call, authority, registration).await,
        Err(refusal) => Err(refusal.into()),
    };
    let wrong = match made {
        Ok(registered) => return Ok(once(&visit, &registered)),
        Err(Error::Refused(Refusal::Invalid { field: "networks", .. })) => {
            Wrong { networks: Some(visit.say("admin.networks_wrong", &[])), ..Wrong::default() }
        }
        Err(Error::Refused(Refusal::Invalid { .. })) => {
            Wrong { name: Some(visit.say("admin.application_name_wrong", &[])), ..Wrong::default() }
        }
        Err(error) => return Err(visit.turn(&error, &back)),
    };
    show(&visit, authority, StatusCode::UNPROCESSABLE_ENTITY, form, wrong).await
}

fn once(visit: &Visit, registered: &Registered) -> Response {
    let view = Secrets {
        section: SECTION,
        name: registered.application.name.clone(),
        app_id: registered.application.id.to_string(),
        consumer_key: registered.consumer_key.reveal().to_owned(),
        access_token: registered.access_token.reveal().to_owned(),
    };
    visit.show(StatusCode::OK, &view)
}

/// The page with new secrets is at this address; what leads back to it has none.
pub(in crate::pages) async fn back(visit: Visit) -> Response {
    visit.go(LIST, None)
}

/// Gives one new secrets, and shows them.
pub(in crate::pages) async fn rotate(
    Path(id): Path<String>,
    Action(mut visit, Nothing {}): Action<Nothing>,
) -> Result<Response, Turned> {
    let authority = visit.administrator(Need::Recent, LIST).await?;
    let id: ApplicationId = visit.known(&id)?;
    match applications::rotate(visit.core(), &visit.call, authority, id).await {
        Ok(registered) => Ok(once(&visit, &registered)),
        Err(error) => Err(visit.turn(&error, LIST)),
    }
}

/// Revokes one.
pub(in crate::pages) async fn revoke(
    Path(id): Path<String>,
    Action(mut visit, Nothing {}): Action<Nothing>,
) -> Result<Response, Turned> {
    let authority = visit.administrator(Need::Recent, LIST).await?;
    let id: ApplicationId = visit.known(&id)?;
    match applications::revoke(visit.core(), &visit.call, authority, id).await {
        Ok(()) => Ok(visit.go(LIST, Some(Notice::ApplicationRevoked))),
        Err(error) => Err(visit.turn(&error, LIST)),
    }
}
