//! A folder of articles as a job that can be stopped, resumed and repeated.

mod beside;
mod digest;
mod document;
mod export;
mod groups;
mod in_flight;
mod inspect;
mod key;
mod keys;
mod known;
mod measure;
mod memory;
mod page;
mod prepared;
mod preview;
mod remaining;
mod run;
mod shard;
mod stream;
mod survey;
mod tally;
mod todo;
mod watch;
mod written;

pub use beside::{Bilingual, write_tmx};
pub use digest::{DigestOptions, Embed, digest, write_digest};
pub use document::translated_document;
pub use export::{ExportFormat, Exported, export};
pub use groups::{ReadArticle, in_groups};
pub use in_flight::Order;
pub use inspect::{Cleaned, Finding, JobStatus, clean, status, verify};
pub use known::{ReadMemories, read_memories};
pub use measure::{Measured, measure};
pub use preview::{Planned, Preview, PreviewedArticle, Volume};
pub use shard::{MergeOutcome, Shard, merge};
pub use stream::{StreamOptions, StreamOutcome, stream};
pub use todo::Why;
pub use written::{bilingual, translated};

use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::event::{Event, OnEvent};
use crate::io::articles::{FindOptions, Found, FoundFile, ReadOptions, Skipped, find, read};
use crate::io::write::OutputNames;
use crate::model_store::{ModelChoice, ModelNames, ModelStore, Translators};
use crate::pipeline::Job;
use crate::report::{self, ArticleWriter};
use crate::runtime::RuntimeOptions;
use crate::task::summarize;
use crate::text::terms::TermIndex;
use crate::types::{Glossary, Lang};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Files that are skipped and named; of more the number is told.
const MOST_SKIPPED: usize = 3;

/// Translates and summarizes folders of articles into an output folder.
///
/// Each article becomes a Markdown file and a record, a line of `results.jsonl`; `report.html`
/// shows all of them. A job that was stopped, by whatever means, goes on where it was when it is
/// run again; what is done with the same models and settings is not done twice. An article that
/// cannot be read or translated has a record that says why, and stops no other.
///
/// ```no_run
/// use polygist::{BatchJob, CancelToken, Event, ModelStore};
///
/// # fn main() -> polygist::Result<()> {
/// let job = BatchJob::builder(["articles"], "out").to("en")?.build()?;
/// let outcome = job.run(&ModelStore::open()?, &CancelToken::new(), &|event| {
///     if let Event::Finished(record) = event {
///         println!("{}", record.id);
///     }
/// })?;
/// println!("{} done, {} failed", outcome.done, outcome.failed);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct BatchJob {
    options: BatchOptions,
    found: Found,
    /// Form of the articles' files.
    writer: &'static ArticleWriter,
    names: OutputNames,
}

/// What a [`BatchJob`] is made of.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub struct BatchOptions {
    /// Files and folders, or `-` for standard input.
    pub inputs: Vec<PathBuf>,
    /// The output folder.
    pub out: PathBuf,
    /// Only files of folders that match this glob.
    pub pattern: Option<String>,
    /// Only the articles of this part; the results go to a folder of their own in the output
    /// folder.
    pub shard: Option<Shard>,
    /// Only so many articles, the first ones.
    pub limit: Option<usize>,
    /// How to read articles.
    pub reading: ReadOptions,
    /// What to do with each.
    pub job: Job,
    /// Other languages that the same is done into, one after the other.
    pub further: Vec<Lang>,
    /// The models for it.
    pub models: ModelChoice,
    /// Where and how they compute.
    pub runtime: RuntimeOptions,
    /// Articles that are in the works together, at most.
    pub group: usize,
    /// Longest time for one article; it fails when that is over.
    pub timeout: Option<Duration>,
    /// Whether an article with doubtful sentences counts as failed.
    pub strict: bool,
    /// Whether all is done again.
    pub force: bool,
    /// Whether the articles that failed are tried again, and nothing else is done.
    pub retry_failed: bool,
    /// Whether sentences that were translated before are remembered, in a file of the output
    /// folder.
    pub memory: bool,
    /// Translation memories in TMX, whose translations stand for those of the models.
    pub memories: Vec<PathBuf>,
    /// A file for a translation memory of all that was translated.
    pub write_tm: Option<PathBuf>,
    /// How source and translation are put side by side in files of their own, if they are.
    pub bilingual: Option<Bilingual>,
}

/// How many articles of a [`BatchJob`] ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchOutcome {
    /// Done in this run.
    pub done: usize,
    /// Failed in this run; the records say why.
    pub failed: usize,
    /// Done in an earlier run.
    pub done_before: usize,
    /// Failed in an earlier run, and not tried again.
    pub failed_before: usize,
    /// Done in this run, with something that a check complains of.
    pub to_check: usize,
    /// Left alone, since only what had failed was asked for.
    pub left: usize,
    /// Sentences that were to be translated in this run, those of translation memories apart.
    pub sentences: usize,
    /// How many of these had been translated before, in this run or an earlier one.
    pub known_sentences: usize,
}

impl BatchOutcome {
    /// Articles that were met.
    pub fn total(&self) -> usize {
        self.done + self.failed + self.done_before + self.failed_before + self.left
    }

    /// Whether an article has failed, in this run or before.
    pub fn has_failures(&self) -> bool {
        self.failed + self.failed_before > 0
    }
}

/// Describes a [`BatchJob`], see [`BatchJob::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct BatchJobBuilder {
    options: BatchOptions,
}

impl BatchJobBuilder {
    /// Translates into this language: a code such as `en`, or a [`Lang`].
    ///
    /// # Errors
    /// When it is no language code.
    pub fn to<L: TryInto<Lang, Error: Into<Error>>>(mut self, language: L) -> Result<Self> {
        self.options.job.to = Some(language.try_into().map_err(Into::into)?);
        self.options.job.translate = true;
        Ok(self)
    }

    /// Translates into this language, too: each article has a record and a file for each language.
    ///
    /// # Errors
    /// When it is no language code.
    pub fn also_to<L: TryInto<Lang, Error: Into<Error>>>(mut self, language: L) -> Result<Self> {
        self.options.further.push(language.try_into().map_err(Into::into)?);
        Ok(self)
    }

    /// Takes all articles to be in this language instead of finding theirs out.
    ///
    /// # Errors
    /// When it is no language code.
    pub fn from<L: TryInto<Lang, Error: Into<Error>>>(mut self, language: L) -> Result<Self> {
        self.options.job.from = Some(language.try_into().map_err(Into::into)?);
        Ok(self)
    }

    /// Makes summaries of this length and style, or none; by default, of three sentences.
    pub fn summary(mut self, wanted: Option<(summarize::Length, summarize::Style)>) -> Self {
        self.options.job.summary = wanted.map(|(length, style)| summarize::Settings {
            length,
            style,
            ..summarize::Settings::default()
        });
        self
    }

    /// Translates with these models, each pair of languages with the first that knows it, and
    /// writes summaries with that one; without, summaries are extractive, and words rank.
    pub fn models<N: Into<String>>(
        mut self,
        translators: impl IntoIterator<Item = N>,
        summarizer: Option<&str>,
    ) -> Self {
        self.options.models = ModelChoice {
            translators: Translators::Named(translators.into_iter().map(Into::into).collect()),
            summarizer: summarizer.map(String::from),
            extractive: summarizer.is_none(),
            adapter: None,
        };
        self
    }

    /// Translates terms as a glossary says, which `Glossary::open` reads, and leaves as it is what
    /// matches one of the regular expressions in `keep`. The records tell which terms their
    /// translations have.
    ///
    /// # Errors
    /// When a pattern is no regular expression.
    pub fn terms(mut self, glossary: Glossary, keep: &[&str]) -> Result<Self> {
        let terms = TermIndex::new(glossary, keep)?;
        self.options.job.translating.terms = (!terms.is_empty()).then(|| Arc::new(terms));
        Ok(self)
    }

    /// Where and how to compute.
    pub fn runtime(mut self, runtime: RuntimeOptions) -> Self {
        self.options.runtime = runtime;
        self
    }

    /// Counts articles with doubtful sentences as failed.
    pub fn strict(mut self, strict: bool) -> Self {
        self.options.strict = strict;
        self
    }

    /// Does the articles of one part only, for one of many machines; [`merge`] makes one job of the
    /// parts.
    pub fn shard(mut self, shard: Shard) -> Self {
        self.options.shard = Some(shard);
        self
    }

    /// Does again what is done already.
    pub fn force(mut self, force: bool) -> Self {
        self.options.force = force;
        self
    }

    /// Tries again what failed in an earlier run, and does nothing else.
    pub fn retry_failed(mut self, retry: bool) -> Self {
        self.options.retry_failed = retry;
        self
    }

    /// Remembers the translation of each sentence in a file of the output folder, so that equal
    /// sentences are translated once, over runs too. It does so by default; results are the same
    /// with and without.
    pub fn memory(mut self, memory: bool) -> Self {
        self.options.memory = memory;
        self
    }

    /// Takes translations from these files in TMX in place of a model's where they have the very
    /// sentence. Of several translations the last one counts.
    pub fn translation_memories<P: Into<PathBuf>>(
        mut self,
        files: impl IntoIterator<Item = P>,
    ) -> Self {
        self.options.memories = files.into_iter().map(Into::into).collect();
        self
    }

    /// Writes all sentences and their translations into this file, in TMX 1.4b.
    pub fn write_translation_memory(mut self, file: impl Into<PathBuf>) -> Self {
        self.options.write_tm = Some(file.into());
        self
    }

    /// Writes files with source and translation side by side, too.
    pub fn bilingual(mut self, form: Bilingual) -> Self {
        self.options.bilingual = Some(form);
        self
    }

    /// Whether records have the segments of translations; they have by default.
    pub fn segments(mut self, wanted: bool) -> Self {
        self.options.job.segments = wanted;
        self
    }

    /// Finds the articles' files.
    ///
    /// # Errors
    /// When an input does not exist, or there is nothing to do: no language to translate into, and
    /// no summary.
    pub fn build(self) -> Result<BatchJob> {
        BatchJob::new(self.options)
    }
}

impl BatchJob {
    /// A job over some files and folders. Without more, it summarizes each article in its own
    /// language.
    pub fn builder<P: Into<PathBuf>>(
        inputs: impl IntoIterator<Item = P>,
        out: impl Into<PathBuf>,
    ) -> BatchJobBuilder {
        BatchJobBuilder {
            options: BatchOptions {
                inputs: inputs.into_iter().map(Into::into).collect(),
                out: out.into(),
                pattern: None,
                shard: None,
                limit: None,
                reading: ReadOptions { rows: true, ..ReadOptions::default() },
                job: Job {
                    summary: Some(summarize::Settings::default()),
                    segments: true,
                    ..Job::default()
                },
                models: ModelChoice::default(),
                runtime: RuntimeOptions::default(),
                further: Vec::new(),
                group: 32,
                timeout: None,
                strict: false,
                force: false,
                retry_failed: false,
                memory: true,
                memories: Vec::new(),
                write_tm: None,
                bilingual: None,
            },
        }
    }

    /// A job of which everything is known.
    ///
    /// # Errors
    /// As [`BatchJobBuilder::build`].
    #[doc(hidden)]
    pub fn new(mut options: BatchOptions) -> Result<BatchJob> {
        if options.job.to.is_none() && options.job.summary.is_none() {
            return Err(Error::Usage("into which language? Say it with --to, as --to en".into()));
        }
        // What is made of segments needs them.
        options.job.segments |= options.bilingual.is_some() || options.write_tm.is_some();
        let exclude = vec![options.out.clone()];
        let find_options = FindOptions { pattern: options.pattern.clone(), exclude };
        let found = find(&options.inputs, &find_options)?;
        if options.job.to.is_none() && !options.further.is_empty() {
            return Err(Error::Usage(
                "into which language first? Say it with --to, as --to en".into(),
            ));
        }
        if let Some(shard) = options.shard {
            options.out = shard.folder(&options.out);
        }
        let writer = &report::MARKDOWN;
        let ids = found.files.iter().map(|f| f.id.as_str());
        let names = OutputNames::new(ids, writer.extension);
        Ok(BatchJob { options, found, writer, names })
    }

    /// The same job for each language in turn.
    pub(crate) fn jobs(&self) -> Vec<Job> {
        let job = &self.options.job;
        let further = self.options.further.iter().filter(|lang| job.to.as_ref() != Some(*lang));
        let into = |to: &Lang| Job { to: Some(to.clone()), ..job.clone() };
        [job.clone()].into_iter().chain(further.map(into)).collect()
    }

    /// The models of one of the jobs, by name.
    ///
    /// # Errors
    /// When the catalog has no model for a task.
    pub(crate) fn models_for(&self, job: &Job, store: &ModelStore) -> Result<ModelNames> {
        self.options.models.clone().for_job(job, store)
    }

    /// Says what was found and is not read: the first ones by name.
    fn tell_skipped(&self, on_event: OnEvent<'_>) {
        let skipped = &self.found.skipped;
        for Skipped { path, reason } in skipped.iter().take(MOST_SKIPPED) {
            on_event(Event::Skipped { path, reason });
        }
        if skipped.len() > MOST_SKIPPED {
            let more = skipped.len() - MOST_SKIPPED;
            on_event(Event::Note(&format!(
                "skipped {more} more files ({} in all); --dry-run lists them",
                skipped.len()
            )));
        }
    }

    /// Runs the job, or what is left of it.
    ///
    /// # Errors
    /// What stops the whole job: [`Error::Interrupted`] once `cancel` is cancelled, models that
    /// cannot be had, an output folder that cannot be written. What is finished is kept.
    pub fn run(
        &self,
        store: &ModelStore,
        cancel: &CancelToken,
        on_event: OnEvent<'_>,
    ) -> Result<BatchOutcome> {
        run::run(self, store, cancel, on_event)
    }

    /// What the job would do: each article with its language and its file, given to `each` as it is
    /// read, and what there is to do in all. Nothing is written or fetched, and no model is loaded.
    ///
    /// # Errors
    /// What `each` returns, [`Error::Interrupted`], and when the output folder cannot be read.
    #[doc(hidden)]
    pub fn preview(
        &self,
        store: &ModelStore,
        cancel: &CancelToken,
        each: &mut dyn FnMut(PreviewedArticle) -> Result<()>,
    ) -> Result<Preview> {
        preview::preview(self, store, cancel, each)
    }
}

/// The articles of a job, each with the file that it comes from; of each file as many as `again`
/// says, where that is known.
fn articles<'a>(
    batch: &'a BatchJob,
    again: Option<Vec<usize>>,
) -> impl Iterator<Item = (&'a FoundFile, ReadArticle)> {
    let options = &batch.options;
    let limit = options.limit.filter(|_| again.is_none()).unwrap_or(usize::MAX);
    let of_file = move |(number, file): (usize, &'a FoundFile)| {
        let most = again.as_ref().map_or(usize::MAX, |again| again[number]);
        read(file, &options.reading).take(most).map(move |article| (file, article))
    };
    let all = batch.found.files.iter().enumerate().flat_map(of_file);
    let taken = |(_, article): &(&FoundFile, ReadArticle)| {
        options.shard.is_none_or(|shard| shard.takes(&groups::source(article).sha256))
    };
    all.take(limit).filter(taken)
}
