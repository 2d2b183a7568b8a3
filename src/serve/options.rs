//! What a server is made of, and how much it takes on.

use super::keys::Keys;
use crate::event::Event;
use crate::io::articles::ReadOptions;
use crate::pipeline::Job;
use crate::types::Lang;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What hears of a server's [`Event`]s, from any of its threads.
pub type Listener = Arc<dyn Fn(Event<'_>) + Send + Sync>;

/// What a server is made of.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Where it listens.
    pub address: SocketAddr,
    /// Names by which it may be called, besides `localhost` and addresses.
    pub names: Vec<String>,
    /// Origins of pages that may use it, besides its own.
    pub origins: Vec<String>,
    /// Who may use it; everybody if there are none.
    pub keys: Keys,
    /// How much it takes on.
    pub limits: Limits,
    /// What is done with texts, but for the languages, which each request names.
    pub job: Job,
    /// How articles are read.
    pub reading: ReadOptions,
    /// The language that the page offers first.
    pub target: Lang,
    /// The folder that batches are kept in; one of its own that goes with the server if none is
    /// named.
    pub jobs_dir: Option<PathBuf>,
}

/// How much a server takes on.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Most bytes of a request.
    pub body: usize,
    /// Most texts of a request.
    pub texts: usize,
    /// Requests in the models at once.
    pub working: usize,
    /// Requests that wait for these.
    pub waiting: usize,
    /// Requests a minute, of a key or an address; `None` for as many as come.
    pub per_minute: Option<u32>,
    /// Longest time until an answer.
    pub answer: Duration,
    /// Longest time until a request's head, and then its body, is there.
    pub reading: Duration,
    /// Connections at once.
    pub connections: usize,
    /// How long work goes on after the server is told to stop.
    pub grace: Duration,
    /// Batches at once; and how many finished ones are kept.
    pub jobs: usize,
    /// Most bytes of a batch.
    pub job_body: usize,
    /// How long a model that nobody uses stays loaded; `None` for ever.
    pub keep_loaded: Option<Duration>,
    /// Bytes of models beyond which those go that were not used for the longest time.
    pub model_memory: Option<u64>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            body: 8 << 20,
            texts: 1000,
            working: 128,
            waiting: 512,
            per_minute: None,
            answer: Duration::from_secs(300),
            reading: Duration::from_secs(30),
            connections: 512,
            grace: Duration::from_secs(30),
            jobs: 4,
            job_body: 256 << 20,
            keep_loaded: None,
            model_memory: None,
        }
    }
}
