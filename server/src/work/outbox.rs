//! Sends the outbox: claims what is due, turns it into messages, hands them over, reports.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;

use super::Desk;
use super::mail::letter::{Content, Letter};
use super::mail::message::Sender;
use super::mail::render::Renderer;
use super::mail::transport::{DeliveryError, Transport};
use crate::core::flows::delivery::{self, Carries, Claimed, RENEWAL};
use crate::core::model::MailKind;
use crate::core::{Core, Error, Refusal};
use crate::dialect::shared::Shared;

/// Mails that are sent side by side.
const BATCH: i64 = 8;
/// How often the outbox is looked at unasked: for mails that other processes have promised, and those whose wait is over.
const PAUSE: Duration = Duration::from_millis(500);

/// How mails are made and where they go.
#[derive(Clone)]
pub struct Mailer(Arc<Inner>);

struct Inner {
    renderer: Renderer,
    sender: Sender,
    transport: Transport,
}

impl Mailer {
    /// Puts them together.
    #[must_use]
    pub fn new(renderer: Renderer, sender: Sender, transport: Transport) -> Self {
        Self(Arc::new(Inner { renderer, sender, transport }))
    }

    /// Where mails go, for people; without credentials.
    #[must_use]
    pub fn destination(&self) -> String {
        self.0.transport.to_string()
    }
}

/// Sends until `stop` says true; a batch that is under way is finished.
pub async fn run(shared: Shared, desk: Desk, mailer: Mailer, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        match round(shared.core(), &desk, &mailer).await {
            Ok(sent) if sent > 0 => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(?error, "the outbox will be tried again"),
        }
        tokio::select! {
            () = shared.core().mail_promised() => {}
            () = tokio::time::sleep(PAUSE) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }
}

/// Claims and handles one batch; how many mails it had.
///
/// # Errors
/// When the store fails; what was claimed comes due again when its lease runs out.
pub async fn round(core: &Core, desk: &Desk, mailer: &Mailer) -> Result<usize, Error> {
    let claimed = delivery::claim(core, &desk.call(), BATCH).await?;
    let outcomes = join_all(claimed.iter().map(|mail| handle(core, desk, mailer, mail))).await;
    let handled = outcomes.len();
    outcomes.into_iter().collect::<Result<Vec<()>, Error>>()?;
    Ok(handled)
}

/// Handles one mail, and keeps its lease for as long as that takes.
async fn handle(core: &Core, desk: &Desk, mailer: &Mailer, claimed: &Claimed) -> Result<(), Error> {
    let mut work = pin!(attempt(core, desk, mailer, claimed));
    loop {
        tokio::select! {
            outcome = &mut work => return outcome,
            () = tokio::time::sleep(RENEWAL) => {
                if let Err(error) = delivery::hold(core, &desk.call(), claimed.mail()).await {
                    tracing::warn!(?error, "a mail in hand may be sent twice");
                }
            }
        }
    }
}

async fn attempt(core: &Core, desk: &Desk, mailer: &Mailer, claimed: &Claimed) -> Result<(), Error> {
    let letter = match delivery::prepare(core, &desk.call(), claimed).await {
        Ok(Some(letter)) => letter,
        Ok(None) => return Ok(()),
        Err(Error::Refused(Refusal::Overloaded { .. })) => {
            return delivery::postponed(core, &desk.call(), claimed.mail(), "the server is busy").await;
        }
        Err(error) => return Err(error),
    };
    let (id, kind) = (letter.id, letter.kind);
    match hand_over(mailer, &letter).await {
        Ok(()) => delivery::sent(core, &desk.call(), id).await,
        Err(DeliveryError::Permanent { code, text }) => {
            tracing::warn!(mail = %id, kind = kind.as_str(), code, "a mail was refused for good");
            delivery::failed(core, &desk.call(), id, &format!("{code} {text}")).await
        }
        Err(DeliveryError::Temporary { text }) => {
            tracing::info!(mail = %id, kind = kind.as_str(), "a mail will be tried again");
            delivery::postponed(core, &desk.call(), claimed.mail(), &text).await
        }
    }
}

async fn hand_over(mailer: &Mailer, letter: &delivery::Letter) -> Result<(), DeliveryError> {
    // What cannot be rendered or addressed stays due: an operator's template can be mended.
    let broken = |text: String| DeliveryError::Temporary { text };
    let Inner { renderer, sender, transport } = &*mailer.0;
    let content = content(letter).ok_or_else(|| broken("the mail lacks its secret".to_owned()))?;
    let words = Letter { name: letter.name.clone(), at: letter.promised_at, address: None, content };
    let rendered = renderer.render(&words).map_err(|error| broken(error.to_string()))?;
    let id = letter.id.to_string();
    let message = sender.message(&id, &letter.to, letter.promised_at, &rendered).map_err(broken)?;
    transport.deliver(&message, &id).await
}

/// What the templates speak of; `None` when a kind's secret is missing.
fn content(letter: &delivery::Letter) -> Option<Content> {
    let minutes = |span: &Duration| u32::try_from(span.as_secs().div_ceil(60)).unwrap_or(u32::MAX);
    let detail = || letter.detail.clone().unwrap_or_default();
    Some(match (letter.kind, &letter.carries) {
        (MailKind::Recovery, Carries::Link(link, span)) => {
            Content::Recovery { link: link.reveal().to_owned(), valid_minutes: minutes(span) }
        }
        (MailKind::Invitation, Carries::Link(link, span)) => {
            Content::Invitation { link: link.reveal().to_owned(), valid_minutes: minutes(span) }
        }
        (MailKind::LoginCode, Carries::Code(code, span)) => {
            Content::LoginCode { code: code.reveal().to_owned(), valid_minutes: minutes(span) }
        }
        (MailKind::AccessCode, Carries::Code(code, span)) => {
            let (code, valid_minutes) = (code.reveal().to_owned(), minutes(span));
            Content::AccessCode { code, valid_minutes, application: letter.detail.clone() }
        }
        (MailKind::PasswordChanged, _) => Content::PasswordChanged,
        (MailKind::KeyAdded, _) => Content::KeyAdded { key: detail() },
        (MailKind::KeyRemoved, _) => Content::KeyRemoved { key: detail() },
        (MailKind::AuthenticatorAdded, _) => Content::AuthenticatorAdded,
        (MailKind::AuthenticatorRemoved, _) => Content::AuthenticatorRemoved,
        (MailKind::Recovery | MailKind::Invitation | MailKind::LoginCode | MailKind::AccessCode, _) => return None,
    })
}
