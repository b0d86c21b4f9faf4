//! Sends the outbox: claims what is due, turns it into messages, hands them over, reports.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;

use super::Desk;
use super::mail::message::Sender;
use super::mail::render::{Rendered, Renderer};
use super::mail::transport::{DeliveryError, Transport};
use crate::core::fault::FaultKind;
use crate::core::flows::delivery::{self, Claimed, Letter, RENEWAL};
use crate::core::model::MailId;
use crate::core::{Core, Error, Refusal};
use crate::templates::TemplateError;

/// Mails that are sent side by side.
const BATCH: i64 = 8;
/// How often the outbox is looked at unasked: for mails that other processes have promised, and those whose wait is over.
const PAUSE: Duration = Duration::from_millis(500);

/// After a round that has failed: the store may be away for a while.
const LONG_PAUSE: Duration = Duration::from_secs(2);

/// How mails are made and where they go.
#[derive(Clone)]
pub struct Mailer(Arc<Inner>);

struct Inner {
    renderer: Renderer,
    sender: Sender,
    transport: Transport,
}

impl Mailer {
    /// A letter in words.
    ///
    /// # Errors
    /// When a template fails it.
    pub fn words(&self, letter: &Letter) -> Result<Rendered, TemplateError> {
        self.0.renderer.render(letter)
    }

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
pub async fn run(core: Arc<Core>, desk: Desk, mailer: Mailer, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let pause = match round(&core, &desk, &mailer).await {
            Ok(sent) if sent > 0 => continue,
            Ok(_) => PAUSE,
            Err(error) => {
                tracing::warn!(?error, "the outbox will be tried again");
                LONG_PAUSE
            }
        };
        tokio::select! {
            () = core.mail_promised() => {}
            () = tokio::time::sleep(pause) => {}
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
        // A defect of this mail alone: it waits like one that cannot be sent, and holds up no other.
        Err(Error::Faulted(fault)) if fault.kind() == FaultKind::Internal => {
            tracing::error!(mail = %claimed.mail().id, %fault, "a mail could not be prepared");
            return delivery::postponed(core, &desk.call(), claimed.mail(), "an internal error; see the log").await;
        }
        Err(error) => return Err(error),
    };
    let (id, kind) = (claimed.mail().id, letter.kind);
    match hand_over(mailer, id, &letter).await {
        Ok(()) => delivery::sent(core, &desk.call(), claimed.mail()).await,
        Err(DeliveryError::Permanent { code, text }) => {
            tracing::warn!(mail = %id, kind = kind.as_str(), code, "a mail was refused for good");
            delivery::failed(core, &desk.call(), claimed.mail(), &format!("{code} {text}")).await
        }
        Err(DeliveryError::Temporary { text }) => {
            tracing::info!(mail = %id, kind = kind.as_str(), "a mail will be tried again");
            delivery::postponed(core, &desk.call(), claimed.mail(), &text).await
        }
    }
}

async fn hand_over(mailer: &Mailer, id: MailId, letter: &Letter) -> Result<(), DeliveryError> {
    // What cannot be rendered or addressed stays due: an operator's template can be mended.
    let broken = |text: String| DeliveryError::Temporary { text };
    let Inner { renderer, sender, transport } = &*mailer.0;
    let rendered = renderer.render(letter).map_err(|error| broken(error.to_string()))?;
    let id = id.to_string();
    let message = sender.message(&id, &letter.to, letter.promised_at, &rendered).map_err(broken)?;
    transport.deliver(&message, &id).await
}
