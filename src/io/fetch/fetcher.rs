//! Models by name: looked up in catalog and store, fetched where they are missing.

use super::install::install;
use super::options::FetchOptions;
use super::resolved::{Lookup, ResolvedModel, Wanted};
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::io::catalog::{Catalog, Model};
use crate::io::layout;
use crate::io::names::{HubName, is_plain_name};
use crate::io::progress::Progress;
use crate::io::store::{Manifest, State, Store, same_files};
use std::path::Path;

/// Finds models by name and fetches those that are missing.
#[derive(Clone, Copy, Debug)]
pub struct Fetcher<'a> {
    /// Where models are kept.
    pub store: &'a Store,
    /// The models known by name.
    pub catalog: &'a Catalog,
    /// Settings of the fetch.
    pub options: &'a FetchOptions,
}

impl Fetcher<'_> {
    /// The model that `name` stands for: one of the catalog, one in the store, a folder or GGUF
    /// file, or one of the Hub (`owner/name`, `owner/name@revision`, `owner/name:file.gguf`). A
    /// model of the catalog and its repository are the same.
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
            return ResolvedModel::local(Path::new(name))
                .map(|model| Lookup::Ready(Box::new(model)));
        }
        if let Some(entry) = self.catalog.find(name) {
            return self.lookup_entry(entry);
        }
        let Some(hub) = HubName::parse(name) else {
            let installed = self.installed_for(name)?.ok_or_else(|| self.unknown(name))?;
            return Ok(Lookup::Ready(Box::new(self.stored(&installed)?)));
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
            // Of a registry's model an older version does: it is replaced when it is pulled.
            (State::Ready(manifest), _)
                if !entry.loose.is_empty() || same_files(entry, &manifest.files) =>
            {
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
        if is_plain_name(name) && self.catalog.get(name).is_none() {
            // A name of the user's own, or one that stands for one of Firefox's models.
            let entry = self.catalog.find(name).filter(|entry| entry.repo.is_none());
            let is_absent = self.store.state(name)? == State::Absent;
            return Ok(entry.filter(|_| is_absent).map_or(name, |entry| &entry.id).to_string());
        }
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
        stop: &CancelToken,
    ) -> Result<ResolvedModel> {
        match self.lookup(name)? {
            Lookup::Ready(model) => Ok(*model),
            Lookup::Missing(wanted) => install(self.store, self.options, &wanted, progress, stop)
                .and_then(|manifest| self.stored(&manifest)),
        }
    }

    /// The largest of the installed models that a name of Firefox's without an architecture stands
    /// for (`firefox-fr-en`), where no registry tells which is the best.
    fn installed_for(&self, name: &str) -> Result<Option<Manifest>> {
        if !name.starts_with("firefox-") {
            return Ok(None);
        }
        let rank = |manifest: &Manifest| {
            let rest = manifest.id.strip_prefix(name)?.strip_prefix('-')?;
            Some(Model::size_class(rest)).filter(|class| *class > 0)
        };
        let ready = self.store.installed()?.into_iter().filter_map(|(_, state)| match state {
            State::Ready(manifest) => Some((rank(&manifest)?, manifest)),
            _ => None,
        });
        Ok(ready.max_by_key(|(rank, _)| *rank).map(|(_, manifest)| manifest))
    }

    /// The model of that name, in the version that the catalog has now.
    pub fn update(
        &self,
        name: &str,
        progress: &dyn Progress,
        stop: &CancelToken,
    ) -> Result<ResolvedModel> {
        if let Lookup::Ready(model) = self.lookup(name)?
            && let Some(entry) = model.entry.as_ref().filter(|entry| !entry.loose.is_empty())
            && let State::Ready(manifest) = self.store.state(&entry.id)?
            && !same_files(entry, &manifest.files)
            && !self.options.offline
        {
            let wanted = Wanted::Listed(Box::new(entry.clone()));
            return match install(self.store, self.options, &wanted, progress, stop) {
                Ok(manifest) => self.stored(&manifest),
                Err(Error::Interrupted) => Err(Error::Interrupted),
                Err(why) => {
                    progress.note(&format!("{name}: {why}\nThe version that is here stays."));
                    Ok(*model)
                }
            };
        }
        self.get(name, progress, stop)
    }

    /// A name that stands for nothing: what was perhaps meant.
    fn unknown(&self, name: &str) -> Error {
        let is_path = name.starts_with(['.', '/', '~', '\\']) || name.ends_with(['/', '\\']);
        if is_path || name.contains('\\') || layout::is_gguf(name) {
            let what = if layout::is_gguf(name) { "file" } else { "folder" };
            return Error::model(name, format!("no such {what}"));
        }
        let installed = self.store.installed().unwrap_or_default();
        let names = self.catalog.models().iter().map(|model| model.id.as_str());
        let mut near: Vec<(f64, &str)> = names
            .chain(installed.iter().map(|(id, _)| id.as_str()))
            .map(|known| (likeness(name, known), known))
            .filter(|(likeness, _)| *likeness > 0.72)
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        near.truncate(3);
        let mut near: Vec<&str> = near.into_iter().map(|(_, name)| name).collect();
        near.dedup();
        let has_registry = self.catalog.models().iter().any(|model| !model.loose.is_empty());
        let meant = match near.as_slice() {
            [] if name.starts_with("firefox-") && !has_registry => {
                ": Firefox's registry is not on this machine, and could not be fetched.".into()
            }
            [] => ".".into(),
            near => format!("; did you mean {}?", near.join(" or ")),
        };
        Error::model(
            name,
            format!(
                "unknown{meant} `polygist models list` shows all names; a folder, a .gguf file and a model of the Hub (owner/name) do too"
            ),
        )
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
            entry: self.catalog.by_stored_name(&manifest.id).cloned(),
            folder,
        })
    }
}

/// How alike two names are, from 0 to 1, whatever their case.
fn likeness(one: &str, other: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(&one.to_lowercase(), &other.to_lowercase())
}
