//! Which weight an adapter's matrices belong to: they are named after the modules of `transformers`, and files name their weights in their own ways.

use super::{Numbers, llama};
use crate::error::{Error, Result};
use crate::nn::{Adapted, Config, LowRank, Weights};
use candle_core::Tensor;
use std::collections::BTreeMap;

/// The weights with an adapter, whose additions stand under the names of `transformers`' modules. Folders in the Hub's layout have these names;
/// of GGUF files, those of the families of Llama and Gemma are known.
///
/// # Errors
/// When a part of the adapter belongs to no weight of the model.
pub fn adapt<'a>(config: &Config, weights: &'a dyn Weights, modules: BTreeMap<String, LowRank>) -> Result<Adapted<'a>> {
    let wrong = |why: String| Error::model(weights.model(), why);
    let family = config.gguf_str("general.architecture");
    let mut added = BTreeMap::new();
    let mut strangers = Vec::new();
    for (module, mut low_rank) in modules {
        let name = match &family {
            None => Some(format!("{module}.weight")),
            Some(family) if family == "llama" || family == "gemma3" => gguf_name(&module),
            Some(family) => {
                let message =
                    format!("adapters cannot be merged into GGUF files of the architecture {family}; use the folder with its safetensors");
                return Err(wrong(message));
            }
        };
        let Some(name) = name.filter(|name| weights.has(name)) else {
            strangers.push(module);
            continue;
        };
        if family.as_deref() == Some("llama") {
            let numbers = Numbers { config, model: weights.model(), gguf_prefix: "llama" };
            let heads = numbers.size("attention.head_count", "")?;
            if name.ends_with(llama::GGUF.q) {
                low_rank.up = interleaved(&low_rank.up, heads)?;
            } else if name.ends_with(llama::GGUF.k) {
                low_rank.up = interleaved(&low_rank.up, numbers.optional_size("attention.head_count_kv", "")?.unwrap_or(heads))?;
            }
        }
        added.insert(name, low_rank);
    }
    match strangers.as_slice() {
        [] => Ok(Adapted::new(weights, added)),
        [first, rest @ ..] => {
            let others = if rest.is_empty() { String::new() } else { format!(" and {} others", rest.len()) };
            Err(wrong(format!("the adapter has {first}{others}, for which there is no weight here: it belongs to another model")))
        }
    }
}

/// The name that GGUF files have for the weight of a layer's module.
fn gguf_name(module: &str) -> Option<String> {
    let (hub, gguf) = (&llama::HUB, &llama::GGUF);
    let (number, part) = module.strip_prefix(hub.layer.split_once("{}")?.0)?.split_once('.')?;
    number.parse::<u32>().ok()?;
    let pairs = [
        (hub.q, gguf.q),
        (hub.k, gguf.k),
        (hub.v, gguf.v),
        (hub.o, gguf.o),
        (hub.gate, gguf.gate),
        (hub.up, gguf.up),
        (hub.down, gguf.down),
    ];
    let (_, name) = pairs.into_iter().find(|(hub, _)| hub.strip_suffix(".weight") == Some(part))?;
    Some(format!("{}{name}", gguf.layer.replace("{}", number)))
}

/// Rows of each head from half-split order to the interleaved one (0, d/2, 1, d/2 + 1, …) in which GGUF files of Llama have them.
fn interleaved(up: &Tensor, heads: usize) -> Result<Tensor> {
    let (rows, rank) = up.dims2()?;
    if heads == 0 || !rows.is_multiple_of(2 * heads) {
        // Of another model: reading the weight says so.
        return Ok(up.clone());
    }
    Ok(up.reshape((heads, 2, rows / heads / 2, rank))?.transpose(1, 2)?.contiguous()?.reshape((rows, rank))?)
}
