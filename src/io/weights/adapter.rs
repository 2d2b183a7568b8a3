//! LoRA adapters as PEFT stores them, `adapter_config.json` and `adapter_model.safetensors`, with
//! three files of our own beside them: how the model wants to be asked then, how its inputs are
//! smoothed before they are rounded, and which of its tokens a language needs.
//!
//! Reference: `peft`'s `LoraConfig` and `LoraLayer`. What cannot be merged into the weights, or is
//! not known here, is refused: an adapter that is followed in part is another model than the one
//! that was trained.

use super::json::{json, optional_json};
use super::safetensors;
use super::stored::Stored;
use crate::checkpoint::{AdapterDelta, LowRank, Weights, stand_in};
use crate::error::{Error, Result};
use crate::io::layout::{
    self, ADAPTER_CONFIG as CONFIG, ADAPTER_SHORTLIST as SHORTLIST, ADAPTER_SMOOTHING as SMOOTHING,
    ADAPTER_USE as USE, ADAPTER_WEIGHTS as WEIGHTS,
};
use base64::Engine as _;
use candle_core::Tensor;
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

/// Before the names of the modules that an adapter was trained on.
const WRAPPER: &str = "base_model.model.";

/// An adapter, read and checked. The default one adds nothing.
#[derive(Default)]
pub struct Adapter {
    /// Its additions to the model, by the names that `transformers` has for the modules.
    pub changes: AdapterDelta,
    /// Instructions for using the model with it.
    pub usage: Usage,
    /// The tokens that text of a language is made of, by its code: a bit for each token of the
    /// vocabulary, the lowest of each byte first.
    pub languages: BTreeMap<String, Vec<u8>>,
}

/// `polygist.json`: how a model shall be used with an adapter.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Usage {
    /// Whether a language model was taught its task, and needs to be shown no examples.
    pub taught: bool,
    /// Settings of generation, in place of those in the model's own files: entries of a
    /// `generation_config.json`.
    pub generation: serde_json::Map<String, Value>,
}

impl Adapter {
    /// Reads the adapter in a folder.
    ///
    /// # Errors
    /// When a file is missing or damaged, and when it is another kind of adapter, or has parts that
    /// are not merged here: DoRA, trained biases, embeddings or whole modules. Nothing is allocated
    /// beyond what the file's tensors take as f32.
    pub fn open(folder: &Path) -> Result<Adapter> {
        let name = format!("adapter {}", folder.display());
        let wrong = |why: String| Error::model(&name, why);
        layout::adapter(folder).map_err(wrong)?;
        let usage = match optional_json(folder, USE)? {
            Value::Null => Usage::default(),
            value => Usage::deserialize(value).map_err(|e| {
                wrong(format!("{USE}: {e}; expected an object like {{\"taught\": true, \"generation\": {{\"num_beams\": 4}}}}"))
            })?,
        };
        let changes =
            AdapterDelta { added: modules(folder, &name)?, smoothing: smoothing(folder, &name)? };
        Ok(Adapter { changes, usage, languages: languages(folder, &name)? })
    }
}

/// The tokens of languages; nothing where there is no such file.
fn languages(folder: &Path, name: &str) -> Result<BTreeMap<String, Vec<u8>>> {
    let lists = match optional_json(folder, SHORTLIST)? {
        Value::Null => return Ok(BTreeMap::new()),
        Value::Object(lists) => lists,
        _ => {
            return Err(Error::model(
                name,
                format!(
                    "{SHORTLIST} should be an object: for each language's code a text in base64"
                ),
            ));
        }
    };
    let read = |(language, list): (String, Value)| {
        let bits = list
            .as_str()
            .and_then(|list| base64::engine::general_purpose::STANDARD.decode(list).ok());
        let bits = bits.ok_or_else(|| {
            Error::model(
                name,
                format!("{SHORTLIST}: {language} should be a text in base64, a bit for each token"),
            )
        })?;
        Ok((language, bits))
    };
    lists.into_iter().map(read).collect()
}

/// The tensors of a file in the folder.
fn tensors(folder: &Path, file: &str, name: &str) -> Result<Stored> {
    let path = folder.join(file);
    let mut open = File::open(&path).map_err(Error::io("reading", &path))?;
    let size = open.metadata().map_err(Error::io("reading", &path))?.len();
    let views = safetensors::read(&mut open, size)
        .map_err(|why| stand_in::explain(&path, why))
        .map_err(|why| Error::model(name, format!("{file}: {why}")))?;
    let mut stored = Stored::new(name.into());
    stored.add(&path, open, views);
    Ok(stored)
}

/// Divisors of the inputs of modules; nothing where there is no such file.
fn smoothing(folder: &Path, name: &str) -> Result<BTreeMap<String, Tensor>> {
    if !folder.join(SMOOTHING).is_file() {
        return Ok(BTreeMap::new());
    }
    let stored = tensors(folder, SMOOTHING, name)?;
    let read = |module: String| {
        let divisors = stored.get(&module)?;
        let usable = divisors.rank() == 1
            && divisors.to_vec1::<f32>()?.iter().all(|d| d.is_normal() && *d > 0.0);
        if !usable {
            return Err(Error::model(
                name,
                format!(
                    "{SMOOTHING}: {module} should be a list of numbers above 0, one for each input"
                ),
            ));
        }
        Ok((module, divisors))
    };
    stored.names().into_iter().map(read).collect()
}

fn modules(folder: &Path, name: &str) -> Result<BTreeMap<String, LowRank>> {
    let wrong = |why: String| Error::model(name, why);
    let config = Config::read(&json(folder, CONFIG, name)?)
        .map_err(|why| wrong(format!("{CONFIG}: {why}")))?;
    let stored = tensors(folder, WEIGHTS, name)?;

    let mut modules = BTreeSet::new();
    for tensor in stored.names() {
        let module = tensor.strip_prefix(WRAPPER).and_then(|rest| {
            let half = [".lora_A.weight", ".lora_B.weight"]
                .iter()
                .find_map(|half| rest.strip_suffix(half))?;
            Some(half.to_string())
        });
        modules.insert(module.ok_or_else(|| {
            let expected = format!("expected {WRAPPER}MODULE.lora_A.weight and .lora_B.weight");
            wrong(format!(
                "{WEIGHTS} has {tensor}, which is no low-rank matrix of a linear layer; {expected}"
            ))
        })?);
    }
    if modules.is_empty() {
        return Err(wrong(format!("{WEIGHTS} has no tensors")));
    }
    let read = |module: String| -> Result<(String, LowRank)> {
        let half = |letter: &str| -> Result<Tensor> {
            let tensor = stored.get(&format!("{WRAPPER}{module}.lora_{letter}.weight"))?;
            if tensor.rank() != 2 {
                return Err(wrong(format!(
                    "lora_{letter} of {module} has the shape {:?}; expected a matrix",
                    tensor.dims()
                )));
            }
            Ok(tensor)
        };
        let (down, up) = (half("A")?, half("B")?);
        let ([rank, _], [_, rank_up]) = ([down.dim(0)?, down.dim(1)?], [up.dim(0)?, up.dim(1)?]);
        let stated = config.rank(&module);
        if rank != rank_up || rank as u64 != stated {
            let found = format!("{:?} and {:?}", down.dims(), up.dims());
            return Err(wrong(format!(
                "the matrices of {module} have the shapes {found}; expected the rank {stated} of {CONFIG}"
            )));
        }
        let scale = config.scale(&module);
        Ok((module, LowRank { down, up, scale }))
    };
    modules.into_iter().map(read).collect()
}

/// Kinds and parts of adapters that are more than a product of two matrices for a weight.
const NOT_MERGED: &[&str] = &[
    "use_dora",
    "use_qalora",
    "use_bdlora",
    "lora_bias",
    "fan_in_fan_out",
    "modules_to_save",
    "trainable_token_indices",
    "target_parameters",
    "layer_replication",
    "alora_invocation_tokens",
    "arrow_config",
    "kasa_config",
    "velora_config",
    "monteclora_config",
];

/// The part of `adapter_config.json` that says how large the additions are.
struct Config {
    rank: u64,
    alpha: f64,
    /// For modules whose names end like this, another rank.
    ranks: Vec<(Regex, f64)>,
    alphas: Vec<(Regex, f64)>,
    /// Whether the scale is alpha/√rank instead of alpha/rank (Kalajdzievski 2023).
    root: bool,
}

impl Config {
    fn read(config: &Value) -> std::result::Result<Config, String> {
        let kind = config.get("peft_type").and_then(Value::as_str).unwrap_or("none");
        if kind != "LORA" {
            return Err(format!("its peft_type is {kind}; only LORA is known"));
        }
        let is_set = |key: &&str| match config.get(key) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::Array(list)) => !list.is_empty(),
            Some(Value::Object(entries)) => !entries.is_empty(),
            Some(_) => true,
        };
        if let Some(key) = NOT_MERGED.iter().find(|key| is_set(key)) {
            return Err(format!("it has {key}, which cannot be merged here; train without it"));
        }
        if let Some(bias) =
            config.get("bias").and_then(Value::as_str).filter(|bias| *bias != "none")
        {
            return Err(format!(
                "its biases were trained (bias is {bias:?}), which cannot be merged here; train without them"
            ));
        }
        // The others take something away from the base before training begins, and the adapter
        // counts from there.
        if let Some(start) = config.get("init_lora_weights").and_then(Value::as_str)
            && !["gaussian", "eva", "orthogonal"].contains(&start)
        {
            return Err(format!(
                "its training began with {start}, which changes the base model; convert it to a usual adapter (PEFT's save_pretrained)"
            ));
        }
        let number = |key: &str| config.get(key).and_then(Value::as_f64).filter(|n| n.is_finite());
        let rank = config
            .get("r")
            .and_then(Value::as_u64)
            .filter(|&r| r > 0)
            .ok_or("it has no rank r above 0")?;
        let patterns = |key: &str| -> std::result::Result<Vec<(Regex, f64)>, String> {
            let entries = config.get(key).and_then(Value::as_object).into_iter().flatten();
            entries
                .map(|(pattern, value)| {
                    let value = value
                        .as_f64()
                        .filter(|n| n.is_finite())
                        .ok_or_else(|| format!("{key} of {pattern:?} is no number"))?;
                    let pattern =
                        Regex::new(&format!(r"^(.*\.)?({})$", pattern.trim_start_matches('^')))
                            .map_err(|e| format!("{key} has the pattern {pattern:?}: {e}"))?;
                    Ok((pattern, value))
                })
                .collect()
        };
        Ok(Config {
            rank,
            alpha: number("lora_alpha").ok_or("it has no number lora_alpha")?,
            ranks: patterns("rank_pattern")?,
            alphas: patterns("alpha_pattern")?,
            root: is_set(&"use_rslora"),
        })
    }

    /// The first pattern that fits, as in PEFT.
    fn of(patterns: &[(Regex, f64)], module: &str) -> Option<f64> {
        patterns.iter().find(|(pattern, _)| pattern.is_match(module)).map(|(_, value)| *value)
    }

    fn rank(&self, module: &str) -> u64 {
        Config::of(&self.ranks, module).map_or(self.rank, |rank| rank as u64)
    }

    fn scale(&self, module: &str) -> f64 {
        let (rank, alpha) =
            (self.rank(module) as f64, Config::of(&self.alphas, module).unwrap_or(self.alpha));
        alpha / if self.root { rank.sqrt() } else { rank }
    }
}
