//! Running a job: what is still to do, through the models, into the journal and the files.

use super::key::JobKey;
use super::{BatchJob, BatchOutcome, ReadArticle, in_groups};
use crate::cancel::CancelToken;
use crate::error::Result;
use crate::event::{Event, OnEvent};
use crate::io::journal::Journal;
use crate::io::write::{atomic, atomic_with};
use crate::model_store::{ModelStore, OpenModels, ResolvedModels};
use crate::pipeline;
use crate::report;
use crate::types::{ErrorRecord, Record, Source, Status};

/// A job that is being run.
struct Run<'a> {
    batch: &'a BatchJob,
    models: ResolvedModels,
    /// Opened when the first article is found that needs them.
    open: Option<OpenModels>,
    key: JobKey,
    journal: Journal,
    outcome: BatchOutcome,
    cancel: &'a CancelToken,
    on_event: OnEvent<'a>,
}

pub(super) fn run(
    batch: &BatchJob,
    store: &ModelStore,
    cancel: &CancelToken,
    on_event: OnEvent<'_>,
) -> Result<BatchOutcome> {
    for skipped in &batch.found.skipped {
        on_event(Event::Skipped { path: &skipped.path, reason: &skipped.reason });
    }
    let options = &batch.options;
    let models = batch.models(store)?.resolve(store, on_event, cancel)?;
    let device = options.runtime.device.to_string();
    let computing = (device.as_str(), options.runtime.precision());
    let key = JobKey::new(&options.job, &models, &options.reading, computing, options.strict);
    let journal = Journal::open(&options.out)?;
    if journal.damaged() > 0 {
        let damaged = journal.damaged();
        on_event(Event::Note(&format!("{damaged} damaged lines of results.jsonl are done again")));
    }
    let outcome = BatchOutcome::default();
    let mut run = Run { batch, models, open: None, key, journal, outcome, cancel, on_event };
    let ended = in_groups(
        &batch.found.files,
        &options.reading,
        options.limit,
        options.group,
        cancel,
        |group| run.group(group),
    );
    // What is done is kept and shown, also after an interruption.
    run.journal.compact()?;
    run.report()?;
    ended?;
    Ok(run.outcome)
}

impl Run<'_> {
    /// Does what is still to do of a group.
    fn group(&mut self, group: Vec<ReadArticle>) -> Result<()> {
        let group: Vec<_> =
            group.into_iter().filter(|article| self.is_still_to_do(article)).collect();
        if group.is_empty() {
            return Ok(());
        }
        // An article that only failed to be read needs no model.
        if self.open.is_none() && group.iter().any(Result::is_ok) {
            let runtime = self.batch.options.runtime.open(self.cancel, self.on_event)?;
            self.open = Some(self.models.open(&runtime, self.on_event)?);
        }
        for record in self.process(group)? {
            self.keep(record)?;
        }
        Ok(())
    }

    /// Whether an article is not done yet, with these models and settings.
    fn is_still_to_do(&mut self, article: &ReadArticle) -> bool {
        let (id, source) = match article {
            Ok(raw) => (&raw.id, &raw.source),
            Err(unread) => (&unread.id, &unread.source),
        };
        let options = &self.batch.options;
        match self.journal.done(id, &self.key.of(&source.sha256)) {
            Some(Status::Ok) if !options.force => self.outcome.done_before += 1,
            Some(Status::Failed) if !options.force && !options.retry_failed => {
                self.outcome.failed_before += 1;
            }
            _ => return true,
        }
        false
    }

    fn process(&self, group: Vec<ReadArticle>) -> Result<Vec<Record>> {
        let first = self.outcome.total() + 1;
        let last = first + group.len() - 1;
        let progress = |progress| {
            (self.on_event)(Event::Working { articles: Some(first..=last), progress });
            !self.cancel.is_cancelled()
        };
        let key = |source: &Source| self.key.of(&source.sha256);
        let unread = OpenModels::default();
        let models = self.open.as_ref().unwrap_or(&unread);
        let records = models
            .with(|models| pipeline::run(group, &self.batch.options.job, models, &key, &progress));
        (self.on_event)(Event::Worked);
        records
    }

    /// Writes an article's file, then its record.
    fn keep(&mut self, mut record: Record) -> Result<()> {
        let options = &self.batch.options;
        if options.strict {
            refuse_doubts(&mut record);
        }
        if record.translation.is_some() || record.summary.is_some() {
            let language = options.job.to.as_ref().unwrap_or(&record.language.code);
            let name = self.batch.names.name(&record.id, language);
            atomic(&options.out.join(&name), (self.batch.writer.write)(&record).as_bytes())?;
            record.output = Some(name);
        }
        match (&record.status, &record.error) {
            (Status::Failed, Some(error)) => {
                self.outcome.failed += 1;
                // Most messages name the file themselves.
                let message = if error.message.contains(&record.id) {
                    error.message.clone()
                } else {
                    format!("{}: {}", record.id, error.message)
                };
                (self.on_event)(Event::Warning(&message));
            }
            _ => self.outcome.done += 1,
        }
        self.journal.append(&record)?;
        (self.on_event)(Event::Finished(&record));
        Ok(())
    }

    /// Writes the page that shows all records.
    fn report(&self) -> Result<()> {
        let options = &self.batch.options;
        // An error of the journal is told here; below it would be an article less.
        self.journal.records()?;
        let inputs: Vec<String> = options.inputs.iter().map(|p| p.display().to_string()).collect();
        let now = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
        let meta = report::Meta {
            title: inputs.join(", "),
            created: now.replace('T', " ").replace('Z', " UTC"),
            target: options.job.to.clone(),
            notes: Vec::new(),
            ..report::Meta::default()
        };
        let records = || self.journal.records().into_iter().flatten();
        atomic_with(&options.out.join("report.html"), |out| report::html(records, &meta, out))
    }
}

/// Counts an article as failed that has a doubtful sentence.
fn refuse_doubts(record: &mut Record) {
    let doubtful = record.checks.flagged.len();
    if record.status == Status::Ok && doubtful > 0 {
        record.status = Status::Failed;
        let message = format!("{doubtful} sentences with a doubtful translation (--strict)");
        record.error = Some(ErrorRecord { kind: "strict".into(), message });
    }
}
