//! Where the articles of an output folder came from, so that one of the same name from elsewhere
//! does not take its place.

use super::table::{Entry, Table};
use crate::error::{Error, Result};
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// The file in the output folder: a line for each article, hashes of its id, of its real path and
/// of its bytes; the last line of an id holds.
const FILE: &str = ".polygist.origins";

/// Bytes of a SHA-256 that are kept, in hex digits.
const DIGITS: usize = 32;

/// Where an article came from, and what it was then: the first halves of the hashes, which are in
/// memory for every article of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Origin {
    id: u64,
    place: u64,
    bytes: u64,
}

impl Origin {
    /// That of the hashes of an id, a place and the bytes that were there.
    fn of(digests: [u128; 3]) -> Origin {
        let [id, place, bytes] = digests.map(half);
        Origin { id, place, bytes }
    }
}

impl Entry for Origin {
    type Key = u64;

    fn key(&self) -> u64 {
        self.id
    }

    fn hash(key: u64) -> u64 {
        key
    }
}

/// The places that articles were read from. Of folders that an older version wrote nothing is
/// known.
#[derive(Debug)]
pub struct Origins {
    path: PathBuf,
    known: Table<Origin>,
    /// The place that was asked for last, for files of many articles.
    last: RefCell<Option<(PathBuf, u128)>>,
    /// The folder that was asked for last, and its real path, for folders of many files.
    folder: RefCell<Option<(PathBuf, PathBuf)>>,
    /// Opened when there is something to add.
    file: Option<File>,
}

impl Origins {
    /// Those of an output folder.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn open(folder: &Path) -> Result<Origins> {
        let path = folder.join(FILE);
        let mut known = Table::default();
        match File::open(&path) {
            Ok(file) => {
                for line in BufReader::new(file).split(b'\n') {
                    let line = line.map_err(Error::io("reading", &path))?;
                    // Half a line is what a power cut leaves.
                    parse(&line).map(|origin| put(&mut known, origin));
                }
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(Error::io("reading", &path)(e)),
        }
        let (last, folder) = (RefCell::default(), RefCell::default());
        Ok(Origins { path, known, last, folder, file: None })
    }

    /// Whether this id is that of another article: one that was read elsewhere, and of other bytes
    /// than these, by their SHA-256 in hex. A folder that was moved has the same articles.
    pub fn is_of_another(&self, id: &str, place: &Path, sha256: &str) -> bool {
        let known = self.known.get(half(digest(id)));
        // Looking up a real path takes longest.
        let is_there = |known: &Origin| known.place == half(self.of_place(place));
        known.is_some_and(|known| known.bytes != half(digest(sha256)) && !is_there(known))
    }

    /// A place by its real path, whatever links and dots lead there.
    fn of_place(&self, path: &Path) -> u128 {
        if let Some((last, place)) = &*self.last.borrow()
            && last == path
        {
            return *place;
        }
        let real = self.real(path).unwrap_or_else(|| path.to_path_buf());
        let place = digest(&real.to_string_lossy());
        *self.last.borrow_mut() = Some((path.to_path_buf(), place));
        place
    }

    /// The real path of a file that is there. Those of a folder are next to each other as a rule,
    /// and its own is looked up once.
    fn real(&self, path: &Path) -> Option<PathBuf> {
        let (parent, name) = (path.parent()?, path.file_name()?);
        if fs::symlink_metadata(path).ok()?.is_symlink() {
            return path.canonicalize().ok();
        }
        let mut folder = self.folder.borrow_mut();
        if folder.as_ref().is_none_or(|(known, _)| known != parent) {
            let named = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            *folder = Some((parent.to_path_buf(), named.canonicalize().ok()?));
        }
        folder.as_ref().map(|(_, real)| real.join(name))
    }

    /// Notes where the article of this id comes from.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn note(&mut self, id: &str, place: &Path, sha256: &str) -> Result<()> {
        let [id, place, bytes] = [digest(id), self.of_place(place), digest(sha256)];
        if !put(&mut self.known, Origin::of([id, place, bytes])) {
            return Ok(());
        }
        let failed = || Error::io("writing", &self.path);
        if self.file.is_none() {
            let file = OpenOptions::new().create(true).append(true).open(&self.path);
            let mut file = file.map_err(failed())?;
            // A line that was cut off must not go on as this one.
            file.write_all(b"\n").map_err(failed())?;
            self.file = Some(file);
        }
        let line = format!("{id:032x} {place:032x} {bytes:032x}\n");
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(line.as_bytes())).map_err(failed())
    }
}

/// Puts what is known of an article in the place of what was; says whether that is something else.
fn put(known: &mut Table<Origin>, origin: Origin) -> bool {
    if known.get(origin.id) == Some(&origin) {
        return false;
    }
    let number = known.number_or_insert(origin.id, || origin);
    *known.at_mut(number) = origin;
    true
}

fn parse(line: &[u8]) -> Option<Origin> {
    let mut numbers = std::str::from_utf8(line)
        .ok()?
        .split(' ')
        .map(|hex| (hex.len() == DIGITS).then(|| u128::from_str_radix(hex, 16).ok()).flatten());
    let mut next = || numbers.next().flatten();
    Some(Origin::of([next()?, next()?, next()?]))
}

fn digest(text: &str) -> u128 {
    let mut first = [0; DIGITS / 2];
    first.iter_mut().zip(Sha256::digest(text)).for_each(|(to, from)| *to = from);
    u128::from_be_bytes(first)
}

fn half(digest: u128) -> u64 {
    (digest >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn places_are_remembered_by_their_real_paths() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for folder in ["mon", "tue"] {
            fs::create_dir_all(at(folder)).unwrap();
            fs::write(at(folder).join("a.txt"), folder).unwrap();
        }
        let mut origins = Origins::open(dir.path()).unwrap();
        assert!(!origins.is_of_another("a.txt", &at("mon/a.txt"), "1"));
        origins.note("a.txt", &at("mon/a.txt"), "1").unwrap();
        origins.note("a.txt", &at("mon/a.txt"), "1").unwrap();
        assert!(origins.is_of_another("a.txt", &at("tue/a.txt"), "2"));
        // It was moved, or has changed.
        assert!(!origins.is_of_another("a.txt", &at("tue/a.txt"), "1"));
        assert!(!origins.is_of_another("a.txt", &at("tue/../mon/a.txt"), "2"));
        drop(origins);
        let file = at(FILE);
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("{text}0123")).unwrap();
        let mut origins = Origins::open(dir.path()).unwrap();
        assert!(origins.is_of_another("a.txt", &at("tue/a.txt"), "2"));
        origins.note("b.txt", &at("tue/a.txt"), "2").unwrap();
        origins.note("a.txt", &at("mon/a.txt"), "3").unwrap();
        let origins = Origins::open(dir.path()).unwrap();
        assert!(origins.is_of_another("b.txt", &at("mon/a.txt"), "1"));
        assert!(!origins.is_of_another("a.txt", &at("tue/a.txt"), "3"));
    }
}
