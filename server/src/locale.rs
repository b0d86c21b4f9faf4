//! Languages, and the catalogues (`locales/*.toml`) that hold every text of pages and mails. A folder of the operator's replaces single
//! messages.
//!
//! A message is plain text, never markup: the template around it escapes. `{name}` in it is replaced by what the template gives.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::core::clock::Timestamp;
use crate::templates::TemplateError;

/// A language that there is a complete catalogue of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// The tag (RFC 5646): of the catalogue's file, of `lang` in pages, of the configuration.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    const fn built_in(self) -> &'static str {
        match self {
            Self::English => include_str!("../../locales/en.toml"),
            Self::German => include_str!("../../locales/de.toml"),
        }
    }

    /// From [`Language::tag`], or a tag that begins with one: `de-AT` is German.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let primary = text.split('-').next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// The language that an `Accept-Language` (RFC 9110, 12.5.4) likes best among those that there are; the first of equals.
    #[must_use]
    pub fn negotiate(accepted: &str) -> Option<Self> {
        let mut best: Option<(Self, f32)> = None;
        for range in accepted.split(',').take(MOST_RANGES) {
            let mut parts = range.split(';').map(str::trim);
            let Some(language) = parts.next().and_then(Self::parse) else { continue };
            let quality = parts.find_map(|part| part.strip_prefix("q="));
            let quality = quality.map_or(Some(1.0), |text| text.parse().ok()).unwrap_or(0.0);
            if quality > best.map_or(0.0, |(_, least)| least) {
                best = Some((language, quality));
            }
        }
        best.map(|(language, _)| language)
    }
}

/// More languages than this nobody reads.
const MOST_RANGES: usize = 32;

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

/// The messages of one language, by their dotted keys.
type Messages = BTreeMap<String, String>;

/// All messages in all languages; cheap to clone.
#[derive(Clone, Debug)]
pub struct Catalogues(Arc<BTreeMap<Language, Messages>>);

impl Catalogues {
    /// Reads the built-in catalogues; a message in `<overrides>/locales/<tag>.toml` goes in the place of the one with its key.
    ///
    /// # Errors
    /// When such a file cannot be read, or has a key that there is not, or a message with a placeholder that is given nothing.
    pub fn load(overrides: Option<&Path>) -> Result<Self, TemplateError> {
        let mut all = BTreeMap::new();
        for language in Language::ALL {
            let built_in = format!("locales/{language}.toml");
            let mut messages = read(&built_in, language.built_in())?;
            if let Some(path) = overrides.map(|root| root.join(&built_in)).filter(|path| path.exists()) {
                let file = path.display().to_string();
                let text = std::fs::read_to_string(&path).map_err(|error| fault(&file, error.to_string()))?;
                replace(&mut messages, read(&file, &text)?, &file)?;
            }
            all.insert(language, messages);
        }
        Ok(Self(Arc::new(all)))
    }

    /// A message with its placeholders filled; `None` if there is none of this key, or it has a placeholder that `values` has not.
    #[must_use]
    pub fn say(&self, language: Language, key: &str, values: &[(&str, &str)]) -> Option<String> {
        let mut rest = self.0.get(&language)?.get(key)?.as_str();
        let mut said = String::with_capacity(rest.len());
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            said.push_str(before);
            said.push_str(values.iter().find(|(known, _)| *known == name)?.1);
            rest = after;
        }
        said.push_str(rest);
        Some(said)
    }
}

/// To the minute: `2026-11-23 17:59 UTC`.
#[must_use]
pub fn minute(at: Timestamp) -> String {
    at.to_string().get(..16).map_or_else(|| at.to_string(), |cut| format!("{} UTC", cut.replace('T', " ")))
}

/// In whole minutes, rounded up, by the largest unit that tells them exactly: `7 days`, `1 hour`, `90 minutes`.
#[must_use]
pub fn span(catalogues: &Catalogues, language: Language, span: Duration) -> Option<String> {
    let minutes = span.as_secs().div_ceil(60);
    let (count, one, several) = match minutes {
        0 => (0, "span.minute", "span.minutes"),
        _ if minutes.is_multiple_of(24 * 60) => (minutes / (24 * 60), "span.day", "span.days"),
        _ if minutes.is_multiple_of(60) => (minutes / 60, "span.hour", "span.hours"),
        _ => (minutes, "span.minute", "span.minutes"),
    };
    catalogues.say(language, if count == 1 { one } else { several }, &[("count", &count.to_string())])
}

fn replace(messages: &mut Messages, ours: Messages, file: &str) -> Result<(), TemplateError> {
    for (key, text) in ours {
        let Some(known) = messages.get_mut(&key) else {
            return Err(fault(file, format!("there is no message {key}")));
        };
        if let Some(name) = placeholders(&text).difference(&placeholders(known)).next() {
            return Err(fault(file, format!("{key}: nothing is given for {{{name}}}")));
        }
        *known = text;
    }
    Ok(())
}

fn fault(file: &str, problem: String) -> TemplateError {
    TemplateError { file: file.to_owned(), line: None, problem }
}

fn read(file: &str, text: &str) -> Result<Messages, TemplateError> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| fault(file, error.to_string()))?;
    let mut messages = Messages::new();
    flatten("", &table, &mut messages).map_err(|key| fault(file, format!("{key}: a message is a text")))?;
    Ok(messages)
}

fn flatten(prefix: &str, table: &toml::Table, messages: &mut Messages) -> Result<(), String> {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            toml::Value::String(text) => {
                messages.insert(key, text.clone());
            }
            toml::Value::Table(below) => flatten(&key, below, messages)?,
            _ => return Err(key),
        }
    }
    Ok(())
}

fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_the_same_messages_and_placeholders() {
        let all = Catalogues::load(None).unwrap().0;
        let english = &all[&Language::English];
        assert!(!english.is_empty());
        for language in Language::ALL {
            let other = &all[&language];
            assert_eq!(english.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>(), "{language}");
            for (key, text) in english {
                assert!(!other[key].trim().is_empty(), "{language} {key}");
                assert_eq!(placeholders(text), placeholders(&other[key]), "{language} {key}");
                let lone = |text: &str| text.matches('{').count() != text.matches('}').count();
                assert!(!lone(text) && !lone(&other[key]), "{language} {key}");
            }
        }
    }

    #[test]
    fn the_language_liked_best() {
        use Language::{English, German};
        for (accepted, language) in [
            ("", None),
            ("fr, es;q=0.5", None),
            ("de", Some(German)),
            ("DE-at, en;q=0.9", Some(German)),
            ("en, de", Some(English)),
            ("fr, de;q=0.3, en;q=0.7", Some(English)),
            ("de;q=0, en;q=0.1", Some(English)),
            ("de;q=nonsense, en;q=0.1", Some(English)),
            ("de;q=0", None),
            ("*", None),
            ("deutsch", None),
        ] {
            assert_eq!(Language::negotiate(accepted), language, "{accepted}");
        }
        for language in Language::ALL {
            assert_eq!(Language::parse(language.tag()), Some(language));
        }
    }

    #[test]
    fn an_operators_message_replaces_ours() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("locales")).unwrap();
        let file = folder.path().join("locales/de.toml");
        std::fs::write(&file, "[sign_in]\ntitle = \"Hinein bei {service}\"\n").unwrap();
        let catalogues = Catalogues::load(Some(folder.path())).unwrap();
        let say = |language, values: &[_]| catalogues.say(language, "sign_in.title", values);
        assert_eq!(say(Language::German, &[("service", "{uns}")]).as_deref(), Some("Hinein bei {uns}"));
        assert_eq!(say(Language::German, &[]), None);
        assert_ne!(say(Language::English, &[("service", "uns")]), say(Language::German, &[("service", "uns")]));
        for (text, problem) in [
            ("[sign_in]\ntitel = \"x\"", "there is no message sign_in.titel"),
            ("[sign_in]\ntitle = \"{who}\"", "nothing is given for {who}"),
            ("[sign_in]\ntitle = 1", "a message is a text"),
            ("sign_in = \"", "TOML"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = Catalogues::load(Some(folder.path())).unwrap_err();
            assert!(error.file.ends_with("locales/de.toml") && error.problem.contains(problem), "{error}");
        }
    }
}
