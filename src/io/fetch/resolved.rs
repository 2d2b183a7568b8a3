//! A name resolved: a model that is on this machine, or one that has to be fetched.

use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::io::catalog::Model;
use crate::io::files::sha256_of;
use crate::io::layout;
use crate::io::names::HubName;
use crate::types::Prompting;
use std::fs;
use std::path::{Path, PathBuf};

/// A model that is on this machine.
#[derive(Clone, Debug, PartialEq)]
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
    /// A folder or GGUF file that stays where it is.
    pub(super) fn local(path: &Path) -> Result<ResolvedModel> {
        let (folder, names) = layout::files_of(path)?;
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
            fingerprint.push_str(&sha256_of(&file, &CancelToken::new(), &|_| ())?);
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

    /// Whether the catalog says that it translates by examples, or was fine-tuned on them.
    pub fn is_shown_examples(&self) -> bool {
        let prompting = self.entry.as_ref().and_then(|entry| entry.prompt);
        matches!(prompting, Some(Prompting::FewShot | Prompting::FineTuned))
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

/// The model that a name stands for, found out without network.
#[derive(Clone, Debug, PartialEq)]
pub enum Lookup {
    /// On this machine.
    Ready(Box<ResolvedModel>),
    /// Known, but to be fetched first.
    Missing(Wanted),
}

/// A model that has to be fetched.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// One of the catalog.
    Listed(Box<Model>),
    /// One whose files the Hub lists.
    Named {
        /// Its repository.
        name: HubName,
        /// Its entry in the catalog, if there is one.
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

    /// Its entry in the catalog.
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
