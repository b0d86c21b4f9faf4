//! THE place that decides what a set of proven factors opens. No flow and no dialect decides it elsewhere.

use super::model::{Assurance, Factor, Factors};
use super::refusal::Refusal;

/// What a user must be able to prove, from what they have enrolled.
#[derive(Clone, Copy, Debug)]
pub(in crate::core) struct Enrolled {
    /// At least one security key.
    pub(in crate::core) security_key: bool,
}

/// What the way in can offer somebody who still owes a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// A half session, in which the factor can be given.
    OpensHalf,
    /// Nothing: this way in has no second step.
    FullOnly,
    /// An application's sign-in, whose second step is the access code, whether or not a key is enrolled.
    Application {
        /// Whether the registration lets the one-time token stand for it, for users who have enrolled no second factor.
        one_time_token_suffices: bool,
    },
}

/// What the proven factors open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core) enum Opening {
    /// A session.
    Full,
    /// A session that is owed a second factor.
    Half,
}

/// Decides.
///
/// # Errors
/// [`Refusal::InvalidCredentials`] when no first factor is proven, [`Refusal::SecondFactorOwed`] when one is owed and the door has no
/// place to give it, [`Refusal::AccessCodeRequired`] when the application must present one.
pub(in crate::core) fn decide(proven: Factors, enrolled: Enrolled, door: Door) -> Result<Opening, Refusal> {
    let first = proven.has(Factor::Password) || proven.has(Factor::EmailCode);
    if !first {
        return Err(Refusal::InvalidCredentials);
    }
    if assurance(proven) == Assurance::Aal2 {
        return Ok(Opening::Full);
    }
    match door {
        Door::Application { one_time_token_suffices: true } if !enrolled.security_key => Ok(Opening::Full),
        Door::Application { .. } => Err(Refusal::AccessCodeRequired),
        Door::OpensHalf if enrolled.security_key => Ok(Opening::Half),
        Door::FullOnly if enrolled.security_key => Err(Refusal::SecondFactorOwed),
        Door::OpensHalf | Door::FullOnly => Ok(Opening::Full),
    }
}

/// The level that the factors reach: two different ones are needed for the second, of which one is no mailed code of the same mailbox.
#[must_use]
pub fn assurance(proven: Factors) -> Assurance {
    let first = proven.has(Factor::Password) || proven.has(Factor::EmailCode);
    let second = proven.has(Factor::SecurityKey) || (proven.has(Factor::AccessCode) && proven.has(Factor::Password));
    if first && second { Assurance::Aal2 } else { Assurance::Aal1 }
}

/// Whether a session may add or remove a security key: once the user has one, a key must have been used in it, else a stolen password
/// could add the thief's.
///
/// # Errors
/// [`Refusal::SecondFactorOwed`].
pub(in crate::core) fn may_change_factors(proven: Factors, enrolled: Enrolled) -> Result<(), Refusal> {
    if enrolled.security_key && !proven.has(Factor::SecurityKey) { Err(Refusal::SecondFactorOwed) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOORS: [Door; 4] = [
        Door::OpensHalf,
        Door::FullOnly,
        Door::Application { one_time_token_suffices: true },
        Door::Application { one_time_token_suffices: false },
    ];

    /// Every combination of factors at every door: a full session needs what was enrolled.
    #[test]
    fn no_combination_opens_more_than_it_proves() {
        let factors = [Factor::Password, Factor::EmailCode, Factor::SecurityKey, Factor::AccessCode];
        for bits in 0..16_u8 {
            let proven = factors
                .iter()
                .enumerate()
                .filter(|(bit, _)| bits >> bit & 1 == 1)
                .fold(Factors::default(), |set, (_, factor)| set.and(*factor));
            for security_key in [false, true] {
                for door in DOORS {
                    let opened = decide(proven, Enrolled { security_key }, door);
                    let first = proven.has(Factor::Password) || proven.has(Factor::EmailCode);
                    let key = proven.has(Factor::SecurityKey);
                    let code = proven.has(Factor::AccessCode) && proven.has(Factor::Password);
                    if !first {
                        assert_eq!(opened, Err(Refusal::InvalidCredentials), "{proven} {door:?}");
                    } else if security_key && !key && !code {
                        assert_ne!(opened, Ok(Opening::Full), "{proven} {door:?}");
                    }
                    if opened == Ok(Opening::Half) {
                        assert_eq!(door, Door::OpensHalf);
                    }
                }
            }
        }
    }

    #[test]
    fn who_has_no_key_is_signed_in_by_a_password() {
        let proven = Factors::of(Factor::Password);
        let enrolled = Enrolled { security_key: false };
        assert_eq!(decide(proven, enrolled, Door::OpensHalf), Ok(Opening::Full));
        assert_eq!(decide(proven, enrolled, Door::FullOnly), Ok(Opening::Full));
        assert_eq!(decide(proven, enrolled, DOORS[2]), Ok(Opening::Full));
        assert_eq!(decide(proven, enrolled, DOORS[3]), Err(Refusal::AccessCodeRequired));
    }
}
