//! From a folder of `sentence-transformers`' to an encoder of sentences.

use super::Runtime;
use crate::arch::Bert;
use crate::checkpoint::TrackedWeights;
use crate::embed::{Pooling, SentenceEncoder};
use crate::error::{Error, Result};
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
/// where they are, `1_Pooling/config.json` and `sentence_bert_config.json`. `id` stands in records.
///
/// # Errors
/// When a file is missing or broken, the family is not known, or what follows the encoder is more
/// than a mean, or the first token's vector.
pub fn open_sentence_encoder(
    id: &str,
    folder: &Path,
    runtime: &Runtime,
) -> Result<SentenceEncoder> {
    let (config, weights) = open_folder(folder)?;
    let weights = TrackedWeights::new(&*weights);
    let model = Bert::load(&config, &weights, &runtime.backend())?;
    let tokenizer = TemplatedTokenizer::from_file(&folder.join("tokenizer.json"))?;
    let sentence = optional_json(folder, "sentence_bert_config.json")?;
    let longest = sentence.get("max_seq_length").and_then(serde_json::Value::as_u64);
    let longest = longest.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
    Ok(SentenceEncoder::new(id, model, tokenizer, pooling(folder)?, "", longest))
}

fn pooling(folder: &Path) -> Result<Pooling> {
    let name = folder.display().to_string();
    if folder.join("2_Dense").is_dir() {
        let message = "has a layer after the mean of its tokens (2_Dense), as LaBSE has; expected a \
            sentence encoder without one, as all-MiniLM-L6-v2 or multilingual-e5-small";
        return Err(Error::model(name, message));
    }
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
