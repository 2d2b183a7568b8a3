//! Tokenizers out of the metadata of GGUF files.

mod metadata;
mod pre_tokenizer;
mod t5;

use super::hf_tokenizer::HfTokenizer;
use super::mapped_sentencepiece::{MappedSentencePiece, Parts};
use super::sentencepiece::SPACE;
use super::sentencepiece::model_file::{Algorithm, Kind, Spm, SpmPiece, byte_of};
use super::tokenizer::{Backend, Tokenizer};
use crate::checkpoint::Config;
use crate::error::{Error, Result};
use metadata::Metadata;
use pre_tokenizer::Rule;
use tokenizers::AddedToken;
use tokenizers::models::bpe::{BPE, Merges, Vocab};

/// `tokenizer.ggml.token_type`: not text, but marks for the model.
const CONTROL: i64 = 3;
/// `tokenizer.ggml.token_type`: text that is always one token.
const USER_DEFINED: i64 = 4;

impl Tokenizer {
    /// The tokenizer in the metadata of a GGUF file; `model` names the file in messages.
    ///
    /// # Errors
    /// When the metadata lacks a part or names a kind of tokenizer that is not known.
    pub fn from_gguf(config: &Config, model: &str) -> Result<Tokenizer> {
        build(config, model)
    }
}

fn build(config: &Config, model: &str) -> Result<Tokenizer> {
    let Config::Gguf(meta) = config else {
        return Err(Error::model(model, "no GGUF metadata to read a tokenizer from"));
    };
    let meta = Metadata { meta, model };
    if meta.string("tokenizer.ggml.model").is_ok_and(|kind| kind == "t5") {
        return t5::build(&meta);
    }
    let kind = meta.string("tokenizer.ggml.model")?;
    let tokens = meta.strings("tokenizer.ggml.tokens")?;
    let types = meta.integers("tokenizer.ggml.token_type").unwrap_or_default();
    let (backend, begins) = match kind.as_str() {
        "llama" => (Backend::Mapped(Box::new(sentencepiece_bpe(&meta, &tokens, &types)?)), true),
        "gpt2" => {
            let rule = split_rule(&meta)?;
            let bpe = byte_level_bpe(&meta, rule, &tokens, &types)?;
            (Backend::Hf(Box::new(bpe)), rule.begins)
        }
        other => {
            return Err(Error::model(
                model,
                format!("tokenizer of the kind {other}; polygist knows llama, gpt2 and t5"),
            ));
        }
    };

    let id = |name: &str| {
        meta.integer(&format!("tokenizer.ggml.{name}_token_id")).and_then(|v| u32::try_from(v).ok())
    };
    let wants_begin = meta.flag("tokenizer.ggml.add_bos_token").unwrap_or(begins);
    // A chat model ends its turn with a token of its own, which not every file names.
    let end_of_turn = tokens.iter().zip(&types).enumerate().filter(|(_, (token, kind))| {
        **kind == CONTROL
            && matches!(
                token.as_str(),
                "<|im_end|>"
                    | "<end_of_turn>"
                    | "<|eot_id|>"
                    | "<|eom_id|>"
                    | "<|end|>"
                    | "<|END_OF_TURN_TOKEN|>"
                    | "<|endoftext|>"
            )
    });
    let mut end: Vec<u32> = id("eos").into_iter().chain(id("eot")).collect();
    end.extend(end_of_turn.map(|(id, _)| id as u32));
    end.dedup();
    Ok(Tokenizer::new(backend, id("bos").filter(|_| wants_begin), end))
}

/// SentencePiece's BPE: the model that llama.cpp's converter has taken apart is put together again.
fn sentencepiece_bpe(
    meta: &Metadata<'_>,
    tokens: &[String],
    types: &[i64],
) -> Result<MappedSentencePiece> {
    let broken = |why: String| Error::model(meta.model, why);
    let scores = meta.floats("tokenizer.ggml.scores")?;
    meta.same_length(tokens.len(), scores.len(), "scores")?;
    // llama.cpp's own number stands in for one that is not named.
    let unknown = meta
        .integer("tokenizer.ggml.unknown_token_id")
        .map_or(Some(0), |id| usize::try_from(id).ok());
    let piece = |(id, (token, &score)): (usize, (&String, &f32))| {
        let kind = match types.get(id).and_then(|&kind| Kind::numbered(u64::try_from(kind).ok()?)) {
            _ if Some(id) == unknown => Kind::Unknown,
            // There is one of them.
            Some(Kind::Unknown) => Kind::Control,
            None if byte_of(token).is_some() => Kind::Byte,
            kind => kind.unwrap_or(Kind::Normal),
        };
        // The converter writes what is always one token as it stands in a text, with spaces.
        let text =
            if kind == Kind::UserDefined { token.replace(' ', SPACE) } else { token.clone() };
        SpmPiece { text, score, kind }.check()
    };
    let pieces = tokens
        .iter()
        .zip(&scores)
        .enumerate()
        .map(piece)
        .collect::<Result<Vec<_>, _>>()
        .map_err(broken)?;
    let spm = Spm {
        algorithm: Algorithm::Bpe,
        byte_fallback: pieces.iter().any(|piece| piece.kind == Kind::Byte),
        unknown: 0,
        charsmap: meta.bytes("tokenizer.ggml.precompiled_charsmap")?,
        add_dummy_prefix: meta.flag("tokenizer.ggml.add_space_prefix").unwrap_or(true),
        remove_extra_whitespaces: meta
            .flag("tokenizer.ggml.remove_extra_whitespaces")
            .unwrap_or(false),
        escape_whitespaces: true,
        space_as_suffix: false,
        pieces,
    };
    MappedSentencePiece::new(Parts {
        trims: false,
        ..Parts::of_model(spm.check().map_err(broken)?, meta.model)?
    })
}

/// The rule that `tokenizer.ggml.pre` names.
fn split_rule(meta: &Metadata<'_>) -> Result<&'static Rule> {
    let Ok(name) = meta.string("tokenizer.ggml.pre") else {
        let message = format!(
            "its metadata does not say how the tokenizer splits text (tokenizer.ggml.pre); polygist knows {}",
            Rule::known()
        );
        return Err(Error::model(meta.model, message));
    };
    Rule::find(&name).ok_or_else(|| {
        let known = Rule::known();
        Error::model(
            meta.model,
            format!("tokenizer splits text the {name} way; polygist knows {known}"),
        )
    })
}

/// GPT-2's byte-level BPE, with a rule that splits text into words first.
fn byte_level_bpe(
    meta: &Metadata<'_>,
    rule: &Rule,
    tokens: &[String],
    types: &[i64],
) -> Result<HfTokenizer> {
    let lines = meta.strings("tokenizer.ggml.merges")?;
    let merges = lines
        .iter()
        .map(|line| match line.split_once(' ') {
            Some((a, b)) => Ok((a.to_string(), b.to_string())),
            None => {
                Err(Error::model(meta.model, format!("tokenizer merge {line:?} is not two tokens")))
            }
        })
        .collect::<Result<Merges>>()?;
    let vocab: Vocab =
        tokens.iter().enumerate().map(|(id, token)| (token.clone(), id as u32)).collect();
    let bpe = BPE::builder()
        .vocab_and_merges(vocab, merges)
        .ignore_merges(rule.ignore_merges)
        .build()
        .map_err(|e| Error::model(meta.model, e.to_string()))?;
    let mut inner = tokenizers::Tokenizer::new(bpe);
    rule.apply(&mut inner).map_err(|e| Error::Tokenizer(e.to_string()))?;
    let added = |wanted: i64| {
        let all = tokens.iter().zip(types).filter(move |(_, t)| **t == wanted);
        all.map(move |(token, _)| {
            AddedToken::from(token.as_str(), wanted == CONTROL).normalized(false)
        })
    };
    inner.add_special_tokens(added(CONTROL)).map_err(|e| Error::Tokenizer(e.to_string()))?;
    inner.add_tokens(added(USER_DEFINED)).map_err(|e| Error::Tokenizer(e.to_string()))?;
    HfTokenizer::new(inner, None, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::quantized::gguf_file::Value;

    /// A vocabulary of 256 bytes after `<unk>`, `<s>` and `</s>`, and these pieces, the likeliest
    /// first.
    fn model(pieces: &[(&str, i32)], prefix: bool) -> Tokenizer {
        let bytes = (0..=255u8).map(|byte| (format!("<0x{byte:02X}>"), 6));
        let marks =
            [("<unk>", 3), ("<s>", 3), ("</s>", 3)].map(|(token, kind)| (token.to_string(), kind));
        let all: Vec<(String, i32)> = marks
            .into_iter()
            .chain(bytes)
            .chain(pieces.iter().map(|(token, kind)| (token.to_string(), *kind)))
            .collect();
        let list = |values: Vec<Value>| Value::Array(values);
        let entries = [
            ("model", Value::String("llama".into())),
            ("tokens", list(all.iter().map(|(token, _)| Value::String(token.clone())).collect())),
            ("token_type", list(all.iter().map(|(_, kind)| Value::I32(*kind)).collect())),
            ("scores", list((0..all.len()).map(|id| Value::F32(-(id as f32))).collect())),
            ("unknown_token_id", Value::U32(0)),
            ("bos_token_id", Value::U32(1)),
            ("eos_token_id", Value::U32(2)),
            ("add_space_prefix", Value::Bool(prefix)),
        ];
        let meta = entries
            .into_iter()
            .map(|(key, value)| (format!("tokenizer.ggml.{key}"), value))
            .collect();
        build(&Config::Gguf(meta), "test").unwrap()
    }

    #[test]
    fn pieces_merge_as_in_sentencepiece() {
        let pieces =
            [("▁a", 1), ("▁", 1), ("a", 1), ("b", 1), ("ab", 1), ("\n", 4), ("\n\n", 4), ("  ", 4)];
        let tokens = |model: &Tokenizer, text: &str| -> Vec<String> {
            model
                .encode_plain(text)
                .unwrap()
                .into_iter()
                .map(|id| model.token(id).unwrap())
                .collect()
        };
        let plain = model(&pieces, false);
        // "▁a" is likelier than "ab"; what is always one token is never cut, nor joined with its
        // neighbours.
        assert_eq!(tokens(&plain, " ab"), ["▁a", "b"]);
        assert_eq!(tokens(&plain, "ab  ab\n\n\nab"), ["ab", "▁▁", "ab", "\n\n", "\n", "ab"]);
        assert_eq!(
            tokens(&plain, "aé</s>"),
            ["a", "<0xC3>", "<0xA9>", "<0x3C>", "<0x2F>", "<0x73>", "<0x3E>"]
        );
        assert_eq!(
            (plain.encode("a</s>").unwrap().last(), plain.begin(), plain.is_end(2)),
            (Some(&2), Some(1), true)
        );
        for text in [" ab", "ab  ab\n\n\nab ", "aé</s>"] {
            assert_eq!(plain.decode(&plain.encode_plain(text).unwrap()).unwrap(), text);
        }
        let prefixed = model(&pieces, true);
        assert_eq!(tokens(&prefixed, "ab"), ["▁a", "b"]);
        assert_eq!(prefixed.decode(&prefixed.encode_plain("ab").unwrap()).unwrap(), "ab");
    }
}
