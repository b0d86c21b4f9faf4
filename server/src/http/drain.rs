//! What a handler leaves unread of a request's body. A client that is still sending when the connection is closed sees it broken and never
//! reads the answer; so the rest is read and thrown away first, within reason.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};

/// The most that is thrown away, in bytes.
pub(super) const MOST: usize = 8 * 1024 * 1024;

/// How long a client that sends slowly is listened to.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// The body of a request, shared between its handler and the one who reads the rest.
#[derive(Clone)]
pub(super) struct Shared {
    body: Arc<Mutex<Body>>,
    /// The client waits to be asked for its body (`Expect: 100-continue`); reading would ask.
    waits: bool,
}

impl Shared {
    fn with<T>(&self, act: impl FnOnce(&mut Body) -> T) -> T {
        act(&mut self.body.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads what is left.
    pub(super) async fn drain(mut self) {
        if self.waits {
            return;
        }
        let reading = async {
            let mut left = MOST;
            while let Some(Ok(frame)) = self.frame().await {
                let length = frame.data_ref().map_or(0, Bytes::len);
                let Some(rest) = left.checked_sub(length) else { return };
                left = rest;
            }
        };
        let _ = tokio::time::timeout(PATIENCE, reading).await;
    }
}

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.with(|body| Pin::new(body).poll_frame(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.with(|body| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.with(|body| HttpBody::size_hint(body))
    }
}

/// Shares the body of a request that has one.
pub(super) fn share(request: Request) -> (Request, Option<Shared>) {
    if request.body().is_end_stream() {
        return (request, None);
    }
    let waits = request.headers().contains_key(header::EXPECT);
    let (parts, body) = request.into_parts();
    let shared = Shared { body: Arc::new(Mutex::new(body)), waits };
    (Request::from_parts(parts, Body::new(shared.clone())), Some(shared))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A request whose body has `frames` frames of 1 KiB and counts those taken from it.
    fn request(frames: usize, taken: &Arc<AtomicUsize>, expect: bool) -> Request {
        let taken = Arc::clone(taken);
        let items = (0..frames).map(move |_| {
            taken.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 1024]))
        });
        let builder = if expect { Request::post("/").header("expect", "100-continue") } else { Request::post("/") };
        builder.body(Body::from_stream(futures_util::stream::iter(items))).expect("a request")
    }

    #[tokio::test]
    async fn reads_the_rest_within_reason() {
        let enough = MOST / 1024;
        for (frames, expect, read) in [(3, false, 3), (1024, false, 1024), (1_000_000, false, enough + 2), (3, true, 1)] {
            let taken = Arc::default();
            let (mut request, rest) = share(request(frames, &taken, expect));
            request.body_mut().frame().await.expect("a frame").expect("whole");
            drop(request);
            rest.expect("a body").drain().await;
            assert_eq!(taken.load(Ordering::Relaxed), read, "{frames}");
        }
    }

    #[tokio::test]
    async fn nothing_to_share() {
        assert!(share(Request::new(Body::empty())).1.is_none());
    }

    #[tokio::test]
    async fn hands_all_to_the_handler() {
        let (request, rest) = share(Request::new(Body::from("hello")));
        assert_eq!(request.into_body().collect().await.expect("whole").to_bytes(), "hello");
        rest.expect("a body").drain().await;
    }
}
