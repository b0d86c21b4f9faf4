//! Promising mails. A promise is written in the transaction of its cause; a worker keeps it after the answer (`flows::delivery`).

use std::time::Duration;

use super::Fault;
use super::call::Call;
use super::model::{Identifier, MailId, MailKind, TicketId, User, UserId};
use super::store::mails::NewMail;
use super::store::{Tx, mails};
use super::token::Secret;

/// The form of a recovery link: the two that the published clients' users know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkForm {
    /// `/reset?code=…&user_id=…`
    CodeAndUser,
    /// `/reset?token=…`
    Token,
}

impl LinkForm {
    pub(in crate::core) const fn as_str(self) -> &'static str {
        match self {
            Self::CodeAndUser => "code_and_user",
            Self::Token => "token",
        }
    }

    pub(in crate::core) fn parse(text: &str) -> Self {
        if text == Self::Token.as_str() { Self::Token } else { Self::CodeAndUser }
    }
}

async fn promise(tx: &mut Tx, call: &Call, kind: MailKind, mail: &NewMail) -> Result<(), Fault> {
    mails::insert(tx, MailId::new(call)?, kind, mail, call.now, call.now).await
}

/// A mail for whoever may have this name. The same row is written whether or not anybody has it, so that the caller learns nothing, not
/// even from the time that it takes.
pub(in crate::core) async fn request(
    tx: &mut Tx,
    call: &Call,
    kind: MailKind,
    subject: &Identifier,
    detail: &str,
) -> Result<(), Fault> {
    let mail = NewMail { subject: Some(subject.subject()), detail: Some(detail.to_owned()), ..NewMail::default() };
    // Preparing a mail for somebody is more work than finding nobody. Done at once it would slow the caller's next call; done at a time
    // that the caller cannot know, it tells nothing.
    let [random] = call.random::<1>()?;
    let due_at = call.now.after(SOONEST + SPREAD * u32::from(random) / 256);
    mails::insert(tx, MailId::new(call)?, kind, &mail, call.now, due_at).await
}

/// A recovery link that an administrator sends to a user. It knows its user, and so is not limited by what strangers have asked for.
pub(in crate::core) async fn recovery(tx: &mut Tx, call: &Call, user: UserId, form: LinkForm) -> Result<(), Fault> {
    let mail = NewMail { user_id: Some(user), detail: Some(form.as_str().to_owned()), ..NewMail::default() };
    promise(tx, call, MailKind::Recovery, &mail).await
}

/// When a mail that a stranger asked for is prepared, after it was asked for: not before this …
const SOONEST: Duration = Duration::from_millis(200);
/// … and at most so much later.
const SPREAD: Duration = Duration::from_millis(800);

/// A mail that tells a user what was done to their account.
pub(in crate::core) async fn notice(
    tx: &mut Tx,
    call: &Call,
    kind: MailKind,
    user: &User,
    detail: Option<&str>,
) -> Result<(), Fault> {
    let mail = NewMail {
        recipient: Some(user.email.as_str().to_owned()),
        user_id: Some(user.id),
        detail: detail.map(str::to_owned),
        ..NewMail::default()
    };
    promise(tx, call, kind, &mail).await
}

/// The access code for a one-time token that has just been issued; the code is made when the mail is.
pub(in crate::core) async fn access_code(
    tx: &mut Tx,
    call: &Call,
    user: UserId,
    recipient: &str,
    ticket: TicketId,
    application: &str,
) -> Result<(), Fault> {
    let mail = NewMail {
        recipient: Some(recipient.to_owned()),
        user_id: Some(user),
        ticket_id: Some(ticket),
        detail: Some(application.to_owned()),
        ..NewMail::default()
    };
    promise(tx, call, MailKind::AccessCode, &mail).await
}

/// An invitation, whose secret its maker has seen already: the one that waits in the outbox.
pub(in crate::core) async fn invitation(tx: &mut Tx, call: &Call, recipient: &str, secret: &Secret) -> Result<(), Fault> {
    let mail = NewMail { recipient: Some(recipient.to_owned()), secret: Some(secret.clone()), ..NewMail::default() };
    promise(tx, call, MailKind::Invitation, &mail).await
}
