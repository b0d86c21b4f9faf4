//! Problems (RFC 9457).

use std::fmt;

use serde::Deserialize;

/// Every type of the API begins with this.
const PREFIX: &str = "urn:doorward:problem:";

/// The body of every refusal.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Which problem it is, as a URN: see [`Problem::name`].
    pub r#type: String,
    /// For people.
    pub title: String,
    /// The status.
    pub status: u16,
    /// What this case adds, for people.
    #[serde(default)]
    pub detail: Option<String>,
    /// Which value is wrong.
    #[serde(default)]
    pub field: Option<String>,
    /// Which rules a new password breaks.
    #[serde(default)]
    pub problems: Vec<BrokenRule>,
    /// Seconds, as in the header.
    #[serde(default)]
    pub retry_after: Option<u64>,
}

/// A rule that a new password breaks.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct BrokenRule {
    /// `too_short`, `too_long` or `too_weak`.
    pub code: String,
    /// For people.
    pub message: String,
    /// The fewest characters.
    #[serde(default)]
    pub minimum: Option<u64>,
    /// The most.
    #[serde(default)]
    pub maximum: Option<u64>,
}

impl Problem {
    /// The problem's stable name, such as `invalid-credentials`; the whole type where it is none of this API's.
    #[must_use]
    pub fn name(&self) -> &str {
        self.r#type.strip_prefix(PREFIX).unwrap_or(&self.r#type)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.title, self.name())?;
        match &self.detail {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}
