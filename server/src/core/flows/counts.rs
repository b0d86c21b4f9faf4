//! Sign-ins and refusals over time, counted from the audit log when somebody asks.

use std::time::Duration;

use super::authority::Authority;
use crate::core::audit::Event;
use crate::core::call::Call;
use crate::core::clock::Timestamp;
use crate::core::model::AuditId;
use crate::core::store::audit;
use crate::core::{Core, Result};

/// How fine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Hours of UTC: 48, the present one the last.
    Hour,
    /// Days of UTC: 30, the present one the last.
    Day,
}

impl Span {
    const fn length(self) -> Duration {
        match self {
            Self::Hour => Duration::from_secs(60 * 60),
            Self::Day => Duration::from_secs(24 * 60 * 60),
        }
    }

    const fn number(self) -> u32 {
        match self {
            Self::Hour => 48,
            Self::Day => 30,
        }
    }
}

/// What happened in one hour or day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Its beginning.
    pub from: Timestamp,
    /// First factors that were right, also where a second is owed.
    pub sign_ins: i64,
    /// First and second factors that were refused.
    pub refusals: i64,
    /// Whether there were more than are counted.
    pub more: bool,
}

/// No more lines of one event are counted in one hour or day, so that what a look costs is bounded, however busy the server.
pub const MOST: i64 = 100_000;

/// Counts, the oldest first.
///
/// # Errors
/// Faults only.
pub async fn sign_ins(core: &Core, call: &Call, _: Authority, span: Span) -> Result<Vec<Count>> {
    let length = i64::try_from(span.length().as_millis()).unwrap_or(i64::MAX);
    let last = call.now.as_millis() - call.now.as_millis() % length;
    let starts = (0..=i64::from(span.number())).rev().map(move |back| last - (back - 1) * length);
    let edges: Vec<Timestamp> = starts.map(Timestamp::from_millis).collect();
    let work = core.store.read(move |tx| {
        Box::pin(async move {
            let mut counts = Vec::new();
            for (from, to) in edges.iter().zip(edges.iter().skip(1)) {
                let (first, before) = (AuditId::least_at(*from), AuditId::least_at(*to));
                let (sign_ins, refused) = audit::count(tx, Event::SignIn.as_str(), &first, &before, MOST).await?;
                let (_, refused_second) = audit::count(tx, Event::SecondFactor.as_str(), &first, &before, MOST).await?;
                let more = [sign_ins, refused, refused_second].contains(&MOST);
                counts.push(Count { from: *from, sign_ins: sign_ins - refused, refusals: refused + refused_second, more });
            }
            Ok(counts)
        })
    });
    work.await
}
