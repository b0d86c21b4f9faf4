//! What goes over the wire. Member names, with their uneven capitals, are those that the published client reads.

use serde::{Deserialize, Serialize};

use crate::core::clock::Timestamp;
use crate::core::token::Secret;

/// `UserCredentials`.
#[derive(Deserialize)]
pub(super) struct UserCredentials {
    pub(super) userid: String,
    pub(super) password: Secret,
}

/// `UserDetails`, with an access code.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserDetails {
    pub(super) userid: String,
    pub(super) access_code: Secret,
}

/// `UserDetails`, where the one-time token is to suffice.
#[derive(Deserialize)]
pub(super) struct UserOnly {
    pub(super) userid: String,
}

/// Every success is wrapped in this.
#[derive(Serialize)]
pub(super) struct Envelope<T> {
    #[serde(rename = "Success")]
    pub(super) success: T,
}

/// A host in the client's sense: where its calls go.
#[derive(Serialize)]
pub(super) struct Place {
    pub(super) host: String,
    pub(super) port: u16,
}

/// Where to go on, and as whom.
#[derive(Serialize)]
pub(super) struct Redirect {
    #[serde(flatten)]
    pub(super) place: Place,
    pub(super) userid: String,
}

#[derive(Serialize)]
pub(super) struct Initialised {
    pub(super) status: &'static str,
    pub(super) userid: String,
    pub(super) message: &'static str,
    pub(super) redirect: Place,
    pub(super) service: Place,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LoggedIn {
    pub(super) one_time_token: String,
    pub(super) message: String,
    #[serde(rename = "Status")]
    pub(super) status: &'static str,
    /// Masked.
    pub(super) email_id: String,
    /// For how long token and code are good, in seconds.
    pub(super) access_code_time: u64,
    pub(super) redirect: Redirect,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionOpened {
    pub(super) session_token: String,
    pub(super) user_id: String,
    pub(super) client_code: String,
    pub(super) client_name: String,
    /// RFC 3339.
    pub(super) login_time: Timestamp,
    pub(super) redirect: Place,
    pub(super) service: Place,
}

#[derive(Serialize)]
pub(super) struct LoggedOut {
    pub(super) message: &'static str,
}

/// Every refusal is wrapped in this.
#[derive(Serialize)]
pub(super) struct FaultEnvelope {
    pub(super) fault: WireFault,
}

/// `Fault`.
#[derive(Serialize)]
pub(super) struct WireFault {
    pub(super) code: u32,
    pub(super) message: &'static str,
    pub(super) description: String,
}
