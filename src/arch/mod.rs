//! The architectures: one file each, and one line each in the registry.

mod decoder;
mod gemma3;
mod llama;

use crate::error::{Error, Result};
use crate::nn::{Backend, Config, KvCache, OutputLayer, Span, Weights};
use candle_core::Tensor;

/// A decoder-only language model, as generation sees it.
pub trait CausalLm: Send + Sync {
    /// Longest sequence in tokens.
    fn context_length(&self) -> usize;

    /// An empty cache for one sequence.
    fn new_cache(&self) -> KvCache;

    /// Reads the new tokens of some sequences and returns the normalized hidden state of the last token of each:
    /// (sequences, dim). A sequence's result does not depend on the others.
    fn forward(&self, spans: &mut [Span<'_>]) -> Result<Tensor>;

    /// The projection of hidden states onto the vocabulary.
    fn output(&self) -> &OutputLayer;
}

/// One line of the registry.
pub struct Architecture {
    /// `general.architecture` of GGUF files.
    pub gguf: &'static str,
    /// `model_type` of `config.json`.
    pub hub: &'static [&'static str],
    /// Builds the model.
    pub load: Load,
}

/// Builds a model out of its configuration and weights.
pub type Load = fn(&Config, &dyn Weights, &Backend) -> Result<Box<dyn CausalLm>>;

/// Every architecture that polygist knows.
pub const REGISTRY: &[Architecture] = &[
    Architecture { gguf: "gemma3", hub: &["gemma3_text", "gemma3"], load: gemma3::load },
    Architecture { gguf: "llama", hub: &["llama"], load: llama::load },
];

/// Builds the model that a configuration and its weights describe.
///
/// # Errors
/// When the architecture is not in the [`REGISTRY`], or configuration and weights do not fit.
pub fn load(config: &Config, weights: &dyn Weights, backend: &Backend) -> Result<Box<dyn CausalLm>> {
    let (key, name) = match config {
        Config::Gguf(_) => ("general.architecture", config.gguf_str("general.architecture")),
        Config::Json(json) => ("model_type", json.get("model_type").and_then(|v| v.as_str()).map(String::from)),
    };
    let Some(name) = name else {
        return Err(Error::model(weights.model(), format!("its configuration has no {key}")));
    };
    let found = REGISTRY.iter().find(|a| match config {
        Config::Gguf(_) => a.gguf == name,
        Config::Json(_) => a.hub.contains(&name.as_str()),
    });
    let Some(architecture) = found else {
        let known: Vec<&str> = REGISTRY.iter().map(|a| a.gguf).collect();
        return Err(Error::model(weights.model(), format!("unknown architecture {name}; polygist knows {}", known.join(", "))));
    };
    (architecture.load)(config, weights, backend)
}

/// Numbers out of a [`Config`], each under its GGUF key (below the architecture's name) and its `config.json` key: a path with `/`, or
/// several, separated by `|`, where versions of `transformers` differ.
struct Numbers<'a> {
    config: &'a Config,
    model: &'a str,
    gguf_prefix: &'static str,
}

impl Numbers<'_> {
    fn number(&self, gguf: &str, json: &str) -> Option<f64> {
        match self.config {
            Config::Gguf(meta) => {
                let value = meta.get(&format!("{}.{gguf}", self.gguf_prefix))?;
                let float = value.to_f32().map(f64::from).or_else(|_| value.to_f64());
                float.ok().or_else(|| value.to_u64().ok().map(|v| v as f64)).or_else(|| value.to_u32().ok().map(f64::from))
            }
            Config::Json(config) => json.split('|').find_map(|path| config.pointer(&format!("/{path}"))?.as_f64()),
        }
    }

    /// A number that must be there.
    fn float(&self, gguf: &str, json: &str) -> Result<f64> {
        self.number(gguf, json).ok_or_else(|| {
            let key = if matches!(self.config, Config::Gguf(_)) { format!("{}.{gguf}", self.gguf_prefix) } else { json.into() };
            Error::model(self.model, format!("its configuration has no number {key}"))
        })
    }

    /// A size that must be there, from 1 to about sixteen million.
    fn size(&self, gguf: &str, json: &str) -> Result<usize> {
        let value = self.float(gguf, json)?;
        if value.fract() == 0.0 && (1.0..=16_777_216.0).contains(&value) {
            return Ok(value as usize);
        }
        Err(Error::model(self.model, format!("its configuration says {json} = {value}; expected a whole number from 1 to 16777216")))
    }

    /// A size that may be missing.
    fn optional_size(&self, gguf: &str, json: &str) -> Result<Option<usize>> {
        self.number(gguf, json).map(|_| self.size(gguf, json)).transpose()
    }

    /// Refuses rotary embeddings that are scaled for long contexts: computing without the scaling would be silently wrong.
    fn no_scaled_rope(&self, weights: &dyn Weights) -> Result<()> {
        let scaled = match self.config {
            Config::Gguf(_) => weights.has("rope_freqs.weight") || self.number("rope.scaling.factor", "").is_some_and(|f| f != 1.0),
            Config::Json(json) => {
                let kinds = ["/rope_parameters/rope_type", "/rope_parameters/full_attention/rope_type"];
                let named = kinds.iter().filter_map(|path| json.pointer(path)?.as_str()).any(|kind| kind != "default");
                named || json.get("rope_scaling").is_some_and(|v| !v.is_null())
            }
        };
        if scaled {
            return Err(Error::model(self.model, "scaled rotary embeddings (rope_scaling) are not supported for this architecture"));
        }
        Ok(())
    }
}
