//! The pages that show all records of an output folder.

use super::todo::Desk;
use crate::error::{Error, Result};
use crate::io::write::{atomic, atomic_pages};
use crate::report::{self, PAGES, REPORT};
use std::fs;
use std::path::Path;

/// The file that is there as long as the page shows all records, and says of which it is made.
const STAMP: &str = ".polygist.report";

/// Writes the pages that show all records of an output folder. The old ones are there until all new
/// ones are whole.
pub(super) fn write_report(out: &Path, desk: &Desk, meta: report::Meta) -> Result<()> {
    // An error of the journal is told here; below it would be an article less.
    desk.journal.records()?;
    let stamp = stamp(desk, &meta);
    let now = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
    let created = now.replace('T', " ").replace('Z', " UTC");
    let meta = report::Meta { created, ..meta };
    let records = || desk.journal.records().into_iter().flatten();
    let pages = atomic_pages(out, |open| report::html(records, &meta, open))?;
    remove_old(&out.join(PAGES), |name| pages.contains(&format!("{PAGES}/{name}")))?;
    atomic(&out.join(STAMP), stamp.as_bytes())
}

/// Removes numbered pages of a larger report. Other files of that folder are somebody's: articles
/// from an input folder of this name have theirs there.
fn remove_old(folder: &Path, is_new: impl Fn(&str) -> bool) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_page = name.strip_suffix(".html").is_some_and(|number| {
            number.len() >= 4 && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        if is_page && !is_new(&name) {
            let path = entry.path();
            std::fs::remove_file(&path).map_err(Error::io("removing", &path))?;
        }
    }
    // It stays where it is not empty.
    let _ = std::fs::remove_dir(folder);
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn pages_of_a_larger_report_go_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let (pages, path) = (folder.path().join(PAGES), |name: &str| folder.path().join(name));
        fs::create_dir(&pages).unwrap();
        let names =
            ["0001.html", "0002.html", "12345.html", "001.html", "0001.html.en.md", "a.html"];
        for name in names {
            fs::write(pages.join(name), "x").unwrap();
        }
        remove_old(&pages, |name| name == "0001.html").unwrap();
        let left: Vec<_> = names.into_iter().filter(|name| pages.join(name).exists()).collect();
        assert_eq!(left, ["0001.html", "001.html", "0001.html.en.md", "a.html"]);
        // A folder that held pages alone goes with them; none at all is no error.
        let alone = path("alone");
        fs::create_dir(&alone).unwrap();
        fs::write(alone.join("0007.html"), "x").unwrap();
        remove_old(&alone, |_| false).unwrap();
        remove_old(&alone, |_| false).unwrap();
        assert!(!alone.exists());
    }
}
