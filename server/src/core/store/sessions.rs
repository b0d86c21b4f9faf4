//! Sessions, found by the hash of their token or by their handle. A session that ends is deleted: there is no row to forget to check. But for
//! those of a revoked application, which may be too many for one transaction: they read as ended, and are deleted a batch at a time.

use super::engine::{Fields, Row, Tx, Value};
use super::{Touch, of_application, statements, sweep_batch, users, values};
use crate::core::clock::Timestamp;
use crate::core::fault::Fault;
use crate::core::model::{ApplicationId, Factor, Factors, Page, SecurityKeyId, Session, SessionId, SessionState, User, UserId};
use crate::core::seen::Use;
use crate::core::token::SecretHash;

/// Wrong codes of an authenticator app, one after another, that a session outlives all but the last of, whatever the limits say.
pub(in crate::core) const MAXIMUM_WRONG_CODES: i64 = 5;

/// Uses that one statement writes down: as many as its text names. On PostgreSQL one alone costs three times as much.
const SEEN_TOGETHER: usize = 10;

/// When a session ends in any case; if its application is revoked, at [`VOID`]. What no application has opened costs no look.
macro_rules! end {
    () => {
        "CASE WHEN application_id IS NOT NULL
            AND (SELECT revoked_at FROM applications WHERE applications.id = sessions.application_id) IS NOT NULL
            THEN 0 ELSE expires_at END"
    };
}

macro_rules! columns {
    () => {
        concat!(
            "sessions.id, user_id, application_id, half, factors, security_key_id, dialect, address, user_agent,
             sessions.created_at, authenticated_at, last_seen_at, idle_expires_at, ",
            end!(),
            ", user_verified"
        )
    };
}

/// Before any clock's time, so that it has ended for whoever judges it, and stays so if a clock is set back.
const VOID: Timestamp = Timestamp::from_millis(0);

statements! {
    BY_TOKEN = concat!(
        "SELECT ", columns!(), ", ", users::columns!(), " FROM sessions JOIN users ON users.id = user_id WHERE token_hash = $1"
    );
    BY_ID = concat!("SELECT ", columns!(), " FROM sessions WHERE id = $1");
    INSERT = "INSERT INTO sessions (id, token_hash, user_id, application_id, half, factors, security_key_id, dialect, address, user_agent,
            created_at, authenticated_at, last_seen_at, idle_expires_at, expires_at, user_verified)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    ROTATE = "UPDATE sessions SET token_hash = $1, half = $2, factors = $3, security_key_id = $4, authenticated_at = $5, last_seen_at = $6,
            idle_expires_at = $7, expires_at = $8, wrong_codes = 0
        WHERE id = $9 AND token_hash = $10";
    LOWER = "UPDATE sessions SET half = $1, factors = $2, security_key_id = $3, idle_expires_at = $4, expires_at = $5, user_verified = $7 WHERE id = $6";
    COUNT_WRONG_CODE = "UPDATE sessions SET wrong_codes = wrong_codes + 1 WHERE id = $1 RETURNING wrong_codes";
    SEEN = "UPDATE sessions SET last_seen_at = noted.column2, idle_expires_at = noted.column3
        FROM (VALUES (CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS BIGINT)), ($4, $5, $6), ($7, $8, $9), ($10, $11, $12), ($13, $14, $15),
            ($16, $17, $18), ($19, $20, $21), ($22, $23, $24), ($25, $26, $27), ($28, $29, $30)) AS noted
        WHERE sessions.id = noted.column1 AND last_seen_at < noted.column2 AND half = 0
        RETURNING id";
    DELETE = "DELETE FROM sessions WHERE id = $1";
    DELETE_BY_TOKEN = concat!("DELETE FROM sessions WHERE token_hash = $1 RETURNING ", columns!());
    DELETE_OF_USER = concat!("DELETE FROM sessions WHERE user_id = $1 AND id <> $2 RETURNING ", end!());
    DELETE_OF_APPLICATION = concat!(
        "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE ", of_application!("$1"), " LIMIT ", sweep_batch!(), ")"
    );
    REVOKED = concat!(
        "SELECT id FROM applications WHERE revoked_at IS NOT NULL AND (SELECT application_id FROM sessions WHERE ",
        of_application!("applications.id"), " LIMIT 1) IS NOT NULL ORDER BY id LIMIT 1"
    );
    OF_USER = concat!(
        "SELECT ", columns!(), " FROM sessions WHERE user_id = $1 AND id < $2 AND ", end!(), " > 0 ORDER BY id DESC LIMIT $3"
    );
    LIST = concat!("SELECT ", columns!(), " FROM sessions WHERE id < $1 ORDER BY id DESC LIMIT $2");
    SWEEP = concat!(
        "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE idle_expires_at <= $1 ORDER BY idle_expires_at LIMIT ",
        sweep_batch!(), ") AND idle_expires_at <= $1"
    );
}

/// The verification has a column of its own: a release from before it knows no such name, and reads what else there is.
fn at_rest(factors: Factors) -> (String, bool) {
    (factors.without(Factor::UserVerification).to_string(), factors.has(Factor::UserVerification))
}

fn session(row: Row) -> Result<Session, Fault> {
    read(&mut row.fields())
}

fn read(row: &mut Fields) -> Result<Session, Fault> {
    let mut session = Session {
        id: row.parsed()?,
        user_id: row.parsed()?,
        application_id: row.opt_parsed()?,
        state: if row.truth()? { SessionState::Half } else { SessionState::Full },
        factors: row.known(Factors::parse)?,
        security_key_id: row.opt_parsed()?,
        dialect: row.text()?.into(),
        address: row.opt_text()?.map(Into::into),
        user_agent: row.opt_text()?.map(Into::into),
        created_at: row.time()?,
        authenticated_at: row.time()?,
        last_seen_at: row.time()?,
        idle_expires_at: row.time()?,
        expires_at: row.time()?,
    };
    if row.truth()? {
        session.factors = session.factors.and(Factor::UserVerification);
    }
    Ok(session)
}

/// The session that a token opens, and its user.
pub(in crate::core) async fn by_token(tx: &mut Tx, token: &SecretHash) -> Result<Option<(Session, User)>, Fault> {
    let Some(row) = tx.query_opt(BY_TOKEN, values![token]).await? else { return Ok(None) };
    let mut row = row.fields();
    let found = (read(&mut row)?, users::read(&mut row)?);
    Ok(Some(found).filter(|(session, _)| stands(session)))
}

/// Whether the session's application is not revoked, if it has one.
fn stands(session: &Session) -> bool {
    session.expires_at > VOID
}

pub(in crate::core) async fn by_id(tx: &mut Tx, id: SessionId) -> Result<Option<Session>, Fault> {
    let found = tx.query_opt(BY_ID, values![id]).await?.map(session).transpose()?;
    Ok(found.filter(stands))
}

pub(in crate::core) async fn insert(tx: &mut Tx, session: &Session, token: &SecretHash) -> Result<(), Fault> {
    let (factors, user_verified) = at_rest(session.factors);
    let row = values![
        session.id,
        token,
        session.user_id,
        session.application_id,
        session.state == SessionState::Half,
        factors,
        session.security_key_id,
        &*session.dialect,
        session.address.as_deref(),
        session.user_agent.as_deref(),
        session.created_at,
        session.authenticated_at,
        session.last_seen_at,
        session.idle_expires_at,
        session.expires_at,
        user_verified,
    ];
    tx.execute(INSERT, row).await.map(|_| ())
}

/// Writes a session's new standing under a new token, unless the old token has been rotated or ended meanwhile. A second factor was proven:
/// wrong codes before it count no more.
pub(in crate::core) async fn rotate(tx: &mut Tx, session: &Session, old: &SecretHash, new: &SecretHash) -> Result<bool, Fault> {
    let row = values![
        new,
        session.state == SessionState::Half,
        at_rest(session.factors).0,
        session.security_key_id,
        session.authenticated_at,
        session.last_seen_at,
        session.idle_expires_at,
        session.expires_at,
        session.id,
        old,
    ];
    tx.touch(Touch::Session(session.id));
    Ok(tx.execute(ROTATE, row).await? == 1)
}

/// Writes what is left of a session after a factor that it rests on was removed.
pub(in crate::core) async fn lower(tx: &mut Tx, session: &Session) -> Result<(), Fault> {
    tx.touch(Touch::Session(session.id));
    let half = session.state == SessionState::Half;
    let (factors, user_verified) = at_rest(session.factors);
    let (key, idle_expires_at, expires_at) = (session.security_key_id, session.idle_expires_at, session.expires_at);
    let row = values![half, factors, key, idle_expires_at, expires_at, session.id, user_verified];
    tx.execute(LOWER, row).await.map(|_| ())
}

/// Counts a wrong code; how many there were since the last right one, this one included.
pub(in crate::core) async fn count_wrong_code(tx: &mut Tx, id: SessionId) -> Result<i64, Fault> {
    match tx.query_opt(COUNT_WRONG_CODE, values![id]).await? {
        Some(row) => row.fields().int(),
        None => Err(Fault::internal("a session went away in the transaction that had found it")),
    }
}

/// Moves the idle expiries of sessions to what their uses make of them, and says which uses those are. Not by a use before one that is at rest,
/// and never that of a half session.
///
/// These are not touched: what is in memory of them seems to end earlier than it does, and a no is never taken from memory. The others
/// are: such a session may be gone, swept while its use was not written, and memory must not have it for longer.
pub(in crate::core) async fn seen(tx: &mut Tx, noted: &[Use]) -> Result<Vec<Use>, Fault> {
    let mut written = Vec::with_capacity(noted.len());
    for some in noted.chunks(SEEN_TOGETHER) {
        // A use that is named again changes nothing.
        let rows = some.iter().cycle().take(SEEN_TOGETHER);
        let values: Vec<Value> =
            rows.flat_map(|noted| [noted.id.into(), noted.at.into(), noted.idle_expires_at.into()]).collect();
        let moved = tx.query(SEEN, &values).await?.into_iter().map(|row| row.fields().parsed());
        let moved: Vec<SessionId> = moved.collect::<Result<_, _>>()?;
        for noted in some {
            if moved.contains(&noted.id) {
                written.push(*noted);
            } else {
                tx.touch(Touch::Session(noted.id));
            }
        }
    }
    Ok(written)
}

pub(in crate::core) async fn delete(tx: &mut Tx, id: SessionId) -> Result<bool, Fault> {
    tx.touch(Touch::Session(id));
    Ok(tx.execute(DELETE, values![id]).await? == 1)
}

/// Ends the session that this token opens; the session as it was.
pub(in crate::core) async fn delete_by_token(tx: &mut Tx, token: &SecretHash) -> Result<Option<Session>, Fault> {
    let ended = tx.query_opt(DELETE_BY_TOKEN, values![token]).await?.map(session).transpose()?;
    if let Some(ended) = &ended {
        tx.touch(Touch::Session(ended.id));
    }
    Ok(ended.filter(stands))
}

/// Ends all of a user's sessions, but for one if named; the number of those that had not ended with their application.
pub(in crate::core) async fn delete_of_user(tx: &mut Tx, user: UserId, but: Option<SessionId>) -> Result<u64, Fault> {
    tx.touch(Touch::User(user));
    let rows = tx.query(DELETE_OF_USER, values![user, but.map_or_else(String::new, |id| id.to_string())]).await?;
    let ends: Vec<_> = rows.into_iter().map(|row| row.fields().time()).collect::<Result<_, _>>()?;
    Ok(ends.into_iter().filter(|end| *end > VOID).count() as u64)
}

/// Deletes a batch of an application's sessions; their number.
///
/// They have ended when it was revoked. But a node of an older release goes by the rows, and may have them in memory: there they end here.
pub(in crate::core) async fn delete_of_application(tx: &mut Tx, application: ApplicationId) -> Result<u64, Fault> {
    let deleted = tx.execute(DELETE_OF_APPLICATION, values![application]).await?;
    if deleted > 0 {
        tx.touch(Touch::Application(application));
    }
    Ok(deleted)
}

pub(in crate::core) async fn of_user(tx: &mut Tx, user: UserId, page: &Page) -> Result<Vec<Session>, Fault> {
    tx.query(OF_USER, values![user, page.before_id(), page.fetch()]).await?.into_iter().map(session).collect()
}

/// The user's sessions in which this key was used.
pub(in crate::core) async fn resting_on_key(tx: &mut Tx, user: UserId, key: SecurityKeyId) -> Result<Vec<Session>, Fault> {
    Ok(all_of_user(tx, user).await?.into_iter().filter(|session| session.security_key_id == Some(key)).collect())
}

/// The user's sessions in which their authenticator app was used.
pub(in crate::core) async fn resting_on_totp(tx: &mut Tx, user: UserId) -> Result<Vec<Session>, Fault> {
    Ok(all_of_user(tx, user).await?.into_iter().filter(|session| session.factors.has(Factor::Totp)).collect())
}

/// All of a user's sessions.
pub(in crate::core) async fn all_of_user(tx: &mut Tx, user: UserId) -> Result<Vec<Session>, Fault> {
    tx.query(OF_USER, values![user, "z", i64::MAX]).await?.into_iter().map(session).collect()
}

/// A page of all sessions. Those of a revoked application are among them, ended: there may be more than one look should go through.
pub(in crate::core) async fn list(tx: &mut Tx, page: &Page) -> Result<Vec<Session>, Fault> {
    tx.query(LIST, values![page.before_id(), page.fetch()]).await?.into_iter().map(session).collect()
}

/// Deletes a batch of expired sessions; their number. Expiry is judged when a session is read: this only frees the room.
pub(in crate::core) async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<u64, Fault> {
    tx.execute(SWEEP, values![now]).await
}

/// Deletes a batch of sessions of a revoked application, if there is one that has any left; their number.
pub(in crate::core) async fn sweep_revoked(tx: &mut Tx) -> Result<u64, Fault> {
    match tx.query_opt(REVOKED, values![]).await? {
        Some(row) => delete_of_application(tx, row.fields().parsed()?).await,
        None => Ok(0),
    }
}
