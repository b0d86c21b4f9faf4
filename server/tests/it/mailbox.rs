//! The mails that were sent, as their readers see them.

use std::path::{Path, PathBuf};

/// A mail's text part, and to whom it went.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) to: String,
    pub(crate) text: String,
}

impl Mail {
    fn read(path: &Path) -> Self {
        let raw = std::fs::read_to_string(path).unwrap().replace("\r\n", "\n");
        let header = |name: &str| {
            let line = raw.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().trim().to_owned()
        };
        let plain = raw.split("Content-Type: text/plain").nth(1).unwrap_or_default();
        let text = plain.split("\n\n").skip(1).collect::<Vec<_>>().join("\n\n");
        let text = text.split("\n--").next().unwrap_or_default().to_owned();
        Self { to: header("To:"), text }
    }

    /// The code that stands on a line of its own.
    pub(crate) fn code(&self) -> Option<String> {
        let is_code =
            |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        self.text.lines().map(str::trim).find(is_code).map(str::to_owned)
    }

    /// The link that stands on a line of its own.
    pub(crate) fn link(&self) -> Option<url::Url> {
        self.text.lines().map(str::trim).filter(|line| line.starts_with("http")).find_map(|line| line.parse().ok())
    }

    /// A value of the link's query.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        self.link()?.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// All mails in a folder, oldest first.
pub(crate) fn read(folder: &Path) -> Vec<Mail> {
    // Two files may be of one tick of the file system's clock; their names begin with when the mails were promised.
    let written = |path: &PathBuf| (path.metadata().unwrap().modified().unwrap(), path.clone());
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .collect();
    files.sort_by_cached_key(written);
    files.iter().map(|path| Mail::read(path)).collect()
}
