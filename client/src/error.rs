//! What a call can end with, other than what was asked for.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::error::Category;

use crate::retry::retry_after;

/// Why a call has no answer to give; `B` is the error body of the API.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error<B> {
    /// The server answered, and not with a success.
    Refused(Box<Refused<B>>),
    /// The server answered with a success that is not of the API's form.
    Unreadable(Unreadable),
    /// No connection came about, or it broke. Whether the server has done what was asked is unknown, unless [`Broken::is_connect`].
    Broken(Broken),
    /// The call took longer than this. Whether the server has done what was asked is unknown.
    Deadline(Duration),
    /// The call cannot be made with these values. Nothing was sent.
    Invalid(Invalid),
}

impl<B> Error<B> {
    /// The server's refusal, if it is one.
    #[must_use]
    pub fn refused(&self) -> Option<&Refused<B>> {
        match self {
            Self::Refused(refused) => Some(refused),
            _ => None,
        }
    }

    /// The status of the answer, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused(refused) => Some(refused.status),
            Self::Unreadable(unreadable) => Some(unreadable.status),
            _ => None,
        }
    }

    /// How long the server asks to be left alone: see [`Refused::retry_after`].
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.refused()?.retry_after()
    }
}

impl<B: fmt::Display> fmt::Display for Error<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => refused.fmt(f),
            Self::Unreadable(unreadable) => unreadable.fmt(f),
            Self::Broken(broken) => broken.fmt(f),
            Self::Deadline(deadline) => write!(f, "no answer within {deadline:?}"),
            Self::Invalid(invalid) => invalid.fmt(f),
        }
    }
}

impl<B: fmt::Debug + fmt::Display> std::error::Error for Error<B> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Broken(broken) => Some(&broken.0),
            _ => None,
        }
    }
}

impl<B> From<Invalid> for Error<B> {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

/// An answer that is no success.
#[derive(Clone)]
pub struct Refused<B> {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<B>,
    pub(crate) text: String,
    pub(crate) attempts: u32,
}

impl<B> Refused<B> {
    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// All headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The API's error; `None` if the body is something else, such as a page of a proxy.
    #[must_use]
    pub fn body(&self) -> Option<&B> {
        self.body.as_ref()
    }

    /// The body as it came.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How often the call was sent. An idempotent call that was sent more than once may have succeeded before, its answer lost: then what was
    /// to be deleted is not found.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// `Retry-After` (RFC 9110, section 10.2.3): how long to wait before asking again. A date counts from the answer's own `Date`.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers)
    }
}

/// Headers may hold cookies and a body anything, so neither is shown.
impl<B: fmt::Debug> fmt::Debug for Refused<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Refused");
        shown.field("status", &self.status).field("body", &self.body).field("attempts", &self.attempts);
        shown.field("retry_after", &self.retry_after()).finish_non_exhaustive()
    }
}

impl<B: fmt::Display> fmt::Display for Refused<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.status.fmt(f)?;
        match &self.body {
            Some(body) => write!(f, ": {body}"),
            None => Ok(()),
        }
    }
}

/// A success that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    status: StatusCode,
    /// Which kind of mistake, and where. Not the parser's own text: that quotes values, and one of them may be a token.
    why: String,
}

impl Unreadable {
    pub(crate) fn new(status: StatusCode, error: &serde_json::Error) -> Self {
        let kind = match error.classify() {
            Category::Io | Category::Eof => "it ends too early",
            Category::Syntax => "it is no JSON",
            Category::Data => "a member is missing or of another type",
        };
        Self { status, why: format!("{kind}, at line {}, column {}", error.line(), error.column()) }
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with a body that is not of this API: {}", self.status, self.why)
    }
}

/// A connection that did not come about, or broke.
#[derive(Debug)]
pub struct Broken(pub(crate) reqwest::Error);

impl Broken {
    /// Whether no connection came about, so that nothing was sent.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        self.0.is_connect()
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_connect() { "the server cannot be reached" } else { "the connection broke" })
    }
}

/// A value with which a client cannot be made or a call cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    what: &'static str,
    why: String,
}

impl Invalid {
    pub(crate) fn new(what: &'static str, why: impl Into<String>) -> Self {
        Self { what, why: why.into() }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}

impl std::error::Error for Invalid {}
