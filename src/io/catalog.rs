//! The catalog: models that can be had by name, with their licences and the sources of their files.

mod builtin;
mod check;
mod model;

use crate::error::{Error, Result};
use crate::io::folders;
use crate::languages::canonical;
use crate::types::Lang;
use serde::Deserialize;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

pub use builtin::builtin_file;
use check::check;
pub use model::{
    Licence, LooseFile, Model, ModelFile, Release, Score, Source, Task, WheelPart,
    is_non_commercial,
};
pub(in crate::io) use model::{reads, writes};

const BUILTIN: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/catalog.toml"));

/// What the names of Firefox's models begin with.
const FIREFOX: &str = "firefox-";

/// Models that can be had by name, in order of preference.
#[derive(Clone, Debug)]
pub struct Catalog {
    models: Vec<Model>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    /// Lists of languages, for which `@name` stands in a model.
    #[serde(default)]
    groups: BTreeMap<String, Vec<Lang>>,
    #[serde(default, rename = "model")]
    models: Vec<Model>,
}

impl Document {
    fn parse(text: &str, origin: &str) -> Result<Document> {
        toml::from_str(text).map_err(|e| Error::Usage(format!("{origin}: {e}")))
    }

    /// The languages of a list, with those of the groups in their places.
    fn expand(&self, list: &[Lang]) -> Result<Vec<Lang>, String> {
        let mut languages = Vec::new();
        for lang in list {
            match lang.as_str().strip_prefix('@') {
                Some(name) => languages.extend_from_slice(
                    self.groups.get(name).ok_or_else(|| format!("there is no group {name:?}"))?,
                ),
                None => languages.push(lang.clone()),
            }
        }
        match languages.iter().find(|l| Lang::parse(l.as_str()).as_ref() != Some(*l)) {
            Some(wrong) => Err(format!(
                "{:?} is not a language code; expected one as fr, de or pt-BR",
                wrong.as_str()
            )),
            None => Ok(languages),
        }
    }
}

impl Catalog {
    /// The catalog that ships with the program.
    pub fn builtin() -> Result<Catalog> {
        let mut document = Document::parse(BUILTIN, "built-in catalog")?;
        document.models.retain(builtin::has_parts_of);
        Catalog::of(&document, "built-in catalog")
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

    /// Where the user's own catalog is looked for: `models.toml` in [`folders::config`].
    pub fn user_file() -> Option<PathBuf> {
        folders::config().map(|folder| folder.join("models.toml"))
    }

    /// Reads a catalog; `origin` names it in errors.
    pub fn parse(text: &str, origin: &str) -> Result<Catalog> {
        Catalog::of(&Document::parse(text, origin)?, origin)
    }

    fn of(document: &Document, origin: &str) -> Result<Catalog> {
        let wrong = |message: String| Error::Usage(format!("{origin}: {message}"));
        let mut models = document.models.clone();
        let mut seen = HashSet::new();
        for model in &mut models {
            let id = model.id.clone();
            let wrong = |m: String| wrong(format!("model {id:?}: {m}"));
            if let Some(base) = &model.base {
                let known = document
                    .models
                    .iter()
                    .find(|m| m.id == *base && m.base.is_none() && !m.files.is_empty());
                let base = known.ok_or_else(|| {
                    wrong(format!(
                        "its base {base:?} is no model of this catalog whose files are listed"
                    ))
                })?;
                model.files.splice(..0, base.files.iter().cloned());
            }
            for list in [&mut model.languages, &mut model.from, &mut model.to] {
                *list = document.expand(list).map_err(wrong)?;
            }
            check(model).map_err(wrong)?;
            if !seen.insert(id.clone()) {
                return Err(wrong("it is listed twice".into()));
            }
        }
        Ok(Catalog { models })
    }

    /// All models, the preferred ones first.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// The model with that id.
    pub fn get(&self, id: &str) -> Option<&Model> {
        self.models.iter().find(|m| m.id == id)
    }

    /// The model with that id, or whose repository has that name. Of Firefox's models the pair
    /// alone is a name too (`firefox-fr-en`): that of the best one that is released.
    pub fn find(&self, name: &str) -> Option<&Model> {
        self.by_stored_name(name).or_else(|| self.of_pair(name))
    }

    /// The model that the store keeps under that name: its id, or its repository's.
    pub fn by_stored_name(&self, name: &str) -> Option<&Model> {
        self.get(name).or_else(|| self.models.iter().find(|m| m.repo.as_deref() == Some(name)))
    }

    /// The model of Firefox's for the pair in `firefox-fr-en` or `firefox-fr-en-tiny`, whose
    /// languages may have other codes there than in the id.
    fn of_pair(&self, name: &str) -> Option<&Model> {
        let rest = name.strip_prefix(FIREFOX)?;
        // Both forms of Norwegian have models of their own.
        let read = |code: &str| match code {
            "nn" => Lang::parse(code),
            _ => Lang::parse(code).map(|lang| canonical(&lang)),
        };
        let rank = |model: &Model| {
            let architecture = ["base-memory", "base", "tiny"]
                .into_iter()
                .find(|a| model.id.ends_with(&format!("-{a}")))?;
            let ending = format!("-{architecture}");
            let pair = rest.strip_suffix(&ending).unwrap_or(rest);
            let knows =
                |languages: &[Lang], code| read(code).is_some_and(|lang| languages.contains(&lang));
            let is_named = model.id == format!("{FIREFOX}{pair}{ending}")
                || pair.match_indices('-').any(|(at, _)| {
                    knows(model.reads(), &pair[..at]) && knows(model.writes(), &pair[at + 1..])
                });
            is_named.then(|| (model.release, Model::size_class(architecture)))
        };
        let firefox = self.models.iter().filter(|model| model.id.starts_with(FIREFOX));
        let released = firefox.filter(|model| model.release != Release::Unreleased);
        // Of equals the first, which `max_by_key` would pass over.
        released
            .rev()
            .filter_map(|model| Some((rank(model)?, model)))
            .max_by_key(|(rank, _)| *rank)
            .map(|(_, model)| model)
    }

    /// The catalog with further models behind its own; an id that it has stays what it is.
    pub fn with(&self, models: Vec<Model>) -> Catalog {
        let mut catalog = self.clone();
        let known: HashSet<String> = self.models.iter().map(|model| model.id.clone()).collect();
        catalog.models.extend(models.into_iter().filter(|model| !known.contains(&model.id)));
        catalog
    }

    /// The models that [fit](Model::fits), the best first: those that are released, of these the
    /// ones of higher quality, of equals those with the better published score, then the smaller.
    pub fn recommended(
        &self,
        task: Option<Task>,
        from: Option<&Lang>,
        to: Option<&Lang>,
    ) -> Vec<&Model> {
        let mut models: Vec<&Model> =
            self.models.iter().filter(|m| m.fits(task, from, to)).collect();
        let permille = |model: &Model| {
            let comet = model.scores.first().and_then(|score| score.comet);
            comet.map_or(0, |comet| (comet * 1000.0) as u32)
        };
        models.sort_by_key(|m| {
            (Reverse(m.release), Reverse(m.quality), Reverse(permille(m)), m.size())
        });
        models
    }

    /// The models for a pair alone that may be fetched unasked, the best first: Firefox's, then
    /// others that are released, for any use, and of at most 500 MB.
    pub fn for_pair(&self, from: &Lang, to: &Lang) -> Vec<&Model> {
        const LARGEST: u64 = 500_000_000;
        let is_wanted = |model: &&Model| {
            !model.from.is_empty()
                && model.release != Release::Unreleased
                && !model.licence.is_non_commercial()
                && model.size() <= LARGEST
        };
        let best = self.find(&format!("{FIREFOX}{from}-{to}"));
        let mut models: Vec<&Model> = best.into_iter().collect();
        let others = self.recommended(Some(Task::Translate), Some(from), Some(to));
        let (firefox, rest): (Vec<&Model>, Vec<&Model>) =
            others.into_iter().filter(is_wanted).partition(|model| model.id.starts_with(FIREFOX));
        let others = firefox.into_iter().chain(rest);
        let first = models.first().map(|model| model.id.clone());
        models.extend(others.filter(|model| Some(&model.id) != first.as_ref()));
        models
    }

    /// The model that is used when none is named: the first of the built-in order that has the
    /// task.
    pub fn default_for(&self, task: Task) -> Option<&Model> {
        self.models.iter().find(|m| m.tasks.contains(&task))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Prompting;

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
        let gemma = catalog.get("gemma-3-270m").unwrap();
        assert_eq!((gemma.prompt, gemma.size()), (Some(Prompting::FewShot), 253_113_024));
        let taught = catalog.default_for(Task::Translate).unwrap();
        assert_eq!(
            (taught.id.as_str(), taught.prompt, taught.files.len()),
            ("gemma-3-270m-news", Some(Prompting::FineTuned), 6)
        );
        assert!(
            taught.files[0] == gemma.files[0]
                && (10 << 20..30 << 20).contains(&(taught.size() - gemma.size()))
        );
        assert!(
            gemma.knows(&Lang::parse("sw").unwrap())
                && gemma.licence.notice.as_ref().unwrap().contains("Gemma Terms of Use")
        );
        let score = |from, to| {
            let lang = |code| Lang::parse(code).unwrap();
            taught.score(&lang(from), &lang(to))?.bleu
        };
        assert_eq!((score("fr", "en"), score("en", "zh-CN")), (Some(31.8), Some(19.2)));
        assert_eq!((score("en", "zh-TW"), score("sw", "en")), (None, None));
        let encoder = catalog.default_for(Task::Encode).unwrap();
        assert_eq!((encoder.id.as_str(), encoder.size()), ("all-MiniLM-L6-v2", 91_335_478));
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
        for (package, version, member) in [
            ("-r", "1", "m"),
            ("p", "1 --index-url=x", "m"),
            ("git+https://x", "1", "m"),
            ("p", "1", "../../m"),
        ] {
            let wheel = format!(
                "kind='wheel'\npart=[{{package='{package}',version='{version}',member='{member}',size=1}}]"
            );
            assert!(
                Catalog::parse(&entry("f", &wheel), "t").is_err(),
                "{package} {version} {member}"
            );
        }
        let short = "kind='wheel'\npart=[{package='p',version='1',member='m',size=7}]";
        assert!(
            Catalog::parse(&entry("f", short), "t")
                .unwrap_err()
                .to_string()
                .contains("7 bytes together, the file 1")
        );
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

    #[test]
    fn models_are_recommended_by_task_and_languages() {
        let catalog = Catalog::builtin().unwrap();
        let lang = |code: &str| Lang::parse(code).unwrap();
        let names = |task, from: Option<&str>, to: Option<&str>| -> Vec<&str> {
            let (from, to) = (from.map(lang), to.map(lang));
            catalog
                .recommended(task, from.as_ref(), to.as_ref())
                .iter()
                .map(|m| m.id.as_str())
                .collect()
        };
        let french = names(Some(Task::Translate), Some("fr"), Some("en"));
        assert_eq!(french[0], "opus-mt-fr-en");
        for one in [
            "opus-mt-ROMANCE-en",
            "opus-mt-mul-en",
            "nllb-200-distilled-600M",
            "mbart-large-50-many-to-one-mmt",
            "gemma-3-270m",
        ] {
            assert!(french.contains(&one), "{one}: {french:?}");
        }
        assert!(
            !french.contains(&"opus-mt-en-fr") && !french.contains(&"bart-large-cnn"),
            "{french:?}"
        );
        let back = names(Some(Task::Translate), Some("en"), Some("fr"));
        assert!(
            back[0] == "opus-mt-en-fr" && !back.contains(&"mbart-large-50-many-to-one-mmt"),
            "{back:?}"
        );
        // Codes that mean the same.
        assert_eq!(names(None, Some("zh-Hans"), Some("en")), names(None, Some("zh"), Some("en")));
        assert!(names(None, Some("nb"), Some("en")).contains(&"m2m100_418M"));
        let swahili = names(Some(Task::Summarize), Some("sw"), Some("sw"));
        assert!(
            swahili.contains(&"mT5_multilingual_XLSum") && swahili.contains(&"Qwen3-1.7B"),
            "{swahili:?}"
        );
        assert!(!swahili.contains(&"bart-large-cnn"), "{swahili:?}");
        assert_eq!(names(None, None, None).len(), catalog.models().len());
        let summaries = names(Some(Task::Summarize), None, None);
        assert!(
            summaries[0] == "distilbart-cnn-12-6"
                && summaries.iter().rev().take(2).any(|name| *name == "smollm2-135m-instruct"),
            "{summaries:?}"
        );
    }

    #[test]
    fn entries_without_files_name_a_repository() {
        let catalog = Catalog::builtin().unwrap();
        let named: Vec<&Model> = catalog.models().iter().filter(|m| m.repo.is_some()).collect();
        assert!(named.len() >= 25);
        for model in named {
            let hub = model.hub().unwrap();
            assert_eq!(catalog.find(&hub.to_string()).map(|m| &m.id), Some(&model.id));
            assert!((1..=5).contains(&model.quality) && model.size() > 100_000_000, "{}", model.id);
            // Models that are made for their task are not prompted.
            let made_for_it = [
                "marian", "m2m_100", "mbart", "t5", "mt5", "bart", "pegasus", "longt5", "led",
                "bert",
            ];
            let prompted = !made_for_it.contains(&model.architecture.as_str());
            assert_eq!(model.prompt.is_some(), prompted, "{}", model.id);
            // The repository's own name is the id, so that it can be guessed.
            assert!(hub.name == model.id || hub.file.is_some(), "{}", model.id);
        }
        let nllb = catalog.get("nllb-200-distilled-600M").unwrap();
        assert!(nllb.licence.is_non_commercial() && nllb.languages.len() > 180);
        assert!(
            !catalog.get("opus-mt-fr-en").unwrap().licence.is_non_commercial()
                && is_non_commercial("cc-by-nc-sa-4.0")
        );
    }

    #[test]
    fn what_an_entry_lacks_or_has_twice_is_said() {
        let base = "[groups]\ng=['de','fr']\n[[model]]\nid='m'\nname='M'\ntasks=['translate']\narchitecture='marian'\n\
                    licence={name='MIT',url='x'}\n";
        let parse = |rest: &str| Catalog::parse(&format!("{base}{rest}"), "t");
        let good = parse("from=['@g','it']\nto=['en']\nrepo='a/b'\nsize_mb=300").unwrap();
        let model = good.get("m").unwrap();
        assert_eq!((model.reads().len(), model.size(), model.prompt), (3, 300_000_000, None));
        for (rest, why) in [
            ("from=['de']\nrepo='a/b'\nsize_mb=1", "both from and to"),
            ("languages=['de']\nto=['en']\nrepo='a/b'\nsize_mb=1", "both from and to"),
            ("languages=['@h']\nrepo='a/b'\nsize_mb=1", "no group \"h\""),
            ("languages=['German']\nrepo='a/b'\nsize_mb=1", "not a language code"),
            ("languages=['de']", "neither a repo nor"),
            ("languages=['de']\nrepo='a/b'", "size_mb"),
            ("languages=['de']\nrepo='../b'\nsize_mb=1", "not of the form"),
            ("languages=['de']\nrepo='a/b'\nsize_mb=1\nhash='x'", "unknown field"),
        ] {
            let error = parse(rest).unwrap_err().to_string();
            assert!(error.contains(why), "{rest}: {error}");
        }
    }
}
