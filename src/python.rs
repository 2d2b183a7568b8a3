//! The face for Python, as the module `polygist._polygist`: thin over [`crate::Translator`] and
//! [`crate::Summarizer`]. What Python's own types need (strings, lists, columns of tables) stands
//! in `src/python/polygist/__init__.py`.
//!
//! The interpreter is free while models work, and a signal, as Ctrl-C, stops them.

use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::languages;
use crate::model_store::ModelStore;
use crate::route::Preset;
use crate::runtime::RuntimeOptions;
use crate::summarizer;
use crate::task::summarize::{Length, Style};
use crate::text::{language, protect};
use crate::translator;
use crate::types::{Glossary, Lang};
use pyo3::create_exception;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

create_exception!(polygist, PolygistError, PyRuntimeError, "Something went wrong; it says what.");

/// Between two looks at whether a signal has come.
const TICK: Duration = Duration::from_millis(50);

/// An error as Python has them: what was asked for makes no sense, or it could not be done.
fn raise(error: Error) -> PyErr {
    match error {
        Error::Usage(message) => PyValueError::new_err(message),
        error => PolygistError::new_err(error.to_string()),
    }
}

/// Does something that takes long in a thread of its own, while the interpreter goes on and signals
/// are looked for. One that raises stops the work, after which the token is of no more use.
fn interruptible<T: Send>(
    py: Python<'_>,
    cancel: &CancelToken,
    work: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    let over = (Mutex::new(false), Condvar::new());
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let result = work();
            *over.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
            over.1.notify_all();
            result
        });
        let mut signal = None;
        while !worker.is_finished() && signal.is_none() {
            py.detach(|| {
                let is_over = over.0.lock().unwrap_or_else(PoisonError::into_inner);
                drop(over.1.wait_timeout_while(is_over, TICK, |is_over| !*is_over));
            });
            signal = py.check_signals().err();
            signal.iter().for_each(|_| _ = cancel.cancel());
        }
        let result = py.detach(|| worker.join());
        let result = result.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        signal.map_or_else(|| result.map_err(raise), Err)
    })
}

/// Where models are, and how they compute.
#[derive(Clone, FromPyObject)]
struct Machine {
    device: Option<String>,
    precision: Option<String>,
    threads: Option<usize>,
    cache_dir: Option<PathBuf>,
    offline: bool,
}

impl Machine {
    fn runtime(&self) -> Result<RuntimeOptions> {
        Ok(RuntimeOptions {
            device: self.device.as_deref().map_or(Ok(Default::default()), str::parse)?,
            precision: self.precision.as_deref().map(str::parse).transpose()?,
            threads: self.threads,
            ..RuntimeOptions::default()
        })
    }

    fn store(&self) -> Result<ModelStore> {
        let store = ModelStore::builder().offline(self.offline);
        self.cache_dir.iter().fold(store, |store, folder| store.folder(folder)).open()
    }
}

/// What is opened when it is used first, and again after a signal stopped it.
struct Opened<T>(Mutex<Option<Arc<(T, CancelToken)>>>);

impl<T: Send + Sync> Opened<T> {
    fn new() -> Self {
        Opened(Mutex::new(None))
    }

    /// Does something with it.
    fn with<R: Send>(
        &self,
        py: Python<'_>,
        open: impl FnOnce(&CancelToken) -> Result<T> + Send,
        work: impl FnOnce(&T) -> Result<R> + Send,
    ) -> PyResult<R> {
        let held = py.detach(|| self.held().clone());
        let opened = match held {
            Some(opened) => opened,
            None => {
                let cancel = CancelToken::new();
                let opened = interruptible(py, &cancel, || open(&cancel))?;
                let opened = Arc::new((opened, cancel));
                py.detach(|| *self.held() = Some(opened.clone()));
                opened
            }
        };
        let (inner, cancel) = &*opened;
        let result = interruptible(py, cancel, || work(inner));
        if cancel.is_cancelled() {
            py.detach(|| *self.held() = None);
        }
        result
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<Arc<(T, CancelToken)>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A sentence, translated.
#[pyclass(frozen, get_all, module = "polygist")]
struct Sentence {
    source: String,
    text: String,
    confidence: Option<f32>,
    problems: Vec<String>,
}

/// A text, translated.
#[pyclass(frozen, get_all, module = "polygist")]
struct Translation {
    text: String,
    source: String,
    target: String,
    confidence: Option<f32>,
    problems: Vec<String>,
    sentences: Vec<Py<Sentence>>,
}

#[pymethods]
impl Translation {
    fn __str__(&self) -> &str {
        &self.text
    }

    fn __repr__(&self) -> String {
        format!("Translation({:?}, {} to {})", self.text, self.source, self.target)
    }
}

/// The names of problems as they stand in records.
fn names(problems: &[impl Serialize]) -> Vec<String> {
    let name = |problem| serde_json::to_value(problem).ok()?.as_str().map(String::from);
    problems.iter().filter_map(name).collect()
}

impl Translation {
    fn new(
        py: Python<'_>,
        (from, done): (Lang, translator::Translation),
        to: &Lang,
    ) -> PyResult<Translation> {
        let sentence = |sentence: translator::TranslatedSentence| {
            let problems = names(&sentence.problems);
            let translator::TranslatedSentence { source, text, confidence, .. } = sentence;
            Py::new(py, Sentence { source, text, confidence, problems })
        };
        Ok(Translation {
            problems: names(&done.problems),
            text: done.text,
            source: from.to_string(),
            target: to.to_string(),
            confidence: done.confidence,
            sentences: done.sentences.into_iter().map(sentence).collect::<PyResult<_>>()?,
        })
    }
}

/// Translates texts with local models.
#[pyclass(frozen, module = "polygist._polygist")]
struct Translator {
    models: Vec<String>,
    preset: Preset,
    adapter: Option<PathBuf>,
    glossaries: Vec<PathBuf>,
    keep: Vec<String>,
    machine: Machine,
    opened: Opened<translator::Translator>,
}

#[pymethods]
impl Translator {
    #[new]
    fn new(
        models: Vec<String>,
        preset: &str,
        adapter: Option<PathBuf>,
        glossaries: Vec<PathBuf>,
        keep: Vec<String>,
        machine: Machine,
    ) -> PyResult<Translator> {
        let preset = match preset {
            "fast" => Preset::Fast,
            "balanced" => Preset::Balanced,
            "best" => Preset::Best,
            other => {
                return Err(PyValueError::new_err(format!(
                    "preset {other:?}: expected 'fast', 'balanced' or 'best'"
                )));
            }
        };
        machine.runtime().map_err(raise)?;
        let opened = Opened::new();
        Ok(Translator { models, preset, adapter, glossaries, keep, machine, opened })
    }

    /// Translates texts; each is of the source language, or of its own.
    fn translate(
        &self,
        py: Python<'_>,
        texts: Vec<String>,
        to: &str,
        source: Option<&str>,
    ) -> PyResult<Vec<Translation>> {
        let to = lang(to).map_err(raise)?;
        let source = source.map(lang).transpose().map_err(raise)?;
        let work = |translator: &translator::Translator| {
            translate(translator, &texts, &to, source.as_ref())
        };
        let done = self.opened.with(py, |cancel| self.open(cancel), work)?;
        done.into_iter().map(|done| Translation::new(py, done, &to)).collect()
    }
}

impl Translator {
    fn open(&self, cancel: &CancelToken) -> Result<translator::Translator> {
        let mut builder = translator::Translator::builder()
            .preset(self.preset)
            .store(self.machine.store()?)
            .runtime(self.machine.runtime()?)
            .cancel(cancel);
        for model in &self.models {
            builder = builder.model(model);
        }
        if let Some(folder) = &self.adapter {
            builder = builder.adapter(folder);
        }
        for glossary in &self.glossaries {
            builder = builder.glossary(Glossary::open(glossary)?);
        }
        for pattern in &self.keep {
            builder = builder.keep(pattern);
        }
        builder.build()
    }
}

fn lang(code: &str) -> Result<Lang> {
    Ok(languages::canonical(&code.parse::<Lang>()?))
}

/// Translates texts, those of one language together; each with its language. What is in the target
/// language already, and what has no words, comes back as it is.
fn translate(
    translator: &translator::Translator,
    texts: &[String],
    to: &Lang,
    source: Option<&Lang>,
) -> Result<Vec<(Lang, translator::Translation)>> {
    let mut languages_of = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let detected = || languages::canonical(&language::detect(text).code);
        let from = source.cloned().unwrap_or_else(detected);
        if from.is_und() && protect::is_translatable(text) {
            return Err(Error::Usage(format!(
                "the language of texts[{number}] could not be told ({}); state it, as source='fr'",
                text.chars().take(40).collect::<String>()
            )));
        }
        languages_of.push(from);
    }
    let is_done = |from: &Lang| from.is_und() || languages::is_same_written(from, to);
    let to_do = texts.iter().zip(&languages_of).filter(|(_, from)| !is_done(from));
    let (own, sources): (Vec<&str>, Vec<Lang>) =
        to_do.map(|(text, from)| (text.as_str(), from.clone())).unzip();
    let mut translated = translator.translate_each(&own, &sources, to, &|_| ())?.into_iter();
    let done = texts.iter().zip(languages_of).map(|(text, from)| {
        let next = if is_done(&from) { None } else { translated.next() };
        (from, next.unwrap_or_else(|| translator::Translation::unchanged(text)))
    });
    Ok(done.collect())
}

/// A summary.
#[pyclass(frozen, get_all, module = "polygist")]
struct Summary {
    text: String,
    language: String,
    sentences: Vec<String>,
    method: String,
}

#[pymethods]
impl Summary {
    fn __str__(&self) -> &str {
        &self.text
    }

    fn __repr__(&self) -> String {
        format!("Summary({:?}, {})", self.text, self.language)
    }
}

/// Summarizes articles with local models.
#[pyclass(frozen, module = "polygist._polygist")]
struct Summarizer {
    to: Option<Lang>,
    length: String,
    style: String,
    model: Option<String>,
    machine: Machine,
    opened: Opened<summarizer::Summarizer>,
}

#[pymethods]
impl Summarizer {
    #[new]
    fn new(
        to: Option<&str>,
        length: String,
        style: String,
        model: Option<String>,
        machine: Machine,
    ) -> PyResult<Summarizer> {
        length.parse::<Length>().map_err(raise)?;
        style.parse::<Style>().map_err(raise)?;
        machine.runtime().map_err(raise)?;
        let to = to.map(lang).transpose().map_err(raise)?;
        Ok(Summarizer { to, length, style, model, machine, opened: Opened::new() })
    }

    /// Summarizes texts.
    fn summarize(&self, py: Python<'_>, texts: Vec<String>) -> PyResult<Vec<Summary>> {
        let work = |summarizer: &summarizer::Summarizer| -> Result<Vec<summarizer::Summary>> {
            summarizer.summarize_all(&texts, &|_| ())?.into_iter().collect()
        };
        let done = self.opened.with(py, |cancel| self.open(cancel), work)?;
        let summary = |done: summarizer::Summary| Summary {
            text: done.text,
            language: done.language.to_string(),
            sentences: done.sentences.into_iter().map(|sentence| sentence.text).collect(),
            method: names(&[done.method]).concat(),
        };
        Ok(done.into_iter().map(summary).collect())
    }
}

impl Summarizer {
    fn open(&self, cancel: &CancelToken) -> Result<summarizer::Summarizer> {
        let mut builder = summarizer::Summarizer::builder()
            .length(self.length.parse()?)
            .style(self.style.parse()?)
            .store(self.machine.store()?)
            .runtime(self.machine.runtime()?)
            .cancel(cancel);
        if let Some(to) = &self.to {
            builder = builder.to(to.clone())?;
        }
        if let Some(model) = &self.model {
            builder = builder.model(model);
        }
        builder.build()
    }
}

/// The language of a text and how sure that is: `("fr", 0.98)`; `und` where it could not be told.
#[pyfunction]
fn detect(py: Python<'_>, text: &str) -> (String, f32) {
    let found = py.detach(|| language::detect(text));
    (languages::canonical(&found.code).to_string(), found.confidence)
}

/// Runs the program with the arguments of a command line; returns its exit code.
#[cfg(feature = "cli")]
#[pyfunction]
fn run(py: Python<'_>, arguments: Vec<std::ffi::OsString>) -> u8 {
    py.detach(|| crate::cli::run_with(arguments))
}

#[pymodule]
fn _polygist(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("PolygistError", module.py().get_type::<PolygistError>())?;
    module.add_class::<Sentence>()?;
    module.add_class::<Translation>()?;
    module.add_class::<Translator>()?;
    module.add_class::<Summary>()?;
    module.add_class::<Summarizer>()?;
    module.add_function(wrap_pyfunction!(detect, module)?)?;
    #[cfg(feature = "cli")]
    module.add_function(wrap_pyfunction!(run, module)?)?;
    Ok(())
}
