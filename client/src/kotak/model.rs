//! What comes back, by the names on the wire. What the original service may leave out is an `Option`.

use std::fmt;

use secrecy::SecretString;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

/// Every success is wrapped in this.
#[derive(Deserialize)]
pub(super) struct Envelope<T> {
    #[serde(rename = "Success", alias = "success")]
    pub(super) success: T,
}

/// A host in this API's sense: where the next calls go.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// A URL with its path.
    pub host: String,
    /// For people only.
    #[serde(default, deserialize_with = "number")]
    pub port: Option<u64>,
}

/// The answer to `session_init`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionInit {
    /// Where to go on.
    pub redirect: Place,
    /// `Success`.
    #[serde(default)]
    pub status: Option<String>,
    /// As it was sent.
    #[serde(default)]
    pub userid: Option<String>,
    /// For people.
    #[serde(default)]
    pub message: Option<String>,
}

/// The answer to `login`: a session is owed its second factor yet.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OneTimeToken {
    /// Good for one `session_2fa`; the client keeps it.
    pub one_time_token: SecretString,
    /// For people: where the access code is to be found.
    #[serde(default)]
    pub message: Option<String>,
    /// `Temporary`.
    #[serde(default, rename = "Status", alias = "status")]
    pub status: Option<String>,
    /// Where the access code was mailed, masked.
    #[serde(default)]
    pub email_id: Option<String>,
    /// How long token and code are good, in seconds.
    #[serde(default, deserialize_with = "number")]
    pub access_code_time: Option<u64>,
}

/// The answer to `session_2fa`: a session.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SessionToken {
    /// The session's token; the client keeps it.
    pub session_token: SecretString,
    /// As it was sent.
    #[serde(default)]
    pub user_id: Option<String>,
    /// A Doorward's username.
    #[serde(default)]
    pub client_code: Option<String>,
    /// The user's name.
    #[serde(default)]
    pub client_name: Option<String>,
    /// When.
    #[serde(default)]
    pub login_time: Option<String>,
}

/// The answer to `logout`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedOut {
    /// For people.
    #[serde(default)]
    pub message: Option<String>,
}

#[derive(Serialize)]
pub(super) struct UserCredentials<'a> {
    pub(super) userid: &'a str,
    #[serde(serialize_with = "exposed")]
    pub(super) password: &'a SecretString,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserDetails<'a> {
    pub(super) userid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "exposed_some")]
    pub(super) access_code: Option<&'a SecretString>,
}

fn exposed<S: serde::Serializer>(secret: &&SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    crate::secret::expose(secret, serializer)
}

fn exposed_some<S: serde::Serializer>(secret: &Option<&SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => crate::secret::expose(secret, serializer),
        None => serializer.serialize_none(),
    }
}

/// The body of every refusal: `{"fault": {…}}`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(from = "Faulted")]
#[non_exhaustive]
pub struct Fault {
    /// The API gateway's number: 900901 wrong credentials of the application, 900902 missing ones, 900800 too many requests; else the status.
    pub code: Option<u64>,
    /// A sentence for it.
    pub message: String,
    /// What this case adds.
    pub description: String,
}

#[derive(Deserialize)]
struct Faulted {
    fault: Inner,
}

#[derive(Deserialize)]
struct Inner {
    #[serde(default, deserialize_with = "number")]
    code: Option<u64>,
    #[serde(default)]
    message: String,
    #[serde(default)]
    description: String,
}

impl From<Faulted> for Fault {
    fn from(Faulted { fault: Inner { code, message, description } }: Faulted) -> Self {
        Self { code, message, description }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(code) = self.code {
            write!(f, " ({code})")?;
        }
        if self.description.is_empty() { Ok(()) } else { write!(f, ": {}", self.description) }
    }
}

/// A number, as one or as a text; anything else is none.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Lenient {
        Number(u64),
        Text(String),
        Other(IgnoredAny),
    }
    Ok(match Lenient::deserialize(deserializer)? {
        Lenient::Number(number) => Some(number),
        Lenient::Text(text) => text.trim().parse().ok(),
        Lenient::Other(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_envelopes_and_loose_numbers() {
        for (text, port) in [
            (r#"{"Success": {"redirect": {"host": "https://a.example/apim", "port": 443}}}"#, Some(443)),
            (r#"{"success": {"redirect": {"host": "https://a.example/apim", "port": "443"}}}"#, Some(443)),
            (r#"{"success": {"redirect": {"host": "https://a.example/apim", "port": null}}}"#, None),
            (r#"{"success": {"redirect": {"host": "https://a.example/apim"}, "status": "Success", "more": 1}}"#, None),
        ] {
            let read: Envelope<SessionInit> = serde_json::from_str(text).expect(text);
            assert_eq!(read.success.redirect, Place { host: "https://a.example/apim".to_owned(), port });
        }
        let fault: Fault =
            serde_json::from_str(r#"{"fault": {"code": 900901, "message": "Invalid Credentials"}}"#).expect("a fault");
        assert_eq!(fault.to_string(), "Invalid Credentials (900901)");
        assert!(serde_json::from_str::<Fault>(r#"{"message": "no fault"}"#).is_err());
    }
}
