//! A browser without JavaScript: it keeps cookies, sends forms from the page that it shows, and says where they come from.

use std::collections::BTreeMap;

use axum::http::header;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::app::{ORIGIN, PASSWORD, TestApp};
use super::reply::{Ask, Reply};

/// One visitor's browser.
pub(crate) struct Browser<'a> {
    app: &'a TestApp,
    pub(crate) jar: BTreeMap<String, String>,
    /// The token of the forms of the page that is shown.
    pub(crate) token: String,
}

impl<'a> Browser<'a> {
    /// With the sign-in page open.
    pub(crate) async fn new(app: &'a TestApp) -> Self {
        Self::at(app, "/sign-in").await
    }

    /// With another page open.
    pub(crate) async fn at(app: &'a TestApp, path: &str) -> Self {
        let mut browser = Self { app, jar: BTreeMap::new(), token: String::new() };
        browser.open(path).await.expect(200);
        browser
    }

    /// Signed in by password.
    pub(crate) async fn signed_in(app: &'a TestApp, name: &str) -> Self {
        let mut browser = Self::new(app).await;
        browser.send("/sign-in", &[("identifier", name), ("password", PASSWORD)]).await.expect(303);
        browser.open("/account").await;
        browser
    }

    /// Goes to an address, and not on from there.
    pub(crate) async fn open(&mut self, path: &str) -> Reply {
        let reply = self.app.send(self.cookies(Ask::get(path))).await;
        self.show(&reply);
        reply
    }

    /// Goes where an answer leads.
    pub(crate) async fn follow(&mut self, reply: &Reply) -> Reply {
        let place = reply.headers[header::LOCATION].to_str().unwrap().to_owned();
        self.open(&place).await
    }

    /// Sends a form of the page that is shown.
    pub(crate) async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let reply = self.app.send(self.form(path, fields)).await;
        self.show(&reply);
        reply
    }

    /// That form, not sent.
    pub(crate) fn form(&self, path: &str, fields: &[(&str, &str)]) -> Ask {
        let mut all = vec![("csrf", self.token.as_str())];
        all.extend(fields);
        self.bare(path).form(&all)
    }

    /// A form's head: with the cookies, from our own page.
    pub(crate) fn bare(&self, path: &str) -> Ask {
        self.cookies(Ask::post(path)).header("origin", ORIGIN).header("sec-fetch-site", "same-origin")
    }

    /// Adds the cookies that it holds, and that it shows pages.
    pub(crate) fn cookies(&self, ask: Ask) -> Ask {
        let line: Vec<_> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let ask = ask.header("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
        if line.is_empty() { ask } else { ask.header("cookie", line.join("; ")) }
    }

    /// Keeps what an answer sets, and the page that it is.
    fn show(&mut self, reply: &Reply) {
        for line in reply.headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            if line.contains("Max-Age=0;") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        if let Some(token) = value_of(&reply.text(), "csrf") {
            self.token = token;
        }
    }
}

/// A form of a visitor without a session, from a page that need not be opened.
pub(crate) fn form(path: &str, fields: &[(&str, &str)]) -> Ask {
    let token = URL_SAFE_NO_PAD.encode(Sha256::digest(b"doorward form\0visitor"));
    let mut all = vec![("csrf", token.as_str())];
    all.extend(fields);
    Ask::post(path).cookie("doorward-form", "visitor").header("origin", ORIGIN).form(&all)
}

/// The value of the first field of this name.
pub(crate) fn value_of(html: &str, name: &str) -> Option<String> {
    let rest = html.split(&format!("name=\"{name}\"")).nth(1)?;
    let value = rest.split('>').next()?.split("value=\"").nth(1)?.split('"').next()?;
    Some(decoded(value))
}

/// A page as it was before it was escaped.
pub(crate) fn html(reply: &Reply) -> String {
    decoded(&reply.text())
}

fn decoded(html: &str) -> String {
    html.replace("&#x2f;", "/").replace("&#x27;", "'").replace("&amp;", "&")
}

/// What a page says, without its tags and what changes from visit to visit.
pub(crate) fn words(reply: &Reply) -> String {
    let html = html(reply);
    let main = html.split("<main").nth(1).unwrap_or(&html);
    let mut text = String::new();
    for piece in main.split('<').skip(1) {
        let said = piece.split_once('>').map_or("", |(_, said)| said).trim();
        if !said.is_empty() {
            text.push_str(said);
            text.push('\n');
        }
    }
    text
}
