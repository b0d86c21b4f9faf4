//! Security keys (WebAuthn level 3). As a second factor: presence required, user verification preferred; as passkeys: `passkey.rs`. The
//! library checks signatures, origin, RP id and challenge; what it leaves to its caller is checked in the flows: single use, the counter at
//! rest, the user handle.

pub(in crate::core) mod passkey;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use webauthn_rs::prelude::{
    AuthenticationResult, CreationChallengeResponse, CredentialID, PublicKeyCredential, RegisterPublicKeyCredential,
    RequestChallengeResponse, SecurityKey, SecurityKeyAuthentication, SecurityKeyRegistration, Url, Webauthn, WebauthnBuilder,
    WebauthnError,
};

use super::model::{KeyUse, User};
use super::refusal::Refusal;
use super::{Fault, Result};

/// The relying party, if the public URL can be one.
pub(in crate::core) struct RelyingParty(Option<Webauthn>);

/// A new key as the ceremony left it.
pub(in crate::core) struct Registered {
    pub(in crate::core) credential_id: String,
    pub(in crate::core) credential: String,
    pub(in crate::core) counter: u32,
    /// See [`super::model::SecurityKey::passkey`].
    pub(in crate::core) passkey: Option<bool>,
}

/// A valid assertion, whose counter is still to be compared with the one at rest.
pub(in crate::core) struct Asserted {
    pub(in crate::core) credential: String,
    pub(in crate::core) counter: u32,
}

/// Why an assertion was not valid.
#[derive(Debug)]
pub(in crate::core) enum AssertionError {
    /// The signature counter did not grow.
    Counter,
    /// Anything else.
    Invalid,
    /// The state at rest cannot be read.
    Fault(Fault),
}

impl RelyingParty {
    /// From the public URL: its host is the RP id, it is the origin. An IP address can be neither: then keys are unavailable.
    pub(in crate::core) fn new(public_url: &str, name: &str, challenge: Duration) -> std::result::Result<Self, Fault> {
        let url = Url::parse(public_url).map_err(Fault::internal)?;
        let Some(host) = url.domain() else { return Ok(Self(None)) };
        let builder = WebauthnBuilder::new(host, &url).map_err(Fault::internal)?;
        let webauthn = builder.rp_name(name).timeout(challenge).build().map_err(Fault::internal)?;
        Ok(Self(Some(webauthn)))
    }

    /// Whether this server can do WebAuthn.
    pub(in crate::core) fn is_available(&self) -> bool {
        self.0.is_some()
    }

    fn get(&self) -> Result<&Webauthn> {
        self.0.as_ref().ok_or_else(|| Refusal::WebauthnUnavailable.into())
    }

    /// Creation options, and the state (JSON) that finishing needs.
    pub(in crate::core) fn start_registration(
        &self,
        user: &User,
        known: &[String],
        wanted: KeyUse,
    ) -> Result<(CreationChallengeResponse, String)> {
        let known: Vec<CredentialID> = known.iter().filter_map(|key| read(key).ok()).map(|key| key.cred_id().clone()).collect();
        let (name, display) = (user.username.as_str(), user.display_name());
        let (mut options, state) = self
            .get()?
            .start_securitykey_registration(user.id.uuid(), name, &display, Some(known), None, None)
            .map_err(Fault::internal)?;
        // The library asks for keys that never work without user verification, which is only preferred here. Chromium refuses
        // that as a contradiction, and a key without a PIN would obey and be of no use afterwards.
        if let Some(extensions) = options.public_key.extensions.as_mut() {
            extensions.cred_protect = None;
        }
        if wanted == KeyUse::Passkey {
            passkey::ask_for(&mut options)?;
        }
        Ok((options, write(&state)?))
    }

    /// Checks the answer to creation options.
    ///
    /// # Errors
    /// [`Refusal::WebauthnFailed`].
    pub(in crate::core) fn finish_registration(&self, answer: &RegisterPublicKeyCredential, state: &str) -> Result<Registered> {
        if !is_consistent(&answer.id, answer.raw_id.as_ref(), &answer.type_) {
            return Err(Refusal::WebauthnFailed.into());
        }
        let state: SecurityKeyRegistration = serde_json::from_str(state).map_err(Fault::internal)?;
        let key = self.get()?.finish_securitykey_registration(answer, &state).map_err(|_| Refusal::WebauthnFailed)?;
        let stored = serde_json::to_value(&key).map_err(Fault::internal)?;
        let counter =
            stored.pointer("/cred/counter").and_then(serde_json::Value::as_u64).and_then(|counter| u32::try_from(counter).ok());
        let counter = counter.ok_or_else(|| Fault::internal("a new key has no counter"))?;
        let credential_id = id_at_rest(key.cred_id())?;
        let discoverable = answer.extensions.cred_props.as_ref().and_then(|properties| properties.rk);
        let passkey = if passkey::is_verified(&stored) { discoverable } else { Some(false) };
        Ok(Registered { credential_id, credential: stored.to_string(), counter, passkey })
    }

    /// Request options, and the state (JSON) that finishing needs.
    pub(in crate::core) fn start_authentication(&self, keys: &[String]) -> Result<(RequestChallengeResponse, String)> {
        let keys: Vec<SecurityKey> = keys.iter().map(|key| read(key)).collect::<std::result::Result<_, _>>()?;
        let (options, state) = self.get()?.start_securitykey_authentication(&keys).map_err(Fault::internal)?;
        Ok((options, write(&state)?))
    }

    /// Checks the answer to request options against the keys as they are now; which of them has given it.
    pub(in crate::core) fn finish_authentication(
        &self,
        answer: &PublicKeyCredential,
        state: &str,
        user: &User,
        keys: &[String],
    ) -> std::result::Result<(usize, Asserted), AssertionError> {
        if !is_consistent(&answer.id, answer.raw_id.as_ref(), &answer.type_) {
            return Err(AssertionError::Invalid);
        }
        // The library does not compare the handle in this ceremony (WebAuthn, 7.2, step 6).
        if answer.response.user_handle.as_ref().is_some_and(|handle| handle.as_slice() != user.id.uuid().as_bytes()) {
            return Err(AssertionError::Invalid);
        }
        let webauthn = self.0.as_ref().ok_or(AssertionError::Invalid)?;
        let state: SecurityKeyAuthentication =
            serde_json::from_str(state).map_err(|error| AssertionError::Fault(Fault::internal(error)))?;
        let result = webauthn.finish_securitykey_authentication(answer, &state).map_err(|error| AssertionError::of(&error))?;
        for (place, stored) in keys.iter().enumerate() {
            let key = read(stored).map_err(AssertionError::Fault)?;
            if key.cred_id() == result.cred_id() {
                return Ok((place, Asserted::of(key, &result)?));
            }
        }
        // The key was removed while its owner was touching it.
        Err(AssertionError::Invalid)
    }
}

impl AssertionError {
    fn of(error: &WebauthnError) -> Self {
        match error {
            WebauthnError::CredentialPossibleCompromise => Self::Counter,
            _ => Self::Invalid,
        }
    }
}

impl Asserted {
    /// What is at rest of the key after its answer.
    fn of(mut key: SecurityKey, result: &AuthenticationResult) -> std::result::Result<Self, AssertionError> {
        key.update_credential(result);
        let credential = write(&key).map_err(AssertionError::Fault)?;
        Ok(Self { credential, counter: result.counter() })
    }
}

/// What a credential says of itself twice must agree; the library reads one of each.
fn is_consistent(id: &str, raw_id: &[u8], kind: &str) -> bool {
    kind == "public-key" && id.trim_end_matches('=') == URL_SAFE_NO_PAD.encode(raw_id)
}

/// A credential's id as the column has it: a list of numbers.
fn id_at_rest(id: &[u8]) -> std::result::Result<String, Fault> {
    write(&id)
}

fn read(stored: &str) -> std::result::Result<SecurityKey, Fault> {
    serde_json::from_str(stored).map_err(|_| Fault::internal("a stored security key cannot be read"))
}

fn write<T: serde::Serialize>(value: &T) -> std::result::Result<String, Fault> {
    serde_json::to_string(value).map_err(Fault::internal)
}
