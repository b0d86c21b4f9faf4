//! TLS: rustls with ring, and whom it trusts.

use std::net::Ipv4Addr;
use std::sync::Arc;

use doorward_client::{Error, Retry, kestra};
use rcgen::CertifiedKey;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::script::options;

/// A server with a certificate for `localhost`; its port, and the certificate as PEM.
async fn server() -> (u16, String) {
    let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let config =
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // A client that does not trust the certificate goes away here.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 23\r\nConnection: close\r\n\r\n{\"loginPassword\": true} ";
            stream.write_all(answer).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    (port, cert.pem())
}

#[tokio::test]
async fn an_authority_that_is_given_is_trusted_and_no_other() {
    let (port, pem) = server().await;
    let index = async |host: &str, pem: Option<&str>| {
        let mut options = options().retry(Retry::never());
        if let Some(pem) = pem {
            options = options.root_certificates(pem);
        }
        kestra::AuthApi::with(&format!("https://{host}:{port}"), &options).unwrap().index().await
    };
    assert!(index("localhost", Some(&pem)).await.unwrap().login_password);
    for (host, pem) in [("localhost", None), ("127.0.0.1", Some(pem.as_str())), ("localhost", Some(server().await.1.as_str()))] {
        assert!(matches!(index(host, pem).await, Err(Error::Broken(broken)) if broken.is_connect()), "{host}");
    }
}
