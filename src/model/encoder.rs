//! From a folder of `sentence-transformers`' to an encoder of sentences.

use super::Runtime;
use crate::arch::Bert;
use crate::checkpoint::TrackedWeights;
use crate::embed::{Dense, Pooling, SentenceEncoder};
use crate::error::{Error, Result};
use crate::io::layout;
use crate::io::weights::{open_folder, optional_json};
use crate::token::TemplatedTokenizer;
use std::path::Path;

/// The folder of the settings of what follows the encoder, of two namings.
const POOLING: [&str; 2] = ["1_Pooling", "pooling"];

/// Whether a folder holds an encoder of sentences, by its `config.json`.
pub fn is_sentence_encoder(folder: &Path) -> bool {
    let config = optional_json(folder, "config.json").unwrap_or_default();
    let family = config.get("model_type").and_then(|value| value.as_str()).unwrap_or_default();
    Bert::FAMILIES.iter().any(|(known, _)| *known == family)
}

/// Opens an encoder of sentences: a folder with `config.json`, `tokenizer.json` and weights, and
/// where they are, `1_Pooling/config.json`, `2_Dense`, `sentence_bert_config.json` and
/// `config_sentence_transformers.json`. `id` stands in records.
///
/// # Errors
/// When a file is missing or broken, the family is not known, or what follows the encoder is
/// another thing than a mean, or the first token's vector, and one layer.
pub fn open_sentence_encoder(
    id: &str,
    folder: &Path,
    runtime: &Runtime,
) -> Result<SentenceEncoder> {
    let (config, weights) = open_folder(folder)?;
    let backend = runtime.backend();
    let share = runtime.share_of(id, weights.amount(), &backend)?;
    let weights = TrackedWeights::new(&*weights);
    let model = Bert::load(&config, &weights, &backend)?;
    let tokenizer = TemplatedTokenizer::from_file(&folder.join("tokenizer.json"))?;
    let sentence = optional_json(folder, "sentence_bert_config.json")?;
    let longest = sentence.get("max_seq_length").and_then(serde_json::Value::as_u64);
    let longest = longest.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
    let dense = dense(folder, model.dim())?;
    let encoder = SentenceEncoder::new(id, model, tokenizer, pooling(folder)?, dense, longest);
    runtime.settle(id, 0)?;
    Ok(encoder.with_prefix(&prefix(folder)?).with_share(share))
}

/// What its makers say is to stand before every text, if they do.
fn prefix(folder: &Path) -> Result<String> {
    let config = optional_json(folder, "config_sentence_transformers.json")?;
    let name = config.get("default_prompt_name").and_then(|name| name.as_str());
    let prompt = name.and_then(|name| config.get("prompts")?.get(name)?.as_str());
    Ok(prompt.unwrap_or_default().into())
}

/// The layer after the pooling, whose inputs are `dim`.
fn dense(folder: &Path, dim: usize) -> Result<Option<Dense>> {
    /// Most outputs: no published encoder has more than some thousands.
    const MOST: usize = 1 << 16;
    let folder = folder.join(layout::DENSE);
    if !folder.is_dir() {
        return Ok(None);
    }
    let (config, weights) = open_folder(&folder)?;
    let wrong = |message: String| Error::model(folder.display().to_string(), message);
    let activation = config.json("activation_function").and_then(|value| value.as_str());
    let tanh = match activation.unwrap_or("torch.nn.modules.activation.Tanh") {
        "torch.nn.modules.activation.Tanh" => true,
        "torch.nn.modules.linear.Identity" => false,
        other => {
            let message = format!(
                "expected a layer with Tanh or Identity after it (activation_function), found {other}"
            );
            return Err(wrong(message));
        }
    };
    let weight = weights.get_rows("linear.weight", dim)?;
    let outputs = weight.dim(0)?;
    if !(1..=MOST).contains(&outputs) {
        return Err(wrong(format!(
            "expected 1 to {MOST} outputs of linear.weight, found {outputs}"
        )));
    }
    let bias = match weights.has("linear.bias") {
        true => weights.get_shaped("linear.bias", &[outputs])?.to_vec1()?,
        false => vec![0.0; outputs],
    };
    Ok(Some(Dense { weight: weight.to_vec2()?, bias, tanh }))
}

fn pooling(folder: &Path) -> Result<Pooling> {
    let name = folder.display().to_string();
    let place = POOLING.iter().map(|part| folder.join(part)).find(|path| path.is_dir());
    let Some(place) = place else { return Ok(Pooling::Mean) };
    let config = optional_json(&place, "config.json")?;
    let is_on = |name: &str| config.get(name).and_then(|value| value.as_bool()) == Some(true);
    match (is_on("pooling_mode_mean_tokens"), is_on("pooling_mode_cls_token")) {
        (true, false) => Ok(Pooling::Mean),
        (false, true) => Ok(Pooling::First),
        _ => {
            let message = "expected a sentence encoder that takes the mean of its tokens or the \
                first one (1_Pooling/config.json), found another kind";
            Err(Error::model(name, message))
        }
    }
}
