//! `/auth/v1` over the wire: every endpoint, its successes and its refusals.

mod accounts;
mod keys;
mod profile;
mod sessions;
mod sign_in;
mod unreadable;

use serde_json::Value;

use super::reply::{Ask, Reply};

/// Every call of `/auth/v1` that needs a full session. Bodies are of the right form.
const NEED_A_SESSION: [(&str, &str, &str); 20] = [
    ("GET", "/auth/v1/session", ""),
    ("GET", "/auth/v1/forward", ""),
    ("PATCH", "/auth/v1/profile", r#"{"first_name":"a"}"#),
    ("GET", "/auth/v1/history", ""),
    ("GET", "/auth/v1/sessions", ""),
    ("DELETE", "/auth/v1/sessions", ""),
    ("DELETE", "/auth/v1/sessions/0197b3a0-0000-7000-8000-000000000001", ""),
    ("POST", "/auth/v1/password", r#"{"current_password":"a","new_password":"b"}"#),
    ("GET", "/auth/v1/keys", ""),
    ("POST", "/auth/v1/keys/start", ""),
    ("POST", "/auth/v1/keys", KEY),
    ("PATCH", "/auth/v1/keys/0197b3a0-0000-7000-8000-000000000001", r#"{"name":"a"}"#),
    ("DELETE", "/auth/v1/keys/0197b3a0-0000-7000-8000-000000000001", ""),
    ("GET", "/auth/v1/totp", ""),
    ("POST", "/auth/v1/totp/start", ""),
    ("POST", "/auth/v1/totp", r#"{"code":"123456"}"#),
    ("DELETE", "/auth/v1/totp", ""),
    ("POST", "/auth/v1/invitations/accept", r#"{"id":"a"}"#),
    ("GET", "/admin/v1/users", ""),
    ("GET", "/admin/v1/audit", ""),
];

/// A registration whose form is right and whose content is not.
const KEY: &str = r#"{"name":"a","credential":{"id":"AA","rawId":"AA","type":"public-key","response":{"attestationObject":"AA","clientDataJSON":"AA"}}}"#;

/// An assertion of the same kind.
pub(crate) const ASSERTION: &str = r#"{"credential":{"id":"AA","rawId":"AA","type":"public-key","response":{"authenticatorData":"AA","clientDataJSON":"AA","signature":"AA"}}}"#;

pub(crate) fn ask(method: &str, path: &str, body: &str) -> Ask {
    let ask = Ask::new(method, path);
    if body.is_empty() { ask } else { ask.raw("application/json", body) }
}

impl Reply {
    /// Expects a problem document with this status and this type.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, name: &str) -> Value {
        let found = self.expect(status);
        assert_eq!(found.headers["content-type"], "application/problem+json");
        let json = found.json();
        assert_eq!(json["type"], format!("urn:doorward:problem:{name}"), "{json:#}");
        assert_eq!(json["status"], status);
        assert!(json["title"].as_str().is_some_and(|title| !title.is_empty()));
        assert_eq!(found.headers.contains_key("www-authenticate"), status == 401);
        assert_eq!(found.headers.get("retry-after").is_some(), json.get("retry_after").is_some());
        json
    }
}

/// The members of an object, sorted.
#[track_caller]
pub(crate) fn members(object: &Value) -> Vec<&str> {
    let mut names: Vec<_> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}
