//! Who is in the models: so many at once, so many who wait, and nobody else.

use super::failure::Failure;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// See the module.
pub struct Gate {
    places: Arc<Semaphore>,
    all: usize,
    waiting: AtomicUsize,
    most_waiting: usize,
}

/// Counts one who waits, also when they go away.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Gate {
    pub fn new(working: usize, waiting: usize) -> Gate {
        Gate {
            places: Arc::new(Semaphore::new(working.max(1))),
            all: working.max(1),
            waiting: AtomicUsize::new(0),
            most_waiting: waiting,
        }
    }

    /// A place, once there is one; it is given back when it is dropped.
    ///
    /// # Errors
    /// When too many wait already.
    pub async fn enter(&self) -> Result<OwnedSemaphorePermit, Failure> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Ok(place);
        }
        let before = self.waiting.fetch_add(1, Ordering::SeqCst);
        let _waiting = Waiting(&self.waiting);
        if before >= self.most_waiting {
            let message = "too many requests wait already; ask again later";
            return Err(Failure::busy(message, Duration::from_secs(1)));
        }
        self.places.clone().acquire_owned().await.map_err(|_| Failure::stopping())
    }

    /// How many are in the models, and how many wait.
    pub fn load(&self) -> (usize, usize) {
        let working = self.all.saturating_sub(self.places.available_permits());
        (working, self.waiting.load(Ordering::SeqCst))
    }
}
