//! What a job writes beside its records: a file for each, source and translation side by side, and
//! a translation memory of all of it.

use super::BatchJob;
use crate::error::Result;
use crate::event::{Event, OnEvent};
use crate::io::journal::{Journal, RecordId, Translated};
use crate::io::write::{Files, atomic_with};
use crate::report::{self, BilingualForm, TmxCounts};
use crate::types::{Format, Lang, Record};
use std::path::{Path, PathBuf};

/// How source and translation are put side by side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bilingual {
    /// Documents as documents of their own format with both languages in them, the rest as
    /// Markdown.
    #[default]
    OfSource,
    /// In Markdown, block by block.
    Markdown,
    /// As an HTML page of two columns.
    Html,
    /// As a table, `source,target,problems`, a row for each sentence.
    Csv,
}

impl Bilingual {
    /// The form of what is no document.
    pub(crate) fn form(self) -> &'static BilingualForm {
        let name = match self {
            Bilingual::OfSource | Bilingual::Markdown => "markdown",
            Bilingual::Html => "html",
            Bilingual::Csv => "csv",
        };
        report::bilingual_form(name).unwrap_or(report::BILINGUAL_FORMS[0])
    }

    /// Whether a text of this format becomes a document in both languages.
    pub(crate) fn is_document(self, format: Format) -> bool {
        self == Bilingual::OfSource && format.is_document()
    }
}

impl BatchJob {
    /// Whether an article that is done has to be done again, for what is wanted beside its record
    /// cannot be made of the record: `translated` says what that has.
    pub(super) fn needs_more(
        &self,
        of: RecordId<'_>,
        format: Format,
        translated: Translated,
    ) -> bool {
        let options = &self.options;
        match (translated, options.bilingual) {
            (Translated::No, _) => false,
            (Translated::WithoutSegments, None) => options.write_tm.is_some(),
            (Translated::WithoutSegments, Some(_)) => true,
            (Translated::InSegments, None) => false,
            (Translated::InSegments, Some(bilingual)) => {
                bilingual.is_document(format) && !self.bilingual_of(of, format).exists()
            }
        }
    }

    /// Whether the file of an article in both languages is missing that its record can make:
    /// `translated` says what that has.
    pub(super) fn lacks_bilingual(
        &self,
        of: RecordId<'_>,
        format: Format,
        translated: Translated,
    ) -> bool {
        self.options.bilingual.is_some()
            && translated == Translated::InSegments
            && !self.bilingual_of(of, format).exists()
    }

    /// The file of an article in both languages.
    pub(super) fn bilingual_path(&self, record: &Record) -> PathBuf {
        self.bilingual_of(RecordId::of(record), record.source.format)
    }

    fn bilingual_of(&self, of: RecordId<'_>, format: Format) -> PathBuf {
        let bilingual = self.options.bilingual.unwrap_or_default();
        let to = of.target.cloned().unwrap_or_else(Lang::und);
        self.options.out.join(if bilingual.is_document(format) {
            self.names.bilingual_document(of.id, &to)
        } else {
            self.names.bilingual(of.id, &to, bilingual.form().extension)
        })
    }

    /// Writes the file of a record.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write(&self, name: &str, record: &Record, files: &mut Files) -> Result<()> {
        let text = (self.writer.write)(record);
        files.write(self.options.out.join(name), text.as_bytes())
    }

    /// Writes the files of a record again that are gone.
    ///
    /// # Errors
    /// When one cannot be written.
    pub(super) fn rewrite(&self, record: &Record) -> Result<()> {
        let mut files = Files::default();
        let is_gone = |name: &&String| !self.options.out.join(name).exists();
        if let Some(name) = record.output.as_ref().filter(is_gone) {
            self.write(name, record, &mut files)?;
        }
        if !self.bilingual_path(record).exists() {
            self.write_bilingual(record, &mut files)?;
        }
        files.put()
    }

    /// Writes an article that is no document, or not to become one, in both languages.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn write_bilingual(&self, record: &Record, files: &mut Files) -> Result<()> {
        let Some(bilingual) = self.options.bilingual else { return Ok(()) };
        if record.segments.is_none() || bilingual.is_document(record.source.format) {
            return Ok(());
        }
        let form = bilingual.form();
        let text = [(form.start)(), (form.article)(record), form.end.to_string()].concat();
        files.write(self.bilingual_path(record), text.as_bytes())
    }

    /// Writes the segments of all records as a translation memory, where one is wanted.
    ///
    /// # Errors
    /// When the file cannot be written, or the journal cannot be read.
    pub(super) fn write_memory(&self, journal: &Journal, on_event: OnEvent<'_>) -> Result<()> {
        let Some(path) = &self.options.write_tm else { return Ok(()) };
        write_tmx(path, journal.records()?, self.options.job.from.as_ref(), on_event)
    }
}

/// Writes records as a translation memory, and tells what is in it.
///
/// # Errors
/// When the file cannot be written.
pub fn write_tmx(
    path: &Path,
    records: impl Iterator<Item = Result<Record>>,
    from: Option<&Lang>,
    on_event: OnEvent<'_>,
) -> Result<()> {
    let mut counts = TmxCounts::default();
    atomic_with(path, |out| {
        counts = report::tmx(records, from, out)?;
        Ok(())
    })?;
    let TmxCounts { units, doubtful } = counts;
    let mut note = format!("{}: {}", path.display(), report::counted(units, "sentence"));
    if doubtful > 0 {
        note += &format!("; left out as doubtful: {}", report::number(doubtful));
    }
    on_event(Event::Note(&note));
    Ok(())
}
