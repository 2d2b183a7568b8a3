//! Running a job: what is still to do, through the models, into the journal and the files.

use super::document::translated_document;
use super::groups::{id, source};
use super::in_flight::{Order, in_flight};
use super::keys::Keys;
use super::known::ReadMemories;
use super::memory::JobMemory;
use super::page::{is_current, outdate, write_report};
use super::prepared::Prepared;
use super::remaining::{Count, Remaining};
use super::shard;
use super::survey::{changes, survey, warning};
use super::tally::Tally;
use super::todo::{Desk, Fate, Met};
use super::{BatchJob, BatchOutcome, ReadArticle, articles};
use crate::cancel::CancelToken;
use crate::document::{self, Placement};
use crate::error::{Error, Result};
use crate::event::{Event, OnEvent};
use crate::io::articles::{FoundFile, read_again};
use crate::io::journal::RecordId;
use crate::io::write::{Files, atomic};
use crate::model_store::{ModelStore, OpenModels, ResolvedModels};
use crate::pipeline::{self, Job, Models, Progress};
use crate::report;
use crate::task::translate::{Known, Memory};
use crate::types::{ErrorRecord, Lang, ReadFailure, Record, Source, Status};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Groups of articles in the works at once: while some are in the models, others are taken apart.
const GROUPS: usize = 4;

/// Bytes of text that a group has as a rule, at most: what is finished is written when its group
/// is.
const GROUP_BYTES: usize = 6 << 10;
/// The same on a GPU, which computes for many sentences at once.
const GROUP_BYTES_GPU: usize = 400 << 10;

pub(super) fn run(
    batch: &BatchJob,
    store: &ModelStore,
    cancel: &CancelToken,
    on_event: OnEvent<'_>,
) -> Result<BatchOutcome> {
    batch.tell_skipped(on_event);
    let options = &batch.options;
    // What cannot work leaves no folder behind.
    let jobs = batch.jobs();
    let prepare = |job| Prepared::new(batch, job, store, cancel, on_event);
    let prepared = jobs.iter().map(prepare).collect::<Result<Vec<_>>>()?;
    let desk = Desk::open(&options.out)?;
    if options.shard.is_some() {
        shard::begin(&options.out)?;
    }
    if desk.journal.damaged() > 0 {
        let damaged = desk.journal.damaged();
        on_event(Event::Note(&format!("{damaged} damaged lines of results.jsonl are done again")));
    }
    // The journal keeps others out of the folder.
    let is_remembered = options.memory && options.job.to.is_some();
    let precision = options.runtime.precision_key();
    let device = options.runtime.device.to_string();
    // Who wants all done again wants it of the models.
    let open = || JobMemory::open(&options.out, (&device, precision), options.force);
    let memory = is_remembered.then(open).transpose()?;
    let mut outcome = BatchOutcome::default();
    let remaining = Mutex::new(Remaining::begin(&options.out)?);
    let (mut desk, mut ended) = (desk, Ok(()));
    for prepared in prepared {
        let (memory, remaining) = (memory.as_ref(), &remaining);
        let pass = Pass { batch, prepared, memory, remaining, cancel, on_event };
        (desk, ended) = pass.run(desk, &mut outcome)?;
        if ended.is_err() {
            break;
        }
    }
    // What is done is kept and shown, also after an interruption.
    let is_changed = desk.journal.compact()?;
    if is_changed || !is_current(&options.out, &desk, &meta(batch)) {
        write_report(&options.out, &desk, meta(batch))?;
    }
    batch.write_memory(&desk.journal, on_event)?;
    ended?;
    if let Some(memory) = &memory {
        (outcome.sentences, outcome.known_sentences) = memory.counts();
    }
    if options.shard.is_some() {
        shard::complete(&options.out, meta(batch).title, &desk)?;
    }
    Ok(outcome)
}

/// The job for one language.
struct Pass<'a> {
    batch: &'a BatchJob,
    prepared: Prepared<'a>,
    /// What was translated in this run and earlier ones.
    memory: Option<&'a JobMemory>,
    remaining: &'a Mutex<Remaining>,
    cancel: &'a CancelToken,
    on_event: OnEvent<'a>,
}

impl Pass<'_> {
    /// Does it. The desk comes back with what is done, and the error that ended it.
    fn run(self, desk: Desk, outcome: &mut BatchOutcome) -> Result<(Desk, Result<()>)> {
        let Pass { batch, prepared, memory, remaining, cancel, on_event } = self;
        let options = &batch.options;
        let keys = prepared.keys(batch, on_event);
        let Prepared { job, models, memories } = prepared;
        let mut met = Met { desk, outcome: *outcome, renamed: (0, None) };
        let found = survey(batch, &mut met, &keys, cancel)?;
        if let Some(found) = &found {
            let mut remaining = lock(remaining);
            remaining.plan(job.to.as_ref(), found.count());
            for (target, &new) in &found.later {
                remaining.plan(Some(target), Count { new, again: 0 });
            }
            remaining.write()?;
        }
        // What is done alone is no run of these settings.
        if !options.retry_failed {
            let changed = changes(&options.out, job.to.as_ref(), &keys.key.to_json())?;
            let warning = found.as_ref().and_then(|found| warning(found, &changed));
            warning.iter().for_each(|warning| on_event(Event::Note(warning)));
        }
        let run = Run {
            batch,
            job,
            models,
            open: Mutex::new(None),
            groups: GROUPS.min(options.group).max(1),
            group_bytes: AtomicUsize::new(GROUP_BYTES),
            keys,
            memory,
            remaining,
            memories,
            is_surveyed: found.is_some(),
            state: Mutex::new(State {
                met,
                ways: BTreeMap::new(),
                tally: Tally::new(found.as_ref()),
                is_outdated: false,
            }),
            cancel,
            on_event,
        };
        let again = found.map(|found| found.again);
        let mut coming = Coming { articles: articles(batch, again), groups: 0 };
        let ended = in_flight(
            run.groups,
            // What is finished is written; the journal puts it in order at the end.
            Order::AsDone,
            || run.next_group(&mut coming),
            |group| run.work(group),
            |records| run.keep(records),
        );
        on_event(Event::Worked);
        if ended.is_ok() {
            run.tell();
        }
        let state = run.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        *outcome = state.met.outcome;
        Ok((state.met.desk, ended))
    }
}

/// A job that is being run for one language.
struct Run<'a> {
    batch: &'a BatchJob,
    job: &'a Job,
    models: ResolvedModels,
    /// See [`Pass::memory`].
    memory: Option<&'a JobMemory>,
    remaining: &'a Mutex<Remaining>,
    /// What the user has brought.
    memories: Option<ReadMemories>,
    /// Opened when the first article is found that needs them.
    open: Mutex<Option<Arc<OpenModels>>>,
    /// Groups in the works at once.
    groups: usize,
    /// Bytes of text that a group has, about.
    group_bytes: AtomicUsize,
    keys: Keys<'a>,
    /// Whether all articles have been met before the work begins.
    is_surveyed: bool,
    state: Mutex<State>,
    cancel: &'a CancelToken,
    on_event: OnEvent<'a>,
}

/// What changes while a job runs.
struct State {
    met: Met,
    /// Articles by the languages and the models that were chosen for them.
    ways: BTreeMap<(Vec<Lang>, String), usize>,
    tally: Tally,
    /// Whether there are records that the report does not show.
    is_outdated: bool,
}

/// The articles that are still to come.
struct Coming<I> {
    articles: I,
    /// Groups so far.
    groups: usize,
}

/// Articles that go through the models together.
struct Group<'a> {
    number: usize,
    articles: Vec<ReadArticle>,
    /// By the hashes of their bytes.
    keys: HashMap<String, String>,
    /// Where each came from.
    files: Vec<&'a FoundFile>,
}

/// A record, and the file that its article came from.
type Made<'a> = (Record, &'a FoundFile);

impl<'a> Run<'a> {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// The next articles that are to be done; none at the end.
    fn next_group(
        &self,
        coming: &mut Coming<impl Iterator<Item = (&'a FoundFile, ReadArticle)>>,
    ) -> Result<Option<Group<'a>>> {
        coming.groups += 1;
        let mut group = Group {
            number: coming.groups,
            articles: Vec::new(),
            keys: HashMap::new(),
            files: Vec::new(),
        };
        let options = &self.batch.options;
        let most = if options.timeout.is_some() { 1 } else { options.group / self.groups };
        let (mut bytes, most_bytes) = (0, self.group_bytes.load(Ordering::Relaxed));
        while group.articles.len() < most && bytes < most_bytes {
            self.cancel.check()?;
            let Some((file, mut article)) = coming.articles.next() else { break };
            if !self.is_to_do(&mut article, file)? {
                continue;
            }
            let sha256 = &source(&article).sha256;
            group.keys.insert(sha256.clone(), self.keys.of(&article)?);
            bytes += article.as_ref().map_or(0, |raw| raw.text.len());
            group.articles.push(article);
            group.files.push(file);
        }
        if group.articles.is_empty() {
            return Ok(None);
        }
        self.state().tally.begin(group.number, bytes);
        Ok(Some(group))
    }

    /// Whether an article is to be done. It gets the id that it has in the output folder.
    fn is_to_do(&self, article: &mut ReadArticle, file: &FoundFile) -> Result<bool> {
        let met = &mut self.state().met;
        if !self.is_surveyed {
            return Ok(met.meet(article, file, self.batch, &self.keys)?.is_some());
        }
        met.desk.give_id(article, file);
        let fate = met.desk.fate(article, self.batch, self.job, Some(&self.keys))?;
        Ok(matches!(fate, Fate::ToDo(_)))
    }

    /// Puts a group through the models.
    fn work(&self, group: Group<'a>) -> Result<Vec<Made<'a>>> {
        let Group { number, articles, keys, files } = group;
        let key = |source: &Source| keys.get(&source.sha256).cloned().unwrap_or_default();
        // What an article that takes too long is remembered by.
        let only =
            articles.first().map(|article| (id(article).to_string(), source(article).clone()));
        let patience = self.batch.options.timeout;
        // An article that only failed to be read needs no model.
        let open = articles.iter().any(Result::is_ok).then(|| self.models()).transpose()?;
        let (begun, over) = (Instant::now(), AtomicBool::new(false));
        let progress = |progress| {
            self.state().tally.advance(number, progress);
            self.show();
            let is_over = patience.is_some_and(|patience| begun.elapsed() > patience);
            over.fetch_or(is_over, Ordering::Relaxed);
            !is_over && !self.cancel.is_cancelled()
        };
        let unread = OpenModels::default();
        let models = open.as_deref().unwrap_or(&unread);
        let known = Known {
            memory: self.memories.as_ref().map(|read| &read.memory),
            earlier: self.memory.map(|memory| memory as &dyn Memory),
        };
        let run = |articles, progress: &(dyn Fn(Progress) -> bool + Sync)| {
            models.with(self.on_event, |models| {
                let models = Models { known, ..*models };
                pipeline::run(articles, self.job, &models, &key, progress)
            })
        };
        let records = match (run(articles, &progress), patience, only) {
            (Err(Error::Interrupted), Some(patience), Some((id, source)))
                if over.into_inner() && !self.cancel.is_cancelled() =>
            {
                let seconds = patience.as_secs();
                let message = format!(
                    "takes longer than {seconds} seconds, the limit of --timeout; raise it and run \
                     with --retry-failed"
                );
                let error = Error::input(&id, message);
                run(vec![Err(Box::new(ReadFailure { id, source, error }))], &|_| true)
            }
            (records, ..) => records,
        };
        self.state().tally.end(number);
        Ok(records?.into_iter().zip(files).collect())
    }

    /// The models of the job, which are opened when they are needed first.
    fn models(&self) -> Result<Arc<OpenModels>> {
        let mut open = lock(&self.open);
        if let Some(open) = &*open {
            return Ok(open.clone());
        }
        let runtime = self.batch.options.runtime.open(self.cancel, self.on_event)?;
        if runtime.candle {
            self.group_bytes.store(GROUP_BYTES_GPU, Ordering::Relaxed);
        }
        let models = Arc::new(self.models.open(&runtime, self.on_event)?);
        Ok(open.insert(models).clone())
    }

    /// Tells how far the job is.
    fn show(&self) {
        let progress = self.state().tally.progress();
        (self.on_event)(Event::Progress(&progress));
    }

    /// Writes the files of articles, and then, when these last over a power cut, their records.
    fn keep(&self, made: Vec<Made<'_>>) -> Result<()> {
        let (mut files, mut whole) = (Files::default(), Vec::new());
        let written = made.into_iter().try_for_each(|(mut record, file)| {
            self.write(&mut record, file, &mut files)?;
            whole.push((record, file));
            Ok(())
        });
        files.put()?;
        let noted = whole.into_iter().try_for_each(|(record, file)| self.note(record, file));
        lock(self.remaining).write()?;
        noted.and(written)
    }

    /// Writes an article's files.
    fn write(&self, record: &mut Record, file: &FoundFile, files: &mut Files) -> Result<()> {
        if self.batch.options.strict {
            refuse_doubts(record);
        }
        if record.translation.is_some() || record.summary.is_some() {
            let language = &self.job.to.clone().unwrap_or(record.language.code.clone());
            let name = self.batch.names.name(&record.id, language);
            self.batch.write(&name, record, files)?;
            record.output = Some(name);
            self.batch.write_bilingual(record, files)?;
            if let Err(error) = self.write_document(record, file, language) {
                fail(record, &error);
            }
        }
        Ok(())
    }

    /// Notes an article as done whose files are there.
    fn note(&self, record: Record, file: &FoundFile) -> Result<()> {
        let mut state = self.state();
        match (&record.status, &record.error) {
            (Status::Failed, Some(error)) => {
                state.met.outcome.failed += 1;
                // Most messages name the file themselves.
                let message = if error.message.contains(&record.id) {
                    error.message.clone()
                } else {
                    format!("{}: {}", record.id, error.message)
                };
                (self.on_event)(Event::Warning(&message));
            }
            _ => state.met.outcome.done += 1,
        }
        state.met.outcome.to_check += usize::from(report::is_doubtful(&record));
        if let Some(translation) = record.translation.as_ref().filter(|t| !t.steps.is_empty()) {
            let way = (translation.route.clone(), translation.model.clone());
            *state.ways.entry(way).or_default() += 1;
        }
        if !file.is_stdin() {
            state.met.desk.origins.note(&record.id, &file.path, &record.source.sha256)?;
        }
        if !std::mem::replace(&mut state.is_outdated, true) {
            outdate(&self.batch.options.out)?;
        }
        let of = RecordId::of(&record);
        let had_record = state.met.desk.journal.find(of).is_some();
        state.met.desk.journal.append(&record)?;
        lock(self.remaining).finish(self.job.to.as_ref(), had_record);
        state.tally.finish(&record);
        drop(state);
        (self.on_event)(Event::Finished(&record));
        self.show();
        Ok(())
    }

    /// Writes the translated document beside the article's file, where the source is one.
    ///
    /// # Errors
    /// When the source is gone or another by now, or the document cannot be written.
    fn write_document(&self, record: &mut Record, file: &FoundFile, language: &Lang) -> Result<()> {
        let format = document::of_format(record.source.format);
        let Some(format) = format.filter(|_| record.translation.is_some()) else { return Ok(()) };
        let reading = &self.batch.options.reading;
        let bytes = read_again(file, &record.source.sha256, reading.max_bytes)?;
        let translated =
            |placement| translated_document(format, &bytes, record, reading, placement);
        let name = self.batch.names.document(&record.id, language);
        atomic(&self.batch.options.out.join(&name), &translated(Placement::Instead)?)?;
        let bilingual = self.batch.options.bilingual;
        if bilingual.is_some_and(|bilingual| bilingual.is_document(record.source.format)) {
            let path = self.batch.bilingual_path(record);
            atomic(&path, &translated(Placement::Beside)?)?;
        }
        record.document = Some(name);
        Ok(())
    }

    /// Says which model has translated what, where that was left to the program, and which pairs
    /// it would do better with another; and which articles have another name.
    fn tell(&self) {
        let state = self.state();
        for ((languages, model), number) in &state.ways {
            let way: Vec<&str> = languages.iter().map(Lang::as_str).collect();
            let way = way.join(" → ");
            (self.on_event)(Event::Note(&format!("{number:>5} {way:<14} {model}")));
        }
        let chooser = self.keys.chooser.as_ref().filter(|_| !state.ways.is_empty());
        let remarks = chooser.map(|chooser| chooser.remarks()).unwrap_or_default();
        remarks.iter().for_each(|remark| (self.on_event)(Event::Note(remark)));
        if let (number, Some(first)) = &state.met.renamed {
            let out = self.batch.options.out.display();
            let note = format!(
                "articles from elsewhere have the same names in {out}: {number} of these are called \
                 otherwise there, as {first}"
            );
            (self.on_event)(Event::Note(&note));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The report of a job, so far as the records do not say it themselves.
fn meta(batch: &BatchJob) -> report::Meta {
    let options = &batch.options;
    let inputs: Vec<String> = options.inputs.iter().map(|p| p.display().to_string()).collect();
    report::Meta {
        title: inputs.join(", "),
        target: options.job.to.clone().filter(|_| options.further.is_empty()),
        ..report::Meta::default()
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
