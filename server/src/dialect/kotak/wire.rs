//! What goes over the wire. Member names, with their uneven capitals, are those that the published client reads.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::core::clock::Timestamp;
use crate::core::token::Secret;

/// Who signs in. Both are needed; that is said by the server alone.
#[derive(Deserialize, ToSchema)]
pub(super) struct UserCredentials {
    #[schema(required = false)]
    pub(super) userid: String,
    #[schema(value_type = String, required = false)]
    pub(super) password: Secret,
}

/// Who goes on, and the access code. Both are needed; that is said by the server alone.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserDetails {
    #[schema(required = false)]
    pub(super) userid: String,
    #[schema(value_type = String, required = false)]
    pub(super) access_code: Secret,
}

/// Who goes on, where the one-time token is to suffice.
#[derive(Deserialize, ToSchema)]
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

/// What went wrong.
#[derive(Serialize, ToSchema)]
#[schema(as = Fault)]
pub(super) struct WireFault {
    /// The API gateway's number, or the status.
    #[schema(required = false)]
    pub(super) code: u32,
    #[schema(required = false)]
    pub(super) message: &'static str,
    #[schema(required = false)]
    pub(super) description: String,
}
