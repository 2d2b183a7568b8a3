//! The store: the folder in which models are kept between runs.
//!
//! ```text
//! <cache>/models/<name>/           an installed model: its files, manifest.json, licence texts
//! <cache>/models/.partial/<name>/  what has come so far of one that is being fetched
//! <cache>/models/.locks/           one lock file a model, never deleted
//! ```
//! A model appears under its name by one rename, when all its files are there and verified.

mod import;
mod lock;

use crate::error::{Error, Result};
use crate::io::catalog::is_plain_name;
use crate::io::fetch::{HubName, Progress, Stop};
use etcetera::base_strategy::{BaseStrategy, choose_native_strategy};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub(super) use import::copy;
pub use lock::Lock;

/// Environment variable that names another cache folder.
pub const CACHE_VARIABLE: &str = "POLYGIST_CACHE";
const MANIFEST: &str = "manifest.json";
const MANIFEST_LIMIT: u64 = 16 << 20;

/// One file of an installed model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// Name below the model's folder.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 in hex, of the bytes as they were installed.
    pub sha256: String,
    /// Where it came from.
    pub source: String,
}

/// What is known of an installed model; kept in its folder as `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Catalog id, Hub name as it was asked for, or the name given at import.
    pub id: String,
    /// Name of its licence, if known.
    pub licence: Option<String>,
    /// Where the licence can be read.
    pub licence_url: Option<String>,
    /// When it was installed (UTC, RFC 3339).
    pub installed: String,
    /// Its files.
    pub files: Vec<StoredFile>,
}

impl Manifest {
    /// Bytes of all files.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|f| f.size).fold(0, u64::saturating_add)
    }

    pub(super) fn now() -> String {
        humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string()
    }
}

/// Whether a model can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Not there.
    Absent,
    /// There, but not usable: why.
    Broken(String),
    /// There, complete by name and size.
    Ready(Manifest),
}

/// The folder of models.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// The store in the given cache folder, in `POLYGIST_CACHE`, or else in the platform's cache
    /// folder. Nothing is created yet.
    pub fn open(cache: Option<&Path>) -> Result<Store> {
        let from_variable =
            || std::env::var_os(CACHE_VARIABLE).filter(|v| !v.is_empty()).map(PathBuf::from);
        let root = match cache.map(Path::to_path_buf).or_else(from_variable) {
            Some(dir) => dir,
            None => choose_native_strategy()
                .map_err(|e| Error::Usage(format!("no cache folder can be found ({e}); name one with --cache-dir or {CACHE_VARIABLE}")))?
                .cache_dir()
                .join("polygist"),
        };
        Ok(Store { root })
    }

    /// The cache folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder that a model has, or would have.
    pub fn path_of(&self, id: &str) -> Result<PathBuf> {
        Ok(self.models().join(folder_name(id)?))
    }

    /// Whether the model is there. Compares names and sizes, not contents; see [`Store::verify`]
    /// for those.
    pub fn state(&self, id: &str) -> Result<State> {
        Ok(match state_of(&self.path_of(id)?)? {
            State::Ready(manifest) if manifest.id != id => {
                State::Broken(format!("its folder holds {}", manifest.id))
            }
            state => state,
        })
    }

    /// Every model in the store with its state, by name.
    pub fn installed(&self) -> Result<Vec<(String, State)>> {
        let models = self.models();
        let entries = match fs::read_dir(&models) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(Error::io("reading the folder", &models)(e)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(Error::io("reading the folder", &models))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || !entry.path().is_dir() {
                continue;
            }
            match state_of(&entry.path())? {
                State::Ready(manifest) => found.push((manifest.id.clone(), State::Ready(manifest))),
                state => found.push((id_of_folder(&name), state)),
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found)
    }

    /// Reads every byte of an installed model again; returns one line for each file that is not
    /// what was installed.
    pub fn verify(&self, id: &str, progress: &dyn Progress, stop: Stop<'_>) -> Result<Vec<String>> {
        let manifest = match self.state(id)? {
            State::Ready(manifest) => manifest,
            State::Broken(why) => return Ok(vec![why]),
            State::Absent => {
                return Err(Error::model(
                    id,
                    "is not installed; `polygist models list` shows what is",
                ));
            }
        };
        let folder = self.path_of(id)?;
        let mut faults = Vec::new();
        let mut done = 0;
        progress.start(id, manifest.size());
        for file in &manifest.files {
            let found =
                sha256_of(&folder.join(&file.path), stop, &|n| progress.position(done + n))?;
            if found != file.sha256 {
                faults
                    .push(format!("{}: SHA-256 should be {}, is {found}", file.path, file.sha256));
            }
            done += file.size;
        }
        progress.finish();
        Ok(faults)
    }

    /// Deletes a model and what has come of it so far; returns the bytes that are free again.
    pub fn remove(&self, id: &str, progress: &dyn Progress, stop: Stop<'_>) -> Result<u64> {
        let folder = self.path_of(id)?;
        let partial = self.partial_of(id)?;
        if !folder.exists() && !partial.exists() {
            return Err(Error::model(id, "is not installed; `polygist models list` shows what is"));
        }
        let _lock = self.lock(id, progress, stop)?;
        // Out of sight first: a reader finds the model whole or not at all.
        let doomed = self.aside("removed", id)?;
        let mut freed = 0;
        for dir in [&folder, &partial] {
            if !dir.exists() {
                continue;
            }
            freed += size_below(dir);
            discard(&doomed)?;
            create_dir(&self.models().join(".partial"))?;
            fs::rename(dir, &doomed).map_err(Error::io("removing", dir))?;
            discard(&doomed)?;
        }
        Ok(freed)
    }

    /// Waits until no other process or thread changes this model, and holds it.
    pub fn lock(&self, id: &str, progress: &dyn Progress, stop: Stop<'_>) -> Result<Lock> {
        let dir = self.models().join(".locks");
        create_dir(&dir)?;
        Lock::acquire(&dir.join(format!("{}.lock", folder_name(id)?)), id, progress, stop)
    }

    /// The folder in which a model is put together.
    pub(super) fn partial_of(&self, id: &str) -> Result<PathBuf> {
        Ok(self.models().join(".partial").join(folder_name(id)?))
    }

    /// Makes the model that lies complete in `staging` appear under its name.
    pub(super) fn install(&self, staging: &Path, manifest: &Manifest) -> Result<()> {
        let path = staging.join(MANIFEST);
        let text = serde_json::to_vec_pretty(manifest).map_err(|e| {
            Error::model(&manifest.id, format!("its manifest cannot be written: {e}"))
        })?;
        fs::write(&path, text).map_err(disk("writing", &path))?;
        sync(&path)?;
        let folder = self.path_of(&manifest.id)?;
        let old = self.aside("replaced", &manifest.id)?;
        discard(&old)?;
        if folder.exists() {
            fs::rename(&folder, &old).map_err(Error::io("replacing", &folder))?;
        }
        fs::rename(staging, &folder).map_err(Error::io("installing", &folder))?;
        discard(&old)
    }

    /// A place beside the partial folders; no model has a name that begins with a dot.
    fn aside(&self, what: &str, id: &str) -> Result<PathBuf> {
        Ok(self.models().join(".partial").join(format!(".{what}-{}", folder_name(id)?)))
    }

    fn models(&self) -> PathBuf {
        self.root.join("models")
    }
}

/// The name of a model's folder. What is neither a plain name nor one of the Hub, `..` for one, has
/// none.
fn folder_name(id: &str) -> Result<String> {
    match is_plain_name(id) || HubName::parse(id).is_some() {
        true => Ok(id.replace('/', "--").replace(':', "+")),
        false => Err(Error::model(
            id,
            "cannot be the name of a model; `polygist models list` shows what is there",
        )),
    }
}

/// What [`folder_name`] was made from, for folders whose manifest cannot tell.
fn id_of_folder(name: &str) -> String {
    name.replace("--", "/").replace('+', ":")
}

fn state_of(folder: &Path) -> Result<State> {
    let path = folder.join(MANIFEST);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(if folder.exists() {
                State::Broken("its manifest.json is missing".into())
            } else {
                State::Absent
            });
        }
        Err(e) => return Err(Error::io("reading", &path)(e)),
    };
    let mut text = String::new();
    let manifest: Manifest = match file
        .take(MANIFEST_LIMIT)
        .read_to_string(&mut text)
        .map(|_| serde_json::from_str(&text))
    {
        Ok(Ok(manifest)) => manifest,
        Ok(Err(e)) => return Ok(State::Broken(format!("its manifest.json cannot be read: {e}"))),
        Err(e) => return Ok(State::Broken(format!("its manifest.json cannot be read: {e}"))),
    };
    for file in &manifest.files {
        match fs::metadata(folder.join(&file.path)) {
            Ok(meta) if meta.len() == file.size => {}
            Ok(meta) => {
                return Ok(State::Broken(format!(
                    "{} has {} bytes instead of {}",
                    file.path,
                    meta.len(),
                    file.size
                )));
            }
            Err(e) => return Ok(State::Broken(format!("{}: {e}", file.path))),
        }
    }
    Ok(State::Ready(manifest))
}

/// SHA-256 of a file in hex; `done` hears how many bytes have been read.
pub(super) fn sha256_of(path: &Path, stop: Stop<'_>, done: &dyn Fn(u64)) -> Result<String> {
    let mut file = File::open(path).map_err(Error::io("reading", path))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut read = 0;
    loop {
        if stop() {
            return Err(Error::Interrupted);
        }
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hex(&hash.finalize())),
            Ok(n) => {
                hash.update(&buffer[..n]);
                read += n as u64;
                done(read);
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(Error::io("reading", path)(e)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

/// [`Error::io`], with a full disk told as such.
pub(super) fn disk(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_path_buf();
    move |e| match e.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Fetch {
            what: path.display().to_string(),
            message: format!(
                "no space left there ({e}). Free some, or choose another folder with --cache-dir or {CACHE_VARIABLE}; \
                 what has come is kept, and the next run goes on from there"
            ),
        },
        _ => Error::io(action, &path)(e),
    }
}

/// Waits until a written file is on the disk.
pub(super) fn sync(path: &Path) -> Result<()> {
    File::options()
        .write(true)
        .open(path)
        .and_then(|file| file.sync_all())
        .map_err(disk("writing", path))
}

pub(super) fn create_dir(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).map_err(disk("creating the folder", dir))
}

/// Deletes a file or folder that may not be there.
pub(super) fn discard(path: &Path) -> Result<()> {
    let result = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match result {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::io("removing", path)(e)),
        _ => Ok(()),
    }
}

fn size_below(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => size_below(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}
