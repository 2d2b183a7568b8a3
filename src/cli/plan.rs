//! What the arguments mean on this machine: configuration, folders, threads, devices, models.

use super::args::{Global, LangOrAuto, OnBadArg, Reading, Summarize, Summarizing, Translating};
use super::config::Config;
use super::interrupt;
use super::progress::Reporter;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::generate::{DecodingOverrides, EarlyStopping};
use crate::io::articles::{FindOptions, Found, ReadOptions, find};
use crate::io::catalog::Task;
use crate::kernel::Precision;
use crate::languages;
use crate::model::{self, DeviceChoice, Runtime};
use crate::model_store::{Chooser, ModelChoice, ModelStore, OpenModels, Translators};
use crate::pipeline::{Job, OnBad};
use crate::route::{Preferences, Preset};
use crate::runtime::RuntimeOptions;
use crate::task::{summarize, translatable_languages, translate};
use crate::text::terms::TermIndex;
use crate::types::{Glossary, Lang, Prompting};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The machine as this run of the program sees it.
pub struct Environment {
    pub config: Config,
    pub reporter: Reporter,
    pub models: ModelStore,
    pub runtime: RuntimeOptions,
    pub seed: u64,
    /// Cancelled by Ctrl-C.
    pub cancel: CancelToken,
}

impl Environment {
    /// Reads the configuration and arranges for Ctrl-C. Opens nothing else yet.
    pub fn new(global: &Global) -> Result<Environment> {
        let reporter = Reporter::new(global.quiet);
        let cancel = interrupt::token()?;
        let config = Config::load(global.config.as_deref())?;
        let device = match (&global.device, &config.device) {
            (Some(device), _) => *device,
            (None, Some(name)) => name.parse()?,
            (None, None) => DeviceChoice::Auto,
        };
        let runtime = RuntimeOptions {
            device,
            precision: global.precision.or(config.precision).map(Precision::from),
            threads: global.threads.or(config.threads).map(usize::from),
            batch: global.batch,
            batch_tokens: global.batch_tokens,
            memory: global.memory.or(config.memory).map(|memory| memory.0),
        };
        let mut models = ModelStore::builder().offline(global.offline || config.offline);
        if let Some(folder) = global.cache_dir.as_ref().or(config.cache_dir.as_ref()) {
            models = models.folder(folder);
        }
        if let Some(place) = &config.firefox_models {
            models = models.firefox_models(place);
        }
        if let Some(address) = &config.firefox_records {
            models = models.firefox_records(address);
        }
        let (models, seed) = (models.open()?, global.seed.unwrap_or(0));
        Ok(Environment { config, reporter, models, runtime, seed, cancel })
    }

    /// The language to translate into: the flag's, or the configuration's. Whether it is to be had
    /// depends on the models; where that is known without opening them, it is said now.
    pub fn target(&self, flag: Option<&Lang>, models: &Translators) -> Result<Option<Lang>> {
        let Some(to) = flag.cloned().map_or_else(|| self.config.to(), |to| Ok(Some(to)))? else {
            return Ok(None);
        };
        let known = match models {
            Translators::Auto(preferences) => {
                self.models.refresh_registry(&self.listener(), &self.cancel)?;
                Chooser::new(&self.models, preferences, &self.cancel)?.targets()?
            }
            Translators::Named(names) if names.iter().all(|name| self.is_shown_examples(name)) => {
                Some(translatable_languages())
            }
            Translators::Named(_) => None,
        };
        match known.filter(|known| !known.iter().any(|lang| languages::is_same_written(lang, &to)))
        {
            None => Ok(Some(to)),
            Some(known) => {
                let known: Vec<&str> = known.iter().map(Lang::as_str).collect();
                let name = languages::name(&to);
                Err(Error::Usage(format!(
                    "cannot translate into {name} ({to}); expected one of {}",
                    known.join(" ")
                )))
            }
        }
    }

    /// Whether a model is known to translate by examples. GGUF files are language models, which are
    /// shown examples, unless they bring a chat template; fine-tuned ones know the same languages.
    fn is_shown_examples(&self, name: &str) -> bool {
        match self.models.catalog().get(name) {
            Some(entry) => entry.prompt.is_some_and(|prompting| prompting != Prompting::Chat),
            None => {
                let is_gguf = name.to_ascii_lowercase().ends_with(".gguf");
                is_gguf && !model::has_chat_template(Path::new(name))
            }
        }
    }

    /// Between quick and good: by the flags, or by the configuration.
    pub fn preset(&self, fast: bool, best: bool) -> Preset {
        match (fast, best) {
            (true, _) => Preset::Fast,
            (_, true) => Preset::Best,
            _ => self.config.preset,
        }
    }

    /// What flags and configuration say of the choice of models.
    pub fn preferences(&self, translating: &Translating) -> Result<Preferences> {
        Ok(Preferences {
            preset: self.preset(translating.fast, translating.best),
            pairs: self.config.route()?,
            reads_back: translating.decoding.channel_weight.is_some_and(|weight| weight > 0.0),
        })
    }

    /// The models that translate: those that are named, or the configuration's, or the best for
    /// each pair of languages.
    pub fn translators(&self, named: &[String], preferences: Preferences) -> Result<Translators> {
        let configured = || {
            let names = self.config.model.iter().flat_map(|names| names.split(','));
            names.map(|name| name.trim().to_string()).collect()
        };
        let names = if named.is_empty() { configured() } else { named.to_vec() };
        Translators::of(names, preferences)
    }

    /// What flags and configuration say about models.
    pub fn models(
        &self,
        translators: Translators,
        summarizer: Option<&str>,
        extractive: bool,
        adapter: Option<&Path>,
    ) -> ModelChoice {
        ModelChoice {
            translators,
            summarizer: summarizer.or(self.config.summary_model.as_deref()).map(String::from),
            extractive,
            adapter: adapter.or(self.config.adapter.as_deref()).map(Path::to_path_buf),
        }
    }

    /// The models of a job that translates and summarizes.
    pub fn job_models(
        &self,
        translators: Translators,
        translating: &Translating,
        summarizing: &Summarizing,
    ) -> ModelChoice {
        let summarizer = summarizing.summary_model.as_deref();
        let adapter = translating.adapter.as_deref();
        self.models(translators, summarizer, summarizing.extractive, adapter)
    }

    /// How models run.
    pub fn open_runtime(&self) -> Result<Runtime> {
        self.runtime.open(&self.cancel, &self.listener())
    }

    /// The models of a job, fetched and opened.
    pub fn open(&self, job: &Job, models: ModelChoice) -> Result<OpenModels> {
        let listener = self.listener();
        let names = models.for_job(job, &self.models)?;
        let resolved = names.resolve(&self.models, &listener, &self.cancel)?;
        resolved.open(&self.open_runtime()?, &listener)
    }

    /// What shows events to the user.
    pub fn listener(&self) -> impl Fn(Event<'_>) + Send + Sync + '_ {
        |event| self.reporter.event(&event)
    }
}

/// Reading options out of flags.
pub fn read_options(reading: &Reading) -> ReadOptions {
    ReadOptions {
        title_field: reading.title_field.clone(),
        text_field: reading.text_field.clone(),
        id_field: reading.id_field.clone(),
        columns: reading.columns.clone(),
        rows: false,
        max_bytes: usize::try_from(reading.max_bytes).unwrap_or(usize::MAX),
    }
}

/// The files below some inputs.
pub fn find_files(paths: &[PathBuf], reading: &Reading) -> Result<Found> {
    find(paths, &FindOptions { pattern: reading.pattern.clone(), exclude: Vec::new() })
}

/// How models write, out of flags.
fn decoding(env: &Environment, translating: &Translating) -> DecodingOverrides {
    let d = &translating.decoding;
    let decoding = DecodingOverrides {
        max_tokens: d.max_tokens,
        min_tokens: d.min_tokens,
        no_repeat_ngram: d.no_repeat_ngram,
        repetition_penalty: d.repetition_penalty,
        num_beams: d.beam.map(usize::from),
        length_penalty: d.length_penalty,
        early_stopping: d.early_stopping.map(EarlyStopping::from),
        patience: d.patience,
        coverage_penalty: d.coverage_penalty,
        channel_weight: d.channel_weight,
        min_confidence: d.min_confidence,
        shortlist: d.shortlist.then_some(true),
        encoder_repetition_penalty: d.encoder_repetition_penalty,
        encoder_no_repeat_ngram: d.encoder_no_repeat_ngram,
        temperature: d.temperature,
        top_k: d.top_k,
        top_p: d.top_p,
        min_p: d.min_p,
    };
    env.preset(translating.fast, translating.best).apply(decoding)
}

/// The terms of the glossaries, and what is kept; `None` where flags name none.
///
/// # Errors
/// When a glossary cannot be read, or a pattern is no regular expression.
fn terms(translating: &Translating) -> Result<Option<Arc<TermIndex>>> {
    let mut glossary = Glossary::default();
    for path in &translating.glossary {
        glossary.entries.extend(Glossary::open(path)?.entries);
    }
    let terms = TermIndex::new(glossary, &translating.keep)?;
    Ok((!terms.is_empty()).then(|| Arc::new(terms)))
}

/// The job that flags describe.
///
/// # Errors
/// When a glossary cannot be read, or a pattern is no regular expression.
pub fn job(
    env: &Environment,
    translating: &Translating,
    to: Option<Lang>,
    translate: bool,
    summarizing: Option<&Summarizing>,
) -> Result<Job> {
    let LangOrAuto(from) = translating.from.clone();
    let decoding = decoding(env, translating);
    Ok(Job {
        from,
        translate,
        summary: summarizing.map(|s| summarize::Settings {
            length: s.length,
            style: s.style,
            // Where something is translated, the flags are for that.
            decoding: if to.is_some() { DecodingOverrides::default() } else { decoding },
            seed: env.seed,
        }),
        to,
        translating: translate::Settings {
            seed: env.seed,
            decoding,
            align: false,
            terms: terms(translating)?,
            instruction: translating.prompt.clone(),
            context: translating.context,
        },
        on_bad: translating.on_bad.map(|what| match what {
            OnBadArg::Keep => OnBad::Keep,
            OnBadArg::Source => OnBad::Source,
        }),
        segments: false,
    })
}

/// Of `summarize`: the models that translate, and the one that writes summaries. `--model` names
/// the latter where nothing is to be translated, or where the catalog says that it is made for it.
pub fn summary_models(
    env: &Environment,
    args: &Summarize,
) -> Result<(Vec<String>, Option<String>)> {
    let translates = args.to.is_some() || env.config.to()?.is_some();
    let named = args.summarizing.summary_model.clone();
    let models = args.translating.model.clone();
    let summarizes = |name: &String| {
        env.models.catalog().get(name).is_some_and(|m| m.tasks == [Task::Summarize])
    };
    Ok(match models.as_slice() {
        [one] if named.is_none() && (!translates || summarizes(one)) => {
            (Vec::new(), Some(one.clone()))
        }
        _ => (models, named.or_else(|| env.config.summary_model.clone())),
    })
}
