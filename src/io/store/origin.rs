//! What a folder tells of the model in it: its pair of languages, its terms, a name for it.

use crate::io::layout::{FolderFile, is_shortlist, is_student};
use crate::io::names::is_plain_name;
use crate::io::pairs::Pair;
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes of a text that are looked at.
const TEXT_LIMIT: u64 = 64 << 10;
/// Terms by the words that texts have for them, the narrower ones first.
const TERMS: [(&str, &str); 6] = [
    ("cc-by-sa-nc-4.0", "CC-BY-NC-SA-4.0"),
    ("cc-by-nc-sa-4.0", "CC-BY-NC-SA-4.0"),
    ("attribution-noncommercial-sharealike 4.0", "CC-BY-NC-SA-4.0"),
    ("cc-by-sa-4.0", "CC-BY-SA-4.0"),
    ("attribution-sharealike 4.0", "CC-BY-SA-4.0"),
    ("mozilla public license", "MPL-2.0"),
];

/// What is known of a model that is imported.
#[derive(Debug, Default)]
pub(super) struct Origin {
    /// Its languages.
    pub pair: Option<Pair>,
    /// The name of its terms.
    pub licence: Option<String>,
    /// A name to keep it under, if none is said.
    pub name: Option<String>,
}

impl Origin {
    /// Reads it out of a folder of Firefox's, of a mirror of those (`en-fr`), or of
    /// translateLocally's (`model_info.json`); `files` are the model's.
    pub fn of(path: &Path, files: &[FolderFile]) -> Origin {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let is_student = files.iter().any(|file| is_student(&file.plain));
        if !is_student || !path.is_dir() {
            return Origin { name: stem, ..Origin::default() };
        }
        let folder = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let folder = folder.unwrap_or_default();
        let info: Option<Value> =
            text(&path.join("model_info.json")).and_then(|text| serde_json::from_str(&text).ok());
        let names: Vec<String> = files.iter().map(|file| file.plain.clone()).collect();
        let by_files = Pair::of_files(&names);
        // The name of the folder can tell what four letters cannot: en-zh_hant.
        let by_folder = Pair::of_folder(&folder)
            .filter(|pair| by_files.as_ref().is_none_or(|other| other.letters() == pair.letters()));
        let pair = info.as_ref().and_then(pair_of).or(by_folder).or(by_files);
        let firefox = pair.as_ref().filter(|_| info.is_none());
        let named = info.as_ref().and_then(|info| info["shortName"].as_str()).map(String::from);
        let name = firefox.map(|pair| format!("firefox-{}", pair.name));
        let name = name.or_else(|| Some(folder).filter(|name| is_plain_name(name)));
        Origin { name: name.or(named).or(stem), licence: licence(&path), pair }
    }
}

/// The pair that translateLocally's description tells.
fn pair_of(info: &Value) -> Option<Pair> {
    let sources = info["srcTags"].as_object()?;
    let mut sources = sources.keys().filter_map(|code| Pair::of(code, info["trgTag"].as_str()?));
    let mut pair = sources.next()?;
    sources.for_each(|other| pair.from.extend(other.from));
    Some(pair)
}

/// The terms that the texts of a folder tell.
fn licence(folder: &Path) -> Option<String> {
    let names = ["catalog-entry.yml", "model_info.json", "LICENSE.md", "LICENSE", "LICENSE.txt"];
    let texts = names.iter().filter_map(|name| text(&folder.join(name)));
    let texts: Vec<String> = texts.map(|text| text.to_lowercase()).collect();
    let found = TERMS.iter().find(|(words, _)| texts.iter().any(|text| text.contains(words)));
    found.map(|(_, name)| name.to_string())
}

fn text(path: &Path) -> Option<String> {
    let mut text = Vec::new();
    File::open(path).ok()?.take(TEXT_LIMIT).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// The name that a file gets in the store: with the letters of the pair, by which the model is
/// known to be for it, where it has none (`model.intgemm.alphas.bin` of translateLocally).
pub(super) fn name_of(file: &str, letters: &str) -> String {
    let has_pair = |part: &str| part.len() == 4 && part.bytes().all(|b| b.is_ascii_lowercase());
    let is_part = is_student(file) || is_shortlist(file) || file.ends_with(".spm");
    match file.split_once('.') {
        Some((start, rest)) if is_part && !rest.split('.').any(has_pair) => {
            format!("{start}.{letters}.{rest}")
        }
        _ => file.to_string(),
    }
}
