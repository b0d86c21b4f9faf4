//! What forms have in common: fields, and what is wrong with a new password.

use crate::core::refusal::PasswordProblem;

use super::visit::Visit;

/// What is wrong with a new password, in the visitor's language.
pub(super) fn password_problems(visit: &Visit, problems: &[PasswordProblem]) -> String {
    let mut told = Vec::new();
    for problem in problems {
        match problem {
            PasswordProblem::TooShort { minimum } => {
                told.push(visit.say("password.too_short", &[("minimum", &minimum.to_string())]));
            }
            PasswordProblem::TooLong { maximum } => {
                told.push(visit.say("password.too_long", &[("maximum", &maximum.to_string())]));
            }
            PasswordProblem::TooWeak { advice } => {
                told.push(visit.say("password.too_weak", &[]));
                told.extend(advice.iter().filter_map(|sentence| advised(visit, sentence)));
            }
        }
    }
    told.join(" ")
}

/// The judge's sentences are the keys of ours; one that there is no message for is left out.
fn advised(visit: &Visit, sentence: &str) -> Option<String> {
    let key = format!("advice.{sentence}");
    Some(visit.say(&key, &[])).filter(|said| *said != key)
}
