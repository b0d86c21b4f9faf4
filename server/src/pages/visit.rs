//! One request to a page: who visits, in which language, with which guard; and the answers that pages give.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Site;
use super::csrf::Guard;
use super::notice::Notice;
use super::problem;
use super::render::{Frame, View};
use super::return_to::{ReturnTo, with_query};
use crate::core::call::Call;
use crate::core::flows::SignedIn;
use crate::core::flows::second_factor_choice::may_change;
use crate::core::flows::session::{self, Authenticated, Need, Presented};
use crate::core::model::{Role, SessionState, User};
use crate::core::{Core, Error, Fault, Refusal};
use crate::http::accept::wants_a_page;
use crate::http::{call, cookie};
use crate::locale::{Language, span};

/// Where one goes who came from nowhere.
pub(super) const HOME: &str = "/account";

/// A visitor's request, and what every answer to it needs.
pub(super) struct Visit {
    pub(super) site: Site,
    pub(super) call: Call,
    pub(super) presented: Presented,
    pub(super) guard: Guard,
    language: Language,
    notice: Option<Notice>,
    user: Option<String>,
    administers: bool,
    /// The path and the query that were asked for.
    pub(super) here: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
}

/// Another answer than the one that a handler was about to give.
pub(super) struct Turned(Box<Response>);

impl From<Response> for Turned {
    fn from(response: Response) -> Self {
        Self(Box::new(response))
    }
}

impl IntoResponse for Turned {
    fn into_response(self) -> Response {
        *self.0
    }
}

impl FromRequestParts<Site> for Visit {
    type Rejection = Turned;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Turned> {
        let language = site.pages.language_for(&parts.headers);
        let faulted = |fault: Fault| Turned::from(problem::faulted(&site.pages, language, &fault));
        let call = call::call(parts).map_err(faulted)?;
        let https = site.shared.is_https();
        let guard = Guard::of(&parts.headers, https, &call).map_err(faulted)?;
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self {
            presented: site.shared.cookies_for_pages(&parts.headers),
            notice: Notice::read(&parts.headers, https),
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers: parts.headers.clone(),
            site: site.clone(),
            user: None,
            administers: false,
            here: parts.uri.path_and_query().map_or("/", |place| place.as_str()).to_owned(),
            call,
            guard,
            language,
        })
    }
}

/// Pages of somebody signed in: nothing in their addresses opens anything, as a mailed link does.
fn has_no_secret_address(here: &str) -> bool {
    ["/account", "/admin"].iter().any(|area| here.starts_with(area))
}

impl Visit {
    pub(super) fn core(&self) -> &Core {
        self.site.shared.core()
    }

    /// All that is to end when the visitor signs out: the sessions of other APIs' cookies, too.
    pub(super) fn all_presented(&self) -> Presented {
        self.site.shared.cookies(&self.headers)
    }

    /// Whether a browser asks that goes to an address.
    pub(super) fn wants_a_page(&self) -> bool {
        wants_a_page(&self.headers)
    }

    /// A value of the query; none if it is there twice.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let mut found = self.query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let first = found.next();
        if found.next().is_some() { None } else { first }
    }

    /// Where the visitor came from, if they may go back there.
    pub(super) fn return_to(&self, text: Option<&str>) -> Option<ReturnTo> {
        ReturnTo::parse(text?, self.site.shared.public_url(), &self.site.shared.forward().return_to, &self.site.apis)
    }

    /// The page that a form was on, as far as its `Referer` says.
    pub(super) fn came_from(&self) -> Option<ReturnTo> {
        self.return_to(self.headers.get(header::REFERER)?.to_str().ok())
    }

    /// A message in the visitor's language.
    pub(super) fn say(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.site.pages.say(self.language, key, values)
    }

    /// A length of time in words.
    pub(super) fn span(&self, length: Duration) -> String {
        span(&self.site.pages.catalogues, self.language, length).unwrap_or_default()
    }

    /// The value of a cookie beside the session's.
    pub(super) fn aside(&self, base: &str) -> Option<&str> {
        cookie::first(&self.headers, &cookie::aside_name(base, self.site.shared.is_https()))
    }

    /// The page that a session's owner sees has their name on it.
    pub(super) fn known_as(&mut self, user: &User) {
        self.user = Some(user.display_name());
        self.administers = user.role == Role::Admin;
    }

    /// Checks the session; without one that does, the visitor goes to where they get it, and comes back to `back`.
    pub(super) async fn signed_in(&mut self, need: Need, back: &str) -> Result<Authenticated, Turned> {
        let checked = session::check(self.core(), &self.call, &self.presented, need).await;
        let checked = checked.map_err(|error| self.turn(&error, back))?;
        self.known_as(&checked.user);
        Ok(checked)
    }

    /// As [`Self::signed_in`], for a form that changes what one signs in with: nobody is to fill in what is then refused.
    pub(super) async fn may_change(&mut self, back: &str) -> Result<Authenticated, Turned> {
        let checked = may_change(self.core(), &self.call, &self.presented).await;
        let checked = checked.map_err(|error| self.turn(&error, back))?;
        self.known_as(&checked.user);
        Ok(checked)
    }

    /// A page.
    pub(super) fn show<V: View>(&self, status: StatusCode, view: &V) -> Response {
        let frame = Frame {
            csrf: self.guard.token(),
            user: self.user.as_deref(),
            administers: self.administers,
            notice: self.notice.map(|notice| self.say(notice.key(), &[])),
        };
        let mut response = self.site.pages.respond(status, self.language, &frame, view);
        let https = self.site.shared.is_https();
        let clear = self.notice.and_then(|_| Notice::clear(https));
        self.set_cookies(&mut response, [self.guard.set_cookie.clone(), clear]);
        if has_no_secret_address(&self.here) {
            // Its forms tell which page they were on: see `came_from`.
            response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        }
        response
    }

    /// On to another page, by GET.
    pub(super) fn go(&self, place: &str, notice: Option<Notice>) -> Response {
        let mut response = StatusCode::SEE_OTHER.into_response();
        if let Ok(place) = HeaderValue::from_str(place) {
            response.headers_mut().insert(header::LOCATION, place);
        }
        self.set_cookies(&mut response, [notice.and_then(|notice| notice.set(self.site.shared.is_https()))]);
        response
    }

    /// On to where a new or raised session leads: its second factor, or where the visitor came from.
    pub(super) fn enter(&self, opened: &SignedIn, return_to: Option<&ReturnTo>, notice: Option<Notice>) -> Response {
        let place = match (opened.session.state, return_to) {
            (SessionState::Half, Some(place)) => with_query("/second-factor", &[("return_to", place.as_str())]),
            (SessionState::Half, None) => "/second-factor".to_owned(),
            (SessionState::Full, place) => place.map_or(HOME, ReturnTo::as_str).to_owned(),
        };
        let mut response = self.go(&place, notice);
        let shared = &self.site.shared;
        let set = shared.set_cookie(response.headers_mut(), shared.cookie_name(), &opened.token, &opened.session, self.call.now);
        match set {
            Ok(()) => response,
            Err(fault) => problem::faulted(&self.site.pages, self.language, &fault),
        }
    }

    /// Where a refused visitor goes instead, or what they are told. They come back to `back`.
    pub(super) fn turn(&self, error: &Error, back: &str) -> Turned {
        match self.way(error, back) {
            Some(place) => {
                let ended = matches!(error, Error::Refused(Refusal::NotSignedIn)) && !self.presented.tokens.is_empty();
                self.go(&place, ended.then_some(Notice::SessionEnded)).into()
            }
            None => problem::page(self, error).into(),
        }
    }

    /// The page that mends a refusal, if there is one.
    pub(super) fn way(&self, error: &Error, back: &str) -> Option<String> {
        match error {
            Error::Refused(Refusal::NotSignedIn) => Some(with_query("/sign-in", &[("return_to", back)])),
            Error::Refused(Refusal::SecondFactorOwed) => {
                Some(with_query("/second-factor", &[("return_to", back), ("again", "yes")]))
            }
            Error::Refused(Refusal::RecentSignInRequired) => {
                Some(with_query("/sign-in", &[("return_to", back), ("again", "yes")]))
            }
            Error::Refused(_) | Error::Faulted(_) => None,
        }
    }

    pub(super) fn set_cookies<const N: usize>(&self, response: &mut Response, cookies: [Option<HeaderValue>; N]) {
        for value in cookies.into_iter().flatten() {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
}
