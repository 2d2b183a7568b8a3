//! Answers that go on while the work does: parts through a channel, as server-sent events or lines.

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use hyper::body::Frame;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc::{self, Receiver, Sender};

/// The type of server-sent events.
pub const KIND: &str = "text/event-stream";

/// Parts that wait for a client which reads slowly; whoever writes them waits with them.
const MOST_WAITING: usize = 16;

/// The body of an answer whose parts come through a channel. `kept` is dropped with it: when the
/// client has gone, or has all.
struct Parts<T> {
    first: Option<Bytes>,
    rest: Receiver<Bytes>,
    _kept: T,
}

impl<T: Unpin + Send + 'static> HttpBody for Parts<T> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let part = match self.first.take() {
            Some(first) => Poll::Ready(Some(first)),
            None => self.rest.poll_recv(context),
        };
        part.map(|part| part.map(|part| Ok(Frame::data(part))))
    }
}

/// The channel for the parts of an answer.
pub fn channel() -> (Sender<Bytes>, Receiver<Bytes>) {
    mpsc::channel(MOST_WAITING)
}

/// An answer in parts: the first, if it is there already, and those that come.
pub fn answer<T: Unpin + Send + 'static>(
    kind: &'static str,
    first: Option<Bytes>,
    rest: Receiver<Bytes>,
    kept: T,
) -> Response {
    let mut response = Response::new(Body::new(Parts { first, rest, _kept: kept }));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// An event: its name, if it has one, and one line of data.
pub fn event(name: &str, data: &str) -> Bytes {
    let name = if name.is_empty() { String::new() } else { format!("event: {name}\n") };
    Bytes::from(format!("{name}data: {data}\n\n"))
}
