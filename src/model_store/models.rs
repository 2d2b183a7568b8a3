//! The models of some work: by name, with their files, opened.

use super::{Chooser, ModelStore, Pool, open};
use crate::cancel::CancelToken;
use crate::embed::SentenceEncoder;
use crate::error::{Error, Result};
use crate::event::{Event, OnEvent};
use crate::generate::{Engine, Generate};
use crate::io::fetch::ResolvedModel;
use crate::model::{Runtime, is_sentence_encoder, open_sentence_encoder};
use crate::pipeline::{Job, Models};
use crate::route::Preferences;
use crate::task::translate::Named;
use crate::types::Lang;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// The models that translate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub enum Translators {
    /// These; each pair of languages goes to the first that knows it.
    Named(Vec<String>),
    /// The best for each pair.
    Auto(Preferences),
}

impl Default for Translators {
    fn default() -> Translators {
        Translators::Auto(Preferences::default())
    }
}

impl Translators {
    /// The name that stands for the best model for each pair.
    pub const AUTO: &str = "auto";

    /// What names mean, none of them included.
    ///
    /// # Errors
    /// When `auto` stands beside others.
    pub fn of(names: Vec<String>, preferences: Preferences) -> Result<Translators> {
        match names.iter().any(|name| name == Translators::AUTO) {
            _ if names.is_empty() => Ok(Translators::Auto(preferences)),
            false => Ok(Translators::Named(names)),
            true if names.len() == 1 => Ok(Translators::Auto(preferences)),
            true => Err(Error::Usage(
                "auto stands alone: it chooses among all models. Models for single pairs are named \
                 in the configuration, below [route]"
                    .into(),
            )),
        }
    }
}

/// What a user says about the models of some work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[doc(hidden)]
pub struct ModelChoice {
    /// Which translate.
    pub translators: Translators,
    /// Which one writes summaries, or which encoder of sentences ranks; `None` for the catalog's
    /// encoder: they are made of the articles' own sentences. [`Translators::AUTO`] stands for the
    /// best instruction model on this machine beside that encoder, where there is one.
    pub summarizer: Option<String>,
    /// Whether summaries are made of the articles' sentences alone, and these ranked by their
    /// words, without a model.
    pub extractive: bool,
    /// See [`ModelNames::adapter`].
    pub adapter: Option<PathBuf>,
}

impl ModelChoice {
    /// The models that a job needs. A model that is named writes summaries in any language. The
    /// catalog's encoder of sentences ranks where none is named.
    ///
    /// # Errors
    /// When the folder of models cannot be read.
    pub fn for_job(self, job: &Job, store: &ModelStore) -> Result<ModelNames> {
        let ModelChoice { translators, summarizer, extractive, adapter } = self;
        let wanted = summarizer.filter(|_| job.summary.is_some() && !extractive);
        let needs_summarizer = wanted.as_ref().is_some_and(|name| name != Translators::AUTO);
        let summarizer = match wanted {
            Some(name) if needs_summarizer => Some(name),
            Some(_) => store.installed_writer(job.to.as_ref().or(job.from.as_ref()))?,
            None => None,
        };
        let ranks = job.summary.is_some() && !extractive && !needs_summarizer;
        let encoder = match ranks {
            true => store.default_encoder(job.from.as_ref(), job.to.as_ref()),
            false => None,
        };
        let translators = job.to.is_some().then_some(translators);
        Ok(ModelNames { translators, summarizer, needs_summarizer, encoder, adapter })
    }
}

/// The models of some work, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[doc(hidden)]
pub struct ModelNames {
    /// Those that translate, if anything is translated.
    pub translators: Option<Translators>,
    /// The model that writes summaries.
    pub summarizer: Option<String>,
    /// Whether there is no work without it: somebody named it. Else summaries are made of the
    /// articles' own sentences where it cannot be had.
    pub needs_summarizer: bool,
    /// The encoder that ranks sentences where nobody named a model for summaries. There is work
    /// without it, too: their words rank them then.
    pub encoder: Option<String>,
    /// The folder of an adapter for the model that translates or, where none does, for the one that
    /// writes summaries.
    pub adapter: Option<PathBuf>,
}

/// The models of some work, their files on this machine.
#[derive(Clone, Debug, Default)]
#[doc(hidden)]
pub struct ResolvedModels {
    /// Those that translate, where they are named.
    pub translators: Vec<ResolvedModel>,
    /// What chooses those that translate, where they are not.
    pub chooser: Option<Arc<Chooser>>,
    /// The model that writes summaries.
    pub summarizer: Option<ResolvedModel>,
    /// The encoder of sentences that tells which say the most.
    pub encoder: Option<ResolvedModel>,
}

/// The models of some work, opened.
#[derive(Default)]
#[doc(hidden)]
pub struct OpenModels {
    /// See [`ResolvedModels::translators`].
    pub translators: Vec<Engine>,
    /// Those of [`ResolvedModels::chooser`], opened as they are needed.
    pub pool: Option<Pool>,
    /// See [`ResolvedModels::summarizer`].
    pub summarizer: Option<Engine>,
    /// See [`ResolvedModels::encoder`].
    pub encoder: Option<SentenceEncoder>,
}

impl ModelNames {
    /// The files of the models that are named; fetched when they are not there. What is chosen for
    /// each pair is fetched when the pair is met.
    ///
    /// # Errors
    /// When a model cannot be had, or the adapter belongs to several or none.
    pub fn resolve(
        &self,
        store: &ModelStore,
        on_event: OnEvent<'_>,
        cancel: &CancelToken,
    ) -> Result<ResolvedModels> {
        let ModelNames { translators, summarizer, needs_summarizer, encoder, adapter } = self;
        let (named, chooser): (&[String], _) = match translators {
            None => (&[], None),
            Some(Translators::Named(names)) => (names, None),
            Some(Translators::Auto(preferences)) => {
                store.refresh_registry(on_event, cancel)?;
                let chooser = Chooser::new(store, preferences, cancel)?;
                chooser.check(on_event)?;
                (&[], Some(Arc::new(chooser)))
            }
        };
        let is_alone = match translators {
            Some(_) => named.len() == 1,
            None => summarizer.is_some(),
        };
        if adapter.is_some() && !is_alone {
            let found = match (&chooser, named) {
                (Some(_), _) => Translators::AUTO.into(),
                (None, []) => "none".into(),
                (None, names) => names.join(", "),
            };
            return Err(Error::Usage(format!(
                "an adapter belongs to one model; expected one name after --model, found {found}"
            )));
        }
        let resolve = |name: &String, adapter: Option<&PathBuf>| {
            let model = store.resolve(name, on_event, cancel)?;
            adapter.map_or(Ok(model.clone()), |folder| model.with_adapter(folder))
        };
        let for_summaries = adapter.as_ref().filter(|_| translators.is_none());
        let translators: Result<_> =
            named.iter().map(|name| resolve(name, adapter.as_ref())).collect();
        let translators = translators?;
        let named = match (summarizer, needs_summarizer) {
            (None, _) => None,
            (Some(name), true) => Some(resolve(name, for_summaries)?),
            (Some(name), false) => or_extractive(name, resolve(name, for_summaries), on_event)?,
        };
        let (ranks, summarizer) = match named {
            Some(model) if is_sentence_encoder(&model.folder) => (Some(model), None),
            named => (None, named),
        };
        let encoder = match (ranks, encoder) {
            (None, Some(name)) => store.encoder(name, on_event, cancel)?,
            (ranks, _) => ranks,
        };
        Ok(ResolvedModels { translators, chooser, summarizer, encoder })
    }
}

/// The default model for summaries; where it cannot be had, nothing, and a word on what that means.
fn or_extractive(
    name: &str,
    resolved: Result<ResolvedModel>,
    on_event: OnEvent<'_>,
) -> Result<Option<ResolvedModel>> {
    match resolved {
        Err(Error::Fetch { .. } | Error::Model { .. }) => {
            on_event(Event::Warning(&format!(
                "{name} cannot be had, so summaries are made of the articles' own sentences; \
                 `polygist models pull {name}` says why"
            )));
            Ok(None)
        }
        resolved => resolved.map(Some),
    }
}

impl ResolvedModels {
    /// These models with those named that would be chosen for texts of some languages, the last
    /// resort last: for work that has to know all its models before it begins.
    ///
    /// # Errors
    /// When a model cannot be had.
    pub fn chosen_for(
        self,
        languages: &BTreeSet<Lang>,
        to: &Lang,
        on_event: OnEvent<'_>,
    ) -> Result<ResolvedModels> {
        let Some(chooser) = &self.chooser else { return Ok(self) };
        let mut chosen: Vec<(bool, ResolvedModel)> = Vec::new();
        for from in languages.iter().filter(|from| !from.is_und() && !from.same_base(to)) {
            for step in chooser.choose(from, to, on_event)?.iter().flat_map(|choice| &choice.steps)
            {
                if chosen.iter().all(|(_, model)| model.id != step.model.id) {
                    chosen.push((step.step.is_last_resort, step.model.clone()));
                }
            }
        }
        chosen.sort_by_key(|(is_last_resort, _)| *is_last_resort);
        let translators = chosen.into_iter().map(|(_, model)| model).collect();
        Ok(ResolvedModels { translators, chooser: None, ..self })
    }

    /// Loads the models that are named.
    ///
    /// # Errors
    /// When a file is broken or of an unknown kind.
    pub fn open(&self, runtime: &Runtime, on_event: OnEvent<'_>) -> Result<OpenModels> {
        let open = |model: &ResolvedModel| open(model, runtime, on_event);
        let encode = |model: &ResolvedModel| open_encoder(model, runtime, on_event);
        Ok(OpenModels {
            translators: self.translators.iter().map(open).collect::<Result<_>>()?,
            pool: self.chooser.as_ref().map(|chooser| Pool::new(chooser, runtime)),
            summarizer: self.summarizer.as_ref().map(open).transpose()?,
            encoder: self.encoder.as_ref().map(encode).transpose()?,
        })
    }
}

/// Loads an encoder of sentences, with what the catalog knows of it.
pub(super) fn open_encoder(
    model: &ResolvedModel,
    runtime: &Runtime,
    on_event: OnEvent<'_>,
) -> Result<SentenceEncoder> {
    on_event(Event::Loading(&model.id));
    let opened = open_sentence_encoder(&model.id, &model.folder, runtime);
    on_event(Event::Loaded);
    let encoder = opened?;
    let Some(entry) = &model.entry else { return Ok(encoder) };
    let encoder = encoder.with_languages(entry.reads());
    Ok(match &entry.input_prefix {
        Some(prefix) => encoder.with_prefix(prefix),
        None => encoder,
    })
}

impl OpenModels {
    /// Calls `f` with the models as the pipeline takes them; the listener hears of those that are
    /// fetched and opened meanwhile.
    pub fn with<T>(&self, on_event: OnEvent<'_>, f: impl FnOnce(&Models<'_>) -> T) -> T {
        let summarizer = self.summarizer.as_ref().map(|engine| engine as &dyn Generate);
        let encoder = self.encoder.as_ref();
        if let Some(pool) = &self.pool {
            let translators = &pool.listening(on_event);
            return f(&Models { translators, summarizer, encoder, ..Models::default() });
        }
        let translators: Vec<&dyn Generate> =
            self.translators.iter().map(|engine| engine as &dyn Generate).collect();
        f(&Models { translators: &Named(&translators), summarizer, encoder, ..Models::default() })
    }
}
