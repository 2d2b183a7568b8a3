//! Progress of a fetch, for whoever shows it.

/// Hears how a fetch goes on. Called from one thread at a time, often.
pub trait Progress: Sync {
    /// `what` begins, of `total` bytes.
    fn start(&self, what: &str, total: u64);
    /// The number of bytes that are there; less than before when a source has to begin again.
    fn position(&self, done: u64);
    /// A line that the user should read: a source that failed, a licence.
    fn note(&self, text: &str);
    /// The end of what was started.
    fn finish(&self);
}

/// A [`Progress`] that says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _: &str, _: u64) {}
    fn position(&self, _: u64) {}
    fn note(&self, _: &str) {}
    fn finish(&self) {}
}
