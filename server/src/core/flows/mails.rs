//! The outbox, as administrators and operators see it. A mail's secret is not shown to anybody.

use std::sync::atomic::Ordering;

use super::authority::Authority;
use crate::core::audit::{Event, Record, record, with_refusal};
use crate::core::call::Call;
use crate::core::model::{Mail, MailId, Page, Paged};
use crate::core::store::mails;
use crate::core::{Core, Refusal, Result};

/// All mails, newest first.
///
/// # Errors
/// Faults only.
pub async fn list(core: &Core, _: Authority, page: Page) -> Result<Paged<Mail>> {
    let work = core
        .store
        .read(move |tx| Box::pin(async move { Ok(page.cut(mails::list(tx, &page).await?, |mail| mail.id.to_string())) }));
    work.await
}

/// One mail.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn show(core: &Core, _: Authority, id: MailId) -> Result<Mail> {
    core.store.read(move |tx| Box::pin(async move { Ok(mails::by_id(tx, id).await?.ok_or(Refusal::NotFound)?) })).await
}

/// Makes a mail due now: one that waits for its next try, or one that was given up.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] for one that was sent, or whose secret is gone.
pub async fn retry(core: &Core, call: &Call, authority: Authority, id: MailId) -> Result<Mail> {
    let work = authority.write(core, call, move |tx, call| {
        Box::pin(async move {
            mails::by_id(tx, id).await?.ok_or(Refusal::NotFound)?;
            if !mails::retry(tx, id, call.now).await? {
                let problem = "The mail has been sent, or it carried an invitation whose secret is gone: reissue that.";
                return Err(Refusal::Conflict { problem }.into());
            }
            record(tx, call, Record::by(authority.actor(), Event::MailRetried, None, Some(id.to_string()))).await?;
            Ok(mails::by_id(tx, id).await?.ok_or(Refusal::NotFound)?)
        })
    });
    let mail = work.await;
    let mail = with_refusal(core, call, Event::MailRetried, None, mail).await?;
    core.mail_promised.notify_one();
    Ok(mail)
}

/// Counts the mails that wait to be sent, for [`Core::mails_waiting`].
///
/// # Errors
/// Faults only.
pub async fn count_waiting(core: &Core) -> Result<()> {
    let waiting = core.store.read(|tx| Box::pin(async move { Ok(mails::waiting(tx).await?) })).await?;
    core.mails_waiting.store(waiting, Ordering::Relaxed);
    Ok(())
}
