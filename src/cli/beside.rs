//! What `translate` takes from translation memories, and what it writes beside translations.

use super::args::{Beside, OutputFormat, Translate};
use super::plan::Environment;
use crate::error::{Error, Result};
use crate::job::{Bilingual, ReadMemories, read_memories, write_tmx};
use crate::pipeline::{Job, Models};
use crate::report::BilingualForm;
use crate::task::translate::Known;
use crate::types::{Record, TranslationRecord};
use std::cell::RefCell;
use std::path::PathBuf;

/// Translation memories of a one-off command, in and out, and the form of two languages.
#[derive(Default)]
pub(super) struct Sides {
    memories: Option<ReadMemories>,
    write_tm: Option<PathBuf>,
    pub bilingual: Option<Bilingual>,
    /// Records that were made, without the texts that a translation memory has no use for.
    written: RefCell<Vec<Record>>,
}

impl Sides {
    /// Reads the translation memories, and makes the job say what is needed.
    ///
    /// # Errors
    /// When flags contradict each other, or a memory cannot be read.
    pub fn of(env: &Environment, args: &Translate, job: &mut Job) -> Result<Sides> {
        let Beside { tm, write_tm, bilingual } = &args.beside;
        let is_json = args.plain_format() == OutputFormat::Json;
        let wrong = match (bilingual, write_tm) {
            (Some(_), _) if is_json => Some("--bilingual is for texts; in JSON, see \"segments\""),
            (Some(_), _) | (_, Some(_)) if args.lines => {
                Some("--bilingual and --write-tm are for articles: leave --lines away")
            }
            _ => None,
        };
        if let Some(message) = wrong {
            return Err(Error::Usage(message.into()));
        }
        job.segments = bilingual.is_some() || write_tm.is_some();
        Ok(Sides {
            memories: read_memories(tm, job.to.as_ref(), &env.listener())?,
            write_tm: write_tm.clone(),
            bilingual: bilingual.map(Bilingual::from),
            written: RefCell::default(),
        })
    }

    /// Models that are not asked for what is known.
    pub fn with<'a>(&'a self, models: &Models<'a>) -> Models<'a> {
        let memory = self.memories.as_ref().map(|read| &read.memory);
        Models { known: Known { memory, ..models.known }, ..*models }
    }

    /// The form of texts in two languages, where that is wanted.
    pub fn form(&self) -> Option<&'static BilingualForm> {
        self.bilingual.map(Bilingual::form)
    }

    /// Whether documents become texts in two languages.
    pub fn makes_texts(&self) -> bool {
        self.bilingual.is_some_and(|bilingual| bilingual != Bilingual::OfSource)
    }

    /// Takes in what was made.
    pub fn take(&self, record: &Record) {
        if self.write_tm.is_some() && record.segments.is_some() {
            let short = |translation: &TranslationRecord| TranslationRecord {
                text: String::new(),
                blocks: Vec::new(),
                alignments: Vec::new(),
                ..translation.clone()
            };
            let translation = record.translation.as_ref().map(short);
            let summary = None;
            self.written.borrow_mut().push(Record { translation, summary, ..record.clone() });
        }
    }

    /// Writes the translation memory, where one is wanted.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self, env: &Environment, job: &Job) -> Result<()> {
        let Some(path) = &self.write_tm else { return Ok(()) };
        let records = self.written.into_inner().into_iter().map(Ok);
        write_tmx(path, records, job.from.as_ref(), &env.listener())
    }
}
