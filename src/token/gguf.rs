//! Tokenizers out of the metadata of GGUF files.

use super::Tokenizer;
use crate::error::{Error, Result};
use crate::nn::Config;
use candle_core::quantized::gguf_file::Value;
use std::collections::HashMap;
use tokenizers::decoders::byte_fallback::ByteFallback;
use tokenizers::decoders::byte_level::ByteLevel;
use tokenizers::decoders::fuse::Fuse;
use tokenizers::decoders::sequence::Sequence as DecoderSequence;
use tokenizers::models::bpe::{BPE, Merges, Vocab};
use tokenizers::normalizers::replace::Replace;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::{AddedToken, DecoderWrapper};

/// `tokenizer.ggml.token_type`: not text, but marks for the model.
const CONTROL: i64 = 3;
/// `tokenizer.ggml.token_type`: text that is always one token.
const USER_DEFINED: i64 = 4;

pub(super) fn build(config: &Config, model: &str) -> Result<Tokenizer> {
    let Config::Gguf(meta) = config else {
        return Err(Error::model(model, "no GGUF metadata to read a tokenizer from"));
    };
    let meta = Metadata { meta, model };
    if meta.string("tokenizer.ggml.model").is_ok_and(|kind| kind == "t5") {
        return super::gguf_t5::build(&meta);
    }
    let tokens = meta.strings("tokenizer.ggml.tokens")?;
    let types = meta.integers("tokenizer.ggml.token_type").unwrap_or_default();
    let vocab: Vocab = tokens.iter().enumerate().map(|(id, token)| (token.clone(), id as u32)).collect();
    let kind = meta.string("tokenizer.ggml.model")?;
    let mut inner = match kind.as_str() {
        "llama" => sentencepiece_bpe(&meta, &tokens, &types, vocab)?,
        "gpt2" => byte_level_bpe(&meta, vocab)?,
        other => return Err(Error::model(model, format!("tokenizer of the kind {other}; polygist knows llama, gpt2 and t5"))),
    };
    let added = |wanted: i64| {
        let all = tokens.iter().zip(&types).filter(move |(_, t)| **t == wanted);
        all.map(move |(token, _)| AddedToken::from(token.as_str(), wanted == CONTROL).normalized(false))
    };
    inner.add_special_tokens(added(CONTROL)).map_err(|e| Error::Tokenizer(e.to_string()))?;
    inner.add_tokens(added(USER_DEFINED)).map_err(|e| Error::Tokenizer(e.to_string()))?;

    let id = |name: &str| meta.integer(&format!("tokenizer.ggml.{name}_token_id")).and_then(|v| u32::try_from(v).ok());
    let wants_begin = meta.flag("tokenizer.ggml.add_bos_token").unwrap_or(kind == "llama");
    // A chat model ends its turn with a token of its own, which not every file names.
    let end_of_turn = tokens.iter().zip(&types).enumerate().filter(|(_, (token, kind))| {
        **kind == CONTROL && matches!(token.as_str(), "<|im_end|>" | "<end_of_turn>" | "<|eot_id|>" | "<|endoftext|>")
    });
    let mut end: Vec<u32> = id("eos").into_iter().chain(id("eot")).collect();
    end.extend(end_of_turn.map(|(id, _)| id as u32));
    end.dedup();
    Tokenizer::new(inner, id("bos").filter(|_| wants_begin), end)
}

/// SentencePiece's BPE: pieces merge in the order of their scores, spaces are `▁`, unknown characters become bytes.
fn sentencepiece_bpe(meta: &Metadata<'_>, tokens: &[String], types: &[i64], vocab: Vocab) -> Result<tokenizers::Tokenizer> {
    let scores = meta.floats("tokenizer.ggml.scores")?;
    meta.same_length(tokens.len(), scores.len(), "scores")?;
    if meta.flag("tokenizer.ggml.add_space_prefix").unwrap_or(true) {
        return Err(Error::model(meta.model, "tokenizers that put a space before the text (add_space_prefix) are not supported"));
    }
    // Every way to put a piece together out of two others is a merge, ranked by the piece's score.
    let mut merges: Vec<(f32, u32, usize)> = Vec::new();
    for (id, token) in tokens.iter().enumerate() {
        if types.get(id).is_some_and(|&t| t == CONTROL || t == USER_DEFINED) {
            continue;
        }
        for (at, _) in token.char_indices().skip(1) {
            if vocab.contains_key(&token[..at]) && vocab.contains_key(&token[at..]) {
                merges.push((scores[id], id as u32, at));
            }
        }
    }
    merges.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let merges: Merges = merges
        .into_iter()
        .map(|(_, id, at)| {
            let token = &tokens[id as usize];
            (token[..at].to_string(), token[at..].to_string())
        })
        .collect();
    let unknown = meta.integer("tokenizer.ggml.unknown_token_id").and_then(|id| tokens.get(usize::try_from(id).ok()?)).cloned();
    let mut bpe = BPE::builder().vocab_and_merges(vocab, merges).byte_fallback(true).fuse_unk(true);
    if let Some(unknown) = unknown {
        bpe = bpe.unk_token(unknown);
    }
    let mut inner = tokenizers::Tokenizer::new(bpe.build().map_err(|e| Error::model(meta.model, e.to_string()))?);
    inner
        .with_normalizer(Some(Replace::new(" ", "▁").map_err(|e| Error::Tokenizer(e.to_string()))?))
        .map_err(|e| Error::Tokenizer(e.to_string()))?;
    let decoders: Vec<DecoderWrapper> =
        vec![Replace::new("▁", " ").map_err(|e| Error::Tokenizer(e.to_string()))?.into(), ByteFallback::new().into(), Fuse::new().into()];
    inner.with_decoder(Some(DecoderSequence::new(decoders)));
    Ok(inner)
}

/// GPT-2's byte-level BPE, with the splitting that `tokenizer.ggml.pre` names.
fn byte_level_bpe(meta: &Metadata<'_>, vocab: Vocab) -> Result<tokenizers::Tokenizer> {
    let lines = meta.strings("tokenizer.ggml.merges")?;
    let merges = lines
        .iter()
        .map(|line| match line.split_once(' ') {
            Some((a, b)) => Ok((a.to_string(), b.to_string())),
            None => Err(Error::model(meta.model, format!("tokenizer merge {line:?} is not two tokens"))),
        })
        .collect::<Result<Merges>>()?;
    let bpe = BPE::builder().vocab_and_merges(vocab, merges).build().map_err(|e| Error::model(meta.model, e.to_string()))?;
    let mut inner = tokenizers::Tokenizer::new(bpe);
    let byte_level = ByteLevel::new(false, true, true);
    let pre = meta.string("tokenizer.ggml.pre").unwrap_or_else(|_| "default".into());
    match pre.as_str() {
        "smollm" | "starcoder" | "refact" | "command-r" | "codeshell" => {
            let split = Sequence::new(vec![Digits::new(true).into(), byte_level.into()]);
            inner.with_pre_tokenizer(Some(split));
        }
        "gpt-2" | "gpt2" => {
            inner.with_pre_tokenizer(Some(byte_level));
        }
        other => return Err(Error::model(meta.model, format!("tokenizer splits text the {other} way; polygist knows smollm and gpt-2"))),
    }
    inner.with_decoder(Some(byte_level));
    Ok(inner)
}

/// Typed access to the metadata.
pub(super) struct Metadata<'a> {
    meta: &'a HashMap<String, Value>,
    /// The file, for messages.
    pub model: &'a str,
}

impl Metadata<'_> {
    fn list(&self, key: &str) -> Result<&Vec<Value>> {
        let value = self.meta.get(key).and_then(|v| v.to_vec().ok());
        value.ok_or_else(|| Error::model(self.model, format!("its metadata has no list {key}")))
    }

    /// Whether the tokenizer says as many things of its tokens as it has tokens.
    pub fn same_length(&self, tokens: usize, found: usize, what: &str) -> Result<()> {
        if tokens == found {
            return Ok(());
        }
        Err(Error::model(self.model, format!("the tokenizer has {tokens} tokens and {found} {what}; the file is damaged: fetch it again")))
    }

    pub fn strings(&self, key: &str) -> Result<Vec<String>> {
        let text = |v: &Value| v.to_string().cloned();
        self.list(key)?
            .iter()
            .map(text)
            .collect::<Result<_, _>>()
            .map_err(|_| Error::model(self.model, format!("{key} is not a list of texts")))
    }

    pub fn floats(&self, key: &str) -> Result<Vec<f32>> {
        let number = |v: &Value| v.to_f32();
        self.list(key)?
            .iter()
            .map(number)
            .collect::<Result<_, _>>()
            .map_err(|_| Error::model(self.model, format!("{key} is not a list of numbers")))
    }

    pub fn integers(&self, key: &str) -> Result<Vec<i64>> {
        Ok(self.list(key)?.iter().map(|v| integer(v).unwrap_or(0)).collect())
    }

    fn string(&self, key: &str) -> Result<String> {
        let value = self.meta.get(key).and_then(|v| v.to_string().ok());
        value.cloned().ok_or_else(|| Error::model(self.model, format!("its metadata has no text {key}")))
    }

    pub fn flag(&self, key: &str) -> Option<bool> {
        self.meta.get(key)?.to_bool().ok()
    }

    /// A list of numbers of one byte that may be missing.
    pub fn bytes(&self, key: &str) -> Result<Vec<u8>> {
        let Some(value) = self.meta.get(key) else { return Ok(Vec::new()) };
        let byte = |v: &Value| match v {
            Value::U8(v) => Some(*v),
            Value::I8(v) => Some(v.cast_unsigned()),
            _ => None,
        };
        let bytes = value.to_vec().ok().and_then(|all| all.iter().map(byte).collect());
        bytes.ok_or_else(|| Error::model(self.model, format!("{key} is not a list of bytes")))
    }

    pub fn integer(&self, key: &str) -> Option<i64> {
        integer(self.meta.get(key)?)
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::U8(v) => Some(i64::from(*v)),
        Value::I8(v) => Some(i64::from(*v)),
        Value::U16(v) => Some(i64::from(*v)),
        Value::I16(v) => Some(i64::from(*v)),
        Value::U32(v) => Some(i64::from(*v)),
        Value::I32(v) => Some(i64::from(*v)),
        Value::U64(v) => i64::try_from(*v).ok(),
        Value::I64(v) => Some(*v),
        _ => None,
    }
}
