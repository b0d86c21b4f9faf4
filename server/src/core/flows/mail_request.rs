//! A mail that anybody may ask for by a name: a recovery link, or a code to sign in with.

use crate::core::audit::Event;
use crate::core::call::Call;
use crate::core::limit::{Charges, Limited};
use crate::core::model::{Identifier, MailKind};
use crate::core::{Core, Result, outbox};

/// Charges the limits and promises the mail. The answer is the same, and takes as long, whether or not anybody has that name: who it is,
/// is looked up when the mail is prepared, which is not at once (`outbox::request`).
///
/// # Errors
/// [`crate::core::Refusal::TooManyAttempts`].
pub(super) async fn request_mail(
    core: &Core,
    call: &Call,
    identifier: &Identifier,
    kind: MailKind,
    detail: &'static str,
) -> Result<()> {
    let limited = [Limited::MailAddress(identifier.key()), Limited::MailNetwork];
    let charges = Charges::new(&core.policy.limits, call, &limited);
    let (called, subject, taken) = (call.clone(), identifier.clone(), charges.clone());
    let work = core.store.write_each(move |tx| {
        Box::pin(async move {
            taken.take(tx, &called).await?;
            Ok(outbox::request(tx, &called, kind, &subject, detail).await?)
        })
    });
    let event = if kind == MailKind::Recovery { Event::RecoveryMailed } else { Event::CodeMailed };
    charges.on_record(core, call, event, None, work.await).await
}
