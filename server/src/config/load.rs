//! The four layers, lowest first: defaults, file, environment, flags. Each value remembers where it came from, so that a complaint
//! can say it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::section::{Entry, Node as _, Problem};
use super::setting::Raw;
use super::{Config, check};

/// The file that is read from the working directory if it is there.
const FILE: &str = "doorward.toml";

/// What every variable of ours starts with.
const PREFIX: &str = "DOORWARD_";

/// Where the layers above the defaults come from.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// The file named by `--config`; it must exist.
    pub file: Option<PathBuf>,
    /// The folder in which `doorward.toml` is looked for if no file is named.
    pub folder: PathBuf,
    /// All environment variables.
    pub environment: Vec<(OsString, OsString)>,
    /// Dotted key and value of each flag, in order.
    pub flags: Vec<(String, String)>,
}

impl Input {
    /// With the process' own environment and working directory.
    #[must_use]
    pub fn of_process(file: Option<PathBuf>, flags: Vec<(String, String)>) -> Self {
        Self { file, folder: PathBuf::new(), environment: std::env::vars_os().collect(), flags }
    }
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nobody set it.
    Default,
    /// A file, at a line counted from 1.
    File(PathBuf, usize),
    /// An environment variable.
    Environment(String),
    /// A flag of the command line, by its dotted key.
    Flag(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}, line {line}", path.display()),
            Self::Environment(name) => write!(f, "environment variable {}", name.escape_debug()),
            Self::Flag(key) => write!(f, "flag --{}", flag(key).escape_debug()),
        }
    }
}

/// The configuration and where its values came from.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// The place of each key that is not at its default.
    pub places: BTreeMap<String, Place>,
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
}

/// Why the configuration cannot be used: one line that names the key, the place and the mend, and holds no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(String);

impl ConfigError {
    pub(super) fn at(key: &str, place: &Place, mend: &str) -> Self {
        Self::line(&format!("{key} ({place}): {mend}"))
    }

    fn line(text: &str) -> Self {
        Self(text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// Reads all layers and checks the outcome.
///
/// # Errors
/// The first thing that is wrong.
pub fn load(input: &Input) -> Result<Loaded, ConfigError> {
    let mut loaded = Loaded::default();
    let (variables, named_by_variable) = ours(&input.environment)?;
    let named = input.file.clone().or(named_by_variable);
    if let Some(path) = find(named, &input.folder)? {
        loaded.read_file(&path)?;
        loaded.file = Some(path);
    }
    for (name, value) in variables {
        let key = name[PREFIX.len()..].to_ascii_lowercase().replace("__", ".");
        loaded.set(&key, &Raw::Text(&value), Place::Environment(name.clone()))?;
    }
    for (key, value) in &input.flags {
        loaded.set(key, &Raw::Text(value), Place::Flag(key.clone()))?;
    }
    check::check(&loaded)?;
    Ok(loaded)
}

/// Our variables in order of their names, and the file that `DOORWARD_CONFIG` names.
type Variables = (BTreeMap<String, String>, Option<PathBuf>);

fn ours(environment: &[(OsString, OsString)]) -> Result<Variables, ConfigError> {
    let mut variables = BTreeMap::new();
    let mut file = None;
    for (name, value) in environment {
        let name = name.to_string_lossy();
        if name == "DOORWARD_CONFIG" {
            file = (!value.is_empty()).then(|| PathBuf::from(value));
        } else if name.starts_with(PREFIX) {
            let place = Place::Environment(name.clone().into_owned());
            let value = value.to_str().ok_or_else(|| ConfigError::at(&name, &place, "the value is not UTF-8"))?;
            variables.insert(name.into_owned(), value.to_owned());
        }
    }
    Ok((variables, file))
}

fn find(named: Option<PathBuf>, folder: &Path) -> Result<Option<PathBuf>, ConfigError> {
    match named {
        Some(path) if path.is_file() => Ok(Some(path)),
        Some(path) => {
            let text = format!("{} (--config or DOORWARD_CONFIG): there is no such file; name one that exists", path.display());
            Err(ConfigError::line(&text))
        }
        None => Ok(Some(folder.join(FILE)).filter(|path| path.exists())),
    }
}

impl Loaded {
    /// What somebody who knows more of a value has to say against it, as an error of the configuration: the mailer of its URL, say.
    #[must_use]
    pub fn complain(&self, key: &str, mend: &str) -> ConfigError {
        ConfigError::at(key, self.places.get(key).unwrap_or(&Place::Default), mend)
    }

    fn read_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::line(&format!("{}: cannot be read: {error}", path.display())))?;
        let document = DeTable::parse(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(&text, span.start));
            ConfigError::line(&format!("{}, line {line}: this is not TOML: {}", path.display(), error.message()))
        })?;
        self.read_table("", document.get_ref(), &text, path)
    }

    fn read_table(&mut self, prefix: &str, table: &DeTable<'_>, text: &str, path: &Path) -> Result<(), ConfigError> {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            let place = Place::File(path.to_owned(), line_of(text, name.span().start));
            match value.get_ref() {
                DeValue::Table(inner) if is_section(&key) => self.read_table(&format!("{key}."), inner, text, path)?,
                other => self.set(&key, &Raw::Toml(other), place)?,
            }
        }
        Ok(())
    }

    fn set(&mut self, key: &str, raw: &Raw<'_>, place: Place) -> Result<(), ConfigError> {
        let path: Vec<&str> = key.split('.').collect();
        match self.config.set(&path, raw) {
            Ok(()) => {
                self.places.insert(key.to_owned(), place);
                Ok(())
            }
            Err(Problem::Wrong(mend)) => Err(ConfigError::at(key, &place, &mend)),
            Err(Problem::Unknown) => Err(ConfigError::at(&key.escape_debug().to_string(), &place, &unknown(key, &place))),
        }
    }
}

/// All keys, or all sections, by their dotted names.
fn names(sections: bool) -> impl Iterator<Item = String> {
    let mut entries = Vec::new();
    Config::default().visit("", &[], &mut entries);
    entries.into_iter().filter_map(move |entry| match entry {
        Entry::Section { key, .. } => sections.then_some(key),
        Entry::Leaf { key, .. } => (!sections).then_some(key),
    })
}

/// Every key by its dotted name, with its documentation for the operator.
#[must_use]
pub fn keys() -> Vec<(String, String)> {
    let mut entries = Vec::new();
    Config::default().visit("", &[], &mut entries);
    let leaf = |entry| match entry {
        Entry::Section { .. } => None,
        Entry::Leaf { key, doc, .. } => Some((key, doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" "))),
    };
    entries.into_iter().filter_map(leaf).collect()
}

fn is_section(key: &str) -> bool {
    names(true).any(|section| section == key)
}

fn unknown(key: &str, place: &Place) -> String {
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let close = |known: &str| strsim::jaro_winkler(key, known).max(strsim::jaro_winkler(&last(key), &last(known)) * 0.97);
    let best = names(true).chain(names(false)).map(|known| (close(&known), known)).max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((score, known)) if score > 0.85 => {
            let spelt = if matches!(place, Place::Environment(_)) { variable(&known) } else { known };
            format!("unknown key; did you mean {spelt}?")
        }
        _ => "unknown key; `doorward config show` lists all".to_owned(),
    }
}

/// The environment variable of a key.
#[must_use]
pub fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}

/// The flag of a key, without the dashes before it.
#[must_use]
pub fn flag(key: &str) -> String {
    key.replace(['_', '.'], "-")
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
