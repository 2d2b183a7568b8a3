//! What all requests share: options, models, limits, counts.

use super::batch::jobs::Jobs;
use super::call::Call;
use super::failure::Failure;
use super::gate::Gate;
use super::guard::Guard;
use super::kept::Kept;
use super::keys::KnownKey;
use super::languages::Source;
use super::metrics::{Gauges, Metrics};
use super::options::{Limits, Listener, ServeOptions};
use super::rate::{Client, Rates};
use super::stop::Announcement;
use crate::error::Result;
use crate::event::Event;
use crate::model_store::OpenModels;
use crate::pipeline::Job;
use crate::types::Lang;
use axum::extract::Request;
use axum::http::StatusCode;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// See the module.
pub struct Service {
    pub options: ServeOptions,
    pub guard: Guard,
    pub gate: Gate,
    pub rates: Rates,
    pub metrics: Metrics,
    /// The languages of texts, once somebody asked: which models there are does not change.
    pub languages: OnceLock<Arc<Vec<Source>>>,
    /// Translated files that wait to be fetched.
    pub kept: Kept,
    pub jobs: Jobs,
    /// Made once the server stops.
    pub stopping: Announcement,
    on_event: Listener,
    models: OnceLock<Arc<OpenModels>>,
}

impl Service {
    pub fn new(options: ServeOptions, on_event: Listener) -> Result<Service> {
        Ok(Service {
            guard: Guard::new(&options.names, &options.origins),
            gate: Gate::new(options.limits.working, options.limits.waiting),
            rates: Rates::default(),
            metrics: Metrics::default(),
            languages: OnceLock::new(),
            kept: Kept::new()?,
            jobs: Jobs::open(options.jobs_dir.as_deref(), options.limits.jobs)?,
            stopping: Announcement::new(),
            models: OnceLock::new(),
            options,
            on_event,
        })
    }

    /// Tells the operator.
    pub fn tell(&self, event: Event<'_>) {
        (self.on_event)(event);
    }

    /// What hears of models that are fetched and opened. How far single requests are is nobody's
    /// concern.
    pub fn listener(self: &Arc<Self>) -> impl Fn(Event<'_>) + Send + Sync + use<> {
        let service = self.clone();
        move |event| match event {
            Event::Working { .. } | Event::Worked => {}
            event => service.tell(event),
        }
    }

    pub fn have_models(&self, models: OpenModels) {
        // Nothing but this sets it, once.
        let _ = self.models.set(Arc::new(models));
    }

    /// The models.
    ///
    /// # Errors
    /// As long as they are being opened, and once the server stops.
    pub fn models(&self) -> Result<Arc<OpenModels>, Failure> {
        if self.stopping.is_made() {
            return Err(Failure::stopping());
        }
        let opening = || Failure::busy("the models are being opened", Duration::from_secs(2));
        self.models.get().cloned().ok_or_else(opening)
    }

    /// Reads a request and lets it in.
    ///
    /// # Errors
    /// Those of [`Call::open`] and [`Service::admit`].
    pub async fn read(&self, request: Request) -> Result<Call, Failure> {
        let call = Call::open(&self.options.limits, request).await?;
        self.admit(&call)?;
        Ok(call)
    }

    /// The key that a caller shows; none where keys are not asked for.
    ///
    /// # Errors
    /// Without a key, or with a wrong one.
    pub fn check_key(&self, call: &Call) -> Result<Option<KnownKey>, Failure> {
        let keys = &self.options.keys;
        if keys.is_empty() {
            return Ok(None);
        }
        let shown = call.key().ok_or_else(|| {
            let message = "an API key is needed: as api_key in the request, or after \
                           `Authorization: Bearer`; the server's operator has it";
            Failure::new(StatusCode::UNAUTHORIZED, message)
        })?;
        let known = keys.find(shown);
        known.map(Some).ok_or_else(|| Failure::new(StatusCode::FORBIDDEN, "Invalid API key"))
    }

    /// Lets a caller in by its key, if keys are asked for, and within its limit.
    ///
    /// # Errors
    /// As [`Service::check_key`], and too often.
    pub fn admit(&self, call: &Call) -> Result<Client, Failure> {
        let known = self.check_key(call)?;
        let client = known.map_or(Client::Address(call.peer), |key| Client::Key(key.number));
        let limit = known.and_then(|key| key.per_minute).or(self.options.limits.per_minute);
        if let Some(limit) = limit {
            self.rates.take(client, limit, Instant::now())?;
        }
        Ok(client)
    }

    /// The job of translating between two languages, as flags say.
    pub fn job(&self, from: Option<&Lang>, to: Option<&Lang>) -> Job {
        let job = self.options.job.clone();
        Job { from: from.cloned(), to: to.cloned(), summary: None, ..job }
    }

    /// Lets go of what nobody uses: models, files, finished batches.
    pub fn tidy(&self) {
        self.kept.tidy();
        let Limits { keep_loaded, model_memory, .. } = self.options.limits;
        let pool = self.models.get().and_then(|models| models.pool.as_ref());
        if let Some(pool) = pool {
            for name in pool.release(keep_loaded, model_memory) {
                self.tell(Event::Note(&format!("{name} is not used and gives its memory back")));
            }
        }
    }

    /// What an operator measures.
    pub fn measured(&self) -> String {
        let (working, waiting) = self.gate.load();
        let gauges =
            Gauges { working, waiting, batches: self.jobs.running(), models: self.loaded() };
        self.metrics.text(&gauges)
    }

    /// The models that are in memory.
    fn loaded(&self) -> Vec<String> {
        let Some(models) = self.models.get() else { return Vec::new() };
        let named = models.translators.iter().chain(&models.summarizer);
        let mut names: Vec<String> =
            named.map(|engine| crate::generate::Generate::id(engine).to_string()).collect();
        names.extend(models.pool.iter().flat_map(|pool| pool.loaded()));
        names.dedup();
        names
    }
}
