//! Limits: GCRA, the generic cell rate algorithm, over buckets in the store that all nodes share.
//!
//! A try is charged before it is judged and given back when it succeeds: what counts is failures, and parallel guesses cannot slip
//! through together. Buckets of sign-in are keyed by what the caller typed, known or not, so that a limit tells nothing about accounts.

use std::net::IpAddr;
use std::time::Duration;

use super::audit::{Actor, Event, Record, record};
use super::call::Call;
use super::model::UserId;
use super::policy::LimitPolicy;
use super::refusal::Refusal;
use super::store::limits::Bucket;
use super::store::{Tx, limits};
use super::token::SecretHash;
use super::{Core, Error, Fault, Result};

/// So many at once, and as many again over `per`.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Tries that a fresh bucket allows at once; at least one.
    pub burst: u32,
    /// How long an empty bucket takes to be full again.
    pub per: Duration,
}

impl Rate {
    /// Milliseconds for one try to come back.
    fn interval(self) -> i64 {
        i64::try_from(self.per.as_millis()).unwrap_or(i64::MAX / 4).checked_div(i64::from(self.burst)).unwrap_or(1).max(1)
    }

    fn tolerance(self) -> i64 {
        self.interval().saturating_mul(i64::from(self.burst.saturating_sub(1)))
    }

    /// The bucket of this name that is filled at this rate.
    fn bucket(self, key: SecretHash) -> Bucket {
        Bucket { key, interval: self.interval(), tolerance: self.tolerance() }
    }

    /// What each of an account's two names gets, so that both together get no more than the whole, at once and over time. Names that nobody
    /// has get the same.
    fn of_one_name(self) -> Self {
        Self { burst: self.burst / NAMES, ..self }
    }
}

/// The names of an account, each with a key of its own under which alone it is found: the username and the e-mail address.
pub const NAMES: u32 = 2;

/// So many pages to sign in on may be looked at for every sign-in that may fail.
const CHALLENGES: u32 = 10;

/// A throttled bucket is put on record once in this time, not once a try.
const NOTICES: Rate = Rate { burst: 1, per: Duration::from_secs(15 * 60) };

/// What is limited.
#[derive(Clone, Copy, Debug)]
pub(in crate::core) enum Limited<'a> {
    /// First factors for one typed name: its share of what the account has.
    SigninAccount(&'a str),
    /// First factors, recovery links, invitations and credentials of applications from the caller's network.
    SigninNetwork,
    /// Second factors, and passwords asked for again, of one user.
    SecondFactor(&'a str),
    /// Mails to one typed name or address.
    MailAddress(&'a str),
    /// Mails to one user that strangers asked for, by whichever name.
    MailUser(&'a str),
    /// Access codes mailed to one user, for which a password was proven.
    AccessCodeMail(&'a str),
    /// Lines in the audit log about one throttled bucket.
    Notice(&'a str),
    /// Mails asked for from the caller's network.
    MailNetwork,
    /// Challenges for passkeys, handed to the caller's network: each is a row for a while, and any page to sign in on asks for one.
    ChallengeNetwork,
}

/// Charges that can be given back.
#[derive(Clone, Debug, Default)]
pub(in crate::core) struct Charges(Vec<Bucket>);

impl Charges {
    /// The buckets that a call is charged to; none when limits are off, or for calls without a network.
    pub(in crate::core) fn new(policy: &LimitPolicy, call: &Call, limited: &[Limited<'_>]) -> Self {
        if !policy.enabled {
            return Self::default();
        }
        Self(limited.iter().filter_map(|limited| bucket(policy, call, *limited)).collect())
    }

    /// Charges every bucket.
    ///
    /// # Errors
    /// [`Refusal::TooManyAttempts`] when one is empty.
    pub(in crate::core) async fn take(&self, tx: &mut Tx, call: &Call) -> Result<()> {
        let mut longest = None;
        for bucket in &self.0 {
            let wait = limits::take(tx, bucket, call.now).await?;
            longest = longest.max(wait);
        }
        Ok(throttled(longest)?)
    }

    /// What [`Charges::take`] would refuse. Charges nothing: a try that turns out to be wrong is to be charged in the same transaction.
    pub(in crate::core) async fn demand(
        &self,
        tx: &mut Tx,
        call: &Call,
    ) -> std::result::Result<std::result::Result<(), Refusal>, Fault> {
        let mut longest = None;
        for bucket in &self.0 {
            let wait = limits::wait(tx, bucket, call.now).await?;
            longest = longest.max(wait);
        }
        Ok(throttled(longest))
    }

    /// Puts it on record when a flow that took these charges was throttled.
    pub(in crate::core) async fn on_record<T>(
        &self,
        core: &Core,
        call: &Call,
        event: Event,
        user: Option<UserId>,
        outcome: Result<T>,
    ) -> Result<T> {
        if let Err(Error::Refused(refusal @ Refusal::TooManyAttempts { .. })) = &outcome {
            let (charges, policy, call, outcome) = (self.clone(), core.policy.limits.clone(), call.clone(), refusal.name());
            let noted = core.store.write_each(move |tx| {
                Box::pin(async move {
                    let Some(bucket) = charges.empty(tx, &call).await? else { return Ok(()) };
                    Self::new(&policy, &call, &[Limited::Notice(&bucket.digits())]).take(tx, &call).await?;
                    Ok(record(tx, &call, Record { event, outcome, user, actor: Actor::Anonymous, detail: None }).await?)
                })
            });
            // Refused again: it is on record already.
            if let Err(Error::Faulted(fault)) = noted.await {
                return Err(fault.into());
            }
        }
        outcome
    }

    /// The widest bucket that is empty: a network that goes through many names is one matter, not one for each name. In the order of
    /// [`Charges::take`], lest two callers wait for each other.
    async fn empty(&self, tx: &mut Tx, call: &Call) -> std::result::Result<Option<&SecretHash>, Fault> {
        let mut widest = None;
        for bucket in &self.0 {
            if limits::take(tx, bucket, call.now).await?.is_some() {
                widest = Some(&bucket.key);
            } else {
                limits::refund(tx, bucket).await?;
            }
        }
        Ok(widest)
    }

    /// Charges a guess at a secret, makes it, and gives the charges back unless it was `wrong`.
    pub(in crate::core) async fn guard<T>(
        &self,
        core: &Core,
        call: &Call,
        event: Event,
        guess: impl Future<Output = Result<T>>,
        wrong: fn(&Refusal) -> bool,
    ) -> Result<T> {
        if self.0.is_empty() {
            return guess.await;
        }
        let (charges, called) = (self.clone(), call.clone());
        let taken = core.store.write_each(move |tx| Box::pin(async move { charges.take(tx, &called).await })).await;
        self.on_record(core, call, event, None, taken).await?;
        let outcome = guess.await;
        if !matches!(&outcome, Err(Error::Refused(refusal)) if wrong(refusal)) {
            let charges = self.clone();
            let refunded: Result<()> =
                core.store.write_each(move |tx| Box::pin(async move { Ok(charges.refund(tx).await?) })).await;
            // What was done is done: whoever is told otherwise finds their link spent.
            if let Err(error) = refunded {
                tracing::warn!(?error, "a try that was not wrong stays counted");
            }
        }
        outcome
    }

    /// Gives the charges back: the try has succeeded.
    pub(in crate::core) async fn refund(&self, tx: &mut Tx) -> std::result::Result<(), Fault> {
        for bucket in &self.0 {
            limits::refund(tx, bucket).await?;
        }
        Ok(())
    }
}

fn bucket(policy: &LimitPolicy, call: &Call, limited: Limited<'_>) -> Option<Bucket> {
    let network = || call.origin.address.map(network_of);
    let (key, rate) = match limited {
        Limited::SigninAccount(key) => (SecretHash::digest("limit-signin-account", key), policy.signin_account.of_one_name()),
        Limited::SigninNetwork => (SecretHash::digest("limit-signin-network", &network()?), policy.signin_network),
        Limited::SecondFactor(user) => (SecretHash::digest("limit-second-factor", user), policy.second_factor_account),
        Limited::MailAddress(key) => (SecretHash::digest("limit-mail-address", key), policy.mail_address),
        Limited::MailUser(user) => (SecretHash::digest("limit-mail-user", user), policy.mail_address),
        Limited::AccessCodeMail(user) => (SecretHash::digest("limit-access-code-mail", user), policy.mail_address),
        Limited::Notice(bucket) => (SecretHash::digest("limit-notice", bucket), NOTICES),
        Limited::ChallengeNetwork => {
            let Rate { burst, per } = policy.signin_network;
            (SecretHash::digest("limit-challenge-network", &network()?), Rate { burst: burst.saturating_mul(CHALLENGES), per })
        }
        Limited::MailNetwork => (SecretHash::digest("limit-mail-network", &network()?), policy.mail_network),
    };
    Some(rate.bucket(key))
}

/// One subscriber: an IPv4 address, or the /64 that an IPv6 address lies in.
pub(in crate::core) fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// What to say to somebody who has to wait so many milliseconds.
fn throttled(wait: Option<i64>) -> std::result::Result<(), Refusal> {
    match wait {
        None => Ok(()),
        Some(millis) => Err(Refusal::TooManyAttempts { retry_after: whole_seconds(millis) }),
    }
}

fn whole_seconds(millis: i64) -> Duration {
    Duration::from_secs(u64::try_from(millis).unwrap_or(0).div_ceil(1000).max(1))
}
