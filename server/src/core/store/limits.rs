//! The state of the limits: one number a bucket (GCRA's theoretical arrival time), taken and compared in one statement, so that parallel
//! calls cannot slip through together.

use super::engine::Tx;
use super::{statements, sweep_batch, values};
use crate::core::clock::Timestamp;
use crate::core::fault::Fault;
use crate::core::token::SecretHash;

statements! {
    TAKE = "INSERT INTO limits (bucket, tat) VALUES ($1, CAST($2 AS BIGINT) + $3)
        ON CONFLICT (bucket) DO UPDATE SET tat = (CASE WHEN limits.tat > $2 AND limits.tat <= $2 + $5 THEN limits.tat ELSE $2 END) + $3
            WHERE limits.tat <= $2 + $4 OR limits.tat > $2 + $5
        RETURNING tat";
    TAT = "SELECT tat FROM limits WHERE bucket = $1";
    REFUND = "UPDATE limits SET tat = tat - $1 WHERE bucket = $2";
    SWEEP = concat!(
        "DELETE FROM limits WHERE bucket IN (SELECT bucket FROM limits WHERE tat <= $1 ORDER BY tat LIMIT ", sweep_batch!(), ") AND tat <= $1"
    );
}

/// A bucket that is further ahead than any honest one gets, by this much and twice its own span, was filled while the clock was wrong,
/// and starts afresh. Far more than the clocks of two nodes differ.
const ABSURD: i64 = 60 * 60 * 1000;

/// What is counted, and how far.
#[derive(Clone, Copy, Debug)]
pub(in crate::core) struct Bucket {
    /// Its name.
    pub(in crate::core) key: SecretHash,
    /// Milliseconds by which each take moves its theoretical arrival time.
    pub(in crate::core) interval: i64,
    /// Milliseconds that it may be ahead for another take.
    pub(in crate::core) tolerance: i64,
}

impl Bucket {
    fn absurd(&self) -> i64 {
        self.interval.saturating_add(self.tolerance).saturating_mul(2).saturating_add(ABSURD).min(i64::MAX / 4)
    }
}

/// Takes one from the bucket if its theoretical arrival time is not too far ahead. Otherwise takes nothing, and answers the milliseconds
/// until it would.
pub(in crate::core) async fn take(tx: &mut Tx, bucket: &Bucket, now: Timestamp) -> Result<Option<i64>, Fault> {
    let Bucket { key, interval, tolerance } = bucket;
    if tx.query_opt(TAKE, values![key, now, *interval, *tolerance, bucket.absurd()]).await?.is_some() {
        return Ok(None);
    }
    Ok(Some((arrival(tx, bucket, now).await? - tolerance - now.as_millis()).max(1)))
}

/// What [`take`] would answer; takes nothing. For whoever takes later in the same transaction, as if it ran alone.
pub(in crate::core) async fn wait(tx: &mut Tx, bucket: &Bucket, now: Timestamp) -> Result<Option<i64>, Fault> {
    let ahead = arrival(tx, bucket, now).await? - now.as_millis();
    Ok((ahead > bucket.tolerance && ahead <= bucket.absurd()).then(|| ahead - bucket.tolerance))
}

/// The theoretical arrival time of a bucket.
async fn arrival(tx: &mut Tx, bucket: &Bucket, now: Timestamp) -> Result<i64, Fault> {
    match tx.query_opt(TAT, values![&bucket.key]).await? {
        Some(row) => row.fields().int(),
        None => Ok(now.as_millis()),
    }
}

/// Gives one back.
pub(in crate::core) async fn refund(tx: &mut Tx, bucket: &Bucket) -> Result<(), Fault> {
    tx.count(REFUND, values![bucket.interval, &bucket.key]).await
}

/// Deletes a batch of buckets that are full again; their number.
pub(in crate::core) async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<u64, Fault> {
    tx.execute(SWEEP, values![now]).await
}
