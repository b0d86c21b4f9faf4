//! `doorward audit …`.

use clap::Subcommand;

use super::console::{Console, OPERATOR};
use super::failure::Failure;
use super::output::or_nothing;
use super::paging::Paging;
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
        #[arg(long, conflicts_with = "user")]
        event: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
}

impl Command {
    pub(super) async fn run(self, console: &Console) -> Result<(), Failure> {
        let Self::List { user, event, paging } = self;
        let filter = match (user, event) {
            (Some(user), _) => Filter::User(console.user_id(&user).await?),
            (None, Some(event)) => Filter::Event(event),
            (None, None) => Filter::All,
        };
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
