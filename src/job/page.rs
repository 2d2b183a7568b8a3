//! The page that shows all records of an output folder.

use super::todo::Desk;
use crate::error::Result;
use crate::io::write::atomic_with;
use crate::report;
use std::path::Path;

/// Its name.
const REPORT: &str = "report.html";

/// Writes the page that shows all records of an output folder.
pub(super) fn write_report(out: &Path, desk: &Desk, meta: report::Meta) -> Result<()> {
    // An error of the journal is told here; below it would be an article less.
    desk.journal.records()?;
    let now = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
    let created = now.replace('T', " ").replace('Z', " UTC");
    let meta = report::Meta { created, ..meta };
    let records = || desk.journal.records().into_iter().flatten();
    atomic_with(&out.join(REPORT), |out| report::html(records, &meta, out))
}
