//! `doorward app …`.

use clap::{ArgGroup, Subcommand};
use serde::Serialize;
use serde_json::json;

use super::console::{Console, OPERATOR};
use super::failure::Failure;
use super::output::{fields, or_nothing, yes_or_no};
use super::paging::{Paging, rows};
use crate::core::Refusal;
use crate::core::clock::Timestamp;
use crate::core::flows::applications::{self, Registered, Registration};
use crate::core::model::{Application, ApplicationId, Network};

/// What to do with applications.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Register an application; shows its secrets, this once.
    Create {
        /// What people call it.
        name: String,
        /// A network from which it may be used; may be given several times, and from anywhere if never.
        #[arg(long, value_name = "CIDR", value_parser = network)]
        allow_network: Vec<Network>,
        /// Let its one-time token alone open a session, without the mailed access code.
        #[arg(long)]
        one_time_token_suffices: bool,
    },
    /// List applications, newest first, revoked ones too.
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Give an application new secrets, shown this once; the old ones are worth nothing from then on.
    Rotate {
        /// The application's `app_id`.
        app_id: ApplicationId,
    },
    /// Limit an application to these networks, in place of those before.
    #[command(group(ArgGroup::new("whence").required(true)))]
    Limit {
        /// The application's `app_id`.
        app_id: ApplicationId,
        /// A network from which it may be used; may be given several times.
        #[arg(long, value_name = "CIDR", value_parser = network, group = "whence")]
        allow_network: Vec<Network>,
        /// From anywhere.
        #[arg(long, group = "whence")]
        anywhere: bool,
    },
    /// Revoke an application, and end the sessions that it opened.
    Revoke {
        /// The application's `app_id`.
        app_id: ApplicationId,
    },
}

#[derive(Serialize)]
struct Row {
    app_id: ApplicationId,
    name: String,
    networks: Vec<Network>,
    one_time_token_suffices: bool,
    created_at: Timestamp,
    revoked_at: Option<Timestamp>,
}

/// An application with its secrets.
#[derive(Serialize)]
struct IssuedRow<'a> {
    consumer_key: &'a str,
    access_token: &'a str,
    #[serde(flatten)]
    row: Row,
}

impl Command {
    /// Whether it is at home in an empty database.
    pub(super) const fn begins(&self) -> bool {
        matches!(self, Self::Create { .. })
    }

    pub(super) async fn run(self, console: &Console) -> Result<(), Failure> {
        match self {
            Self::Create { name, allow_network, one_time_token_suffices } => {
                let registration = Registration { name, networks: allow_network, one_time_token_suffices };
                issued(console, &applications::create(&console.core, &console.call(), OPERATOR, registration).await?)
            }
            Self::List { paging } => list(console, &paging).await,
            Self::Rotate { app_id } => {
                let rotated = applications::rotate(&console.core, &console.call(), OPERATOR, app_id).await;
                issued(console, &rotated.map_err(Failure::of(|| no_application(app_id)))?)
            }
            Self::Limit { app_id, allow_network, anywhere: _ } => {
                let limited = applications::limit(&console.core, &console.call(), OPERATOR, app_id, allow_network).await;
                let row = Row::from(limited.map_err(Failure::of(|| no_application(app_id)))?);
                console.output.value(&row, || format!("{} may be used from: {}", row.name, networks(&row)))
            }
            Self::Revoke { app_id } => {
                let revoked = applications::revoke(&console.core, &console.call(), OPERATOR, app_id).await;
                revoked.map_err(Failure::of(|| no_application(app_id)))?;
                console.output.value(&json!({ "app_id": app_id }), || {
                    format!("The application {app_id} was revoked, and the sessions that it opened are ended.")
                })
            }
        }
    }
}

fn issued(console: &Console, registered: &Registered) -> Result<(), Failure> {
    let issued = IssuedRow {
        consumer_key: registered.consumer_key.reveal(),
        access_token: registered.access_token.reveal(),
        row: registered.application.clone().into(),
    };
    console.output.value(&issued, || {
        let lines = fields(&[
            ("name", issued.row.name.clone()),
            ("app_id", issued.row.app_id.to_string()),
            ("consumer_key", issued.consumer_key.to_owned()),
            ("access_token", issued.access_token.to_owned()),
            ("networks", networks(&issued.row)),
        ]);
        format!("{lines}The consumer key and the access token are shown this once.")
    })
}

async fn list(console: &Console, paging: &Paging) -> Result<(), Failure> {
    let page = applications::list(&console.core, OPERATOR, paging.page()).await?;
    let headings = ["NAME", "NETWORKS", "TOKEN SUFFICES", "CREATED", "REVOKED", "APP_ID"];
    console.output.list(&rows(page, Row::from), headings, |row| {
        [
            row.name.clone(),
            networks(row),
            yes_or_no(row.one_time_token_suffices),
            row.created_at.to_string(),
            or_nothing(row.revoked_at),
            row.app_id.to_string(),
        ]
    })
}

fn networks(row: &Row) -> String {
    let networks: Vec<_> = row.networks.iter().map(ToString::to_string).collect();
    if networks.is_empty() { "all".to_owned() } else { networks.join(" ") }
}

fn no_application(id: ApplicationId) -> String {
    format!("there is no application {id}, or it is revoked; `doorward app list` shows all")
}

impl From<Application> for Row {
    fn from(application: Application) -> Self {
        Self {
            app_id: application.id,
            name: application.name,
            networks: application.networks,
            one_time_token_suffices: application.one_time_token_suffices,
            created_at: application.created_at,
            revoked_at: application.revoked_at,
        }
    }
}

fn network(text: &str) -> Result<Network, String> {
    text.parse().map_err(|refusal| match refusal {
        Refusal::Invalid { problem, .. } => problem.to_owned(),
        other => other.name().to_owned(),
    })
}
