//! The configuration written out: with its origins for `config show`, with its documentation as the example file.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::Config;
use super::load::{Loaded, Place, variable};
use super::section::{Entry, Node as _};

/// What stands at the head of the example file.
const HEAD: &str = "\
# Every key of Doorward's configuration, with its default. Copy this file to doorward.toml and uncomment what you change.
#
# The environment goes over the file: DOORWARD_ and the key in capitals, sections joined by two underscores
# (DOORWARD_PUBLIC_URL, DOORWARD_LIMITS__ENABLED). Flags go over the environment. Lists are written with commas there.
# Lengths of time are a number and a unit: ms, s, m, h, d, w. A key whose default is \"\" is unset by default.
";

impl Config {
    fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        self.visit("", &[], &mut entries);
        entries
    }

    /// Every key with its value, secrets masked.
    #[must_use]
    pub fn in_force(&self) -> Vec<(String, String)> {
        let leaf = |entry| match entry {
            Entry::Section { .. } => None,
            Entry::Leaf { key, value, .. } => Some((key, value.to_string())),
        };
        self.entries().into_iter().filter_map(leaf).collect()
    }
}

impl Loaded {
    /// As TOML, each value with the place that it came from; secrets masked.
    #[must_use]
    pub fn show(&self) -> String {
        let mut text = String::new();
        for entry in self.config.entries() {
            let _ = match entry {
                Entry::Section { key, .. } => writeln!(text, "\n[{key}]"),
                Entry::Leaf { key, value, .. } => writeln!(text, "{} = {value}  # {}", last(&key), self.place(&key)),
            };
        }
        text
    }

    /// As JSON, by dotted key: the value (secrets masked), the place that it came from, its environment variable.
    #[must_use]
    pub fn show_json(&self) -> Value {
        let leaf = |entry| match entry {
            Entry::Section { .. } => None,
            Entry::Leaf { key, value, .. } => {
                let shown = json!({
                    "value": serde_json::to_value(value).unwrap_or_default(),
                    "from": self.place(&key).to_string(),
                    "variable": variable(&key),
                });
                Some((key, shown))
            }
        };
        Value::Object(self.config.entries().into_iter().filter_map(leaf).collect::<Map<_, _>>())
    }

    fn place(&self, key: &str) -> &Place {
        self.places.get(key).unwrap_or(&Place::Default)
    }
}

/// The text of `doorward.example.toml`.
#[must_use]
pub fn example() -> String {
    let mut text = HEAD.to_owned();
    for entry in Config::default().entries() {
        let (Entry::Section { doc, .. } | Entry::Leaf { doc, .. }) = &entry;
        text.push('\n');
        for line in *doc {
            let _ = writeln!(text, "#{line}");
        }
        let _ = match &entry {
            Entry::Section { key, .. } => writeln!(text, "[{key}]"),
            Entry::Leaf { key, value, .. } => writeln!(text, "#{} = {value}", last(key)),
        };
    }
    text
}

fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::super::{Input, load};
    use super::*;

    const EXAMPLE: &str = include_str!("../../../doorward.example.toml");

    #[test]
    fn example_file_is_true() {
        // To write it anew: `doorward config example > doorward.example.toml`.
        assert_eq!(EXAMPLE, example(), "doorward.example.toml differs from what the program says of itself");
    }

    #[test]
    fn example_uncommented_is_the_defaults() {
        let folder = tempfile::tempdir().expect("a folder");
        let uncomment = |line: &str| match line.strip_prefix('#') {
            Some(rest) if !rest.is_empty() && !rest.starts_with(' ') => format!("{rest}\n"),
            _ => format!("{line}\n"),
        };
        let text: String = EXAMPLE.lines().map(uncomment).collect();
        std::fs::write(folder.path().join("doorward.toml"), text).expect("written");
        let read = load(&Input { folder: folder.path().into(), ..Input::default() }).expect("it parses");
        let values = |loaded: &Loaded| {
            loaded
                .config
                .entries()
                .into_iter()
                .filter_map(|e| match e {
                    Entry::Section { .. } => None,
                    Entry::Leaf { key, value, .. } => Some((key, value)),
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(values(&read), values(&Loaded::default()));
        assert_eq!(read.places.len(), values(&read).len(), "every key is in the file");
    }

    #[test]
    fn secrets_are_masked() {
        let flags = vec![("smtp_url".to_owned(), "smtps://postmaster:hunter2@mail.example".to_owned())];
        let loaded = load(&Input { flags, folder: "/nonexistent".into(), ..Input::default() }).expect("loads");
        for text in [loaded.show(), loaded.show_json().to_string(), format!("{loaded:?}")] {
            assert!(
                !text.contains("hunter2") && !text.contains("postmaster") && text.contains("smtps://***@mail.example"),
                "{text}"
            );
        }
        assert!(loaded.show().contains("smtp_url = \"smtps://***@mail.example\"  # flag --smtp-url\n"));
        assert_eq!(loaded.show_json()["limits.enabled"]["variable"], "DOORWARD_LIMITS__ENABLED");
    }
}
