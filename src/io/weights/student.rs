//! A folder with a model as Marian itself runs it, such as Firefox's translation models (Bergamot):
//! `model.enfr.intgemm.alphas.bin`, `vocab.enfr.spm` (or `srcvocab.enfr.spm` and
//! `trgvocab.enfr.spm`) and, in most, `lex.50.50.enfr.s2t.bin`.

use super::marian;
use super::stored::Stored;
use crate::checkpoint::{Config, Weights, stand_in};
use crate::error::{Error, Result};
use crate::io::layout::{is_shortlist, student_vocabularies};
use crate::types::Lang;
use serde_json::{Value, json};
use std::fs::File;
use std::path::Path;

/// `model_type` of such a model, by analogy with those in the Hub's layout.
const MODEL_TYPE: &str = "marian-student";

/// Opens the folder. The configuration is what the weights' file says, with what the folder says of
/// it besides: `vocabularies`, `shortlist`, `source_lang` and `target_lang`.
pub(super) fn open(
    folder: &Path,
    names: &[String],
    weights: &str,
) -> Result<(Config, Box<dyn Weights>)> {
    let model = folder.display().to_string();
    let path = folder.join(weights);
    let mut file = File::open(&path).map_err(Error::io("opening", &path))?;
    let size = file.metadata().map_err(Error::io("reading", &path))?.len();
    let marian::Contents { mut config, views } = marian::read(&mut file, size)
        .map_err(|why| stand_in::explain(&path, why))
        .map_err(|why| Error::model(&model, format!("{weights}: {why}")))?;
    let vocabularies = student_vocabularies(names).map_err(|why| Error::model(&model, why))?;
    let mut shortlists: Vec<&String> = names.iter().filter(|name| is_shortlist(name)).collect();
    // A folder for both directions has one for each; the usual one goes from source to target.
    shortlists.sort_by_key(|name| (!name.contains("s2t"), *name));
    if let Some((from, to)) = pair(weights, vocabularies.iter().chain(shortlists.iter().copied())) {
        config.insert("source_lang".into(), from.as_str().into());
        config.insert("target_lang".into(), to.as_str().into());
    }
    config.insert("model_type".into(), MODEL_TYPE.into());
    config.insert("vocabularies".into(), json!(vocabularies));
    if let Some(name) = shortlists.first() {
        config.insert("shortlist".into(), name.as_str().into());
    }
    let mut stored = Stored::new(model);
    stored.add(&path, file, views);
    Ok((Config::Json(Value::Object(config)), Box::new(stored)))
}

/// The languages that the files' names say: four letters that the weights and another file have in
/// common (`enfr`).
fn pair<'a>(
    weights: &str,
    others: impl Iterator<Item = &'a String> + Clone,
) -> Option<(Lang, Lang)> {
    let is_pair = |part: &&str| part.len() == 4 && part.bytes().all(|b| b.is_ascii_lowercase());
    let part = weights
        .split('.')
        .filter(is_pair)
        .find(|part| others.clone().any(|name| name.split('.').any(|p| p == *part)))?;
    Some((Lang::parse(&part[..2])?, Lang::parse(&part[2..])?))
}
