//! Pages as text: a small struct in, a whole HTML document out.
//!
//! The forms need no protection against cross-site requests: what they do hangs on the mailed secret that they post, which no other
//! site knows, and on no cookie. For the same reason they need no session. The secret travels in a hidden field, so that it is in no
//! address from the first POST on; `Referrer-Policy: no-referrer` and `Cache-Control: no-store`, set by the handlers, keep it where it is.
//!
//! Addresses in the pages are relative (`reset`, `assets/doorward.css`), so that they work below a path of the public URL too.

use std::path::Path;

use minijinja::{Value, context};

use crate::templates::{Source, TemplateError, Templates};

macro_rules! sources {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../templates/pages/", $name)))),*]
    };
}

const SOURCES: &[Source] = sources![
    "layout.html",
    "doorward.css",
    "reset_form.html",
    "reset_done.html",
    "reset_failed.html",
    "invitation_form.html",
    "invitation_done.html",
    "invitation_closed.html",
    "problem.html",
];

/// The `Content-Security-Policy` under which all pages work: nothing but our style sheet, forms to ourselves, no frames around us.
pub const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Where the style sheet is served, below the public URL.
pub const STYLESHEET_PATH: &str = "/assets/doorward.css";

/// The secret of a reset link, in the form in which the link carried it.
#[derive(Clone, Copy)]
pub enum ResetSecret<'a> {
    /// `/reset?code=…&user_id=…`; posted as `code` and `user_id`.
    Code {
        /// The code.
        code: &'a str,
        /// Whose it is.
        user_id: &'a str,
    },
    /// `/reset?token=…`; posted as `token`.
    Token(&'a str),
}

/// The form that sets a new password: posts `password` and the secret to `/reset`.
#[derive(Clone, Copy)]
pub struct ResetForm<'a> {
    /// From the link, or from the form before.
    pub secret: ResetSecret<'a>,
    /// The fewest characters that a password may have.
    pub password_minimum: usize,
    /// What was wrong with the password of the form before.
    pub problem: Option<&'a str>,
}

/// The form that makes an account: posts `id`, `first_name`, `last_name` and `password` to `/invitation`.
#[derive(Clone, Copy)]
pub struct InvitationForm<'a> {
    /// The invitation's secret.
    pub id: &'a str,
    /// For whom it is; shown, not posted.
    pub email: Option<&'a str>,
    /// What was typed before.
    pub first_name: &'a str,
    /// What was typed before.
    pub last_name: &'a str,
    /// The fewest characters that a password may have.
    pub password_minimum: usize,
    /// What was wrong with the form before.
    pub problems: InvitationProblems<'a>,
}

/// What is wrong with which field.
#[derive(Clone, Copy, Default)]
pub struct InvitationProblems<'a> {
    /// With none in particular.
    pub form: Option<&'a str>,
    /// With the first name.
    pub first_name: Option<&'a str>,
    /// With the last name.
    pub last_name: Option<&'a str>,
    /// With the password.
    pub password: Option<&'a str>,
}

/// A page with what it shows.
#[derive(Clone, Copy)]
pub enum Page<'a> {
    /// Choose a new password.
    ResetForm(ResetForm<'a>),
    /// It is set.
    ResetDone,
    /// The link is unknown, spent or expired.
    ResetFailed,
    /// Make the account.
    InvitationForm(InvitationForm<'a>),
    /// It is made.
    InvitationDone,
    /// The invitation is unknown, spent, revoked or expired.
    InvitationClosed,
    /// Anything else that stands in the way: too many tries, a fault.
    Problem {
        /// One short line.
        heading: &'a str,
        /// What happened and what would help.
        explanation: &'a str,
    },
}

/// Renders pages; made once at start.
#[derive(Debug)]
pub struct Pages {
    templates: Templates,
    service: String,
}

impl Pages {
    /// `service` is what the installation calls itself; `overrides` is the operator's folder, whose `pages/<name>` replaces the built-in
    /// template or style sheet of that name. Every page is rendered once with sample data.
    ///
    /// # Errors
    /// The first template that does not compile or render.
    pub fn new(service: &str, overrides: Option<&Path>) -> Result<Self, TemplateError> {
        let templates = Templates::load("pages", SOURCES, overrides)?;
        let pages = Self { templates, service: service.to_owned() };
        for page in samples() {
            let (name, values) = pages.fill(&page);
            pages.templates.rehearse(name, values)?;
        }
        Ok(pages)
    }

    /// The page as an HTML document.
    ///
    /// # Errors
    /// When an operator's template fails on values that the samples did not try. The error shows no value.
    pub fn render(&self, page: &Page<'_>) -> Result<String, TemplateError> {
        let (name, values) = self.fill(page);
        self.templates.render(name, values)
    }

    /// The style sheet, to be served at [`STYLESHEET_PATH`] as `text/css; charset=utf-8`.
    #[must_use]
    pub fn stylesheet(&self) -> &str {
        self.templates.plain("doorward.css")
    }

    fn fill(&self, page: &Page<'_>) -> (&'static str, Value) {
        let plain = || context! { service => &self.service };
        match page {
            Page::ResetForm(form) => ("reset_form.html", context! { ..reset_values(form), ..plain() }),
            Page::ResetDone => ("reset_done.html", plain()),
            Page::ResetFailed => ("reset_failed.html", plain()),
            Page::InvitationForm(form) => ("invitation_form.html", context! { ..invitation_values(form), ..plain() }),
            Page::InvitationDone => ("invitation_done.html", plain()),
            Page::InvitationClosed => ("invitation_closed.html", plain()),
            Page::Problem { heading, explanation } => {
                ("problem.html", context! { heading => *heading, explanation => *explanation, ..plain() })
            }
        }
    }
}

fn reset_values(form: &ResetForm<'_>) -> Value {
    let (code, user_id, token) = match form.secret {
        ResetSecret::Code { code, user_id } => (Some(code), Some(user_id), None),
        ResetSecret::Token(token) => (None, None, Some(token)),
    };
    context! {
        code => code,
        user_id => user_id,
        token => token,
        password_minimum => form.password_minimum,
        problem => form.problem,
    }
}

fn invitation_values(form: &InvitationForm<'_>) -> Value {
    let InvitationProblems { form: general, first_name, last_name, password } = form.problems;
    // The first field that needs typing into: one with a problem, else the first empty one; the password is never kept.
    let focus = match () {
        () if first_name.is_some() => "first_name",
        () if last_name.is_some() => "last_name",
        () if form.first_name.is_empty() && password.is_none() => "first_name",
        () if form.last_name.is_empty() && password.is_none() => "last_name",
        () => "password",
    };
    context! {
        id => form.id,
        email => form.email,
        first_name => form.first_name,
        last_name => form.last_name,
        password_minimum => form.password_minimum,
        focus => focus,
        failed => [general, first_name, last_name, password].iter().any(Option::is_some),
        problems => context! { form => general, first_name => first_name, last_name => last_name, password => password },
    }
}

fn samples() -> Vec<Page<'static>> {
    let text = "Sample";
    let reset = |secret, problem| Page::ResetForm(ResetForm { secret, password_minimum: 8, problem });
    let all = InvitationProblems { form: Some(text), first_name: Some(text), last_name: Some(text), password: Some(text) };
    let invitation = |email, problems| {
        let (first_name, last_name) = (text, "");
        Page::InvitationForm(InvitationForm { id: text, email, first_name, last_name, password_minimum: 8, problems })
    };
    vec![
        reset(ResetSecret::Token(text), None),
        reset(ResetSecret::Code { code: text, user_id: text }, Some(text)),
        Page::ResetDone,
        Page::ResetFailed,
        invitation(None, InvitationProblems::default()),
        invitation(Some(text), all),
        Page::InvitationDone,
        Page::InvitationClosed,
        Page::Problem { heading: text, explanation: text },
    ]
}

#[cfg(test)]
mod tests;
