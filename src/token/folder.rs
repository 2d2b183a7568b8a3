//! The tokenizer of a folder in the Hub's layout, whichever files it comes in.

use super::hf_tokenizer::HfTokenizer;
use super::input_template::{InputTemplate, Slot};
use super::mapped_sentencepiece::{MappedSentencePiece, Parts};
use super::sentencepiece::SentencePiece;
use super::sentencepiece::charsmap::Charsmap;
use super::sentencepiece::model_file::Spm;
use super::tokenizer::{Backend, Tokenizer};
use super::tokenizer_config::{Family, TokenizerConfig};
use super::{convert, files, language_codes, parts};
use crate::checkpoint::Config;
use crate::checkpoint::stand_in::stand_in;
use crate::error::{Error, Result};
use base64::Engine as _;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::path::Path;

/// `tokenizer.json` without its vocabulary.
#[derive(Deserialize)]
struct Head {
    normalizer: Option<Value>,
    pre_tokenizer: Option<Value>,
    post_processor: Option<Value>,
    decoder: Option<Value>,
    model: HeadModel,
}

#[derive(Deserialize)]
struct HeadModel {
    #[serde(rename = "type", default)]
    kind: Value,
    unk_id: Option<u32>,
    unk_token: Option<String>,
}

impl Head {
    /// See [`parts::check`].
    fn check_types(&self) -> Result<(), String> {
        let model = serde_json::json!({ "type": self.model.kind });
        parts::check(|key| match key {
            "model" => Some(&model),
            "normalizer" => self.normalizer.as_ref(),
            "pre_tokenizer" => self.pre_tokenizer.as_ref(),
            "post_processor" => self.post_processor.as_ref(),
            _ => self.decoder.as_ref(),
        })
    }
}

/// The files that a SentencePiece model has been called by.
const SENTENCEPIECE: [&str; 4] =
    ["sentencepiece.bpe.model", "spiece.model", "spm.model", "tokenizer.model"];

impl Tokenizer {
    /// A `tokenizer.json` file. Begin, end and padding tokens come from the model's `config.json`,
    /// and from the `generation_config.json` and `tokenizer_config.json` beside the file, if there
    /// are any.
    ///
    /// # Errors
    /// When one of these files cannot be read or is not what it should be.
    pub fn from_file(path: &Path, config: &Config) -> Result<Tokenizer> {
        from_json(path, config)
    }

    /// The tokenizer of a folder in the Hub's layout: from its `tokenizer.json`; or `source.spm`,
    /// `target.spm` and `vocab.json` (Marian), or `vocab.*.spm` (Marian's own files); or a
    /// SentencePiece model (T5, mT5, MADLAD, Pegasus, mBART, mBART-50, NLLB; M2M100 with
    /// `vocab.json`); or `vocab.json` and `merges.txt` (BART, LED). Which it is say
    /// `tokenizer_config.json` and the model's `config.json`.
    ///
    /// # Errors
    /// When files that the kind of model needs are missing, cannot be read or are broken.
    pub fn from_folder(folder: &Path, config: &Config) -> Result<Tokenizer> {
        open(folder, config)
    }
}

fn open(folder: &Path, config: &Config) -> Result<Tokenizer> {
    let settings = TokenizerConfig::read(folder, config)?;
    let has = |name: &str| folder.join(name).is_file();
    let whole = folder.join("tokenizer.json");
    let model = SENTENCEPIECE.iter().map(|name| folder.join(name)).find(|path| path.is_file());
    let mapped = |mapped| Backend::Mapped(Box::new(mapped));
    // Marian and M2M100 have no tokenizer.json of transformers' making; one that stands beside
    // their files is a conversion by others.
    let backend = match (settings.family, model) {
        (Family::Student, _) => mapped(student(folder, config)?),
        (Family::Marian, _) if has("source.spm") && has("target.spm") && has("vocab.json") => {
            mapped(marian(folder, config, &settings)?)
        }
        (Family::M2M100, Some(model)) if has("vocab.json") => {
            mapped(m2m100(folder, &model, &settings)?)
        }
        _ if whole.is_file() => return from_json(&whole, config),
        (
            Family::T5 | Family::Pegasus | Family::MBart | Family::MBart50 | Family::Nllb,
            Some(model),
        ) => hf(convert::from_sentencepiece(&model, &settings)?, &settings)?,
        (Family::Bart, _) if has("vocab.json") && has("merges.txt") => {
            hf(convert::byte_level(folder, &settings)?, &settings)?
        }
        (family, _) => return Err(no_tokenizer(folder, family)),
    };
    finish(backend, None, folder, config, &settings)
}

fn no_tokenizer(folder: &Path, family: Family) -> Error {
    let message = match family {
        Family::Student => "expected vocab.*.spm, or srcvocab.*.spm and trgvocab.*.spm".into(),
        Family::Marian => "expected source.spm, target.spm and vocab.json".to_string(),
        Family::M2M100 => "expected sentencepiece.bpe.model and vocab.json".into(),
        Family::Bart => "expected tokenizer.json, or vocab.json and merges.txt".into(),
        Family::Other => "expected tokenizer.json; config.json names no kind of model whose other files are known".into(),
        _ => format!("expected tokenizer.json or one of {}", SENTENCEPIECE.join(", ")),
    };
    Error::model(
        folder.display().to_string(),
        format!("no tokenizer: {message}; fetch the missing files"),
    )
}

/// A tokenizer of the crate; T5's has MADLAD's language tokens among its ordinary ones.
fn hf(
    (inner, unknown): (tokenizers::Tokenizer, Option<u32>),
    settings: &TokenizerConfig,
) -> Result<Backend> {
    let is_control = (settings.family == Family::T5)
        .then_some(language_codes::is_madlad_code as fn(&str) -> bool);
    Ok(Backend::Hf(Box::new(HfTokenizer::new(inner, unknown, is_control)?)))
}

/// A `tokenizer.json`, with the settings beside it.
fn from_json(path: &Path, config: &Config) -> Result<Tokenizer> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let settings = TokenizerConfig::read(folder, config)?;
    let text = files::text(path)?;
    let broken = |message: String| Error::Tokenizer(format!("{}: {message}", path.display()));
    let unreadable = |why: String| {
        broken(stand_in(text.as_bytes()).unwrap_or_else(|| parts::explain(&text, why)))
    };
    let head: Head = serde_json::from_str(&text).map_err(|e| unreadable(e.to_string()))?;
    head.check_types().map_err(broken)?;
    head.normalizer.iter().try_for_each(check_charsmaps).map_err(broken)?;
    let inner = tokenizers::Tokenizer::from_bytes(text.as_bytes())
        .map_err(|e| unreadable(e.to_string()))?;
    let unknown = head.model.unk_id.or_else(|| inner.token_to_id(head.model.unk_token.as_deref()?));
    let unknown = unknown.or_else(|| inner.token_to_id(&settings.token("unk_token", "")?.content));
    finish(hf((inner, unknown), &settings)?, head.post_processor, folder, config, &settings)
}

/// The `tokenizers` crate trusts a table of replacements: look at it first.
fn check_charsmaps(normalizer: &Value) -> Result<(), String> {
    match normalizer {
        Value::Object(fields) => {
            if let Some(Value::String(map)) = fields.get("precompiled_charsmap") {
                let bytes = base64::engine::general_purpose::STANDARD
                    .decode(map)
                    .map_err(|e| format!("precompiled_charsmap: {e}"))?;
                Charsmap::new(&bytes)?;
            }
            fields.values().try_for_each(check_charsmaps)
        }
        Value::Array(all) => all.iter().try_for_each(check_charsmaps),
        _ => Ok(()),
    }
}

fn vocabulary(path: &Path, unknown: &str) -> Result<(HashMap<String, u32>, u32)> {
    let ids: HashMap<String, u32> = files::json(path)?;
    let unknown = ids.get(unknown).copied();
    let unknown = unknown.ok_or_else(|| {
        Error::model(
            path.display().to_string(),
            format!("none of the {} pieces in it is the unknown one", ids.len()),
        )
    })?;
    Ok((ids, unknown))
}

fn sentencepiece(path: &Path) -> Result<SentencePiece> {
    SentencePiece::new(Spm::open(path)?, &path.display().to_string())
}

fn name(settings: &TokenizerConfig, token: &str, default: &str) -> String {
    settings.token(token, default).map_or(default.to_string(), |t| t.content)
}

fn marian(
    folder: &Path,
    config: &Config,
    settings: &TokenizerConfig,
) -> Result<MappedSentencePiece> {
    let unknown = name(settings, "unk_token", "<unk>");
    let (mut ids, unknown_id) = vocabulary(&folder.join("vocab.json"), &unknown)?;
    let apart =
        config.json("share_encoder_decoder_embeddings").and_then(Value::as_bool) == Some(false);
    let target = folder.join("target_vocab.json");
    let target_ids = if settings.flag("separate_vocabs") || apart && target.is_file() {
        Some(vocabulary(&target, &unknown)?.0)
    } else {
        None
    };
    let mut control =
        vec![name(settings, "eos_token", "</s>"), unknown, name(settings, "pad_token", "<pad>")];
    control.extend(settings.extra().into_iter().map(|t| t.content));
    for (id, token) in &settings.added {
        ids.entry(token.content.clone()).or_insert(*id);
        control.extend(Some(token.content.clone()).filter(|_| token.special));
    }
    control.retain(|token| !token.is_empty() && ids.contains_key(token));
    let source = sentencepiece(&folder.join("source.spm"))?;
    // Each side has its model even where both share a vocabulary.
    let file = folder.join("target.spm");
    let target =
        if target_ids.is_some() || file.is_file() { Some(sentencepiece(&file)?) } else { None };
    MappedSentencePiece::new(Parts {
        source,
        target,
        ids,
        target_ids,
        control,
        unknown: unknown_id,
        has_codes: true,
        trims: true,
    })
}

/// A model in Marian's own files: the ids are SentencePiece's own. The configuration names the
/// `vocabularies`, one for both sides, or that of the source and that of the target.
fn student(folder: &Path, config: &Config) -> Result<MappedSentencePiece> {
    let listed = config.json("vocabularies").and_then(Value::as_array).into_iter().flatten();
    let files: Vec<&str> =
        listed.filter_map(Value::as_str).filter(|name| !name.contains(['/', '\\'])).collect();
    let (source, target) = match files[..] {
        [both] => (both, None),
        [source, target] => (source, Some(target)),
        _ => {
            return Err(Error::model(
                folder.display().to_string(),
                "no vocabularies are named; expected one or two SentencePiece models",
            ));
        }
    };
    let file = folder.join(source);
    let mut parts = Parts::of_model(Spm::open(&file)?, &file.display().to_string())?;
    if let Some(name) = target {
        let target = sentencepiece(&folder.join(name))?;
        let others = target.ids();
        // The ends of both sides are one token to those who use them.
        if ["</s>", "<unk>"].iter().any(|token| others.get(*token) != parts.ids.get(*token)) {
            let message = format!(
                "{source} and {name} number </s> and <unk> differently, which is not supported"
            );
            return Err(Error::model(folder.display().to_string(), message));
        }
        parts.target_ids = Some(others.clone());
        parts.target = Some(target);
    }
    MappedSentencePiece::new(parts)
}

fn m2m100(folder: &Path, model: &Path, settings: &TokenizerConfig) -> Result<MappedSentencePiece> {
    let (mut ids, unknown) =
        vocabulary(&folder.join("vocab.json"), &name(settings, "unk_token", "<unk>"))?;
    let languages = if settings.text("language_codes") == Some("wmt21") {
        language_codes::WMT21
    } else {
        language_codes::M2M100
    };
    let first = ids.len() as u32;
    let mut control: Vec<String> = [
        ("bos_token", "<s>"),
        ("eos_token", "</s>"),
        ("unk_token", "<unk>"),
        ("pad_token", "<pad>"),
    ]
    .map(|(n, d)| name(settings, n, d))
    .into();
    for (id, code) in (first..).zip(languages.split(' ')) {
        ids.insert(format!("__{code}__"), id);
        control.push(format!("__{code}__"));
    }
    control.retain(|token| !token.is_empty() && ids.contains_key(token));
    let source = sentencepiece(model)?;
    MappedSentencePiece::new(Parts {
        source,
        target: None,
        ids,
        target_ids: None,
        control,
        unknown,
        has_codes: false,
        trims: true,
    })
}

/// Adds what stands around a text, and the ids that the model's configuration names.
fn finish(
    backend: Backend,
    post_processor: Option<Value>,
    folder: &Path,
    config: &Config,
    settings: &TokenizerConfig,
) -> Result<Tokenizer> {
    let generation: Map<String, Value> =
        files::json_if_any(&folder.join("generation_config.json"))?;
    let ids = |key: &str| -> Vec<u32> {
        let mut ids: Vec<u32> = Vec::new();
        for value in [generation.get(key), config.json(key)].into_iter().flatten() {
            let all = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            for id in all.iter().filter_map(|v| u32::try_from(v.as_u64()?).ok()) {
                // Both files mostly name the same; no model has more than a few.
                if !ids.contains(&id) && ids.len() < 16 {
                    ids.push(id);
                }
            }
        }
        ids
    };
    let token =
        |name: &str, default: &str| backend.token_id(&settings.token(name, default)?.content);
    let (mut end, pad) = (ids("eos_token_id"), ids("pad_token_id").first().copied());
    if end.is_empty() {
        end.extend(token("eos_token", if settings.family == Family::Other { "" } else { "</s>" }));
    }
    let pad = pad.or_else(|| {
        token("pad_token", if settings.family == Family::Other { "" } else { "<pad>" })
    });
    let begin = ids("bos_token_id").first().copied();

    let eos = || -> Result<Slot> {
        let missing = || {
            Error::model(
                folder.display().to_string(),
                "its tokenizer has no end token (`</s>`), which every text needs",
            )
        };
        Ok(Slot::Token(token("eos_token", "</s>").ok_or_else(missing)?))
    };
    let template = match settings.family {
        Family::Marian | Family::Student | Family::T5 | Family::Pegasus => {
            InputTemplate { before: vec![], after: vec![eos()?] }
        }
        Family::MBart => InputTemplate { before: vec![], after: vec![eos()?, Slot::Language] },
        Family::Nllb if settings.flag("legacy_behaviour") => {
            InputTemplate { before: vec![], after: vec![eos()?, Slot::Language] }
        }
        Family::MBart50 | Family::Nllb | Family::M2M100 => {
            InputTemplate { before: vec![Slot::Language], after: vec![eos()?] }
        }
        Family::Bart => {
            let start = token("cls_token", "<s>").map(Slot::Token);
            let stop = token("sep_token", "</s>").map(Slot::Token);
            InputTemplate {
                before: start.into_iter().collect(),
                after: vec![stop.map_or_else(eos, Ok)?],
            }
        }
        Family::Other => post_processor.as_ref().map_or_else(InputTemplate::default, template_of),
    };
    Ok(Tokenizer { template, pad, ..Tokenizer::new(backend, begin, end) })
}

/// The template in a `tokenizer.json`. A token there without brackets (`en_XX`, not `<s>`
/// or `[CLS]`) is that of the language that was set when the file was written.
fn template_of(processor: &Value) -> InputTemplate {
    let mut template = InputTemplate::default();
    let pair = |key: &str| {
        processor.get(key)?.get(1)?.as_u64().and_then(|id| u32::try_from(id).ok()).map(Slot::Token)
    };
    match processor.get("type").and_then(Value::as_str) {
        Some("RobertaProcessing" | "BertProcessing") => {
            template.before.extend(pair("cls"));
            template.after.extend(pair("sep"));
        }
        Some("TemplateProcessing") => {
            let mut places = &mut template.before;
            for item in processor.get("single").and_then(Value::as_array).into_iter().flatten() {
                let Some(token) =
                    item.get("SpecialToken").and_then(|t| t.get("id")).and_then(Value::as_str)
                else {
                    places = &mut template.after;
                    continue;
                };
                let ids = processor
                    .get("special_tokens")
                    .and_then(|t| t.get(token))
                    .and_then(|t| t.get("ids"))
                    .and_then(Value::as_array);
                for id in
                    ids.into_iter().flatten().filter_map(|id| u32::try_from(id.as_u64()?).ok())
                {
                    places.push(if token.starts_with(['<', '[']) {
                        Slot::Token(id)
                    } else {
                        Slot::Language
                    });
                }
            }
        }
        Some("Sequence") => {
            let parts = processor.get("processors").and_then(Value::as_array).into_iter().flatten();
            for part in parts.map(template_of) {
                template.before.extend(part.before);
                template.after.extend(part.after);
            }
        }
        _ => {}
    }
    template
}
