//! Generation as a model's files describe it, and where they are silent its family.

use crate::arch::{LexicalShortlist, Model};
use crate::checkpoint::Config;
use crate::error::{Error, Result};
use crate::generate::{
    Capability, ChatTemplate, DecodingOptions, GenerationConfig, Shortlist, TokenSet,
};
use crate::io::weights::{ShortlistFile, Usage};
use crate::token::Tokenizer;
use crate::types::Prompting;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// A model's files, as far as they describe generation.
pub(super) struct Stated<'a> {
    /// The GGUF file or the folder.
    pub path: &'a Path,
    pub config: &'a Config,
    /// `generation_config.json`, null where there is none.
    pub generation: &'a Value,
    pub template: Option<ChatTemplate>,
}

impl Stated<'_> {
    /// The configuration by the model's adapter, its own files and its family, in this order.
    ///
    /// # Errors
    /// When a file that one of them names cannot be read.
    pub fn generation_config(
        self,
        adapter: Usage,
        model: &dyn Model,
        tokenizer: &Tokenizer,
    ) -> Result<GenerationConfig> {
        let family = model.generation_defaults(&|token| tokenizer.token_id(token).is_some());
        let (null, own) = (Value::Null, Value::Object(adapter.generation));
        let json = if let Config::Json(config) = self.config { config } else { &null };
        let files = [&own, self.generation, json, &family.config];
        let mut options = DecodingOptions::of_model(&files);
        let banned = family.bad_tokens.iter().filter_map(|token| tokenizer.token_id(token));
        options.bad_words.extend(banned.map(|id| vec![id]));
        Ok(GenerationConfig {
            options,
            start: family.start.or_else(|| self.start(&files, tokenizer)).into_iter().collect(),
            shortlist: family.shortlist.map(|named| self.shortlist(named)).transpose()?,
            length_factor: family.length_factor,
            capabilities: match model.encoder() {
                Some(_) => vec![Capability::Translation, summarization(&files)],
                None => Capability::of_language_model(
                    adapter.taught.then_some(Prompting::FineTuned),
                    self.template,
                ),
            },
            ..GenerationConfig::default()
        })
    }

    /// The token that a decoder beside an encoder starts with. That of T5 and its like is the
    /// padding token, and older files do not say so.
    fn start(&self, files: &[&Value], tokenizer: &Tokenizer) -> Option<u32> {
        let stated = |key: &str| files.iter().find_map(|file| file.get(key)?.as_u64());
        let id = match self.config {
            Config::Json(_) => stated("decoder_start_token_id")
                .or_else(|| stated("bos_token_id"))
                .or_else(|| stated("pad_token_id")),
            Config::Gguf(_) => self.config.gguf_number("decoder_start_token_id"),
        };
        let pad = tokenizer.pad().filter(|_| matches!(self.config, Config::Gguf(_)));
        id.and_then(|id| u32::try_from(id).ok()).or(pad)
    }

    fn shortlist(&self, named: LexicalShortlist) -> Result<Shortlist> {
        let ShortlistFile { first, offsets, targets } =
            ShortlistFile::open(&self.path.join(named.file))?;
        Ok(Shortlist { first, offsets, targets, shared: named.shared })
    }
}

/// The capability to summarize. T5 reads its task in words, and has options for each.
fn summarization(files: &[&Value]) -> Capability {
    let task = files.iter().find_map(|file| file.pointer("/task_specific_params/summarization"));
    let task = task.unwrap_or(&Value::Null);
    let prefix = task.get("prefix").and_then(Value::as_str).unwrap_or_default().to_string();
    let options = DecodingOptions::of_model(&[&[task], files].concat());
    Capability::Summarization { prefix, options }
}

/// The tokens of languages, as an adapter lists them: a bit for each of the vocabulary.
///
/// # Errors
/// When they were made for a vocabulary of another size.
pub(super) fn shortlists(
    path: &Path,
    languages: BTreeMap<String, Vec<u8>>,
    vocabulary: usize,
) -> Result<HashMap<String, TokenSet>> {
    let checked = |(language, bits): (String, Vec<u8>)| {
        let (found, expected) = (bits.len(), vocabulary.div_ceil(8));
        if found != expected {
            let message = format!(
                "the adapter's shortlist for {language} has {found} bytes, and {expected} would do for its vocabulary: it belongs to another model"
            );
            return Err(Error::model(path.display().to_string(), message));
        }
        Ok((language, TokenSet(bits)))
    };
    languages.into_iter().map(checked).collect()
}
