//! The mails that the server wrote as files, as their readers see them.

use std::fs;
use std::path::{Path, PathBuf};

/// The text parts of all mails to an address, oldest first.
pub(crate) fn texts(folder: &Path, to: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| is_mail(path)).collect();
    // Two files may be of one tick of the file system's clock; their names begin with when the mails were promised.
    files.sort_by_cached_key(|path| (path.metadata().unwrap().modified().unwrap(), path.clone()));
    let read = files.iter().map(|path| fs::read_to_string(path).unwrap().replace("\r\n", "\n"));
    read.filter(|raw| raw.lines().any(|line| line.starts_with("To:") && line.contains(to))).map(|raw| text(&raw)).collect()
}

fn is_mail(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "eml")
}

fn text(raw: &str) -> String {
    let plain = raw.split("Content-Type: text/plain").nth(1).unwrap_or_default();
    let body = plain.split_once("\n\n").map_or("", |(_, body)| body);
    body.split("\n--").next().unwrap_or_default().to_owned()
}

/// The link that stands on a line of its own.
pub(crate) fn link(text: &str) -> Option<String> {
    text.lines().map(str::trim).find(|line| line.starts_with("http")).map(str::to_owned)
}

/// The code that stands on a line of its own.
pub(crate) fn code(text: &str) -> Option<String> {
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    text.lines().map(str::trim).find(is_code).map(str::to_owned)
}
