//! Decoys: what a comparison costs for a name that nobody has.
//!
//! After the setting of the cost was changed, stored hashes cost what they cost when they were made. So that such a name is not told from
//! the others by its time, it borrows the parameters of a stored hash, always of the same one: names and hashes have places on one ring,
//! and a name goes to the next hash. Names of nobody are then spread over old and new costs as those of users are, at every moment.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::call::Call;
use super::store::{Store, secrets};
use super::token::{Secret, hex};
use super::{Error, Fault, Result};

/// A place on the ring: 128 bits in hexadecimal digits, which sort alike in every database.
#[derive(Clone, Debug)]
pub(in crate::core) struct DecoyKey(String);

impl DecoyKey {
    /// Before all others.
    pub(in crate::core) const fn first() -> Self {
        Self(String::new())
    }

    /// A hash's place, for as long as its row lives.
    ///
    /// # Errors
    /// A fault when the operating system has no randomness to give.
    pub(in crate::core) fn generate(call: &Call) -> std::result::Result<Self, Fault> {
        Ok(Self::of_bytes(&call.random::<16>()?))
    }

    fn of_bytes(bytes: &[u8]) -> Self {
        Self(hex(bytes.get(..16).unwrap_or(bytes)))
    }

    pub(in crate::core) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where names have their places: known to this server alone, or whoever tries names could compute which of them share a decoy.
pub(in crate::core) struct Decoys(Secret);

impl Decoys {
    /// With the secret that is kept in the database.
    ///
    /// # Errors
    /// Faults only.
    pub(in crate::core) async fn open(store: &Store, call: &Call) -> std::result::Result<Self, Fault> {
        let fresh = Secret::generate(call)?;
        let kept: Result<Secret> =
            store.write(move |tx| Box::pin(async move { Ok(secrets::get_or_make(tx, "decoys", &fresh).await?) })).await;
        match kept {
            Ok(secret) => Ok(Self(secret)),
            Err(Error::Faulted(fault)) => Err(fault),
            Err(Error::Refused(_)) => Err(Fault::internal("the secret of the decoys was refused")),
        }
    }

    /// The place of a name, by its canonical form.
    ///
    /// # Errors
    /// Faults only.
    pub(in crate::core) fn key_of(&self, name: &str) -> std::result::Result<DecoyKey, Fault> {
        let mac = Hmac::<Sha256>::new_from_slice(self.0.reveal().as_bytes());
        let mut mac = mac.map_err(|_| Fault::internal("HMAC takes keys of any length"))?;
        mac.update(name.as_bytes());
        Ok(DecoyKey::of_bytes(&mac.finalize().into_bytes()))
    }
}
