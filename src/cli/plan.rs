//! What the arguments mean on this machine: configuration, folders, threads, devices, models.

use super::args::{
    Global, Inputs, LangOrAuto, OnBadArg, Reading, Summarize, Summarizing, Translating,
};
use super::config::Config;
use super::progress::Reporter;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::generate::{DecodingOverrides, EarlyStopping, Engine, Generate};
use crate::io::articles::{FindOptions, Found, FoundFile, ReadOptions, find};
use crate::io::catalog::{Catalog, PromptStyle, Task};
use crate::io::fetch::{FetchOptions, Fetcher, Lookup, ResolvedModel};
use crate::io::store::Store;
use crate::kernel::Precision;
use crate::languages;
use crate::model::{self, DeviceChoice, Runtime};
use crate::pipeline::{Job, OnBad};
use crate::task::{summarize, translatable_languages, translate};
use crate::types::Lang;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Cancelled by Ctrl-C.
static STOP: LazyLock<CancelToken> = LazyLock::new(CancelToken::new);

/// Whether the user wants to stop.
pub fn stopped() -> bool {
    STOP.is_cancelled()
}

/// The token that Ctrl-C cancels.
pub fn stop() -> &'static CancelToken {
    &STOP
}

/// The machine as this run sees it.
pub struct Setup {
    pub config: Config,
    pub reporter: Reporter,
    pub store: Store,
    pub catalog: Catalog,
    pub fetch: FetchOptions,
    pub seed: u64,
    device: DeviceChoice,
    threads: usize,
    precision: Precision,
    batch: Option<usize>,
    batch_tokens: Option<usize>,
}

impl Setup {
    /// Reads the configuration and arranges for Ctrl-C. Opens nothing else yet.
    pub fn new(global: &Global) -> Result<Setup> {
        let reporter = Reporter::new(global.quiet);
        // The second Ctrl-C does not wait for the work at hand.
        let handler = || {
            if STOP.cancel() {
                std::process::exit(130);
            }
            eprintln!("\npolygist: stopping after the work at hand; Ctrl-C again stops at once");
        };
        ctrlc::set_handler(handler)
            .map_err(|e| Error::Usage(format!("cannot listen for Ctrl-C: {e}")))?;
        let config = Config::load(global.config.as_deref())?;
        let device = match (&global.device, &config.device) {
            (Some(device), _) => *device,
            (None, Some(name)) => name.parse()?,
            (None, None) => DeviceChoice::Auto,
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = global.threads.or(config.threads).map_or(cores, usize::from).max(1);
        let precision =
            global.precision.or(config.precision).map_or(Precision::Int8, Precision::from);
        let store = Store::open(global.cache_dir.as_deref().or(config.cache_dir.as_deref()))?;
        let catalog = Catalog::load(Catalog::user_file().filter(|path| path.is_file()).as_deref())?;
        let fetch =
            FetchOptions { offline: global.offline || config.offline, ..FetchOptions::default() };
        let seed = global.seed.unwrap_or(0);
        let (batch, batch_tokens) = (global.batch, global.batch_tokens);
        Ok(Setup {
            config,
            reporter,
            store,
            catalog,
            fetch,
            seed,
            device,
            threads,
            precision,
            batch,
            batch_tokens,
        })
    }

    /// What finds and fetches models.
    pub fn fetcher(&self) -> Fetcher<'_> {
        Fetcher { store: &self.store, catalog: &self.catalog, options: &self.fetch }
    }

    /// The language to translate into: the flag's, or the configuration's. Whether it is to be had
    /// depends on the models; where that is known without opening them, it is said now.
    pub fn target(&self, flag: Option<&Lang>, models: &[String]) -> Result<Option<Lang>> {
        let Some(to) = flag.cloned().map_or_else(|| self.config.to(), |to| Ok(Some(to)))? else {
            return Ok(None);
        };
        let names = self.translator_names(models)?;
        // GGUF files are language models, which are shown examples; taught ones know the same
        // languages.
        let by_examples = |name: &String| match self.catalog.get(name) {
            Some(entry) => matches!(entry.prompt, Some(PromptStyle::FewShot | PromptStyle::Taught)),
            None => name.to_ascii_lowercase().ends_with(".gguf"),
        };
        let known = translatable_languages();
        if names.iter().all(by_examples) && !known.iter().any(|lang| lang.same_base(&to)) {
            let known: Vec<&str> = known.iter().map(Lang::as_str).collect();
            let name = languages::name(&to);
            return Err(Error::Usage(format!(
                "cannot translate into {name} ({to}); expected one of {}",
                known.join(" ")
            )));
        }
        Ok(Some(to))
    }

    /// The models that translate: those that are named, or the configuration's, or the catalog's
    /// first.
    pub fn translator_names(&self, named: &[String]) -> Result<Vec<String>> {
        if named.is_empty() {
            Ok(self
                .model_name(Task::Translate, None)?
                .split(',')
                .map(|n| n.trim().to_string())
                .collect())
        } else {
            Ok(named.to_vec())
        }
    }

    /// The model for a task: the one that is named, or the catalog's first for the task.
    pub fn model_name(&self, task: Task, named: Option<&str>) -> Result<String> {
        let configured = match task {
            Task::Translate => &self.config.model,
            Task::Summarize => &self.config.summary_model,
        };
        if let Some(name) = named.or(configured.as_deref()) {
            return Ok(name.to_string());
        }
        let default = self.catalog.default_for(task).map(|m| m.id.clone());
        default.ok_or_else(|| {
            Error::Usage("the catalog has no model for this; name one with --model".into())
        })
    }

    /// What a model's name stands for, without network.
    pub fn lookup(&self, name: &str) -> Result<Lookup> {
        self.fetcher().lookup(name)
    }

    /// The folder of the adapter: the flag's, or the configuration's.
    pub fn adapter<'a>(&'a self, flag: Option<&'a Path>) -> Option<&'a Path> {
        flag.or(self.config.adapter.as_deref())
    }

    /// The files of the models of a job; fetched when they are not there. An adapter goes with the
    /// model that translates, or, where none does, with the one that writes summaries.
    pub fn resolve_all(
        &self,
        translators: &[String],
        summarizer: Option<&str>,
        adapter: Option<&Path>,
    ) -> Result<(Vec<ResolvedModel>, Option<ResolvedModel>)> {
        let adapter = self.adapter(adapter);
        if adapter.is_some()
            && (translators.len() > 1 || translators.is_empty() && summarizer.is_none())
        {
            let found =
                if translators.is_empty() { "none".to_string() } else { translators.join(", ") };
            return Err(Error::Usage(format!(
                "an adapter belongs to one model; expected one name after --model, found {found}"
            )));
        }
        let resolve = |name: &str, adapter: Option<&Path>| {
            let model = self.resolve(name)?;
            match adapter {
                Some(folder) => model.with_adapter(folder),
                None => Ok(model),
            }
        };
        let for_summaries = adapter.filter(|_| translators.is_empty());
        Ok((
            translators.iter().map(|name| resolve(name, adapter)).collect::<Result<_>>()?,
            summarizer.map(|name| resolve(name, for_summaries)).transpose()?,
        ))
    }

    /// The model's files; fetched when they are not there.
    pub fn resolve(&self, name: &str) -> Result<ResolvedModel> {
        self.fetcher().get(name, &self.reporter, stop())
    }

    /// How models run.
    pub fn runtime(&self) -> Result<Runtime> {
        let (device, choice) = self.device.open()?;
        choice.iter().for_each(|choice| self.reporter.say(choice));
        let usual =
            Runtime::new(device, Precision::Int8, self.threads).with_precision(self.precision)?;
        let batch = self.batch.unwrap_or(usual.batch);
        let batch_tokens = self.batch_tokens.unwrap_or(usual.batch_tokens);
        Ok(Runtime { cancel: STOP.clone(), batch, batch_tokens, ..usual })
    }

    /// Loads the models of a job.
    pub fn open_all(
        &self,
        (translators, summarizer): &(Vec<ResolvedModel>, Option<ResolvedModel>),
        runtime: &Runtime,
    ) -> Result<(Vec<Engine>, Option<Engine>)> {
        let open = |model: &ResolvedModel| self.open(model, runtime);
        Ok((
            translators.iter().map(open).collect::<Result<_>>()?,
            summarizer.as_ref().map(open).transpose()?,
        ))
    }

    fn open(&self, model: &ResolvedModel, runtime: &Runtime) -> Result<Engine> {
        self.reporter.step(&format!("loading {}", model.id));
        // A GGUF file is a model by itself; anything else is a folder in the Hub's layout.
        let path = model.with_extension("gguf").unwrap_or(&model.folder);
        let mut warnings = Vec::new();
        let engine =
            model::open_with(&model.id, path, model.adapter.as_deref(), runtime, &mut |text| {
                warnings.push(text.to_string())
            });
        self.reporter.end();
        warnings.iter().for_each(|text| self.reporter.warn(text));
        engine
    }

    /// What of the settings changes results, for the key of a record.
    pub fn result_settings(&self) -> String {
        format!("{:?} {}", self.precision, self.device)
    }
}

/// Reading options out of flags.
pub fn read_options(reading: &Reading) -> ReadOptions {
    ReadOptions {
        title_field: reading.title_field.clone(),
        text_field: reading.text_field.clone(),
        id_field: reading.id_field.clone(),
        max_bytes: usize::try_from(reading.max_bytes).unwrap_or(usize::MAX),
    }
}

/// The files of a one-off command; standard input when none is named.
pub fn one_off_files(inputs: &Inputs) -> Result<Vec<FoundFile>> {
    let paths =
        if inputs.inputs.is_empty() { vec![PathBuf::from("-")] } else { inputs.inputs.clone() };
    Ok(find_files(&paths, &inputs.reading, None)?.files)
}

/// The files below some inputs.
pub fn find_files(paths: &[PathBuf], reading: &Reading, out: Option<&Path>) -> Result<Found> {
    let exclude = out.map(Path::to_path_buf).into_iter().collect();
    find(paths, &FindOptions { pattern: reading.pattern.clone(), exclude })
}

/// How to translate, out of flags.
pub fn settings(setup: &Setup, translating: &Translating) -> translate::Settings {
    let d = &translating.decoding;
    let decoding = DecodingOverrides {
        max_tokens: d.max_tokens,
        min_tokens: d.min_tokens,
        no_repeat_ngram: d.no_repeat_ngram,
        repetition_penalty: d.repetition_penalty,
        beams: d.beam.map(usize::from),
        length_penalty: d.length_penalty,
        early_stopping: d.early_stopping.map(EarlyStopping::from),
        patience: d.patience,
        coverage_penalty: d.coverage_penalty,
        channel_weight: d.channel_weight,
        min_confidence: d.min_confidence,
        shortlist: d.shortlist.then_some(true),
        source_bonus: d.encoder_repetition_penalty,
        no_source_ngram: d.encoder_no_repeat_ngram,
        temperature: d.temperature,
        top_k: d.top_k,
        top_p: d.top_p,
        min_p: d.min_p,
    };
    translate::Settings { seed: setup.seed, decoding, align: false }
}

/// The job that flags describe.
pub fn job(
    setup: &Setup,
    translating: &Translating,
    to: Option<Lang>,
    translate: bool,
    summarizing: Option<&Summarizing>,
) -> Job {
    let LangOrAuto(from) = translating.from.clone();
    Job {
        from,
        translate,
        summary: summarizing.map(|s| summarize::Settings {
            length: s.length,
            style: s.style,
            // Where something is translated, the flags are for that.
            decoding: if to.is_some() {
                DecodingOverrides::default()
            } else {
                settings(setup, translating).decoding
            },
            seed: setup.seed,
        }),
        to,
        translating: settings(setup, translating),
        on_bad: match translating.on_bad {
            OnBadArg::Keep => OnBad::Keep,
            OnBadArg::Source => OnBad::Source,
        },
    }
}

/// Of `summarize`: the models that translate, and the one that writes summaries. `--model` names
/// the latter where nothing is to be translated, or where the catalog says that it is made for it.
pub fn summary_models(setup: &Setup, args: &Summarize) -> Result<(Vec<String>, Option<String>)> {
    let translates = args.to.is_some() || setup.config.to()?.is_some();
    let named = args.summarizing.summary_model.clone();
    let models = args.translating.model.clone();
    let summarizes =
        |name: &String| setup.catalog.get(name).is_some_and(|m| m.tasks == [Task::Summarize]);
    Ok(match models.as_slice() {
        [one] if named.is_none() && (!translates || summarizes(one)) => {
            (Vec::new(), Some(one.clone()))
        }
        _ => (models, named.or_else(|| setup.config.summary_model.clone())),
    })
}

/// Engines as the pipeline takes them.
pub fn faces(engines: &[Engine]) -> Vec<&dyn Generate> {
    engines.iter().map(|e| e as &dyn Generate).collect()
}
