//! `doorward session …`.

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use super::console::{Console, OPERATOR};
use super::failure::Failure;
use super::output::or_nothing;
use super::paging::{Paging, rows};
use crate::core::clock::Timestamp;
use crate::core::flows::sessions;
use crate::core::model::{Factors, Session, SessionId, SessionState, UserId};

/// What to do with sessions.
#[derive(Subcommand)]
pub(super) enum Command {
    /// List live sessions, newest first.
    List {
        /// Only this user's: id, username or e-mail address.
        #[arg(long)]
        user: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// End a session, or all of a user's.
    Revoke {
        /// The session's id.
        #[arg(required_unless_present = "user", conflicts_with = "user")]
        id: Option<SessionId>,
        /// All sessions of this user: id, username or e-mail address.
        #[arg(long)]
        user: Option<String>,
    },
}

#[derive(Serialize)]
struct Row {
    id: SessionId,
    user_id: UserId,
    state: &'static str,
    factors: Factors,
    dialect: String,
    address: Option<String>,
    user_agent: Option<String>,
    created_at: Timestamp,
    last_seen_at: Timestamp,
    idle_expires_at: Timestamp,
    expires_at: Timestamp,
}

impl Command {
    pub(super) async fn run(self, console: &Console) -> Result<(), Failure> {
        match self {
            Self::List { user, paging } => list(console, user.as_deref(), &paging).await,
            Self::Revoke { id, user } => {
                let ended = match (id, user) {
                    (Some(id), _) => revoke(console, id).await?,
                    (None, user) => {
                        let user = console.user(&user.unwrap_or_default()).await?.id;
                        sessions::end_all(&console.core, &console.call(), OPERATOR, user).await?
                    }
                };
                console.output.value(&json!({ "ended": ended }), || format!("Sessions ended: {ended}"))
            }
        }
    }
}

async fn revoke(console: &Console, id: SessionId) -> Result<u64, Failure> {
    let ended = sessions::end(&console.core, &console.call(), OPERATOR, id).await;
    ended.map_err(Failure::of(|| format!("there is no session {id}; `doorward session list` shows all")))?;
    Ok(1)
}

async fn list(console: &Console, user: Option<&str>, paging: &Paging) -> Result<(), Failure> {
    let user = match user {
        Some(reference) => Some(console.user(reference).await?.id),
        None => None,
    };
    let page = sessions::list(&console.core, &console.call(), OPERATOR, user, paging.page()).await?;
    let headings = ["ID", "USER", "STATE", "FACTORS", "DIALECT", "ADDRESS", "CREATED", "LAST SEEN", "EXPIRES"];
    console.output.list(&rows(page, Row::from), headings, |row| {
        [
            row.id.to_string(),
            row.user_id.to_string(),
            row.state.to_owned(),
            row.factors.to_string(),
            row.dialect.clone(),
            or_nothing(row.address.as_ref()),
            row.created_at.to_string(),
            row.last_seen_at.to_string(),
            row.expires_at.to_string(),
        ]
    })
}

impl From<Session> for Row {
    fn from(session: Session) -> Self {
        Self {
            id: session.id,
            user_id: session.user_id,
            state: match session.state {
                SessionState::Full => "full",
                SessionState::Half => "half",
            },
            factors: session.factors,
            dialect: session.dialect.as_ref().to_owned(),
            address: session.address.as_deref().map(str::to_owned),
            user_agent: session.user_agent.as_deref().map(str::to_owned),
            created_at: session.created_at,
            last_seen_at: session.last_seen_at,
            idle_expires_at: session.idle_expires_at,
            expires_at: session.expires_at,
        }
    }
}
