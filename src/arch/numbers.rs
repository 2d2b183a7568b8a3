//! Reading numbers, switches and names out of a configuration.

use crate::checkpoint::{Config, Weights};
use crate::error::{Error, Result};
use crate::kernel::Activation;

/// The numbers of a [`Config`], each under its GGUF key (below the architecture's name) and its
/// `config.json` key: a path with `/`, or several, separated by `|`, where versions of
/// `transformers` differ.
pub(super) struct Numbers<'a> {
    pub config: &'a Config,
    pub model: &'a str,
    pub gguf_prefix: &'static str,
}

impl<'a> Numbers<'a> {
    /// The numbers of a family that has no GGUF files.
    pub fn of_hub(config: &'a Config, weights: &'a dyn Weights) -> Numbers<'a> {
        Numbers { config, model: weights.model(), gguf_prefix: "" }
    }

    pub fn number(&self, gguf: &str, json: &str) -> Option<f64> {
        match self.config {
            Config::Gguf(meta) => {
                let value = meta.get(&format!("{}.{gguf}", self.gguf_prefix))?;
                let float = value.to_f32().map(f64::from).or_else(|_| value.to_f64());
                float
                    .ok()
                    .or_else(|| value.to_u64().ok().map(|v| v as f64))
                    .or_else(|| value.to_u32().ok().map(f64::from))
            }
            Config::Json(config) => {
                json.split('|').find_map(|path| config.pointer(&format!("/{path}"))?.as_f64())
            }
        }
    }

    /// A number that must be there.
    pub fn float(&self, gguf: &str, json: &str) -> Result<f64> {
        self.number(gguf, json).ok_or_else(|| {
            Error::model(
                self.model,
                format!("its configuration has no number {}", self.key(gguf, json)),
            )
        })
    }

    /// The key as the file has it, for messages.
    fn key(&self, gguf: &str, json: &str) -> String {
        if matches!(self.config, Config::Gguf(_)) {
            format!("{}.{gguf}", self.gguf_prefix)
        } else {
            json.into()
        }
    }

    /// A size that must be there, from 1 to about sixteen million.
    pub fn size(&self, gguf: &str, json: &str) -> Result<usize> {
        let value = self.float(gguf, json)?;
        if value.fract() == 0.0 && (1.0..=16_777_216.0).contains(&value) {
            return Ok(value as usize);
        }
        let key = self.key(gguf, json);
        Err(Error::model(
            self.model,
            format!(
                "its configuration says {key} = {value}; expected a whole number from 1 to 16777216"
            ),
        ))
    }

    /// A size that may be missing.
    pub fn optional_size(&self, gguf: &str, json: &str) -> Result<Option<usize>> {
        self.number(gguf, json).map(|_| self.size(gguf, json)).transpose()
    }

    /// A number of positions: a table of that length may be computed, so it is bounded.
    pub fn positions(&self, gguf: &str, json: &str) -> Result<usize> {
        const MOST: usize = 1 << 17;
        let count = self.size(gguf, json)?;
        if count > MOST {
            let key = self.key(gguf, json);
            return Err(Error::model(
                self.model,
                format!("its configuration says {key} = {count}; expected at most {MOST}"),
            ));
        }
        Ok(count)
    }

    /// A number of positions that may be missing.
    pub fn optional_positions(&self, gguf: &str, json: &str) -> Result<Option<usize>> {
        self.number(gguf, json).map(|_| self.positions(gguf, json)).transpose()
    }

    /// A switch of `config.json`.
    pub fn flag(&self, key: &str, default: bool) -> bool {
        self.config.json(key).and_then(|v| v.as_bool()).unwrap_or(default)
    }

    /// Whether the output layer may have the embedding's weights, `default` where `config.json`
    /// does not say. GGUF files say it by leaving its weights out.
    pub fn is_tied(&self, default: bool) -> bool {
        matches!(self.config, Config::Gguf(_)) || self.flag("tie_word_embeddings", default)
    }

    /// A text of `config.json`.
    pub fn text(&self, key: &str) -> Option<&'a str> {
        self.config.json(key).and_then(|v| v.as_str())
    }

    /// The activation that `config.json` names.
    pub fn activation(&self, key: &str, default: &str) -> Result<Activation> {
        let name = self.text(key).unwrap_or(default);
        activation(name).ok_or_else(|| {
            Error::model(self.model, format!("its configuration says {key} = {name:?}; known are relu, gelu, gelu_new, silu and swish"))
        })
    }

    /// A size that `config.json` may leave out where it is `default`; GGUF files state all.
    pub fn size_or(&self, gguf: &str, json: &str, default: usize) -> Result<usize> {
        match (self.config, self.number(gguf, json)) {
            (Config::Json(_), None) => Ok(default),
            _ => self.size(gguf, json),
        }
    }

    /// The sliding windows of `count` layers: those that `layer_types` of `config.json` names,
    /// else those whose number, from 0, `slides`; none at all where no window is stated.
    pub fn windows(
        &self,
        count: usize,
        slides: impl Fn(usize) -> bool,
    ) -> Result<Vec<Option<usize>>> {
        let window = self.optional_size("attention.sliding_window", "sliding_window")?;
        let listed = self.config.json("layer_types").and_then(|v| v.as_array());
        let kind = |i: usize| listed.and_then(|all| Some(all.get(i)? == "sliding_attention"));
        Ok((0..count).map(|i| window.filter(|_| kind(i).unwrap_or_else(|| slides(i)))).collect())
    }

    /// Whether a model has a part that not all of its family have: whether a GGUF file has a weight
    /// of it, or else what a switch of `config.json` says.
    pub fn has_part(&self, weights: &dyn Weights, gguf: &str, key: &str, default: bool) -> bool {
        match self.config {
            Config::Gguf(_) => weights.has(gguf),
            Config::Json(_) => self.flag(key, default),
        }
    }
}

/// The activation of a name that configuration files use.
pub(super) fn activation(name: &str) -> Option<Activation> {
    Some(match name {
        "relu" => Activation::Relu,
        "gelu" => Activation::Gelu,
        "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Activation::GeluTanh,
        "silu" | "swish" => Activation::Silu,
        _ => return None,
    })
}
