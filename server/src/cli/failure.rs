//! Why a command did not do what it was called for: one line on standard error that says what to do next, and an exit code.

use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::app::StartError;
use crate::config::ConfigError;
use crate::core::fault::FaultKind;
use crate::core::refusal::PasswordProblem;
use crate::core::{Error, Fault, Refusal};
use crate::log;

/// Why a command failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The arguments, their surroundings or the configuration are wrong.
    Usage(String),
    /// It was refused, or something broke.
    Failed(String),
    /// Whoever read the output has stopped reading: no failure of ours, and nobody to tell.
    Unread,
}

impl Failure {
    pub(super) fn report(self) -> ExitCode {
        let (text, code) = match self {
            Self::Usage(text) => (text, ExitCode::from(2)),
            Self::Failed(text) => (text, ExitCode::FAILURE),
            Self::Unread => return ExitCode::SUCCESS,
        };
        let line = log::escaped(&text, |_, line| line.push(' '));
        // Without a standard error there is only the exit code to say it.
        let _ = writeln!(io::stderr(), "error: {line}");
        code
    }

    pub(super) fn failed(text: impl Into<String>) -> Self {
        Self::Failed(text.into())
    }

    /// The failure of a flow, with words for what was not found.
    pub(super) fn of(missing: impl FnOnce() -> String) -> impl FnOnce(Error) -> Self {
        move |error| match error {
            Error::Refused(Refusal::NotFound) => Self::Failed(missing()),
            error => error.into(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => Self::Failed(words(&refusal)),
            Error::Faulted(fault) => fault.into(),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Failed(match fault.kind() {
            FaultKind::Unavailable | FaultKind::Internal => fault.to_string(),
            FaultKind::Deadline => format!("{fault}; if nothing holds the database, try again"),
        })
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Unread,
            _ => Self::Failed(format!("what was asked for was done, but the output cannot be written: {error}")),
        }
    }
}

/// A refusal in words for the operator.
fn words(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Invalid { field, problem } => format!("{field}: {problem}"),
        Refusal::PasswordRejected(problems) => PasswordProblem::messages(problems),
        Refusal::EmailTaken => {
            "a user with this e-mail address exists; `doorward user show ADDRESS` shows it, or name another".to_owned()
        }
        Refusal::UsernameTaken => {
            "a user with this username exists; `doorward user show NAME` shows it, or name another".to_owned()
        }
        Refusal::Conflict { problem } => (*problem).to_owned(),
        Refusal::NotFound => "there is no such thing; the command's `list` shows all that there are".to_owned(),
        Refusal::TooManyAttempts { retry_after } | Refusal::Overloaded { retry_after } => {
            format!("the server is busy; try again in {} s", retry_after.as_secs().max(1))
        }
        // No command meets these: they are about callers with sessions, codes and credentials.
        Refusal::InvalidCredentials
        | Refusal::AccountDisabled
        | Refusal::SecondFactorOwed
        | Refusal::NotSignedIn
        | Refusal::RecentSignInRequired
        | Refusal::NotPermitted
        | Refusal::ForeignOrigin
        | Refusal::TicketInvalid
        | Refusal::InvitationNotFound
        | Refusal::InvitationForAnother
        | Refusal::NoSecurityKey
        | Refusal::KeyNameTaken
        | Refusal::WebauthnFailed
        | Refusal::WebauthnUnavailable
        | Refusal::ApplicationUnknown
        | Refusal::NetworkNotAllowed
        | Refusal::AccessCodeRequired
        | Refusal::SwitchedOff => format!("refused: {}", refusal.name()),
    }
}
