//! Names that are at rest, in words: events, outcomes, kinds of mail, actors.

use serde::Serialize;

use super::visit::Visit;

/// The words of a name in a section of the catalogues; the name itself where a later release has written what this one does not know.
pub(super) fn word(visit: &Visit, section: &str, name: &str) -> String {
    let key = format!("{section}.{name}");
    Some(visit.say(&key, &[])).filter(|said| *said != key).unwrap_or_else(|| name.to_owned())
}

/// One of the names that can be looked for.
#[derive(Serialize)]
pub(super) struct Choice {
    name: String,
    words: String,
    chosen: bool,
}

/// What can be chosen, by its words; a name that is not among `names` is kept if it is the chosen one.
pub(super) fn choices<'a>(visit: &Visit, section: &str, names: impl Iterator<Item = &'a str>, chosen: &str) -> Vec<Choice> {
    let choice = |name: &str| Choice { name: name.to_owned(), words: word(visit, section, name), chosen: name == chosen };
    let mut all: Vec<_> = names.map(choice).collect();
    all.sort_by_key(|choice| choice.words.to_lowercase());
    if !chosen.is_empty() && !all.iter().any(|choice| choice.chosen) {
        all.push(choice(chosen));
    }
    all
}

/// One that is chosen, and one that is not.
pub(super) fn sample_choices() -> Vec<Choice> {
    [true, false].map(|chosen| Choice { name: "sample".to_owned(), words: "Sample".to_owned(), chosen }).into()
}
