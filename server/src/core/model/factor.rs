//! What a person proved themselves with.

use std::fmt;

/// One kind of proof (NIST SP 800-63B: authenticator).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Factor {
    /// The user's password.
    Password,
    /// A one-time code mailed for signing in.
    EmailCode,
    /// A WebAuthn security key.
    SecurityKey,
    /// The access code of an application's sign-in.
    AccessCode,
    /// A time-based one-time password of an authenticator app (RFC 6238).
    Totp,
    /// What the session's security key checked of its user before it answered: a PIN, a fingerprint, a face. With the key itself, two factors.
    UserVerification,
}

/// The factors and their names, in the fixed order of a set.
const ALL: [(Factor, &str); 6] = [
    (Factor::Password, "password"),
    (Factor::EmailCode, "email_code"),
    (Factor::SecurityKey, "security_key"),
    (Factor::AccessCode, "access_code"),
    (Factor::Totp, "totp"),
    (Factor::UserVerification, "user_verification"),
];

impl Factor {
    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of factors. As text, on the wire and at rest: names in a fixed order, separated by one space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Factors(u8);

impl Factors {
    /// The set of just this one.
    #[must_use]
    pub const fn of(factor: Factor) -> Self {
        Self(factor.bit())
    }

    /// This set and one more.
    #[must_use]
    pub const fn and(self, factor: Factor) -> Self {
        Self(self.0 | factor.bit())
    }

    /// This set without one.
    #[must_use]
    pub const fn without(self, factor: Factor) -> Self {
        Self(self.0 & !factor.bit())
    }

    /// Whether the factor was used.
    #[must_use]
    pub const fn has(self, factor: Factor) -> bool {
        self.0 & factor.bit() != 0
    }

    /// The set in one byte, for memory alone.
    pub(in crate::core) const fn bits(self) -> u8 {
        self.0
    }

    /// From [`Factors::bits`].
    pub(in crate::core) const fn again(bits: u8) -> Self {
        Self(bits)
    }

    /// The factors, in their fixed order.
    pub fn iter(self) -> impl Iterator<Item = Factor> {
        self.named().map(|(factor, _)| factor)
    }

    fn named(self) -> impl Iterator<Item = (Factor, &'static str)> {
        ALL.into_iter().filter(move |(factor, _)| self.has(*factor))
    }

    /// From the text form; unknown names are `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.split_ascii_whitespace()
            .map(|name| ALL.into_iter().find(|(_, known)| *known == name))
            .try_fold(Self::default(), |set, found| found.map(|(factor, _)| set.and(factor)))
    }
}

impl fmt::Display for Factors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.named().map(|(_, name)| name).collect();
        f.write_str(&names.join(" "))
    }
}

/// As it is serialised: a list.
impl utoipa::PartialSchema for Factors {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        Vec::<Factor>::schema()
    }
}

impl utoipa::ToSchema for Factors {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>) {
        schemas.push((<Factor as utoipa::ToSchema>::name().into_owned(), <Factor as utoipa::PartialSchema>::schema()));
    }
}

impl serde::Serialize for Factors {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// Authenticator assurance level (NIST SP 800-63B, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assurance {
    /// One factor.
    Aal1,
    /// Two different factors.
    Aal2,
}

impl Assurance {
    /// 1 or 2.
    #[must_use]
    pub const fn level(self) -> u8 {
        match self {
            Self::Aal1 => 1,
            Self::Aal2 => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Factor, Factors};

    #[test]
    fn the_text_form_comes_back() {
        for bits in 0..64 {
            let set = Factors(bits);
            assert_eq!(Factors::parse(&set.to_string()), Some(set));
        }
        assert_eq!(Factors::of(Factor::SecurityKey).and(Factor::Password).to_string(), "password security_key");
        assert_eq!(Factors::of(Factor::Totp).and(Factor::Password).to_string(), "password totp");
        assert_eq!(Factors::parse("password palm_reading"), None);
    }
}
