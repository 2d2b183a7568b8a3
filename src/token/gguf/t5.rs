//! T5's tokenizer (`tokenizer.ggml.model` = `t5`) out of the metadata of GGUF files: the
//! SentencePiece model that llama.cpp's converter has taken apart is put together again, and read
//! as one that lies in a file of its own.

use super::metadata::Metadata;
use crate::error::{Error, Result};
use crate::token::convert;
use crate::token::hf_tokenizer::HfTokenizer;
use crate::token::input_template::{InputTemplate, Slot};
use crate::token::language_codes::is_madlad_code;
use crate::token::sentencepiece::model_file::{Algorithm, Kind, Spm, SpmPiece};
use crate::token::tokenizer::{Backend, Tokenizer};
use crate::token::tokenizer_config::TokenizerConfig;
use std::collections::BTreeMap;
use tokenizers::AddedToken;

/// T5's tokens for gaps, which follow its pieces and which the converter does not know.
const EXTRA_IDS: usize = 100;

pub(super) fn build(meta: &Metadata<'_>) -> Result<Tokenizer> {
    let broken = |why: String| Error::model(meta.model, why);
    let tokens = meta.strings("tokenizer.ggml.tokens")?;
    // What the converter puts where the model has more rows than the tokenizer pieces.
    let is_padding = |(id, token): (usize, &String)| {
        token.strip_prefix("[PAD").and_then(|t| t.strip_suffix(']')) == Some(&id.to_string())
    };
    let count = tokens.len()
        - tokens.iter().enumerate().rev().take_while(|entry| is_padding(*entry)).count();
    let extra_ids = if tokens.len() - count >= EXTRA_IDS { EXTRA_IDS } else { 0 };
    let (scores, types) =
        (meta.floats("tokenizer.ggml.scores")?, meta.integers("tokenizer.ggml.token_type")?);
    meta.same_length(tokens.len(), scores.len(), "scores")?;
    meta.same_length(tokens.len(), types.len(), "types")?;

    // llama.cpp's own numbers stand in for those that a file does not name.
    let named = |name: &str, default: u32| -> Result<(u32, String)> {
        let key = format!("tokenizer.ggml.{name}_token_id");
        let id = meta.integer(&key).map_or(Some(default), |id| u32::try_from(id).ok());
        let token = id.and_then(|id| Some((id, tokens.get(id as usize)?.clone())));
        token.ok_or_else(|| {
            broken(format!("{key} is no number of one of its {} tokens", tokens.len()))
        })
    };
    let ((end, eos), (pad, padding), (_, unknown)) =
        (named("eos", 1)?, named("padding", 0)?, named("unknown", 2)?);

    let mut pieces = Vec::with_capacity(count);
    let mut added = BTreeMap::new();
    for (id, ((text, &score), &kind)) in
        tokens.iter().zip(&scores).zip(&types).take(count).enumerate()
    {
        let kind = u64::try_from(kind)
            .ok()
            .and_then(Kind::numbered)
            .ok_or_else(|| broken(format!("a token is of the unknown type {kind}")))?;
        if kind == Kind::UserDefined {
            // The converter marks those so that a file of added tokens names, and no others.
            added
                .insert(id as u32, AddedToken::from(text.as_str(), text.starts_with("<extra_id_")));
        }
        pieces.push(SpmPiece { text: text.clone(), score, kind }.check().map_err(broken)?);
    }
    let spm = Spm {
        pieces,
        algorithm: Algorithm::Unigram,
        byte_fallback: false,
        unknown: 0,
        charsmap: meta.bytes("tokenizer.ggml.precompiled_charsmap")?,
        add_dummy_prefix: meta.flag("tokenizer.ggml.add_space_prefix").unwrap_or(true),
        remove_extra_whitespaces: meta
            .flag("tokenizer.ggml.remove_extra_whitespaces")
            .unwrap_or(true),
        escape_whitespaces: true,
        space_as_suffix: false,
    };
    let settings = TokenizerConfig::of_t5(
        [("eos_token", eos), ("pad_token", padding), ("unk_token", unknown)],
        extra_ids,
        added,
    );
    let (inner, unknown) = convert::from_spm(&spm.check().map_err(broken)?, &settings, meta.model)?;
    let backend = Backend::Hf(Box::new(HfTokenizer::new(inner, unknown, Some(is_madlad_code))?));
    let template = InputTemplate { before: Vec::new(), after: vec![Slot::Token(end)] };
    Ok(Tokenizer { template, pad: Some(pad), ..Tokenizer::new(backend, None, vec![end]) })
}
