//! TLS with rustls and ring: whom to trust.

use std::sync::{Arc, LazyLock};

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::error::Invalid;

/// What this machine trusts, read once. Where that is nobody, every https call fails, and no http call does.
static NATIVE: LazyLock<RootCertStore> = LazyLock::new(|| {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
});

/// A configuration that trusts what this machine trusts, and the authorities in `more` (PEM).
pub(crate) fn config(more: &[Vec<u8>]) -> Result<ClientConfig, Invalid> {
    let mut roots = NATIVE.clone();
    for pem in more {
        add(&mut roots, pem)?;
    }
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| Invalid::new("TLS", error.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn add(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), Invalid> {
    let wrong = |why: String| Invalid::new("root_certificates", why);
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.len() == before {
        return Err(wrong("there is no certificate in it".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_certificates_is_a_mistake() {
        assert!(config(&[]).is_ok());
        for text in ["", "soon", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert!(config(&[text.as_bytes().to_vec()]).is_err(), "{text}");
        }
    }
}
