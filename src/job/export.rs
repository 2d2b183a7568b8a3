//! The records of an output folder as tables, in files that programs for data read as they are.

use crate::error::{Error, Result};
use crate::io::journal::Journal;
use crate::io::parquet::TableWriter;
use crate::io::write::folder_with;
use crate::report::{self, COLUMNS};
use crate::types::{Cell, Lang, Record};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Bytes of rows that wait for their row group to be full, for each language and in all.
const GROUP: usize = 8 << 20;
const GROUPS: usize = 64 << 20;

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// Parquet, a row for each record.
    Parquet,
    /// CSV with a first row of names, a row for each record.
    Csv,
    /// JSON Lines: the records as they are.
    Jsonl,
}

/// What [`export`] has written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Records.
    pub records: usize,
    /// Files that they are in.
    pub files: usize,
    /// Languages, each with a folder of its own.
    pub languages: usize,
}

/// Writes the records of an output folder into the folder `to`, in files of `most` records:
/// `language=fr/part-00000.parquet`, by the article's language. It may be done while a job runs.
///
/// # Errors
/// When there is no job, or `to` holds something or cannot be written.
pub fn export(out: &Path, to: &Path, format: ExportFormat, most: usize) -> Result<Exported> {
    let journal = Journal::look(out)?;
    folder_with(to, |folder| {
        let mut export = Export { folder, format, most: most.max(1), parts: BTreeMap::new() };
        let mut exported = Exported::default();
        for record in journal.records()? {
            export.take(&record?).map_err(Error::io("writing", to))?;
            exported.records += 1;
        }
        exported.languages = export.parts.len();
        exported.files = export.finish().map_err(Error::io("writing", to))?;
        Ok(exported)
    })
}

/// Files that are being written.
struct Export<'a> {
    folder: &'a Path,
    format: ExportFormat,
    most: usize,
    parts: BTreeMap<Lang, Part>,
}

/// The files of one language.
#[derive(Default)]
struct Part {
    /// Files so far.
    files: usize,
    /// The last one, unless it is full, and the records in it.
    open: Option<OpenFile>,
    records: usize,
    /// Rows that are still to be written, and their bytes.
    rows: Vec<Vec<Cell>>,
    bytes: usize,
}

enum OpenFile {
    Table(Box<TableWriter<BufWriter<File>>>),
    Text(BufWriter<File>),
}

impl Export<'_> {
    fn take(&mut self, record: &Record) -> io::Result<()> {
        let language = &record.language.code;
        let place = self.folder.join(format!("language={language}"));
        let part = self.parts.entry(language.clone()).or_default();
        let file = part.file(&place, self.format)?;
        match (file, self.format) {
            (OpenFile::Text(out), ExportFormat::Jsonl) => {
                out.write_all(report::record_line(record)?.as_bytes())?;
            }
            (OpenFile::Text(out), _) => {
                out.write_all(report::csv_row(report::row(record)).as_bytes())?;
            }
            (OpenFile::Table(_), _) => {
                let row = report::row(record);
                part.bytes += row.iter().map(Cell::size).sum::<usize>();
                part.rows.push(row);
            }
        }
        part.records += 1;
        if part.records == self.most {
            part.end()?;
        } else if part.bytes > GROUP {
            part.write_rows()?;
        }
        if self.parts.values().map(|part| part.bytes).sum::<usize>() > GROUPS {
            self.parts.values_mut().try_for_each(Part::write_rows)?;
        }
        Ok(())
    }

    /// Ends all files; returns how many there are.
    fn finish(self) -> io::Result<usize> {
        let end = |mut part: Part| part.end().map(|()| part.files);
        self.parts.into_values().map(end).sum()
    }
}

impl Part {
    /// The file that the next record goes to.
    fn file(&mut self, place: &Path, format: ExportFormat) -> io::Result<&mut OpenFile> {
        let open = match self.open.take() {
            Some(open) => open,
            None => {
                let extension = match format {
                    ExportFormat::Parquet => "parquet",
                    ExportFormat::Csv => "csv",
                    ExportFormat::Jsonl => "jsonl",
                };
                fs::create_dir_all(place)?;
                let name: PathBuf = place.join(format!("part-{:05}.{extension}", self.files));
                let mut out = BufWriter::new(File::create(name)?);
                self.files += 1;
                match format {
                    ExportFormat::Parquet => {
                        OpenFile::Table(Box::new(TableWriter::new(out, &COLUMNS)?))
                    }
                    ExportFormat::Csv => {
                        out.write_all(report::csv_header().as_bytes())?;
                        OpenFile::Text(out)
                    }
                    ExportFormat::Jsonl => OpenFile::Text(out),
                }
            }
        };
        Ok(self.open.insert(open))
    }

    fn write_rows(&mut self) -> io::Result<()> {
        if let Some(OpenFile::Table(table)) = self.open.as_mut().filter(|_| !self.rows.is_empty()) {
            table.rows(&self.rows)?;
            self.rows.clear();
            self.bytes = 0;
        }
        Ok(())
    }

    /// Ends the file.
    fn end(&mut self) -> io::Result<()> {
        self.write_rows()?;
        self.records = 0;
        let out = match self.open.take() {
            Some(OpenFile::Table(table)) => table.finish()?,
            Some(OpenFile::Text(out)) => out,
            None => return Ok(()),
        };
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    }
}
