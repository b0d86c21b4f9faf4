//! Which files of the folder are mails, and what they are called in URLs.

use crate::core::clock::Timestamp;

/// `<time>-<mail id>`, as `work::mail` names its files: letters, digits and hyphens, so that it leads to no other folder. Later mails have
/// greater names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

const ENDING: &str = ".eml";
const LONGEST_ID: usize = 48;

impl Name {
    /// From a URL.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (time, id) = text.split_once('-')?;
        moment(time)?;
        let fit = (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        fit.then(|| Self(text.to_owned()))
    }

    /// From the name of a file. What is still being written has another ending.
    pub(super) fn of_file(file: &str) -> Option<Self> {
        Self::parse(file.strip_suffix(ENDING)?)
    }

    pub(super) fn file(&self) -> String {
        format!("{}{ENDING}", self.0)
    }

    /// As it stands in URLs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When the mail was promised, to the second.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.0.split('-').next().and_then(moment).unwrap_or(Timestamp::from_millis(0))
    }
}

/// `20261123T175900Z`.
fn moment(text: &str) -> Option<Timestamp> {
    let digits = |from: usize, to: usize| text.get(from..to).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let (year, month, day) = (digits(0, 4)?, digits(4, 6)?, digits(6, 8)?);
    let (hour, minute, second) = (digits(9, 11)?, digits(11, 13)?, digits(13, 15)?);
    let whole = text.get(8..9) == Some("T") && text.get(15..) == Some("Z");
    whole.then(|| format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z")).and_then(|text| text.parse().ok())
}
