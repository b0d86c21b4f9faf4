//! What the Python constructor takes.

use secrecy::{ExposeSecret as _, SecretString};

use crate::options::{Options, Proxy, ProxyUrl};

/// Where the original service is.
pub const HOST: &str = "https://tradeapi.kotaksecurities.com/apim";

/// Who calls, from where, and how the service is reached: the parameters of Python's `KSTradeApi(…)`.
#[derive(Clone, Debug)]
#[must_use]
pub struct Configuration {
    access_token: SecretString,
    userid: String,
    consumer_key: SecretString,
    ip: String,
    app_id: String,
    host: String,
    proxy_url: Option<ProxyUrl<String>>,
    proxy_user: Option<String>,
    proxy_pass: Option<SecretString>,
}

impl Configuration {
    /// For a user, and the application with these credentials; `ip` is what the application says of its user's address.
    pub fn new(
        access_token: impl Into<SecretString>,
        userid: impl Into<String>,
        consumer_key: impl Into<SecretString>,
        ip: impl Into<String>,
        app_id: impl Into<String>,
    ) -> Self {
        Self {
            access_token: access_token.into(),
            userid: userid.into(),
            consumer_key: consumer_key.into(),
            ip: ip.into(),
            app_id: app_id.into(),
            host: HOST.to_owned(),
            proxy_url: None,
            proxy_user: None,
            proxy_pass: None,
        }
    }

    /// A service elsewhere than at [`HOST`].
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    /// A proxy to go through.
    pub fn proxy_url(mut self, url: impl Into<String>) -> Self {
        self.proxy_url = Some(ProxyUrl(url.into()));
        self
    }

    /// The name to give to the proxy.
    pub fn proxy_user(mut self, user: impl Into<String>) -> Self {
        self.proxy_user = Some(user.into());
        self
    }

    /// The password to give to the proxy.
    pub fn proxy_pass(mut self, password: impl Into<SecretString>) -> Self {
        self.proxy_pass = Some(password.into());
        self
    }

    pub(super) fn through_proxy(&self, options: Options) -> Options {
        let Some(ProxyUrl(url)) = self.proxy_url.clone() else { return options };
        let credentials = self.proxy_user.clone().map(|user| (user, self.proxy_pass.clone().unwrap_or_default()));
        options.proxy(Proxy::Through { url, credentials })
    }

    pub(super) fn host_url(&self) -> &str {
        &self.host
    }

    pub(super) fn userid(&self) -> &str {
        &self.userid
    }

    pub(super) fn access_token(&self) -> &SecretString {
        &self.access_token
    }

    /// What every call carries, beside the access token.
    pub(super) fn headers(&self) -> [(&'static str, &str); 3] {
        [("consumerKey", self.consumer_key.expose_secret()), ("ip", &self.ip), ("appId", &self.app_id)]
    }
}
