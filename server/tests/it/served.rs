//! The server under test over real HTTP, for programs that speak it by themselves.

use std::net::Ipv4Addr;
use std::ops::Deref;

use doorward_client::{Options, Proxy};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::app::TestApp;
use super::authenticator::Authenticator;

/// A [`TestApp`] that listens where its public URL says.
pub(crate) struct Served {
    app: TestApp,
    /// The public URL.
    pub(crate) url: String,
    pub(crate) port: u16,
    server: JoinHandle<()>,
}

impl Served {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("http://localhost:{port}");
        let mut all = vec![("public_url", url.as_str())];
        all.extend(settings);
        let app = TestApp::with(&all).await;
        let server = app.serve_on(listener);
        Self { app, url, port, server }
    }

    /// A URL of the server.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// A security key of somebody who is at the public URL.
    pub(crate) fn authenticator(&self, seed: u8) -> Authenticator {
        Authenticator::new(seed, &self.url)
    }
}

/// Past any proxy of the machine.
pub(crate) fn options() -> Options {
    Options::default().proxy(Proxy::Direct)
}

impl Deref for Served {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.app
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}
