//! An output folder looked at from outside: how far its job is, whether all of it is there, and
//! what in it nobody needs.

use super::page::write_report;
use super::remaining::Remaining;
use super::todo::Desk;
use crate::error::{Error, Result};
use crate::io::journal::{Journal, RecordId, is_being_written};
use crate::io::names::is_inside;
use crate::report::{self, MARKDOWN};
use crate::types::{Lang, Record, Status};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct JobStatus {
    /// Records that have a result.
    pub done: usize,
    /// Records that say why they have none, by the kind of the error.
    pub failed: BTreeMap<String, usize>,
    /// Records with something that a check complains of.
    pub to_check: usize,
    /// Articles that the last run has left without a record; `None` where it does not know, as of
    /// what comes through a pipe.
    pub to_do: Option<usize>,
    /// Articles that it has left with an earlier record, which is not what it would make.
    pub to_do_again: usize,
    /// Records by the article's language and the one that was asked for.
    pub languages: BTreeMap<(Lang, Option<Lang>), usize>,
    /// Records by the model that translated.
    pub models: BTreeMap<String, usize>,
    /// Lines of the journal that cannot be read.
    pub damaged: usize,
    /// Whether a process is writing there.
    pub is_running: bool,
}

/// Looks how far the job of an output folder is, while it runs perhaps.
///
/// # Errors
/// When there is no job, or its journal cannot be read.
pub fn status(out: &Path) -> Result<JobStatus> {
    let journal = Journal::look(out)?;
    let remaining = Remaining::look(out);
    let mut status = JobStatus {
        to_do: remaining.map(|count| count.new),
        to_do_again: remaining.map_or(0, |count| count.again),
        damaged: journal.damaged(),
        is_running: is_being_written(out),
        ..JobStatus::default()
    };
    for record in journal.records()? {
        let record = record?;
        match (record.status, &record.error) {
            (Status::Failed, error) => {
                let kind = error.as_ref().map_or("", |error| &error.kind);
                *status.failed.entry(kind.into()).or_default() += 1;
            }
            _ => status.done += 1,
        }
        status.to_check += usize::from(report::is_doubtful(&record));
        if let Some(translation) = &record.translation {
            *status.models.entry(translation.model.clone()).or_default() += 1;
        }
        *status.languages.entry((record.language.code, record.target)).or_default() += 1;
    }
    Ok(status)
}

/// Something that is not as it was left.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// So many lines of the journal cannot be read: their articles are done again.
    Damaged(usize),
    /// A file of this name is gone: the next run writes it again.
    Gone(String),
    /// A file of this name is not what its record makes.
    Changed(String),
}

/// Compares the files of an output folder with its records.
///
/// # Errors
/// When there is no job, or its journal cannot be read.
pub fn verify(out: &Path, found: &mut dyn FnMut(Finding)) -> Result<usize> {
    let journal = Journal::look(out)?;
    if journal.damaged() > 0 {
        found(Finding::Damaged(journal.damaged()));
    }
    for record in journal.records()? {
        let record = record?;
        if let Some(name) = &record.output {
            match fs::read(out.join(name)) {
                Ok(bytes) if bytes == (MARKDOWN.write)(&record).as_bytes() => {}
                Ok(_) => found(Finding::Changed(name.clone())),
                Err(_) => found(Finding::Gone(name.clone())),
            }
        }
        // What a document holds, its record does not.
        if let Some(name) = record.document.filter(|name| !out.join(name).exists()) {
            found(Finding::Gone(name));
        }
    }
    Ok(journal.len())
}

/// What [`clean`] removes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Records of articles that failed.
    pub failed: usize,
    /// Records, with their files, of articles whose source is gone.
    pub gone: usize,
}

/// Removes from an output folder the records of articles that failed, so that the next run does
/// them, and, where that is asked for, the records and files of articles whose source is not there
/// any more. Sources are looked for from the current folder, as the job's inputs were named. Unless
/// it is `real`, nothing is removed.
///
/// # Errors
/// When there is no job, another process is writing there, or none of the sources is there: then
/// this is another folder than the job was run in.
pub fn clean(out: &Path, sources: bool, real: bool) -> Result<Cleaned> {
    // A folder without a job is none to begin one in.
    drop(Journal::look(out)?);
    let mut desk = Desk::open(out)?;
    let is_there = |record: &Record| {
        let path = Path::new(&record.source.path);
        // What lies in an archive has a path through that.
        path.exists() || path.ancestors().any(Path::is_file)
    };
    let (mut cleaned, mut there, mut drops) = (Cleaned::default(), 0, Vec::new());
    for record in desk.journal.records()? {
        let record = record?;
        if record.status == Status::Failed {
            cleaned.failed += 1;
            drops.push(record);
        } else if sources && !is_there(&record) {
            cleaned.gone += 1;
            drops.push(record);
        } else {
            there += 1;
        }
    }
    if cleaned.gone > 0 && there == 0 {
        return Err(Error::Usage(format!(
            "none of the {} articles of {} is found from here; run this in the folder in which the \
             job was run",
            cleaned.gone,
            out.display()
        )));
    }
    if !real || drops.is_empty() {
        return Ok(cleaned);
    }
    for record in &drops {
        let names = record.output.iter().chain(&record.document);
        for name in names.filter(|name| is_inside(name)) {
            // One that is gone already is as it should be.
            let _ = fs::remove_file(out.join(name));
        }
        desk.journal.forget(RecordId::of(record));
    }
    desk.journal.compact()?;
    write_report(out, &desk, report::Meta::default())?;
    Ok(cleaned)
}
