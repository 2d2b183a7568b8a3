//! Which weight an adapter's parts belong to: they are named after the modules of `transformers`,
//! and files name their weights in their own ways.

use super::{Numbers, llama};
use crate::checkpoint::{AdapterDelta, Config, LoraMerged, Weights};
use crate::error::{Error, Result};
use candle_core::Tensor;
use std::collections::BTreeMap;

/// The weights with an adapter, whose parts stand under the names of `transformers`' modules.
/// Folders in the Hub's layout have these names; of GGUF files, those of the families of Llama and
/// Gemma are known.
///
/// # Errors
/// When a part of the adapter belongs to no weight of the model.
pub fn adapt<'a>(
    config: &Config,
    weights: &'a dyn Weights,
    changes: AdapterDelta,
) -> Result<LoraMerged<'a>> {
    let wrong = |why: String| Error::model(weights.model(), why);
    let family = config.gguf_str("general.architecture");
    let by_module: fn(&str) -> Option<String> = match family.as_deref() {
        None => |module| Some(format!("{module}.weight")),
        Some("llama" | "gemma3") => gguf_name,
        Some(_) if changes.added.is_empty() && changes.smoothing.is_empty() => |_| None,
        Some(family) => {
            let message = format!(
                "adapters cannot be merged into GGUF files of the architecture {family}; use the folder with its safetensors"
            );
            return Err(wrong(message));
        }
    };
    let mut strangers = Vec::new();
    let mut of_weight = |module: String| {
        let name = by_module(&module).filter(|name| weights.has(name));
        if name.is_none() {
            strangers.push(module);
        }
        name
    };
    let smoothing = changes
        .smoothing
        .into_iter()
        .filter_map(|(module, divisors)| Some((of_weight(module)?, divisors)))
        .collect();
    let mut added: BTreeMap<_, _> = changes
        .added
        .into_iter()
        .filter_map(|(module, low_rank)| Some((of_weight(module)?, low_rank)))
        .collect();
    match strangers.as_slice() {
        [] => {}
        [first, rest @ ..] => {
            let others =
                if rest.is_empty() { String::new() } else { format!(" and {} others", rest.len()) };
            return Err(wrong(format!(
                "the adapter has {first}{others}, for which there is no weight here: it belongs to another model"
            )));
        }
    }
    if family.as_deref() == Some("llama") && !added.is_empty() {
        let numbers = Numbers { config, model: weights.model(), gguf_prefix: "llama" };
        let heads = numbers.size("attention.head_count", "")?;
        let key_heads = numbers.optional_size("attention.head_count_kv", "")?.unwrap_or(heads);
        for (name, low_rank) in &mut added {
            if name.ends_with(llama::GGUF.q) {
                low_rank.up = interleaved(&low_rank.up, heads)?;
            } else if name.ends_with(llama::GGUF.k) {
                low_rank.up = interleaved(&low_rank.up, key_heads)?;
            }
        }
    }
    Ok(LoraMerged::new(weights, AdapterDelta { added, smoothing }))
}

/// The name that GGUF files have for the weight of a module.
fn gguf_name(module: &str) -> Option<String> {
    let (hub, gguf) = (&llama::HUB, &llama::GGUF);
    let whole = [(hub.embedding, gguf.embedding), (hub.output, gguf.output)];
    if let Some((_, name)) =
        whole.into_iter().find(|(hub, _)| hub.strip_suffix(".weight") == Some(module))
    {
        return Some(name.to_string());
    }
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

/// Rows of each head from half-split order to the interleaved one (0, d/2, 1, d/2 + 1, …) in which
/// GGUF files of Llama have them.
fn interleaved(up: &Tensor, heads: usize) -> Result<Tensor> {
    let (rows, rank) = up.dims2()?;
    if heads == 0 || !rows.is_multiple_of(2 * heads) {
        // Of another model: reading the weight says so.
        return Ok(up.clone());
    }
    Ok(up
        .reshape((heads, 2, rows / heads / 2, rank))?
        .transpose(1, 2)?
        .contiguous()?
        .reshape((rows, rank))?)
}
