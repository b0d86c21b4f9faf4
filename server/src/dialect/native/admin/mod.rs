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

use crate::dialect::urls::urls;

urls![
    users::list,
    users::create,
    users::show,
    users::delete,
    users::disable,
    users::enable,
    users::send_recovery,
    users::remove_key,
    users::remove_totp,
    sessions::list_of_user,
    sessions::end_of_user,
    sessions::list,
    sessions::end,
    invitations::list,
    invitations::create,
    invitations::revoke,
    invitations::reissue,
    applications::list,
    applications::create,
    applications::rotate,
    applications::change,
    applications::revoke,
    mail::list,
    mail::show,
    mail::preview,
    mail::retry,
    audit::list,
    counts::sign_ins,
];
