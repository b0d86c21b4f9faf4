//! Mails as files: what a server without an SMTP URL does.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use lettre::Message;
use lettre::message::header::Date;

use super::message::token;
use super::transport::DeliveryError;

/// A folder of `<time>-<mail id>.eml`, readable by this account alone: the mails hold links and codes.
#[derive(Debug)]
pub struct Files {
    folder: PathBuf,
}

impl Files {
    pub(super) fn new(folder: PathBuf) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        Ok(Self { folder })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) async fn deliver(&self, message: &Message, mail_id: &str) -> Result<(), DeliveryError> {
        let (folder, name, bytes) = (self.folder.clone(), file_name(message, mail_id), message.formatted());
        let written = tokio::task::spawn_blocking(move || write(&folder, &name, &bytes)).await;
        let failure = match written {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the writing task was cancelled".to_owned(),
        };
        Err(DeliveryError::temporary(&format!("cannot write into {}: {failure}", self.folder.display()), &[]))
    }
}

/// The mail's own date and id, so that a mail written again after a crash replaces its first copy, and names sort by time.
fn file_name(message: &Message, mail_id: &str) -> String {
    let date = message.headers().get::<Date>().map(std::time::SystemTime::from);
    let seconds = date.and_then(|date| date.duration_since(UNIX_EPOCH).ok()).map_or(0, |since| since.as_secs());
    let moment = i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()).unwrap_or_default();
    format!("{}-{}.eml", moment.strftime("%Y%m%dT%H%M%SZ"), token(mail_id))
}

/// Whoever watches the folder sees a whole file or none; what was reported as written survives a power cut.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let unfinished = folder.join(format!(".{name}.tmp"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, folder.join(name))?;
    File::open(folder)?.sync_all()
}
