//! The architectures: one file each, and one line each in the registry.

mod adapt;
mod audit;
mod bart;
mod bert;
mod cohere;
mod decoder;
mod encoder_decoder;
mod family;
mod footprint;
mod gemma2;
mod gemma3;
mod head;
mod hunyuan;
mod led;
mod llama;
mod longt5;
mod m2m100;
mod macs;
mod marian;
mod mbart;
mod mistral;
mod numbers;
mod pegasus;
mod phi3;
mod qwen2;
mod qwen3;
mod rope_settings;
mod smollm3;
mod student;
mod t5;

pub use adapt::adapt;
pub use audit::{assumed, unused};
pub use bert::Bert;
pub use footprint::Footprint;
pub use macs::Macs;

use crate::checkpoint::{Config, TextPart, Weights, text_config};
use crate::error::{Error, Result};
use crate::nn::{Backend, KvCache, OutputLayer, SourceCache, Span};
use crate::types::Lang;
use candle_core::Tensor;
use numbers::Numbers;
use std::sync::Arc;

/// A model as generation sees it: it reads tokens and returns the hidden state after them.
/// Decoder-only models read everything this way; those with an [`Encoder`] read the source with it
/// first.
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

    /// The main memory that its work takes.
    fn footprint(&self) -> Footprint;

    /// The encoder, of models that have one.
    fn encoder(&self) -> Option<&dyn Encoder> {
        None
    }

    /// Its states between the layers, of models that read everything with one stack.
    fn layer_states(&self) -> Option<&dyn LayerStates> {
        None
    }

    /// The model's way of naming the languages of a text; `has` says whether its vocabulary has a
    /// token. `None` when it has none: when it is prompted, no translation model, or does not know
    /// one of the languages.
    fn language_prompt(
        &self,
        from: &Lang,
        to: &Lang,
        has: &dyn Fn(&str) -> bool,
    ) -> Option<LanguagePrompt> {
        let _ = (from, to, has);
        None
    }

    /// What the model's family does in generation that its files do not say; `has` says whether
    /// its vocabulary has a token.
    fn generation_defaults(&self, has: &dyn Fn(&str) -> bool) -> GenerationDefaults {
        let _ = has;
        GenerationDefaults::default()
    }
}

/// What a family of models does in generation that their files do not say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GenerationDefaults {
    /// Entries of a `config.json`, for where a model's own files have none.
    pub config: serde_json::Value,
    /// The token that the decoder starts with.
    pub start: Option<u32>,
    /// Tokens that are never written, by their texts.
    pub bad_tokens: Vec<&'static str>,
    /// What the source leaves of the vocabulary for the translation.
    pub shortlist: Option<LexicalShortlist>,
    /// Most tokens of a translation for each token that the encoder reads.
    pub length_factor: Option<usize>,
}

/// A lexical shortlist in a file beside the weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LexicalShortlist {
    /// Name of the file.
    pub file: String,
    /// Whether source and target have one vocabulary.
    pub shared: bool,
}

/// Answers [`Model::generation_defaults`].
type GenerationDefaultsFn = Box<dyn Fn(&dyn Fn(&str) -> bool) -> GenerationDefaults + Send + Sync>;

/// The tokens or words that tell a translation model the languages of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LanguagePrompt {
    /// Put before the source: a language's token, or words.
    pub prefix: String,
    /// The token that the output begins with, in families that have one.
    pub begin: Option<String>,
}

/// The stack of an encoder–decoder model that reads the source.
pub trait Encoder: Send + Sync {
    /// Longest source in tokens.
    fn context_length(&self) -> usize;

    /// Reads some sources, each at least one token, for the decoder to attend to
    /// ([`KvCache::reading`]). A source's result does not depend on the others.
    fn encode(&self, sources: &[&[u32]]) -> Result<Vec<Arc<SourceCache>>>;

    /// Layers of the decoder, each of which attends to the source.
    fn attention_layers(&self) -> usize;

    /// The head of the last layer that was taught to align a translation with its source, if one
    /// was.
    fn aligning_head(&self) -> Option<usize>;

    /// The cross-attention weights of one sequence's tokens in a layer of the decoder, counted from
    /// 0: (heads, tokens, source); each row sums up to 1. Layers above are not computed, so the
    /// span's cache serves later calls of this kind only.
    fn attention(&self, span: &mut Span<'_>, layer: usize) -> Result<Tensor>;
}

/// The states between the layers of a decoder-only model.
pub trait LayerStates: Send + Sync {
    /// Number of layers.
    fn layers(&self) -> usize;

    /// The states of all tokens of a sequence after each of the first `layers` layers, (tokens,
    /// dim) each. The layers above are not computed, so the span's cache serves later calls of this
    /// kind only.
    fn states(&self, span: &mut Span<'_>, layers: usize) -> Result<Vec<Tensor>>;
}

/// The states at the ends of the spans, (ends, dim), out of those of all tokens; advances the
/// caches.
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
    /// The names by which adapters are merged into its GGUF files; `None` where they are not.
    gguf_names: Option<GgufNames>,
}

/// The names of a family's weights on the Hub, which adapters go by, and in its GGUF files.
struct GgufNames {
    hub: &'static decoder::Naming,
    gguf: &'static decoder::Naming,
}

impl Architecture {
    /// A family without GGUF files.
    const fn hub_only(names: &'static [&'static str], load: Load) -> Architecture {
        Architecture { gguf: "", hub: names, load, gguf_names: None }
    }

    /// A language model, whose weights have the first names in the Hub's layout and the second in
    /// GGUF files.
    const fn decoder(
        hub: &'static [&'static str],
        gguf: &'static str,
        load: Load,
        names: [&'static decoder::Naming; 2],
    ) -> Architecture {
        let [hub_names, gguf_names] = names;
        let gguf_names = Some(GgufNames { hub: hub_names, gguf: gguf_names });
        Architecture { gguf, hub, load, gguf_names }
    }
}

/// Builds a model out of its configuration and weights.
pub type Load = fn(&Config, &dyn Weights, &Backend) -> Result<Box<dyn Model>>;

/// Every architecture that polygist knows.
pub const REGISTRY: &[Architecture] = &[
    Architecture::decoder(
        &["gemma3_text", "gemma3"],
        "gemma3",
        gemma3::load,
        [&gemma3::HUB, &gemma3::GGUF],
    ),
    Architecture::decoder(&["gemma2"], "gemma2", gemma2::load, [&gemma2::HUB, &gemma2::GGUF]),
    Architecture::decoder(&["llama"], "llama", llama::load, [&llama::HUB, &llama::GGUF]),
    Architecture::decoder(
        &["mistral", "ministral", "ministral3"],
        "mistral3",
        mistral::load,
        [&llama::HUB, &llama::GGUF],
    ),
    Architecture::decoder(&["qwen2"], "qwen2", qwen2::load, [&llama::HUB, &qwen2::GGUF]),
    Architecture::decoder(&["qwen3"], "qwen3", qwen3::load, [&qwen3::HUB, &qwen3::GGUF]),
    Architecture::decoder(
        &["hunyuan_v1_dense"],
        "hunyuan-dense",
        hunyuan::load,
        [&hunyuan::HUB, &hunyuan::GGUF],
    ),
    Architecture::decoder(&["phi3"], "phi3", phi3::load, [&phi3::HUB, &phi3::GGUF]),
    Architecture::decoder(&["smollm3"], "smollm3", smollm3::load, [&llama::HUB, &llama::GGUF]),
    Architecture::decoder(&["cohere"], "command-r", cohere::load, [&cohere::HUB, &cohere::GGUF]),
    Architecture::decoder(
        &["cohere2"],
        "cohere2",
        cohere::load_second,
        [&cohere::HUB, &cohere::GGUF],
    ),
    Architecture::hub_only(&["marian"], marian::load),
    Architecture::hub_only(&["marian-student"], student::load),
    Architecture::hub_only(&["bart"], bart::load),
    Architecture::hub_only(&["mbart"], mbart::load),
    Architecture::hub_only(&["m2m_100"], m2m100::load),
    Architecture::hub_only(&["pegasus"], pegasus::load),
    Architecture { gguf: "t5", hub: &["t5", "mt5", "umt5"], load: t5::load, gguf_names: None },
    Architecture::hub_only(&["longt5"], longt5::load),
    Architecture::hub_only(&["led"], led::load),
];

/// Builds the model that a configuration and its weights describe.
///
/// # Errors
/// When the architecture is not in the [`REGISTRY`], or configuration and weights do not fit.
pub fn load(config: &Config, weights: &dyn Weights, backend: &Backend) -> Result<Box<dyn Model>> {
    // Of a model that sees images too, the part that reads and writes.
    if let Some(text) = text_config(config) {
        return load(&text, &TextPart::new(weights), backend);
    }
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
