//! What SQLite does that commits one change after the other: what the writes of a server are compared with.
//!
//! `commits DATABASE --kind sign-out --values TOKENS --seconds 10` works on the database of a Doorward that is stopped, with the
//! statements that Doorward runs, each change on disk before the next is begun; prints how many there were a second.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

/// Commits one change after the other.
#[derive(Parser)]
struct Options {
    database: PathBuf,
    #[arg(long)]
    kind: Kind,
    /// A file of the hashes of sessions' tokens, a line each.
    #[arg(long)]
    values: PathBuf,
    #[arg(long)]
    seconds: f64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// The session is deleted.
    SignOut,
    /// A code of an authenticator app is spent, and the session stands under a new token.
    SecondStep,
}

const SESSION: &str =
    "SELECT sessions.id AS session, sessions.*, users.* FROM sessions JOIN users ON users.id = user_id WHERE token_hash = ?1";
const AUDIT: &str =
    "INSERT INTO audit (id, at, event, outcome, user_id, actor, dialect, address, peer, user_agent, request_id, detail)
    VALUES (?4, 1750000000000, ?2, 'ok', ?3, 'user', 'native', '127.0.0.1', '127.0.0.1', NULL, ?1, ?4)";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let values = std::fs::read_to_string(&options.values)?;
    let mut connection = Connection::open(&options.database)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000; PRAGMA foreign_keys=ON;
             PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384;",
    )?;
    let (began, length) = (now(), Duration::from_secs_f64(options.seconds));
    let mut count = 0_u32;
    for hash in values.lines().take_while(|_| began.elapsed() < length) {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        change(&tx, options.kind, hash)?;
        tx.commit()?;
        count += 1;
    }
    if began.elapsed() < length {
        return Err("the sessions were used up".into());
    }
    let per_second = f64::from(count) / began.elapsed().as_secs_f64();
    writeln!(io::stdout(), "{}", serde_json::json!({ "per_second": per_second, "count": count }))?;
    Ok(())
}

fn change(tx: &Transaction<'_>, kind: Kind, hash: &str) -> rusqlite::Result<()> {
    let (session, user): (String, String) =
        tx.prepare_cached(SESSION)?.query_row([hash], |row| Ok((row.get("session")?, row.get("user_id")?)))?;
    let event = match kind {
        Kind::SignOut => {
            tx.prepare_cached("DELETE FROM sessions WHERE id = ?1")?.execute([&session])?;
            "sign_out"
        }
        Kind::SecondStep => {
            second_step(tx, &session, &user, hash)?;
            "second_factor"
        }
    };
    tx.prepare_cached(AUDIT)?.execute(params![hash, event, user, session]).map(|_| ())
}

fn second_step(tx: &Transaction<'_>, session: &str, user: &str, hash: &str) -> rusqlite::Result<()> {
    let seed = "SELECT secret, confirmed_at, created_at FROM authenticators WHERE user_id = ?1";
    tx.prepare_cached(seed)?.query_row([user], |_| Ok(()))?;
    tx.prepare_cached("SELECT tat FROM limits WHERE bucket = ?1")?.query_row([session], |_| Ok(())).optional()?;
    tx.prepare_cached("UPDATE authenticators SET last_step = last_step + 1 WHERE user_id = ?1")?.execute([user])?;
    let key = "SELECT 1 FROM security_keys WHERE user_id = ?1 LIMIT 1";
    tx.prepare_cached(key)?.query_row([user], |_| Ok(())).optional()?;
    let rotate = "UPDATE sessions SET token_hash = ?1, half = 0, factors = 'password,totp', idle_expires_at = idle_expires_at + 1, wrong_codes = 0
        WHERE id = ?2 AND token_hash = ?3";
    tx.prepare_cached(rotate)?.execute(params![format!("new{hash}"), session, hash]).map(|_| ())
}

#[expect(clippy::disallowed_methods, reason = "measuring time is what this program does")]
fn now() -> Instant {
    Instant::now()
}
