//! Whether a new password is good enough: long enough, and not guessable in zxcvbn's judgement. No composition rules (NIST SP 800-63B,
//! 5.1.1.2).

use super::model::{Email, PersonName, Username};
use super::password::Password;
use super::policy::PasswordPolicy;
use super::refusal::{PasswordProblem, Refusal};

/// zxcvbn's work grows with the square of the length; what comes after this cannot make a password weaker.
const JUDGED: usize = 100;

/// Words that a password must not be built on: the user's own, and the service's.
#[derive(Clone, Debug, Default)]
pub(in crate::core) struct Context(Vec<String>);

impl Context {
    pub(in crate::core) fn new(
        service: &str,
        username: Option<&Username>,
        email: &Email,
        first: &PersonName,
        last: &PersonName,
    ) -> Self {
        let (local, host) = email.as_str().split_once('@').unwrap_or((email.as_str(), ""));
        let mut words = vec![service.to_owned(), email.as_str().to_owned(), local.to_owned(), host.to_owned()];
        words.extend(host.split('.').filter(|label| label.len() > 3).map(str::to_owned));
        words.extend(username.map(|name| name.as_str().to_owned()));
        words.extend([first, last].into_iter().filter(|name| !name.as_str().is_empty()).map(|name| name.as_str().to_owned()));
        Self(words)
    }
}

/// Judges a new password; slow enough to belong on the hashing threads.
///
/// # Errors
/// [`Refusal::PasswordRejected`] with every rule that it breaks.
pub(in crate::core) fn judge(password: &Password, context: &Context, policy: &PasswordPolicy) -> Result<(), Refusal> {
    let length = password.reveal().chars().count();
    let mut problems = Vec::new();
    if length < policy.min_length {
        problems.push(PasswordProblem::TooShort { minimum: policy.min_length });
    }
    if length > policy.max_length {
        problems.push(PasswordProblem::TooLong { maximum: policy.max_length });
    }
    let judged: String = password.reveal().chars().take(JUDGED).collect();
    let words: Vec<&str> = context.0.iter().map(String::as_str).collect();
    let entropy = zxcvbn::zxcvbn(&judged, &words);
    if u8::from(entropy.score()) < policy.min_score {
        problems.push(PasswordProblem::TooWeak { advice: advice(&entropy) });
    }
    if problems.is_empty() { Ok(()) } else { Err(Refusal::PasswordRejected(problems)) }
}

fn advice(entropy: &zxcvbn::Entropy) -> Vec<String> {
    let mut advice = Vec::new();
    if let Some(feedback) = entropy.feedback() {
        advice.extend(feedback.warning().map(|warning| warning.to_string()));
        advice.extend(feedback.suggestions().iter().map(ToString::to_string));
    }
    if advice.is_empty() {
        advice.push("Use several uncommon words, or a longer password from a password manager.".to_owned());
    }
    advice
}
