//! `/dev/mail`: the mailbox of development. To whoever is not at this machine it is not there, in the words of any URL that is not.

mod links;
mod view;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use axum::{Extension, Json, Router};
use serde::Serialize;

use super::Site;
use super::problem;
use super::visit::{Turned, Visit};
use crate::core::{Error, Fault, Refusal};
use crate::http::call::call;
use crate::http::here::is_here;
use crate::mailbox::{Letter, Listing, Mailbox, Name};

use view::Row;
pub(super) use view::{List, One};

/// Mails on one page.
const SHOWN: usize = 50;

/// For a mail's HTML alone, in its frame: it may look as it does, a link of it may open a page, and nothing of it runs, loads or is of our
/// origin.
const SANDBOX: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; \
                       img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// The URL table.
pub(super) fn routes(site: &Site, mailbox: Mailbox) -> Router<Site> {
    Router::new()
        .route("/dev/mail", any(list))
        .route("/dev/mail/changes", any(changes))
        .route("/dev/mail/{name}", any(one))
        .route("/dev/mail/{name}/html", any(html))
        .route_layer(Extension(mailbox))
        .route_layer(from_fn_with_state(site.clone(), guard))
}

/// Lets nobody through who is not here. Methods are judged here too: the router would put those that there are on the answer that there
/// is nothing.
async fn guard(State(site): State<Site>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let peer = call(&parts).ok().and_then(|call| call.origin.peer);
    if !is_here(peer, &parts) {
        return site.unknown(Request::from_parts(parts, body)).await;
    }
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET,HEAD")]).into_response();
    }
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let name = HeaderName::from_static("cross-origin-resource-policy");
    response.headers_mut().insert(name, HeaderValue::from_static("same-origin"));
    response
}

/// Reading files blocks.
async fn reading<T: Send + 'static>(visit: &Visit, read: impl FnOnce() -> T + Send + 'static) -> Result<T, Turned> {
    let read = tokio::task::spawn_blocking(read).await;
    read.map_err(|error| problem::page(visit, &Error::Faulted(Fault::internal(error))).into())
}

async fn listing(visit: &Visit, mailbox: Mailbox, before: Option<Name>) -> Result<Listing, Turned> {
    let found = reading(visit, move || mailbox.list(before.as_ref(), SHOWN)).await?;
    found.map_err(|error| problem::page(visit, &Error::Faulted(Fault::internal(format!("mails cannot be read: {error}")))).into())
}

async fn letter(visit: &Visit, mailbox: Mailbox, name: Option<Name>) -> Result<(Name, Letter), Turned> {
    let found = reading(visit, move || name.and_then(|name| mailbox.open(&name).map(|letter| (name, letter)))).await?;
    found.ok_or_else(|| problem::page(visit, &Error::Refused(Refusal::NotFound)).into())
}

/// Shows them, newest first.
async fn list(visit: Visit, Extension(mailbox): Extension<Mailbox>) -> Result<Response, Turned> {
    let before = visit.query("before").and_then(Name::parse);
    let newest = before.is_none();
    let found = listing(&visit, mailbox, before).await?;
    Ok(visit.show(StatusCode::OK, &List::of(&visit, &found, newest)))
}

/// The newest mails, as the page that has shown others changes itself.
#[derive(Serialize)]
struct Changes {
    seen: String,
    mails: Vec<Row>,
}

/// What is other than the page has seen; 204 where nothing is.
async fn changes(visit: Visit, Extension(mailbox): Extension<Mailbox>) -> Result<Response, Turned> {
    let found = listing(&visit, mailbox, None).await?;
    if visit.query("seen") == Some(found.seen.as_str()) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let mails = found.mails.iter().map(|(name, facts)| Row::of(&visit, name, facts)).collect();
    Ok(Json(Changes { seen: found.seen, mails }).into_response())
}

/// Shows one.
async fn one(visit: Visit, Path(name): Path<String>, Extension(mailbox): Extension<Mailbox>) -> Result<Response, Turned> {
    let (name, letter) = letter(&visit, mailbox, Name::parse(&name)).await?;
    let mut response = visit.show(StatusCode::OK, &One::of(&visit, &name, &letter));
    // The one page with a frame in it.
    let headers = response.headers_mut();
    let policy = headers.get(header::CONTENT_SECURITY_POLICY).and_then(|policy| policy.to_str().ok());
    if let Some(Ok(policy)) = policy.map(|policy| HeaderValue::from_str(&format!("{policy}; frame-src 'self'"))) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Ok(response)
}

/// Its HTML part, as a document by itself.
async fn html(visit: Visit, Path(name): Path<String>, Extension(mailbox): Extension<Mailbox>) -> Result<Response, Turned> {
    let (_, letter) = letter(&visit, mailbox, Name::parse(&name)).await?;
    let Some(html) = letter.html else { return Err(problem::not_found(visit).await.into()) };
    let mut response = links::opening_elsewhere(&html).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    Ok(response)
}
