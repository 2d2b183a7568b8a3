//! The way back from a worker to whoever waits for a request.

use super::Output;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use std::sync::mpsc::Sender;

/// What a worker tells about a request.
pub(super) enum Event {
    /// More of its text.
    Text(String),
    /// Its end.
    Finished(Result<Output>),
}

/// The worker's end of the way back to whoever waits for a request. One that is dropped has
/// interrupted the request.
pub(super) struct Reply {
    number: usize,
    events: Sender<(usize, Event)>,
    cancel: CancelToken,
    /// Cancelled when nobody waits any longer.
    abandoned: CancelToken,
    /// Whether the text is wanted as it is written.
    pub streams: bool,
    is_open: bool,
}

impl Reply {
    /// `number` is the request's among those that share the channel.
    pub(super) fn new(
        number: usize,
        events: Sender<(usize, Event)>,
        cancel: CancelToken,
        abandoned: CancelToken,
        streams: bool,
    ) -> Reply {
        Reply { number, events, cancel, abandoned, streams, is_open: true }
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled() || self.abandoned.is_cancelled()
    }

    pub(super) fn text(&self, text: String) {
        self.send(Event::Text(text));
    }

    pub(super) fn finish(mut self, result: Result<Output>) {
        self.is_open = false;
        self.send(Event::Finished(result));
    }

    fn send(&self, event: Event) {
        // Nobody may be listening any longer.
        let _ = self.events.send((self.number, event));
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if self.is_open {
            self.send(Event::Finished(Err(Error::Interrupted)));
        }
    }
}
