//! Passkeys: discoverable keys that verify their user, good for signing in by themselves. Who signs in is known from the answer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use webauthn_rs::prelude::{
    CreationChallengeResponse, DiscoverableAuthentication, DiscoverableKey, PublicKeyCredential, RequestChallengeResponse,
};

use super::{Asserted, AssertionError, RelyingParty, id_at_rest, is_consistent, read, write};
use crate::core::model::{SecurityKey, User};
use crate::core::token::Secret;
use crate::core::{Fault, Result};

/// Asks for a discoverable key where the library's options ask for none, and leaves it to the browser where to look for an authenticator.
/// Preferred only: a key that cannot is still a second factor.
pub(super) fn ask_for(options: &mut CreationChallengeResponse) -> Result<()> {
    if let Some(selection) = options.public_key.authenticator_selection.as_mut() {
        selection.resident_key = serde_json::from_value(json!("preferred")).map_err(Fault::internal)?;
    }
    options.public_key.hints = None;
    Ok(())
}

/// Whether a key verified its user when it was registered. One that did not is only ever a second factor: whoever finds a key without a PIN
/// can give it one.
pub(super) fn is_verified(stored: &Value) -> bool {
    stored.pointer("/cred/user_verified").and_then(Value::as_bool) == Some(true)
}

/// The challenge that an answer is to. It is a secret of 256 bits until it is answered, and names its ticket.
pub(in crate::core) fn challenge_of(answer: &PublicKeyCredential) -> Option<Secret> {
    let client_data: Value = serde_json::from_slice(&answer.response.client_data_json).ok()?;
    client_data.get("challenge").and_then(Value::as_str).map(Secret::new)
}

/// The id of the credential that an answer is of, as it is at rest.
///
/// # Errors
/// Faults only.
pub(in crate::core) fn credential_id_of(answer: &PublicKeyCredential) -> std::result::Result<String, Fault> {
    id_at_rest(&answer.raw_id)
}

impl RelyingParty {
    /// Request options for whoever has a passkey, their challenge, and the state (JSON) that finishing needs.
    pub(in crate::core) fn start_passkey(&self) -> Result<(RequestChallengeResponse, Secret, String)> {
        let (mut options, state) = self.get()?.start_discoverable_authentication().map_err(Fault::internal)?;
        // Whether the browser asks at once or offers passkeys as one types is the page's to say.
        options.mediation = None;
        options.public_key.extensions = None;
        let challenge = Secret::new(URL_SAFE_NO_PAD.encode(&options.public_key.challenge));
        Ok((options, challenge, write(&state)?))
    }

    /// Checks the answer to request options against the key that it names, and its user. An answer of a key that nobody has costs as much.
    pub(in crate::core) fn finish_passkey(
        &self,
        answer: &PublicKeyCredential,
        state: &str,
        known: Option<(&SecurityKey, &User)>,
    ) -> std::result::Result<Asserted, AssertionError> {
        if !is_consistent(&answer.id, &answer.raw_id, &answer.type_) {
            return Err(AssertionError::Invalid);
        }
        let webauthn = self.0.as_ref().ok_or(AssertionError::Invalid)?;
        let fault = |error| AssertionError::Fault(Fault::internal(error));
        let state: DiscoverableAuthentication = serde_json::from_str(state).map_err(fault)?;
        let stored = known.map_or_else(|| nobody(answer), |(key, _)| key.credential.clone());
        let key: DiscoverableKey = serde_json::from_str(&stored).map_err(fault)?;
        let result =
            webauthn.finish_discoverable_authentication_v2(answer, state, &key).map_err(|error| AssertionError::of(&error))?;
        let (Some((key, user)), Some(handle)) = (known, answer.response.user_handle.as_ref()) else {
            return Err(AssertionError::Invalid);
        };
        // WebAuthn, 7.2, step 6: the handle must be there, and be of the key's owner.
        let is_owner = handle.as_slice() == user.id.uuid().as_bytes();
        let stored = serde_json::from_str(&key.credential).map_err(fault)?;
        if !is_owner || !is_verified(&stored) || key.passkey == Some(false) {
            return Err(AssertionError::Invalid);
        }
        Asserted::of(read(&key.credential).map_err(AssertionError::Fault)?, &result)
    }
}

/// A key in the place of one that is not known, for the work of it: what answers it is refused all the same. Its public point is the
/// generator of P-256 (SP 800-186, 3.2.1.3).
fn nobody(answer: &PublicKeyCredential) -> String {
    let backup_eligible = answer.response.authenticator_data.get(FLAGS).is_some_and(|flags| flags & BACKUP_ELIGIBLE != 0);
    let point = json!({"curve": "SECP256R1", "x": GENERATOR.0, "y": GENERATOR.1});
    json!({"cred": {
        "cred_id": URL_SAFE_NO_PAD.encode(&answer.raw_id), "cred": {"type_": "ES256", "key": {"EC_EC2": point}}, "counter": 0, "transports": null,
        "user_verified": true, "backup_eligible": backup_eligible, "backup_state": false, "registration_policy": "preferred",
        "extensions": {}, "attestation": {"data": "None", "metadata": "None"}, "attestation_format": "none",
    }})
    .to_string()
}

/// Where the flags are in authenticator data, and the bit that says whether a key may be in several places (WebAuthn, 6.1).
const FLAGS: usize = 32;
const BACKUP_ELIGIBLE: u8 = 0x08;
const GENERATOR: (&str, &str) = ("axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY", "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU");
