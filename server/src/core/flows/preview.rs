//! A mail of the outbox as it reads, without its secret: where a link or a code stands, there is one that opens nothing.

use super::authority::Authority;
use super::delivery::{Carries, Letter};
use crate::core::model::{MailId, MailKind};
use crate::core::store::{mails, users};
use crate::core::token::Secret;
use crate::core::{Core, Refusal, Result};

/// In the place of a secret.
const NOT_SHOWN: &str = "NOT-SHOWN";
/// In the place of a code, which has six characters; none that is issued is without a digit.
const NO_CODE: &str = "XXXXXX";

/// The letter that this mail is, or was. Of one that a stranger asked for and that is not prepared yet it is not known for whom it will be.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn letter(core: &Core, _: Authority, id: MailId) -> Result<Letter> {
    let work = core.store.read(move |tx| {
        Box::pin(async move {
            let (mail, detail) = mails::with_detail(tx, id).await?.ok_or(Refusal::NotFound)?;
            let user = match mail.user_id {
                Some(user) => users::by_id(tx, user).await?,
                None => None,
            };
            Ok((mail, detail, user))
        })
    });
    let (mail, detail, user) = work.await?;
    // What waits in that column of a recovery is the form of its link.
    let detail = detail.filter(|_| mail.kind != MailKind::Recovery);
    let name = user.map(|user| user.first_name.as_str().to_owned()).filter(|name| !name.is_empty());
    let carries = carried(core, mail.kind);
    let to = mail.recipient.unwrap_or_default();
    Ok(Letter { kind: mail.kind, to, name, carries, detail, promised_at: mail.created_at })
}

fn carried(core: &Core, kind: MailKind) -> Carries {
    let tickets = core.policy.tickets;
    let link = |path: &str| Secret::new(format!("{}{path}={NOT_SHOWN}", core.policy.public_url));
    match kind {
        MailKind::Recovery => Carries::Link(link("/reset?code"), tickets.recovery),
        MailKind::Invitation => Carries::Link(link("/invitation?id"), tickets.invitation),
        MailKind::LoginCode => Carries::Code(Secret::new(NO_CODE), tickets.code),
        MailKind::AccessCode => Carries::Code(Secret::new(NO_CODE), tickets.one_time_token),
        MailKind::PasswordChanged
        | MailKind::KeyAdded
        | MailKind::KeyRemoved
        | MailKind::AuthenticatorAdded
        | MailKind::AuthenticatorRemoved => Carries::Nothing,
    }
}
