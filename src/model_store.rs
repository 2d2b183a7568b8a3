//! From a model's name to a model that runs: the catalog, the folder of models, the downloads.

mod chooser;
mod models;
mod pool;

use crate::cancel::CancelToken;
use crate::embed::SentenceEncoder;
use crate::error::{Error, Result};
use crate::event::{Event, OnEvent};
use crate::generate::Engine;
use crate::io::catalog::{Catalog, Model, Task};
use crate::io::fetch::{FetchOptions, Fetcher, FirefoxRegistry, Lookup, ResolvedModel};
use crate::io::progress;
use crate::io::store::{State, Store};
use crate::model::{self, Runtime};
use crate::types::{Lang, Prompting};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use chooser::ChosenStep;
pub use chooser::{Choice, Chooser};
pub use models::{ModelChoice, ModelNames, OpenModels, ResolvedModels, Translators};
pub use pool::Pool;

/// Finds models by name, fetches and verifies those that are not on this machine, and opens them.
///
/// A name is one of the catalog (`gemma-3-270m-news`), of the Hugging Face Hub
/// (`Helsinki-NLP/opus-mt-fr-en`), or a path to a folder or GGUF file.
///
/// ```no_run
/// # fn main() -> polygist::Result<()> {
/// let store = polygist::ModelStore::builder().offline(true).open()?;
/// let engine = store.open_model("models/opus-mt-fr-en", &polygist::Runtime::cpu())?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ModelStore {
    store: Store,
    catalogs: Arc<Catalogs>,
    options: FetchOptions,
    /// Whether it is looked at alone: nothing is fetched, from wherever, and nothing is written.
    is_looked_at: bool,
}

/// The models known by name, before and after Firefox's registry was asked.
#[derive(Debug)]
struct Catalogs {
    /// The built-in ones and the user's.
    own: Catalog,
    /// With those of the registry, as this machine has it.
    known: OnceLock<Catalog>,
    /// With those of the registry, as it is now.
    fresh: OnceLock<Catalog>,
    /// Whether the registry has been asked.
    asked: Mutex<bool>,
    /// Models that one can do without and that could not be had, which was said.
    missing: Mutex<Vec<String>>,
}

/// Where a [`ModelStore`] keeps its models, and how it gets them.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ModelStoreBuilder {
    folder: Option<PathBuf>,
    catalog: Option<PathBuf>,
    options: FetchOptions,
}

impl ModelStoreBuilder {
    /// Keeps models in this folder instead of the platform's folder for caches.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Reads this catalog before the built-in one, in place of the user's `models.toml`.
    pub fn catalog(mut self, file: impl Into<PathBuf>) -> Self {
        self.catalog = Some(file.into());
        self
    }

    /// Opens no connection: a model that is not on this machine is an error.
    pub fn offline(mut self, offline: bool) -> Self {
        self.options.offline = offline;
        self
    }

    /// Takes Firefox's models from this address or folder, in the layout of Mozilla's, unless
    /// `POLYGIST_FIREFOX_MODELS` names another.
    pub fn firefox_models(mut self, place: impl Into<String>) -> Self {
        self.options.firefox_models = Some(place.into());
        self
    }

    /// Compares Firefox's models with the records at this address instead of Mozilla's, unless
    /// `POLYGIST_FIREFOX_RECORDS` names another.
    pub fn firefox_records(mut self, address: impl Into<String>) -> Self {
        self.options.firefox_records = Some(address.into());
        self
    }

    /// Opens the store; nothing is fetched yet.
    ///
    /// # Errors
    /// When the folder cannot be used or a catalog is wrong.
    pub fn open(self) -> Result<ModelStore> {
        let users = Catalog::user_file().filter(|path| path.is_file());
        let catalogs = Catalogs {
            own: Catalog::load(self.catalog.or(users).as_deref())?,
            known: OnceLock::new(),
            fresh: OnceLock::new(),
            asked: Mutex::new(false),
            missing: Mutex::default(),
        };
        Ok(ModelStore {
            store: Store::open(self.folder.as_deref())?,
            catalogs: Arc::new(catalogs),
            options: self.options,
            is_looked_at: false,
        })
    }
}

impl ModelStore {
    /// The store in the usual place.
    ///
    /// # Errors
    /// As [`ModelStoreBuilder::open`].
    pub fn open() -> Result<ModelStore> {
        ModelStore::builder().open()
    }

    /// A store elsewhere, or one that stays offline.
    pub fn builder() -> ModelStoreBuilder {
        ModelStoreBuilder::default()
    }

    /// The models known by name: the user's, the built-in ones, and Firefox's as this machine knows
    /// them.
    #[doc(hidden)]
    pub fn catalog(&self) -> &Catalog {
        let Catalogs { own, known, fresh, .. } = &*self.catalogs;
        fresh.get().unwrap_or_else(|| known.get_or_init(|| own.with(self.registry().at_hand())))
    }

    /// Asks for the present registry of Firefox's models, once in a process and a day; from then on
    /// [`ModelStore::catalog`] has it. Where it cannot be had, that is said and the copy on this
    /// machine serves, whatever its age.
    ///
    /// # Errors
    /// When the user stops it.
    #[doc(hidden)]
    pub fn refresh_registry(&self, on_event: OnEvent<'_>, cancel: &CancelToken) -> Result<()> {
        let mut asked = self.catalogs.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if !*asked && let Some(models) = self.registry().refresh(&FetchEvents(on_event), cancel)? {
            // Nothing but this sets it.
            let _ = self.catalogs.fresh.set(self.catalogs.own.with(models));
        }
        *asked = true;
        Ok(())
    }

    /// How this store fetches.
    #[doc(hidden)]
    pub fn fetch_options(&self) -> &FetchOptions {
        &self.options
    }

    fn registry(&self) -> FirefoxRegistry<'_> {
        FirefoxRegistry::new(&self.options, self.store.root())
    }

    /// The models on this machine.
    #[doc(hidden)]
    pub fn files(&self) -> &Store {
        &self.store
    }

    /// What looks names up and fetches.
    #[doc(hidden)]
    pub fn fetcher(&self) -> Fetcher<'_> {
        Fetcher { store: &self.store, catalog: self.catalog(), options: &self.options }
    }

    /// The name of the model that does a task when none is named: the catalog's first.
    ///
    /// # Errors
    /// When the catalog has none.
    pub fn default_model(&self, task: Task) -> Result<String> {
        let model = self.catalog().default_for(task).map(|model| model.id.clone());
        model.ok_or_else(|| {
            Error::Usage("the catalog has no model for this; name one with --model".into())
        })
    }

    /// The best instruction model on this machine that writes summaries in a language, if the
    /// catalog knows one: it reads whole articles, which takes a model of some size. What is not
    /// stated may be any language.
    ///
    /// # Errors
    /// When the folder of models cannot be read.
    pub(crate) fn installed_writer(&self, language: Option<&Lang>) -> Result<Option<String>> {
        /// Smaller ones are for shortening sentences.
        const SMALLEST: u64 = 500_000_000;
        let writes = |model: &&Model| {
            model.tasks.contains(&Task::Summarize)
                && model.prompt == Some(Prompting::Chat)
                && model.size() >= SMALLEST
                && model.fits(None, None, language)
        };
        let installed = self.store.installed()?;
        let is_ready = |model: &&Model| {
            installed.iter().any(|(id, state)| *id == model.id && matches!(state, State::Ready(_)))
        };
        let catalog = self.catalog();
        let ready = catalog.models().iter().filter(writes).filter(is_ready);
        // The first of the best: the catalog's order tells among equals.
        let best = ready.rev().max_by_key(|model| model.quality);
        Ok(best.map(|model| model.id.clone()))
    }

    /// The encoder that ranks sentences when none is named; none where it would know neither the
    /// language of what is read nor that of what is written. What is not stated may be any.
    pub(crate) fn default_encoder(&self, from: Option<&Lang>, to: Option<&Lang>) -> Option<String> {
        let encoder = self.catalog().default_for(Task::Encode)?;
        let helps =
            from.is_none_or(|from| encoder.knows(from)) || to.is_some_and(|to| encoder.knows(to));
        helps.then(|| encoder.id.clone())
    }

    /// The files of the encoder that ranks sentences when none is named, fetched when they are not
    /// there; where they cannot be had, nothing, and once a word on what that means.
    ///
    /// # Errors
    /// When the user stops it, or the store cannot be used.
    pub(crate) fn encoder(
        &self,
        name: &str,
        on_event: OnEvent<'_>,
        cancel: &CancelToken,
    ) -> Result<Option<ResolvedModel>> {
        let mut missing = self.catalogs.missing.lock().unwrap_or_else(PoisonError::into_inner);
        if missing.iter().any(|known| known == name) {
            return Ok(None);
        }
        // What is tried offline, in the Hub's cache folder, is no news.
        let hears: OnEvent<'_> = if self.options.offline { &|_| () } else { on_event };
        let why = match self.resolve(name, hears, cancel) {
            Err(Error::Fetch { .. }) => "cannot be fetched",
            Err(Error::Model { .. }) if self.options.offline => "is not here (--offline)",
            Err(Error::Model { .. }) => "cannot be had",
            resolved => return resolved.map(Some),
        };
        on_event(Event::Note(&format!(
            "{name} {why}, so sentences of summaries are ranked by their words alone; `polygist \
             models pull {name}` fetches it"
        )));
        missing.push(name.into());
        Ok(None)
    }

    /// Fetches an encoder of sentences if need be, and opens it.
    ///
    /// # Errors
    /// When it cannot be had, or is none.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "the program's digest asks"))]
    pub(crate) fn open_encoder(
        &self,
        name: &str,
        runtime: &Runtime,
        on_event: OnEvent<'_>,
    ) -> Result<SentenceEncoder> {
        models::open_encoder(&self.resolve(name, on_event, &runtime.cancel)?, runtime, on_event)
    }

    /// The same store to look at: it has the models that are on this machine, and no others.
    pub(crate) fn looked_at(&self) -> ModelStore {
        let options = FetchOptions { offline: true, ..self.options.clone() };
        ModelStore { options, is_looked_at: true, ..self.clone() }
    }

    /// Whether no connection is opened.
    pub(crate) fn is_offline(&self) -> bool {
        self.options.offline
    }

    /// The models that a user has imported, of which the languages are known.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn imported(&self) -> Result<Vec<Model>> {
        let mut found = Vec::new();
        for (id, state) in self.store.installed()? {
            let State::Ready(manifest) = state else { continue };
            let is_known = self.catalog().find(&id).is_some();
            if !is_known && !manifest.from.is_empty() && !manifest.to.is_empty() {
                found.push(Model::brought(&id, manifest.from, manifest.to));
            }
        }
        Ok(found)
    }

    /// Finds out what a name stands for, without network.
    #[doc(hidden)]
    pub fn lookup(&self, name: &str) -> Result<Lookup> {
        self.fetcher().lookup(name)
    }

    /// The files of a model, fetched when they are not there, and verified.
    ///
    /// # Errors
    /// When the name stands for nothing, or no source has the files.
    #[doc(hidden)]
    pub fn resolve(
        &self,
        name: &str,
        on_event: OnEvent<'_>,
        cancel: &CancelToken,
    ) -> Result<ResolvedModel> {
        if self.is_looked_at {
            return match self.lookup(name)? {
                Lookup::Ready(model) => Ok(*model),
                Lookup::Missing(_) => Err(Error::model(name, "is not on this machine")),
            };
        }
        if name.starts_with("firefox-") && self.lookup(name).is_err() {
            self.refresh_registry(on_event, cancel)?;
        }
        self.fetcher().get(name, &FetchEvents(on_event), cancel)
    }

    /// As [`ModelStore::resolve`]; of Firefox's models the present version, also where an older one
    /// is on this machine.
    ///
    /// # Errors
    /// As [`ModelStore::resolve`].
    #[doc(hidden)]
    pub fn pull(
        &self,
        name: &str,
        on_event: OnEvent<'_>,
        cancel: &CancelToken,
    ) -> Result<ResolvedModel> {
        if name.starts_with("firefox-") {
            self.refresh_registry(on_event, cancel)?;
        }
        self.fetcher().update(name, &FetchEvents(on_event), cancel)
    }

    /// Fetches a model if need be, and opens it.
    ///
    /// # Errors
    /// When it cannot be had, or its files are broken or of an unknown kind.
    pub fn open_model(&self, name: &str, runtime: &Runtime) -> Result<Engine> {
        let silent: OnEvent<'_> = &|_| ();
        open(&self.resolve(name, silent, &runtime.cancel)?, runtime, silent)
    }
}

fn open(model: &ResolvedModel, runtime: &Runtime, on_event: OnEvent<'_>) -> Result<Engine> {
    on_event(Event::Loading(&model.id));
    // A GGUF file is a model by itself; anything else is a folder in the Hub's layout.
    let path: &Path = model.with_extension("gguf").unwrap_or(&model.folder);
    let mut warnings = Vec::new();
    let mut warn = |text: &str| warnings.push(text.to_string());
    let engine = model::open_with(&model.id, path, model.adapter.as_deref(), runtime, &mut warn);
    on_event(Event::Loaded);
    warnings.iter().for_each(|text| on_event(Event::Warning(text)));
    let prompting = model.entry.as_ref().and_then(|entry| entry.prompt);
    let engine = engine?;
    if let (Some(limit), Some(left)) = (runtime.memory.limit(), runtime.memory.left()) {
        let [limit, left] = [limit, left].map(|bytes| bytes / 1_000_000);
        let what = format!("memory: {left} of {limit} MB are left beside {} for texts", model.id);
        on_event(Event::Note(&what));
    }
    let engine = engine.with_fingerprint(&model.fingerprint);
    Ok(match prompting {
        Some(prompting) => engine.with_prompting(prompting),
        None => engine,
    })
}

/// Tells a listener how a download goes on.
struct FetchEvents<'a>(OnEvent<'a>);

impl progress::Progress for FetchEvents<'_> {
    fn start(&self, what: &str, total: u64) {
        (self.0)(Event::FetchStarted { what, total });
    }

    fn position(&self, done: u64) {
        (self.0)(Event::Fetched(done));
    }

    fn note(&self, text: &str) {
        (self.0)(Event::Note(text));
    }

    fn finish(&self) {
        (self.0)(Event::FetchFinished);
    }
}
