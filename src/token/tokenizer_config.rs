//! The small JSON files beside a vocabulary: `tokenizer_config.json`,
//! `special_tokens_map.json`, `added_tokens.json`.

use super::files::{json, json_if_any};
use crate::checkpoint::Config;
use crate::error::Result;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;
use tokenizers::AddedToken;

/// The `transformers` class that reads a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Marian,
    /// A model in Marian's own files, which no class of `transformers` reads.
    Student,
    /// T5, mT5, UMT5, MADLAD, LongT5.
    T5,
    Pegasus,
    /// mBART (cc25): the language stands after the end token.
    MBart,
    MBart50,
    Nllb,
    M2M100,
    /// BART, LED and distilled ones: byte-level BPE.
    Bart,
    Other,
}

pub(super) struct TokenizerConfig {
    pub family: Family,
    /// `tokenizer_config.json` with what `special_tokens_map.json` adds to it.
    config: Map<String, Value>,
    /// Tokens with given ids.
    pub added: BTreeMap<u32, AddedToken>,
}

impl TokenizerConfig {
    pub fn read(folder: &Path, model: &Config) -> Result<TokenizerConfig> {
        let mut config: Map<String, Value> = json_if_any(&folder.join("tokenizer_config.json"))?;
        let mut added = BTreeMap::new();
        if let Some(Value::Object(tokens)) = config.get("added_tokens_decoder") {
            added = tokens
                .iter()
                .filter_map(|(id, token)| Some((id.parse().ok()?, added_token(token)?)))
                .collect();
        } else {
            // Older folders keep these apart.
            let named: Map<String, Value> = json_if_any(&folder.join("special_tokens_map.json"))?;
            config.extend(named);
            let path = folder.join("added_tokens.json");
            let ids: BTreeMap<String, u32> =
                if path.is_file() { json(&path)? } else { BTreeMap::new() };
            let special = |token: &str| {
                let named = config
                    .iter()
                    .filter(|(key, _)| key.ends_with("_token"))
                    .filter_map(|(_, v)| added_token(v));
                named.chain(listed(&config)).any(|t| t.content == token)
            };
            added.extend(
                ids.into_iter()
                    .map(|(token, id)| (id, AddedToken::from(token.as_str(), special(&token)))),
            );
        }
        let in_model = |key: &str| model.json(key).and_then(Value::as_str);
        let class = config
            .get("tokenizer_class")
            .and_then(Value::as_str)
            .or_else(|| in_model("tokenizer_class"))
            .unwrap_or("");
        let class = class.strip_suffix("Fast").unwrap_or(class);
        let family = by_class(class)
            .unwrap_or_else(|| by_type(in_model("model_type").unwrap_or(""), folder));
        Ok(TokenizerConfig { family, config, added })
    }

    /// T5's settings where none of these files are there: tokens that have names, and how
    /// many tokens for gaps there are.
    pub fn of_t5(
        named: impl IntoIterator<Item = (&'static str, String)>,
        extra_ids: usize,
        added: BTreeMap<u32, AddedToken>,
    ) -> TokenizerConfig {
        let mut config: Map<String, Value> =
            named.into_iter().map(|(name, token)| (name.into(), token.into())).collect();
        config.insert("extra_ids".into(), extra_ids.into());
        TokenizerConfig { family: Family::T5, config, added }
    }

    /// A token that has a name, such as `eos_token`. One that is set to nothing does not exist.
    pub fn token(&self, name: &str, default: &str) -> Option<AddedToken> {
        match self.config.get(name) {
            Some(Value::Null) => None,
            Some(value) => {
                let token = added_token(value)?;
                Some(
                    self.added
                        .values()
                        .find(|t| t.content == token.content)
                        .cloned()
                        .unwrap_or(token),
                )
            }
            None if default.is_empty() => None,
            None => Some(AddedToken::from(default, true)),
        }
    }

    /// `additional_special_tokens`.
    pub fn extra(&self) -> Vec<AddedToken> {
        listed(&self.config).collect()
    }

    pub fn flag(&self, name: &str) -> bool {
        self.config.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A number of tokens; at most what any vocabulary could need.
    pub fn count(&self, name: &str, default: usize) -> usize {
        let count =
            self.config.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        count.unwrap_or(default).min(10_000)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.config.get(name).and_then(Value::as_str)
    }
}

fn by_class(class: &str) -> Option<Family> {
    Some(match class {
        "MarianTokenizer" => Family::Marian,
        "T5Tokenizer" | "MT5Tokenizer" => Family::T5,
        "PegasusTokenizer" => Family::Pegasus,
        "MBartTokenizer" => Family::MBart,
        "MBart50Tokenizer" => Family::MBart50,
        "NllbTokenizer" => Family::Nllb,
        "M2M100Tokenizer" => Family::M2M100,
        "BartTokenizer" | "RobertaTokenizer" | "LEDTokenizer" => Family::Bart,
        _ => return None,
    })
}

fn by_type(model: &str, folder: &Path) -> Family {
    match model {
        "marian" => Family::Marian,
        "marian-student" => Family::Student,
        "t5" | "mt5" | "umt5" | "longt5" | "switch_transformers" => Family::T5,
        "pegasus" | "pegasus_x" | "bigbird_pegasus" => Family::Pegasus,
        "mbart" => Family::MBart,
        // The same architecture with two kinds of tokenizer.
        "m2m_100" if folder.join("vocab.json").is_file() => Family::M2M100,
        "m2m_100" | "nllb" | "nllb-moe" => Family::Nllb,
        "bart" | "led" => Family::Bart,
        _ => Family::Other,
    }
}

fn listed(config: &Map<String, Value>) -> impl Iterator<Item = AddedToken> + '_ {
    let list = ["extra_special_tokens", "additional_special_tokens"]
        .into_iter()
        .filter_map(|key| config.get(key)?.as_array());
    list.flatten().filter_map(added_token)
}

/// A token that is written as a text or as an object with `content` and how it is recognized.
fn added_token(value: &Value) -> Option<AddedToken> {
    if let Value::String(content) = value {
        return Some(AddedToken::from(content.as_str(), true));
    }
    let flag = |key: &str| value.get(key).and_then(Value::as_bool);
    let special = flag("special").unwrap_or(true);
    let token = AddedToken::from(value.get("content")?.as_str()?, special);
    Some(
        token
            .single_word(flag("single_word").unwrap_or(false))
            .lstrip(flag("lstrip").unwrap_or(false))
            .rstrip(flag("rstrip").unwrap_or(false))
            .normalized(flag("normalized").unwrap_or(!special)),
    )
}
