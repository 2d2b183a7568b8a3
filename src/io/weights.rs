//! Model files: GGUF, folders in the Hub's layout with safetensors or PyTorch weights, and folders
//! with Marian's own binary files.
//!
//! They are input from outside. Headers are read and checked against the file before anything is
//! allocated for what they describe, and tensors are read when they are asked for. No more is
//! allocated than: the configuration, which may have 16 MiB; for safetensors a header of up to 64
//! MiB; for PyTorch files a list of tensors of up to 16 MiB and of a million values; for GGUF
//! metadata of up to 256 MiB and four million values; for Marian's files names of up to 16 MiB and
//! a configuration of 1 MiB; for a tensor what its numbers take as f32, twice that where they do
//! not lie in order, and 1 MiB. Pickles are read, never run.

mod adapter;
#[doc(hidden)]
pub mod fuzz;
mod gguf;
mod json;
mod marian;
mod pickle;
mod safetensors;
mod shortlist;
mod stored;
mod student;
mod torch;
mod zip;

use super::layout::{self, Format, WeightFiles};
use crate::checkpoint::{Config, Weights, stand_in};
use crate::error::{Error, Result};
use json::json;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::path::Path;
use stored::{Stored, View};

pub use adapter::{Adapter, Usage};
pub use gguf::Gguf;
pub use json::{optional_json, optional_text};
pub use shortlist::ShortlistFile;

/// Opens a folder in the Hub's layout: its `config.json` and its weights, which are read as they
/// are asked for.
///
/// The weights are `model.safetensors`, the shards that `model.safetensors.index.json` names,
/// `pytorch_model.bin`, the shards that `pytorch_model.bin.index.json` names, or a single
/// safetensors file of another name: the first of these that is there. Where none is, a binary file
/// of Marian's, `model.*.bin`, which holds its configuration itself.
///
/// # Errors
/// When `config.json`, the weights or one of their shards are missing, damaged or of an unknown
/// kind. A file that is not what it seems, with sizes that do not fit or a pickle that calls
/// anything, is refused as a whole.
pub fn open_folder(folder: &Path) -> Result<(Config, Box<dyn Weights>)> {
    let model = folder.display().to_string();
    let entries = std::fs::read_dir(folder).map_err(Error::io("reading the folder", folder))?;
    let names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    let chosen = layout::weights(&names);
    if let Ok(WeightFiles { format: Format::Marian, files, .. }) = &chosen {
        return student::open(folder, &names, files.first().map_or("", String::as_str));
    }
    let config = match &chosen {
        // Where there are no weights either, that is the news.
        Err(why) if !folder.join("config.json").exists() => return Err(Error::model(&model, why)),
        _ => json(folder, "config.json", &model)?,
    };
    let chosen = chosen.map_err(|why| Error::model(&model, why))?;
    if chosen.format == Format::Gguf {
        return Err(Error::model(
            &model,
            format!(
                "it holds a GGUF file; name that file: {}",
                folder.join(&chosen.files[0]).display()
            ),
        ));
    }
    let map = match &chosen.index {
        Some(index) => weight_map(&json(folder, index, &model)?)
            .map_err(|why| Error::model(&model, format!("{index}: {why}")))?,
        None => HashMap::new(),
    };
    // A list of shards says which they are; without one there is a single file.
    let files: BTreeSet<&String> =
        if map.is_empty() { chosen.files.iter().collect() } else { map.values().collect() };
    let mut stored = Stored::new(model.clone());
    for name in files {
        let path = folder.join(name);
        if !path.is_file() {
            let index = chosen.index.as_deref().unwrap_or_default();
            return Err(Error::model(
                &model,
                format!(
                    "shard {name}, which {index} lists, is missing; fetch it, or the whole model again"
                ),
            ));
        }
        let (file, views) = read(&path, chosen.format)
            .map_err(|why| stand_in::explain(&path, why))
            .map_err(|why| Error::model(&model, format!("{name}: {why}")))?;
        // What the list says about a weight decides, should two shards have it.
        stored.add(
            &path,
            file,
            views
                .into_iter()
                .filter(|(weight, _)| map.get(weight).is_none_or(|shard| shard == name)),
        );
    }
    // Whether a head is needed depends on the family: whoever looks for it says that it is missing.
    let is_head = |weight: &str| weight.ends_with("lm_head.weight");
    match map.iter().filter(|(weight, _)| !stored.has(weight) && !is_head(weight)).min() {
        Some((weight, shard)) => Err(Error::model(
            &model,
            format!("weight {weight} is not in {shard}, where the list of shards places it"),
        )),
        None => Ok((Config::Json(config), Box::new(stored))),
    }
}

fn read(path: &Path, format: Format) -> std::result::Result<(File, Vec<(String, View)>), String> {
    let mut file = File::open(path).map_err(|e| e.to_string())?;
    let size = file.metadata().map_err(|e| e.to_string())?.len();
    let views = match format {
        Format::Torch => torch::read(&mut file, size)?,
        Format::Safetensors | Format::Gguf | Format::Marian => safetensors::read(&mut file, size)?,
    };
    Ok((file, views))
}

/// The shard of each weight.
fn weight_map(index: &Value) -> std::result::Result<HashMap<String, String>, String> {
    let map = index
        .get("weight_map")
        .and_then(Value::as_object)
        .filter(|map| !map.is_empty())
        .ok_or("it has no weight_map")?;
    map.iter()
        .map(|(weight, shard)| match shard.as_str() {
            // The list is no place to reach into other folders from.
            Some(shard) if super::names::is_inside(shard) && !shard.contains('/') => {
                Ok((weight.clone(), shard.to_string()))
            }
            _ => {
                Err(format!("it places {weight} in {shard}; expected the name of a file beside it"))
            }
        })
        .collect()
}
