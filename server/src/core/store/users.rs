//! Users.

use super::engine::{Fields, Row, Tx};
use super::{Touch, statements, values};
use crate::core::clock::Timestamp;
use crate::core::fault::Fault;
use crate::core::model::{Email, Identifier, Page, PersonName, Role, Status, User, UserId, Username};
use crate::core::refusal::Refusal;
use crate::core::{Error, Result};

macro_rules! columns {
    () => {
        "users.id, username, email, first_name, last_name, role, status, email_verified_at, users.created_at"
    };
}
pub(super) use columns;

statements! {
    BY_ID = concat!("SELECT ", columns!(), " FROM users WHERE id = $1");
    BY_EMAIL = concat!("SELECT ", columns!(), " FROM users WHERE email_key = $1");
    BY_USERNAME = concat!("SELECT ", columns!(), " FROM users WHERE username_key = $1");
    INSERT = "INSERT INTO users (id, username, username_key, email, email_key, first_name, last_name, role, status, email_verified_at, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    SET_STATUS = "UPDATE users SET status = $1 WHERE id = $2";
    SET_ROLE = "UPDATE users SET role = $1 WHERE id = $2";
    SET_NAMES = "UPDATE users SET first_name = $1, last_name = $2 WHERE id = $3";
    SET_VERIFIED = "UPDATE users SET email_verified_at = $1 WHERE id = $2";
    DELETE = "DELETE FROM users WHERE id = $1";
    LIST = concat!("SELECT ", columns!(), " FROM users WHERE id < $1 ORDER BY id DESC LIMIT $2");
    BY_EMAIL_PREFIX = concat!("SELECT ", columns!(), " FROM users WHERE email_key >= $1 AND email_key < $2 ORDER BY email_key LIMIT $3");
    BY_USERNAME_PREFIX = concat!("SELECT ", columns!(), " FROM users WHERE username_key >= $1 AND username_key < $2 ORDER BY username_key LIMIT $3");
}

fn user(row: Row) -> std::result::Result<User, Fault> {
    read(&mut row.fields())
}

/// A user, from the columns that [`columns`] names.
pub(super) fn read(row: &mut Fields) -> std::result::Result<User, Fault> {
    Ok(User {
        id: row.parsed()?,
        username: row.known(|text| Username::parse(text).ok())?,
        email: row.known(|text| Email::parse(text).ok())?,
        first_name: row.known(|text| PersonName::parse("first_name", text).ok())?,
        last_name: row.known(|text| PersonName::parse("last_name", text).ok())?,
        role: row.known(Role::parse)?,
        status: row.known(Status::parse)?,
        email_verified_at: row.opt_time()?,
        created_at: row.time()?,
    })
}

pub(in crate::core) async fn by_id(tx: &mut Tx, id: UserId) -> std::result::Result<Option<User>, Fault> {
    tx.query_opt(BY_ID, values![id]).await?.map(user).transpose()
}

/// The user of a session or ticket: a row that must be there, since the other hangs on it.
pub(in crate::core) async fn get(tx: &mut Tx, id: UserId) -> std::result::Result<User, Fault> {
    by_id(tx, id).await?.ok_or_else(|| Fault::internal("a row's user is gone"))
}

/// Whom a typed name names. Somebody's e-mail address is never somebody else's username, for usernames have no `@`.
pub(in crate::core) async fn by_identifier(tx: &mut Tx, identifier: &Identifier) -> std::result::Result<Option<User>, Fault> {
    let (sql, key) = match identifier {
        Identifier::Email(key) => (BY_EMAIL, key),
        Identifier::Username(key) | Identifier::Nobody(key) => (BY_USERNAME, key),
    };
    let found = tx.query_opt(sql, values![key]).await?.map(user).transpose()?;
    Ok(found.filter(|_| !matches!(identifier, Identifier::Nobody(_))))
}

/// Adds a user. Writes are serial within a transaction's view: the look before the insert is for the refusal's name, the unique index
/// for its truth.
pub(in crate::core) async fn insert(tx: &mut Tx, user: &User) -> Result<()> {
    if tx.query_opt(BY_EMAIL, values![user.email.key()]).await?.is_some() {
        return Err(Refusal::EmailTaken.into());
    }
    if tx.query_opt(BY_USERNAME, values![user.username.key()]).await?.is_some() {
        return Err(Refusal::UsernameTaken.into());
    }
    let row = values![
        user.id,
        user.username.as_str(),
        user.username.key(),
        user.email.as_str(),
        user.email.key(),
        user.first_name.as_str(),
        user.last_name.as_str(),
        user.role.as_str(),
        user.status.as_str(),
        user.email_verified_at,
        user.created_at,
    ];
    tx.execute(INSERT, row).await.map(|_| ()).map_err(Error::from)
}

pub(in crate::core) async fn set_status(tx: &mut Tx, id: UserId, status: Status) -> std::result::Result<bool, Fault> {
    tx.touch(Touch::User(id));
    Ok(tx.execute(SET_STATUS, values![status.as_str(), id]).await? == 1)
}

pub(in crate::core) async fn set_role(tx: &mut Tx, id: UserId, role: Role) -> std::result::Result<bool, Fault> {
    tx.touch(Touch::User(id));
    Ok(tx.execute(SET_ROLE, values![role.as_str(), id]).await? == 1)
}

pub(in crate::core) async fn set_names(tx: &mut Tx, user: &User) -> std::result::Result<(), Fault> {
    tx.touch(Touch::User(user.id));
    tx.execute(SET_NAMES, values![user.first_name.as_str(), user.last_name.as_str(), user.id]).await.map(|_| ())
}

/// Records that the user has just shown to own the address.
pub(in crate::core) async fn set_verified(tx: &mut Tx, id: UserId, now: Timestamp) -> std::result::Result<(), Fault> {
    tx.touch(Touch::User(id));
    tx.execute(SET_VERIFIED, values![now, id]).await.map(|_| ())
}

/// Removes a user and, by the foreign keys, all that is theirs but the audit log.
pub(in crate::core) async fn delete(tx: &mut Tx, id: UserId) -> std::result::Result<bool, Fault> {
    tx.touch(Touch::User(id));
    Ok(tx.execute(DELETE, values![id]).await? == 1)
}

pub(in crate::core) async fn list(tx: &mut Tx, page: &Page) -> std::result::Result<Vec<User>, Fault> {
    tx.query(LIST, values![page.before_id(), page.fetch()]).await?.into_iter().map(user).collect()
}

/// Users whose e-mail address or username begins with `prefix` (a canonical key), at most `limit` of each.
pub(in crate::core) async fn by_prefix(tx: &mut Tx, prefix: &str, limit: i64) -> std::result::Result<Vec<User>, Fault> {
    let end = format!("{prefix}\u{10FFFF}");
    let mut found = tx.query(BY_EMAIL_PREFIX, values![prefix, end.as_str(), limit]).await?;
    found.extend(tx.query(BY_USERNAME_PREFIX, values![prefix, end.as_str(), limit]).await?);
    let mut users: Vec<User> = found.into_iter().map(user).collect::<std::result::Result<_, _>>()?;
    users.sort_by_key(|user| user.id);
    users.dedup_by_key(|user| user.id);
    Ok(users)
}
