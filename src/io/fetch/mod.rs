//! Getting models: by name from the catalog, from the Hugging Face Hub, or from a path, into the
//! [`Store`].
//!
//! For each file the sources are tried in the catalog's order. Whatever the source, the bytes
//! gather in a `.part` file that the next run (or the next source) goes on with, and are used only
//! with the right SHA-256.

mod hub;
mod install;
mod pip;
mod reference;
mod wheel;

use crate::error::{Error, Result};
use crate::io::catalog::{Catalog, Model, ModelFile, is_plain_name};
use crate::io::layout;
use crate::io::store::{Manifest, State, Store, StoredFile, sha256_of};
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
    /// The Hub's own cache folder, in which files are looked for first; by default `HF_HUB_CACHE`,
    /// `HF_HOME` or the usual one.
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
    /// The folder of the LoRA adapter that belongs to it, if any does.
    pub adapter: Option<PathBuf>,
}

impl ResolvedModel {
    /// The model with the adapter in a folder: another model, with an id and a fingerprint of its
    /// own.
    ///
    /// # Errors
    /// When the model has an adapter already, or the folder's files cannot be read.
    pub fn with_adapter(self, folder: &Path) -> Result<ResolvedModel> {
        if self.adapter.is_some() {
            let message = "comes with an adapter of its own; name a model without one to put another on, as the base that yours was trained on";
            return Err(Error::model(self.id, message));
        }
        let mut fingerprint = self.fingerprint;
        for file in layout::adapter(folder)
            .map_err(|why| Error::model(folder.display().to_string(), why))?
        {
            fingerprint.push('+');
            fingerprint.push_str(&sha256_of(&file, &|| false, &|_| ())?);
        }
        let name = folder.file_name().map_or_else(
            || folder.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        );
        Ok(ResolvedModel {
            id: format!("{}+{name}", self.id),
            fingerprint,
            adapter: Some(folder.to_path_buf()),
            ..self
        })
    }

    /// The file of that name in the model's folder.
    pub fn file(&self, name: &str) -> Option<&Path> {
        self.files
            .iter()
            .map(PathBuf::as_path)
            .find(|f| f.strip_prefix(&self.folder) == Ok(Path::new(name)))
    }

    /// The first file with that extension.
    pub fn with_extension(&self, extension: &str) -> Option<&Path> {
        self.files
            .iter()
            .map(PathBuf::as_path)
            .find(|f| f.extension().is_some_and(|e| e.eq_ignore_ascii_case(extension)))
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
    /// One whose files the Hub lists.
    Named {
        /// Its repository.
        name: HubName,
        /// What the catalog says of it, if it is there.
        entry: Option<Box<Model>>,
    },
}

impl Wanted {
    /// The name that the store keeps it under.
    pub fn id(&self) -> String {
        match self {
            Wanted::Listed(model) => model.id.clone(),
            Wanted::Named { name, .. } => name.to_string(),
        }
    }

    /// What the catalog says of it.
    pub fn entry(&self) -> Option<&Model> {
        match self {
            Wanted::Listed(model) => Some(model),
            Wanted::Named { entry, .. } => entry.as_deref(),
        }
    }

    /// Bytes to fetch, as far as that is known without asking anyone; about so many where the Hub
    /// lists the files.
    pub fn size(&self) -> Option<u64> {
        self.entry().map(Model::size)
    }

    /// The command that fetches it.
    pub fn command(&self) -> String {
        format!(
            "polygist models pull {}",
            self.entry().map_or_else(|| self.id(), |model| model.id.clone())
        )
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
    /// What `name` stands for: a model of the catalog, one in the store, a folder or GGUF file, or
    /// one of the Hub (`owner/name`, `owner/name@revision`, `owner/name:file.gguf`). A model of the
    /// catalog and its repository are the same.
    pub fn lookup(&self, name: &str) -> Result<Lookup> {
        if let Some(entry) = self.catalog.get(name) {
            return self.lookup_entry(entry);
        }
        if is_plain_name(name)
            && let State::Ready(manifest) = self.store.state(name)?
        {
            return Ok(Lookup::Ready(Box::new(self.stored(&manifest)?)));
        }
        if Path::new(name).exists() {
            return local(Path::new(name)).map(|model| Lookup::Ready(Box::new(model)));
        }
        if let Some(entry) = self.catalog.find(name) {
            return self.lookup_entry(entry);
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
            _ => Lookup::Missing(Wanted::Named { name: hub, entry: None }),
        })
    }

    fn lookup_entry(&self, entry: &Model) -> Result<Lookup> {
        let state = self.store.state(&self.stored_name(&entry.id)?)?;
        let boxed = Box::new(entry.clone());
        Ok(match (state, entry.hub()) {
            (State::Ready(manifest), _) if same_files(entry, &manifest.files) => {
                Lookup::Ready(Box::new(self.stored(&manifest)?))
            }
            (_, Some(name)) => Lookup::Missing(Wanted::Named { name, entry: Some(boxed) }),
            (_, None) => Lookup::Missing(Wanted::Listed(boxed)),
        })
    }

    /// The name under which the store keeps what `name` stands for. A model of the catalog whose
    /// files the Hub lists has that of its repository, so that it is the same by either name; that
    /// of the catalog if it was imported under that.
    pub fn stored_name(&self, name: &str) -> Result<String> {
        let Some((entry, hub)) =
            self.catalog.find(name).and_then(|entry| Some((entry, entry.hub()?.to_string())))
        else {
            return Ok(name.to_string());
        };
        let imported = self.store.state(&hub)? == State::Absent
            && self.store.state(&entry.id)? != State::Absent;
        Ok(if imported { entry.id.clone() } else { hub })
    }

    /// The model of that name; fetched when it is not there.
    pub fn get(
        &self,
        name: &str,
        progress: &dyn Progress,
        stop: Stop<'_>,
    ) -> Result<ResolvedModel> {
        match self.lookup(name)? {
            Lookup::Ready(model) => Ok(*model),
            Lookup::Missing(wanted) => install::install(self, &wanted, progress, stop)
                .and_then(|manifest| self.stored(&manifest)),
        }
    }

    fn stored(&self, manifest: &Manifest) -> Result<ResolvedModel> {
        let folder = self.store.path_of(&manifest.id)?;
        let adapted = manifest.files.iter().any(|file| file.path == layout::ADAPTER_CONFIG);
        Ok(ResolvedModel {
            id: manifest.id.clone(),
            adapter: adapted.then(|| folder.clone()),
            files: manifest.files.iter().map(|f| folder.join(&f.path)).collect(),
            fingerprint: manifest
                .files
                .iter()
                .map(|f| f.sha256.as_str())
                .collect::<Vec<_>>()
                .join("+"),
            entry: self.catalog.find(&manifest.id).cloned(),
            folder,
        })
    }
}

/// A folder or GGUF file that stays where it is.
fn local(path: &Path) -> Result<ResolvedModel> {
    let (folder, names) = files_of(path)?;
    let files: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
    let mut fingerprint = Vec::new();
    for (name, file) in names.iter().zip(&files) {
        let meta = fs::metadata(file).map_err(Error::io("reading", file))?;
        let modified = meta
            .modified()
            .ok()
            .and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok())
            .map_or(0, |d| d.as_nanos());
        fingerprint.push(format!("{name}:{}:{modified}", meta.len()));
    }
    Ok(ResolvedModel {
        id: path.display().to_string(),
        folder,
        files,
        fingerprint: fingerprint.join("+"),
        entry: None,
        adapter: None,
    })
}

/// The folder of a model in files, and the names of those that belong to it: one GGUF file, or what
/// a folder in the Hub's layout has.
pub(super) fn files_of(path: &Path) -> Result<(PathBuf, Vec<String>)> {
    let wrong = |why: &str| Error::model(path.display().to_string(), why);
    // Links are followed: the Hub's own cache folder is made of them.
    if !fs::metadata(path).map_err(Error::io("reading", path))?.is_dir() {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        return match layout::is_gguf(name) {
            true => {
                Ok((path.parent().unwrap_or(Path::new("")).to_path_buf(), vec![name.to_string()]))
            }
            false => Err(wrong(
                "is no .gguf file; for other formats name the folder that has the weights, config.json and the tokenizer",
            )),
        };
    }
    let entries = fs::read_dir(path).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
    let files = entries
        .map_err(Error::io("reading the folder", path))?
        .into_iter()
        .filter(|entry| entry.path().is_file());
    let names: Vec<String> =
        files.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let chosen = layout::select(&names, &|file| path.join(file).display().to_string())
        .map_err(|why| wrong(&why))?;
    Ok((path.to_path_buf(), chosen))
}

/// Whether every file that the catalog lists is among the stored ones, by content. Where it lists
/// none, any are right.
pub(super) fn same_files(entry: &Model, stored: &[StoredFile]) -> bool {
    entry.files.iter().all(|file| stored.iter().any(|stored| is_same(file, stored)))
}

/// Whether a stored file is the one that a list names, by content.
fn is_same(file: &ModelFile, stored: &StoredFile) -> bool {
    stored.size == file.size && file.sha256.as_ref() == Some(&stored.sha256)
}
