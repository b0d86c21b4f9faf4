//! `doorward invitation …`.

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use serde_json::json;

use super::console::{Console, OPERATOR};
use super::failure::Failure;
use super::output::fields;
use super::paging::{Paging, rows};
use super::user::email;
use crate::config::duration::{NotASpan, Span};
use crate::core::clock::Timestamp;
use crate::core::flows::invitations;
use crate::core::model::{Email, Invitation, InvitationId, InvitationState, Role};

/// What to do with invitations.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Invite somebody by mail; shows the link, this once.
    Create(Create),
    /// List invitations, newest first.
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Take an invitation back.
    Revoke {
        /// The invitation's handle.
        handle: InvitationId,
    },
}

/// A new invitation.
#[derive(Args)]
pub(super) struct Create {
    /// The address of whom to invite.
    #[arg(value_parser = email)]
    email: Email,
    /// The role that they get.
    #[arg(long, value_enum, default_value_t = RoleName::Member)]
    role: RoleName,
    /// How long it is good for, such as 7d; as configured if it is left out.
    #[arg(long, value_name = "TIME", value_parser = span)]
    expires: Option<Span>,
}

/// A role as an argument.
#[derive(Clone, Copy, ValueEnum)]
enum RoleName {
    Member,
    Admin,
}

#[derive(Serialize)]
struct Row {
    handle: InvitationId,
    email: String,
    role: Role,
    state: InvitationState,
    created_at: Timestamp,
    expires_at: Timestamp,
}

/// An invitation with its secret.
#[derive(Serialize)]
struct IssuedRow {
    id: String,
    link: String,
    #[serde(flatten)]
    row: Row,
}

impl Command {
    /// Whether it is at home in an empty database.
    pub(super) const fn begins(&self) -> bool {
        matches!(self, Self::Create(_))
    }

    pub(super) async fn run(self, console: &Console) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.run(console).await,
            Self::List { paging } => list(console, &paging).await,
            Self::Revoke { handle } => {
                let revoked = invitations::revoke(&console.core, &console.call(), OPERATOR, handle).await;
                revoked.map_err(Failure::of(|| {
                    format!("there is no invitation with the handle {handle}; `doorward invitation list` shows all")
                }))?;
                console.output.value(&json!({ "handle": handle }), || format!("The invitation {handle} was revoked."))
            }
        }
    }
}

impl Create {
    async fn run(self, console: &Console) -> Result<(), Failure> {
        let role = match self.role {
            RoleName::Member => Role::Member,
            RoleName::Admin => Role::Admin,
        };
        let (call, valid_for) = (console.call(), self.expires.map(Span::get));
        let invited = invitations::create(&console.core, &call, OPERATOR, self.email, role, valid_for).await?;
        let row = row(&invited.invitation, call.now);
        let issued = IssuedRow { id: invited.secret.reveal().to_owned(), link: invited.link, row };
        console.output.value(&issued, || {
            let lines = fields(&[
                ("e-mail", issued.row.email.clone()),
                ("role", issued.row.role.as_str().to_owned()),
                ("expires", issued.row.expires_at.to_string()),
                ("handle", issued.row.handle.to_string()),
                ("link", issued.link.clone()),
            ]);
            format!("{lines}The link is shown this once, and mailed by the server as soon as one runs.")
        })
    }
}

async fn list(console: &Console, paging: &Paging) -> Result<(), Failure> {
    let now = console.call().now;
    let page = invitations::list(&console.core, OPERATOR, paging.page()).await?;
    let headings = ["E-MAIL", "ROLE", "STATE", "CREATED", "EXPIRES", "HANDLE"];
    console.output.list(&rows(page, |invitation| row(&invitation, now)), headings, |row| {
        [
            row.email.clone(),
            row.role.as_str().to_owned(),
            state(row.state).to_owned(),
            row.created_at.to_string(),
            row.expires_at.to_string(),
            row.handle.to_string(),
        ]
    })
}

const fn state(state: InvitationState) -> &'static str {
    match state {
        InvitationState::Open => "open",
        InvitationState::Used => "used",
        InvitationState::Revoked => "revoked",
        InvitationState::Expired => "expired",
    }
}

fn row(invitation: &Invitation, now: Timestamp) -> Row {
    Row {
        handle: invitation.id,
        email: invitation.email.as_str().to_owned(),
        role: invitation.role,
        state: invitation.state(now),
        created_at: invitation.created_at,
        expires_at: invitation.expires_at,
    }
}

fn span(text: &str) -> Result<Span, String> {
    let span: Span = text.parse().map_err(|error: NotASpan| error.to_string())?;
    if span.is_zero() { Err("expected more than nothing, such as 7d".to_owned()) } else { Ok(span) }
}
