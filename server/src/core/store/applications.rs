//! Applications.

use super::engine::{Row, Tx};
use super::{Touch, statements, values};
use crate::core::clock::Timestamp;
use crate::core::fault::Fault;
use crate::core::model::{Application, ApplicationId, Network, Page};
use crate::core::token::SecretHash;

macro_rules! columns {
    () => {
        "id, name, networks, one_time_token_suffices, created_at, revoked_at"
    };
}

statements! {
    BY_ID = concat!("SELECT ", columns!(), " FROM applications WHERE id = $1");
    SECRETS = "SELECT consumer_key_hash, access_token_hash FROM applications WHERE id = $1 AND revoked_at IS NULL";
    INSERT = "INSERT INTO applications (id, name, consumer_key_hash, access_token_hash, networks, one_time_token_suffices, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    ROTATE = "UPDATE applications SET consumer_key_hash = $1, access_token_hash = $2 WHERE id = $3 AND revoked_at IS NULL";
    LIMIT = "UPDATE applications SET networks = $1 WHERE id = $2 AND revoked_at IS NULL";
    REVOKE = "UPDATE applications SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL";
    LIST = concat!("SELECT ", columns!(), " FROM applications WHERE id < $1 ORDER BY id DESC LIMIT $2");
}

fn application(row: Row) -> Result<Application, Fault> {
    let mut row = row.fields();
    Ok(Application {
        id: row.parsed()?,
        name: row.text()?,
        networks: row.known(networks)?,
        one_time_token_suffices: row.truth()?,
        created_at: row.time()?,
        revoked_at: row.opt_time()?,
    })
}

fn networks(text: &str) -> Option<Vec<Network>> {
    text.split_ascii_whitespace().map(|network| network.parse().ok()).collect()
}

fn joined(networks: &[Network]) -> String {
    networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

pub(in crate::core) async fn by_id(tx: &mut Tx, id: ApplicationId) -> Result<Option<Application>, Fault> {
    tx.query_opt(BY_ID, values![id]).await?.map(application).transpose()
}

/// The hashes of consumer key and access token of an application that is not revoked.
pub(in crate::core) async fn secrets(tx: &mut Tx, id: ApplicationId) -> Result<Option<(String, String)>, Fault> {
    let Some(row) = tx.query_opt(SECRETS, values![id]).await? else { return Ok(None) };
    let mut row = row.fields();
    Ok(Some((row.text()?, row.text()?)))
}

pub(in crate::core) async fn insert(
    tx: &mut Tx,
    application: &Application,
    consumer_key: &SecretHash,
    access_token: &SecretHash,
) -> Result<(), Fault> {
    let row = values![
        application.id,
        application.name.as_str(),
        consumer_key,
        access_token,
        joined(&application.networks),
        application.one_time_token_suffices,
        application.created_at,
    ];
    tx.execute(INSERT, row).await.map(|_| ())
}

/// Replaces both secrets; false if there is no such application that is not revoked.
pub(in crate::core) async fn rotate(
    tx: &mut Tx,
    id: ApplicationId,
    consumer_key: &SecretHash,
    access_token: &SecretHash,
) -> Result<bool, Fault> {
    Ok(tx.execute(ROTATE, values![consumer_key, access_token, id]).await? == 1)
}

/// Limits it to these networks; false if there is no such application that is not revoked.
pub(in crate::core) async fn limit(tx: &mut Tx, id: ApplicationId, networks: &[Network]) -> Result<bool, Fault> {
    Ok(tx.execute(LIMIT, values![joined(networks), id]).await? == 1)
}

/// Revokes, and with it all that the application has opened; false if there is no such application or it is revoked already.
pub(in crate::core) async fn revoke(tx: &mut Tx, id: ApplicationId, now: Timestamp) -> Result<bool, Fault> {
    tx.touch(Touch::Application(id));
    Ok(tx.execute(REVOKE, values![now, id]).await? == 1)
}

pub(in crate::core) async fn list(tx: &mut Tx, page: &Page) -> Result<Vec<Application>, Fault> {
    tx.query(LIST, values![page.before_id(), page.fetch()]).await?.into_iter().map(application).collect()
}
