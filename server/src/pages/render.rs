//! Pages as text: a small struct in, a whole HTML document out, with the headers that all of them have.

use std::path::Path;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use super::assets::{self, Asset};
use super::{account, admin, code, dev_mail, forgotten, invitation, problem, reset, second_factor, setup, sign_in, sign_out};
use crate::config::forward::Origins;
use crate::locale::{Catalogues, Language};
use crate::templates::{Source, TemplateError, Templates};

macro_rules! sources {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../templates/pages/", $name)))),*]
    };
}

const SOURCES: &[Source] = sources![
    "layout.html",
    "parts.html",
    "doorward.css",
    "doorward.js",
    "doorward.svg",
    "passkey.html",
    "sign_in.html",
    "code_request.html",
    "code_entry.html",
    "second_factor.html",
    "sign_out.html",
    "forgotten.html",
    "check_mail.html",
    "reset_form.html",
    "reset_failed.html",
    "invitation_form.html",
    "invitation_accept.html",
    "invitation_other.html",
    "invitation_closed.html",
    "setup_form.html",
    "setup_closed.html",
    "account.html",
    "account_profile.html",
    "account_history.html",
    "history_lines.html",
    "account_password.html",
    "account_app.html",
    "account_app_remove.html",
    "account_key_add.html",
    "account_key.html",
    "problem.html",
    "admin/layout.html",
    "admin/lines.html",
    "admin/users.html",
    "admin/user.html",
    "admin/invitations.html",
    "admin/applications.html",
    "admin/application_secrets.html",
    "admin/application_networks.html",
    "admin/mail.html",
    "admin/mail_facts.html",
    "admin/mail_preview.html",
    "admin/audit.html",
    "admin/dashboard.html",
    "admin/settings.html",
    "dev/mail.html",
    "dev/row.html",
    "dev/letter.html",
];

/// What one template shows.
pub(super) trait View: Serialize + Sized {
    /// The file's name.
    const TEMPLATE: &'static str;

    /// With all that may be absent present, and without.
    fn samples() -> Vec<Self>;
}

/// What every page has around what it shows.
pub(super) struct Frame<'a> {
    /// The token of its forms.
    pub(super) csrf: &'a str,
    /// Who is signed in.
    pub(super) user: Option<&'a str>,
    /// Whether they are an administrator.
    pub(super) administers: bool,
    /// What was done before.
    pub(super) notice: Option<String>,
}

/// Renders pages; made once at start.
#[derive(Debug)]
pub struct Pages {
    templates: Templates,
    pub(super) catalogues: Catalogues,
    pub(super) language: Language,
    pub(super) style: Asset,
    pub(super) script: Asset,
    pub(super) icon: Asset,
    service: String,
    policy: HeaderValue,
}

impl Pages {
    /// `service` is what the installation calls itself; `language` is for who asks for none that there is; forms may lead to `origins`
    /// besides our own; `overrides` is the operator's folder, whose `pages/<name>` replaces the built-in file of that name. With such a
    /// folder every page is rendered once with sample data, in every language; the tests do it for what is built in.
    ///
    /// # Errors
    /// The first template that does not compile or render.
    pub fn new(
        service: &str,
        language: Language,
        catalogues: Catalogues,
        origins: &Origins,
        overrides: Option<&Path>,
    ) -> Result<Self, TemplateError> {
        let templates = Templates::load("pages", SOURCES, catalogues.clone(), overrides)?;
        let policy = HeaderValue::from_str(&policy(origins));
        let policy = policy.map_err(|error| templates.fault("layout.html", None, error.to_string()))?;
        let [style, script, icon] = ["doorward.css", "doorward.js", "doorward.svg"].map(|name| Asset::new(templates.plain(name)));
        let service = service.to_owned();
        let pages = Self { templates, catalogues, language, style, script, icon, service, policy };
        if overrides.is_some() {
            pages.rehearse()?;
        }
        Ok(pages)
    }

    fn rehearse(&self) -> Result<(), TemplateError> {
        self.rehearse_view::<sign_in::SignIn>()?;
        self.rehearse_view::<code::Request>()?;
        self.rehearse_view::<code::Entry>()?;
        self.rehearse_view::<second_factor::SecondFactor>()?;
        self.rehearse_view::<sign_out::SignOut>()?;
        self.rehearse_view::<forgotten::Forgotten>()?;
        self.rehearse_view::<forgotten::Mailed>()?;
        self.rehearse_view::<reset::Reset>()?;
        self.rehearse_view::<reset::Failed>()?;
        self.rehearse_view::<invitation::Create>()?;
        self.rehearse_view::<invitation::Accept>()?;
        self.rehearse_view::<invitation::Other>()?;
        self.rehearse_view::<invitation::Closed>()?;
        self.rehearse_view::<setup::Create>()?;
        self.rehearse_view::<setup::Closed>()?;
        self.rehearse_view::<account::Account>()?;
        self.rehearse_view::<account::profile::Names>()?;
        self.rehearse_view::<account::history::History>()?;
        self.rehearse_view::<account::password::Change>()?;
        self.rehearse_view::<account::app::Enrol>()?;
        self.rehearse_view::<account::app::Removal>()?;
        self.rehearse_view::<account::keys::Add>()?;
        self.rehearse_view::<account::keys::One>()?;
        self.rehearse_view::<admin::users::Users>()?;
        self.rehearse_view::<admin::user::One>()?;
        self.rehearse_view::<admin::invitations::Invitations>()?;
        self.rehearse_view::<admin::applications::Applications>()?;
        self.rehearse_view::<admin::applications::Secrets>()?;
        self.rehearse_view::<admin::application_networks::Networks>()?;
        self.rehearse_view::<admin::mail::Outbox>()?;
        self.rehearse_view::<admin::mail::Preview>()?;
        self.rehearse_view::<admin::audit::Audit>()?;
        self.rehearse_view::<admin::dashboard::Dashboard>()?;
        self.rehearse_view::<admin::settings::Settings>()?;
        self.rehearse_view::<dev_mail::List>()?;
        self.rehearse_view::<dev_mail::One>()?;
        self.rehearse_view::<problem::Problem>()
    }

    fn rehearse_view<V: View>(&self) -> Result<(), TemplateError> {
        for language in Language::ALL {
            for (place, view) in V::samples().iter().enumerate() {
                let some = place.is_multiple_of(2);
                let notice = some.then(|| "Sample".to_owned());
                let frame = Frame { csrf: "sample", user: some.then_some("Sample"), administers: some, notice };
                self.templates.rehearse(V::TEMPLATE, self.values(language, &frame, view))?;
            }
        }
        Ok(())
    }

    fn around(&self, language: Language, frame: &Frame<'_>) -> Value {
        context! {
            lang => language.tag(),
            service => &self.service,
            style => self.style.url(assets::STYLE),
            script => self.script.url(assets::SCRIPT),
            icon => self.icon.url(assets::ICON),
            csrf => frame.csrf,
            user => frame.user,
            administers => frame.administers,
            notice => &frame.notice,
        }
    }

    /// The frame is first: of two values of one name, the first is the one that is seen.
    fn values<V: View>(&self, language: Language, frame: &Frame<'_>, view: &V) -> Value {
        context! { ..self.around(language, frame), ..Value::from(Serde(view)) }
    }

    /// The page as an answer. An operator's template may fail on values that the samples did not try.
    pub(super) fn respond<V: View>(&self, status: StatusCode, language: Language, frame: &Frame<'_>, view: &V) -> Response {
        let html = match self.templates.render(V::TEMPLATE, self.values(language, frame, view)) {
            Ok(html) => html,
            Err(error) => {
                tracing::error!(%error, "a page could not be rendered");
                let text = self.say(language, "problem.fault", &[]);
                return (StatusCode::INTERNAL_SERVER_ERROR, text).into_response();
            }
        };
        let mut response = (status, html).into_response();
        let headers = response.headers_mut();
        for (name, value) in HEADERS {
            headers.insert(name, value);
        }
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        if let Ok(tag) = HeaderValue::from_str(language.tag()) {
            headers.insert(header::CONTENT_LANGUAGE, tag);
        }
        response
    }

    /// A message; its key where the operator's catalogue has made it one that these values do not fill.
    pub(super) fn say(&self, language: Language, key: &str, values: &[(&str, &str)]) -> String {
        let mut given = vec![("service", self.service.as_str())];
        given.extend(values);
        self.catalogues.say(language, key, &given).unwrap_or_else(|| key.to_owned())
    }

    /// What a browser asks for, or what the configuration says.
    pub(super) fn language_for(&self, headers: &HeaderMap) -> Language {
        let asked = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        asked.and_then(Language::negotiate).unwrap_or(self.language)
    }
}

/// On every page. The referrer says no path, for some of ours hold secrets; without any, browsers would hide from us that a form is our
/// own (`Origin: null`).
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
    (header::REFERRER_POLICY, HeaderValue::from_static("strict-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (header::VARY, HeaderValue::from_static("Accept-Language, Cookie")),
];

/// Our own style sheet, script, icon and calls, and nothing from anywhere else. A form may lead, by the redirect that answers it, to where
/// people may be sent back to.
fn policy(origins: &Origins) -> String {
    let others: String = origins.iter().map(|origin| format!(" {origin}")).collect();
    format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'{others}; \
         base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
}

#[cfg(test)]
mod tests;
