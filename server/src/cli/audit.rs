//! `doorward audit …`.

use clap::Subcommand;

use super::console::{Console, OPERATOR};
use super::failure::Failure;
use super::output::or_nothing;
use super::paging::Paging;
use crate::core::clock::Timestamp;
use crate::core::flows::audit_log::{self, Filter};

/// What to do with the audit log.
#[derive(Subcommand)]
pub(super) enum Command {
    /// List entries, newest first.
    List {
        /// Only those about this user: id (also of a deleted one), username or e-mail address.
        #[arg(long)]
        user: Option<String>,
        /// Only those of this event, such as sign_in.
        #[arg(long)]
        event: Option<String>,
        /// Only those that ended so: ok, or the name of a refusal.
        #[arg(long)]
        outcome: Option<String>,
        /// Only those through this API, such as native.
        #[arg(long)]
        dialect: Option<String>,
        /// Only those of this time or later, such as 2026-11-23T17:00:00Z.
        #[arg(long)]
        since: Option<Timestamp>,
        /// Only those from before this time.
        #[arg(long)]
        until: Option<Timestamp>,
        #[command(flatten)]
        paging: Paging,
    },
}

impl Command {
    pub(super) async fn run(self, console: &Console) -> Result<(), Failure> {
        let Self::List { user, event, outcome, dialect, since, until, paging } = self;
        let user = match user {
            Some(user) => Some(console.user_id(&user).await?),
            None => None,
        };
        let filter = Filter { user, event, outcome, dialect, since, until };
        let page = audit_log::list(&console.core, OPERATOR, filter, paging.page()).await?;
        let headings = ["AT", "EVENT", "OUTCOME", "USER", "ACTOR", "DIALECT", "ADDRESS", "DETAIL"];
        console.output.list(&page, headings, |entry| {
            [
                entry.at.to_string(),
                entry.event.clone(),
                entry.outcome.clone(),
                or_nothing(entry.user_id),
                entry.actor.clone(),
                entry.dialect.clone(),
                or_nothing(entry.address.as_ref()),
                or_nothing(entry.detail.as_ref()),
            ]
        })
    }
}
