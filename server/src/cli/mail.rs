//! `doorward mail …`.

use clap::Subcommand;
use serde::Serialize;

use super::console::{Console, OPERATOR};
use super::failure::Failure;
use super::output::{fields, or_nothing};
use super::paging::{Paging, rows};
use crate::core::clock::Timestamp;
use crate::core::flows::mails;
use crate::core::model::{Mail, MailId, MailKind, MailState};

/// What to do with mails.
#[derive(Subcommand)]
pub(super) enum Command {
    /// List the mails that were promised, newest first.
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a mail's fate; what it says is shown to its recipient only.
    Show {
        /// The mail's id.
        id: MailId,
    },
    /// Make a mail due now that waits for its next try or was given up.
    Retry {
        /// The mail's id.
        id: MailId,
    },
}

#[derive(Serialize)]
struct Row {
    id: MailId,
    kind: MailKind,
    to: Option<String>,
    status: MailState,
    attempts: i64,
    last_error: Option<String>,
    due_at: Timestamp,
    created_at: Timestamp,
    finished_at: Option<Timestamp>,
}

impl Command {
    pub(super) async fn run(self, console: &Console) -> Result<(), Failure> {
        match self {
            Self::List { paging } => list(console, &paging).await,
            Self::Show { id } => {
                let mail = mails::show(&console.core, OPERATOR, id).await;
                show(console, mail.map_err(Failure::of(|| no_mail(id)))?)
            }
            Self::Retry { id } => {
                let mail = mails::retry(&console.core, &console.call(), OPERATOR, id).await;
                let mail = Row::from(mail.map_err(Failure::of(|| no_mail(id)))?);
                console.output.value(&mail, || format!("The mail {id} is due; the server sends it as soon as one runs."))
            }
        }
    }
}

async fn list(console: &Console, paging: &Paging) -> Result<(), Failure> {
    let page = mails::list(&console.core, OPERATOR, paging.page()).await?;
    let headings = ["ID", "KIND", "TO", "STATUS", "TRIES", "CREATED", "LAST ERROR"];
    console.output.list(&rows(page, Row::from), headings, |row| {
        [
            row.id.to_string(),
            row.kind.as_str().to_owned(),
            or_nothing(row.to.as_ref()),
            row.status.as_str().to_owned(),
            row.attempts.to_string(),
            row.created_at.to_string(),
            or_nothing(row.last_error.as_ref()),
        ]
    })
}

fn show(console: &Console, mail: Mail) -> Result<(), Failure> {
    let row = Row::from(mail);
    console.output.value(&row, || {
        fields(&[
            ("id", row.id.to_string()),
            ("kind", row.kind.as_str().to_owned()),
            ("to", or_nothing(row.to.as_ref())),
            ("status", row.status.as_str().to_owned()),
            ("tries", row.attempts.to_string()),
            ("last error", or_nothing(row.last_error.as_ref())),
            ("due", row.due_at.to_string()),
            ("created", row.created_at.to_string()),
            ("finished", or_nothing(row.finished_at)),
        ])
    })
}

fn no_mail(id: MailId) -> String {
    format!("there is no mail {id}; `doorward mail list` shows all that are kept")
}

impl From<Mail> for Row {
    fn from(mail: Mail) -> Self {
        Self {
            id: mail.id,
            kind: mail.kind,
            to: mail.recipient,
            status: mail.state,
            attempts: mail.attempts,
            last_error: mail.error,
            due_at: mail.due_at,
            created_at: mail.created_at,
            finished_at: mail.finished_at,
        }
    }
}
