//! The calls that a stranger can make about a name, in every dialect.

use serde_json::json;

use super::subject::{Account, Application, State};

/// What a call is for: it decides which secrets and states can matter to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Signs in with a password.
    Password,
    /// Signs in with a mailed code.
    Code,
    /// Asks for a link.
    Recovery,
    /// Asks for a code.
    CodeRequest,
}

impl Kind {
    /// Whether a mail comes of it, after the answer.
    pub(crate) const fn mails(self) -> bool {
        matches!(self, Self::Recovery | Self::CodeRequest)
    }
}

/// A wrong secret of some form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Empty,
    Short,
    Long,
    Wrong,
}

impl Form {
    const ALL: [Self; 4] = [Self::Empty, Self::Short, Self::Long, Self::Wrong];

    fn secret(self, kind: Kind) -> String {
        match (self, kind) {
            (Self::Empty, _) => String::new(),
            (Self::Short, _) => "x".to_owned(),
            (Self::Long, _) => "longer than any password may be ".repeat(30),
            (Self::Wrong, Kind::Code) => "000000".to_owned(),
            (Self::Wrong, _) => "wrong-Zebra-42-lamp-horizon".to_owned(),
        }
    }
}

/// One call.
pub(crate) struct Endpoint {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    dialect: Dialect,
    path: &'static str,
    /// The members for the name and for the secret; or of the query; or none, when the name is the end of the path.
    fields: (&'static str, &'static str),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// The name as an e-mail address, in JSON.
    Email,
    /// The name as a username, in JSON.
    Username,
    /// The same, from a registered application.
    Application,
    /// The name as an e-mail address, at the end of the URL.
    Url,
    /// `Email`; only the wrong code has the form of a code, and other secrets would be passwords.
    EmailOrCode,
}

const fn post(
    name: &'static str,
    kind: Kind,
    dialect: Dialect,
    path: &'static str,
    fields: (&'static str, &'static str),
) -> Endpoint {
    Endpoint { name, kind, dialect, path, fields }
}

/// All of them.
pub(crate) const ALL: [Endpoint; 13] = [
    post("kalshi v1 log_in", Kind::Password, Dialect::Email, "/v1/log_in", ("email", "password")),
    post("kalshi v2 login", Kind::Password, Dialect::Email, "/trade-api/v2/login", ("email", "password")),
    post("kraken login", Kind::Password, Dialect::Username, "/api/v1/auth/login", ("username", "password")),
    post("kestra login, password", Kind::Password, Dialect::Email, "/login", ("username", "password")),
    post("kestra login, code", Kind::Code, Dialect::EmailOrCode, "/login", ("username", "password")),
    post("kotak login", Kind::Password, Dialect::Application, "/apim/session/1.0/session/login/userid", ("userid", "password")),
    post("native sign-in, password", Kind::Password, Dialect::Email, "/auth/v1/sign-in/password", ("identifier", "password")),
    post("native sign-in, code", Kind::Code, Dialect::Email, "/auth/v1/sign-in/code", ("email", "code")),
    post("kalshi password reset", Kind::Recovery, Dialect::Email, "/v1/passwords/reset", ("email", "")),
    post("kestra forgotten-password", Kind::Recovery, Dialect::Url, "/api/v1/forgotten-password?username=", ("", "")),
    post("native recovery", Kind::Recovery, Dialect::Email, "/auth/v1/recovery", ("identifier", "")),
    post("kestra request-code", Kind::CodeRequest, Dialect::Url, "/api/v1/request-code/", ("", "")),
    post("native code request", Kind::CodeRequest, Dialect::Email, "/auth/v1/sign-in/code/request", ("email", "")),
];

impl Endpoint {
    /// The states that it is measured in; the first is what the others are compared with.
    pub(crate) fn states(&self) -> &'static [State] {
        use State::{CodeOpen, Disabled, Known, KnownAgain, Passwordless, Unknown};
        match self.kind {
            Kind::Password => &[Unknown, Known, KnownAgain, Disabled, Passwordless],
            Kind::Code => &[Unknown, Known, KnownAgain, Disabled, CodeOpen],
            Kind::Recovery | Kind::CodeRequest => &[Unknown, Known, KnownAgain, Disabled],
        }
    }

    /// The secrets that it is tried with.
    pub(crate) fn forms(&self) -> &'static [Form] {
        match (self.kind, self.dialect) {
            (Kind::Recovery | Kind::CodeRequest, _) | (_, Dialect::EmailOrCode) => &[Form::Wrong],
            _ => &Form::ALL,
        }
    }

    /// The whole request.
    pub(crate) fn request(&self, account: &Account, form: Form, application: &Application) -> Vec<u8> {
        let (name, secret) = self.fields;
        if self.dialect == Dialect::Url {
            return http("GET", &format!("{}{}", self.path, account.email.replace('@', "%40")), "", "");
        }
        let named = match self.dialect {
            Dialect::Username | Dialect::Application => &account.username,
            Dialect::Email | Dialect::Url | Dialect::EmailOrCode => &account.email,
        };
        let mut body = json!({ name: named });
        if let (false, Some(body)) = (secret.is_empty(), body.as_object_mut()) {
            body.insert(secret.to_owned(), form.secret(self.kind).into());
        }
        let Application { app_id, consumer_key, access_token } = application;
        let credentials = format!(
            "Authorization: Bearer {access_token}\r\nconsumerKey: {consumer_key}\r\nappId: {app_id}\r\nip: 127.0.0.1\r\n"
        );
        let credentials = if self.dialect == Dialect::Application { credentials.as_str() } else { "" };
        http("POST", self.path, credentials, &body.to_string())
    }
}

/// A request that no account has a part in. It wakes the server before a measurement.
pub(crate) fn neutral() -> Vec<u8> {
    http("GET", "/health/live", "", "")
}

/// Asks for a code.
pub(crate) fn code_request(account: &Account) -> Vec<u8> {
    http("POST", "/auth/v1/sign-in/code/request", "", &json!({ "email": account.email }).to_string())
}

/// Asks for a link.
pub(crate) fn recovery_request(account: &Account) -> Vec<u8> {
    http("POST", "/auth/v1/recovery", "", &json!({ "identifier": account.email }).to_string())
}

fn http(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let typed = if body.is_empty() {
        String::new()
    } else {
        format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len())
    };
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}{typed}\r\n{body}").into_bytes()
}
