//! The page that shows all records of an output folder.

use super::todo::Desk;
use crate::error::{Error, Result};
use crate::io::write::{atomic, atomic_with};
use crate::report;
use std::fs;
use std::path::Path;

/// Its name.
const REPORT: &str = "report.html";

/// The file that is there as long as the page shows all records, and says of which it is made.
const STAMP: &str = ".polygist.report";

/// Writes the page that shows all records of an output folder.
pub(super) fn write_report(out: &Path, desk: &Desk, meta: report::Meta) -> Result<()> {
    // An error of the journal is told here; below it would be an article less.
    desk.journal.records()?;
    let stamp = stamp(desk, &meta);
    let now = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
    let created = now.replace('T', " ").replace('Z', " UTC");
    let meta = report::Meta { created, ..meta };
    let records = || desk.journal.records().into_iter().flatten();
    atomic_with(&out.join(REPORT), |out| report::html(records, &meta, out))?;
    atomic(&out.join(STAMP), stamp.as_bytes())
}

/// Whether the page is the one that would be written now: with many records, writing it takes
/// longer than all else where there is nothing to do.
pub(super) fn is_current(out: &Path, desk: &Desk, meta: &report::Meta) -> bool {
    let known = fs::read(out.join(STAMP)).ok();
    out.join(REPORT).is_file() && known.is_some_and(|known| known == stamp(desk, meta).as_bytes())
}

/// Tells that there are records that the page does not show; before the first of them is written.
///
/// # Errors
/// When that cannot be told.
pub(super) fn outdate(out: &Path) -> Result<()> {
    let path = out.join(STAMP);
    match fs::remove_file(&path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("removing", &path)(e)),
        _ => Ok(()),
    }
}

fn stamp(desk: &Desk, meta: &report::Meta) -> String {
    let (version, records) = (env!("CARGO_PKG_VERSION"), desk.journal.len());
    format!("{version}\n{records}\n{}\n{:?}\n", meta.title, meta.target)
}
