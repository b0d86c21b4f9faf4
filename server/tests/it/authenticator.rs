//! A software authenticator (WebAuthn level 3, ES256, attestation "none"), which also answers wrongly when told to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// One key.
#[derive(Clone)]
pub(crate) struct Authenticator {
    pub(crate) key: SigningKey,
    pub(crate) id: Vec<u8>,
    pub(crate) counter: u32,
    /// Whether it verifies its user (a PIN, a fingerprint) or only notices a touch.
    pub(crate) verifies: bool,
    pub(crate) origin: String,
    pub(crate) user_handle: Option<Vec<u8>>,
    /// Whether it makes discoverable keys, and says so; `None` for a client that does not tell.
    pub(crate) discoverable: Option<bool>,
}

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;

impl Authenticator {
    /// A touch-only key; `seed` makes it another key than the others.
    pub(crate) fn new(seed: u8, origin: &str) -> Self {
        Self {
            key: SigningKey::from_slice(&[seed.max(1); 32]).unwrap(),
            id: vec![seed; 16],
            counter: 0,
            verifies: false,
            origin: origin.to_owned(),
            user_handle: None,
            discoverable: None,
        }
    }

    /// A key that verifies its user and keeps whose it is.
    pub(crate) fn passkey(seed: u8, origin: &str) -> Self {
        Self { verifies: true, discoverable: Some(true), ..Self::new(seed, origin) }
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        json!({"type": kind, "challenge": options["publicKey"]["challenge"], "origin": self.origin, "crossOrigin": false})
            .to_string()
            .into_bytes()
    }

    fn data(&self, rp_id: &str, extra: u8) -> Vec<u8> {
        let mut data = Sha256::digest(rp_id.as_bytes()).to_vec();
        data.push(PRESENT | extra | if self.verifies { VERIFIED } else { 0 });
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// The answer to creation options.
    pub(crate) fn create(&mut self, options: &Value) -> Value {
        let rp_id = options["publicKey"]["rp"]["id"].as_str().unwrap();
        let client_data = self.client_data("webauthn.create", options);
        let mut data = self.data(rp_id, ATTESTED);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        data.extend(self.cose_key());
        let mut attestation = vec![0xa3];
        attestation.extend(text("fmt"));
        attestation.extend(text("none"));
        attestation.extend(text("attStmt"));
        attestation.push(0xa0);
        attestation.extend(text("authData"));
        attestation.extend(bytes(&data));
        let mut results = json!({});
        if let Some(discoverable) = self.discoverable {
            results["credProps"] = json!({"rk": discoverable});
            let handle = options["publicKey"]["user"]["id"].as_str().unwrap();
            self.user_handle = discoverable.then(|| BASE64.decode(handle).unwrap());
        }
        json!({
            "id": BASE64.encode(&self.id), "rawId": BASE64.encode(&self.id), "type": "public-key",
            "response": {"attestationObject": BASE64.encode(attestation), "clientDataJSON": BASE64.encode(client_data)},
            "clientExtensionResults": results,
        })
    }

    /// The answer to request options; the counter grows.
    pub(crate) fn get(&mut self, options: &Value) -> Value {
        self.counter += 1;
        self.get_again(options)
    }

    /// The answer of a clone: the counter stands still.
    pub(crate) fn get_again(&self, options: &Value) -> Value {
        let rp_id = options["publicKey"]["rpId"].as_str().unwrap();
        let client_data = self.client_data("webauthn.get", options);
        let data = self.data(rp_id, 0);
        let mut signed = data.clone();
        signed.extend(Sha256::digest(&client_data));
        let signature: Signature = self.key.sign(&signed);
        let handle = self.user_handle.as_ref().map(|handle| BASE64.encode(handle));
        json!({
            "id": BASE64.encode(&self.id), "rawId": BASE64.encode(&self.id), "type": "public-key",
            "response": {
                "authenticatorData": BASE64.encode(data), "clientDataJSON": BASE64.encode(client_data),
                "signature": BASE64.encode(signature.to_der()), "userHandle": handle,
            },
        })
    }

    /// RFC 9053: an EC2 key on P-256 for ES256.
    fn cose_key(&self) -> Vec<u8> {
        let point = self.key.verifying_key().to_sec1_point(false);
        let mut key = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21];
        key.extend(bytes(point.x().unwrap()));
        key.push(0x22);
        key.extend(bytes(point.y().unwrap()));
        key
    }
}

/// A CBOR text of fewer than 24 bytes.
fn text(text: &str) -> Vec<u8> {
    let mut out = vec![0x60 | u8::try_from(text.len()).unwrap()];
    out.extend(text.as_bytes());
    out
}

/// A CBOR byte string of fewer than 65,536 bytes.
fn bytes(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x59];
    out.extend(u16::try_from(bytes.len()).unwrap().to_be_bytes());
    out.extend(bytes);
    out
}
