//! `/admin/v1/users`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::super::auth::Administrator;
use super::super::document::{Always, Changes, Conflicts, Forbidden, NewPassword, Reads, Unauthorized, Unknown};
use super::super::error::Problem;
use super::super::read::{Body, Id, Query, UserReference, page};
use super::super::wire::Items;
use super::wire::{self, User, UserDetail, UsersQuery};
use crate::core::Refusal;
use crate::core::flows::users::{self, NewUser};
use crate::core::model::{Email, PersonName, Role, SecurityKeyId, Username};
use crate::core::outbox::LinkForm;
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

/// List or search users
#[utoipa::path(
    get, path = "/admin/v1/users", operation_id = "listUsers", tag = "Users",
    security(("bearer" = []), ("cookie" = [])), params(UsersQuery),
    responses((status = 200, description = "A page of users", body = Items<User>), Always, Unauthorized, Forbidden),
)]
pub(super) async fn list(
    State(shared): State<Shared>,
    Administrator(authority): Administrator,
    Query(query): Query<UsersQuery>,
) -> Result<Json<Items<User>>, Problem> {
    let UsersQuery { after, limit, search } = query;
    let Some(prefix) = search else {
        let page = page(after.as_deref(), limit.as_deref())?;
        return Ok(Json(Items::of(&users::list(shared.core(), authority, page).await?, User::from)));
    };
    if after.is_some() || limit.is_some() {
        let problem = "A search is answered in one piece: it goes without `after` and `limit`.";
        return Err(Refusal::Invalid { field: "search", problem }.into());
    }
    Ok(Json(Items::whole(&users::search(shared.core(), authority, &prefix).await?, User::from)))
}

impl wire::NewUser {
    fn read(self) -> Result<NewUser, Refusal> {
        Ok(NewUser {
            username: Username::parse(&self.username)?,
            email: Email::parse(&self.email)?,
            first_name: PersonName::parse("first_name", &self.first_name)?,
            last_name: PersonName::parse("last_name", &self.last_name)?,
            role: self.role.unwrap_or(Role::Member),
            verified: self.email_verified,
            password: self.password,
        })
    }
}

/// Create a user
#[utoipa::path(
    post, path = "/admin/v1/users", operation_id = "createUser", tag = "Users",
    security(("bearer" = []), ("cookie" = [])), request_body = wire::NewUser,
    responses(
        (status = 201, description = "The user", body = User),
        Always, Changes, Unauthorized, Forbidden, Reads, Conflicts, NewPassword,
    ),
)]
pub(super) async fn create(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Administrator(authority): Administrator,
    Body(body): Body<wire::NewUser>,
) -> Result<(StatusCode, Json<User>), Problem> {
    let user = users::create(shared.core(), &call, authority, body.read()?).await?;
    Ok((StatusCode::CREATED, Json((&user).into())))
}

/// Show a user
#[utoipa::path(
    get, path = "/admin/v1/users/{user}", operation_id = "showUser", tag = "Users",
    security(("bearer" = []), ("cookie" = [])),
    params(("user" = String, Path, min_length = 1, max_length = 254, description = "Id, username or e-mail address")),
    responses(
        (status = 200, description = "The user, with security keys", body = UserDetail),
        Always, Unauthorized, Forbidden, Unknown,
    ),
)]
pub(super) async fn show(
    State(shared): State<Shared>,
    Administrator(authority): Administrator,
    UserReference(user): UserReference,
) -> Result<Json<UserDetail>, Problem> {
    Ok(Json((&users::find(shared.core(), authority, &user).await?).into()))
}

/// Disable a user
#[utoipa::path(
    post, path = "/admin/v1/users/{user}/disable", operation_id = "disableUser", tag = "Users",
    security(("bearer" = []), ("cookie" = [])),
    params(("user" = String, Path, min_length = 1, max_length = 254, description = "Id, username or e-mail address")),
    responses(
        (status = 200, description = "The user; all that was open in their name has ended", body = User),
        Always, Changes, Unauthorized, Forbidden, Unknown, Conflicts,
    ),
)]
pub(super) async fn disable(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Administrator(authority): Administrator,
    UserReference(user): UserReference,
) -> Result<Json<User>, Problem> {
    Ok(Json((&users::disable(shared.core(), &call, authority, &user).await?).into()))
}

/// Enable a user
#[utoipa::path(
    post, path = "/admin/v1/users/{user}/enable", operation_id = "enableUser", tag = "Users",
    security(("bearer" = []), ("cookie" = [])),
    params(("user" = String, Path, min_length = 1, max_length = 254, description = "Id, username or e-mail address")),
    responses(
        (status = 200, description = "The user", body = User),
        Always, Changes, Unauthorized, Forbidden, Unknown, Conflicts,
    ),
)]
pub(super) async fn enable(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Administrator(authority): Administrator,
    UserReference(user): UserReference,
) -> Result<Json<User>, Problem> {
    Ok(Json((&users::enable(shared.core(), &call, authority, &user).await?).into()))
}

/// Delete a user
#[utoipa::path(
    delete, path = "/admin/v1/users/{user}", operation_id = "deleteUser", tag = "Users",
    security(("bearer" = []), ("cookie" = [])),
    params(("user" = String, Path, min_length = 1, max_length = 254, description = "Id, username or e-mail address")),
    responses(
        (status = 204, description = "Deleted; the audit log stays"),
        Always, Changes, Unauthorized, Forbidden, Unknown, Conflicts,
    ),
)]
pub(super) async fn delete(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Administrator(authority): Administrator,
    UserReference(user): UserReference,
) -> Result<StatusCode, Problem> {
    users::delete(shared.core(), &call, authority, &user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Mail a user a link to set a password
#[utoipa::path(
    post, path = "/admin/v1/users/{user}/recovery", operation_id = "sendRecovery", tag = "Users",
    security(("bearer" = []), ("cookie" = [])),
    params(("user" = String, Path, min_length = 1, max_length = 254, description = "Id, username or e-mail address")),
    responses(
        (status = 202, description = "The mail is promised"),
        Always, Changes, Unauthorized, Forbidden, Unknown, Conflicts,
    ),
)]
pub(super) async fn send_recovery(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Administrator(authority): Administrator,
    UserReference(user): UserReference,
) -> Result<StatusCode, Problem> {
    users::send_recovery(shared.core(), &call, authority, &user, LinkForm::CodeAndUser).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Remove a security key of a user
#[utoipa::path(
    delete, path = "/admin/v1/users/{user}/keys/{id}", operation_id = "removeUserKey", tag = "Users",
    security(("bearer" = []), ("cookie" = [])),
    params(("user" = String, Path, min_length = 1, max_length = 254, description = "Id, username or e-mail address"), ("id" = SecurityKeyId, Path, description = "The key")),
    responses(
        (status = 204, description = "It is removed"),
        Always, Changes, Unauthorized, Forbidden, Unknown, Conflicts,
    ),
)]
pub(super) async fn remove_key(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Administrator(authority): Administrator,
    UserReference(user): UserReference,
    Id(key): Id<SecurityKeyId>,
) -> Result<StatusCode, Problem> {
    let owner = users::find(shared.core(), authority, &user).await?.user.id;
    users::remove_key(shared.core(), &call, authority, owner, key).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove the authenticator app of a user
#[utoipa::path(
    delete, path = "/admin/v1/users/{user}/totp", operation_id = "removeUserTotp", tag = "Users",
    security(("bearer" = []), ("cookie" = [])),
    params(("user" = String, Path, min_length = 1, max_length = 254, description = "Id, username or e-mail address")),
    responses(
        (status = 204, description = "It is removed"),
        Always, Changes, Unauthorized, Forbidden, Unknown, Conflicts,
    ),
)]
pub(super) async fn remove_totp(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Administrator(authority): Administrator,
    UserReference(user): UserReference,
) -> Result<StatusCode, Problem> {
    let owner = users::find(shared.core(), authority, &user).await?.user.id;
    users::remove_authenticator_app(shared.core(), &call, authority, owner).await?;
    Ok(StatusCode::NO_CONTENT)
}
