//! Summaries for programs: texts in, checked summaries out.

use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::event::{Event, OnEvent};
use crate::io::articles::from_text;
use crate::model_store::{ModelChoice, ModelStore, OpenModels};
use crate::pipeline::{self, Job};
use crate::runtime::RuntimeOptions;
use crate::task::summarize::{self, Length, Style};
use crate::types::{Flag, Lang, Record, SummaryMethod, SummarySentence};
use std::fmt;

/// Summarizes articles, in their own language or another one.
///
/// ```no_run
/// # fn main() -> polygist::Result<()> {
/// let article = std::fs::read_to_string("article.txt").expect("a file");
/// let summarizer = polygist::Summarizer::builder().length("2s".parse()?).build()?;
/// println!("{}", summarizer.summarize(&article)?);
/// # Ok(())
/// # }
/// ```
pub struct Summarizer {
    models: OpenModels,
    job: Job,
    cancel: CancelToken,
}

/// Describes a [`Summarizer`]; without more, three sentences in each article's own language.
#[must_use]
pub struct SummarizerBuilder<'a> {
    store: Option<ModelStore>,
    model: Option<String>,
    extractive: bool,
    runtime: RuntimeOptions,
    job: Job,
    cancel: CancelToken,
    on_event: Option<OnEvent<'a>>,
}

impl<'a> SummarizerBuilder<'a> {
    /// How long summaries are.
    pub fn length(mut self, length: Length) -> Self {
        self.settings().length = length;
        self
    }

    /// In which form summaries are.
    pub fn style(mut self, style: Style) -> Self {
        self.settings().style = style;
        self
    }

    /// Translates what is in another language into this one first, with the best models
    /// that are here or can be fetched in a few seconds.
    ///
    /// # Errors
    /// When it is no language code.
    pub fn to<L: TryInto<Lang, Error: Into<Error>>>(mut self, language: L) -> Result<Self> {
        self.job.to = Some(language.try_into().map_err(Into::into)?);
        Ok(self)
    }

    /// Has summaries written by this model: a name of the catalog or of the Hub, a folder or a
    /// GGUF file. Without one they are made of the article's own sentences, which an encoder of
    /// sentences ranks; so they are with a model that is one.
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.model = Some(name.into());
        self
    }

    /// Makes summaries of the article's own sentences alone, ranked by its words; needs no model.
    pub fn extractive(mut self) -> Self {
        self.extractive = true;
        self
    }

    /// Takes models from this store.
    pub fn store(mut self, store: ModelStore) -> Self {
        self.store = Some(store);
        self
    }

    /// Where and how to compute.
    pub fn runtime(mut self, runtime: RuntimeOptions) -> Self {
        self.runtime = runtime;
        self
    }

    /// Stops downloads and summaries once the token is cancelled.
    pub fn cancel(mut self, token: &CancelToken) -> Self {
        self.cancel = token.clone();
        self
    }

    /// Listens to what happens while models are fetched and opened.
    pub fn on_event(mut self, listener: OnEvent<'a>) -> Self {
        self.on_event = Some(listener);
        self
    }

    /// Fetches the models that are not on this machine, verifies them, and opens them.
    ///
    /// # Errors
    /// When a model cannot be had or opened.
    pub fn build(self) -> Result<Summarizer> {
        let on_event = self.on_event.unwrap_or(&|_| ());
        let choice = ModelChoice {
            summarizer: self.model,
            extractive: self.extractive,
            ..ModelChoice::default()
        };
        // What words rank needs no store, not even a folder for one.
        let models = if self.job.to.is_some() || !self.extractive {
            let store = self.store.map_or_else(ModelStore::open, Ok)?;
            let names = choice.for_job(&self.job, &store)?;
            let resolved = names.resolve(&store, on_event, &self.cancel)?;
            resolved.open(&self.runtime.open(&self.cancel, on_event)?, on_event)?
        } else {
            OpenModels::default()
        };
        Ok(Summarizer { models, job: self.job, cancel: self.cancel })
    }

    fn settings(&mut self) -> &mut summarize::Settings {
        self.job.summary.get_or_insert_default()
    }
}

/// A summary.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// The summary.
    pub text: String,
    /// Its language.
    pub language: Lang,
    /// Its sentences, each with the numbers of the article's sentences that support it.
    pub sentences: Vec<SummarySentence>,
    /// Who wrote it.
    pub method: SummaryMethod,
    /// Sentences that the model wrote and that were not taken, and why.
    pub rejected: Vec<Flag>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Summarizer {
    /// A summarizer with models and settings of one's own.
    pub fn builder<'a>() -> SummarizerBuilder<'a> {
        SummarizerBuilder {
            store: None,
            model: None,
            extractive: false,
            runtime: RuntimeOptions::default(),
            job: Job { summary: Some(summarize::Settings::default()), ..Job::default() },
            cancel: CancelToken::new(),
            on_event: None,
        }
    }

    /// Summarizes an article: plain text, its title in the first line if it has one. Its language
    /// is found out.
    ///
    /// ```
    /// # fn main() -> polygist::Result<()> {
    /// let summarizer = polygist::Summarizer::builder().extractive().length("1s".parse()?).build()?;
    /// let summary = summarizer.summarize(
    ///     "The bridge over the Elvern reopened on Friday after eleven months of work. \
    ///      It rained. The works on the bridge cost 18.4 million euros.",
    /// )?;
    /// assert_eq!(summary.sentences.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the text is empty, its language is not known where that matters, or a model fails.
    pub fn summarize(&self, text: &str) -> Result<Summary> {
        self.summarize_all([text], &|_| ())?.pop().unwrap_or_else(|| Err(Error::Interrupted))
    }

    /// Summarizes articles together, which is faster; one that fails stops no other.
    ///
    /// # Errors
    /// What stops all of them: a model that fails, a token that was cancelled.
    pub fn summarize_all<T: AsRef<str>>(
        &self,
        texts: impl IntoIterator<Item = T>,
        on_event: OnEvent<'_>,
    ) -> Result<Vec<Result<Summary>>> {
        let mut articles = Vec::new();
        for (n, text) in texts.into_iter().enumerate() {
            articles.push(Ok(from_text(&format!("text {}", n + 1), text.as_ref())));
        }
        let progress = |progress| {
            on_event(Event::Working { articles: None, progress });
            !self.cancel.is_cancelled()
        };
        let key = |source: &crate::types::Source| source.sha256.clone();
        let records = self
            .models
            .with(on_event, |models| pipeline::run(articles, &self.job, models, &key, &progress));
        on_event(Event::Worked);
        Ok(records?.into_iter().map(summary).collect())
    }
}

fn summary(record: Record) -> Result<Summary> {
    if let Some(error) = record.error {
        return Err(Error::input(record.id, error.message));
    }
    let Some(summary) = record.summary else {
        return Err(Error::input(record.id, "no summary was made of it"));
    };
    Ok(Summary {
        text: summary.text,
        language: summary.language,
        sentences: summary.sentences,
        method: summary.method,
        rejected: record.checks.rejected,
    })
}
