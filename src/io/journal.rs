//! The journal of a batch, `results.jsonl` in its output folder: a line for each article and each
//! language that it was translated into, so that a run that was stopped goes on.

mod index;
mod line;

pub use line::{Known, Languages, RecordId, Translated};

use super::append::AppendFile;
use super::write::UNFINISHED;
use crate::error::{Error, Result};
use crate::types::Record;
use index::Index;
use line::{Head, Line};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, Instant};
use walkdir::WalkDir;

/// Name of the journal in the output folder.
pub const RESULTS: &str = "results.jsonl";

/// The file that is locked; the journal itself is replaced by [`Journal::compact`].
const LOCK: &str = ".polygist.lock";

/// The first bytes of every line.
const START: &[u8] = b"{\"id\":\"";

/// A line that is longer is not ours.
const LONGEST: u64 = u32::MAX as u64;

/// A record that a power cut takes is at most this old; a killed process loses none.
const SYNC_EVERY: Duration = Duration::from_millis(250);

/// `results.jsonl`, open for one process. Of the records only their places are held.
#[derive(Debug)]
pub struct Journal {
    file: AppendFile,
    index: Index,
    /// Lines that were superseded or are damaged.
    dead: usize,
    damaged: usize,
    synced: Instant,
    /// Held by whoever writes.
    _lock: Option<File>,
}

impl Journal {
    /// Opens the journal of an output folder, or starts one. A last line that was not written to
    /// its end is cut off.
    ///
    /// Fails when another process has it open, and when the folder has a `results.jsonl` that is
    /// something else.
    pub fn open(folder: &Path) -> Result<Journal> {
        fs::create_dir_all(folder).map_err(Error::io("creating the folder", folder))?;
        let lock = lock(folder)?;
        let path = folder.join(RESULTS);
        let journal = Journal::load(AppendFile::open(path)?, Some(lock))?;
        remove_unfinished(folder);
        Ok(journal)
    }

    /// Looks at the journal of an output folder, while another process may write there, and changes
    /// nothing.
    ///
    /// # Errors
    /// When there is none, or it is something else.
    pub fn look(folder: &Path) -> Result<Journal> {
        let path = folder.join(RESULTS);
        if !path.exists() {
            return Err(Error::Usage(format!(
                "{} holds no job; expected {RESULTS} in it, which `polygist batch --out` writes",
                folder.display()
            )));
        }
        Journal::load(AppendFile::look(path)?, None)
    }

    fn load(file: AppendFile, lock: Option<File>) -> Result<Journal> {
        let mut journal = Journal {
            file,
            index: Index::default(),
            dead: 0,
            damaged: 0,
            synced: Instant::now(),
            _lock: lock,
        };
        if !journal.take_in().map_err(Error::io("reading", journal.file.path()))? {
            let path = journal.file.path().display();
            return Err(Error::Usage(format!(
                "{path} exists and is no file of polygist's; name another output folder, or move that file away"
            )));
        }
        Ok(journal)
    }

    /// Takes in what is there; false, and nothing changed, when it was written by something else.
    fn take_in(&mut self) -> io::Result<bool> {
        let repairs = self._lock.is_some();
        let mut reader = self.file.reader()?;
        let mut line = Vec::new();
        let mut torn = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            let whole = line.last() == Some(&b'\n');
            let length = line.len() as u64;
            match serde_json::from_slice::<Head>(&line) {
                Ok(head) if length < LONGEST => {
                    let id = RecordId { id: &head.id, target: head.target.as_ref() }.digest();
                    let whole_length = length as u32 + u32::from(!whole);
                    self.dead += usize::from(
                        self.index.put(id, head.into_line(self.file.length(), whole_length)),
                    );
                    self.file.keep(length);
                    if !whole && repairs {
                        self.file.end_line()?;
                    }
                }
                _ if whole => {
                    self.damaged += usize::from(!line.trim_ascii().is_empty());
                    self.dead += 1;
                    self.file.keep(length);
                }
                _ => torn = line.clone(),
            }
            line.clear();
        }
        // Half of the first record is all that there is, or the zeros of a power cut, or it is not
        // ours.
        let half =
            START.starts_with(&torn) || torn.starts_with(START) || torn.iter().all(|&b| b == 0);
        if self.index.is_empty() && (self.damaged > 0 || !half) {
            return Ok(false);
        }
        if repairs {
            self.file.cut()?;
        }
        Ok(true)
    }

    /// The record, if there is one.
    pub fn find(&self, of: RecordId<'_>) -> Option<Known<'_>> {
        self.index.find(of.digest())
    }

    /// Notes that an article was met, in order: this is the order that [`Journal::compact`] gives
    /// the records.
    pub fn meet(&mut self, of: RecordId<'_>) {
        self.index.meet(of.digest());
    }

    /// Reads a record again.
    ///
    /// # Errors
    /// When the file cannot be read, or was changed by somebody else.
    pub fn read(&self, of: RecordId<'_>) -> Result<Option<Record>> {
        let Some(Known { line, .. }) = self.find(of) else { return Ok(None) };
        let path = self.file.path();
        let read = || {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(line.offset))?;
            let mut bytes = Vec::new();
            file.take(line.length.into()).read_to_end(&mut bytes)?;
            Ok(serde_json::from_slice(&bytes)?)
        };
        read().map(Some).map_err(Error::io("reading", path))
    }

    /// Lines in the file that could not be read when it was opened; their articles are done again.
    pub fn damaged(&self) -> usize {
        self.damaged
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a record. It takes the place of an earlier one of the same id and language. Written
    /// before this returns; after a power cut the last quarter of a second may be missing.
    pub fn append(&mut self, record: &Record) -> Result<()> {
        let mut bytes = serde_json::to_vec(record)
            .map_err(|e| Error::io("writing a record", self.file.path())(e.into()))?;
        bytes.push(b'\n');
        if bytes.len() as u64 > LONGEST {
            let message = "its record has more than 4 GB, the most that results.jsonl takes in a \
                line; divide the article";
            return Err(Error::input(&record.id, message));
        }
        let offset = self.file.append(&bytes, "writing a record")?;
        if self.synced.elapsed() >= SYNC_EVERY {
            self.file.sync().map_err(Error::io("writing a record", self.file.path()))?;
            self.synced = Instant::now();
        }
        let line = Line::of(record, offset, bytes.len() as u32);
        self.dead += usize::from(self.index.put(RecordId::of(record).digest(), line));
        Ok(())
    }

    /// Leaves one line for each article and language, the last one, in the order of articles; those
    /// that this run did not meet come after, in the order that they had. The file is replaced as a
    /// whole, and only when something changes; says whether it was.
    pub fn compact(&mut self) -> Result<bool> {
        self.file.sync().map_err(Error::io("writing", self.file.path()))?;
        let order = self.index.in_order();
        if self.dead == 0 && self.index.lines(&order).is_sorted_by_key(|line| line.offset) {
            return Ok(false);
        }
        let parts = self.index.lines(&order).map(|line| (line.offset, line.length.into()));
        self.file.replace(parts)?;
        self.index.move_to(&order);
        self.dead = 0;
        Ok(true)
    }

    /// Drops a record: [`Journal::compact`] leaves it out.
    pub fn forget(&mut self, of: RecordId<'_>) {
        self.dead += usize::from(self.index.forget(of.digest()));
    }

    /// The records, one at a time, in the order of the file; of several with one id and language
    /// the last.
    pub fn records(&self) -> Result<Records<'_>> {
        let path = self.file.path();
        let file = File::open(path).map_err(Error::io("reading", path))?;
        Ok(Records { journal: self, reader: BufReader::new(file), offset: 0 })
    }
}

/// The iterator of [`Journal::records`].
#[derive(Debug)]
pub struct Records<'a> {
    journal: &'a Journal,
    reader: BufReader<File>,
    offset: u64,
}

impl Iterator for Records<'_> {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        loop {
            line.clear();
            let offset = self.offset;
            match self.reader.read_until(b'\n', &mut line) {
                Ok(0) => return None,
                Ok(length) => self.offset += length as u64,
                Err(e) => return Some(Err(Error::io("reading", self.journal.file.path())(e))),
            }
            let Ok(head) = serde_json::from_slice::<Head>(&line) else { continue };
            let of = RecordId { id: &head.id, target: head.target.as_ref() };
            let current = self.journal.find(of).is_some_and(|known| known.line.offset == offset);
            if current {
                let bad = |e| {
                    Error::input(
                        self.journal.file.path().display().to_string(),
                        format!(
                            "the record of {} is not of this version: {e}; run with --force",
                            head.id
                        ),
                    )
                };
                return Some(serde_json::from_slice(&line).map_err(bad));
            }
        }
    }
}

fn lock(folder: &Path) -> Result<File> {
    let path = folder.join(LOCK);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(Error::io("opening the lock file", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let folder = folder.display();
            Err(Error::Usage(format!(
                "{folder}: another run of polygist is writing there; wait until it is done, or name another output folder"
            )))
        }
        // Some network file systems have no locks; working there without is better than not at all.
        Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => Ok(file),
        Err(TryLockError::Error(e)) => Err(Error::io("locking", &path)(e)),
    }
}

/// Whether a process writes to a folder now, as far as locks tell.
pub fn is_being_written(folder: &Path) -> bool {
    let file = OpenOptions::new().write(true).open(folder.join(LOCK));
    file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Removes the unfinished files of a run that was killed. The lock is held, so nobody is writing
/// them; what cannot be removed does no harm.
fn remove_unfinished(folder: &Path) {
    for entry in WalkDir::new(folder).into_iter().flatten().filter(|e| e.file_type().is_file()) {
        let name = entry.file_name().to_string_lossy();
        if name.starts_with(UNFINISHED.0) && name.ends_with(UNFINISHED.1) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Checks, Detection, Format, Lang, Source, Stats, Status};

    fn record(id: &str, key: &str, status: Status) -> Record {
        Record {
            passages: Vec::new(),
            id: id.into(),
            key: key.into(),
            target: None,
            source: Source {
                path: id.into(),
                format: Format::Text,
                bytes: 1,
                sha256: "00".into(),
                notes: Vec::new(),
            },
            language: Detection::new(Lang::en(), 1.0),
            title: None,
            translation: None,
            segments: None,
            summary: None,
            checks: Checks::default(),
            stats: Stats::default(),
            status,
            error: None,
            output: None,
            document: None,
            removed: Vec::new(),
            excerpt: None,
            extra: serde_json::Map::new(),
        }
    }

    /// The status of an article that is met, if it was done with this key.
    fn done(journal: &mut Journal, id: &str, key: &str) -> Option<Status> {
        let of = RecordId { id, target: None };
        journal.meet(of);
        journal.find(of).filter(|known| known.has_key(key)).map(|known| known.status)
    }

    fn ids(journal: &Journal) -> Vec<(String, String)> {
        journal.records().unwrap().map(|r| r.unwrap()).map(|r| (r.id, r.key)).collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect()
    }

    #[test]
    fn a_run_goes_on_where_it_stopped() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(dir.path()).unwrap();
        assert_eq!(done(&mut journal, "a\"\n", "1"), None);
        journal.append(&record("a\"\n", "1", Status::Ok)).unwrap();
        journal.append(&record("b", "1", Status::Failed)).unwrap();
        assert_eq!(done(&mut journal, "a\"\n", "1"), Some(Status::Ok));
        drop(journal);
        let mut journal = Journal::open(dir.path()).unwrap();
        assert_eq!(
            (done(&mut journal, "a\"\n", "1"), done(&mut journal, "a\"\n", "2")),
            (Some(Status::Ok), None)
        );
        assert_eq!(
            (done(&mut journal, "b", "1"), done(&mut journal, "c", "1")),
            (Some(Status::Failed), None)
        );
        assert_eq!((journal.len(), journal.damaged()), (2, 0));
    }

    #[test]
    fn a_torn_line_is_cut_off_wherever_it_was_torn() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(RESULTS);
        let mut journal = Journal::open(dir.path()).unwrap();
        journal.append(&record("a", "1", Status::Ok)).unwrap();
        journal.append(&record("б", "1", Status::Ok)).unwrap();
        drop(journal);
        let whole = fs::read(&path).unwrap();
        let first = whole.iter().position(|&b| b == b'\n').unwrap() + 1;
        for end in 0..=whole.len() {
            fs::write(&path, &whole[..end]).unwrap();
            let mut journal = Journal::open(dir.path()).unwrap();
            // A record that lacks only its line break counts.
            let expected = usize::from(end + 1 >= first) + usize::from(end + 1 >= whole.len());
            assert_eq!(journal.len(), expected, "cut at {end}");
            journal.append(&record("c", "1", Status::Ok)).unwrap();
            assert_eq!(ids(&journal).len(), expected + 1, "cut at {end}");
        }
        // What a power cut may leave.
        fs::write(&path, [&whole[..], &[0; 100]].concat()).unwrap();
        assert_eq!(Journal::open(dir.path()).unwrap().len(), 2);
        assert_eq!(fs::read(&path).unwrap(), whole);
    }

    #[test]
    fn the_last_record_of_an_id_stays_in_the_order_of_articles() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(dir.path()).unwrap();
        for (id, key) in [("gone", "1"), ("c", "1"), ("a", "1"), ("b", "1")] {
            journal.append(&record(id, key, Status::Ok)).unwrap();
        }
        for id in ["a", "b", "c", "not done"] {
            done(&mut journal, id, "2");
        }
        journal.append(&record("b", "2", Status::Ok)).unwrap();
        assert_eq!(ids(&journal), pairs(&[("gone", "1"), ("c", "1"), ("a", "1"), ("b", "2")]));
        journal.compact().unwrap();
        let expected = pairs(&[("a", "1"), ("b", "2"), ("c", "1"), ("gone", "1")]);
        assert_eq!(ids(&journal), expected);
        journal.append(&record("c", "2", Status::Failed)).unwrap();
        assert_eq!(done(&mut journal, "c", "2"), Some(Status::Failed));
        journal.compact().unwrap();
        drop(journal);
        let journal = Journal::open(dir.path()).unwrap();
        assert_eq!(ids(&journal), pairs(&[("a", "1"), ("b", "2"), ("c", "2"), ("gone", "1")]));
        assert_eq!(fs::read_to_string(dir.path().join(RESULTS)).unwrap().lines().count(), 4);
    }

    #[test]
    fn each_language_has_a_record_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(dir.path()).unwrap();
        let of = |target: &Option<Lang>, key: &str| Record {
            target: target.clone(),
            ..record("a", key, Status::Ok)
        };
        let targets = [None, Some(Lang::en()), Lang::parse("de")];
        targets.iter().for_each(|target| journal.append(&of(target, "1")).unwrap());
        journal.append(&of(&targets[1], "2")).unwrap();
        journal.compact().unwrap();
        drop(journal);
        let journal = Journal::open(dir.path()).unwrap();
        assert_eq!(journal.len(), 3);
        for (target, key) in targets.iter().zip(["1", "2", "1"]) {
            let of = RecordId { id: "a", target: target.as_ref() };
            let known = journal.find(of).unwrap();
            assert!(known.has_key(key) && known.has_bytes("00") && !known.has_bytes("01"));
            assert_eq!(known.languages().unwrap().own, Lang::en());
            assert_eq!(journal.read(of).unwrap().unwrap().key, key);
        }
        assert!(journal.find(RecordId { id: "b", target: None }).is_none());
    }

    #[test]
    fn damage_inside_costs_its_line_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(RESULTS);
        let line = |id| serde_json::to_string(&record(id, "1", Status::Ok)).unwrap();
        fs::write(&path, format!("{}\nga\u{0}rbage\n{}\n", line("a"), line("b"))).unwrap();
        let mut journal = Journal::open(dir.path()).unwrap();
        assert_eq!((journal.damaged(), ids(&journal).len()), (1, 2));
        journal.compact().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n{}\n", line("a"), line("b")));
    }

    #[test]
    fn one_process_at_a_time_and_nobody_elses_file() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(".polygist-x1.tmp"), "half").unwrap();
        let journal = Journal::open(dir.path()).unwrap();
        assert!(!dir.path().join(".polygist-x1.tmp").exists());
        let second = Journal::open(dir.path()).unwrap_err();
        assert!(matches!(&second, Error::Usage(m) if m.contains("another run")), "{second}");
        drop(journal);
        let path = dir.path().join(RESULTS);
        for other in
            ["{\"rouge\": 1}\n{\"rouge\": 2}\n", "{\"a\": 1}", "some notes", "some notes\nand more"]
        {
            fs::write(&path, other).unwrap();
            assert!(
                matches!(Journal::open(dir.path()).unwrap_err(), Error::Usage(m) if m.contains("no file of polygist's"))
            );
            assert_eq!(fs::read_to_string(&path).unwrap(), other);
        }
        fs::remove_file(&path).unwrap();
        Journal::open(dir.path()).unwrap();
    }
}
