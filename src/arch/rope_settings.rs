//! What a configuration says of its rotary embeddings: `rope_parameters` of `config.json`, or
//! `rope_scaling` beside `rope_theta` as older ones have it, or the metadata of a GGUF file and the
//! divisors among its weights.

use super::Numbers;
use crate::checkpoint::{Config, Weights};
use crate::error::{Error, Result};
use crate::nn::{Rope, RopeScaling};
use serde_json::Value;

/// Rotary embeddings as a configuration describes them.
pub(super) struct RopeSettings {
    /// The width of a head that is rotated.
    dim: usize,
    pub base: f64,
    scaling: RopeScaling,
    /// Positions up to which they are right, where those are fewer than the context.
    pub context_limit: Option<usize>,
}

/// The layers that the embeddings are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RopeLayers {
    /// All, or in families that have both kinds those without a window.
    Global,
    /// Those with a sliding window, in families where they have embeddings of their own.
    Sliding,
}

impl RopeSettings {
    /// Reads them for heads of `head_dim`; `base` stands in for one that is not stated.
    ///
    /// # Errors
    /// When the configuration scales in a way that is not known, or its numbers make no sense.
    pub fn read(
        numbers: &Numbers<'_>,
        weights: &dyn Weights,
        layers: RopeLayers,
        head_dim: usize,
        base: f64,
    ) -> Result<RopeSettings> {
        let source = Source { numbers, head_dim };
        let settings = match numbers.config {
            Config::Json(config) => source.of_json(config, layers, base),
            Config::Gguf(_) => source.of_gguf(weights, layers, base),
        }?;
        let RopeSettings { dim, base, scaling, .. } = &settings;
        if *dim == 0 || !dim.is_multiple_of(2) || *dim > head_dim {
            return Err(source.wrong(format!(
                "rotates {dim} numbers of each head of {head_dim}; expected an even number of them"
            )));
        }
        if !(base.is_finite() && *base > 1.0) {
            return Err(source.wrong(format!(
                "has a base of rotary embeddings (rope_theta) of {base}; expected one above 1"
            )));
        }
        let frequencies = scaling.frequencies(*dim, *base);
        let factor = scaling.attention_factor();
        if frequencies.len() != dim / 2
            || !frequencies.iter().chain([&factor]).all(|f| f.is_finite() && *f >= 0.0)
        {
            return Err(source.wrong(format!(
                "scales its rotary embeddings in a way that gives no angles: {scaling:?}; expected \
                 numbers above 0, {} of them where there is one for each frequency",
                dim / 2
            )));
        }
        Ok(settings)
    }

    /// The embeddings themselves.
    pub fn rope(&self) -> Rope {
        Rope::new(self.dim, self.base, &self.scaling)
    }

    /// `context_length`, or what the embeddings are right for if that is less.
    pub fn limited(&self, context_length: usize) -> usize {
        self.context_limit.map_or(context_length, |limit| limit.min(context_length))
    }
}

struct Source<'a> {
    numbers: &'a Numbers<'a>,
    head_dim: usize,
}

impl Source<'_> {
    fn wrong(&self, why: String) -> Error {
        Error::model(self.numbers.model, format!("its configuration {why}"))
    }

    fn of_json(&self, config: &Value, layers: RopeLayers, base: f64) -> Result<RopeSettings> {
        let object = |value: Option<&Value>| value.filter(|v| v.is_object()).cloned();
        let own = match layers {
            RopeLayers::Global => "full_attention",
            RopeLayers::Sliding => "sliding_attention",
        };
        let all = object(config.get("rope_parameters"));
        // The form for all layers, that for kinds of layers, and the older one, whose scaling is
        // for layers without a window where there are two kinds.
        let by_kind = all.as_ref().and_then(|all| object(all.get(own)));
        let older = object(config.get("rope_scaling"))
            .filter(|_| layers == RopeLayers::Global && by_kind.is_none());
        let theta = match layers {
            RopeLayers::Global => "rope_theta",
            RopeLayers::Sliding => "rope_local_base_freq",
        };
        let stated = by_kind.or(older).or(all).unwrap_or(Value::Null);
        let number = |key: &str| stated.get(key).and_then(Value::as_f64);
        let outer = |key: &str| config.get(key).and_then(Value::as_f64);
        let base = number("rope_theta").or_else(|| outer(theta)).unwrap_or(base);
        let share = number("partial_rotary_factor").or_else(|| outer("partial_rotary_factor"));
        let dim = (self.head_dim as f64 * share.unwrap_or(1.0)) as usize;
        let context = outer("max_position_embeddings");
        let original = number("original_max_position_embeddings")
            .or_else(|| outer("original_max_position_embeddings"))
            .or(context);

        let kind = ["rope_type", "type"].iter().find_map(|key| stated.get(*key)?.as_str());
        let kind = kind.unwrap_or("default");
        let needed = |key: &str| {
            number(key).filter(|value| *value > 0.0).ok_or_else(|| {
                self.wrong(format!(
                    "scales its rotary embeddings the {kind} way and has no number {key} above 0 for it"
                ))
            })
        };
        let original_context = || {
            original.filter(|n| *n > 1.0).ok_or_else(|| {
                self.wrong("has no number original_max_position_embeddings".to_string())
            })
        };
        // Some files leave out the factor, which follows from the two lengths.
        let growth = |original: f64| {
            number("factor").or_else(|| Some(context? / original)).unwrap_or(1.0).max(0.0)
        };
        // Phi-3's older files name LongRoPE otherwise.
        let is_longrope = matches!(kind, "longrope" | "su")
            || kind == "yarn" && stated.get("short_factor").is_some();
        let mut context_limit = None;
        let scaling = match kind {
            "default" => RopeScaling::None,
            "linear" => RopeScaling::Linear { factor: needed("factor")? },
            "llama3" => RopeScaling::Llama3 {
                factor: needed("factor")?,
                low: needed("low_freq_factor")?,
                high: needed("high_freq_factor")?,
                original_context: original_context()?,
            },
            // Within the length that it was trained on, it changes nothing; Hunyuan's fixed alpha
            // is read by its family.
            "dynamic" => {
                context_limit = context.map(|context| context as usize);
                RopeScaling::None
            }
            _ if is_longrope => {
                let original = original_context()?;
                context_limit = Some(original as usize);
                let factors = stated.get("short_factor").and_then(Value::as_array);
                let divisors = factors
                    .and_then(|all| all.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>());
                let attention_factor = RopeScaling::longrope_attention(growth(original), original);
                RopeScaling::Divided {
                    divisors: divisors.unwrap_or_default(),
                    attention_factor: number("attention_factor").unwrap_or(attention_factor),
                }
            }
            "yarn" => {
                let original = original_context()?;
                let factor = growth(original);
                // Beyond it Ministral 3 makes its queries longer, step by step.
                let lengthens = number("llama_4_scaling_beta").is_some_and(|beta| beta != 0.0);
                context_limit = lengthens.then_some(original as usize);
                let multiplied = |key: &str| number(key).filter(|m| *m != 0.0);
                let attention_factor = match (multiplied("mscale"), multiplied("mscale_all_dim")) {
                    (Some(one), Some(all)) => {
                        RopeScaling::yarn_attention(factor, one)
                            / RopeScaling::yarn_attention(factor, all)
                    }
                    _ => RopeScaling::yarn_attention(factor, 1.0),
                };
                RopeScaling::Yarn {
                    factor,
                    beta_fast: multiplied("beta_fast").map_or(Ok(32.0), |_| needed("beta_fast"))?,
                    beta_slow: multiplied("beta_slow").map_or(Ok(1.0), |_| needed("beta_slow"))?,
                    truncate: stated.get("truncate").and_then(Value::as_bool).unwrap_or(true),
                    original_context: original,
                    attention_factor: number("attention_factor").unwrap_or(attention_factor),
                }
            }
            other => return Err(self.unknown(other)),
        };
        Ok(RopeSettings { dim, base, scaling, context_limit })
    }

    fn unknown(&self, kind: &str) -> Error {
        self.wrong(format!(
            "scales its rotary embeddings the {kind} way; polygist knows linear, dynamic, llama3, yarn and longrope"
        ))
    }

    /// By llama.cpp's keys and what it makes of them.
    fn of_gguf(
        &self,
        weights: &dyn Weights,
        layers: RopeLayers,
        base: f64,
    ) -> Result<RopeSettings> {
        let Numbers { config, gguf_prefix, .. } = self.numbers;
        let number = |key: &str| self.numbers.number(&format!("rope.{key}"), "");
        let dim = number("dimension_count").map_or(self.head_dim, |dim| dim as usize);
        let plain =
            |base: f64| RopeSettings { dim, base, scaling: RopeScaling::None, context_limit: None };
        if layers == RopeLayers::Sliding {
            return Ok(plain(number("freq_base_swa").unwrap_or(base)));
        }
        let base = number("freq_base").unwrap_or(base);
        let settings = |scaling| RopeSettings { scaling, ..plain(base) };
        let divisors = |name: &str| -> Result<Vec<f64>> {
            let all: Vec<f32> = weights.get_shaped(name, &[dim / 2])?.to_vec1()?;
            Ok(all.into_iter().map(f64::from).collect())
        };
        let attention_factor = number("scaling.attn_factor").unwrap_or(1.0);
        let original = number("scaling.original_context_length");
        let kind = config.gguf_str(&format!("{gguf_prefix}.rope.scaling.type"));
        // A factor alone is linear, and so is one under its older name.
        let factor = number("scaling.factor").or_else(|| number("scale_linear"));
        let factor = factor.filter(|factor| *factor != 0.0).unwrap_or(1.0);
        if weights.has(SHORT_FACTORS) {
            let divisors = divisors(SHORT_FACTORS)?;
            let scaling = RopeScaling::Divided { divisors, attention_factor };
            let context_limit = original.map(|original| original as usize);
            return Ok(RopeSettings { context_limit, ..settings(scaling) });
        }
        if weights.has(DIVISORS) {
            return Ok(settings(RopeScaling::Divided {
                divisors: divisors(DIVISORS)?,
                attention_factor,
            }));
        }
        match kind.as_deref().unwrap_or("linear") {
            "none" => Ok(plain(base)),
            "linear" if factor == 1.0 => Ok(plain(base)),
            "linear" => Ok(settings(RopeScaling::Linear { factor })),
            "yarn" => {
                let original = original.or_else(|| self.numbers.number("context_length", ""));
                let original = original.filter(|n| *n > 1.0).ok_or_else(|| {
                    self.wrong("has no number rope.scaling.original_context_length".to_string())
                })?;
                let one = RopeScaling::yarn_attention(factor, 1.0);
                let all = number("scaling.yarn_log_multiplier").filter(|m| *m != 0.0);
                let all = all.map_or(1.0, |all| RopeScaling::yarn_attention(factor, all));
                let lengthens = self.numbers.number("attention.temperature_scale", "");
                let context_limit =
                    lengthens.filter(|beta| *beta != 0.0).map(|_| original as usize);
                let scaling = RopeScaling::Yarn {
                    factor,
                    beta_fast: number("scaling.yarn_beta_fast").unwrap_or(32.0),
                    beta_slow: number("scaling.yarn_beta_slow").unwrap_or(1.0),
                    truncate: true,
                    original_context: original,
                    attention_factor: one / all * attention_factor,
                };
                Ok(RopeSettings { context_limit, ..settings(scaling) })
            }
            other => Err(self.unknown(other)),
        }
    }
}

/// The divisors of the frequencies in GGUF files: those of Llama 3, and those of LongRoPE for the
/// length that a model was first trained on.
const DIVISORS: &str = "rope_freqs.weight";
const SHORT_FACTORS: &str = "rope_factors_short.weight";
