//! Stopping: nothing new is taken, and what is there is finished.

use crate::cancel::CancelToken;
use std::time::Duration;
use tokio::sync::watch;

/// How often the token is looked at: it wakes nobody.
const GLANCE: Duration = Duration::from_millis(50);

/// Whether the server is to stop, for tasks that wait for something else too.
#[derive(Clone)]
pub struct Stop {
    /// Cancelled to stop.
    asked: CancelToken,
    /// Cancels the work of the models.
    pub work: CancelToken,
}

impl Stop {
    pub fn watching(asked: &CancelToken, work: &CancelToken) -> Stop {
        Stop { asked: asked.clone(), work: work.clone() }
    }

    /// Returns once the server is to stop.
    pub async fn asked(&self) {
        while !self.asked.is_cancelled() {
            tokio::time::sleep(GLANCE).await;
        }
    }
}

/// Tells many tasks that the server stops.
pub struct Announcement(watch::Sender<bool>);

impl Announcement {
    pub fn new() -> Announcement {
        Announcement(watch::Sender::new(false))
    }

    pub fn make(&self) {
        self.0.send_replace(true);
    }

    pub fn is_made(&self) -> bool {
        *self.0.borrow()
    }

    /// What returns once it is made.
    pub fn hear(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut heard = self.0.subscribe();
        async move {
            // The sender lives as long as the server.
            let _ = heard.wait_for(|made| *made).await;
        }
    }
}
