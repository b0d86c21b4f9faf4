//! `doorward user …`.

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use super::console::{Console, OPERATOR, no_user};
use super::failure::Failure;
use super::output::{fields, yes_or_no};
use super::paging::{Paging, rows};
use super::password;
use crate::core::Refusal;
use crate::core::clock::Timestamp;
use crate::core::flows::users::{self, NewUser, UserDetail};
use crate::core::model::{Email, Paged, PersonName, Role, SecurityKey, SecurityKeyId, Status, User, UserId, Username};

/// What to do with users. USER is an id, a username or an e-mail address.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Create a user; asks for the password on a terminal.
    Create(Create),
    /// List users, newest first.
    List {
        /// Only those whose username or e-mail address begins with this text; at most 200.
        #[arg(long, value_name = "PREFIX", conflicts_with_all = ["after", "limit"])]
        search: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a user and their security keys.
    Show {
        /// Id, username or e-mail address.
        user: String,
    },
    /// Keep a user from signing in, and end all that is open in their name.
    Disable {
        /// Id, username or e-mail address.
        user: String,
    },
    /// Let a disabled user sign in again.
    Enable {
        /// Id, username or e-mail address.
        user: String,
    },
    /// Delete a user and all that is theirs; the audit log stays.
    Delete {
        /// Id, username or e-mail address.
        user: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Set a user's password and end all that is open in their name; asks for it on a terminal.
    SetPassword {
        /// Id, username or e-mail address.
        user: String,
        /// Read the password from standard input.
        #[arg(long)]
        password_stdin: bool,
    },
}

/// A new user.
#[derive(Args)]
pub(super) struct Create {
    /// The e-mail address; unique.
    #[arg(long, value_parser = email)]
    email: Email,
    /// The username; unique.
    #[arg(long, value_parser = username)]
    username: Username,
    /// Given name.
    #[arg(long, default_value = "", value_parser = |text: &str| person_name("first_name", text))]
    first_name: PersonName,
    /// Family name.
    #[arg(long, default_value = "", value_parser = |text: &str| person_name("last_name", text))]
    last_name: PersonName,
    /// Make the user an administrator.
    #[arg(long)]
    admin: bool,
    /// Do not take the address for the user's until they have shown that it is.
    #[arg(long)]
    unverified: bool,
    /// Read the password from standard input.
    #[arg(long)]
    password_stdin: bool,
    /// Create the user without a password: they sign in with a mailed code, or set one by a mailed link.
    #[arg(long, conflicts_with = "password_stdin")]
    no_password: bool,
}

/// A user on the wire.
#[derive(Serialize)]
struct Row {
    id: UserId,
    email: String,
    username: String,
    first_name: String,
    last_name: String,
    role: Role,
    status: Status,
    email_verified: bool,
    created_at: Timestamp,
}

/// A user and their keys.
#[derive(Serialize)]
struct DetailRow {
    #[serde(flatten)]
    user: Row,
    security_keys: Vec<KeyRow>,
}

#[derive(Serialize)]
struct KeyRow {
    id: SecurityKeyId,
    name: String,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
    passkey: Option<bool>,
}

impl Command {
    /// Whether it is at home in an empty database.
    pub(super) const fn begins(&self) -> bool {
        matches!(self, Self::Create(_))
    }

    pub(super) async fn run(self, console: &Console) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.run(console).await,
            Self::List { search: Some(prefix), .. } => {
                let found = users::search(&console.core, OPERATOR, &prefix).await?;
                list(console, Paged { items: found, next: None })
            }
            Self::List { search: None, paging } => list(console, users::list(&console.core, OPERATOR, paging.page()).await?),
            Self::Show { user } => show(console, &user).await,
            Self::Disable { user } => {
                let changed = users::disable(&console.core, &console.call(), OPERATOR, &user).await;
                done(console, changed.map_err(Failure::of(|| no_user(&user)))?, "is disabled, and signed out everywhere")
            }
            Self::Enable { user } => {
                let changed = users::enable(&console.core, &console.call(), OPERATOR, &user).await;
                done(console, changed.map_err(Failure::of(|| no_user(&user)))?, "may sign in")
            }
            Self::Delete { user, yes } => delete(console, &user, yes).await,
            Self::SetPassword { user, password_stdin } => set_password(console, &user, password_stdin).await,
        }
    }
}

impl Create {
    async fn run(self, console: &Console) -> Result<(), Failure> {
        let password = if self.no_password { None } else { Some(password::take(self.password_stdin)?) };
        let new = NewUser {
            username: self.username,
            email: self.email,
            first_name: self.first_name,
            last_name: self.last_name,
            role: if self.admin { Role::Admin } else { Role::Member },
            verified: !self.unverified,
            password,
        };
        let user = users::create(&console.core, &console.call(), OPERATOR, new).await?;
        done(console, user, "was created")
    }
}

async fn show(console: &Console, reference: &str) -> Result<(), Failure> {
    let found = users::find(&console.core, OPERATOR, reference).await;
    let UserDetail { user, security_keys, totp: _ } = found.map_err(Failure::of(|| no_user(reference)))?;
    let detail = DetailRow { user: user.into(), security_keys: security_keys.into_iter().map(KeyRow::from).collect() };
    console.output.value(&detail, || {
        let (user, keys) = (&detail.user, detail.security_keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>());
        fields(&[
            ("id", user.id.to_string()),
            ("username", user.username.clone()),
            ("e-mail", format!("{}{}", user.email, if user.email_verified { "" } else { " (not verified)" })),
            ("name", format!("{} {}", user.first_name, user.last_name).trim().to_owned()),
            ("role", user.role.as_str().to_owned()),
            ("status", user.status.as_str().to_owned()),
            ("created", user.created_at.to_string()),
            ("security keys", keys.join(", ")),
        ])
    })
}

async fn delete(console: &Console, reference: &str, yes: bool) -> Result<(), Failure> {
    let user = console.user(reference).await?;
    let name = format!("{} ({})", user.username.as_str(), user.email.as_str());
    if !yes {
        console.confirm(&format!("Delete the user {name} and all that is theirs?"))?;
    }
    // By id: what was confirmed is this user, whoever has the name by now.
    let deleted = users::delete(&console.core, &console.call(), OPERATOR, &user.id.to_string()).await;
    let id = deleted.map_err(Failure::of(|| no_user(reference)))?;
    console.output.value(&json!({ "id": id }), || format!("The user {name} was deleted."))
}

async fn set_password(console: &Console, reference: &str, from_stdin: bool) -> Result<(), Failure> {
    let user = console.user(reference).await?;
    let new = password::take(from_stdin)?;
    let changed = users::set_password(&console.core, &console.call(), OPERATOR, &user.id.to_string(), &new).await;
    done(console, changed.map_err(Failure::of(|| no_user(reference)))?, "has a new password, and is signed out everywhere")
}

fn list(console: &Console, users: Paged<User>) -> Result<(), Failure> {
    let headings = ["USERNAME", "E-MAIL", "VERIFIED", "NAME", "ROLE", "STATUS", "CREATED", "ID"];
    console.output.list(&rows(users, Row::from), headings, |user| {
        [
            user.username.clone(),
            user.email.clone(),
            yes_or_no(user.email_verified),
            format!("{} {}", user.first_name, user.last_name).trim().to_owned(),
            user.role.as_str().to_owned(),
            user.status.as_str().to_owned(),
            user.created_at.to_string(),
            user.id.to_string(),
        ]
    })
}

fn done(console: &Console, user: User, what: &str) -> Result<(), Failure> {
    let row = Row::from(user);
    console.output.value(&row, || format!("The user {} ({}, id {}) {what}.", row.username, row.email, row.id))
}

impl From<User> for Row {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            email: user.email.as_str().to_owned(),
            username: user.username.as_str().to_owned(),
            first_name: user.first_name.as_str().to_owned(),
            last_name: user.last_name.as_str().to_owned(),
            role: user.role,
            status: user.status,
            email_verified: user.email_verified_at.is_some(),
            created_at: user.created_at,
        }
    }
}

impl From<SecurityKey> for KeyRow {
    fn from(key: SecurityKey) -> Self {
        let SecurityKey { id, created_at, last_used_at, passkey, .. } = key;
        Self { id, name: key.name.as_str().to_owned(), created_at, last_used_at, passkey }
    }
}

fn problem(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Invalid { problem, .. } => (*problem).to_owned(),
        other => other.name().to_owned(),
    }
}

/// An e-mail address as an argument.
pub(super) fn email(text: &str) -> Result<Email, String> {
    Email::parse(text).map_err(|refusal| problem(&refusal))
}

fn username(text: &str) -> Result<Username, String> {
    Username::parse(text).map_err(|refusal| problem(&refusal))
}

fn person_name(field: &'static str, text: &str) -> Result<PersonName, String> {
    PersonName::parse(field, text).map_err(|refusal| problem(&refusal))
}
