//! Getting models: by name from the catalog, from the Hugging Face Hub, or from a path, into the [`Store`].
//!
//! For each file the sources are tried in the catalog's order. Whatever the source, the bytes gather in a
//! `.part` file that the next run (or the next source) goes on with, and are used only with the right SHA-256.

mod hub;
mod install;
mod pip;
mod reference;
mod wheel;

use crate::error::{Error, Result};
use crate::io::catalog::{Catalog, Model, is_plain_name};
use crate::io::store::{Manifest, State, Store, StoredFile};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use reference::HubName;

/// Hears how a fetch goes on. Called from one thread at a time, often.
pub trait Progress: Sync {
    /// `what` begins, of `total` bytes.
    fn start(&self, what: &str, total: u64);
    /// So many bytes are there; less than before when a source has to begin again.
    fn position(&self, done: u64);
    /// Something that the user should read: a source that failed, a licence.
    fn note(&self, text: &str);
    /// What was started is done.
    fn finish(&self);
}

/// A [`Progress`] that says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _: &str, _: u64) {}
    fn position(&self, _: u64) {}
    fn note(&self, _: &str) {}
    fn finish(&self) {}
}

/// Asked many times a second; `true` stops the work with [`Error::Interrupted`].
pub type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

/// How models are fetched.
#[derive(Clone, Debug)]
pub struct FetchOptions {
    /// Open no socket and start no other program.
    pub offline: bool,
    /// The Hub's address; by default `HF_ENDPOINT` or the public one.
    pub endpoint: Option<String>,
    /// The Hub's own cache folder, in which files are looked for first; by default `HF_HUB_CACHE`, `HF_HOME` or the usual one.
    pub hub_cache: Option<PathBuf>,
    /// Commands that may be pip, first choice first, each a program and its leading arguments.
    pub pip: Vec<Vec<String>>,
    /// How long a server may take to accept a connection.
    pub connect_timeout: Duration,
    /// How long a connection may stay silent.
    pub stall_timeout: Duration,
    /// The first pause after a connection broke; it doubles with each further one.
    pub retry_pause: Duration,
}

impl Default for FetchOptions {
    fn default() -> Self {
        FetchOptions {
            offline: false,
            endpoint: None,
            hub_cache: None,
            pip: pip::usual_commands(),
            connect_timeout: Duration::from_secs(8),
            stall_timeout: Duration::from_secs(30),
            retry_pause: Duration::from_secs(1),
        }
    }
}

/// A model that is on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedModel {
    /// Catalog id, Hub name, or path.
    pub id: String,
    /// The folder that its files are in.
    pub folder: PathBuf,
    /// Its files.
    pub files: Vec<PathBuf>,
    /// Changes when its weights or its configuration do.
    pub fingerprint: String,
    /// Its entry, when it is a model of the catalog.
    pub entry: Option<Model>,
}

impl ResolvedModel {
    /// The file of that name in the model's folder.
    pub fn file(&self, name: &str) -> Option<&Path> {
        self.files.iter().map(PathBuf::as_path).find(|f| f.strip_prefix(&self.folder) == Ok(Path::new(name)))
    }

    /// The first file with that extension.
    pub fn with_extension(&self, extension: &str) -> Option<&Path> {
        self.files.iter().map(PathBuf::as_path).find(|f| f.extension().is_some_and(|e| e.eq_ignore_ascii_case(extension)))
    }
}

/// What a name stands for, found out without network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// On this machine.
    Ready(Box<ResolvedModel>),
    /// Known, but to be fetched first.
    Missing(Wanted),
}

/// A model that has to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// One of the catalog.
    Listed(Box<Model>),
    /// One that is only named on the Hub.
    Named(HubName),
}

impl Wanted {
    /// The name to fetch it by.
    pub fn id(&self) -> String {
        match self {
            Wanted::Listed(model) => model.id.clone(),
            Wanted::Named(name) => name.to_string(),
        }
    }

    /// Bytes to fetch, as far as that is known without asking anyone.
    pub fn size(&self) -> Option<u64> {
        match self {
            Wanted::Listed(model) => Some(model.size()),
            Wanted::Named(_) => None,
        }
    }

    /// The command that fetches it.
    pub fn command(&self) -> String {
        format!("polygist models pull {}", self.id())
    }
}

/// Finds models by name and fetches those that are missing.
#[derive(Clone, Copy, Debug)]
pub struct Fetcher<'a> {
    /// Where models are kept.
    pub store: &'a Store,
    /// The models known by name.
    pub catalog: &'a Catalog,
    /// How to fetch.
    pub options: &'a FetchOptions,
}

impl Fetcher<'_> {
    /// What `name` stands for: a model of the catalog, one in the store, a folder or GGUF file, or one of the Hub
    /// (`owner/name`, `owner/name@revision`, `owner/name:file.gguf`).
    pub fn lookup(&self, name: &str) -> Result<Lookup> {
        if let Some(entry) = self.catalog.get(name) {
            return Ok(match self.store.state(name)? {
                State::Ready(manifest) if same_files(entry, &manifest.files) => Lookup::Ready(Box::new(self.stored(&manifest)?)),
                _ => Lookup::Missing(Wanted::Listed(Box::new(entry.clone()))),
            });
        }
        if is_plain_name(name)
            && let State::Ready(manifest) = self.store.state(name)?
        {
            return Ok(Lookup::Ready(Box::new(self.stored(&manifest)?)));
        }
        if Path::new(name).exists() {
            return local(Path::new(name)).map(|model| Lookup::Ready(Box::new(model)));
        }
        let Some(hub) = HubName::parse(name) else {
            let known: Vec<&str> = self.catalog.models().iter().map(|m| m.id.as_str()).collect();
            return Err(Error::model(
                name,
                format!(
                    "unknown. Expected a name of the catalog ({}), a model in the store (`polygist models list`), a folder or .gguf file, \
                     or a model of the Hub (owner/name, owner/name@revision, owner/name:file.gguf)",
                    known.join(", ")
                ),
            ));
        };
        Ok(match self.store.state(&hub.to_string())? {
            State::Ready(manifest) => Lookup::Ready(Box::new(self.stored(&manifest)?)),
            _ => Lookup::Missing(Wanted::Named(hub)),
        })
    }

    /// The model of that name; fetched when it is not there.
    pub fn get(&self, name: &str, progress: &dyn Progress, stop: Stop<'_>) -> Result<ResolvedModel> {
        match self.lookup(name)? {
            Lookup::Ready(model) => Ok(*model),
            Lookup::Missing(wanted) => install::install(self, &wanted, progress, stop).and_then(|manifest| self.stored(&manifest)),
        }
    }

    fn stored(&self, manifest: &Manifest) -> Result<ResolvedModel> {
        let folder = self.store.path_of(&manifest.id)?;
        Ok(ResolvedModel {
            id: manifest.id.clone(),
            files: manifest.files.iter().map(|f| folder.join(&f.path)).collect(),
            fingerprint: manifest.files.iter().map(|f| f.sha256.as_str()).collect::<Vec<_>>().join("+"),
            entry: self.catalog.get(&manifest.id).cloned(),
            folder,
        })
    }
}

/// A folder or GGUF file that stays where it is.
fn local(path: &Path) -> Result<ResolvedModel> {
    let id = path.display().to_string();
    let (folder, mut files) = if path.is_dir() {
        let entries = fs::read_dir(path).and_then(|d| d.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>());
        (path.to_path_buf(), entries.map_err(Error::io("reading the folder", path))?)
    } else {
        (path.parent().unwrap_or(Path::new("")).to_path_buf(), vec![path.to_path_buf()])
    };
    files.retain(|f| f.is_file() && is_model_file(&name_of(f)));
    files.sort();
    if !files.iter().any(|f| is_weights(&name_of(f))) {
        let message = "no weights found there; expected a .gguf file, or a folder with *.gguf, *.safetensors or pytorch_model.bin in it";
        return Err(Error::model(id, message));
    }
    let mut fingerprint = Vec::new();
    for file in &files {
        let meta = fs::metadata(file).map_err(Error::io("reading", file))?;
        let modified = meta.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok()).map_or(0, |d| d.as_nanos());
        fingerprint.push(format!("{}:{}:{modified}", name_of(file), meta.len()));
    }
    Ok(ResolvedModel { id, folder, files, fingerprint: fingerprint.join("+"), entry: None })
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Whether every file that the catalog lists is among the stored ones, by content.
pub(super) fn same_files(entry: &Model, stored: &[StoredFile]) -> bool {
    entry.files.iter().all(|file| stored.iter().any(|s| s.size == file.size && file.sha256.as_ref() == Some(&s.sha256)))
}

/// Whether a file of that name holds weights in a format that can be read.
pub(super) fn is_weights(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with(".gguf") || name.ends_with(".safetensors") || name == "pytorch_model.bin"
}

/// Whether a file of that name belongs to a model: weights, configuration, tokenizer, licence.
pub(super) fn is_model_file(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let has = |endings: &[&str]| endings.iter().any(|e| lower.ends_with(e));
    let begins = |starts: &[&str]| starts.iter().any(|s| lower.starts_with(s));
    let tokenizer = has(&[".spm", ".model"]) || (begins(&["vocab", "merges", "dict"]) && has(&[".txt"]));
    // The store has a manifest.json of its own.
    let configuration = has(&[".json", ".jinja"]) && lower != "manifest.json";
    is_weights(name) || tokenizer || configuration || is_licence(name)
}

/// Whether a file of that name states the terms of what it lies beside.
pub(super) fn is_licence(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["license", "licence", "notice", "copying", "use_policy"].iter().any(|s| lower.starts_with(s))
}
