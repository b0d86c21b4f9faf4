//! `/admin/mail`: the outbox. What a mail says is shown without its secret.

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::core::Result as Outcome;
use crate::core::flows::authority::Authority;
use crate::core::flows::session::Need;
use crate::core::flows::{mails, preview};
use crate::core::model::{Mail, MailId, MailState};
use crate::dialect::shared::WrittenMail;
use crate::locale::minute;
use crate::pages::notice::Notice;
use crate::pages::posted::{Action, Nothing};
use crate::pages::render::View;
use crate::pages::visit::{Turned, Visit};
use crate::pages::words::word;

/// The list.
#[derive(Default, Serialize)]
pub(in crate::pages) struct Outbox {
    section: &'static str,
    mails: Vec<Row>,
    next: Option<String>,
}

/// A mail.
#[derive(Serialize)]
struct Row {
    id: String,
    kind: String,
    recipient: Option<String>,
    /// Its state, as a message's name.
    state: &'static str,
    bad: bool,
    /// Whether it can be made due again.
    pending: bool,
    attempts: i64,
    created: String,
    due: String,
    finished: Option<String>,
    error: Option<String>,
}

/// One of them, as it reads.
#[derive(Serialize)]
pub(in crate::pages) struct Preview {
    section: &'static str,
    mail: Row,
    subject: String,
    text: String,
}

impl Row {
    fn of(visit: &Visit, mail: &Mail) -> Self {
        let (state, pending) = match mail.state {
            MailState::Due => ("admin.mail_due", true),
            MailState::Failed => ("admin.mail_failed", true),
            MailState::Sent => ("admin.mail_sent", false),
            MailState::Void => ("admin.mail_void", false),
        };
        Self {
            id: mail.id.to_string(),
            kind: word(visit, "kind", mail.kind.as_str()),
            recipient: mail.recipient.clone(),
            state,
            bad: mail.state == MailState::Failed,
            pending,
            attempts: mail.attempts,
            created: minute(mail.created_at),
            due: minute(mail.due_at),
            finished: mail.finished_at.map(minute),
            error: mail.error.clone(),
        }
    }

    fn sample(all: bool) -> Self {
        let text = || "Sample".to_owned();
        let some = || all.then(text);
        Self {
            id: text(),
            kind: text(),
            recipient: some(),
            state: "admin.mail_due",
            bad: all,
            pending: all,
            attempts: 2,
            created: text(),
            due: text(),
            finished: some(),
            error: some(),
        }
    }
}

impl View for Outbox {
    const TEMPLATE: &'static str = "admin/mail.html";

    fn samples() -> Vec<Self> {
        let mails = vec![Row::sample(true), Row::sample(false)];
        vec![Self { section: SECTION, mails, next: Some("Sample".to_owned()) }, Self::default()]
    }
}

impl View for Preview {
    const TEMPLATE: &'static str = "admin/mail_preview.html";

    fn samples() -> Vec<Self> {
        let text = || "Sample".to_owned();
        [true, false].map(|all| Self { section: SECTION, mail: Row::sample(all), subject: text(), text: text() }).into()
    }
}

const SECTION: &str = "mail";
const LIST: &str = "/admin/mail";
const SHOWN: i64 = 50;

/// For a mail's HTML alone: it may look as it does and do nothing, not even as a document of our origin.
const SANDBOX: &str =
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Shows them.
pub(in crate::pages) async fn list(mut visit: Visit) -> Result<Response, Turned> {
    let here = visit.here.clone();
    let authority = visit.administrator(Need::Full, &here).await?;
    let found = mails::list(visit.core(), authority, visit.page(SHOWN)).await;
    let found = found.map_err(|error| visit.turn(&error, LIST))?;
    let view =
        Outbox { section: SECTION, mails: found.items.iter().map(|mail| Row::of(&visit, mail)).collect(), next: found.next };
    Ok(visit.show(StatusCode::OK, &view))
}

async fn read(visit: &Visit, authority: Authority, id: MailId) -> Outcome<(Mail, WrittenMail)> {
    let mail = mails::show(visit.core(), authority, id).await?;
    let letter = preview::letter(visit.core(), authority, id).await?;
    Ok((mail, visit.site.shared.words(&letter)?))
}

/// Shows what one says.
pub(in crate::pages) async fn show(mut visit: Visit, Path(id): Path<String>) -> Result<Response, Turned> {
    let here = visit.here.clone();
    let authority = visit.administrator(Need::Full, &here).await?;
    let id: MailId = visit.known(&id)?;
    let (mail, words) = read(&visit, authority, id).await.map_err(|error| visit.turn(&error, LIST))?;
    let view = Preview { section: SECTION, mail: Row::of(&visit, &mail), subject: words.subject, text: words.text };
    Ok(visit.show(StatusCode::OK, &view))
}

/// Its HTML part, as a document by itself that can do nothing.
pub(in crate::pages) async fn html(mut visit: Visit, Path(id): Path<String>) -> Result<Response, Turned> {
    let here = visit.here.clone();
    let authority = visit.administrator(Need::Full, &here).await?;
    let id: MailId = visit.known(&id)?;
    let (_, words) = read(&visit, authority, id).await.map_err(|error| visit.turn(&error, LIST))?;
    let mut response = words.html.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    Ok(response)
}

/// Makes one due again.
pub(in crate::pages) async fn retry(
    Path(id): Path<String>,
    Action(mut visit, Nothing {}): Action<Nothing>,
) -> Result<Response, Turned> {
    let authority = visit.administrator(Need::Full, LIST).await?;
    let id: MailId = visit.known(&id)?;
    match mails::retry(visit.core(), &visit.call, authority, id).await {
        Ok(_) => Ok(visit.go(LIST, Some(Notice::MailRetried))),
        Err(error) => Err(visit.refused_act(&error, LIST, "admin.mail_over")),
    }
}
