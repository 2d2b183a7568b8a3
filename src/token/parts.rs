//! The parts of a `tokenizer.json`, by their types: which of them the `tokenizers` crate does not
//! know.
//!
//! The crate itself does not say. It takes a part of an unknown type for one of those whose fields
//! it seems to have, and a model of a new kind then cuts text as another does.

use serde::Deserialize;
use serde_json::Value;
use tokenizers::{
    DecoderWrapper, ModelWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper,
};

/// A kind of part: its key, the key of those it may consist of, and the types that are known
/// (tokenizers 0.23).
struct Part {
    key: &'static str,
    inner: &'static str,
    known: &'static [&'static str],
}

const PARTS: [Part; 5] = [
    Part { key: "model", inner: "", known: &["BPE", "Unigram", "WordLevel", "WordPiece"] },
    Part {
        key: "normalizer",
        inner: "normalizers",
        known: &[
            "BertNormalizer",
            "ByteLevel",
            "Lowercase",
            "NFC",
            "NFD",
            "NFKC",
            "NFKD",
            "Nmt",
            "Precompiled",
            "Prepend",
            "Replace",
            "Sequence",
            "Strip",
            "StripAccents",
        ],
    },
    Part {
        key: "pre_tokenizer",
        inner: "pretokenizers",
        known: &[
            "BertPreTokenizer",
            "ByteLevel",
            "CharDelimiterSplit",
            "Delimiter",
            "Digits",
            "FixedLength",
            "Metaspace",
            "Punctuation",
            "Sequence",
            "Split",
            "UnicodeScripts",
            "Whitespace",
            "WhitespaceSplit",
        ],
    },
    Part {
        key: "post_processor",
        inner: "processors",
        known: &[
            "BertProcessing",
            "ByteLevel",
            "RobertaProcessing",
            "Sequence",
            "TemplateProcessing",
        ],
    },
    Part {
        key: "decoder",
        inner: "decoders",
        known: &[
            "BPEDecoder",
            "ByteFallback",
            "ByteLevel",
            "CTC",
            "Fuse",
            "Metaspace",
            "Replace",
            "Sequence",
            "Strip",
            "WordPiece",
        ],
    },
];

impl Part {
    /// The first type in a part, or in those it consists of, that is not known.
    fn unknown<'a>(&self, value: &'a Value) -> Option<&'a str> {
        let own = value.get("type").and_then(Value::as_str);
        own.filter(|name| !self.known.contains(name)).or_else(|| {
            let inner = value.get(self.inner)?.as_array()?;
            inner.iter().find_map(|part| self.unknown(part))
        })
    }
}

/// Checks that all types in a `tokenizer.json` are known; `part` gives its parts by their keys.
///
/// # Errors
/// Says which type of which part is not, and which are.
pub(super) fn check<'a>(part: impl Fn(&str) -> Option<&'a Value>) -> Result<(), String> {
    let unknown = PARTS.iter().find_map(|kind| Some((kind, kind.unknown(part(kind.key)?)?)));
    let Some((Part { key, known, .. }, name)) = unknown else { return Ok(()) };
    Err(format!(
        "its {key} is of the type {name:?}, which is not known; known are {}. The file may be made for a newer version of polygist, or for a \
         program of its own: take the model in another form (GGUF, or with its SentencePiece files)",
        known.join(", ")
    ))
}

/// Which part of a `tokenizer.json` cannot be read, or `why` it all cannot.
pub(super) fn explain(text: &str, why: String) -> String {
    let Ok(Value::Object(parts)) = serde_json::from_str(text) else { return why };
    if parts.get("model").is_none_or(Value::is_null) {
        let found: Vec<&str> = parts.keys().map(String::as_str).take(8).collect();
        return format!(
            "it has no model, as a tokenizer has; found {}: it belongs to something else, fetch the model again",
            if found.is_empty() { "nothing".into() } else { found.join(", ") }
        );
    }
    let wrong = |key: &str| {
        let part = parts.get(key).filter(|part| !part.is_null())?;
        let error = match key {
            "model" => ModelWrapper::deserialize(part).err(),
            "normalizer" => NormalizerWrapper::deserialize(part).err(),
            "pre_tokenizer" => PreTokenizerWrapper::deserialize(part).err(),
            "post_processor" => PostProcessorWrapper::deserialize(part).err(),
            _ => DecoderWrapper::deserialize(part).err(),
        }?;
        let name = part.get("type").and_then(Value::as_str).unwrap_or("no type");
        Some(format!("its {key} ({name}) cannot be read: {error}"))
    };
    PARTS.iter().find_map(|part| wrong(part.key)).unwrap_or(why)
}
