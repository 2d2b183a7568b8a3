//! One model into the store: under its lock, file by file, source by source.

use super::hub::Hub;
use super::job::{Failure, Job, Listing};
use super::options::FetchOptions;
use super::resolved::Wanted;
use super::{UNREACHABLE, firefox, packed, sources};
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::io::catalog::{Licence, LooseFile, ModelFile, Source};
use crate::io::files::{create_dir, discard, disk, sha256_of, sync};
use crate::io::layout::is_weights;
use crate::io::progress::Progress;
use crate::io::store::{Manifest, State, Store, StoredFile, same_files};
use std::fs;
use std::path::{Path, PathBuf};

/// Names the commit that the files of a partial folder belong to.
const PIN: &str = ".commit";

/// Fetches and installs a model, or waits for another process to have done so.
pub(super) fn install(
    store: &Store,
    options: &FetchOptions,
    wanted: &Wanted,
    progress: &dyn Progress,
    stop: &CancelToken,
) -> Result<Manifest> {
    let id = wanted.id();
    let hub = Hub::new(options);
    if options.offline && matches!(wanted, Wanted::Named { .. }) {
        return Err(offline(wanted, &[]));
    }
    let _lock = store.lock(&id, progress, stop)?;
    if let State::Ready(manifest) = store.state(&id)?
        && fits(wanted, &manifest)
    {
        return Ok(manifest);
    }
    let listing = list(&hub, wanted, progress, stop)?;
    let staging = store.partial_of(&id)?;
    Installation { store, hub, wanted, id, staging, progress, stop }.run(listing)
}

/// The files of the model and its terms.
fn list(
    hub: &Hub<'_>,
    wanted: &Wanted,
    progress: &dyn Progress,
    stop: &CancelToken,
) -> Result<Listing> {
    match wanted {
        Wanted::Listed(model) if !model.loose.is_empty() => {
            firefox::listing(hub.options, model, progress, stop)
        }
        Wanted::Listed(model) => Ok(Listing {
            files: model.files.clone(),
            loose: Vec::new(),
            licence: Some(model.licence.clone()),
            commit: None,
            notes: Vec::new(),
        }),
        Wanted::Named { name, entry } => {
            let listing = hub.list(name, stop)?;
            let licence = terms(entry.as_deref().map(|entry| &entry.licence), listing.licence);
            Ok(Listing { licence, ..listing })
        }
    }
}

/// A model on its way into the store, whose lock is held.
struct Installation<'a> {
    store: &'a Store,
    hub: Hub<'a>,
    wanted: &'a Wanted,
    id: String,
    /// The folder in which it is put together.
    staging: PathBuf,
    progress: &'a dyn Progress,
    stop: &'a CancelToken,
}

impl Installation<'_> {
    fn run(&self, listing: Listing) -> Result<Manifest> {
        let Listing { files, loose, licence, commit, notes } = listing;
        self.pin(commit.as_deref())?;
        // What a run that was stopped left there may be half of something.
        discard(&self.staging.join(".work"))?;
        let sizes = files.iter().map(|f| f.size).chain(loose.iter().map(|f| f.about));
        self.progress.start(&self.id, sizes.fold(0, u64::saturating_add));
        if let Some(licence) = &licence {
            self.announce(licence)?;
        }
        if let Some(file) = files.iter().find(|f| f.sha256.is_none() && is_weights(&f.path)) {
            self.progress.note(&format!(
                "{}: the Hub gives no checksum for {}; only its size is compared",
                self.id, file.path
            ));
        }
        let installed = self.store.installed()?;
        let mut stored = Vec::new();
        let mut base = 0;
        for file in &files {
            stored.push(self.file(file, base, &installed)?);
            base += file.size;
            self.progress.position(base);
        }
        for file in &loose {
            stored.push(self.loose(file, base)?);
            base += file.about;
            self.progress.position(base);
        }
        discard(&self.staging.join(".work"))?;
        discard(&self.staging.join(PIN))?;
        let entry = self.wanted.entry();
        let manifest = Manifest {
            id: self.id.clone(),
            licence: licence.as_ref().map(|l| l.name.clone()),
            licence_url: licence.map(|l| l.url),
            installed: Manifest::now(),
            from: entry.map(|entry| entry.reads().to_vec()).unwrap_or_default(),
            to: entry.map(|entry| entry.writes().to_vec()).unwrap_or_default(),
            notes,
            files: stored,
        };
        self.store.install(&self.staging, &manifest)?;
        self.progress.finish();
        Ok(manifest)
    }

    /// Makes the folder; what is left in it of another commit is thrown away, as nothing else tells
    /// the two apart.
    fn pin(&self, commit: Option<&str>) -> Result<()> {
        let pin = self.staging.join(PIN);
        let commit = commit.unwrap_or_default();
        if !fs::read(&pin).is_ok_and(|old| old == commit.as_bytes()) {
            if !commit.is_empty() {
                discard(&self.staging)?;
            }
            create_dir(&self.staging)?;
            fs::write(&pin, commit).map_err(disk("writing", &pin))?;
        }
        Ok(())
    }

    /// Shows the terms, and keeps them beside the model so that they are passed on with it.
    fn announce(&self, licence: &Licence) -> Result<()> {
        let limits = if licence.is_non_commercial() { "; for non-commercial use only" } else { "" };
        let id = &self.id;
        self.progress.note(&format!("{id}: licence {} ({}){limits}", licence.name, licence.url));
        if let Some(notice) = &licence.notice {
            if self.hub.options.session.is_news(notice) {
                self.progress.note(notice);
            }
            let path = self.staging.join("NOTICE.txt");
            fs::write(&path, format!("{}\n", notice.trim_end())).map_err(disk("writing", &path))?;
        }
        Ok(())
    }

    /// Brings one file into the folder; `base` is the number of bytes before it.
    fn file(
        &self,
        file: &ModelFile,
        base: u64,
        installed: &[(String, State)],
    ) -> Result<StoredFile> {
        let target = self.staging.join(&file.path);
        create_dir(target.parent().unwrap_or(&self.staging))?;
        let job = self.job(file, base);
        let (sha256, source) = match finished(&target, file, self.stop)? {
            Some(sha256) => (sha256, "an earlier run".to_string()),
            None => match self.reuse(installed, &job)? {
                Some(found) => found,
                None => self.obtain(&job)?,
            },
        };
        if !target.exists() {
            sync(&job.part)?;
            fs::rename(&job.part, &target).map_err(disk("writing", &target))?;
        }
        Ok(StoredFile { path: file.path.clone(), size: file.size, sha256, source })
    }

    /// Brings a file of which nobody tells size and checksum; its form is checked instead.
    fn loose(&self, file: &LooseFile, base: u64) -> Result<StoredFile> {
        let target = self.staging.join(&file.path);
        let expected = ModelFile {
            path: file.path.clone(),
            size: firefox::MAX_LOOSE,
            sha256: None,
            sources: file.sources.clone(),
        };
        // How far it is nobody can tell.
        let notes = NotesOnly(self.progress);
        let job = Job { progress: &notes, ..self.job(&expected, base) };
        let take = |source: &Source| match source {
            Source::Packed { at } => packed::fetch(self.hub.options, at, &job).and_then(|()| {
                firefox::check_shape(&file.path, &job.part).map_err(|why| {
                    discard(&job.part).err().map_or(Failure::Source(why), Failure::Fatal)
                })
            }),
            _ => Err(Failure::Source("is no place of such a file".into())),
        };
        let whole = target.is_file() && firefox::check_shape(&file.path, &target).is_ok();
        let source = match whole {
            true => "an earlier run".into(),
            false => self.first(&job, &take)?.1,
        };
        if !whole {
            sync(&job.part)?;
            fs::rename(&job.part, &target).map_err(disk("writing", &target))?;
        }
        let size = fs::metadata(&target).map_err(Error::io("reading", &target))?.len();
        let sha256 = sha256_of(&target, self.stop, &|_| ())?;
        Ok(StoredFile { path: file.path.clone(), size, sha256, source })
    }

    fn job<'a>(&'a self, file: &'a ModelFile, base: u64) -> Job<'a> {
        Job {
            file,
            part: self.staging.join(format!("{}.part", file.path)),
            work: self.staging.join(".work"),
            licences: self.staging.join("licences"),
            base,
            progress: self.progress,
            stop: self.stop,
        }
    }

    /// Fills the part file with the same bytes of another model in the store, or of the version of
    /// this one that is installed: an adapter changes, its base does not. Returns the SHA-256 and
    /// where they came from at first; `None` when they are nowhere, or not what they were.
    fn reuse(
        &self,
        installed: &[(String, State)],
        job: &Job<'_>,
    ) -> Result<Option<(String, String)>> {
        if job.have()? > 0 {
            return Ok(None);
        }
        for (id, state) in installed {
            let State::Ready(manifest) = state else { continue };
            let Some(held) = manifest.files.iter().find(|held| held.is(job.file)) else {
                continue;
            };
            let source = Source::Folder { path: self.store.path_of(id)?.join(&held.path) };
            match sources::fetch(&self.hub, &source, job) {
                Ok(sha256) => return Ok(Some((sha256, held.source.clone()))),
                Err(Failure::Fatal(why)) => return Err(why),
                Err(Failure::Source(_) | Failure::Unreachable(_)) => discard(&job.part)?,
            }
        }
        Ok(None)
    }

    /// Fills the part file from the first source that can; returns its SHA-256 and the source.
    fn obtain(&self, job: &Job<'_>) -> Result<(String, String)> {
        self.first(job, &|source| sources::fetch(&self.hub, source, job))
    }

    /// What the first source gives that can, and the source.
    fn first<T>(
        &self,
        job: &Job<'_>,
        take: &dyn Fn(&Source) -> Result<T, Failure>,
    ) -> Result<(T, String)> {
        let id = &self.id;
        let mut tried = Vec::new();
        for source in &job.file.sources {
            let (why, is_news) = match take(source) {
                Ok(taken) => return Ok((taken, source.to_string())),
                Err(Failure::Fatal(e)) => return Err(e),
                Err(Failure::Source(why)) => (why, true),
                Err(Failure::Unreachable(why)) => {
                    (why, self.hub.options.session.is_news(UNREACHABLE))
                }
            };
            let line = format!("{source}: {why}");
            if is_news && !self.hub.offline() {
                job.progress.note(&format!("{id}: {line}"));
            }
            tried.push(line);
        }
        if self.hub.offline() {
            return Err(offline(self.wanted, &tried));
        }
        Err(Error::Fetch {
            what: format!("{} of {id}", job.file.path),
            message: format!(
                "no source gave it:\n  - {}\nCheck the network and its proxy (HTTPS_PROXY), or name a mirror (HF_ENDPOINT for the Hub, PIP_INDEX_URL for \
                 pip, POLYGIST_FIREFOX_MODELS for Firefox's models), and run `{}` again: it goes on where it stopped. Or bring the file from another machine: \
                 `polygist models import FILE --name {}`",
                tried.join("\n  - "),
                self.wanted.command(),
                id.rsplit('/').next().unwrap_or(id)
            ),
        })
    }
}

/// Hears nothing but notes.
struct NotesOnly<'a>(&'a dyn Progress);

impl Progress for NotesOnly<'_> {
    fn start(&self, _: &str, _: u64) {}
    fn position(&self, _: u64) {}
    fn note(&self, text: &str) {
        self.0.note(text);
    }
    fn finish(&self) {}
}

fn fits(wanted: &Wanted, manifest: &Manifest) -> bool {
    match wanted {
        Wanted::Listed(model) => same_files(model, &manifest.files),
        Wanted::Named { .. } => true,
    }
}

/// The terms of a model that the Hub and perhaps the catalog state: where the catalog does not know
/// them, the Hub's hold.
fn terms(known: Option<&Licence>, hub: Option<Licence>) -> Option<Licence> {
    match (known, hub) {
        (Some(known), Some(hub)) if known.name == Licence::UNKNOWN => {
            Some(Licence { name: hub.name, ..known.clone() })
        }
        (Some(known), _) => Some(known.clone()),
        (None, hub) => hub,
    }
}

/// The SHA-256 of a file that an earlier run brought to its end before it was stopped.
fn finished(target: &Path, file: &ModelFile, stop: &CancelToken) -> Result<Option<String>> {
    if fs::metadata(target).is_ok_and(|m| m.is_file() && m.len() == file.size) {
        let found = sha256_of(target, stop, &|_| ())?;
        if file.sha256.as_ref().is_none_or(|expected| *expected == found) {
            return Ok(Some(found));
        }
    }
    discard(target)?;
    Ok(None)
}

fn offline(wanted: &Wanted, tried: &[String]) -> Error {
    let tried: String = tried.iter().map(|line| format!("\n  - {line}")).collect();
    Error::model(
        wanted.id(),
        format!(
            "is not on this machine, and --offline forbids to fetch it. Run `{}` once with a network, \
             or `polygist models import FILE --name NAME` with a file from elsewhere{tried}",
            wanted.command()
        ),
    )
}
