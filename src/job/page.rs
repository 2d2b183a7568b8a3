//! The pages that show all records of an output folder.

use super::todo::Desk;
use crate::error::{Error, Result};
use crate::io::write::{atomic, atomic_pages};
use crate::report::{self, PAGES};
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
    atomic(&out.join(STAMP), (stamp + &pages.join("\n")).as_bytes())
}

/// Removes numbered pages of a larger report. Other files of that folder are somebody's: articles
/// from an input folder of this name have theirs there.
fn remove_old(folder: &Path, is_new: impl Fn(&str) -> bool) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_page = name.strip_suffix(".html").is_some_and(|number| {
            number.len() >= 4 && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        if is_page && !is_new(&name) {
            let path = entry.path();
            fs::remove_file(&path).map_err(Error::io("removing", &path))?;
        }
    }
    // It stays where it is not empty.
    let _ = fs::remove_dir(folder);
    Ok(())
}

/// Whether the pages are those that would be written now, and all of them are there: with many
/// records, writing them takes longer than all else where there is nothing to do.
pub(super) fn is_current(out: &Path, desk: &Desk, meta: &report::Meta) -> bool {
    let known = fs::read_to_string(out.join(STAMP)).unwrap_or_default();
    let pages = known.strip_prefix(&stamp(desk, meta));
    pages.is_some_and(|pages| pages.lines().all(|name| out.join(name).is_file()))
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
    format!("{version}\n{records}\n{:?}\n{:?}\n{:?}\n", meta.title, meta.target, meta.notes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Limits, Meta};
    use crate::types::Record;
    use serde_json::{from_value, json};

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

    fn record(id: &str) -> Record {
        from_value(json!({
            "id": id, "key": "", "status": "ok", "checks": {"segments": 0, "retried": 0},
            "source": {"path": id, "format": "text", "bytes": 1, "sha256": ""},
            "language": {"code": "en", "confidence": 1.0},
            "stats": {"source_tokens": 0, "target_tokens": 0, "seconds": 0.0},
        }))
        .unwrap()
    }

    #[test]
    fn a_page_that_is_gone_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (out, mut desk) = (folder.path(), Desk::open(folder.path()).unwrap());
        ["a", "b", "c"].iter().for_each(|id| desk.journal.append(&record(id)).unwrap());
        let limits = Limits { articles: 1, page_articles: 1, ..Limits::default() };
        let meta = Meta { limits, ..Meta::default() };
        assert!(!is_current(out, &desk, &meta));
        for name in [report::REPORT.to_string(), format!("{PAGES}/0002.html")] {
            write_report(out, &desk, meta.clone()).unwrap();
            assert!(is_current(out, &desk, &meta));
            fs::remove_file(out.join(&name)).unwrap();
            assert!(!is_current(out, &desk, &meta), "{name}");
        }
        write_report(out, &desk, meta.clone()).unwrap();
        let noted = Meta { notes: vec!["2 files were skipped".into()], ..meta.clone() };
        assert!(!is_current(out, &desk, &noted));
        outdate(out).unwrap();
        assert!(!is_current(out, &desk, &meta));
    }
}
