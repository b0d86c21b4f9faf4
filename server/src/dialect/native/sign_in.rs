//! `/auth/v1/sign-in`: with a password, or with a mailed code.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::auth::Brought;
use super::document::{Always, Changes, Limited, Reads, Unauthorized};
use super::error::Problem;
use super::read::Body;
use super::shown::Shown;
use super::view::{status, user_within};
use super::wire::{self, CodeRequest, CodeSignIn, PasswordSignIn};
use crate::core::call::Call;
use crate::core::flows::session::Presented;
use crate::core::flows::sign_in::{SignIn, sign_in};
use crate::core::flows::{Proof, SignedIn, login_code};
use crate::core::gate::Door;
use crate::core::model::{Identifier, SessionState};
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

/// Sign in with a password
#[utoipa::path(
    post, path = "/auth/v1/sign-in/password", operation_id = "signInWithPassword", tag = "Sign in",
    request_body = PasswordSignIn,
    responses(
        (status = 200, description = "Signed in, perhaps by half", body = wire::SignedIn),
        Always, Changes, Reads, Unauthorized, Limited,
    ),
)]
pub(super) async fn with_password(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Brought(presented): Brought,
    Body(body): Body<PasswordSignIn>,
) -> Result<Response, Problem> {
    open(&shared, &call, presented, Identifier::any(&body.identifier), Proof::Password(body.password)).await
}

/// Sign in with a mailed code
#[utoipa::path(
    post, path = "/auth/v1/sign-in/code", operation_id = "signInWithCode", tag = "Sign in",
    request_body = CodeSignIn,
    responses(
        (status = 200, description = "Signed in, perhaps by half", body = wire::SignedIn),
        Always, Changes, Reads, Unauthorized, Limited,
    ),
)]
pub(super) async fn with_code(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Brought(presented): Brought,
    Body(body): Body<CodeSignIn>,
) -> Result<Response, Problem> {
    open(&shared, &call, presented, Identifier::email(&body.email), Proof::Code(body.code)).await
}

/// Ask for a code to sign in with
#[utoipa::path(
    post, path = "/auth/v1/sign-in/code/request", operation_id = "requestSignInCode", tag = "Sign in",
    request_body = CodeRequest,
    responses(
        (status = 202, description = "A code is on its way, if anybody has the address"),
        Always, Changes, Reads, Limited,
    ),
)]
pub(super) async fn request_code(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Body(body): Body<CodeRequest>,
) -> Result<StatusCode, Problem> {
    login_code::request(shared.core(), &call, &Identifier::email(&body.email)).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn open(
    shared: &Shared,
    call: &Call,
    presented: Presented,
    identifier: Identifier,
    proof: Proof,
) -> Result<Response, Problem> {
    let request = SignIn { identifier, proof, door: Door::OpensHalf, replaces: presented.tokens };
    answer(shared, call, &sign_in(shared.core(), call, request).await?)
}

/// The answer that issues a token, in its body and as a cookie.
pub(super) fn answer(shared: &Shared, call: &Call, opened: &SignedIn) -> Result<Response, Problem> {
    let body = wire::SignedIn {
        token: opened.token.reveal(),
        status: status(opened.session.state),
        second_factor_required: opened.session.state == SessionState::Half,
        session: (&opened.session).into(),
        user: user_within(&opened.session, &opened.user),
    };
    let mut response = Shown::of(&body)?.into_response();
    shared.set_cookie(response.headers_mut(), shared.cookie_name(), &opened.token, &opened.session, call.now)?;
    Ok(response)
}
