//! Running a job: what is still to do, through the models, into the journal and the files.

use super::document::translated_document;
use super::key::{JobKey, precision_name};
use super::known::{ReadMemories, read_memories};
use super::memory::JobMemory;
use super::{BatchJob, BatchOutcome, ReadArticle, in_groups};
use crate::cancel::CancelToken;
use crate::document::{self, Placement};
use crate::error::{Error, Result};
use crate::event::{Event, OnEvent};
use crate::io::articles::{FoundFile, read_again};
use crate::io::journal::{Journal, Languages, Translated};
use crate::io::write::{atomic, atomic_with};
use crate::model_store::{Chooser, ModelStore, OpenModels, ResolvedModels};
use crate::pipeline::{self, Job, Models};
use crate::report;
use crate::task::translate::{Known, Memory};
use crate::text::extract;
use crate::types::{ErrorRecord, Lang, Record, Source, Status};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A job that is being run.
struct Run<'a> {
    batch: &'a BatchJob,
    models: ResolvedModels,
    /// Opened when the first article is found that needs them.
    open: Option<OpenModels>,
    keys: Keys<'a>,
    journal: Journal,
    /// What was translated in this run and earlier ones.
    memory: Option<JobMemory>,
    /// What the user has brought.
    memories: Option<ReadMemories>,
    /// Articles done before whose files in both languages are still to be written.
    missing_bilingual: usize,
    /// The files that are documents, or may be, by their ids.
    documents: HashMap<&'a str, &'a FoundFile>,
    outcome: BatchOutcome,
    /// Articles by the languages and the models that were chosen for them.
    ways: BTreeMap<(Vec<Lang>, String), usize>,
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
    let precision = options.runtime.precision();
    let memories = read_memories(&options.memories, options.job.to.as_ref(), on_event)?;
    let hashes = memories.as_ref().map_or_else(Vec::new, |read| read.hashes.clone());
    let computing = (device.as_str(), precision);
    let key = JobKey::new(&options.job, &models, &options.reading, computing, options.strict)
        .with_memories(hashes);
    let keys = Keys { key, job: &options.job, chooser: models.chooser.clone(), on_event };
    let journal = Journal::open(&options.out)?;
    if journal.damaged() > 0 {
        let damaged = journal.damaged();
        on_event(Event::Note(&format!("{damaged} damaged lines of results.jsonl are done again")));
    }
    // The journal keeps others out of the folder.
    let computing = (device.as_str(), precision_name(precision));
    let is_remembered = options.memory && options.job.to.is_some();
    // Who wants all done again wants it of the models.
    let open = || JobMemory::open(&options.out, computing, options.force);
    let memory = is_remembered.then(open).transpose()?;
    let outcome = BatchOutcome::default();
    // Of a file whose name says nothing the format is known once it is read.
    let may_be = |format| document::of_format(format).is_some();
    let is_document = |file: &&FoundFile| file.format.is_none_or(may_be);
    let documents = batch.found.files.iter().filter(is_document);
    let documents = documents.map(|file| (file.id.as_str(), file)).collect();
    let mut run = Run {
        batch,
        models,
        open: None,
        keys,
        journal,
        memory,
        memories,
        missing_bilingual: 0,
        documents,
        outcome,
        ways: BTreeMap::new(),
        cancel,
        on_event,
    };
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
    if run.missing_bilingual > 0 {
        batch.write_missing_bilingual(&run.journal)?;
    }
    batch.write_memory(&run.journal, on_event)?;
    ended?;
    run.tell_models();
    if let Some(memory) = &run.memory {
        (run.outcome.sentences, run.outcome.known_sentences) = memory.counts();
    }
    Ok(run.outcome)
}

impl Run<'_> {
    /// Does what is still to do of a group.
    fn group(&mut self, group: Vec<ReadArticle>) -> Result<()> {
        let mut still_to_do = Vec::new();
        let mut keys = HashMap::new();
        for article in group {
            let key = self.key(&article)?;
            if self.is_still_to_do(&article, &key) {
                keys.insert(source(&article).sha256.clone(), key);
                still_to_do.push(article);
            }
        }
        let group = still_to_do;
        if group.is_empty() {
            return Ok(());
        }
        // An article that only failed to be read needs no model.
        if self.open.is_none() && group.iter().any(Result::is_ok) {
            let runtime = self.batch.options.runtime.open(self.cancel, self.on_event)?;
            self.open = Some(self.models.open(&runtime, self.on_event)?);
        }
        for record in self.process(group, &keys)? {
            self.keep(record)?;
        }
        Ok(())
    }

    /// The key of an article. That of one that was done before needs no look at the text: its
    /// record says which languages it has.
    fn key(&self, article: &ReadArticle) -> Result<String> {
        let sha256 = &source(article).sha256;
        if let Some(known) = self.journal.languages(id(article), sha256) {
            let key = self.keys.with(Some(known), sha256)?;
            if self.journal.has(id(article), &key) {
                return Ok(key);
            }
        }
        self.keys.of(article)
    }

    /// Whether an article is not done yet, with these models and settings.
    fn is_still_to_do(&mut self, article: &ReadArticle, key: &str) -> bool {
        let options = &self.batch.options;
        let (id, format) = (id(article), source(article).format);
        let done = self.journal.done(id, key);
        let translated = self.journal.translated(id);
        if done.is_some() && self.batch.needs_more(id, format, translated) {
            return true;
        }
        match done {
            Some(Status::Ok) if !options.force => self.outcome.done_before += 1,
            Some(Status::Failed) if !options.force && !options.retry_failed => {
                self.outcome.failed_before += 1;
            }
            _ => return true,
        }
        let is_missing = options.bilingual.is_some()
            && translated == Translated::InSegments
            && !self.batch.bilingual_path(id, format).exists();
        self.missing_bilingual += usize::from(is_missing);
        false
    }

    fn process(
        &self,
        group: Vec<ReadArticle>,
        keys: &HashMap<String, String>,
    ) -> Result<Vec<Record>> {
        let first = self.outcome.total() + 1;
        let last = first + group.len() - 1;
        let progress = |progress| {
            (self.on_event)(Event::Working { articles: Some(first..=last), progress });
            !self.cancel.is_cancelled()
        };
        let key = |source: &Source| keys.get(&source.sha256).cloned().unwrap_or_default();
        let unread = OpenModels::default();
        let models = self.open.as_ref().unwrap_or(&unread);
        let known = Known {
            memory: self.memories.as_ref().map(|read| &read.memory),
            earlier: self.memory.as_ref().map(|memory| memory as &dyn Memory),
        };
        let records = models.with(self.on_event, |models| {
            let models = Models { known, ..*models };
            pipeline::run(group, &self.batch.options.job, &models, &key, &progress)
        });
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
            let language = &options.job.to.clone().unwrap_or(record.language.code.clone());
            let name = self.batch.names.name(&record.id, language);
            atomic(&options.out.join(&name), (self.batch.writer.write)(&record).as_bytes())?;
            record.output = Some(name);
            self.batch.write_bilingual(&record)?;
            if let Err(error) = self.write_document(&mut record, language) {
                fail(&mut record, &error);
            }
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
        if let Some(translation) = record.translation.as_ref().filter(|t| !t.steps.is_empty()) {
            let way = (translation.route.clone(), translation.model.clone());
            *self.ways.entry(way).or_default() += 1;
        }
        self.journal.append(&record)?;
        (self.on_event)(Event::Finished(&record));
        Ok(())
    }

    /// Writes the translated document beside the article's file, where the source is one.
    ///
    /// # Errors
    /// When the source is gone or another by now, or the document cannot be written.
    fn write_document(&self, record: &mut Record, language: &Lang) -> Result<()> {
        let format = document::of_format(record.source.format);
        let Some(format) = format.filter(|_| record.translation.is_some()) else { return Ok(()) };
        let Some(&file) = self.documents.get(record.id.as_str()) else { return Ok(()) };
        let reading = &self.batch.options.reading;
        let bytes = read_again(file, &record.source.sha256, reading.max_bytes)?;
        let translated =
            |placement| translated_document(format, &bytes, record, reading, placement);
        let name = self.batch.names.document(&record.id, language);
        atomic(&self.batch.options.out.join(&name), &translated(Placement::Instead)?)?;
        let bilingual = self.batch.options.bilingual;
        if bilingual.is_some_and(|bilingual| bilingual.is_document(record.source.format)) {
            let path = self.batch.bilingual_path(&record.id, record.source.format);
            atomic(&path, &translated(Placement::Beside)?)?;
        }
        record.document = Some(name);
        Ok(())
    }

    /// Says which model has translated what, where that was left to the program, and which pairs
    /// it would do better with another.
    fn tell_models(&self) {
        for ((languages, model), number) in &self.ways {
            let way: Vec<&str> = languages.iter().map(Lang::as_str).collect();
            let way = way.join(" → ");
            (self.on_event)(Event::Note(&format!("{number:>5} {way:<14} {model}")));
        }
        let chooser = self.keys.chooser.as_ref().filter(|_| !self.ways.is_empty());
        let remarks = chooser.map(|chooser| chooser.remarks()).unwrap_or_default();
        remarks.iter().for_each(|remark| (self.on_event)(Event::Note(remark)));
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

/// The keys of the articles of a job.
struct Keys<'a> {
    /// Of all of them, but for the models that are chosen for each.
    key: JobKey,
    job: &'a Job,
    chooser: Option<Arc<Chooser>>,
    on_event: OnEvent<'a>,
}

impl Keys<'_> {
    /// The key of an article. Where the models are chosen, its language is found out for that; no
    /// model is opened.
    ///
    /// # Errors
    /// When the work is cancelled.
    fn of(&self, article: &ReadArticle) -> Result<String> {
        let languages = match (&self.chooser, &self.job.to, article) {
            (Some(_), Some(to), Ok(raw)) => extract::extract(raw).ok().map(|article| {
                let found = || pipeline::detect(&article).code;
                let own = self.job.from.clone().unwrap_or_else(found);
                let passages = pipeline::passages(&article, &own, to);
                Languages { own, passages }
            }),
            _ => None,
        };
        self.with(languages.as_ref(), &source(article).sha256)
    }

    /// The key of an article in these languages, if they are known, with these bytes.
    ///
    /// # Errors
    /// When the work is cancelled.
    fn with(&self, languages: Option<&Languages>, sha256: &str) -> Result<String> {
        let (Some(chooser), Some(to)) = (&self.chooser, &self.job.to) else {
            return Ok(self.key.of(sha256));
        };
        let choose = |from: &Lang| match chooser.choose(from, to, self.on_event) {
            Ok(choice) => Ok(choice),
            Err(Error::Interrupted) => Err(Error::Interrupted),
            // The article fails for the same reason, and its record says so; a passage stays.
            Err(_) => Ok(None),
        };
        let known = languages.filter(|known| !known.own.is_und() && !known.own.same_base(to));
        let Some(Languages { own, passages }) = known else {
            return Ok(self.key.with_translators(self.job, None, &[]).of(sha256));
        };
        let choice = choose(own)?;
        let of_passage = |lang: &Lang| Ok((lang.clone(), choose(lang)?));
        let passages = passages.iter().map(of_passage).collect::<Result<Vec<_>>>()?;
        Ok(self.key.with_translators(self.job, choice.as_deref(), &passages).of(sha256))
    }
}

/// The id of an article, whether or not it could be read.
fn id(article: &ReadArticle) -> &str {
    match article {
        Ok(raw) => &raw.id,
        Err(unread) => &unread.id,
    }
}

/// Where an article comes from, whether or not it could be read.
fn source(article: &ReadArticle) -> &Source {
    match article {
        Ok(raw) => &raw.source,
        Err(unread) => &unread.source,
    }
}

/// Counts an article as failed whose document could not be written.
fn fail(record: &mut Record, error: &Error) {
    record.status = Status::Failed;
    let (kind, message) = (error.kind().into(), error.to_string());
    record.error = Some(ErrorRecord { kind, message });
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
