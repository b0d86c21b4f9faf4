//! `/admin/v1`: for administrators. Every handler asks for an [`super::auth::Administrator`]; no flow behind them can be called without.

mod applications;
mod audit;
mod invitations;
mod mail;
mod sessions;
mod users;
mod view;
mod wire;

use axum::Router;
use axum::routing::{delete, get, post};

use crate::dialect::shared::Shared;

/// The URL table.
pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/admin/v1/users", get(users::list).post(users::create))
        .route("/admin/v1/users/{user}", get(users::show).delete(users::delete))
        .route("/admin/v1/users/{user}/disable", post(users::disable))
        .route("/admin/v1/users/{user}/enable", post(users::enable))
        .route("/admin/v1/users/{user}/recovery", post(users::send_recovery))
        .route("/admin/v1/users/{user}/sessions", get(sessions::list_of_user).delete(sessions::end_of_user))
        .route("/admin/v1/users/{user}/keys/{id}", delete(users::remove_key))
        .route("/admin/v1/users/{user}/totp", delete(users::remove_totp))
        .route("/admin/v1/invitations", get(invitations::list).post(invitations::create))
        .route("/admin/v1/invitations/{id}", delete(invitations::revoke))
        .route("/admin/v1/applications", get(applications::list).post(applications::create))
        .route("/admin/v1/applications/{id}", delete(applications::revoke))
        .route("/admin/v1/applications/{id}/rotate", post(applications::rotate))
        .route("/admin/v1/sessions", get(sessions::list))
        .route("/admin/v1/sessions/{id}", delete(sessions::end))
        .route("/admin/v1/mail", get(mail::list))
        .route("/admin/v1/mail/{id}", get(mail::show))
        .route("/admin/v1/mail/{id}/retry", post(mail::retry))
        .route("/admin/v1/audit", get(audit::list))
}
