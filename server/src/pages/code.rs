//! `/sign-in/code`: with a mailed code. Asking answers the same whether or not anybody has the address.

use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::passkey;
use super::posted::{Posted, Sent};
use super::render::View;
use super::return_to::ReturnTo;
use super::sign_in::{open, refused, with};
use super::visit::{HOME, Turned, Visit};
use crate::core::Refusal;
use crate::core::flows::Proof;
use crate::core::flows::login_code;
use crate::core::flows::methods::methods;
use crate::core::model::Identifier;
use crate::core::token::Secret;
use crate::http::cookie;

/// Remembers where the code was mailed, until it is typed or too old: the address stands in no URL.
const MAILBOX: &str = "doorward-mailbox";

/// Longer addresses there are not.
const LONGEST_EMAIL: usize = 254;

/// The form that asks for a code.
#[derive(Default, Serialize)]
pub(super) struct Request {
    return_to: Option<String>,
    email: String,
    password: bool,
    /// For how many seconds a challenge for a passkey is good.
    passkey: Option<u64>,
    problem: Option<String>,
}

impl View for Request {
    const TEMPLATE: &'static str = "code_request.html";

    fn samples() -> Vec<Self> {
        let text = || "Sample".to_owned();
        vec![
            Self { return_to: Some(text()), email: text(), password: true, passkey: Some(300), problem: Some(text()) },
            Self::default(),
        ]
    }
}

/// The form that takes the code.
#[derive(Default, Serialize)]
pub(super) struct Entry {
    return_to: Option<String>,
    /// Known from the page before; asked for where it is not.
    known: bool,
    email: String,
    valid_for: String,
    problem: Option<String>,
}

impl View for Entry {
    const TEMPLATE: &'static str = "code_entry.html";

    fn samples() -> Vec<Self> {
        let text = || "Sample".to_owned();
        let full = Self { return_to: Some(text()), known: true, email: text(), valid_for: text(), problem: Some(text()) };
        vec![full, Self::default()]
    }
}

#[derive(Deserialize)]
pub(super) struct RequestForm {
    email: String,
    #[serde(default)]
    return_to: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct EntryForm {
    email: String,
    code: Secret,
    #[serde(default)]
    return_to: Option<String>,
}

/// Shows the form that asks.
pub(super) async fn form(visit: Visit) -> Result<Response, Turned> {
    if !methods(visit.core()).email_code {
        return Err(visit.turn(&Refusal::SwitchedOff.into(), HOME));
    }
    let return_to = visit.return_to(visit.query("return_to"));
    Ok(show_request(&visit, StatusCode::OK, String::new(), return_to.as_ref(), None))
}

/// Asks for a code.
pub(super) async fn request(Posted { visit, sent }: Posted<RequestForm>) -> Result<Response, Turned> {
    let form = match sent {
        Sent::Fresh(form) => form,
        Sent::Stale(form) => {
            let return_to = visit.return_to(form.return_to.as_deref());
            let problem = Some(visit.say("stale.form", &[]));
            return Ok(show_request(&visit, StatusCode::FORBIDDEN, form.email, return_to.as_ref(), problem));
        }
    };
    let return_to = visit.return_to(form.return_to.as_deref());
    match login_code::request(visit.core(), &visit.call, &Identifier::email(&form.email)).await {
        Ok(()) => {
            let mut response = visit.go(&with("/sign-in/code/enter", return_to.as_ref()), None);
            visit.set_cookies(&mut response, [remember(&visit, &form.email)]);
            Ok(response)
        }
        Err(error) => {
            let Some(told) = refused(&visit, &error, "problem.other") else { return Err(visit.turn(&error, HOME)) };
            Ok(told.on(show_request(&visit, told.status, form.email, return_to.as_ref(), Some(told.told.clone()))))
        }
    }
}

/// Shows the form that takes the code.
pub(super) async fn entry(visit: Visit) -> Response {
    let return_to = visit.return_to(visit.query("return_to"));
    let email = visit.aside(MAILBOX).and_then(recall);
    show_entry(&visit, StatusCode::OK, email.is_some(), email.unwrap_or_default(), return_to.as_ref(), None)
}

/// Signs in.
pub(super) async fn submit(Posted { visit, sent }: Posted<EntryForm>) -> Result<Response, Turned> {
    let form = match sent {
        Sent::Fresh(form) => form,
        Sent::Stale(form) => {
            let return_to = visit.return_to(form.return_to.as_deref());
            let problem = Some(visit.say("stale.form", &[]));
            return Ok(show_entry(&visit, StatusCode::FORBIDDEN, false, form.email, return_to.as_ref(), problem));
        }
    };
    let return_to = visit.return_to(form.return_to.as_deref());
    match open(&visit, Identifier::email(&form.email), Proof::Code(form.code)).await {
        Ok(opened) => {
            let mut response = visit.enter(&opened, return_to.as_ref(), None);
            visit.set_cookies(&mut response, [forget(&visit)]);
            Ok(response)
        }
        Err(error) => {
            let Some(told) = refused(&visit, &error, "code.wrong") else { return Err(visit.turn(&error, HOME)) };
            let known = visit.aside(MAILBOX).and_then(recall).is_some_and(|email| email == form.email);
            let problem = Some(told.told.clone());
            Ok(told.on(show_entry(&visit, told.status, known, form.email, return_to.as_ref(), problem)))
        }
    }
}

/// The page that asks for an address.
pub(super) fn show_request(
    visit: &Visit,
    status: StatusCode,
    email: String,
    return_to: Option<&ReturnTo>,
    problem: Option<String>,
) -> Response {
    let return_to = return_to.map(|place| place.as_str().to_owned());
    let password = methods(visit.core()).password;
    visit.show(status, &Request { return_to, email, password, passkey: passkey::offered(visit), problem })
}

fn show_entry(
    visit: &Visit,
    status: StatusCode,
    known: bool,
    email: String,
    return_to: Option<&ReturnTo>,
    problem: Option<String>,
) -> Response {
    let return_to = return_to.map(|place| place.as_str().to_owned());
    let valid_for = visit.span(visit.core().policy().tickets.code);
    visit.show(status, &Entry { return_to, known, email, valid_for, problem })
}

fn remember(visit: &Visit, email: &str) -> Option<HeaderValue> {
    let https = visit.site.shared.is_https();
    let life = visit.core().policy().tickets.code;
    let value = URL_SAFE_NO_PAD.encode(email.trim());
    (value.len() <= LONGEST_EMAIL * 2)
        .then(|| cookie::aside_cookie(&cookie::aside_name(MAILBOX, https), &value, https, Some(life)))?
}

fn forget(visit: &Visit) -> Option<HeaderValue> {
    let https = visit.site.shared.is_https();
    cookie::clearing_cookie(&cookie::aside_name(MAILBOX, https), https)
}

fn recall(value: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(value).ok()?).ok()
}
