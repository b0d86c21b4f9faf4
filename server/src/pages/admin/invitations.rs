//! `/admin/invitations`: inviting, mailing once more, taking back.

use std::time::Duration;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::core::flows::authority::Authority;
use crate::core::flows::invitations;
use crate::core::flows::session::Need;
use crate::core::model::{Email, Invitation, InvitationId, InvitationState, Role};
use crate::core::{Error, Refusal};
use crate::locale::minute;
use crate::pages::notice::Notice;
use crate::pages::posted::{Action, Nothing, Posted, Sent};
use crate::pages::render::View;
use crate::pages::return_to::with_typed;
use crate::pages::visit::{Turned, Visit};

/// The list, and the form that invites.
#[derive(Default, Serialize)]
pub(in crate::pages) struct Invitations {
    section: &'static str,
    email: String,
    administrator: bool,
    days: String,
    /// For how long one is good if nothing is said.
    usual: String,
    problem: Option<String>,
    email_problem: Option<String>,
    days_problem: Option<String>,
    invitations: Vec<Invited>,
    next: Option<String>,
}

/// An invitation.
#[derive(Serialize)]
struct Invited {
    id: String,
    email: String,
    administrator: bool,
    /// Its state, as a message's name.
    state: &'static str,
    /// Whether it can be mailed once more or taken back.
    pending: bool,
    created: String,
    expires: String,
}

impl Invited {
    fn of(visit: &Visit, invitation: &Invitation) -> Self {
        let (state, pending) = match invitation.state(visit.call.now) {
            InvitationState::Open => ("admin.invitation_open", true),
            InvitationState::Expired => ("admin.invitation_expired", true),
            InvitationState::Used => ("admin.invitation_used", false),
            InvitationState::Revoked => ("admin.invitation_revoked", false),
        };
        Self {
            id: invitation.id.to_string(),
            email: invitation.email.as_str().to_owned(),
            administrator: invitation.role == Role::Admin,
            state,
            pending,
            created: minute(invitation.created_at),
            expires: minute(invitation.expires_at),
        }
    }
}

impl View for Invitations {
    const TEMPLATE: &'static str = "admin/invitations.html";

    fn samples() -> Vec<Self> {
        let text = || "Sample".to_owned();
        let one = |pending| {
            let (id, email, created, expires) = (text(), text(), text(), text());
            Invited { id, email, administrator: pending, state: "admin.invitation_open", pending, created, expires }
        };
        let full = Self {
            section: SECTION,
            email: text(),
            administrator: true,
            days: text(),
            usual: text(),
            problem: Some(text()),
            email_problem: Some(text()),
            days_problem: Some(text()),
            invitations: vec![one(true), one(false)],
            next: Some(text()),
        };
        vec![full, Self::default()]
    }
}

const SECTION: &str = "invitations";
const LIST: &str = "/admin/invitations";
const SHOWN: i64 = 50;
const SECONDS_A_DAY: u64 = 24 * 60 * 60;

#[derive(Default, Deserialize, Serialize)]
pub(in crate::pages) struct Form {
    email: String,
    role: String,
    /// For how many days it is to be good; none: for as long as is usual here.
    #[serde(default)]
    days: String,
}

impl Form {
    /// Whole days, no longer than an invitation may be good; nothing for what is usual.
    fn valid_for(&self) -> Result<Option<Duration>, ()> {
        let text = self.days.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let days: u32 = text.parse().map_err(|_| ())?;
        let length = Duration::from_secs(u64::from(days) * SECONDS_A_DAY);
        if days == 0 || length > invitations::LONGEST { Err(()) } else { Ok(Some(length)) }
    }
}

/// What is wrong with the form.
#[derive(Default)]
struct Wrong {
    form: Option<String>,
    email: Option<String>,
    days: Option<String>,
}

/// Shows them.
pub(in crate::pages) async fn list(mut visit: Visit) -> Result<Response, Turned> {
    let here = visit.here.clone();
    let authority = visit.administrator(Need::Full, &here).await?;
    show(&visit, authority, StatusCode::OK, visit.typed(), Wrong::default()).await
}

async fn show(visit: &Visit, authority: Authority, status: StatusCode, form: Form, wrong: Wrong) -> Result<Response, Turned> {
    let found = invitations::list(visit.core(), authority, visit.page(SHOWN)).await;
    let found = found.map_err(|error| visit.turn(&error, LIST))?;
    let view = Invitations {
        section: SECTION,
        administrator: Role::parse(&form.role) == Some(Role::Admin),
        email: form.email,
        days: form.days,
        usual: visit.span(visit.core().policy().tickets.invitation),
        problem: wrong.form,
        email_problem: wrong.email,
        days_problem: wrong.days,
        invitations: found.items.iter().map(|invitation| Invited::of(visit, invitation)).collect(),
        next: found.next,
    };
    Ok(visit.show(status, &view))
}

/// Invites somebody.
pub(in crate::pages) async fn create(Posted { mut visit, sent }: Posted<Form>) -> Result<Response, Turned> {
    let form = match sent {
        Sent::Fresh(form) => form,
        Sent::Stale(form) => {
            let authority = visit.administrator(Need::Full, &with_typed(LIST, &form)).await?;
            let wrong = Wrong { form: Some(visit.say("stale.form", &[])), ..Wrong::default() };
            return show(&visit, authority, StatusCode::FORBIDDEN, form, wrong).await;
        }
    };
    let back = with_typed(LIST, &form);
    let authority = visit.administrator(Need::Recent, &back).await?;
    let Ok(valid_for) = form.valid_for() else {
        let most = (invitations::LONGEST.as_secs() / SECONDS_A_DAY).to_string();
        let wrong = Wrong { days: Some(visit.say("admin.days_wrong", &[("most", &most)])), ..Wrong::default() };
        return show(&visit, authority, StatusCode::UNPROCESSABLE_ENTITY, form, wrong).await;
    };
    let made = match (Email::parse(&form.email), Role::parse(&form.role)) {
        (Ok(email), Some(role)) => invitations::create(visit.core(), &visit.call, authority, email, role, valid_for).await,
        (Err(refusal), _) => Err(refusal.into()),
        (Ok(_), None) => Err(Refusal::Invalid { field: "role", problem: "A role is member or admin." }.into()),
    };
    match made {
        Ok(_) => Ok(visit.go(LIST, Some(Notice::InvitationSent))),
        Err(Error::Refused(Refusal::Invalid { .. })) => {
            let wrong = Wrong { email: Some(visit.say("admin.email_wrong", &[])), ..Wrong::default() };
            show(&visit, authority, StatusCode::UNPROCESSABLE_ENTITY, form, wrong).await
        }
        Err(error) => Err(visit.turn(&error, &back)),
    }
}

/// Mails one once more, with another secret.
pub(in crate::pages) async fn reissue(
    Path(id): Path<String>,
    Action(mut visit, Nothing {}): Action<Nothing>,
) -> Result<Response, Turned> {
    let authority = visit.administrator(Need::Recent, LIST).await?;
    let id: InvitationId = visit.known(&id)?;
    match invitations::reissue(visit.core(), &visit.call, authority, id).await {
        Ok(_) => Ok(visit.go(LIST, Some(Notice::InvitationSent))),
        Err(error) => Err(visit.refused_act(&error, LIST, "admin.invitation_over")),
    }
}

/// Takes one back. No fresh sign-in is asked for: it must be quick.
pub(in crate::pages) async fn revoke(
    Path(id): Path<String>,
    Action(mut visit, Nothing {}): Action<Nothing>,
) -> Result<Response, Turned> {
    let authority = visit.administrator(Need::Full, LIST).await?;
    let id: InvitationId = visit.known(&id)?;
    match invitations::revoke(visit.core(), &visit.call, authority, id).await {
        Ok(()) => Ok(visit.go(LIST, Some(Notice::InvitationRevoked))),
        Err(error) => Err(visit.refused_act(&error, LIST, "admin.invitation_over")),
    }
}
