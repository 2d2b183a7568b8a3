//! Mozilla's registry of translation models (`db/models.json`), read as entries of the catalog.
//! Nothing in it is trusted: an entry that is not as it should be is left out, with the reason.

use crate::io::catalog::{Licence, LooseFile, Model, ModelFile, Release, Score, Source, Task};
use crate::io::layout;
use crate::io::names::{is_inside, is_plain_name};
use crate::io::pairs::ours;
use crate::languages;
use crate::types::Lang;
use serde::Deserialize;
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// Entries that are read at most; Mozilla's registry has 130.
const MAX_ENTRIES: usize = 5000;
/// Bytes of a model, at most; the largest of Mozilla's has 60 million.
const MAX_MODEL: u64 = 2 << 30;
/// About the bytes of a vocabulary, and of a shortlist.
const ABOUT: (u64, u64) = (900_000, 4_500_000);
const TERMS: &str = "https://www.mozilla.org/MPL/2.0/";
const NOTICE: &str = "\
Firefox's translation models are by Mozilla, under the Mozilla Public License 2.0 (https://www.mozilla.org/MPL/2.0/).
They were made with the work of the Bergamot project (EU Horizon 2020, grant 825303), of HPLT (Horizon Europe, grant
101070350) and of OPUS-MT; https://github.com/mozilla/translations has their history. If you pass them on, pass these
terms on with them.";

/// What there is in a registry.
pub(super) struct Registry {
    /// The models; of each pair the best stands first.
    pub models: Vec<Model>,
    /// Why entries were left out, a line each.
    pub dropped: Vec<String>,
}

/// Where the registry's files are.
pub(super) enum Base {
    /// At the user's mirror, whatever the registry says.
    Mirror(String),
    /// Where the registry says, or at the usual place.
    Named { usual: &'static str },
    /// Where the registry says, which was made here.
    Own,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    base_url: Option<String>,
    models: BTreeMap<String, Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    architecture: String,
    release_status: Option<String>,
    source_language: String,
    target_language: String,
    files: Files,
    #[serde(default)]
    metrics: Option<HashMap<String, Metrics>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Files {
    model: ModelEntry,
    vocab: Option<FileEntry>,
    src_vocab: Option<FileEntry>,
    trg_vocab: Option<FileEntry>,
    lexical_shortlist: Option<FileEntry>,
}

#[derive(Deserialize)]
struct FileEntry {
    path: String,
    /// Its name, where that is not the last part of the path.
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ModelEntry {
    #[serde(flatten)]
    file: FileEntry,
    uncompressed_size: u64,
    uncompressed_hash: String,
}

#[derive(Deserialize)]
struct Metrics {
    bleu: Option<f32>,
    chrf: Option<f32>,
    comet22: Option<f32>,
}

/// Reads a registry.
///
/// # Errors
/// When it is none: says what was expected.
pub(super) fn parse(text: &[u8], base: Base) -> Result<Registry, String> {
    let document: Document = serde_json::from_slice(text)
        .map_err(|e| format!("expected Mozilla's registry of translation models: {e}"))?;
    let base = match (base, document.base_url) {
        (Base::Mirror(place), _) => place,
        (Base::Named { .. }, Some(named)) if is_plain_address(&named) => {
            named.trim_end_matches('/').into()
        }
        (Base::Named { usual }, _) => usual.into(),
        (Base::Own, named) => named.unwrap_or_default(),
    };
    let mut registry = Registry { models: Vec::new(), dropped: Vec::new() };
    let mut seen: HashMap<String, String> = HashMap::new();
    for (pair, values) in document.models {
        let mut found = Vec::new();
        for value in values {
            let entry = serde_json::from_value::<Entry>(value).map_err(|e| e.to_string());
            match entry.and_then(|entry| Ok((rank(&entry), model(&entry, &base)?))) {
                Ok(ranked) => found.push(ranked),
                Err(why) => registry.dropped.push(format!("{pair}: {why}")),
            }
        }
        found.sort_by_key(|(rank, _)| Reverse(*rank));
        for (_, model) in found {
            let hash = model.files[0].sha256.clone().unwrap_or_default();
            // The same model stands there as `nb` and as `no`.
            match seen.get(&model.id) {
                Some(other) if *other == hash => {}
                Some(_) => registry.dropped.push(format!("{pair}: {} is there twice", model.id)),
                None if registry.models.len() < MAX_ENTRIES => {
                    seen.insert(model.id.clone(), hash);
                    registry.models.push(model);
                }
                None => registry.dropped.push(format!("more than {MAX_ENTRIES} entries")),
            }
        }
    }
    Ok(registry)
}

/// How good an entry is among those of its pair, for a computer that is no telephone.
fn rank(entry: &Entry) -> (u8, u8) {
    let status = match entry.release_status.as_deref() {
        Some("Release Desktop") => 4,
        Some("Release") => 3,
        Some("Release Android") => 2,
        Some("Nightly") => 1,
        _ => 0,
    };
    (status, Model::size_class(&entry.architecture))
}

fn model(entry: &Entry, base: &str) -> Result<Model, String> {
    let Entry { architecture, source_language, target_language, files, .. } = entry;
    let code = |code: &str| ours(code).ok_or_else(|| format!("{code:?} is no language code"));
    let (source, from) = code(source_language)?;
    let (target, to) = code(target_language)?;
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let id = format!("firefox-{source}-{target}-{architecture}");
    if !architecture.chars().all(is_word) || !is_plain_name(&id) {
        return Err(format!("architecture {architecture:?} is none"));
    }
    let release = match entry.release_status.as_deref() {
        Some("Release" | "Release Desktop" | "Release Android") => Release::Released,
        Some("Nightly") => Release::Nightly,
        _ => Release::Unreleased,
    };
    let names = |languages: &[Lang]| {
        languages.iter().map(|l| languages::name(l).to_string()).collect::<Vec<_>>().join(", ")
    };
    let scores = scores(entry);
    let (files, loose) = self::files(files, base)?;
    Ok(Model {
        name: format!(
            "Firefox's translation model, {} to {}, {architecture}",
            names(&from),
            names(&to)
        ),
        id,
        tasks: vec![Task::Translate],
        languages: Vec::new(),
        from,
        to,
        architecture: "marian-student".into(),
        prompt: None,
        input_prefix: None,
        quality: quality(&scores, release),
        scores,
        release,
        note: note(release),
        licence: Licence { name: "MPL-2.0".into(), url: TERMS.into(), notice: Some(NOTICE.into()) },
        repo: None,
        size_mb: None,
        base: None,
        files,
        loose,
    })
}

fn note(release: Release) -> Option<String> {
    let note = match release {
        Release::Released => return None,
        Release::Nightly => "in Firefox's nightly versions only",
        Release::Unreleased => "not released by Mozilla: it is used only when it is named",
    };
    Some(note.into())
}

/// The model, whose size and checksum are told, and what goes with it.
fn files(files: &Files, base: &str) -> Result<(Vec<ModelFile>, Vec<LooseFile>), String> {
    let Files { model, vocab, src_vocab, trg_vocab, lexical_shortlist } = files;
    let is_hash = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let hash = model.uncompressed_hash.to_ascii_lowercase();
    if hash.len() != 64 || !hash.chars().all(is_hash) {
        return Err(format!("{hash:?} is no SHA-256"));
    }
    if !(1..=MAX_MODEL).contains(&model.uncompressed_size) {
        return Err(format!("a model of {} bytes is none", model.uncompressed_size));
    }
    let (path, source) = file(&model.file, base)?;
    let listed = ModelFile {
        path,
        size: model.uncompressed_size,
        sha256: Some(hash),
        sources: vec![source],
    };
    let vocabularies = [vocab, src_vocab, trg_vocab].into_iter().flatten();
    let beside = vocabularies.map(|v| (v, ABOUT.0));
    let beside = beside.chain(lexical_shortlist.iter().map(|s| (s, ABOUT.1)));
    let loose: Result<Vec<LooseFile>, String> = beside
        .map(|(entry, about)| {
            let (path, source) = file(entry, base)?;
            Ok(LooseFile { path, about, sources: vec![source] })
        })
        .collect();
    let loose = loose?;
    // What is installed has to be what can be opened.
    let mut names: Vec<String> = loose.iter().map(|file| file.path.clone()).collect();
    names.push(listed.path.clone());
    names.sort();
    let chosen = layout::select(&names, &|file| file.to_string())?;
    if chosen != names || names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(format!("{} do not make a model", names.join(", ")));
    }
    Ok((vec![listed], loose))
}

/// The name that a file of the registry has once it is unpacked, and where it is.
fn file(FileEntry { path, name }: &FileEntry, base: &str) -> Result<(String, Source), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=~".contains(c);
    let is_path = |path: &str| is_inside(path) && path.chars().all(plain) && path.len() <= 500;
    if !is_path(path) || name.as_ref().is_some_and(|name| !is_path(name)) {
        return Err(format!("{path:?} is no path of a file"));
    }
    let name = name.as_ref().unwrap_or(path);
    let name = name.rsplit('/').next().unwrap_or(name);
    let name = [".gz", ".zst"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    Ok((name.into(), Source::Packed { at: format!("{base}/{path}") }))
}

/// Mozilla's own measurements.
fn scores(entry: &Entry) -> Vec<Score> {
    let metrics = entry.metrics.as_ref().and_then(|metrics| metrics.get("flores200-plus"));
    let sound = |score: &f32| (0.0..=100.0).contains(score);
    let score = metrics.and_then(|m| {
        Some(Score {
            set: "FLORES-200+".into(),
            by: "Mozilla".into(),
            bleu: m.bleu.filter(sound),
            chrf: m.chrf.filter(sound)?,
            comet: m.comet22.filter(|comet| (0.0..=1.0).contains(comet)),
            from: None,
            to: None,
        })
    });
    score.into_iter().collect()
}

/// What Mozilla's COMET leads one to expect; the middle where there is none.
fn quality(scores: &[Score], release: Release) -> u8 {
    if release == Release::Unreleased {
        return 3;
    }
    match scores.first().and_then(|score| score.comet) {
        Some(comet) if comet >= 0.87 => 5,
        Some(comet) if comet < 0.80 => 3,
        _ => 4,
    }
}

fn is_plain_address(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:~".contains(c);
    text.starts_with("https://") && text.len() < 300 && text.chars().all(plain)
}
