//! `/admin`: the console for administrators. Every handler begins with [`Visit::administrator`]; no flow behind them can be called
//! without the authority that it gives.

pub(super) mod application_networks;
pub(super) mod applications;
pub(super) mod audit;
mod csv;
pub(super) mod dashboard;
pub(super) mod invitations;
pub(super) mod line;
pub(super) mod mail;
pub(super) mod settings;
pub(super) mod user;
pub(super) mod users;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::de::DeserializeOwned;

use super::Site;
use super::problem;
use super::visit::{Turned, Visit};
use crate::core::flows::authority::{Authority, check_administrator};
use crate::core::flows::second_factor_choice::choice;
use crate::core::flows::session::Need;
use crate::core::model::{Page, SessionState};
use crate::core::{Error, Refusal};
use crate::http::body::parse_form;

/// The URL table.
pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/admin", get(dashboard::show))
        .route("/admin/users", get(users::list))
        .route("/admin/users/{id}", get(user::show))
        .route("/admin/users/{id}/disable", post(user::disable))
        .route("/admin/users/{id}/enable", post(user::enable))
        .route("/admin/users/{id}/recovery", post(user::send_recovery))
        .route("/admin/users/{id}/keys/{key}/remove", post(user::remove_key))
        .route("/admin/users/{id}/app/remove", post(user::remove_app))
        .route("/admin/users/{id}/sessions/end", post(user::end_sessions))
        .route("/admin/users/{id}/sessions/{session}/end", post(user::end_session))
        .route("/admin/invitations", get(invitations::list).post(invitations::create))
        .route("/admin/invitations/{id}/reissue", post(invitations::reissue))
        .route("/admin/invitations/{id}/revoke", post(invitations::revoke))
        .route("/admin/applications", get(applications::list).post(applications::create))
        .route("/admin/applications/{id}/rotate", get(applications::back).post(applications::rotate))
        .route("/admin/applications/{id}/networks", get(application_networks::form).post(application_networks::submit))
        .route("/admin/applications/{id}/revoke", post(applications::revoke))
        .route("/admin/mail", get(mail::list))
        .route("/admin/mail/{id}", get(mail::show))
        .route("/admin/mail/{id}/html", get(mail::html))
        .route("/admin/mail/{id}/retry", post(mail::retry))
        .route("/admin/audit", get(audit::list))
        .route("/admin/audit.csv", get(audit::export))
        .route("/admin/settings", get(settings::show))
}

impl Visit {
    /// An administrator's authority. Who is not signed in goes to sign in, and comes back to `back`; for anybody else there is nothing
    /// here.
    pub(super) async fn administrator(&mut self, need: Need, back: &str) -> Result<Authority, Turned> {
        match check_administrator(self.core(), &self.call, &self.presented, need).await {
            Ok((authority, user)) => {
                self.known_as(&user);
                Ok(authority)
            }
            Err(Error::Refused(Refusal::NotPermitted)) => Err(nothing(self).into()),
            Err(Error::Refused(Refusal::SecondFactorOwed)) if self.has_no_second_factor().await => {
                Err(problem::told(self, StatusCode::FORBIDDEN, "admin.factor_title", "admin.factor_text").into())
            }
            Err(error) => Err(self.turn(&error, back)),
        }
    }

    /// Whether the page that asks for a second factor would have none to ask for.
    async fn has_no_second_factor(&self) -> bool {
        let found = choice(self.core(), &self.call, &self.presented).await;
        found.is_ok_and(|(checked, choice)| checked.session.state == SessionState::Full && !choice.security_key && !choice.totp)
    }

    /// What is no id is nobody's; it is told after the check of who asks.
    fn known<T: std::str::FromStr>(&self, id: &str) -> Result<T, Turned> {
        id.parse().map_err(|_| nothing(self).into())
    }

    /// A list's form as it was typed before one had to sign in again, as [`with_typed`](super::return_to::with_typed) has it; else empty.
    fn typed<F: DeserializeOwned + Default>(&self) -> F {
        let query = self.here.split_once('?').map_or("", |(_, query)| query);
        parse_form(query.as_bytes()).unwrap_or_default()
    }

    /// The piece of a list that the query asks for.
    fn page(&self, limit: i64) -> Page {
        Page::new(self.query("after").and_then(Page::cursor), Some(limit))
    }

    /// What an act met: a way on, or the words for what stands in its way.
    fn refused_act(&self, error: &Error, back: &str, conflict: &str) -> Turned {
        match error {
            Error::Refused(Refusal::Conflict { .. }) => {
                problem::told(self, StatusCode::CONFLICT, "problem.other_title", conflict).into()
            }
            error => self.turn(error, back),
        }
    }
}

fn nothing(visit: &Visit) -> Response {
    problem::page(visit, &Refusal::NotFound.into())
}
