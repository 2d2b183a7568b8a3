//! The architectures: one file each, and one line each in the registry.

mod adapt;
mod audit;
mod bart;
mod decoder;
mod encoder_decoder;
mod family;
mod gemma3;
mod led;
mod llama;
mod longt5;
mod m2m100;
mod macs;
mod marian;
mod mbart;
mod pegasus;
mod student;
mod t5;

pub use adapt::adapt;
pub use audit::unused;
pub use macs::Macs;

use crate::checkpoint::{Config, Weights};
use crate::error::{Error, Result};
use crate::kernel::Activation;
use crate::nn::{Backend, KvCache, OutputLayer, SourceCache, Span};
use crate::types::Lang;
use candle_core::Tensor;
use std::sync::Arc;

/// A model as generation sees it: something that reads tokens and says what the state is after
/// them. Decoder-only models read everything this way; those with an [`Encoder`] read the source
/// with it first.
pub trait Model: Send + Sync {
    /// Longest sequence in tokens; that of the decoder where there are two.
    fn context_length(&self) -> usize;

    /// An empty cache for one sequence without a source.
    fn new_cache(&self) -> KvCache;

    /// Reads the new tokens of some sequences and returns the normalized hidden state at the end of
    /// each (at every token of a beam, see [`Span::ends`]): (ends, dim). A sequence's result does
    /// not depend on the others.
    fn forward(&self, spans: &mut [Span<'_>]) -> Result<Tensor>;

    /// The projection of hidden states onto the vocabulary.
    fn output(&self) -> &OutputLayer;

    /// The multiply-adds per token.
    fn macs(&self) -> Macs;

    /// The half that reads the source, of models that have two halves.
    fn encoder(&self) -> Option<&dyn Encoder> {
        None
    }

    /// How the model wants to be told the languages of a text; `has` says whether its vocabulary
    /// has a token. `None` when it cannot translate that way: because it is prompted, no
    /// translation model, or does not know one of the languages.
    fn language_prompt(
        &self,
        from: &Lang,
        to: &Lang,
        has: &dyn Fn(&str) -> bool,
    ) -> Option<LanguagePrompt> {
        let _ = (from, to, has);
        None
    }
}

/// How a translation model is told the languages of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LanguagePrompt {
    /// What stands before the source: a language's token, or words.
    pub prefix: String,
    /// The token that the output begins with, if it is told that way.
    pub begin: Option<String>,
}

/// The half of an encoder–decoder model that reads the source.
pub trait Encoder: Send + Sync {
    /// Longest source in tokens.
    fn context_length(&self) -> usize;

    /// Reads some sources, each at least one token, for the decoder to attend to
    /// ([`KvCache::reading`]). A source's result does not depend on the others.
    fn encode(&self, sources: &[&[u32]]) -> Result<Vec<Arc<SourceCache>>>;

    /// Layers of the decoder, each of which attends to the source.
    fn attention_layers(&self) -> usize;

    /// How the tokens of one sequence attend to its source in a layer of the decoder, counted from
    /// 0: the weights, the mean over the heads, (tokens, source); each row sums up to 1. The span's
    /// cache serves for later tokens of the same question alone: layers above are not computed.
    fn attention(&self, span: &mut Span<'_>, layer: usize) -> Result<Tensor>;
}

/// The states at the ends of the spans, (ends, dim), out of those of all tokens; the caches are
/// advanced.
fn advance(x: Tensor, spans: &mut [Span<'_>]) -> Result<Tensor> {
    let mut ends: Vec<u32> = Vec::with_capacity(spans.len());
    let mut first = 0;
    for span in spans {
        ends.extend(span.ends().map(|i| (first + i) as u32));
        first += span.tokens.len();
        span.cache.advance(span.tokens.len());
    }
    if ends.len() == first {
        return Ok(x);
    }
    Ok(x.index_select(&Tensor::new(ends, x.device())?, 0)?)
}

/// One line of the registry.
pub struct Architecture {
    /// `general.architecture` of GGUF files; empty where there are none.
    pub gguf: &'static str,
    /// `model_type` of `config.json`.
    pub hub: &'static [&'static str],
    /// Builds the model.
    pub load: Load,
}

/// Builds a model out of its configuration and weights.
pub type Load = fn(&Config, &dyn Weights, &Backend) -> Result<Box<dyn Model>>;

/// Every architecture that polygist knows.
pub const REGISTRY: &[Architecture] = &[
    Architecture { gguf: "gemma3", hub: &["gemma3_text", "gemma3"], load: gemma3::load },
    Architecture { gguf: "llama", hub: &["llama"], load: llama::load },
    Architecture { gguf: "", hub: &["marian"], load: marian::load },
    Architecture { gguf: "", hub: &["marian-student"], load: student::load },
    Architecture { gguf: "", hub: &["bart"], load: bart::load },
    Architecture { gguf: "", hub: &["mbart"], load: mbart::load },
    Architecture { gguf: "", hub: &["m2m_100"], load: m2m100::load },
    Architecture { gguf: "", hub: &["pegasus"], load: pegasus::load },
    Architecture { gguf: "t5", hub: &["t5", "mt5", "umt5"], load: t5::load },
    Architecture { gguf: "", hub: &["longt5"], load: longt5::load },
    Architecture { gguf: "", hub: &["led"], load: led::load },
];

/// Builds the model that a configuration and its weights describe.
///
/// # Errors
/// When the architecture is not in the [`REGISTRY`], or configuration and weights do not fit.
pub fn load(config: &Config, weights: &dyn Weights, backend: &Backend) -> Result<Box<dyn Model>> {
    let (key, name) = match config {
        Config::Gguf(_) => ("general.architecture", config.gguf_str("general.architecture")),
        Config::Json(_) => {
            ("model_type", config.json("model_type").and_then(|v| v.as_str()).map(String::from))
        }
    };
    let Some(name) = name else {
        return Err(Error::model(weights.model(), format!("its configuration has no {key}")));
    };
    let found = REGISTRY.iter().find(|a| match config {
        Config::Gguf(_) => !a.gguf.is_empty() && a.gguf == name,
        Config::Json(_) => a.hub.contains(&name.as_str()),
    });
    let Some(architecture) = found else {
        let known: Vec<&str> = match config {
            Config::Gguf(_) => {
                REGISTRY.iter().map(|a| a.gguf).filter(|name| !name.is_empty()).collect()
            }
            Config::Json(_) => REGISTRY.iter().flat_map(|a| a.hub).copied().collect(),
        };
        return Err(Error::model(
            weights.model(),
            format!("unknown architecture {name}; polygist knows {}", known.join(", ")),
        ));
    };
    (architecture.load)(config, weights, backend)
}

/// Numbers out of a [`Config`], each under its GGUF key (below the architecture's name) and its
/// `config.json` key: a path with `/`, or several, separated by `|`, where versions of
/// `transformers` differ.
struct Numbers<'a> {
    config: &'a Config,
    model: &'a str,
    gguf_prefix: &'static str,
}

impl<'a> Numbers<'a> {
    /// Of a family that has no GGUF files.
    fn of_hub(config: &'a Config, weights: &'a dyn Weights) -> Numbers<'a> {
        Numbers { config, model: weights.model(), gguf_prefix: "" }
    }

    fn number(&self, gguf: &str, json: &str) -> Option<f64> {
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
    fn float(&self, gguf: &str, json: &str) -> Result<f64> {
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
    fn size(&self, gguf: &str, json: &str) -> Result<usize> {
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
    fn optional_size(&self, gguf: &str, json: &str) -> Result<Option<usize>> {
        self.number(gguf, json).map(|_| self.size(gguf, json)).transpose()
    }

    /// A number of positions: a table of that length may be computed, so it is bounded.
    fn positions(&self, gguf: &str, json: &str) -> Result<usize> {
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

    /// The same where it may be missing.
    fn optional_positions(&self, gguf: &str, json: &str) -> Result<Option<usize>> {
        self.number(gguf, json).map(|_| self.positions(gguf, json)).transpose()
    }

    /// A switch of `config.json`.
    fn flag(&self, key: &str, default: bool) -> bool {
        self.config.json(key).and_then(|v| v.as_bool()).unwrap_or(default)
    }

    /// A text of `config.json`.
    fn text(&self, key: &str) -> Option<&'a str> {
        self.config.json(key).and_then(|v| v.as_str())
    }

    /// The activation that `config.json` names.
    fn activation(&self, key: &str, default: &str) -> Result<Activation> {
        let name = self.text(key).unwrap_or(default);
        bart::activation(name).ok_or_else(|| {
            Error::model(self.model, format!("its configuration says {key} = {name:?}; known are relu, gelu, gelu_new, silu and swish"))
        })
    }

    /// Refuses rotary embeddings that are scaled for long contexts: computing without the scaling
    /// would be silently wrong.
    fn no_scaled_rope(&self, weights: &dyn Weights) -> Result<()> {
        let scaled = match self.config {
            Config::Gguf(_) => {
                weights.has("rope_freqs.weight")
                    || self.number("rope.scaling.factor", "").is_some_and(|f| f != 1.0)
            }
            Config::Json(json) => {
                let kinds =
                    ["/rope_parameters/rope_type", "/rope_parameters/full_attention/rope_type"];
                let named = kinds
                    .iter()
                    .filter_map(|path| json.pointer(path)?.as_str())
                    .any(|kind| kind != "default");
                named || json.get("rope_scaling").is_some_and(|v| !v.is_null())
            }
        };
        if scaled {
            return Err(Error::model(
                self.model,
                "scaled rotary embeddings (rope_scaling) are not supported for this architecture",
            ));
        }
        Ok(())
    }
}
