//! What there is to do with an article: whether it has a record in the output folder, and whether
//! that is what the job would make of it.

use super::groups::{id, rename, source};
use super::keys::Keys;
use super::{BatchJob, BatchOutcome, ReadArticle};
use crate::error::Result;
use crate::io::articles::FoundFile;
use crate::io::journal::{Journal, Known, RESULTS, RecordId};
use crate::io::origins::Origins;
use crate::pipeline::Job;
use crate::types::{Lang, Source, Status};
use std::path::Path;

/// What is to become of an article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Its record is right.
    Done(Status),
    /// It is not asked for: what failed is to be tried again, and nothing else.
    Left,
    /// Its file is gone, and written again from its record.
    Rewrite,
    /// It is to be done.
    ToDo(Why),
}

impl Fate {
    /// Why the article is to be done, if it is.
    pub fn why(&self) -> Option<Why> {
        if let Fate::ToDo(why) = self { Some(*why) } else { None }
    }
}

/// Why an article is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It has no record.
    New,
    /// Its bytes are others than before.
    Changed,
    /// Models or settings are others than before.
    Settings,
    /// The document that was written for it is gone, or what is wanted beside its record cannot be
    /// made of that.
    Gone,
    /// It failed, and is to be tried again.
    Failed,
    /// All is to be done again.
    Forced,
}

impl Why {
    /// What articles are that are to be done for it.
    pub fn words(self) -> &'static str {
        match self {
            Why::New => "new",
            Why::Changed => "changed",
            Why::Settings => "made with other models or settings",
            Why::Gone => "whose files are gone",
            Why::Failed => "failed before",
            Why::Forced => "again",
        }
    }
}

/// The output folder as a run finds it, and leaves it.
pub(super) struct Desk {
    pub journal: Journal,
    pub origins: Origins,
}

/// The articles as a run has met them so far.
pub(super) struct Met {
    pub desk: Desk,
    pub outcome: BatchOutcome,
    /// How many articles have another id than their own, which was taken, and that of the first.
    pub renamed: (usize, Option<String>),
}

impl Met {
    /// Meets an article for the first time: it gets the id that it has in the output folder, and is
    /// counted, unless it is to be done; says why it is. One whose file is gone gets that again.
    ///
    /// # Errors
    /// When the work is cancelled, or the output folder cannot be written.
    pub fn meet(
        &mut self,
        article: &mut ReadArticle,
        file: &FoundFile,
        batch: &BatchJob,
        keys: &Keys<'_>,
    ) -> Result<Option<Why>> {
        let Met { desk, outcome, renamed } = self;
        if let Some(other) = desk.give_id(article, file) {
            renamed.0 += 1;
            renamed.1.get_or_insert(other);
        }
        let of = RecordId { id: id(article), target: keys.job.to.as_ref() };
        desk.journal.meet(of);
        match desk.fate(article, batch, keys.job, Some(keys))? {
            Fate::ToDo(why) => return Ok(Some(why)),
            Fate::Left => outcome.left += 1,
            Fate::Done(Status::Ok) => outcome.done_before += 1,
            Fate::Done(Status::Failed) => outcome.failed_before += 1,
            Fate::Rewrite => {
                outcome.done_before += 1;
                if let Some(record) = desk.journal.read(of)? {
                    batch.rewrite(&record)?;
                }
            }
        }
        if !file.is_stdin() {
            desk.origins.note(of.id, &file.path, &source(article).sha256)?;
        }
        Ok(None)
    }
}

impl Desk {
    /// The desk of an output folder to look at, if there is a job in it.
    ///
    /// # Errors
    /// As [`Journal::look`].
    pub fn look(out: &Path) -> Result<Option<Desk>> {
        let is_there = out.join(RESULTS).exists();
        let look = || Ok(Desk { journal: Journal::look(out)?, origins: Origins::open(out)? });
        is_there.then(look).transpose()
    }

    /// The desk of a job's output folder.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open(out: &Path) -> Result<Desk> {
        Ok(Desk { journal: Journal::open(out)?, origins: Origins::open(out)? })
    }

    /// Drops the record of a file that could not be read, once its articles have been: each of them
    /// has its own.
    pub fn forget_failed(&mut self, file: &FoundFile, target: Option<&Lang>) {
        let of = RecordId { id: &file.id, target };
        let has_failed = self.journal.find(of).is_some_and(|known| known.status == Status::Failed);
        // A file of the same name elsewhere is another one.
        if has_failed && !self.origins.is_of_another(of.id, &file.path, "") {
            self.journal.forget(of);
        }
    }

    /// Gives an article the id that it has here, and says it where that is not its own.
    pub fn give_id(&self, article: &mut ReadArticle, file: &FoundFile) -> Option<String> {
        let other = self.settle(id(article), file, source(article))?;
        rename(article, other.clone());
        Some(other)
    }

    /// The id that an article has here: its own, unless that is taken by an article of another
    /// place. Then as many folders before it as tell them apart, or else a number.
    fn settle(&self, id: &str, file: &FoundFile, source: &Source) -> Option<String> {
        // Whatever comes through a pipe comes from one place.
        let is_taken = |id: &str| self.origins.is_of_another(id, &file.path, &source.sha256);
        if file.is_stdin() || !is_taken(id) {
            return None;
        }
        let real = file.path.canonicalize().unwrap_or_else(|_| file.path.clone());
        let mut parts: Vec<String> =
            real.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        parts.truncate(parts.len().saturating_sub(file.id.split('/').count()));
        let folders = parts.into_iter().rev().filter(|part| part != "/");
        let longer = folders.scan(id.to_string(), |id, folder| {
            *id = format!("{folder}/{id}");
            Some(id.clone())
        });
        longer.chain((2..).map(|number| format!("{id}~{number}"))).find(|id| !is_taken(id))
    }

    /// What is to become of an article, whose key is asked for where it matters. Where keys are not
    /// known, its bytes decide.
    ///
    /// # Errors
    /// When the work is cancelled.
    pub fn fate(
        &self,
        article: &ReadArticle,
        batch: &BatchJob,
        job: &Job,
        keys: Option<&Keys<'_>>,
    ) -> Result<Fate> {
        let options = &batch.options;
        let of = RecordId { id: id(article), target: job.to.as_ref() };
        let known = self.journal.find(of);
        if options.retry_failed {
            let failed = known.is_some_and(|known| known.status == Status::Failed);
            return Ok(if failed { Fate::ToDo(Why::Failed) } else { Fate::Left });
        }
        let Some(known) = known else { return Ok(Fate::ToDo(Why::New)) };
        let sha256 = &source(article).sha256;
        if options.force {
            return Ok(Fate::ToDo(Why::Forced));
        }
        if !known.has_bytes(sha256) {
            return Ok(Fate::ToDo(Why::Changed));
        }
        // Which models there would be depends on the languages, which its record says.
        let key = keys.map(|keys| match known.languages() {
            None => keys.of(article),
            languages => keys.with(languages, sha256),
        });
        if key.transpose()?.is_some_and(|key| !known.has_key(&key)) {
            return Ok(Fate::ToDo(Why::Settings));
        }
        let (format, translated) = (source(article).format, known.translated());
        if batch.needs_more(of, format, translated) {
            return Ok(Fate::ToDo(Why::Gone));
        }
        let is_complete = !batch.lacks_bilingual(of, format, translated);
        Ok(match self.are_there(known, of, batch)? {
            (_, false) => Fate::ToDo(Why::Gone),
            (false, true) => Fate::Rewrite,
            (true, true) if !is_complete => Fate::Rewrite,
            (true, true) => Fate::Done(known.status),
        })
    }

    /// Whether the file and the document that were written for an article are still there.
    fn are_there(
        &self,
        known: Known<'_>,
        of: RecordId<'_>,
        batch: &BatchJob,
    ) -> Result<(bool, bool)> {
        let is_there = |name: &str| batch.options.out.join(name).exists();
        let language = of.target.or(known.languages().map(|languages| &languages.own));
        // The names that they would have now, or else those that the record has.
        if let Some(language) = language
            && (!known.has_output() || is_there(&batch.names.name(of.id, language)))
            && (!known.has_document() || is_there(&batch.names.document(of.id, language)))
        {
            return Ok((true, true));
        }
        let Some(record) = self.journal.read(of)? else { return Ok((true, true)) };
        let is_right = |name: &Option<String>| name.as_deref().is_none_or(is_there);
        Ok((is_right(&record.output), is_right(&record.document)))
    }
}
