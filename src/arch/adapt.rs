//! Merging adapters. Their parts are named after the modules of `transformers`, and files name
//! their weights in their own ways.

use super::decoder::Naming;
use super::{GgufNames, Numbers, REGISTRY};
use crate::checkpoint::{AdapterDelta, Config, LoraMerged, LowRank, TextPart, Weights};
use crate::error::{Error, Result};
use candle_core::Tensor;
use std::collections::BTreeMap;

/// The weights with an adapter, whose parts stand under the names of `transformers`' modules.
/// Folders in the Hub's layout have these names; of GGUF files, those of families whose
/// [`super::Architecture`] has both names.
///
/// # Errors
/// When a part of the adapter belongs to no weight of the model.
pub fn adapt<'a>(
    config: &Config,
    weights: &'a dyn Weights,
    delta: AdapterDelta,
) -> Result<LoraMerged<'a>> {
    let wrong = |why: String| Error::model(weights.model(), why);
    let is_empty = delta.added.is_empty() && delta.smoothing.is_empty();
    let family = config.gguf_str("general.architecture");
    let architecture = REGISTRY.iter().find(|a| family.as_deref() == Some(a.gguf));
    let names = architecture.and_then(|architecture| architecture.gguf_names.as_ref());
    if let (Some(family), None) = (&family, names)
        && !is_empty
    {
        let message = format!(
            "adapters cannot be merged into GGUF files of the architecture {family}; use the folder with its safetensors"
        );
        return Err(wrong(message));
    }
    let weight_name = |module: &str| match names {
        Some(names) => names.weight(module),
        None => Some(TextPart::new(weights).stored(&format!("{module}.weight")).into_owned()),
    };
    let mut unmatched = Vec::new();
    let mut of_weight = |module: String| {
        let name = weight_name(&module).filter(|name| weights.has(name));
        if name.is_none() {
            unmatched.push(module);
        }
        name
    };
    let smoothing = delta
        .smoothing
        .into_iter()
        .filter_map(|(module, divisors)| Some((of_weight(module)?, divisors)))
        .collect();
    let mut added: BTreeMap<_, _> = delta
        .added
        .into_iter()
        .filter_map(|(module, low_rank)| Some((of_weight(module)?, low_rank)))
        .collect();
    if let [first, rest @ ..] = unmatched.as_slice() {
        let others =
            if rest.is_empty() { String::new() } else { format!(" and {} others", rest.len()) };
        return Err(wrong(format!(
            "the adapter has {first}{others}, for which there is no weight here: it belongs to another model"
        )));
    }
    if let (Some(architecture), Some(names)) = (architecture, names) {
        let numbers = Numbers { config, model: weights.model(), gguf_prefix: architecture.gguf };
        interleave_rotary(&mut added, names.gguf, &numbers)?;
    }
    Ok(LoraMerged::new(weights, AdapterDelta { added, smoothing }))
}

/// Puts the rows of queries and keys in the interleaved order of files that have it.
fn interleave_rotary(
    added: &mut BTreeMap<String, LowRank>,
    names: &Naming,
    numbers: &Numbers<'_>,
) -> Result<()> {
    if !names.interleaved_rope || added.is_empty() {
        return Ok(());
    }
    let heads = numbers.size("attention.head_count", "")?;
    let key_heads = numbers.optional_size("attention.head_count_kv", "")?.unwrap_or(heads);
    for (name, low_rank) in added {
        if name.ends_with(names.q) {
            low_rank.up = interleaved(&low_rank.up, heads)?;
        } else if name.ends_with(names.k) {
            low_rank.up = interleaved(&low_rank.up, key_heads)?;
        }
    }
    Ok(())
}

impl GgufNames {
    /// The name in GGUF files of a module's weight, if it is one that adapters change.
    fn weight(&self, module: &str) -> Option<String> {
        let GgufNames { hub, gguf } = self;
        let whole = [(hub.embedding, gguf.embedding), (hub.output, gguf.output)];
        if let Some((_, name)) =
            whole.into_iter().find(|(hub, _)| hub.strip_suffix(".weight") == Some(module))
        {
            return Some(name.to_string());
        }
        let (number, part) = module.strip_prefix(hub.layer.split_once("{}")?.0)?.split_once('.')?;
        number.parse::<u32>().ok()?;
        let (_, name) = hub
            .adaptable()
            .into_iter()
            .zip(gguf.adaptable())
            .find(|(hub, _)| hub.strip_suffix(".weight") == Some(part))?;
        Some(format!("{}{name}", gguf.layer.replace("{}", number)))
    }
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
