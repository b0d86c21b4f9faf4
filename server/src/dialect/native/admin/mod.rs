//! `/admin/v1`: for administrators. Every handler asks for an [`super::auth::Administrator`]; no flow behind them can be called without.

mod applications;
mod audit;
mod counts;
mod invitations;
mod mail;
mod sessions;
mod users;
mod view;
mod wire;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::dialect::shared::Shared;

/// The URL table.
pub(super) fn table() -> OpenApiRouter<Shared> {
    OpenApiRouter::default()
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::show, users::delete))
        .routes(routes!(users::disable))
        .routes(routes!(users::enable))
        .routes(routes!(users::send_recovery))
        .routes(routes!(users::remove_key))
        .routes(routes!(users::remove_totp))
        .routes(routes!(sessions::list_of_user, sessions::end_of_user))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::end))
        .routes(routes!(invitations::list, invitations::create))
        .routes(routes!(invitations::revoke))
        .routes(routes!(invitations::reissue))
        .routes(routes!(applications::list, applications::create))
        .routes(routes!(applications::rotate))
        .routes(routes!(applications::change, applications::revoke))
        .routes(routes!(mail::list))
        .routes(routes!(mail::show))
        .routes(routes!(mail::preview))
        .routes(routes!(mail::retry))
        .routes(routes!(audit::list))
        .routes(routes!(counts::sign_ins))
}
