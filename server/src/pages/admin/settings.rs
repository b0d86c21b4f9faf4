//! `/admin/settings`: the configuration as it is in force, secrets masked. It is changed where it stands: in the file, by the operator.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::core::flows::session::Need;
use crate::pages::render::View;
use crate::pages::visit::{Turned, Visit};

/// All of it.
#[derive(Default, Serialize)]
pub(in crate::pages) struct Settings {
    section: &'static str,
    settings: Vec<(String, String)>,
}

impl View for Settings {
    const TEMPLATE: &'static str = "admin/settings.html";

    fn samples() -> Vec<Self> {
        let text = || "Sample".to_owned();
        vec![Self { section: "settings", settings: vec![(text(), text())] }, Self::default()]
    }
}

/// Shows it.
pub(in crate::pages) async fn show(mut visit: Visit) -> Result<Response, Turned> {
    visit.administrator(Need::Full, "/admin/settings").await?;
    let settings = visit.site.settings.to_vec();
    Ok(visit.show(StatusCode::OK, &Settings { section: "settings", settings }))
}
