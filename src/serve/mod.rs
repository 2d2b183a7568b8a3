//! A server: what the program can do, over HTTP/1.1, for programs that speak LibreTranslate's or
//! OpenAI's interface, and for people with a browser.
//!
//! A request is read within bounds (`call`), checked (`guard`, `keys`), and waits for its turn
//! (`gate`); then a thread of its own does the work (`work`). The sentences of all who wait share
//! the batches of the same engines, and a client that goes away cancels its own. What is in the way
//! of an answer is a `failure`, which has a status and a sentence.
//!
//! Nothing is printed here: what an operator should know goes to a listener.

mod batch;
mod call;
mod chat;
mod events;
mod failure;
mod files;
mod gate;
mod guard;
mod kept;
mod keys;
mod languages;
mod listen;
mod metrics;
mod offer;
mod openapi;
mod options;
mod page;
mod patience;
mod rate;
mod routes;
mod service;
mod stop;
mod summary;
mod translate;
mod work;

pub use keys::Keys;
pub use options::{Limits, Listener, ServeOptions};

use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::model_store::OpenModels;
use service::Service;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use stop::Stop;

/// A server that has its address, and has not begun to answer.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    service: Arc<Service>,
}

impl Server {
    /// Takes the address. Port 0 is any that is free; [`Server::address`] tells which.
    ///
    /// # Errors
    /// When the address cannot be had, or the folder for jobs cannot be used.
    pub fn bind(options: ServeOptions, on_event: Listener) -> Result<Server> {
        let wanted = options.address;
        let refused = |e: std::io::Error| {
            let advice = "name another address with --host or another port with --port";
            Error::Usage(format!("cannot listen on {wanted}: {e}; {advice}"))
        };
        let listener = TcpListener::bind(wanted).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        if !address.ip().is_loopback() && options.keys.is_empty() {
            on_event(Event::Warning(
                "anybody who reaches this address may use the server: --api-keys asks for keys, \
                 and --host 127.0.0.1 listens to this machine alone",
            ));
        }
        Ok(Server { listener, address, service: Arc::new(Service::new(options, on_event)?) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens the models with `open`, and answers until `stop` is cancelled: then it takes nothing
    /// new, finishes what it has within [`Limits::grace`], and returns. `work` is the token that
    /// the models were opened with; it is cancelled in the end.
    ///
    /// # Errors
    /// When the models cannot be opened.
    pub fn run(
        self,
        open: impl FnOnce() -> Result<OpenModels> + Send + 'static,
        stop: &CancelToken,
        work: &CancelToken,
    ) -> Result<()> {
        let started = || -> std::io::Result<_> {
            let threads = self.service.options.limits.working + SPARE_THREADS;
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .max_blocking_threads(threads)
                .build()
        };
        let runtime = started().map_err(Error::io("starting", "the server"))?;
        let stops = Stop::watching(stop, work);
        let outcome = runtime.block_on(listen::run(self.listener, self.service, open, stops));
        work.cancel();
        runtime.shutdown_timeout(LAST_WORK);
        outcome
    }
}

/// Threads for work besides that of requests: opening models, listing languages.
const SPARE_THREADS: usize = 8;
/// How long cancelled work may take to end.
const LAST_WORK: std::time::Duration = std::time::Duration::from_secs(5);
