//! THE place that decides what a set of proven factors opens. No flow and no dialect decides it elsewhere.

use super::model::{Assurance, Factor, Factors};
use super::refusal::Refusal;

/// What a user must be able to prove, from what they have enrolled.
#[derive(Clone, Copy, Debug)]
pub(in crate::core) struct Enrolled {
    /// At least one security key.
    pub(in crate::core) security_key: bool,
    /// An authenticator app, confirmed by a code of it.
    pub(in crate::core) totp: bool,
}

impl Enrolled {
    /// Whether there is a second factor at all; one that there is, is owed.
    const fn any(self) -> bool {
        self.security_key || self.totp
    }

    /// The strongest of them.
    pub(in crate::core) const fn strongest(self) -> Option<Factor> {
        match self {
            Self { security_key: true, .. } => Some(Factor::SecurityKey),
            Self { totp: true, .. } => Some(Factor::Totp),
            Self { .. } => None,
        }
    }
}

/// What the way in can offer somebody who still owes a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// A half session, in which the factor can be given.
    OpensHalf,
    /// Nothing: this way in has no second step.
    FullOnly,
    /// An application's sign-in, whose second step is the access code, whether or not a key is enrolled: the authenticator app's code where
    /// one is enrolled, a mailed one elsewhere.
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
    if !has_first(proven) {
        return Err(Refusal::InvalidCredentials);
    }
    if matches!(door, Door::Application { .. }) && enrolled.totp && !proven.has(Factor::Totp) {
        return Err(Refusal::AccessCodeRequired);
    }
    if assurance(proven) == Assurance::Aal2 {
        return Ok(Opening::Full);
    }
    match door {
        Door::Application { one_time_token_suffices: true } if !enrolled.any() => Ok(Opening::Full),
        Door::Application { .. } => Err(Refusal::AccessCodeRequired),
        Door::OpensHalf if enrolled.any() => Ok(Opening::Half),
        Door::FullOnly if enrolled.any() => Err(Refusal::SecondFactorOwed),
        Door::OpensHalf | Door::FullOnly => Ok(Opening::Full),
    }
}

/// Whether the factors say who somebody is: a key by itself only if it verified them.
fn has_first(proven: Factors) -> bool {
    proven.has(Factor::Password) || proven.has(Factor::EmailCode) || is_passkey(proven)
}

/// A key that verified its user: something that they have, and something that they know or are (NIST SP 800-63B, 5.1.9: multi-factor
/// cryptographic device).
const fn is_passkey(proven: Factors) -> bool {
    proven.has(Factor::SecurityKey) && proven.has(Factor::UserVerification)
}

/// The level that the factors reach: two different ones are needed for the second, of which one is no mailed code of the same mailbox. A
/// passkey is two by itself.
#[must_use]
pub fn assurance(proven: Factors) -> Assurance {
    let first = proven.has(Factor::Password) || proven.has(Factor::EmailCode);
    let second = proven.has(Factor::SecurityKey)
        || proven.has(Factor::Totp)
        || (proven.has(Factor::AccessCode) && proven.has(Factor::Password));
    if is_passkey(proven) || (first && second) { Assurance::Aal2 } else { Assurance::Aal1 }
}

/// Whether a session may add or remove a second factor: once the user has one, the strongest that they have must have been used in it, else
/// a stolen password could add the thief's, and a phished code could take a key away.
///
/// # Errors
/// [`Refusal::SecondFactorOwed`].
pub(in crate::core) fn may_change_factors(proven: Factors, enrolled: Enrolled) -> Result<(), Refusal> {
    if enrolled.strongest().is_none_or(|factor| proven.has(factor)) { Ok(()) } else { Err(Refusal::SecondFactorOwed) }
}

/// Whether a session may act on other people's accounts: two factors must have been proven in it where its user has a second one, and
/// of everybody where `always` says so. The second must be an enrolled one: an application's mailed code is not, and whoever reads the
/// mailbox of an administrator would else administer.
///
/// # Errors
/// [`Refusal::SecondFactorOwed`].
pub(in crate::core) fn may_administer(proven: Factors, enrolled: Enrolled, always: bool) -> Result<(), Refusal> {
    let demanded = always || enrolled.any();
    let enrolled_proven = proven.has(Factor::SecurityKey) || proven.has(Factor::Totp);
    if demanded && !(enrolled_proven && assurance(proven) == Assurance::Aal2) { Err(Refusal::SecondFactorOwed) } else { Ok(()) }
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

    const ENROLLED: [Enrolled; 4] = [
        Enrolled { security_key: false, totp: false },
        Enrolled { security_key: true, totp: false },
        Enrolled { security_key: false, totp: true },
        Enrolled { security_key: true, totp: true },
    ];

    fn every_set() -> impl Iterator<Item = Factors> {
        let factors = [
            Factor::Password,
            Factor::EmailCode,
            Factor::SecurityKey,
            Factor::AccessCode,
            Factor::Totp,
            Factor::UserVerification,
        ];
        (0..64_u8).map(move |bits| {
            let chosen = factors.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
            chosen.fold(Factors::default(), |set, (_, factor)| set.and(*factor))
        })
    }

    /// Every combination of factors at every door: a full session needs what was enrolled.
    #[test]
    fn no_combination_opens_more_than_it_proves() {
        for proven in every_set() {
            for (enrolled, door) in ENROLLED.into_iter().flat_map(|enrolled| DOORS.map(|door| (enrolled, door))) {
                let opened = decide(proven, enrolled, door);
                let passkey = proven.has(Factor::SecurityKey) && proven.has(Factor::UserVerification);
                let first = proven.has(Factor::Password) || proven.has(Factor::EmailCode) || passkey;
                let code = proven.has(Factor::AccessCode) && proven.has(Factor::Password);
                let second = proven.has(Factor::SecurityKey) || proven.has(Factor::Totp) || code;
                if !first {
                    assert_eq!(opened, Err(Refusal::InvalidCredentials), "{proven} {enrolled:?} {door:?}");
                } else if (enrolled.security_key || enrolled.totp) && !second {
                    assert_ne!(opened, Ok(Opening::Full), "{proven} {enrolled:?} {door:?}");
                }
                if opened == Ok(Opening::Half) {
                    assert_eq!(door, Door::OpensHalf);
                }
                let through_application = matches!(door, Door::Application { .. });
                if through_application && enrolled.totp && !proven.has(Factor::Totp) {
                    assert!(opened.is_err(), "{proven}: a mailed code in the place of an enrolled authenticator's");
                }
            }
        }
    }

    #[test]
    fn who_has_no_second_factor_is_signed_in_by_a_password() {
        let (proven, enrolled) = (Factors::of(Factor::Password), ENROLLED[0]);
        assert_eq!(decide(proven, enrolled, Door::OpensHalf), Ok(Opening::Full));
        assert_eq!(decide(proven, enrolled, Door::FullOnly), Ok(Opening::Full));
        assert_eq!(decide(proven, enrolled, DOORS[2]), Ok(Opening::Full));
        assert_eq!(decide(proven, enrolled, DOORS[3]), Err(Refusal::AccessCodeRequired));
    }

    #[test]
    fn who_has_one_owes_it_at_every_door() {
        for enrolled in &ENROLLED[1..] {
            for factor in [Factor::Password, Factor::EmailCode] {
                let proven = Factors::of(factor);
                assert_eq!(decide(proven, *enrolled, Door::OpensHalf), Ok(Opening::Half));
                assert_eq!(decide(proven, *enrolled, Door::FullOnly), Err(Refusal::SecondFactorOwed));
                assert_eq!(decide(proven, *enrolled, DOORS[2]), Err(Refusal::AccessCodeRequired));
                assert_eq!(decide(proven, *enrolled, DOORS[3]), Err(Refusal::AccessCodeRequired));
            }
        }
    }

    #[test]
    fn a_passkey_is_two_factors_in_one_and_half_of_it_is_none() {
        let passkey = Factors::of(Factor::SecurityKey).and(Factor::UserVerification);
        assert_eq!(assurance(passkey), Assurance::Aal2);
        for enrolled in ENROLLED {
            for door in [Door::OpensHalf, Door::FullOnly] {
                assert_eq!(decide(passkey, enrolled, door), Ok(Opening::Full), "{enrolled:?} {door:?}");
            }
            for factor in [Factor::SecurityKey, Factor::UserVerification] {
                for door in DOORS {
                    assert_eq!(decide(Factors::of(factor), enrolled, door), Err(Refusal::InvalidCredentials));
                }
                assert_eq!(assurance(Factors::of(factor)), Assurance::Aal1);
            }
        }
        // What is verified without a key in hand adds nothing to a password.
        let verified = Factors::of(Factor::Password).and(Factor::UserVerification);
        assert_eq!(assurance(verified), Assurance::Aal1);
        assert_eq!(decide(verified, ENROLLED[1], Door::FullOnly), Err(Refusal::SecondFactorOwed));
    }

    #[test]
    fn who_administers_has_proven_what_they_have() {
        for proven in every_set() {
            let without_mailed_code =
                [Factor::Password, Factor::EmailCode, Factor::SecurityKey, Factor::Totp, Factor::UserVerification]
                    .into_iter()
                    .filter(|factor| proven.has(*factor))
                    .fold(Factors::default(), Factors::and);
            let strong = assurance(without_mailed_code) == Assurance::Aal2;
            for (place, enrolled) in ENROLLED.into_iter().enumerate() {
                assert_eq!(may_administer(proven, enrolled, true).is_ok(), strong, "{proven}");
                assert_eq!(may_administer(proven, enrolled, false).is_ok(), strong || place == 0, "{proven} {enrolled:?}");
            }
        }
    }

    #[test]
    fn the_strongest_factor_guards_the_factors() {
        for proven in every_set() {
            let [nothing, key, totp, both] = ENROLLED.map(|enrolled| may_change_factors(proven, enrolled).is_ok());
            assert!(nothing);
            assert_eq!((key, both), (proven.has(Factor::SecurityKey), proven.has(Factor::SecurityKey)), "{proven}");
            assert_eq!(totp, proven.has(Factor::Totp), "{proven}");
        }
    }
}
