//! Sending calls: deadlines, repetition, and answers of a size that fits.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue, SET_COOKIE};
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout};
use url::Url;

use crate::error::{Broken, Error, Invalid, Refused, Unreadable};
use crate::options::Options;
use crate::request::{Repeat, Request, base};
use crate::retry::{Retry, chance, is_passing, retry_after};

/// No answer of these APIs is nearly as large: a page of 200 sessions has some 200 kB.
const LARGEST_ANSWER: usize = 8 * 1024 * 1024;

/// Where an API is, and the connections to it.
#[derive(Clone)]
pub(crate) struct Transport {
    http: reqwest::Client,
    base: Arc<Url>,
    deadline: Duration,
    retry: Retry,
}

/// A success.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Vec<u8>,
    attempts: u32,
}

/// What one try came to.
enum Tried {
    Answered(Answer),
    Broken(Broken),
}

impl Transport {
    pub(crate) fn new(host: &str, options: &Options) -> Result<Self, Invalid> {
        let (deadline, retry) = (options.whole_deadline(), options.repetition());
        Ok(Self { http: options.http()?, base: Arc::new(base(host)?), deadline, retry })
    }

    /// The same connections and options for another place.
    pub(crate) fn moved(&self, base: Url) -> Self {
        Self { base: Arc::new(base), ..self.clone() }
    }

    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// Sends a call, and again if it may be; ends within the deadline.
    pub(crate) async fn send<B: DeserializeOwned>(&self, request: Request) -> Result<Answer, Error<B>> {
        let url = request.url(&self.base)?;
        let tried = timeout(self.deadline, self.tries(&request, &url)).await;
        match tried.map_err(|_| Error::Deadline(self.deadline))? {
            Tried::Answered(answer) if answer.status.is_success() => Ok(answer),
            Tried::Answered(answer) => Err(Error::Refused(Box::new(answer.refused()))),
            Tried::Broken(broken) => Err(Error::Broken(broken)),
        }
    }

    async fn tries(&self, request: &Request, url: &Url) -> Tried {
        let began = Instant::now();
        let mut attempt = 1;
        loop {
            let tried = self.once(request, url, attempt).await;
            let after = match &tried {
                Tried::Answered(answer) if is_passing(answer.status) => retry_after(&answer.headers),
                Tried::Answered(_) => return tried,
                Tried::Broken(_) => None,
            };
            let pause = match request.repeat {
                Repeat::Idempotent => self.retry.pause(attempt, after, chance()),
                Repeat::Never => None,
            };
            match pause {
                // What is known now is worth more than a deadline that passes while waiting.
                Some(pause) if began.elapsed() + pause < self.deadline => sleep(pause).await,
                _ => return tried,
            }
            attempt += 1;
        }
    }

    async fn once(&self, request: &Request, url: &Url, attempt: u32) -> Tried {
        let mut sending = self.http.request(request.method.clone(), url.clone()).headers(request.headers.clone());
        sending = sending.header(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(body) = &request.body {
            sending = sending.body(body.clone());
        }
        let answered = async { Answer::read(sending.send().await?, attempt).await };
        // The URL of a call can hold an e-mail address or a code.
        answered.await.map_or_else(|error| Tried::Broken(Broken(error.without_url())), Tried::Answered)
    }
}

/// As sparse as its parts: no header is shown.
impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl Answer {
    /// Reads the body, as far as anything in it can be meant seriously.
    async fn read(mut response: Response, attempts: u32) -> Result<Self, reqwest::Error> {
        let status = response.status();
        let mut headers = std::mem::take(response.headers_mut());
        for value in headers.iter_mut().filter_map(|(name, value)| (name == SET_COOKIE).then_some(value)) {
            value.set_sensitive(true);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_ANSWER {
                body.truncate(LARGEST_ANSWER);
                break;
            }
        }
        Ok(Self { status, headers, body, attempts })
    }

    fn refused<B: DeserializeOwned>(self) -> Refused<B> {
        Refused {
            status: self.status,
            body: serde_json::from_slice(&self.body).ok(),
            text: String::from_utf8_lossy(&self.body).into_owned(),
            headers: self.headers,
            attempts: self.attempts,
        }
    }

    /// The body as the API has it.
    pub(crate) fn json<T: DeserializeOwned, B>(&self) -> Result<T, Error<B>> {
        let unreadable = |why: serde_json::Error| Error::Unreadable(Unreadable::new(self.status, &why));
        serde_json::from_slice(&self.body).map_err(unreadable)
    }
}
